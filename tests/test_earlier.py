"""Hosts judged on what they told in an earlier run: when they may be, when they must not, and who answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from make import (
    NOBODY,
    NOON,
    begin,
    command,
    hello,
    make_control,
    make_derived,
    make_estate,
    make_host,
    make_pace,
    make_plan,
    make_probe,
    output,
    told,
)

from auditor.audit import audit
from auditor.framing.sh import HELLO
from auditor.model import Estate, Failure, Host, Obstacle, Perimeter
from auditor.plan import Plan
from auditor.replay import Recall
from auditor.store import Store, StoredRun, command_digest
from auditor.summary import exit_code, summary

HOUR_S, DAY_S = 3600.0, 86400.0
OFFICE = make_host("pc", availability="office_hours", evidence_max_age_s=7 * DAY_S)
ALWAYS = make_host("srv")
WEEK = Failure("unreachable", "pc.invalid:22: timed out", 0.0, Obstacle("silent"))


class Town:
    """A store, and runs at moments of our choosing; `asked` are the hosts that a connection was tried to."""

    def __init__(self, path: Path) -> None:
        self.store = Store(str(path / "runs.db"))
        self.path = path / "runs.db"
        self.asked: list[str] = []

    def run(self, hosts: Estate | Host, at: float = NOON, answer: Any = "400", **changes: Any) -> StoredRun:
        """`answer`: what every question prints, a Failure for all of them, or answers by command."""
        town = hosts if isinstance(hosts, Estate) else make_estate(hosts)
        only = changes.pop("only", town.hosts)
        given = {k: changes.pop(k) for k in ("controls", "probes") if k in changes}
        plan: Plan = make_plan(town, in_force=(), hosts=only, **given)
        limit = ",".join(h.id for h in only) if only != town.hosts else ""
        self.asked.clear()

        def ask(host: Host, commands: Any, deadline_s: float) -> Iterator[Any]:
            self.asked.append(host.id)
            given = answer(host) if callable(answer) else answer
            if isinstance(given, Failure):
                yield from dict.fromkeys(commands, replace(given, at=at)).items()
            elif isinstance(given, dict):
                yield from given.items()
            else:
                yield from ((c, _dated(a, at)) for c, a in told(commands, given, host.id).items())

        pace = make_pace(clock=lambda: at, **changes)
        return audit(plan, {"ssh": ask}, self.store, begin(self.store, plan, started_at=at, limit=limit), NOBODY, pace)

    def sql(self, text: str, *values: Any) -> None:
        with sqlite3.connect(self.path) as db:
            db.execute(text, values)


def _dated(answer: Any, at: float) -> Any:
    return replace(answer, at=at, host_at=at)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def came_to(run: StoredRun) -> list[tuple[str, str, str]]:
    """By finding: outcome, cause and detail."""
    causes = [(f.outcome, f.reasons[0].cause if f.reasons else None) for f in run.findings()]
    return [(str(o), c.cause if c else "", c.detail if c else "") for o, c in causes]


# ---------------------------------------------------------------- away


def test_a_host_that_is_away_is_judged_on_what_it_told(town: Town) -> None:
    """The finding and the host carry the date of that evidence; all was measured, and the summary says earlier."""
    town.run(OFFICE)
    run = town.run(OFFICE, NOON + DAY_S, WEEK)
    assert came_to(run) == [("pass", "", "")]
    assert [f.at for f in run.findings()] == [NOON]
    (seen,) = run.hosts()
    assert (seen.failure, seen.evidence_at, seen.asked, seen.measured) == (None, NOON, True, 1)
    told_of = summary(run)
    assert (told_of.hosts_reached, told_of.hosts_measured_now, told_of.hosts_measured_earlier) == (0, 0, 1)
    assert (told_of.hosts_unseen, told_of.oldest_evidence_at, exit_code(run, "low", False)) == (0, NOON, 0)


def test_a_failure_stays_one_on_earlier_evidence(town: Town) -> None:
    """An old failure is a failure."""
    town.run(OFFICE, answer="3")
    assert exit_code(town.run(OFFICE, NOON + DAY_S, WEEK), "low", False) == 1


def test_beyond_its_age_it_is_unknown_and_says_how_long(town: Town) -> None:
    """The last second of the age still counts."""
    town.run(OFFICE)
    assert came_to(town.run(OFFICE, NOON + 7 * DAY_S, WEEK)) == [("pass", "", "")]
    late = town.run(OFFICE, NOON + 7 * DAY_S + 1, WEEK)
    assert came_to(late) == [("unknown", "last_seen", "last seen 7 days ago")]
    assert exit_code(late, "never", False) == 3
    assert summary(late).hosts_unseen == 1


def test_a_host_never_seen_says_why_it_does_not_answer_now(town: Town) -> None:
    """A name that does not exist would hide for ever."""
    run = town.run(OFFICE, answer=WEEK)
    assert came_to(run) == [("unknown", "last_seen", "never seen; now: pc.invalid:22: timed out")]


def test_an_always_host_that_is_away_is_unknown(town: Town) -> None:
    """An old pass does not hide an outage."""
    town.run(ALWAYS)
    assert came_to(town.run(ALWAYS, NOON + 60, WEEK)) == [("unknown", "unreachable", WEEK.message)]


@pytest.mark.parametrize("why", ["auth", "host_key", "closed", "internal", "framing", "timeout"])
def test_a_host_that_answers_badly_is_not_away(town: Town, why: str) -> None:
    """A refused credential, another key: that is news, whatever the availability."""
    town.run(OFFICE)
    assert came_to(town.run(OFFICE, NOON + 60, Failure(why)))[0][:2] == ("unknown", why)


def test_evidence_is_of_one_moment(town: Town) -> None:
    """The newest run in which the host told something, also where that is less than an older one."""
    town.run(OFFICE)
    cut = {HELLO: _dated(hello(), NOON + 60), command(): Failure("closed", "", NOON + 60)}
    town.run(OFFICE, NOON + 60, cut)
    run = town.run(OFFICE, NOON + DAY_S, WEEK)
    assert came_to(run)[0][:2] == ("unknown", "closed")


def test_a_run_on_earlier_evidence_is_no_evidence(town: Town) -> None:
    """It does not make the evidence younger."""
    town.run(OFFICE)
    for day in range(1, 8):
        assert came_to(town.run(OFFICE, NOON + day * DAY_S, WEEK)) == [("pass", "", "")]
    assert came_to(town.run(OFFICE, NOON + 8 * DAY_S, WEEK))[0][:2] == ("unknown", "last_seen")


def test_what_was_not_asked_then_is_unknown(town: Town) -> None:
    """A question of a newer release has no answer in older evidence."""
    town.run(OFFICE)
    newer = {"sample": make_probe(commands=lambda args: {"days": command("echo 401")})}
    assert came_to(town.run(OFFICE, NOON + 60, WEEK, probes=newer)) == [("unknown", "not_asked", "")]


def test_another_hosts_evidence_is_not_taken(town: Town) -> None:
    """Neither that of a host whose name begins alike."""
    town.run(make_estate(make_host("pc2"), make_host("p"), make_host("PC")))
    assert came_to(town.run(OFFICE, NOON + 60, WEEK))[0][:2] == ("unknown", "last_seen")


def _elsewhere(**changes: Any) -> Estate:
    perimeters = {"own": Perimeter("own", changes.pop("owner", "TOWN")), "estate": Perimeter("estate", "estate")}
    return make_estate(replace(OFFICE, **changes.pop("host", {})), perimeters=perimeters, **changes)


@pytest.mark.parametrize("more", [{}, {"missing": True}, {"host": {"quiet_hours_s": (0, 86399)}}])
def test_another_estates_evidence_is_not_taken(town: Town, more: dict[str, Any]) -> None:
    """A host of the same id, of another entity: away, not yet asked, or in quiet hours."""
    town.run(OFFICE)
    run = town.run(_elsewhere(owner="OTHER", host=more.pop("host", {})), NOON + 60, WEEK, **more)
    assert came_to(run)[0][:2] == ("unknown", "last_seen")
    assert came_to(town.run(OFFICE, NOON + 120, WEEK)) == [("pass", "", "")]


def test_another_estates_machine_is_not_compared(town: Town) -> None:
    """It is not reinstalled: it is another host."""
    town.run(OFFICE)
    other = {HELLO: replace(hello(), stdout=hello().stdout.replace(b"0123456789abcdef", b"f" * 16))}
    said = {**told((HELLO, command()), "400", "pc"), **other}
    assert came_to(town.run(_elsewhere(owner="OTHER"), NOON + 60, said)) == [("pass", "", "")]
    assert came_to(town.run(OFFICE, NOON + 60, said))[0][:2] == ("unknown", "other_host")


def test_evidence_is_the_same_estates_wherever_it_lies(town: Town) -> None:
    """Another checkout, more perimeters and hosts; while nobody named its owner, only in its own folder."""
    town.run(_elsewhere(place="/a"))
    assert came_to(town.run(_elsewhere(place="/b"), NOON + 60, WEEK)) == [("pass", "", "")]
    unnamed = {"host": {"perimeter": "estate"}}
    town.run(_elsewhere(place="/a", **unnamed))
    assert came_to(town.run(_elsewhere(place="/b", **unnamed), NOON + 60, WEEK))[0][:2] == ("unknown", "last_seen")
    assert came_to(town.run(_elsewhere(place="/a", **unnamed), NOON + 60, WEEK)) == [("pass", "", "")]


def test_evidence_of_the_future_is_not_taken(town: Town) -> None:
    """A run whose clock was a year ahead would be fresh for a year."""
    town.run(OFFICE, NOON + 365 * DAY_S)
    assert came_to(town.run(OFFICE, NOON, WEEK))[0][:2] == ("unknown", "last_seen")


def test_what_a_perimeter_comes_to_counts_hosts_judged_on_earlier_evidence(town: Town) -> None:
    """Their facts are kept for this run too."""
    more = {
        "controls": [make_control("least", probe="folded")],
        "probes": {"sample": make_probe(), "folded": make_derived()},
    }
    town.run(OFFICE, **more)
    assert ("pass", "", "") in came_to(town.run(OFFICE, NOON + 60, WEEK, **more))


# ---------------------------------------------------------------- the same evidence, the same bytes


def test_earlier_answers_are_kept_for_the_run_that_is_judged_on_them(town: Town) -> None:
    """With their own dates, so that it can be judged again; the run's id covers them."""
    first = town.run(OFFICE)
    second = town.run(OFFICE, NOON + DAY_S, WEEK)
    assert town.store.answers_of(2, 0) == town.store.answers_of(1, 0)
    assert {a.at for a in town.store.answers_of(2, 0).values()} == {NOON}
    assert first.header.id == second.header.id
    assert list(town.store.run("2").findings()) == list(second.findings())


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE evidence SET body = x'00' WHERE digest = (SELECT evidence FROM answer WHERE command = ?)",
        "UPDATE evidence SET body = (SELECT body FROM evidence ORDER BY length(body) DESC LIMIT 1)"
        " WHERE digest = (SELECT evidence FROM answer WHERE command = ?)",
        "DELETE FROM evidence WHERE digest = (SELECT evidence FROM answer WHERE command = ?)",
        "DELETE FROM command WHERE digest = ?",
        "UPDATE command SET doc = replace(doc, 'echo 400', 'echo 999') WHERE digest = ?",
        "UPDATE command SET doc = '[' WHERE digest = ?",
        "DELETE FROM answer WHERE command = ?",
    ],
)
def test_damaged_evidence_is_unknown(town: Town, harm: str) -> None:
    """Cut, exchanged, gone: never a pass, and never asked for as if it were fresh."""
    town.run(OFFICE)
    town.sql(harm, command_digest(command()))
    run = town.run(OFFICE, NOON + 60, WEEK, missing=True)
    assert town.asked == ["pc"]
    assert came_to(run)[0][:2] in [("unknown", "unreadable"), ("unknown", "not_asked")]


