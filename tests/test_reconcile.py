"""Reconciliation: the decision beside a finding, and which decisions can be closed because what they cover was seen."""

from __future__ import annotations

from make import make_acceptance, make_control, make_estate, make_finding, make_host, make_measure

from auditor.decisions import InForce, in_force
from auditor.model import Acceptance, Finding, Outcome
from auditor.reconcile import reconcile

TOWN = make_estate(make_host("web01"), make_host("db01"))


def decided(*acceptances: Acceptance) -> InForce:
    return in_force(
        acceptances, TOWN, {"kept-long-enough": make_control()}, {"log-retention": make_measure()}, "2026-11-21"
    )


def idle_codes(*findings: Finding, acceptances: tuple[Acceptance, ...] = (make_acceptance(),)) -> list[tuple[str, str]]:
    return [(i.id, i.code) for i in reconcile(findings, decided(*acceptances))[1]]


def test_the_decision_says_by_whom_until_when_and_why() -> None:
    """The role and its entity, never the person."""
    (one,) = reconcile([make_finding()], decided(make_acceptance()))[0]
    assert one.decision is not None
    assert (one.decision.id, one.decision.by, one.decision.until) == ("ACC-1", "mayor (TOWN)", "2026-12-31")
    assert one.decision.why == "The machine is replaced next year."


def test_a_decision_whose_findings_all_pass_can_be_closed() -> None:
    """Everything it covers was seen and is well, or does not concern the host."""
    assert idle_codes(make_finding(Outcome.PASS)) == [("ACC-1", "R-IDLE")]
    assert idle_codes(make_finding(None)) == [("ACC-1", "R-IDLE")]
    assert idle_codes(make_finding(Outcome.FAIL)) == []
    assert idle_codes(make_finding(Outcome.WARN)) == []


def test_a_decision_about_what_was_not_seen_cannot_be_closed() -> None:
    """An unknown outcome, and a host outside this run, may well fail."""
    assert idle_codes(make_finding(Outcome.UNKNOWN)) == []
    assert idle_codes() == []
    both = (make_acceptance(hosts=("web01", "db01")),)
    assert idle_codes(make_finding(Outcome.PASS), acceptances=both) == []
    seen = make_finding(Outcome.PASS), make_finding(Outcome.PASS, "db01", 1)
    assert idle_codes(*seen, acceptances=both) == [("ACC-1", "R-IDLE")]


def test_a_decision_that_another_one_speaks_for_is_not_idle() -> None:
    """Two on one failure: closing either is not for the auditor to say."""
    both = (make_acceptance("ACC-1"), make_acceptance("ACC-2", signed_at="2026-07-01"))
    assert idle_codes(make_finding(Outcome.FAIL), acceptances=both) == []


def test_void_decisions_come_first_with_every_reason() -> None:
    """They are reported whatever the findings."""
    void = make_acceptance("ACC-0", expires="2026-01-01", status="revoked")
    assert idle_codes(make_finding(Outcome.PASS), acceptances=(make_acceptance(), void)) == [
        ("ACC-0", "R-EXPIRY"), ("ACC-0", "R-STATUS"), ("ACC-1", "R-IDLE"),
    ]  # fmt: skip
