"""A connection that is cut before anybody logs in is tried again, in the host's deadline; what touches an account never is."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doors import opened
from sshd import Sshd, new_key

from auditor.framing.sh import HELLO
from auditor.kinds import Settings
from auditor.model import Answer, Failure, Host, Output
from auditor.transports import openssh, ssh
from auditor.transports._ssh import dialling, route

BOTH = pytest.mark.parametrize("transport", [ssh, openssh], ids=["ssh", "openssh"])


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (route, openssh):
        monkeypatch.setattr(module, "PAUSES_S", (0.01, 0.02))


class Front:
    """A door before a server: it hangs up on the first `drops` callers, then hands on what is said."""

    def __init__(self, server_port: int, drops: int) -> None:
        self.callers = 0
        self._ends: list[socket.socket] = []
        self._drops, self._behind = drops, server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                self.callers += 1
                if self.callers <= self._drops:
                    caller.close()
                    continue
                there = socket.create_connection(("127.0.0.1", self._behind))
                self._ends += [caller, there]
                for ends in ((caller, there), (there, caller)):
                    threading.Thread(target=_hand_on, args=ends, daemon=True).start()

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def front(sshd: Sshd) -> Iterator[Callable[..., Front]]:
    made: list[Front] = []

    def open_(drops: int, port: int = 0) -> Front:
        made.append(Front(port or sshd.port, drops))
        return made[-1]

    yield open_
    for one in made:
        one.close()


def ask(transport: object, sshd: Sshd, port: int, folder: Path, *, config: str = "", key: str = "",
        known: str = "", host: Host | None = None, **settings: object) -> Answer:  # fmt: skip
    (folder / "known").write_text(known or f"[127.0.0.1]:{port} {sshd.host_key}\n")
    (folder / "config").write_text(config)
    given = Settings(
        **{
            "clock": time.time,
            "known_hosts": (str(folder / "known"),),
            "ssh_config": (str(folder / "config"),),
            **settings,
        }  # type: ignore[arg-type]
    )
    one = host or Host("h", "127.0.0.1", port=port, user=sshd.user, key_file=key or sshd.key_file)
    ((_, answer),) = transport.TRANSPORT.open(given)(one, (HELLO,), 20.0)  # type: ignore[attr-defined]
    return answer  # type: ignore[no-any-return]


@BOTH
@pytest.mark.parametrize("drops", [0, 1, 2])
def test_a_server_that_hangs_up_is_called_again(
    transport: object, drops: int, sshd: Sshd, front: Callable[..., Front], tmp_path: Path
) -> None:
    door = front(drops)
    assert isinstance(ask(transport, sshd, door.port, tmp_path), Output)
    assert door.callers == drops + 1


@BOTH
def test_three_times_at_most(transport: object, sshd: Sshd, front: Callable[..., Front], tmp_path: Path) -> None:
    door = front(100)
    answer = ask(transport, sshd, door.port, tmp_path)
    assert isinstance(answer, Failure)
    assert answer.cause == "unreachable"
    assert door.callers == 3


@BOTH
def test_a_port_that_opens_meanwhile(
    transport: object, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused first; the server is there at the second attempt."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    doors: list[Front] = []
    sleep = time.sleep

    def opening(seconds: float) -> None:
        if seconds == 0.02:  # the second pause
            monkeypatch.setattr(socket, "create_server", lambda address: create(("127.0.0.1", port)))
            doors.append(Front(sshd.port, 0))
        sleep(seconds)

    create = socket.create_server
    monkeypatch.setattr(time, "sleep", opening)
    assert isinstance(ask(transport, sshd, port, tmp_path), Output)
    doors[0].close()
    assert doors[0].callers == 1


@BOTH
def test_a_key_that_is_refused_is_offered_once(
    transport: object, sshd: Sshd, front: Callable[..., Front], tmp_path: Path
) -> None:
    new_key(tmp_path / "other")
    door = front(0)
    answer = ask(transport, sshd, door.port, tmp_path, key=str(tmp_path / "other"))
    assert isinstance(answer, Failure)
    assert (answer.cause, door.callers) == ("auth", 1)


@BOTH
def test_another_host_key_is_seen_once(
    transport: object, sshd: Sshd, front: Callable[..., Front], tmp_path: Path
) -> None:
    door = front(0)
    other = new_key(tmp_path / "host")
    for known in (f"[127.0.0.1]:{door.port} {other}\n", "# none\n"):
        before = door.callers
        answer = ask(transport, sshd, door.port, tmp_path, known=known)
        assert isinstance(answer, Failure)
        assert (answer.cause, door.callers - before) == ("host_key", 1)


def test_a_host_that_hangs_up_over_a_password_is_not_called_again(
    front: Callable[..., Front], sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", "wrong")
    with opened(hangs_up=True) as doors:
        door = front(0, doors.port)
        known = doors.known_hosts().replace(f":{doors.port} ", f":{door.port} ")
        host = Host("h", "127.0.0.1", port=door.port, user="auditor", password="env:WORD")
        answer = ask(ssh, sshd, door.port, tmp_path, known=known, host=host)
    assert isinstance(answer, Failure)
    assert (doors.seen, door.callers) == (["wrong"], 1)


def test_a_silent_host_is_not_called_again(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel has tried several times by then; and one more would cost as long again."""
    calls = []

    def silent(endpoint: object, timeout: float) -> socket.socket:
        calls.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(dialling, "_connect", silent)
    answer = ask(ssh, sshd, sshd.port, tmp_path)
    assert isinstance(answer, Failure)
    assert answer.cause == "unreachable"
    assert calls == [10.0]


def test_through_a_proxy_command_nothing_is_tried_again(sshd: Sshd, tmp_path: Path) -> None:
    """A way round may log in at a bastion: what it says at the end does not tell."""
    config = f"Host *\n ProxyCommand sh -c 'echo called >> {tmp_path}/calls'\n"
    answer = ask(openssh, sshd, 22, tmp_path, config=config)
    assert isinstance(answer, Failure)
    assert (tmp_path / "calls").read_text() == "called\n"


def test_the_deadline_holds_for_all_attempts(
    sshd: Sshd, front: Callable[..., Front], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No pause begins that would end after it."""
    monkeypatch.setattr(route, "PAUSES_S", (3600.0,))
    door = front(1)
    answer = ask(ssh, sshd, door.port, tmp_path)
    assert isinstance(answer, Failure)
    assert (answer.cause, door.callers) == ("unreachable", 1)


@BOTH
def test_the_wait_for_a_place_is_not_the_hosts(transport: object, sshd: Sshd, tmp_path: Path) -> None:
    """An hour passes on our clock until it is the host's turn again: far more than its deadline."""
    away = itertools.count()
    skew = 0.0

    @contextlib.contextmanager
    def connecting(moment_s: float) -> Iterator[None]:
        nonlocal skew
        yield
        next(away)
        skew += 3600.0

    answer = ask(transport, sshd, sshd.port, tmp_path, clock=lambda: time.time() + skew, connecting=connecting)
    assert isinstance(answer, Output)
    assert next(away) == 1
