"""A command as JSON in, the one line that it prints out: in bounded time, and of bounded size."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from contextlib import suppress

from auditor.credentials.sources import SECRET_CAP, NoSecret, only_line

COMMAND_S = 30.0


def words_of(text: str) -> list[str]:
    """The program and its arguments. Raises NoSecret, whose words do not repeat them."""
    try:
        argv = json.loads(text)
    except ValueError:
        argv = None
    if (
        not isinstance(argv, list)
        or not argv
        or not all(isinstance(w, str) and "\0" not in w for w in argv)
        or not argv[0]
    ):
        raise NoSecret('cmd: is followed by a JSON list of texts, as cmd:["pass", "show", "audit"]')
    if "/" in argv[0] and not argv[0].startswith("/"):  # one of the work folder may come with a change
        raise NoSecret("cmd: names a program by its name alone or by its whole path")
    return argv


def of_command(text: str) -> str:
    argv = words_of(text)
    named = f"cmd: {argv[0]}"  # its arguments may say more than a log should
    try:
        process = subprocess.Popen(
            argv, bufsize=0, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise NoSecret(f"{named}: cannot be run: {error.strerror}") from None
    told = _within(process, COMMAND_S)
    if told is None:
        raise NoSecret(f"{named}: did not end within {COMMAND_S:g} s")
    if process.returncode and len(told) <= SECRET_CAP:
        raise NoSecret(f"{named}: ended with code {process.returncode}")
    return only_line(told, named)


def _within(process: subprocess.Popen[bytes], limit_s: float) -> bytes | None:
    """What it prints, or None when it has to be ended. It is done when it ended, even if a child keeps its output open."""
    assert process.stdout
    kept, end = b"", time.monotonic() + limit_s
    os.set_blocking(process.stdout.fileno(), False)
    with process.stdout as output, selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while time.monotonic() < end and len(kept) <= SECRET_CAP:
            ended = process.poll() is not None
            if selector.select(0.02):
                piece = output.read(SECRET_CAP)
                kept += piece or b""
                if not piece and _ends(process, end):
                    return kept
            elif ended:
                return kept
    _kill(process)
    return kept if len(kept) > SECRET_CAP else None


def _ends(process: subprocess.Popen[bytes], end: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, end - time.monotonic()))
    return process.returncode is not None


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, 9)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
