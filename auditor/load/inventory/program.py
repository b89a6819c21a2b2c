"""An inventory that is a program: what `PROGRAM --list` prints; no shell, a time limit, a size limit."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import IO

from auditor.errors import InvalidInput, Problem

TIMEOUT_S = 60
MAX_BYTES = 64 * 1024 * 1024
MAX_ERROR = 64 * 1024
_MAGIC = (b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def is_program(file: Path, begin: bytes) -> bool:
    """It may be executed and begins as a script or a binary does; an x bit alone (a mount of another system) is not enough."""
    return begin.startswith(_MAGIC) and os.access(file, os.X_OK)


def listing(file: Path, timeout_s: float = TIMEOUT_S) -> bytes:
    """Its standard output. Raises InvalidInput, with what it wrote on standard error, when it fails, hangs or says too much."""
    try:
        child = subprocess.Popen(
            [str(file.absolute()), "--list"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise _failed(file, f"cannot be run: {error.strerror}", b"") from None
    told: dict[str, bytes] = {}
    readers = [
        threading.Thread(target=_read, args=(stream, cap, told, name, child), daemon=True)
        for name, stream, cap in (("out", child.stdout, MAX_BYTES), ("err", child.stderr, MAX_ERROR))
    ]
    for reader in readers:
        reader.start()
    try:
        code = child.wait(timeout_s)
        for reader in readers:
            reader.join(5)
    except subprocess.TimeoutExpired:
        raise _failed(file, f"did not end within {timeout_s:g} s", told.get("err", b"")) from None
    finally:
        _kill(child)
    if len(told.get("out", b"")) > MAX_BYTES:
        raise _failed(file, f"printed more than {MAX_BYTES // 2**20} MiB", b"")
    if code or "out" not in told:
        raise _failed(file, f"ended with the code {code}", told.get("err", b""))
    return told["out"]


def _read(stream: IO[bytes], cap: int, told: dict[str, bytes], name: str, child: subprocess.Popen[bytes]) -> None:
    with stream:
        told[name] = stream.read(cap + 1)
        if len(told[name]) > cap and name == "out":
            _kill(child)
        while stream.read(65536):  # what is too much is thrown away, so that the program is not blocked
            pass


def _kill(child: subprocess.Popen[bytes]) -> None:
    """With whatever it started; all of it is in one session of its own."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    child.wait()


def _failed(file: Path, what: str, errors: bytes) -> InvalidInput:
    said = errors.decode("utf-8", "backslashreplace").strip()
    shown = "".join(c if c.isprintable() or c == "\n" else "?" for c in said[-2000:])
    return InvalidInput(
        [Problem(str(file), 0, 0, f"`{file.name} --list` {what}" + (f"; it wrote:\n{shown}" if shown else ""))]
    )