# ---------------------------------------------------------------- quiet hours

QUIET = {"quiet_hours_s": (0, 86399)}


def test_in_quiet_hours_no_host_is_asked(town: Town) -> None:
    """It is judged on what it told before; one that told nothing is unknown. Nobody is connected to."""
    town.run(make_estate(OFFICE, ALWAYS))
    away = make_host("new", **QUIET)
    quiet = [
        make_host(h.id, availability=h.availability, evidence_max_age_s=h.evidence_max_age_s, **QUIET)
        for h in (OFFICE, ALWAYS)
    ]
    run = town.run(make_estate(*quiet, away), NOON + 60)
    assert town.asked == []
    assert came_to(run) == [("pass", "", ""), ("pass", "", ""), ("unknown", "last_seen", "never seen")]
    assert [h.asked for h in run.hosts()] == [False, False, False]
    assert (summary(run).unasked, exit_code(run, "low", False)) == (2, 3)


def test_quiet_hours_do_not_hide_an_outage(town: Town) -> None:
    """A host that is always on, and did not answer when it was last asked, is not well in its quiet hours."""
    town.run(ALWAYS)
    town.run(ALWAYS, NOON + 60, WEEK)
    run = town.run(make_host("srv", **QUIET), NOON + 120)
    assert came_to(run) == [("unknown", "last_seen", "asked in vain since it was last seen")]


