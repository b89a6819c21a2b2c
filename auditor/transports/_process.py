"""A child process that takes the script and gives the stream: written to, read from, ended with the deadline."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, nullcontext

from auditor.framing import sh
from auditor.model import Answer, Command, Failure

STDERR_KEPT = 8192


def converse(
    process: subprocess.Popen[bytes],
    script: bytes,
    reader: sh.Reader,
    end: float,
    clock: Callable[[], float],
    silent: AbstractContextManager[object] | None = None,
) -> Generator[tuple[Command, Answer], None, Failure]:
    """Writes the script and reads answers until both are done; returns why reading stopped.

    `silent` is around the wait for its first word; what it takes to leave that is added to the end. Standard error, where
    it is piped, is drained. A Failure `closed` says what it held, at most STDERR_KEPT bytes.
    """
    assert process.stdin
    assert process.stdout
    said = b""
    with selectors.DefaultSelector() as selector, ExitStack() as until_it_speaks:
        until_it_speaks.enter_context(silent or nullcontext())
        for stream, event in (
            (process.stdin, selectors.EVENT_WRITE),
            (process.stdout, selectors.EVENT_READ),
            (process.stderr, selectors.EVENT_READ),
        ):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, event)
        while not reader.done and not reader.broken:
            ready = selector.select(max(0.0, end - clock()))
            if not ready or clock() >= end:
                return Failure("timeout", "no answer before the host's deadline", clock())
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    script = _write(process, script)
                    if not script:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                    continue
                data = os.read(key.fd, 65536)
                if key.fileobj is process.stdout:
                    spoke = clock()
                    until_it_speaks.close()
                    end += clock() - spoke
                if key.fileobj is process.stderr:
                    said = (said + data)[:STDERR_KEPT]
                    if not data:
                        selector.unregister(process.stderr)
                    continue
                if not data:
                    return Failure("closed", (said + _rest(process)).decode("utf-8", "backslashreplace"), clock())
                yield from reader.feed(data, clock())
    return reader.broken or Failure("closed", "", clock())


def _write(process: subprocess.Popen[bytes], script: bytes) -> bytes:
    assert process.stdin
    try:
        return script[os.write(process.stdin.fileno(), script[:65536]) :]
    except BrokenPipeError:
        return b""


def _rest(process: subprocess.Popen[bytes]) -> bytes:
    """What stands on standard error when standard output ended."""
    if process.stderr is None or process.stderr.closed:
        return b""
    try:
        return os.read(process.stderr.fileno(), STDERR_KEPT)
    except BlockingIOError:
        return b""


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and its group, and closes its streams."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # it ended meanwhile, or sudo runs it as another user
            process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream and not stream.closed:
            stream.close()
    process.wait()
