"""What every test stands on: tripwires, the marker `root`, programs that must be there, a real sshd on loopback."""

from __future__ import annotations

import ipaddress
import os
import pwd
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sshd import Sshd, started

ROOT = Path(__file__).resolve().parent.parent
IN_CI = bool(os.environ.get("CI"))
REAL_HOME = os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
ALLOWED = tuple(os.path.realpath(p) + os.sep for p in (ROOT, tempfile.gettempdir(), sys.prefix))
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# How long an example takes says how busy the machine is: what must not hang has a test and a limit of its own.
settings.register_profile("auditor", deadline=None)
settings.load_profile("auditor")

_watched: list[str] | None = None  # what the running test did wrong; None between tests


def lacking(reason: str) -> None:
    """In CI a test that cannot run has failed; elsewhere it is skipped, and says why."""
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Of `-n auto`: twice the cores, for a good part of the tests waits for servers, deadlines and clocks."""
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS", 2 * len(os.sched_getaffinity(0))))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("root") and os.geteuid() != 0:
        lacking("needs root")


# ---------------------------------------------------------------- tripwires


def _on_loopback(family: int, address: Any) -> bool:
    if family == socket.AF_UNIX or not isinstance(address, tuple):
        return True
    try:
        return ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
    except ValueError:
        return address[0] in ("localhost", "")


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any, *rest: Any) -> Any:
        if not _on_loopback(self.family, address):
            if _watched is not None:
                _watched.append(f"a connection off loopback: {address!r}")
            raise PermissionError(f"tests stay on loopback: {address!r}")
        return method(self, address, *rest)

    return connect


def _hook(event: str, args: tuple[Any, ...]) -> None:
    """Notes what a test opens for writing under the real home (this hook cannot be taken away, hence cheap)."""
    if _watched is None or event != "open" or not isinstance(args[0], str) or not isinstance(args[2], int):
        return
    if not args[2] & WRITES or not args[0].startswith(REAL_HOME):
        return
    path = os.path.realpath(args[0])
    if path.startswith(REAL_HOME + os.sep) and not path.startswith(ALLOWED) and not path.endswith(".pyc"):
        _watched.append(f"a file written in the real home: {path}")


sys.addaudithook(_hook)


@pytest.fixture(autouse=True)
def tripwires(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own for every test; a test that leaves loopback or writes to the real home fails."""
    global _watched
    home = tmp_path_factory.mktemp("home")
    for name in [n for n in os.environ if n.startswith(("AUDITOR_", "LC_"))]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "SSH_AUTH_SOCK", "COLUMNS", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local" / "share"))
    monkeypatch.setenv("LANG", "C.UTF-8")
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    _watched = wrong = []
    yield home
    _watched = None
    if wrong:
        pytest.fail("; ".join(wrong), pytrace=False)


# ---------------------------------------------------------------- what tests need


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """`program("restic")`: its path; without it the test fails in CI and is skipped elsewhere."""

    def find(name: str) -> str:
        path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if path is None:
            lacking(f"needs {name} (tests/servers.sh installs it)")
        return str(path)

    return find


@pytest.fixture(scope="session")
def sshd(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A real sshd of this user on a free port of 127.0.0.1 to 127.0.0.9, ended with the session."""
    with started(tmp_path_factory.mktemp("sshd"), program("sshd"), program("ssh-keygen")) as server:
        yield server
