"""A connection in; a conversation with a host that has proved who it is out."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from auditor.framing import sh
from auditor.model import Hurdle
from auditor.readers.ssh_config import matches
from auditor.transports import _trust
from auditor.transports._endpoint import Endpoint, Refused
from auditor.transports._paramiko import paramiko
from auditor.transports._ssh import dialling
from auditor.transports._ssh.connection import Connection
from auditor.transports._ssh.left import Cut, Left, reason
from auditor.transports._ssh.shared import Run

WAKE_S = 5.0  # paramiko wakes ten times a second to see whether it was closed; we wake it when it is


@contextlib.contextmanager
def met(
    run: Run, endpoint: Endpoint, left: Left, via: paramiko.Transport | None
) -> Iterator[tuple[paramiko.Transport, Connection]]:
    """A conversation with a host that has proved who it is."""
    connection = dialling.dial(endpoint, run, left, via)
    transport: paramiko.Transport | None = None
    try:
        run.deadlines.add(connection, lambda: left.end)
        spoken_on: Any = connection  # whatever sends and receives does; the stubs want a socket
        transport = paramiko.Transport(spoken_on)
        packets: Any = transport.packetizer
        packets.start_handshake = lambda timeout: None  # its timer would be a thread for each host: see Deadlines
        connection.settimeout(WAKE_S)
        _handshake(run, transport, connection, endpoint, left)
        yield transport, connection
    finally:
        run.deadlines.remove(connection)
        connection.hang_up()
        if transport is not None:
            transport.close()
        connection.close()


def _handshake(run: Run, transport: paramiko.Transport, connection: Connection, endpoint: Endpoint, left: Left) -> None:
    known = run.routes.known(endpoint.known_files)
    options = transport.get_security_options()
    # Ciphers that authenticate first: paramiko compares the code of every other packet byte by byte, in Python.
    options.ciphers = sorted(options.ciphers, key=lambda name: "gcm" not in name)
    said = dict(endpoint.algorithms)
    for attribute, key in (("kex", "kexalgorithms"), ("ciphers", "ciphers"), ("digests", "macs")):
        if key in said:
            setattr(options, attribute, _restricted(key, getattr(options, attribute), said[key]))
    wanted = _trust.wanted_types(endpoint, known, tuple(options.key_types))
    options.key_types = _restricted("hostkeyalgorithms", wanted, said.get("hostkeyalgorithms", ""))
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = left()
    try:
        _start(transport, left)
    except (paramiko.SSHException, EOFError, OSError) as error:
        if left.over():
            raise TimeoutError from None
        words = f"no SSH conversation with {endpoint.shown}: {reason(error)}"
        hurdle: Hurdle = "no_ssh"
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            hurdle = "algorithms"
            words += ": if it only knows outdated algorithms, take the system's ssh, `ansible_connection: openssh`"
        raise (Cut if _was_cut(error, connection) else Refused)("unreachable", words, hurdle) from None
    if not transport.initial_kex_done:
        raise TimeoutError
    _trust.verify(transport.get_remote_server_key(), endpoint, known, run.settings.clock())


def _start(transport: paramiko.Transport, left: Left) -> None:
    """Until keys are exchanged, or the time is up: paramiko's own wait for it looks ten times a second."""
    done = threading.Event()
    transport.start_client(event=done)
    done.wait(left())
    if not transport.is_active():
        raise transport.get_exception() or EOFError


def _was_cut(error: BaseException, connection: Connection) -> bool:
    """Whether the host hung up, as sshd does when too many log in (MaxStartups), and not that we did not understand it."""
    ended = isinstance(error, (EOFError, ConnectionError)) or str(error).startswith("Error reading SSH protocol banner")
    return ended and connection.allowance > 0


def _restricted(key: str, ours: Any, said: str) -> list[str]:
    """Our algorithms as ssh_config restricts them. Raises Refused for one to be added, and when none is left."""
    names = [n.strip() for n in said.lstrip("+-^").split(",")]
    names += [f"{n}@libssh.org" for n in names if n.startswith("curve25519-") and "@" not in n]  # one method, two names
    if not said:
        return list(ours)
    if said.startswith("-"):
        kept = [a for a in ours if not matches(a, names)]
    elif said.startswith("+"):
        kept = (
            []
            if any(not any(a.partition("@")[0] == n.partition("@")[0] or matches(a, [n]) for a in ours) for n in names)
            else list(ours)
        )
    elif said.startswith("^"):
        kept = [*(a for n in names for a in ours if a == n), *(a for a in ours if a not in names)]
    else:
        kept = [a for n in names for a in ours if matches(a, [n])]
    if not kept:
        raise Refused(
            "no_transport",
            f"ssh_config: '{key} {sh.shown(said)}' asks for algorithms that are not here: take the system's ssh for this "
            "host, `ansible_connection: openssh`",
        )
    return list(dict.fromkeys(kept))
