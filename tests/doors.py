"""An SSH server of our own that takes passwords, counts who tries, and runs what it is asked to: one for many addresses."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import paramiko

HOST_KEY = paramiko.ECDSAKey.generate()


@dataclass
class Doors(paramiko.ServerInterface):
    """`password` opens; `prompts` are what keyboard-interactive asks, one round each."""

    password: str = "right"
    allowed: str = "password"
    prompts: tuple[tuple[tuple[str, bool], ...], ...] = ((("Password: ", False),),)
    hangs_up: bool = False
    opens: int = -1  # how often it does, before the password is no longer the right one; ever, when negative
    port: int = 0
    seen: list[str] = field(default_factory=list)
    rounds: list[tuple[str, ...]] = field(default_factory=list)
    transports: list[paramiko.Transport] = field(default_factory=list)

    def get_allowed_auths(self, username: str) -> str:
        return self.allowed

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        self.seen.append(password)
        if self.hangs_up and password != self.password:
            self.transports[-1].close()
        right = password == self.password and (self.opens < 0 or len(self.seen) <= self.opens)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: str) -> Any:
        return paramiko.InteractiveQuery("", "", *self.prompts[0])

    def check_auth_interactive_response(self, responses: list[str]) -> Any:
        self.rounds.append(tuple(responses))
        if len(self.rounds) < len(self.prompts):
            return paramiko.InteractiveQuery("", "", *self.prompts[len(self.rounds)])
        return paramiko.AUTH_SUCCESSFUL if self.password in responses else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=_run, args=(channel, command.decode()), daemon=True).start()
        return True

    def known_hosts(self) -> str:
        return f"[127.*]:{self.port} {HOST_KEY.get_name()} {HOST_KEY.get_base64()}\n"


def _run(channel: paramiko.Channel, command: str) -> None:
    given = b""
    while piece := channel.recv(65536):
        given += piece
    told = subprocess.run(["sh", "-c", command], input=given, capture_output=True, check=False)
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.sendall(told.stdout)
        channel.send_exit_status(told.returncode)
        channel.close()


@contextlib.contextmanager
def opened(**behaviour: Any) -> Iterator[Doors]:
    """The server, listening on all of loopback."""
    doors = Doors(**behaviour)
    listener = socket.create_server(("0.0.0.0", 0), backlog=256)
    doors.port = listener.getsockname()[1]

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                transport = paramiko.Transport(listener.accept()[0])
                doors.transports.append(transport)
                transport.add_server_key(HOST_KEY)
                transport.start_server(server=doors, event=threading.Event())

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield doors
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for transport in doors.transports:
            transport.close()
