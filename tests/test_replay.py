"""The evidence of a run judged anew: the same inputs give the same findings and bytes, others only what they change."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import (
    NOBODY,
    NOON,
    begin,
    command,
    hello,
    make_acceptance,
    make_action,
    make_adaptation,
    make_control,
    make_derived,
    make_estate,
    make_header,
    make_host,
    make_pace,
    make_plan,
    make_probe,
    output,
    told,
)
from sample_run import voice

from auditor import archive
from auditor.audit import audit
from auditor.decisions import InForce, in_force
from auditor.document import command_to_plain
from auditor.framing.sh import HELLO
from auditor.model import Failure, Host, Obstacle, Outcome
from auditor.plan import Plan
from auditor.replay import NOT_THEN, Recall, moment, replay_of
from auditor.reporters import json as json_report
from auditor.reporters import junit
from auditor.snapshot import Snapshot
from auditor.store import HELLOS_BEFORE, Catalogue, Store, StoredRun, command_digest
from auditor.summary import exit_code

DAY_S = 86400.0
BOTH = {"sample": make_probe(), "folded": make_derived()}
CONTROLS = (make_control(), make_control("least", probe="folded", expect={"days": {"at_least": 300}}))


@pytest.fixture
def store() -> Iterator[Store]:
    kept = Store("")
    yield kept
    kept.close()


def asked(
    plan: Plan, store: Store, answers: Mapping[str, Any], at: float = NOON, decided: InForce = NOBODY
) -> StoredRun:
    """The plan's hosts asked: by host what its question prints, or a Failure for all of them."""

    def ask(host: Host, commands: Any, deadline_s: float) -> Iterator[Any]:
        given = answers[host.id]
        if isinstance(given, Failure):
            yield from dict.fromkeys(commands, given).items()
        else:
            yield from ((c, replace(a, at=at)) for c, a in told(commands, given, host.id).items())

    kept = Snapshot(plan.estate, () if plan.whole else tuple(h.id for h in plan.hosts))
    header = make_header(hosts_expected=len(plan.hosts), checks_planned=plan.count(), started_at=at)
    catalogue = Catalogue({c.id: c for c in plan.controls}, plan.measures, plan.estate.perimeters)
    run = store.begin(header, catalogue, kept)
    return audit(plan, {"ssh": ask}, store, run, decided, make_pace(clock=lambda: at))


def again(run: StoredRun, plan: Plan, store: Store, decided: InForce = NOBODY) -> StoredRun:
    """The run judged anew, in another store."""
    header = replace(
        run.header,
        hosts_expected=len(plan.hosts),
        checks_planned=plan.count(),
        replay=replay_of(run.header),
        state="open",
        id="",
    )
    begun = store.begin(header, Catalogue({c.id: c for c in plan.controls}, plan.measures, plan.estate.perimeters))
    recall = Recall(plan, run, run.places(), command_digest)
    state = "complete" if run.header.state == "complete" else "partial"
    pace = replace(make_pace(clock=lambda: moment(run)), recall=recall.seen, state=state)
    return audit(plan, {}, store, begun, decided, pace)


def archived(run: StoredRun, folder: Path, kept: Store) -> StoredRun:
    """The run after a way through a file."""
    with (folder / "run.auditor").open("wb") as sink:
        archive.write(run, sink)
    return archive.read(folder / "run.auditor", kept)


def came_to(run: StoredRun) -> dict[tuple[str, str], tuple[str, str]]:
    """By subject and control: outcome, and the cause with its detail."""
    found = {}
    for f in run.findings():
        cause = f.reasons[0].cause if f.reasons else None
        found[f.subject.id, f.control] = (str(f.outcome), f"{cause.cause}: {cause.detail}" if cause else "")
    return found


def report(run: StoredRun) -> bytes:
    """The run document and JUnit, one after the other."""
    written = io.BytesIO()
    for reporter in (json_report, junit):
        reporter.render(run, voice("en"), lambda part: written.write)
    return written.getvalue()


