"""A script that somebody runs on a host by hand, whole; the file that is brought back to answers. Pure.

It is the script that a host is asked with, and its answers stand in the same frames. The nonce stands in it, as nobody is there to
give one: an answer bears the nonce of the one script that it answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from shlex import quote

from auditor.framing import ps, sh
from auditor.model import Answer, Command, Failure

NONCE_BYTES = 16
_MARK = re.compile(rb"@([0-9a-f]{32}) (?:[0-9]{1,6}|x) [oe?!] ")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def script(
    host: str, platform: str, commands: tuple[Command, ...], elevated: tuple[Command, ...], become: bool, nonce: str
) -> str:
    """What is run on the host; `host` is its id, `elevated` the catalogue of what is asked as root."""
    name = file_name(host)
    about = f"# auditor: the questions for {sh.shown(host)}, all of them read-only. They answer once, into {name}\n"
    about = about.encode("ascii", "backslashreplace").decode("ascii")
    if platform == "windows":
        return f"{about}{ps.by_hand(commands, nonce, name)}"
    start = (
        f"if [ -t 1 ]; then echo {quote(f'as root, into a file: sudo sh {name[:-7]}.sh > {name}')} >&2; exit 2; fi\n"
    )
    return f"#!/bin/sh\n{about}{start}set -- {nonce}\n{sh.script(commands, elevated, become)}"


def how(host: str, platform: str) -> str:
    """The command that runs it there."""
    name = file_name(host)
    stem = name.removesuffix(".answer")
    if platform == "windows":
        return f"powershell -NoProfile -ExecutionPolicy Bypass -File {stem}.ps1"
    return f"sudo sh {stem}.sh > {name}"


def file_name(host: str) -> str:
    """What its answer is called."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", host).lstrip("-.")[:64] + ".answer"


def nonce_of(text: bytes) -> str:
    """The nonce that an answer bears; "" where it bears none."""
    found = _MARK.search(_ascii(text))
    return found[1].decode() if found else ""


def answers(
    text: bytes, commands: tuple[Command, ...], nonce: str, platform: str, become: bool, at: float
) -> Mapping[Command, Answer]:
    """What the file answers to these commands, dated `at`; a Failure for what it does not."""
    windows = platform == "windows"
    reader = ps.Reader(commands, nonce) if windows else sh.Reader(commands, nonce, become)
    told = dict(reader.feed(_ascii(text).replace(b"\r\n", b"\n") if windows else text, at))
    return {**told, **dict(reader.finish(Failure("closed", "the file ends before this answer", at)))}


def _ascii(text: bytes) -> bytes:
    """Windows makes UTF-16 of what goes through its consoles."""
    if text[:2] not in _UTF_16:
        return text
    return text.decode("utf-16", "replace").encode("ascii", "replace")
