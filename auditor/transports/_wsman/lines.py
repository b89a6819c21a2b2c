"""Connections to one end, by which it can be hung up on; no answer of it is larger than a message."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from auditor.transports._endpoint import Refused

MESSAGE_BYTES = 1024 * 1024  # of one response, of which pywinrm asks for 150 KiB at most


class Line:
    """A connection with a second handle of its socket, by which it can be hung up, also during a handshake."""

    def __init__(self, connection: HTTPConnection, opened: socket.socket) -> None:
        self._connection, self._handle = connection, opened.dup()

    @property
    def certificate(self) -> bytes | None:
        """What the other end showed (DER)."""
        return getattr(self._connection, "shown", None)

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Also one that its pool lost, in the middle of an answer."""
        self._handle.close()
        self._connection.close()


Opened = Callable[[HTTPConnection, socket.socket], None]


class _Plain(HTTPConnection):
    def __init__(self, *args: Any, opened: Opened, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._opened = opened

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self._opened(self, opened)
        return opened


class _Secure(HTTPSConnection):
    def __init__(self, *args: Any, opened: Opened, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self.shown = self.sock.getpeercert(True) if isinstance(self.sock, ssl.SSLSocket) else None

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self._opened(self, opened)
        return opened


class Adapter(HTTPAdapter):
    """No proxy, no redirection, no answer larger than a message. `date` is what the host said last of its clock."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(max_retries=0)
        self._opened = opened
        self.date = ""

    def get_connection_with_tls_context(self, *args: Any, **rest: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **rest)
        kind = _Secure if pool.scheme == "https" else _Plain
        pool.ConnectionCls = partial(kind, opened=self._opened)
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        resp.stream = partial(_bounded, resp.stream)  # all that requests reads of an answer comes through it
        response = super().build_response(req, resp)
        self.date = response.headers.get("Date", "")
        if 300 <= response.status_code < 400:
            raise Refused("framing", f"HTTP {response.status_code}: it sends us elsewhere, which WinRM does not")
        return response


def _bounded(read: Callable[..., Iterator[bytes]], *args: Any, **rest: Any) -> Iterator[bytes]:
    size = 0
    for piece in read(*args, **rest):
        size += len(piece)
        if size > MESSAGE_BYTES:
            raise Refused("framing", "the host sends more than it was asked for")
        yield piece