# ---------------------------------------------------------------- missing


def test_missing_asks_only_hosts_without_fresh_evidence(town: Town) -> None:
    """Whatever their availability; those that are not asked are judged, and the run says so."""
    both = make_estate(OFFICE, ALWAYS)
    town.run(both, missing=True)
    assert sorted(town.asked) == ["pc", "srv"]
    run = town.run(both, NOON + 26 * HOUR_S, missing=True)
    assert town.asked == []
    assert [(h.host, h.asked, h.evidence_at) for h in run.hosts()] == [("pc", False, NOON), ("srv", False, NOON)]
    assert exit_code(run, "low", False) == 0
    run = town.run(both, NOON + 26 * HOUR_S + 1, missing=True)
    assert town.asked == ["srv"]
    assert [h.evidence_at for h in run.hosts()] == [NOON, 0.0]


@pytest.mark.parametrize("why", ["unreachable", "auth", "other_host", "closed"])
def test_missing_asks_again_whom_the_last_run_asked_in_vain(town: Town, why: str) -> None:
    """Else the evidence of before would hide for a day that a host does not answer any more."""
    town.run(ALWAYS)
    town.run(ALWAYS, NOON + 60, Failure(why))
    assert came_to(town.run(ALWAYS, NOON + 120, Failure(why), missing=True))[0][:2] == ("unknown", why)
    assert town.asked == ["srv"]
    town.run(ALWAYS, NOON + 180, missing=True)
    town.run(ALWAYS, NOON + 240, missing=True)
    assert town.asked == []