THREE = make_estate(*(make_host(name) for name in ("a", "b", "c")))


# ---------------------------------------------------------------- the same inputs


ANSWERS = st.one_of(
    st.sampled_from(["400", "3", "0", "-1"]),
    st.sampled_from(
        [Failure("unreachable", "no route", NOON), Failure("auth", "refused", NOON), Failure("internal", "", NOON)]
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(ANSWERS, ANSWERS, ANSWERS))
def test_the_same_inputs_give_the_same_findings_and_bytes(tmp_path: Path, answers: tuple[Any, ...]) -> None:
    """From the store and from a file, whatever the hosts said; only what says that it is a replay differs from the run."""
    stores = [Store("") for _ in range(5)]
    try:
        plan = make_plan(THREE, CONTROLS, BOTH)
        run = asked(plan, stores[0], dict(zip("abc", answers, strict=True)))
        first = again(run, plan, stores[1])
        second = again(run, plan, stores[2])
        assert list(first.findings()) == list(run.findings())
        assert list(first.hosts()) == list(run.hosts())
        assert (first.header.id, first.header.finished_at) == (run.header.id, run.header.finished_at)
        assert replace(first.header, replay=None, number=0) == replace(run.header, number=0)
        assert report(first) == report(second)
        assert report(again(archived(run, tmp_path, stores[3]), plan, stores[4])) == report(first)
    finally:
        for one in stores:
            one.close()


def test_an_exported_run_is_the_run(store: Store, tmp_path: Path) -> None:
    """Reports of an archive are those of the run, and the same run gives the same bytes."""
    run = asked(make_plan(THREE, CONTROLS, BOTH), store, {"a": "400", "b": "3", "c": Failure("auth", "x", NOON)})
    other = Store("")
    assert report(archived(run, tmp_path, other)) == report(run)
    first = (tmp_path / "run.auditor").read_bytes()
    archive.write(run, sink := io.BytesIO())
    assert sink.getvalue() == first
    archive.write(archived(run, tmp_path, other), sink := io.BytesIO())
    assert sink.getvalue() == first
    other.close()


def test_decisions_and_actions_are_in_the_file(store: Store, tmp_path: Path) -> None:
    """What stands beside a finding, what was decided and what is to be done; judged anew, they are the same."""
    plan = make_plan(make_estate(make_host("web01"), make_host("shared01", perimeter="common")))
    records = (make_acceptance(), make_adaptation(), make_action())
    decided = in_force(records, plan.estate, {c.id: c for c in plan.controls}, plan.measures, "2026-11-21")
    plan = replace(plan, bounds=decided.bounds)
    run = asked(plan, store, {"web01": "3", "shared01": "200"}, decided=decided)
    assert {f.decision.id for f in run.findings() if f.decision} == {"ACC-1", "ADA-1"}
    assert list(run.actions())
    others = [Store("") for _ in range(3)]
    assert report(archived(run, tmp_path, others[0])) == report(run)
    seen = again(run, plan, others[1], decided)
    assert list(seen.findings()) == list(run.findings())
    assert (list(seen.actions()), list(seen.to_do())) == (list(run.actions()), list(run.to_do()))
    for one in others:
        one.close()


def test_bytes_that_are_no_text_survive_a_file(store: Store, tmp_path: Path) -> None:
    """Also half characters, surrogates as bytes, and NUL."""
    odd = b"\xff\x00\xed\xa0\x80\xf0\x9f\x98\x80\xc3\n"
    plan = make_plan(make_estate(make_host("a")), probes={"sample": make_probe(parse=lambda a, args: {"days": 400})})
    given = {HELLO: hello(), command(): replace(output(), stdout=odd, stderr=odd[::-1])}
    header = make_header(hosts_expected=1, checks_planned=1)
    run = store.begin(header, Catalogue({}, {}, {}), Snapshot(plan.estate))
    run = audit(plan, {"ssh": lambda *rest: iter(given.items())}, store, run, NOBODY, make_pace())
    other = Store("")
    assert archived(run, tmp_path, other).answers(0) == run.answers(0) == given
    other.close()


# ---------------------------------------------------------------- other inputs


def test_a_stricter_threshold_is_judged_on_the_same_evidence(store: Store) -> None:
    """Ages and dates are as they were."""
    run = asked(make_plan(THREE), store, {"a": "400", "b": "370", "c": "3"})
    stricter = make_plan(THREE, [make_control(expect={"days": {"at_least": 380}})])
    seen = again(run, stricter, other := Store(""))
    outcomes = {host: outcome for (host, _), (outcome, _) in came_to(seen).items()}
    assert outcomes == {"a": "pass", "b": "fail", "c": "fail"}
    assert {f.at for f in seen.findings()} == {NOON}
    assert seen.header.replay == replay_of(run.header)
    other.close()


def test_a_new_control_on_what_was_asked_is_judged(store: Store) -> None:
    """Its findings are there; a derived one folds facts that are parsed anew."""
    run = asked(make_plan(THREE), store, {"a": "400", "b": "200", "c": "250"})
    seen = came_to(again(run, make_plan(THREE, CONTROLS, BOTH), other := Store("")))
    assert seen["own", "least"][0] == "fail"
    assert seen["b", "kept-long-enough"][0] == "fail"
    other.close()


def test_what_was_not_asked_is_unknown_and_says_so(store: Store) -> None:
    """Another question, another host, a host that was not connected to; never a pass."""
    silent = make_host("n", connection="none", why="a copier")
    town = make_estate(make_host("a"), silent)
    run = asked(make_plan(town), store, {"a": "400"})
    more = make_estate(make_host("a"), replace(silent, connection="ssh"), make_host("new"))
    probes = {"sample": make_probe(), "other": make_probe(commands=lambda args: {"days": command("echo 401")})}
    plan = make_plan(more, [make_control(), make_control("new", probe="other")], probes)
    seen = again(run, plan, other := Store(""))
    assert came_to(seen) == {
        ("a", "kept-long-enough"): ("pass", ""),
        ("a", "new"): ("unknown", f"not_asked: {NOT_THEN}"),
        ("n", "kept-long-enough"): ("unknown", f"not_asked: {NOT_THEN}"),
        ("n", "new"): ("unknown", f"not_asked: {NOT_THEN}"),
        ("new", "kept-long-enough"): ("unknown", f"not_asked: {NOT_THEN}"),
        ("new", "new"): ("unknown", f"not_asked: {NOT_THEN}"),
    }
    assert exit_code(seen, "low", False) == 3
    other.close()


def test_other_decisions_and_another_day_are_judged(store: Store) -> None:
    """An acceptance made since stands beside the failure of then; on a day after it ends, it does not."""
    plan = make_plan(make_estate())
    run = asked(plan, store, {"web01": "3"})
    assert exit_code(run, "low", False) == 1
    for day, code in (("2026-12-31", 3), ("2027-01-01", 1)):  # a perimeter without hosts is not measured
        decided = in_force([make_acceptance()], plan.estate, {c.id: c for c in plan.controls}, plan.measures, day)
        assert exit_code(again(run, plan, other := Store(""), decided), "low", False) == code
        other.close()


def test_a_host_of_another_name_keeps_its_evidence(store: Store) -> None:
    """`was` carries it, in either direction."""
    run = asked(make_plan(make_estate(make_host("srv7"))), store, {"srv7": "400"})
    renamed = make_plan(make_estate(make_host("web01", was="srv7")))
    then = again(run, renamed, other := Store(""))
    assert came_to(then) == {("web01", "kept-long-enough"): ("pass", "")}
    back = make_plan(make_estate(make_host("srv7")))
    assert came_to(again(then, back, third := Store(""))) == {("srv7", "kept-long-enough"): ("pass", "")}
    other.close()
    third.close()


def test_a_replay_of_a_replay_is_one_of_the_run(store: Store) -> None:
    """Also what a policy in between did not ask for is still there."""
    probes = {"sample": make_probe(), "other": make_probe(commands=lambda args: {"days": command("echo 401")})}
    whole = make_plan(THREE, [make_control(), make_control("new", probe="other")], probes)
    run = asked(whole, store, {"a": "400", "b": "3", "c": "400"})
    narrow = again(run, make_plan(THREE), other := Store(""))
    back = again(narrow, whole, third := Store(""))
    assert list(back.findings()) == list(run.findings())
    assert back.header.replay == narrow.header.replay == replay_of(run.header)
    other.close()
    third.close()


# ---------------------------------------------------------------- runs that are not whole


class Killed(BaseException):
    """What no code catches, as a kill."""


def test_a_killed_run_is_replayed_as_far_as_it_came(store: Store) -> None:
    """What it had not come to is unknown, and the replay is partial."""
    plan = make_plan(THREE)

    def ask(host: Host, commands: Any, deadline_s: float) -> Iterator[Any]:
        return iter(told(commands, "400", host.id).items())

    def done(host: str, earlier: bool) -> None:
        raise Killed

    with pytest.raises(Killed):
        audit(plan, {"ssh": ask}, store, begin(store, plan), NOBODY, make_pace(1, done=done))
    killed = store.run("1")
    assert (killed.header.state, killed.header.id) == ("open", "")
    seen = again(killed, plan, other := Store(""))
    outcomes = sorted(came_to(seen).values())
    assert outcomes == [("pass", ""), ("unknown", "interrupted: "), ("unknown", "interrupted: ")]
    assert (seen.header.state, exit_code(seen, "low", False)) == ("partial", 3)
    other.close()


def test_a_host_without_its_evidence_is_unknown(tmp_path: Path) -> None:
    """Pruned, cut or exchanged: never what it was judged then."""
    path = tmp_path / "runs.db"
    kept = Store(str(path))
    plan = make_plan(THREE)
    run = asked(plan, kept, {"a": "400", "b": "400", "c": "401"})
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM answer WHERE host = 0")
        db.execute("UPDATE evidence SET body = x'00' WHERE digest IN (SELECT evidence FROM answer WHERE host = 1 AND command = ?)",
                   (command_digest(command()),))  # fmt: skip
    expected = {
        ("a", "kept-long-enough"): ("unknown", "unreadable: its evidence is not kept any more"),
        ("b", "kept-long-enough"): ("unknown", "unreadable: the stored evidence is damaged"),
        ("c", "kept-long-enough"): ("pass", ""),
    }
    others = [Store("") for _ in range(3)]
    assert came_to(again(run, plan, others[0])) == expected
    assert came_to(again(archived(run, tmp_path, others[1]), plan, others[2])) == expected
    for one in (*others, kept):
        one.close()


def test_a_host_that_was_asked_in_other_words_what_it_is_counts(tmp_path: Path) -> None:
    """A release words that question anew; evidence of before stays evidence, also through a file."""
    path = tmp_path / "runs.db"
    kept = Store(str(path))
    plan = make_plan(make_estate(make_host("a")))
    run = asked(plan, kept, {"a": "400"})
    words = "uname -s; uname -n; id -u; date +%s; cat /etc/machine-id 2>/dev/null || cat /var/lib/dbus/machine-id 2>/dev/null"
    before = command(f"{words} || echo", timeout_s=5, cap_bytes=1024)
    assert command_digest(before) in HELLOS_BEFORE
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO command VALUES (?, ?)", (command_digest(before), json.dumps(command_to_plain(before))))
        db.execute("UPDATE answer SET command = ? WHERE command = ?", (command_digest(before), command_digest(HELLO)))
    others = [Store("") for _ in range(3)]
    for old, store in ((run, others[0]), (archived(run, tmp_path, others[1]), others[2])):
        seen = again(old, plan, store)
        assert came_to(seen) == {("a", "kept-long-enough"): ("pass", "")}
        assert [h.identity for h in seen.hosts()] == [h.identity for h in run.hosts()]
    for one in (*others, kept):
        one.close()


# ---------------------------------------------------------------- presence and freshness


def test_old_evidence_is_not_last_seen(store: Store) -> None:
    """The moment is the run's own: a run of years ago, of hosts in quiet hours today, is judged as it was then."""
    old = make_plan(make_estate(make_host("a", evidence_max_age_s=60.0, availability="roaming")))
    run = asked(old, store, {"a": "400"}, at=1_000_000_000.0)
    quiet = make_plan(make_estate(make_host("a", quiet_hours_s=(0, 86399), reinstalled_at="2026-01-01")))
    for plan in (old, quiet):
        assert came_to(again(run, plan, other := Store(""))) == {("a", "kept-long-enough"): ("pass", "")}
        other.close()


def test_a_host_judged_on_earlier_evidence_stays_so(store: Store) -> None:
    """With its date, and that it was asked in vain."""
    plan = make_plan(make_estate(make_host("pc", availability="roaming", evidence_max_age_s=7 * DAY_S)))
    asked(plan, store, {"pc": "400"})
    run = asked(plan, store, {"pc": Failure("unreachable", "", NOON + DAY_S, Obstacle("silent"))}, NOON + DAY_S)
    (seen,) = again(run, plan, other := Store("")).hosts()
    assert (seen.evidence_at, seen.asked, seen.measured) == (NOON, True, 1)
    other.close()


def test_a_kept_replay_is_no_evidence_and_never_the_latest(tmp_path: Path) -> None:
    """Neither does it say that a host was asked in vain."""
    kept = Store(str(tmp_path / "runs.db"))
    host = make_host("pc", availability="roaming", evidence_max_age_s=DAY_S)
    plan = make_plan(make_estate(host))
    first = asked(plan, kept, {"pc": "400"})
    twin = again(first, plan, kept)
    lost = asked(plan, kept, {"pc": Failure("auth", "", NOON + 60)}, NOON + 60)
    again(lost, plan, kept)
    assert kept.run("latest").header.number == lost.header.number
    assert kept.run("latest~1").header.number == first.header.number
    assert twin.header.id == first.header.id and kept.run(first.header.id).header.number == first.header.number
    assert kept.run(str(twin.header.number)).header.replay == replay_of(first.header)
    with sqlite3.connect(tmp_path / "runs.db") as db:
        rows = db.execute("SELECT run, seen_at IS NOT NULL, lost FROM host ORDER BY run").fetchall()
    assert rows == [(1, 1, 0), (2, 0, 0), (3, 0, 1), (4, 0, 0)]
    kept.close()


def test_one_machine_for_two_hosts_is_found_again(store: Store) -> None:
    """What only all hosts together tell is told by the replay too."""
    plan = make_plan(make_estate(make_host("a"), make_host("b")))
    one = {HELLO: hello(), command(): output("400")}
    header = make_header(hosts_expected=2, checks_planned=2)
    run = store.begin(header, Catalogue({c.id: c for c in plan.controls}, plan.measures, plan.estate.perimeters))
    run = audit(plan, {"ssh": lambda *rest: iter(one.items())}, store, run, NOBODY, make_pace())
    assert {f.outcome for f in run.findings()} == {Outcome.UNKNOWN}
    assert list(again(run, plan, other := Store("")).findings()) == list(run.findings())
    other.close()


def test_a_probe_that_breaks_costs_one_host(store: Store) -> None:
    """A defect on old evidence is one host's unknown, and no traceback of the command."""
    run = asked(make_plan(THREE), store, {"a": "400", "b": "400", "c": "9"})

    def breaking(answers: Any, args: Any) -> Any:
        if "9" in answers["days"].text:
            raise LookupError("a defect")
        return {"days": 400}

    seen = came_to(again(run, make_plan(THREE, probes={"sample": make_probe(breaking)}), other := Store("")))
    assert [seen[h, "kept-long-enough"][0] for h in "abc"] == ["pass", "pass", "unknown"]
    assert seen["c", "kept-long-enough"][1].startswith("internal")
    other.close()
