"""An address in; a connection to it out, or what it ran into."""

from __future__ import annotations

import errno
import socket

from auditor.model import Hurdle
from auditor.transports._endpoint import Endpoint, Refused
from auditor.transports._paramiko import paramiko
from auditor.transports._ssh.connection import Connection, Metered, Relayed
from auditor.transports._ssh.left import Cut, Left, reason
from auditor.transports._ssh.shared import Run, connecting

CONNECT_FAILED = 2  # RFC 4254, 5.1: the bastion tried; any other reason is its own, and says nothing of the host


def dial(endpoint: Endpoint, run: Run, left: Left, via: paramiko.Transport | None) -> Connection:
    with connecting(run, left):
        timeout = min(endpoint.timeout_s, left())
        if via is not None:
            return _relay(endpoint, timeout, via)
        try:
            connection = _connect(endpoint, timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a third of the latency of a short talk
        except ConnectionError as error:
            raise Cut("unreachable", f"{endpoint.shown}: {reason(error)}", _hurdle(error)) from None
        except (OSError, UnicodeError) as error:  # a silent host is not tried again: the kernel has, several times
            raise Refused("unreachable", f"{endpoint.shown}: {reason(error)}", _hurdle(error)) from None
        return Metered(fileno=connection.detach())


def _hurdle(error: OSError | UnicodeError) -> Hurdle | None:
    """What a connection ran into, where the system's error tells."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return "name"
    if isinstance(error, ConnectionRefusedError):
        return "port"
    away = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)
    return "silent" if isinstance(error, TimeoutError) or error.errno in away else None


def _connect(endpoint: Endpoint, timeout: float) -> socket.socket:
    source = (endpoint.source, 0) if endpoint.source else None
    if endpoint.family not in ("inet", "inet6"):
        return socket.create_connection((endpoint.address, endpoint.port), timeout, source)
    family = socket.AF_INET6 if endpoint.family == "inet6" else socket.AF_INET
    found = socket.getaddrinfo(endpoint.address, endpoint.port, family, socket.SOCK_STREAM)
    return socket.create_connection((str(found[0][4][0]), endpoint.port), timeout, source)


def _relay(endpoint: Endpoint, timeout: float, via: paramiko.Transport) -> Relayed:
    try:
        there = (endpoint.address, endpoint.port)
        channel = via.open_channel("direct-tcpip", there, ("127.0.0.1", 0), timeout=timeout)
    except paramiko.SSHException as error:
        if not via.is_active():
            raise
        words = f"{endpoint.shown}, through the bastion {endpoint.behind}: {reason(error)}"
        tried = isinstance(error, paramiko.ChannelException) and error.code == CONNECT_FAILED
        raise Refused("unreachable" if tried else "closed", words, "relay") from None
    return Relayed(channel)
