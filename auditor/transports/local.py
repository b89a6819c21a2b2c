"""This machine: the script to a `sh` of our own, answers from its standard output."""

from __future__ import annotations

import os
import secrets
import selectors
import signal
import subprocess
from collections.abc import Generator, Iterator

from auditor.framing import sh
from auditor.kinds import Ask, Settings, Transport
from auditor.model import Answer, Command, Failure, Host


def open_(settings: Settings) -> Ask:
    clock = settings.clock

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        nonce = secrets.token_hex(8)
        reader = sh.Reader(commands, nonce, host.become)
        script = sh.script(commands, settings.elevated, host.become).encode()
        end = clock() + deadline_s
        process = subprocess.Popen(
            ["sh", "-s", "--", nonce],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            failure = yield from _converse(process, script, reader, end, settings)
        finally:
            _end(process)
        yield from reader.finish(failure)

    return ask


def _converse(
    process: subprocess.Popen[bytes], script: bytes, reader: sh.Reader, end: float, settings: Settings
) -> Generator[tuple[Command, Answer], None, Failure]:
    """Writes the script and reads answers until both are done; returns why reading stopped."""
    clock = settings.clock
    assert process.stdin
    assert process.stdout
    with selectors.DefaultSelector() as selector:
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
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
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    return Failure("closed", "", clock())
                yield from reader.feed(data, clock())
    return reader.broken or Failure("closed", "", clock())


def _write(process: subprocess.Popen[bytes], script: bytes) -> bytes:
    assert process.stdin
    try:
        return script[os.write(process.stdin.fileno(), script[:65536]) :]
    except BrokenPipeError:
        return b""


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # it ended meanwhile, or sudo runs it as another user
            process.kill()
    for stream in (process.stdin, process.stdout):
        if stream and not stream.closed:
            stream.close()
    process.wait()


TRANSPORT = Transport(script=sh.script, open=open_)
