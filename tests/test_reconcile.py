"""Reconciliation: the decision beside a finding, which decisions can be closed, what nothing is asked of, flat memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import product

import pytest
from make import (
    make_acceptance,
    make_action,
    make_control,
    make_estate,
    make_exemption,
    make_finding,
    make_host,
    make_measure,
)

from auditor.decisions import InForce, in_force
from auditor.model import Coverage, Finding, Outcome, Subject, Unknown
from auditor.reconcile import reconcile
from auditor.records import Compensation, Record

TOWN = make_estate(make_host("web01"), make_host("db01"))


def decided(*records: Record) -> InForce:
    return in_force(
        records, TOWN, {"kept-long-enough": make_control()}, {"log-retention": make_measure()}, "2026-11-21"
    )


def noted(*findings: Finding, records: tuple[Record, ...] = (make_acceptance(),)) -> list[tuple[str, str]]:
    reconciled = reconcile(lambda: findings, decided(*records))
    list(reconciled.beside())
    return [(n.id, n.code) for n in reconciled.notes()]


def test_the_decision_says_by_whom_until_when_and_why() -> None:
    """The role and its entity, never the person."""
    (one,) = reconcile(lambda: [make_finding()], decided(make_acceptance())).beside()
    assert one.decision is not None
    assert (one.decision.id, one.decision.by, one.decision.until) == ("ACC-1", "mayor (TOWN)", "2026-12-31")
    assert (one.decision.kind, one.decision.why) == ("acceptance", "The machine is replaced next year.")


def test_a_decision_whose_findings_all_pass_can_be_closed() -> None:
    """Everything it covers was seen and is well, or does not concern the host."""
    assert noted(make_finding(Outcome.PASS)) == [("ACC-1", "R-IDLE")]
    assert noted(make_finding(None)) == [("ACC-1", "R-IDLE")]
    assert noted(make_finding(Outcome.FAIL)) == []
    assert noted(make_finding(Outcome.WARN)) == []


def test_a_decision_about_what_was_not_seen_cannot_be_closed() -> None:
    """An unknown outcome, and a host outside this run, may well fail."""
    assert noted(make_finding(Outcome.UNKNOWN)) == []
    assert noted() == []
    both = (make_acceptance(hosts=("web01", "db01")),)
    assert noted(make_finding(Outcome.PASS), records=both) == []
    seen = make_finding(Outcome.PASS), make_finding(Outcome.PASS, "db01", 1)
    assert noted(*seen, records=both) == [("ACC-1", "R-IDLE")]


def test_void_decisions_come_first_with_every_reason() -> None:
    """They are reported whatever the findings."""
    void = make_acceptance("ACC-0", expires="2026-07-01", status="revoked")
    assert noted(make_finding(Outcome.PASS), records=(make_acceptance(), void)) == [
        ("ACC-0", "R-EXPIRY"), ("ACC-0", "R-STATUS"), ("ACC-1", "R-IDLE"),
    ]  # fmt: skip


def test_an_exemption_says_why_nothing_is_asked() -> None:
    """Of a measure on a perimeter, of a host without any check; of nothing else, and of no other perimeter."""
    one = make_exemption(controls=(), hosts=(), unasked_measures=("log-retention",), unasked_hosts=("db01",))
    why = Unknown("nothing_asked", "x")
    gaps = [
        Coverage(Subject("perimeter", "own", "own"), "log-retention", why),
        Coverage(Subject("perimeter", "own", "own"), "other", why),
        Coverage(Subject("perimeter", "common", "common"), "log-retention", why),
        Coverage(Subject("host", "db01", "own"), "", why),
        Coverage(Subject("host", "web01", "own"), "", why),
    ]
    found = list(reconcile(lambda: (), decided(one)).coverage(gaps))
    assert [(bool(g.decision), g.gates) for g in found] == [
        (True, False), (False, True), (False, True), (True, False), (False, True),
    ]  # fmt: skip


def test_memory_follows_the_decisions_and_not_the_findings() -> None:
    """Twenty times the findings take no more."""
    found = decided(make_acceptance(), make_exemption("EXE-1", hosts=("db01",)))

    def used(count: int) -> int:
        def findings() -> Iterator[Finding]:
            for seq in range(count):
                yield make_finding(Outcome.FAIL, ("web01", "db01", "gone")[seq % 3], seq)

        tracemalloc.start()
        reconciled = reconcile(findings, found)
        assert sum(1 for _ in reconciled.beside()) == count - count // 3
        reconciled.notes(), reconciled.to_do()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    used(6000)
    assert used(6000) < used(300) + 20_000


@pytest.mark.parametrize(
    "records",
    [
        (),
        (make_acceptance(),),
        (make_acceptance(hosts=("web01", "db01")), make_acceptance("ACC-2", controls=("other",))),
        (make_acceptance(compensated_by=(Compensation("other"),)),),
        (make_action(status="done"),),
    ],
)
def test_what_does_not_matter_need_not_be_read(records: tuple[Record, ...]) -> None:
    """Whatever is open, and all on a subject that something is decided of; the rest changes nothing, and is left out."""
    now = decided(*records)
    findings = [
        make_finding(outcome, host, seq, control=control)
        for seq, (outcome, host, control) in enumerate(
            product((*Outcome, None), ("web01", "db01", "far03"), ("kept-long-enough", "other"))
        )
    ]
    mattering = [f for f in findings if now.matters(f.subject.key, f.outcome)]
    whole, less = reconcile(lambda: findings, now), reconcile(lambda: findings, now, lambda: mattering)
    assert list(whole.beside()) == list(less.beside())
    assert (whole.notes(), whole.to_do(), whole.actions()) == (less.notes(), less.to_do(), less.actions())
    assert 0 < len(mattering) < len(findings)
