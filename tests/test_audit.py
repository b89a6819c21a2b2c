"""The one path: both phases, whatever interrupts or breaks on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from make import (
    NOBODY,
    ask_with,
    begin,
    make_acceptance,
    make_adaptation,
    make_control,
    make_derived,
    make_estate,
    make_host,
    make_measure,
    make_pace,
    make_plan,
    make_probe,
    told,
)

from auditor.audit import audit
from auditor.decisions import InForce, in_force
from auditor.model import Outcome
from auditor.plan import Plan
from auditor.store import Store, StoredRun
from auditor.summary import exit_code

TOWN = make_estate(*(make_host(n) for n in "abcd"))
PROBES = {"sample": make_probe(), "folded": make_derived()}
CONTROLS = [make_control(), make_control("least", probe="folded")]


def audited(plan: Plan, ask: Any, decided: InForce = NOBODY, **pace: Any) -> StoredRun:
    store = Store("")
    return audit(plan, {"ssh": ask} if ask else {}, store, begin(store, plan), decided, make_pace(**pace))


def outcomes(run: StoredRun) -> dict[str, tuple[str, str]]:
    """By subject: the outcome of its first finding, and the cause."""
    return {
        f.subject.id: (str(f.outcome), f.reasons[0].cause.cause if f.reasons and f.reasons[0].cause else "")
        for f in run.findings()
    }


def test_both_phases_run_over_all_hosts() -> None:
    """Hosts, then perimeters; complete, and everything was measured."""
    run = audited(make_plan(TOWN, CONTROLS, PROBES, in_force=()), ask_with())
    assert [f.subject.id for f in run.findings()] == ["a", "b", "c", "d", "own", "common"][: len(list(run.findings()))]
    assert run.header.state == "complete"
    assert outcomes(run)["own"] == ("pass", "")


@pytest.mark.parametrize("jobs", [1, 4])
def test_an_interrupted_run_is_partial_and_still_derives(jobs: int) -> None:
    """On Ctrl-C what is in is judged, the rest is unknown: interrupted, and the second phase has run."""
    seen = []

    def done(host: str, earlier: bool) -> None:
        seen.append(host)
        if len(seen) == 2:
            raise KeyboardInterrupt

    run = audited(make_plan(TOWN, CONTROLS, PROBES), ask_with(), jobs=jobs, done=done)
    assert run.header.state == "partial"
    told_by = outcomes(run)
    assert sorted(h for h in "abcd" if told_by[h] == ("pass", "")) == sorted(seen)
    assert all(told_by[h] == ("unknown", "interrupted") for h in "abcd" if h not in seen)
    assert told_by["own"] == ("unknown", "interrupted")
    assert {h.host for h in run.hosts()} == set("abcd")
    assert exit_code(run, "never", False) == 3


def test_a_defect_costs_one_host(caplog: pytest.LogCaptureFixture) -> None:
    """A parse that raises makes that host unknown: internal, keeps its traceback, and the others go on."""

    def parse(answers: Any, args: Any) -> Any:
        if "boom" in answers["days"].text:
            raise KeyError("a defect")
        return {"days": 400, "names": []}

    def ask(host: Any, commands: Any, deadline_s: float) -> Iterator[Any]:
        yield from told(commands, "boom" if host.id == "b" else "400", host.id).items()

    run = audited(make_plan(TOWN, CONTROLS, {**PROBES, "sample": make_probe(parse)}), ask)
    found = outcomes(run)
    assert found["b"] == ("unknown", "internal")
    assert [found[h][0] for h in "acd"] == ["pass"] * 3
    assert found["own"] == ("unknown", "internal")
    assert run.header.state == "complete"
    assert "KeyError: 'a defect'" in caplog.text


def test_a_transport_that_breaks_costs_one_host() -> None:
    """Also when it breaks after some answers, or ends without them."""

    def ask(host: Any, commands: Any, deadline_s: float) -> Iterator[Any]:
        if host.id == "a":
            raise RuntimeError("broken")
        answers = list(told(commands, name=host.id).items())
        yield from answers[:1] if host.id == "b" else answers
        if host.id == "c":
            raise OSError("late")

    found = outcomes(audited(make_plan(TOWN), ask))
    assert found == {
        "a": ("unknown", "internal"),
        "b": ("unknown", "closed"),
        "c": ("unknown", "internal"),
        "d": ("pass", ""),
    }


def test_no_way_in_is_unknown() -> None:
    """A host whose transport this release does not have is there, unknown."""
    assert set(outcomes(audited(make_plan(TOWN), None)).values()) == {("unknown", "no_transport")}


def test_the_order_of_findings_is_the_plans_not_the_threads() -> None:
    """Hosts that answer in another order give the same run."""
    import time

    def slow_first(host: Any, commands: Any, deadline_s: float) -> Iterator[Any]:
        time.sleep(0.2 if host.id == "a" else 0)
        yield from told(commands, name=host.id).items()

    plan = make_plan(TOWN, CONTROLS, PROBES)
    one, other = audited(plan, slow_first), audited(plan, ask_with(), jobs=1)
    assert list(one.findings()) == list(other.findings())
    assert one.header == other.header


def test_a_decision_stands_beside_a_failure_and_changes_nothing_else() -> None:
    """The same run with and without it differs in the decision alone."""
    plan = make_plan(make_estate(make_host("web01"), make_host("db01")))
    decided = in_force((make_acceptance(),), plan.estate, {c.id: c for c in plan.controls}, plan.measures, "2026-11-21")
    with_it, without = audited(plan, ask_with("3"), decided), audited(plan, ask_with("3"))
    assert (
        [f.outcome for f in with_it.findings()]
        == [f.outcome for f in without.findings()]
        == [Outcome.FAIL, Outcome.FAIL]
    )
    assert [f.decision.id if f.decision else None for f in with_it.findings()] == ["ACC-1", None]
    assert list(with_it.idle()) == []
    assert [i.code for i in audited(plan, ask_with(), decided).idle()] == ["R-IDLE"]
    assert list(audited(plan, None, decided).idle()) == [], "what was not seen cannot be closed"


@pytest.mark.parametrize(("days", "stands"), [("200", True), ("99", False)])
def test_what_was_accepted_is_bound_while_the_facts_are_there(days: str, stands: bool) -> None:
    """`as_long_as` is looked at with the facts; the report needs them no more, and a worse host is open again."""
    plan = make_plan(make_estate(make_host("web01")))
    controls = {c.id: c for c in plan.controls}
    one = make_acceptance(as_long_as={"kept-long-enough": {"days": {"at_least": 100}}})
    decided = in_force((one,), plan.estate, controls, plan.measures, "2026-11-21")
    (found,) = audited(replace(plan, bounds=decided.bounds), ask_with(days), decided).findings()
    assert found.outcome is Outcome.FAIL
    assert (found.decision is not None) is stands
    assert [(s.code, [r.observed for r in s.reasons]) for s in found.suspended] == (
        [] if stands else [("R-BOUND", [99])]
    )


@pytest.mark.parametrize(("days", "adapted"), [("150", Outcome.PASS), ("70", Outcome.WARN), ("20", Outcome.FAIL)])
def test_an_adapted_target_is_judged_beside_the_conventions(days: str, adapted: Outcome) -> None:
    """With the adaptation's parameters in the place of the measure's."""
    control = make_control(
        expect={"days": {"at_least": "$target_days"}}, tolerate={"days": {"at_least": "$limit_days"}}
    )
    measures = {"log-retention": make_measure()}
    plan = make_plan(make_estate(make_host("shared01", perimeter="common")), [control], measures=measures)
    decided = in_force((make_adaptation(),), plan.estate, {control.id: control}, measures, "2026-11-21")
    (found,) = audited(replace(plan, bounds=decided.bounds), ask_with(days), decided).findings()
    assert (found.outcome, found.adapted) == (Outcome.FAIL, adapted)
    assert found.decision is not None
