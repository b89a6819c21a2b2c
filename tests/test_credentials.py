"""References to secrets, and that a secret shows up nowhere."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doors import opened
from sshd import new_key

from auditor.commands.asked import Asked
from auditor.commands.run import run
from auditor.credentials import NoSecret, Secret, Secrets, Trials, Withheld, command, problem, secret

CANARY = "c4n4ry-P4ss w0rd"


@pytest.mark.parametrize("reference", ["hunter2", "", "env:", "env:a b", "cmd:pass show x", 'cmd:["a", 1]', "cmd:[]", 'cmd:["./secret"]', 'cmd:["ci/secret"]', "systemd:../x",
                                       "keyring:only", "vault:x", 'cmd:{"a": 1}', "file: "])  # fmt: skip
def test_what_is_no_reference_is_not_repeated(reference: str) -> None:
    assert problem(reference)
    with pytest.raises(NoSecret) as caught:
        secret(reference)
    assert not reference.partition(":")[2].strip() or reference not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", CANARY)
    assert secret("env:A").reveal() == CANARY
    monkeypatch.setenv("A", "")
    for name in ("A", "B"):
        with pytest.raises(NoSecret, match=f"env:{name}"):
            secret(f"env:{name}")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [(f"{CANARY}\n", 0o600, ""), (CANARY, 0o400, ""), (f"{CANARY}\r\n", 0o600, ""), (CANARY, 0o640, "others can read"),
     (CANARY, 0o604, "others can read"), ("", 0o600, "gives nothing"), ("\n", 0o600, "gives nothing"),
     (f"{CANARY}\nx\n", 0o600, "2 lines")],
)  # fmt: skip
def test_of_a_file(content: str, mode: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s").write_bytes(content.encode())
    (tmp_path / "s").chmod(mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for reference in (f"file:{tmp_path}/s", "systemd:s"):
        if not words:
            assert secret(reference).reveal() == CANARY
            continue
        with pytest.raises(NoSecret, match=words) as caught:
            secret(reference)
        assert CANARY not in str(caught.value)


def test_of_something_else_than_a_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NoSecret):
            secret(f"file:{path}")


@pytest.mark.parametrize(
    ("shell", "words"),
    [(f"echo '{CANARY}'", ""), (f"printf '{CANARY}'", ""), (f"echo '{CANARY}'; sleep 60 &", ""),
     (f"echo '{CANARY}'; echo two", "2 lines"), (":", "gives nothing"), (f"echo '{CANARY}'; exit 3", "code 3"),
     (f"echo '{CANARY}' >&2; exit 1", "code 1"), ("sleep 60", "did not end"), (f"echo '{CANARY}'; sleep 60", "did not end"),
     ("yes", "more than"), ("cat", "gives nothing")],
)  # fmt: skip
def test_of_a_command(
    shell: str, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "COMMAND_S", 1.0)
    reference = "cmd:" + json.dumps(["sh", "-c", shell])
    begun = time.monotonic()
    if not words:
        assert secret(reference).reveal() == CANARY
    else:
        with pytest.raises(NoSecret, match=words) as caught:
            secret(reference)
        assert CANARY not in str(caught.value)
    assert time.monotonic() - begun < 5
    assert capfd.readouterr() == ("", "")


def test_a_command_that_is_not_there_and_a_keyring_that_is_not_installed() -> None:
    with pytest.raises(NoSecret, match="cannot be run"):
        secret('cmd:["/no/such/program"]')
    with pytest.raises(NoSecret, match="keyring:"):
        secret("keyring:audit/me")


def test_a_secret_is_shown_by_nothing() -> None:
    one = Secret(CANARY)
    assert CANARY not in f"{one} {one!r} {one!s} {[one]} {{}}" + str({"a": one}) + "%s" % one
    with pytest.raises(TypeError):
        pickle.dumps(one)


def test_each_is_fetched_once(tmp_path: Path) -> None:
    fetch = Secrets()
    reference = "cmd:" + json.dumps(["sh", "-c", f"echo x >> {tmp_path}/log; sleep 0.2; echo s"])
    threads = [threading.Thread(target=fetch, args=(reference,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "log").read_text() == "x\n"


def test_trials() -> None:
    trials = Trials()
    with trials.attempt(("a", "u"), 1.0) as trial:
        with pytest.raises(TimeoutError), trials.attempt(("a", "u"), 0.05):
            pass
        trial.refused()
    with pytest.raises(OSError, match="gone"), trials.attempt(("a", "u"), 1.0):  # noqa: PT012
        raise OSError("gone")
    with pytest.raises(Withheld, match="refused twice"), trials.attempt(("a", "u"), 1.0):
        pass
    with trials.attempt(("b", "u"), 1.0) as trial:
        trial.accepted()
    with trials.attempt(("b", "u"), 1.0) as one, trials.attempt(("b", "U"), 1.0) as two:
        with pytest.raises(TimeoutError), trials.attempt(("b", "u"), 0.05):
            pass
        one.refused()
        two.accepted()
    with trials.attempt(("b", "u"), 1.0) as trial, pytest.raises(TimeoutError), trials.attempt(("b", "u"), 0.05):
        pass
    with pytest.raises(Withheld), trials.attempt(("b", "u"), 1.0):
        pass


@pytest.mark.parametrize("wrong_from", [0, 1, 2, 7])
def test_whatever_the_moment_no_more_than_two_are_refused(wrong_from: int) -> None:
    """A password that expires while thirty-two hosts are asked."""
    trials, told, lock = Trials(), [], threading.Lock()

    def host(number: int) -> None:
        try:
            with trials.attempt(("a", "audit" if number % 2 else "Audit"), 30.0) as trial:
                with lock:
                    taken = len(told) < wrong_from
                    told.append(taken)
                time.sleep(0.01)
                trial.accepted() if taken else trial.refused()
        except Withheld:
            pass

    threads = [threading.Thread(target=host, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count(False) == 2


def test_equal_secrets_have_one_mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("A", CANARY)
    (tmp_path / "s").write_text(CANARY)
    (tmp_path / "s").chmod(0o600)
    assert secret("env:A").mark == secret(f"file:{tmp_path}/s").mark
    assert Secret("other").mark != Secret(CANARY).mark
    assert CANARY not in Secret(CANARY).mark


def test_what_is_no_text_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of Latin-1 in the environment: said, and tried nowhere."""
    monkeypatch.setattr(os, "environ", {"A": b"CANARY\351".decode("utf-8", "surrogateescape")})
    with pytest.raises(NoSecret, match="env:A: holds bytes that are no UTF-8 text"):
        secret("env:A")


