"""This machine: the script to a `sh` of our own, answers from its standard output."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator

from auditor.framing import sh
from auditor.kinds import Ask, Settings, Transport
from auditor.model import Answer, Command, Host
from auditor.transports import _process


def open_(settings: Settings) -> Ask:
    clock = settings.clock

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        nonce = sh.nonce(secrets.token_hex(8), settings.timed is not None)
        reader = sh.Reader(commands, nonce, host.become, host.id, settings.timed)
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
            failure = yield from _process.converse(process, script, reader, end, clock)
        finally:
            _process.end(process)
        yield from reader.finish(failure)

    return ask


TRANSPORT = Transport(script=sh.script, open=open_)
