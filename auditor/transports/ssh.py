"""SSH by paramiko: one connection, one channel and one script a host; host keys are always verified."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator

from auditor.credentials import Secrets, Trials
from auditor.framing import sh
from auditor.kinds import Ask, Settings, Transport
from auditor.model import Answer, Command, Failure, Host
from auditor.transports._deadlines import Deadlines
from auditor.transports._endpoint import Refused, Route, Routes
from auditor.transports._keys import Keys
from auditor.transports._paramiko import paramiko
from auditor.transports._ssh.conversation import converse
from auditor.transports._ssh.left import Left, reason
from auditor.transports._ssh.route import session
from auditor.transports._ssh.shared import Run

SPARE_BYTES = 2 * 1024 * 1024  # beside the answers: what the protocol itself and a login shell may add


def open_(settings: Settings) -> Ask:
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # its errors come to us as exceptions
    fetch = settings.secrets or Secrets()
    run = Run(settings, Routes(settings), Keys(fetch), fetch, settings.trials or Trials(), Deadlines(settings.clock))

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        clock = settings.clock
        left = Left(clock, deadline_s)
        nonce = sh.nonce(secrets.token_hex(8), settings.timed is not None)
        reader = sh.Reader(commands, nonce, host.become, host.id, settings.timed)
        script = sh.script(commands, settings.elevated, host.become)
        expected = SPARE_BYTES + sum(c.cap_bytes + sh.STDERR_CAP for c in commands)
        failure: Failure | None = None
        route: Route = ()
        try:
            route = run.routes.of(host)
            with session(run, route, left, expected) as (channel, connection):
                yield from converse(
                    channel, connection, f"exec sh -s -- {nonce}", script.encode(), reader, clock=clock, end=left.end
                )
        except Refused as error:
            failure = error.failure(clock(), route)
        except (paramiko.SSHException, EOFError, OSError) as error:
            failure = None if left.over() else Failure("closed", reason(error), clock())
        yield from reader.finish(failure or _stopped(clock(), left))

    return ask


def _stopped(now: float, left: Left) -> Failure:
    """Why what was not answered was not, when nobody said so."""
    if left.over():
        return Failure("timeout", "no answer before the host's deadline", now)
    return Failure("closed", "the host closed the connection", now)


TRANSPORT = Transport(script=sh.script, open=open_)