def test_missing_leaves_alone_who_was_only_away(town: Town) -> None:
    """A portable that is off has nothing new to tell."""
    town.run(OFFICE)
    town.run(OFFICE, NOON + 60, WEEK)
    town.run(OFFICE, NOON + 120, WEEK, missing=True)
    assert town.asked == []


def test_missing_asks_again_whose_evidence_is_not_whole(town: Town) -> None:
    """Cut, timed out, or without the answer to a question of this run; a privilege that lacks is no reason."""
    for why, again in (("closed", True), ("timeout", True), ("no_privilege", False)):
        town.run(OFFICE, answer={HELLO: hello(), command(): Failure(why, "", NOON)})
        town.run(OFFICE, NOON + 60, missing=True)
        assert (town.asked == ["pc"]) is again, why
    newer = {"sample": make_probe(commands=lambda args: {"days": command("echo 401")})}
    town.run(OFFICE, NOON + 60, missing=True, probes=newer)
    assert town.asked == ["pc"]


def test_a_host_never_connected_to_stays_unmeasured(town: Town) -> None:
    """`connection: none` is expected and counted, is not asked, and has no evidence, however one asks."""
    none = make_host("copier", connection="none", why="a copier", availability="roaming", **QUIET)
    for missing in (False, True):
        run = town.run(make_estate(ALWAYS, none), NOON, missing=missing)
        assert came_to(run)[1] == ("unknown", "not_connected", "a copier")
        assert [h.asked for h in run.hosts()][1] is False
        assert (run.header.hosts_expected, summary(run).hosts_unseen, exit_code(run, "never", False)) == (2, 1, 3)
        assert "copier" not in town.asked


# ---------------------------------------------------------------- identity

OLD, NEW = "a" * 32, "b" * 32


def shows(machine: str) -> Any:
    line = f"Linux\nsrv\n0\n{NOON:.0f}\n{machine}"
    return {HELLO: output(line), command(): output("400")}


