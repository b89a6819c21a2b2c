"""One audit of an estate at a time in a store; whoever holds the lock, it is gone with them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from make import NOON, ROOT

from auditor.errors import StoreError
from auditor.lock import auditing, keeping, pruning

HOLDER = """
import sys, time
from auditor.lock import auditing, pruning
with (auditing(sys.argv[1], sys.argv[2], 1.0, print) if sys.argv[2] != "prune" else pruning(sys.argv[1], 1.0)):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "runs.db")


def holder(store: str, what: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, store, what], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    return process


def no_waiting(holder: str) -> None:
    raise AssertionError(holder)


def test_the_second_audit_of_an_estate_is_refused_and_says_who_holds_it(store: str, tmp_path: Path) -> None:
    """By whichever name the estate is given; another estate, another store or none is free."""
    (tmp_path / "town").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "town")
    with holder(store, str(tmp_path / "town")) as process:
        for name in ("town", "alias"):
            with pytest.raises(StoreError, match=rf"another audit.*process {process.pid}, since 1970-01-01T00:00:01Z"):
                auditing(store, str(tmp_path / name), NOON, no_waiting).__enter__()
        for where, what in ((store, "/other"), (store, ""), (store + "2", str(tmp_path / "town")), ("", "")):
            with auditing(where, what, NOON, no_waiting):
                pass
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_is_gone_with_its_holder(store: str, number: int) -> None:
    with holder(store, "/town") as process:
        process.send_signal(number)
        process.wait()
    with auditing(store, "/town", NOON, no_waiting):
        pass


def test_prune_is_refused_while_an_audit_is_kept(store: str) -> None:
    with holder(store, "/town") as process:
        with pytest.raises(StoreError, match="an audit is kept in this store"):
            pruning(store, NOON).__enter__()
        process.kill()
    with pruning(store, NOON):
        pass


def test_what_else_is_kept_shuts_out_a_prune_alone(store: str) -> None:
    """A replay beside an audit, and another replay; none of them beside a prune."""
    with holder(store, "/town") as process:
        with keeping(store, NOON, no_waiting), keeping(store, NOON, no_waiting):
            process.kill()
            process.wait()
            with pytest.raises(StoreError, match="an audit is kept in this store"):
                pruning(store, NOON).__enter__()
    with pruning(store, NOON), keeping("", NOON, no_waiting):
        pass


def test_an_audit_waits_for_a_prune(store: str) -> None:
    """A night's audit is not lost to it; it says what it waits for."""
    waited: list[str] = []
    with holder(store, "prune") as process:

        def told(who: str) -> None:
            waited.append(who)
            threading.Timer(0.3, process.kill).start()

        began = time.monotonic()
        with auditing(store, "/town", NOON, told):
            assert time.monotonic() - began >= 0.25
    assert f"process {process.pid}" in waited[0]


def test_the_lock_is_ours_alone_and_follows_no_link(store: str, tmp_path: Path) -> None:
    with auditing(store, "/town", NOON, no_waiting):
        modes = {oct(p.stat().st_mode & 0o777) for p in tmp_path.glob("*.lock")}
    assert modes == {"0o600"}
    for lock in tmp_path.glob("*.lock"):
        lock.unlink()
    (tmp_path / "runs.db.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="cannot be opened"):
        auditing(store, "/town", NOON, no_waiting).__enter__()
    assert not (tmp_path / "elsewhere").exists()
