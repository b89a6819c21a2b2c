"""What a timer needs: one audit at a time, a store that does not grow for ever, a log that a journal takes, codes to trust."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from make import ESTATE_YAML, ROOT, site, write

from auditor import credentials
from auditor.commands import log
from auditor.store import Store

HERE = "web01: {ansible_connection: local, ansible_host: localhost}"
CANARY = "Canari:9f/é+x"


@pytest.fixture
def town(tmp_path: Path) -> str:
    write(tmp_path / "town", hosts=f"all: {{hosts: {{{HERE}}}}}", estate=ESTATE_YAML)
    return str(tmp_path / "town")


def auditor(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "auditor", words[0], "--store", str(tmp_path / "runs.db"), *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment})


def events(stderr: str) -> list[dict[str, Any]]:
    """Every line is one event, without exception."""
    told = [json.loads(line) for line in stderr.splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["time"]) for one in told)
    assert {one["level"] for one in told} <= {"info", "warning", "error"}
    return told


def named(told: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [one for one in told if one["event"] == name]


# ---------------------------------------------------------------- one at a time


def test_exit_2_when_this_estate_is_audited_already(tmp_path: Path, town: str) -> None:
    """The second says who is at it and asks nothing; once the first is dead, however, the next goes ahead."""
    words = [*site(tmp_path, f"touch {tmp_path}/asked; sleep 60; echo 400", 90), "-i", town]
    command = [sys.executable, "-m", "auditor", "run", "--store", str(tmp_path / "runs.db"), *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as first:
        for _ in range(600):
            if (tmp_path / "asked").exists():
                break
            time.sleep(0.1)
        (tmp_path / "asked").unlink()
        second = auditor(tmp_path, "run", *words)
        assert (second.returncode, second.stdout) == (2, "")
        assert f"another audit of this estate is kept in this store (process {first.pid}, since " in second.stderr
        assert not (tmp_path / "asked").exists()
        busy = auditor(tmp_path, "prune")
        assert (busy.returncode, "an audit is kept in this store" in busy.stderr) == (2, True)
        first.send_signal(signal.SIGKILL)
    assert [h.state for h in Store(str(tmp_path / "runs.db")).runs()] == ["open"]
    assert auditor(tmp_path, "run", *site(tmp_path), "-i", town).returncode == 0


# ---------------------------------------------------------------- prune


def test_prune_says_what_it_would_do_and_did(tmp_path: Path, town: str) -> None:
    """In both languages; 0 with and without something to remove, 2 where there is no store."""
    none = auditor(tmp_path, "prune")
    assert (none.returncode, "there is no store" in none.stderr) == (2, True)
    for _ in range(2):
        assert auditor(tmp_path, "run", *site(tmp_path), "-i", town).returncode == 0
    nothing = auditor(tmp_path, "prune", "--lang", "en")
    assert (nothing.returncode, nothing.stdout) == (0, "Audits removed: 0; given back: 0.0 MiB\n")
    store = Store(str(tmp_path / "runs.db"))
    store.db.execute("UPDATE run SET started_at = started_at - 395.1 * 86400")
    store.close()
    would = auditor(tmp_path, "prune", "--lang", "fr", "--dry-run")
    assert (would.returncode, would.stdout.startswith("Contrôles à supprimer : 1 (")) == (0, True)
    assert len(list(Store(str(tmp_path / "runs.db")).runs())) == 2
    assert auditor(tmp_path, "prune", "--lang", "en", "--keep", "396").stdout.startswith("Audits removed: 0;")
    done = auditor(tmp_path, "prune", "--lang", "en", "--log", "json")
    assert (done.returncode, done.stdout.startswith("Audits removed: 1 (")) == (0, True)
    assert named(events(done.stderr), "pruned")[0]["runs"] == 1
    assert [h.number for h in Store(str(tmp_path / "runs.db")).runs()] == [2]
    assert auditor(tmp_path, "report").returncode == 0
    for words in (["--store", "none"], ["--keep", "0"]):
        assert auditor(tmp_path, "prune", *words).returncode == 2


# ---------------------------------------------------------------- the log


@pytest.mark.parametrize("words", [("--log", "json"), ()], ids=["option", "environment"])
def test_an_audit_is_told_as_events(tmp_path: Path, town: str, words: tuple[str, ...]) -> None:
    """Begin, each host, what was not measured and why, counts, reports, and the exit code as the last."""
    hosts = f"all: {{hosts: {{{HERE}, far: {{ansible_host: 127.0.0.1, ansible_port: 1}}}}}}"
    write(tmp_path / "town", hosts=hosts, estate=ESTATE_YAML)
    variables = {} if words else {"AUDITOR_LOG": "json"}
    done = auditor(
        tmp_path, "run", *site(tmp_path, "echo 3"), "-i", town, "-f", f"junit={tmp_path}/a.xml", *words, **variables
    )
    told = events(done.stderr)
    assert [one["event"] for one in told] == [
        "audit_started",
        *["host_done"] * 2,
        "host_not_measured",
        "audit_finished",
        "report_written",
        "ended",
    ]
    assert (told[0]["run"], told[0]["hosts"]) == (1, 2)
    assert {one["host"] for one in named(told, "host_done")} == {"web01", "far"}
    lost = named(told, "host_not_measured")[0]
    assert (lost["host"], lost["cause"], lost["level"], "detail" in lost) == ("far", "unreachable", "warning", False)
    assert named(told, "audit_finished")[0]["findings"] == {"fail": 1, "unknown": 1}
    assert (told[-1]["exit_code"], done.returncode) == (1, 1)


@pytest.mark.parametrize("words", [["-i", "/none"], ["--fail-on", "hihg"], ["--as-of", "tomorrow"]], ids=" ".join)
def test_mistakes_are_events_too(tmp_path: Path, words: list[str]) -> None:
    """A line that is no JSON would be lost in a journal that is read by fields."""
    done = auditor(tmp_path, "run", "--log", "json", *site(tmp_path), *words)
    told = events(done.stderr)
    assert done.returncode == 2
    ended = named(told, "ended")[0]
    assert ended == {"time": ended["time"], "level": "error", "event": "ended", "exit_code": 2}
    assert named(told, "message")


def test_a_defect_is_one_event_with_its_traceback(tmp_path: Path) -> None:
    code = (
        "import sys, auditor.commands.run as r; r.run = lambda asked: 1 / 0; from auditor.cli import program;"
        " sys.argv = ['auditor', 'run', '--log', 'json']; program()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    told = events(done.stderr)
    assert done.returncode == 2
    assert any("Traceback" in one["text"] and "ZeroDivisionError" in one["text"] for one in named(told, "message"))


def test_a_journal_gets_the_level_too(tmp_path: Path) -> None:
    """Where stderr is journald's, as $JOURNAL_STREAM says; nowhere else."""
    code = (
        "import os, sys; f = os.fstat(2); os.environ['JOURNAL_STREAM'] = f'{f.st_dev}:{f.st_ino + int(sys.argv[1])}';"
        " from auditor.commands import log; log.install(); log.event('x'); print('said', file=sys.stderr);"
        " log.event('y', 'error')"
    )
    for off, levels in (("0", ["<6>", "<4>", "<3>"]), ("1", ["", "", ""])):
        done = subprocess.run([sys.executable, "-c", code, off], capture_output=True, text=True, cwd=ROOT, check=True)
        lines = done.stderr.splitlines()
        assert [line.partition("{")[0] for line in lines] == levels
        events("\n".join("{" + line.partition("{")[2] for line in lines))


