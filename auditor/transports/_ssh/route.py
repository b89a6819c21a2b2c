"""A route over bastions in; a channel at its end out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from auditor.transports._endpoint import PAUSES_S, Endpoint, Refused, Route
from auditor.transports._paramiko import paramiko
from auditor.transports._ssh.bastion import Bastion
from auditor.transports._ssh.connection import HANDSHAKE_BYTES, Connection
from auditor.transports._ssh.left import Cut, Left
from auditor.transports._ssh.login import log_in
from auditor.transports._ssh.meeting import met
from auditor.transports._ssh.shared import Run, connecting


@contextlib.contextmanager
def session(run: Run, route: Route, left: Left, expected: int) -> Iterator[tuple[paramiko.Channel, Connection]]:
    """A channel at the end of a route, that may send so many bytes."""
    with contextlib.ExitStack() as stack:
        via = stack.enter_context(_through(run, route[:-1], left, expected)) if len(route) > 1 else None
        try:
            transport, connection = stack.enter_context(logged_in(run, route[-1], left, via))
            connection.allowance = expected
            yield transport.open_session(timeout=left()), connection
            if via is not None and not transport.is_active():
                raise EOFError
        except (paramiko.SSHException, EOFError, OSError, Refused):
            if via is not None and _gone(via) and not left.over():
                raise Refused("closed", f"the bastion {route[-1].behind} closed its connection") from None
            raise


def _gone(via: paramiko.Transport) -> bool:
    """Whether the bastion went; its channels close a moment before it says so."""
    via.join(0.25)
    return not via.is_active()


@contextlib.contextmanager
def logged_in(
    run: Run, endpoint: Endpoint, left: Left, via: paramiko.Transport | None
) -> Iterator[tuple[paramiko.Transport, Connection]]:
    """A conversation in which both sides know who the other is; it ends, at the latest, with the host's deadline.

    What is cut before we log in is tried again; from then on nothing is, lest an account be locked.
    """
    with contextlib.ExitStack() as stack:
        for pause_s in (*PAUSES_S, 0.0):
            try:
                transport, connection = stack.enter_context(met(run, endpoint, left, via))
                break
            except Cut:
                if not pause_s or left.over(pause_s):
                    raise
                with connecting(run, left, 0.0):
                    time.sleep(pause_s)
        log_in(run, transport, endpoint, left)
        yield transport, connection


@contextlib.contextmanager
def _through(run: Run, route: Route, left: Left, expected: int) -> Iterator[paramiko.Transport]:
    """A conversation with the last bastion of a route, which must let so many bytes pass."""
    with run.lock:
        bastion = run.bastions.setdefault(route, Bastion())
    with contextlib.ExitStack() as stack:
        via = stack.enter_context(_through(run, route[:-1], left, expected)) if len(route) > 1 else None
        with connecting(run, left):
            entered = bastion.gate.acquire(timeout=left())
        if not entered:
            raise TimeoutError
        try:
            bastion.check()
            transport, connection = stack.enter_context(logged_in(run, route[-1], left, via))
        except TimeoutError:
            raise
        except (Refused, paramiko.SSHException, EOFError, OSError) as error:
            raise bastion.refuse(route[-1], error) from None
        finally:
            bastion.gate.release()
        connection.allowance += 2 * (HANDSHAKE_BYTES + expected)
        yield transport