# ---------------------------------------------------------------- a whole run with canaries


def cmdlines(seen: set[bytes], stop: threading.Event) -> None:
    while not stop.wait(0.005):
        for path in [Path("/proc", number, "cmdline") for number in os.listdir("/proc") if number.isdigit()]:
            try:
                seen.add(path.read_bytes())
            except OSError:
                continue  # it ended meanwhile


@pytest.mark.parametrize("right", [True, False], ids=["accepted", "refused"])
def test_a_run_shows_no_secret(
    right: bool, tripwires: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str], program: Callable[[str], str],
) -> None:  # fmt: skip
    """Password and passphrase as canaries, in every report, the store, the logs and the command lines of all processes."""
    password, passphrase = (
        f"{word} {os.urandom(8).hex()}" for word in ("p4ss", "phr4se")
    )  # other tests run beside this one
    key = tmp_path / "key"
    new_key(key, program("ssh-keygen"))
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", str(key)], check=True)
    (tmp_path / "secret").write_text(password)
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.setenv("PHRASE", passphrase)
    named = {"password": "cmd:" + json.dumps(["cat", f"{tmp_path}/secret"]), "passphrase": "env:PHRASE"}
    caplog.set_level(logging.DEBUG)
    seen: set[bytes] = set()
    stop = threading.Event()
    watcher = threading.Thread(target=cmdlines, args=(seen, stop))
    watcher.start()
    with opened(password=password if right else "other", allowed="publickey,password") as doors:
        (tripwires / ".ssh").mkdir()
        (tripwires / ".ssh" / "known_hosts").write_text(doors.known_hosts())
        hosts = "".join(
            f"    h{n}: {{ansible_host: 127.0.3.{n}, ansible_port: {doors.port}, ansible_user: audit}}\n"
            for n in range(1, 4)
        )
        secrets = {"auditor_password": named["password"], "auditor_key_passphrase": named["passphrase"]}
        everyone = json.dumps({**secrets, "ansible_ssh_private_key_file": str(key)})
        (tmp_path / "hosts.yaml").write_text(f"all:\n  vars: {everyone}\n  hosts:\n{hosts}")
        outs = tuple(f"{f}={tmp_path}/out.{f}" for f in ("json", "junit", "text"))
        typed = Asked(
            policy=(),
            estate=(str(tmp_path / "hosts.yaml"),),
            formats=outs,
            fail_on="low",
            fail_on_warn=False,
            store=str(tmp_path / "runs.db"),
            as_of=None,
            probes=None,
            lang="en",
            details=True,
            audience="technique",
            jobs=2,
            timings=True,
        )
        code = run(typed)
    stop.set()
    watcher.join()
    assert code in (1, 3)
    assert doors.seen == [password] * (3 if right else 2)
    kept = [p for p in tmp_path.iterdir() if p.name.startswith(("out", "runs"))]
    assert len(kept) >= 4
    shown = capfd.readouterr()
    everything = b"".join(p.read_bytes() for p in kept) + b"".join(seen)
    everything += (shown.out + shown.err + caplog.text).encode()
    for canary in (password, passphrase):
        assert canary.encode() not in everything


def test_a_defect_while_logging_in_shows_no_secret(
    tripwires: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import paramiko

    from auditor.collect import Places, each
    from auditor.framing.sh import HELLO
    from auditor.kinds import Settings
    from auditor.model import Host
    from auditor.transports import ssh

    def defect(*args: Any, **rest: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setenv("AUDIT_PASSWORD", CANARY)
    monkeypatch.setattr(paramiko.Transport, "auth_password", defect)
    with opened() as doors:
        (tripwires / ".ssh").mkdir()
        (tripwires / ".ssh" / "known_hosts").write_text(doors.known_hosts())
        host = Host("h", "127.0.0.1", port=doors.port, password="env:AUDIT_PASSWORD")
        ask = ssh.TRANSPORT.open(Settings(time.time))
        told = list(each([host], lambda h: list(ask(h, (HELLO,), 10.0)), lambda h, error: [str(error)], Places(1)))  # type: ignore[list-item]
    assert told == [["a defect"]]
    assert "ZeroDivisionError" in caplog.text
    assert CANARY not in caplog.text