def test_no_secret_is_in_the_log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As it is, quoted, escaped or encoded, wherever it comes from: an event, a defect, a library's warning, a URL."""
    monkeypatch.setenv("SECRET", CANARY)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    log.install()
    text = credentials.secret("env:SECRET").reveal()
    assert text == CANARY
    forms = [
        CANARY,
        repr(CANARY),
        json.dumps(CANARY),
        base64.b64encode(CANARY.encode()).decode(),
        CANARY.encode().hex(),
    ]
    for form in forms:
        log.event("x", "info", host=form, deep={"a": [f"b {form} c"]})
        print(f"a library says {form}", file=sys.stderr)
    log.event("x", "info", url="https://audit:hunter2@proxy.example.org/x")
    sys.stderr.flush()
    told = capsys.readouterr().err
    decoded = [json.dumps(one, ensure_ascii=False) for one in events(told)]
    assert len(decoded) == 11
    for form in [*forms, "Canari", "hunter2"]:
        assert not [line for line in (told, *decoded) if form in line], form
    assert decoded[-1].endswith('"url": "https://[secret]@proxy.example.org/x"}')


def test_no_name_of_a_person_is_in_the_log(tmp_path: Path, town: str) -> None:
    """What a host says of its accounts stays in the reports: also when judging it breaks down."""
    text = "echo j.dupont >&2; echo j.dupont"
    done = auditor(tmp_path, "run", *site(tmp_path, text), "-i", town, "--log", "json", "-f", f"json={tmp_path}/a.json")
    (said,) = named(events(done.stderr), "message")
    assert (said["level"], said["logger"], said["text"].endswith("ValueError")) == ("error", "auditor.collect", True)
    assert "in work" in said["text"]
    assert "dupont" not in done.stderr
    assert "dupont" in (tmp_path / "a.json").read_text()


def test_without_it_stderr_is_for_people(tmp_path: Path, town: str) -> None:
    """Nothing on it when all is well, so that cron sends no mail."""
    done = auditor(tmp_path, "run", *site(tmp_path), "-i", town)
    assert (done.returncode, done.stderr) == (0, "")
