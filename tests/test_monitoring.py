"""What monitoring systems read of a run, read by their own parsers: counts, states and ages, and no name of a host."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from make import ACCEPTED as ACCEPTED_FILES
from make import ESTATE_YAML, site, write
from prometheus_client.parser import text_string_to_metric_families
from sample_run import ACCEPTED, AT, HOSTILE, SampleRun, finding, fleet, header, one_host, rendered, voice

from auditor.cli import main
from auditor.compare import compared
from auditor.model import Perimeter, Run, Subject
from auditor.reporters import nagios, prometheus
from auditor.store import Store
from auditor.summary import counts_as

GOLDEN = Path(__file__).parent / "golden"
WEB = Subject("host", "web01", "syndicat")
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def auditor(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def _golden(name: str, written: bytes) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(written)
    assert path.read_bytes() == written, f"{name} differs; UPDATE_GOLDEN=1 writes it anew, then read the difference"


def _text(run: Run) -> str:
    return rendered(prometheus.REPORTER, run, voice("fr")).decode("utf-8")


def _series(text: str) -> Series:
    """Every sample by its name and labels; one that is there twice, or dated, is refused as node_exporter does."""
    found: Series = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found, key
            assert sample.timestamp is None
            found[key] = sample.value
    return found


def _value(series: Series, name: str, **labels: str) -> float:
    return sum(v for (n, found), v in series.items() if n == name and labels.items() <= dict(found).items())


# ---------------------------------------------------------------- Prometheus


def test_the_textfile_is_the_golden_one() -> None:
    _golden("prometheus.txt", _text(fleet()).encode("utf-8"))


def test_the_counts_are_those_of_the_run() -> None:
    """By perimeter, outcome and severity; what is not measured, and what nothing checks, is counted too."""
    run = fleet()
    series = _series(_text(run))
    wanted = Counter((f.subject.perimeter, counts_as(f), f.severity) for f in run.findings())
    for (perimeter, outcome, severity), count in wanted.items():
        labels = {"perimeter": perimeter, "outcome": outcome, "severity": severity}
        assert _value(series, "auditor_findings", estate="demo", **labels) == count
    assert _value(series, "auditor_findings") == sum(wanted.values())
    assert _value(series, "auditor_measure_findings", outcome="nothing_asked") == 2
    assert _value(series, "auditor_hosts_expected") == 22
    assert _value(series, "auditor_hosts_measured") == 21
    assert _value(series, "auditor_last_complete_run_timestamp_seconds") == AT + 42
    assert _value(series, "auditor_run_duration_seconds") == 42


def test_the_series_are_the_same_from_run_to_run() -> None:
    """Whatever the hosts told, and however many there are: a count that vanishes would look like health."""
    run = fleet()
    before = set(_series(_text(run)))
    run.all_findings = [finding(0, Subject("host", f"h{n}", "epci"), "clock-synchronised", "pass") for n in range(500)]
    assert set(_series(_text(run))) == before
    run.all_findings = []
    assert set(_series(_text(run))) == before


def test_no_host_control_or_person_stands_in_it() -> None:
    text = _text(fleet())
    for name in ("srv01", "nas", "web03", "ssh-root-login-off", "z.inconnu", "a.martin", "ACC-2026-014"):
        assert name not in text, name


def test_an_interrupted_run_is_no_complete_one() -> None:
    """Its age is that of 1970: an alert on it fires."""
    run = one_host()
    run.header = replace(run.header, state="partial")
    series = _series(_text(run))
    assert _value(series, "auditor_last_complete_run_timestamp_seconds") == 0
    assert _value(series, "auditor_last_run_timestamp_seconds") == AT + 42


def test_what_changed_is_counted_where_it_is_known() -> None:
    before, run = one_host(), one_host()
    before.all_findings = []
    run.since = compared(before, run)
    assert _value(_series(_text(run)), "auditor_changes", kind="new") == 4
    assert "auditor_changes" not in _text(before)


@given(st.text(max_size=30) | st.sampled_from([HOSTILE, '"} 1\n# HELP', "a\\", "\\n", 'x"y', ""]))
def test_any_name_of_an_estate_or_perimeter_is_one_label(name: str) -> None:
    run = SampleRun(header(estate=name), {}, {}, {name: Perimeter(name)})
    series = _series(_text(run))
    shown = {dict(labels).get("estate") for _, labels in series}
    assert len(shown) == 1
    assert all("\n" not in one for one in shown if one)
    assert len([1 for n, _ in series if n == "auditor_findings"]) == len(prometheus.OUTCOMES) * 4


def test_two_estates_share_a_folder() -> None:
    """One text of help for a name, and no series that both have."""
    one, two = fleet(), fleet()
    two.header = replace(two.header, estate="other")
    assert not set(_series(_text(one))) & set(_series(_text(two)))
    comments = [{line for line in _text(run).splitlines() if line.startswith("#")} for run in (one, two)]
    assert comments[0] == comments[1]


# ---------------------------------------------------------------- Nagios, Centreon


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_line_is_the_golden_one(lang: str) -> None:
    _golden(f"nagios.{lang}.txt", rendered(nagios.REPORTER, fleet(), voice(lang)))


def _run(*outcomes: str, severity: str = "high", **changes: object) -> SampleRun:
    found = [finding(n, WEB, "clock-synchronised", o, severity=severity) for n, o in enumerate(outcomes)]
    run = one_host()
    return replace(
        run,
        header=header(checks_planned=len(found), **changes),
        all_findings=found,
        all_coverage=[],
    )


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (_run("pass", "warn"), 0),
        (_run("pass", "fail", severity="medium"), 1),
        (_run("pass", "fail", "unknown", severity="low"), 1),
        (_run("pass", "fail"), 2),
        (_run("unknown", "fail", severity="critical"), 2),
        (_run("pass", "unknown"), 3),
        (_run("pass", state="partial"), 3),
        (_run("pass", hosts_expected=2), 3),
        (_run("pass", limit="web01", hosts_inventoried=2), 3),
        (_run("pass", limit="web01", hosts_inventoried=1), 0),
        (_run("fail", severity="low", limit="web01", hosts_inventoried=2), 1),
        (_run("pass", as_of="2027-03-01"), 3),
        (_run("pass", policies=("one.yaml",)), 0),
    ],
)
def test_the_state_is_the_gravest(run: SampleRun, code: int) -> None:
    """High and critical failures, then others, then what was not measured; a run that is too old tells nothing.

    Nor does one of some hosts, or that was judged as of another day, say that all is well.
    """
    assert nagios.state(run, voice("en")) == code
    assert rendered(nagios.REPORTER, run, voice("fr")).startswith(f"AUDITOR {nagios.WORDS[code]} - ".encode())
    assert nagios.state(run, voice("en", too_old=True)) == 3
    assert b"UNKNOWN" in rendered(nagios.REPORTER, run, voice("en", too_old=True))


@pytest.mark.parametrize(
    ("outcomes", "severity", "codes"),
    [
        (("pass", "fail"), "high", (0, 2)),
        (("pass", "fail"), "medium", (0, 1)),
        (("pass", "warn"), "critical", (0, 1)),
        (("unknown", "fail"), "low", (3, 1)),
        (("unknown", "warn"), "high", (3, 3)),
    ],
)
def test_a_decision_that_ended_since_the_audit_is_said(
    outcomes: tuple[str, ...], severity: str, codes: tuple[int, int]
) -> None:
    """On its last day it still stands; from then on what it stood beside is open again. When judged, nothing ended since."""
    run = _run(*outcomes, severity=severity)
    run.all_findings = [f if n == 0 else replace(f, decision=ACCEPTED) for n, f in enumerate(run.all_findings)]
    later = (date.fromisoformat(ACCEPTED.until) + timedelta(days=1)).isoformat()
    for today, code in (("", codes[0]), (ACCEPTED.until, codes[0]), (later, codes[1])):
        assert nagios.state(run, voice("en", today=today)) == code
        line = rendered(nagios.REPORTER, run, voice("fr", today=today)).decode("utf-8")
        assert ("décisions qui ont pris fin depuis : 1;" in line) is (today == later)
        assert ACCEPTED.id not in line


PERL = "use Monitoring::Plugin::Performance; print join ' ', map { join ':', $_->label, $_->value, $_->threshold->get_status($_->value) } Monitoring::Plugin::Performance->parse_perfstring(<STDIN>)"


@pytest.mark.parametrize("make", [fleet, one_host, lambda: _run("pass", severity="low")])
def test_the_performance_data_is_read_by_the_plugins_own_library(
    make: Callable[[], SampleRun], program: Callable[[str], str]
) -> None:
    """All of it, and its thresholds come to the state of the line, where everything was measured."""
    run = make()
    line = rendered(nagios.REPORTER, run, voice("fr")).decode("utf-8")
    said, bar, data = line.partition(" | ")
    assert (line.count("\n"), bar, "|" in data) == (1, " | ", False)
    done = subprocess.run([program("perl"), "-e", PERL], input=data, capture_output=True, text=True, check=True)
    read = {label: (float(value), int(status)) for label, value, status in (w.split(":") for w in done.stdout.split())}
    assert len(read) == len(data.split()) == 11
    assert read["unknown"][0] == sum(1 for f in run.findings() if f.outcome == "unknown")
    worst = max(status for _, status in read.values())
    assert worst == {"OK": 0, "WARNING": 1, "CRITICAL": 2}[said.split()[1]]


def test_a_line_is_one_line_and_has_one_bar() -> None:
    assert nagios.broken("a | b\nc\x1b[2J") == b"AUDITOR UNKNOWN - a / b c\\x1b[2J\n"


# ---------------------------------------------------------------- as commands


def _kept(tmp_path: Path, text: str = "echo 400", *words: str) -> int:
    return auditor("run", *site(tmp_path, text), "--store", str(tmp_path / "runs.db"), *words).exit_code


def test_node_exporter_may_read_the_file(tmp_path: Path) -> None:
    """Counts alone, and so not ours alone; put in place whole, under no name that it reads before."""
    path = tmp_path / "auditor.prom"
    assert _kept(tmp_path, "echo 400", "-f", f"prometheus={path}", "-f", f"json={tmp_path}/run.json") == 0
    assert path.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    assert _value(_series(path.read_text("utf-8")), "auditor_findings", outcome="pass") == 1
    assert [p.name for p in tmp_path.glob("*.prom")] == ["auditor.prom"]


def _plugin(tmp_path: Path, *words: str) -> tuple[int, str]:
    done = auditor("report", "-f", "nagios", "--lang", "en", "--store", str(tmp_path / "runs.db"), *words)
    return done.exit_code, done.stdout.split(" - ")[0]


def test_a_plugin_ends_with_its_own_code(tmp_path: Path) -> None:
    """And so when there is no store, no run, or none of late: 3, with a line that says why."""
    assert _plugin(tmp_path) == (3, "AUDITOR UNKNOWN")
    Store(str(tmp_path / "runs.db")).close()
    assert _plugin(tmp_path) == (3, "AUDITOR UNKNOWN")
    _kept(tmp_path)
    assert _plugin(tmp_path) == (0, "AUDITOR OK")
    _kept(tmp_path, "echo 3")
    assert _plugin(tmp_path) == (2, "AUDITOR CRITICAL")
    assert _plugin(tmp_path, "--max-age", "0.000001") == (3, "AUDITOR UNKNOWN")


@pytest.mark.parametrize("hours", [-30, 27, 25])
def test_an_old_audit_is_no_health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    """After 26 hours nobody knows; nor when the clock says that it is yet to come."""
    _kept(tmp_path)
    now = Store(str(tmp_path / "runs.db")).run("latest").header.finished_at
    monkeypatch.setattr("time.time", lambda: now + hours * 3600)
    assert _plugin(tmp_path) == ((0, "AUDITOR OK") if hours == 25 else (3, "AUDITOR UNKNOWN"))
    assert _plugin(tmp_path, "--max-age", "48") == ((3, "AUDITOR UNKNOWN") if hours < 0 else (0, "AUDITOR OK"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"limit": "web01", "hosts_inventoried": 3}, "only 1 of 3 inventoried hosts"),
        ({"policies": ("web01.yaml",)}, "named policies only"),
        ({"as_of": "2027-03-01"}, "decisions and records judged as of 2027-03-01"),
    ],
)
def test_the_line_says_what_the_audit_left_out(changes: dict[str, object], said: str) -> None:
    """And still names no host, whatever the limit named."""
    line = rendered(nagios.REPORTER, _run("pass", **changes), voice("en")).decode("utf-8")
    assert (said in line, "web01" in line) == (True, False)
    assert said not in rendered(nagios.REPORTER, _run("pass"), voice("en")).decode("utf-8")


@pytest.mark.parametrize(("at", "day"), [(-420.0, "2026-11-21"), (3000.0, "2026-11-22")])
def test_the_day_of_an_audit_is_that_of_clocks_in_france(at: float, day: str) -> None:
    """AT is 23:11 there; an audit that begins at midnight has asked for the day before it has read the estate."""
    assert nagios.state(_run("pass", started_at=AT + at, as_of=day), voice("en")) == 0
    assert nagios.state(_run("pass", started_at=AT + 3000, as_of="2026-11-21"), voice("en")) == 0
    assert nagios.state(_run("pass", started_at=AT + 3600, as_of="2026-11-21"), voice("en")) == 3


def test_of_several_estates_one_does_not_answer_for_another(tmp_path: Path) -> None:
    """The newest audit is well, and of another estate: whoever does not say which one is told nothing."""
    write(tmp_path / "town", hosts="all: {hosts: {web01: {ansible_connection: local, ansible_host: localhost}}}")
    town = str(tmp_path / "town")
    _kept(tmp_path, "echo 3", "-i", town)
    assert _plugin(tmp_path) == (2, "AUDITOR CRITICAL")
    assert _kept(tmp_path) == 0
    assert _plugin(tmp_path) == (3, "AUDITOR UNKNOWN")
    assert _plugin(tmp_path, "--of", town) == (2, "AUDITOR CRITICAL")
    assert _plugin(tmp_path, "--of", "-") == (0, "AUDITOR OK")
    assert _plugin(tmp_path, "--of", "twon") == (3, "AUDITOR UNKNOWN")
    assert _plugin(tmp_path, "1") == (2, "AUDITOR CRITICAL")
    refused = auditor("report", "1", "--of", "-", "--store", str(tmp_path / "runs.db"))
    assert (refused.exit_code, "whose `latest` is meant" in refused.stderr) == (2, True)


def test_report_says_to_monitoring_what_has_ended_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An acceptance that stood on the day of the audit, and does not today."""
    here = "all: {hosts: {web01: {ansible_connection: local, ansible_host: localhost}}}"
    write(tmp_path / "town", hosts=here, estate=ESTATE_YAML, **ACCEPTED_FILES)
    store = ("--store", str(tmp_path / "runs.db"))
    begun = time.monotonic()
    for day, code in (("2026-11-20", 0), ("2027-06-02", 2)):
        noon = datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
        monkeypatch.setattr("time.time", lambda noon=noon: noon + time.monotonic() - begun)
        if not code:
            assert auditor("run", *site(tmp_path, "echo 3"), "-i", str(tmp_path / "town"), *store).exit_code == 0
        told = auditor("report", *store, "-f", "nagios", "--max-age", "10000")
        assert (told.exit_code, "decisions that have ended since: 1" in told.stdout) == (code, bool(code))


def test_report_says_that_an_audit_is_too_old(tmp_path: Path) -> None:
    """In every format, when asked to: 3."""
    _kept(tmp_path, "echo 3")
    store = ("--store", str(tmp_path / "runs.db"))
    assert auditor("report", *store).exit_code == 0
    done = auditor("report", *store, "--max-age", "0.000001", "-f", "json")
    assert (done.exit_code, "is it still scheduled?" in done.stderr) == (3, True)
