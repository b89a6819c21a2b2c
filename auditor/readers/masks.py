"""The bytes of a file of a tree in; the same lines without secrets out, before anything of them is kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

STARS = b"***"
# A command of a sudo rule with its arguments, which may carry passwords; a line may be continued.
_COMMAND = re.compile(rb"((?:^|[\s,=!:)])/(?:\\.|[^\s,:=\\#])+)((?:[ \t]|\\\n)+)((?:\\[^\n]|\\\n|[^,:\\\n])*)")
# `name=value` of PAM modules: which modules are judged, and their order, not their arguments.
_ARGUMENT = re.compile(rb"(?<=[A-Za-z0-9_])=[^\s\]]+")
_CONTROL = re.compile(rb"\[[^\]\n]*\]")


def nothing(text: bytes) -> bytes:
    return text


def passwd(text: bytes) -> bytes:
    """Password fields and comments (real names) go; every line stays."""
    return b"\n".join(_row(line) for line in text.split(b"\n"))


def _row(line: bytes) -> bytes:
    fields = line.split(b":")
    if len(fields) in (4, 7):
        fields[1] = b"x" if fields[1] else b""
    if len(fields) == 7:
        fields[4] = b""
    return b":".join(fields) if len(fields) in (4, 7) else b""


def sudoers(text: bytes) -> bytes:
    """The arguments of commands: `...` stands for some, `...*` for some with a wildcard."""
    return b"".join(_rule(line) for line in re.findall(rb"(?:\\\n|[^\n])*\n?", text))


def _rule(line: bytes) -> bytes:
    if re.match(rb"[ \t]*([@#]include|Defaults)", line):
        return line
    head, equals, rest = line.partition(b"=")
    return head + equals + _COMMAND.sub(_arguments, rest) if equals else line


def _arguments(found: re.Match[bytes]) -> bytes:
    said = found[3].strip()
    if not said or said.startswith(b"#"):
        return found[0] if not said else found[1]
    shown = said if said == b'""' else b"...*" if b"*" in said else b"..."
    return found[1] + b" " + shown + b" \\\n" * found[0].count(b"\\\n") + (b"\n" if found[0].endswith(b"\n") else b"")


def pam(text: bytes) -> bytes:
    """`[value=action]` says how a stack goes on and stays; what follows it are arguments."""
    return b"\n".join(_module(line) for line in text.split(b"\n"))


def _module(line: bytes) -> bytes:
    line = line.partition(b"#")[0]
    control = _CONTROL.search(line)
    if control and len(line[: control.start()].split()) == 1:
        return line[: control.end()] + _ARGUMENT.sub(b"=*", line[control.end() :])
    return _ARGUMENT.sub(b"=*", line)


def comments(text: bytes) -> bytes:
    """What is no setting may hold anything."""
    return b"\n".join(b"" if line.lstrip().startswith(b"#") else line for line in text.split(b"\n"))


MASKS: Mapping[str, Callable[[bytes], bytes]] = {
    "": nothing,
    "comments": comments,
    "pam": pam,
    "passwd": passwd,
    "sudoers": sudoers,
}
