"""A connection that a server may send only so much on, itself or through a bastion."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import Any

from auditor.transports._paramiko import paramiko

READ_AHEAD = 32768
HANDSHAKE_BYTES = 131072  # what a server may send before we know who it is


class Metered(socket.socket):
    """A connection that ends when more bytes come than we can have asked for: paramiko bounds neither the banner nor
    what a server sends against its window, and would keep all of it in memory.

    It reads ahead: paramiko reads each packet in two small pieces, each a system call and a turn of the lock.
    """

    allowance = HANDSHAKE_BYTES
    _ahead = b""

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if not self._ahead:
            if self.allowance <= 0:
                raise ConnectionAbortedError(errno.ECONNABORTED, "the host sends more than it was asked for")
            self._ahead = super().recv(max(size, READ_AHEAD), flags)
            self.allowance -= len(self._ahead)
        got, self._ahead = self._ahead[:size], self._ahead[size:]
        return got

    def hang_up(self) -> None:
        """Wakes whoever waits for this connection, in whichever thread."""
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)


class Relayed:
    """A channel through a bastion in the place of a connection, metered alike."""

    allowance = HANDSHAKE_BYTES

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def recv(self, size: int) -> bytes:
        if self.allowance <= 0:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the host sends more than it was asked for")
        got = self._channel.recv(size)
        self.allowance -= len(got)
        return got

    def hang_up(self) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()

    def __getattr__(self, name: str) -> Any:  # send, settimeout, fileno, getpeername ...
        return getattr(self._channel, name)


Connection = Metered | Relayed
