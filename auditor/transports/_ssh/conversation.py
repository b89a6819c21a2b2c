"""A script in; what the host answers, as it comes, out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from auditor.framing import sh
from auditor.model import Answer, Command
from auditor.transports._endpoint import Refused
from auditor.transports._paramiko import paramiko
from auditor.transports._ssh.connection import Connection

READ_AT_ONCE = 2 * 1024 * 1024
ROOM = 1024 * 1024  # what may wait in a channel, whose window is twice that
LOOK_S = 1.0  # then we look, then after twice as long: a host may leave the channel open after its last answer
STATUS_S = 1.0  # an exit code may come a moment after the end of what was said


class _Whole(threading.Event):
    """Told of every packet, it wakes its waiter when all has come, or enough to make room for more.

    Each wake costs more than the reading of a packet, and a host's answers are some ten packets.
    """

    def __init__(self, channel: paramiko.Channel, connection: Connection) -> None:
        super().__init__()
        self._channel, self._connection = channel, connection
        self._until = connection.allowance - ROOM
        for stream in (channel.in_buffer, channel.in_stderr_buffer):
            stream.set_event(self)

    def set(self) -> None:
        channel = self._channel
        if channel.eof_received or channel.closed or self._connection.allowance <= self._until:
            self._until = self._connection.allowance - ROOM
            super().set()


def converse(
    channel: paramiko.Channel,
    connection: Connection,
    command: str,
    script: bytes,
    reader: sh.Reader,
    *,
    clock: Callable[[], float],
    end: float,
) -> Iterator[tuple[Command, Answer]]:
    """Sends the script, then reads until all is answered, the host closes or time is up. Both streams are drained.

    The first answer, what the host is and what its clock says, is read when it comes; the others when all are there, or
    when we look.
    """
    channel.settimeout(max(0.001, end - clock()))
    channel.exec_command(command)
    try:
        while script and clock() < end:
            script = script[channel.send(script) :]
        channel.shutdown_write()
    except OSError:
        if not channel.closed:  # what it said before it closed is still to be read
            raise
    whole, patience = None, LOOK_S
    while not reader.done and not reader.broken and clock() < end:
        if whole is not None:
            whole.wait(max(0.001, min(patience, end - clock())))
            patience *= 2
        while channel.recv_stderr_ready():
            channel.recv_stderr(READ_AT_ONCE)
        if whole is not None and not (channel.recv_ready() or channel.eof_received or channel.closed):
            continue
        data = channel.recv(READ_AT_ONCE)
        if not data:
            _check_shell(channel, reader)
            return
        yield from reader.feed(data, clock())
        whole = whole or _Whole(channel, connection)


def _check_shell(channel: paramiko.Channel, reader: sh.Reader) -> None:
    """Raises Refused when the login shell ended before any answer, and not the connection under it."""
    channel.status_event.wait(STATUS_S)
    if not reader.begun and channel.exit_status >= 0:
        raise Refused("closed", sh.unanswered(channel.exit_status, reader.said), "shell")