def test_another_machine_at_the_address_is_unknown(town: Town) -> None:
    """Nothing that it said counts, and it does not become the known one by answering twice."""
    town.run(ALWAYS, answer=shows(OLD))
    for minute in (1, 2):
        run = town.run(ALWAYS, NOON + 60 * minute, shows(NEW))
        ((outcome, cause, detail),) = came_to(run)
        assert (outcome, cause) == ("unknown", "other_host")
        assert "bbbbbbbb" in detail and "aaaaaaaa" in detail and "reinstalled_at" in detail
        assert NEW not in detail
        assert {type(a) for a in town.store.answers_of(run.header.number, 0).values()} == {Failure}
    assert came_to(town.run(ALWAYS, NOON + 180, shows(OLD))) == [("pass", "", "")]


def test_a_reinstallation_that_was_declared_is_no_other_host(town: Town) -> None:
    """From then on the new machine is the known one, and the old evidence is not judged."""
    declared = make_host("srv", reinstalled_at="2026-11-18", availability="roaming", evidence_max_age_s=30 * DAY_S)
    town.run(ALWAYS, answer=shows(OLD))  # on 2026-11-18, UTC
    assert came_to(town.run(declared, NOON + DAY_S, WEEK))[0][1] == "last_seen"
    assert came_to(town.run(declared, NOON + 2 * DAY_S, shows(NEW))) == [("pass", "", "")]


def test_an_empty_machine_id_proves_and_changes_nothing(town: Town) -> None:
    """It is judged; the last one that was shown stays the known one."""
    town.run(ALWAYS, answer=shows(OLD))
    assert came_to(town.run(ALWAYS, NOON + 60, shows(""))) == [("pass", "", "")]
    assert came_to(town.run(ALWAYS, NOON + 120, shows(NEW)))[0][1] == "other_host"


def test_without_an_estate_nobody_is_another_host(town: Town) -> None:
    """This machine is this machine, and there would be no place to say that it was reinstalled."""
    alone = make_estate(ALWAYS, declared=False)
    town.run(alone, answer=shows(OLD))
    assert came_to(town.run(alone, NOON + 60, shows(NEW))) == [("pass", "", "")]


ONE, OTHER = make_host("a1"), make_host("a2")
BOTH = make_estate(ONE, OTHER)
TWICE = "one machine answered for a2, and in an earlier audit for a1"


def test_a_limited_run_is_no_pass_of_one_machine_under_two_names(town: Town) -> None:
    """Whether a whole run showed it, or the other host's own; in either order, and judged anew without those runs."""
    whole = town.run(BOTH, answer=shows(OLD))
    assert {detail for _, _, detail in came_to(whole)} == {"one machine answered for a1, a2"}
    for minute in (1, 2):
        limited = town.run(BOTH, NOON + 60 * minute, shows(OLD), only=(OTHER,))
        assert came_to(limited) == [("unknown", "other_host", TWICE)]
    with closing(Store("")) as other:
        recall = Recall(make_plan(BOTH, hosts=(OTHER,)), limited, limited.places(), command_digest)
        plan = make_plan(BOTH, in_force=(), hosts=(OTHER,))
        pace = make_pace(clock=lambda: NOON, recall=recall.seen)
        again = audit(plan, {}, other, begin(other, plan, limit="a2"), NOBODY, pace)
        assert came_to(again) == [("unknown", "other_host", TWICE)]
    assert came_to(town.run(BOTH, NOON + 180, shows(OLD), only=(ONE,)))[0][1] == "other_host"


def test_a_host_of_its_own_passes_beside_one_that_a_run_leaves_out(town: Town) -> None:
    """Another machine; one that was installed anew since, or that nobody asks any more; and an estate that holds one alone."""
    town.run(BOTH, answer=shows(OLD), only=(ONE,))
    assert came_to(town.run(BOTH, NOON + 60, shows(OLD), only=(OTHER,))) == [("unknown", "other_host", TWICE)]
    for other in (
        make_host("a1", connection="none", why="retired"),
        make_host("a1", reinstalled_at="2026-11-18"),
        make_host("a3"),
    ):
        beside = make_estate(other, OTHER)
        assert came_to(town.run(beside, NOON + DAY_S, shows(OLD), only=(OTHER,))) == [("pass", "", "")]
    assert came_to(town.run(make_estate(OTHER), NOON + 120, shows(OLD))) == [("pass", "", "")]
