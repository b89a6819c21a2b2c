"""Decisions: each reason that makes one void, the inclusive last day, and that none ever changes an outcome."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make import make_acceptance, make_control, make_estate, make_finding, make_host, make_measure

from auditor.decisions import InForce, in_force
from auditor.model import Acceptance, Outcome, Signatory, Subject
from auditor.reconcile import reconcile

TODAY = "2026-11-21"
TOWN = make_estate(
    make_host("web01", zone="dmz"), make_host("db01"), make_host("shared01", perimeter="common", zone="dmz")
)
CONTROLS = {c: make_control(c) for c in ("kept-long-enough", "other-control")} | {
    "of-collectors": make_control("of-collectors", roles=("log-collector",)),
    "of-windows": make_control("of-windows", platforms=("windows",)),
}
MEASURES = {"log-retention": make_measure(regime={"shared": "adaptation", "exclusive": "acceptance"})}


def decided(*acceptances: Acceptance, as_of: str = TODAY, town: Any = TOWN, measures: Any = MEASURES) -> InForce:
    return in_force(acceptances, town, CONTROLS, measures, as_of)


def codes(as_of: str = TODAY, **changes: Any) -> list[str]:
    return [v.code for v in decided(make_acceptance(**changes), as_of=as_of).void]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"perimeter": "none"}, ["R-ORPHAN"]),
        ({"controls": ("kept-long-enough", "gone")}, ["R-ORPHAN"]),
        ({"controls": ("*",)}, ["R-ORPHAN"]),
        ({"owner_entity": "OTHER"}, ["R-OWNER"]),
        ({"role": "chair"}, ["R-OWNER"]),
        ({"role": "nobody"}, ["R-OWNER"]),
        ({"signed_at": "2025-12-31", "effective_from": "2025-12-31", "communicated_at": "2025-12-01"}, ["R-ROLE"]),
        ({"communicated_at": "2026-06-02"}, ["R-RECO"]),
        ({"communicated_at": "2026-06-01"}, []),
        ({"expires": "2026-11-21"}, []),
        ({"expires": "2026-11-20"}, ["R-EXPIRY"]),
        ({"effective_from": "2026-11-22"}, ["R-STATUS"]),
        ({"effective_from": "2026-11-21"}, []),
        ({"status": "revoked"}, ["R-STATUS"]),
        ({"status": "draft"}, ["R-STATUS"]),
        ({"hosts": ("gone",)}, ["R-SCOPE"]),
        ({"hosts": ("shared01",)}, ["R-SCOPE"]),
        ({"hosts": (), "zones": ("gone",)}, ["R-SCOPE"]),
        ({"controls": ("of-collectors",)}, ["R-SCOPE"]),
        ({"controls": ("kept-long-enough", "of-windows")}, ["R-SCOPE"]),
        ({"perimeter": "common", "hosts": ("shared01",)}, ["R-REGIME"]),
        ({"expires": "2026-01-01", "status": "revoked", "hosts": ("gone",)}, ["R-EXPIRY", "R-STATUS", "R-SCOPE"]),
    ],
)
def test_a_decision_is_void_for_its_reasons(changes: dict[str, Any], expected: list[str]) -> None:
    """Every reason is given, and a void decision covers nothing."""
    assert codes(**changes) == expected
    found = decided(make_acceptance(**changes))
    assert bool(found.holding) is not bool(expected)
    assert bool(found.covering) is not bool(expected)


def test_the_last_day_is_inclusive() -> None:
    """It holds on the day it expires and not on the next; a mandate's first and last days count too."""
    assert codes(as_of="2026-12-31") == []
    assert codes(as_of="2027-01-01") == ["R-EXPIRY"]
    edge = {"communicated_at": "2025-01-01", "expires": "2027-12-31"}
    assert codes(signed_at="2026-01-01", effective_from="2026-01-01", **edge) == []
    assert codes(as_of="2027-01-01", signed_at="2026-12-31", effective_from="2026-12-31", **edge) == []
    assert codes(as_of="2027-01-02", signed_at="2027-01-01", effective_from="2027-01-01", **edge) == ["R-ROLE"]


def test_a_decision_signed_later_does_not_hold_before() -> None:
    """Judging on an earlier day does not know of it."""
    assert codes(as_of="2026-05-31") == ["R-STATUS"]


def test_a_measure_that_can_only_be_adapted_is_not_accepted() -> None:
    """Where the regime of the measure knows no acceptance on this kind of perimeter, there is none."""
    for regime in ({}, {"exclusive": "none"}, {"exclusive": "statutory"}):
        only_adapted = {"log-retention": make_measure(regime={"shared": "adaptation", **regime})}
        assert [v.code for v in decided(make_acceptance(), measures=only_adapted).void] == ["R-REGIME"]


def test_a_role_of_two_mandates_signs_in_each() -> None:
    """A role that was renewed, or that signs for two entities, is entitled by the mandate of the day."""
    town = make_estate(
        make_host(),
        signatories=(
            Signatory("mayor", "OTHER"),
            Signatory("mayor", "TOWN", "2020-01-01", "2025-12-31"),
            Signatory("mayor", "TOWN", "2026-01-01"),
        ),
    )
    assert decided(make_acceptance(), town=town).void == ()


def test_a_zone_covers_its_hosts_of_the_perimeter_alone() -> None:
    """A zone that two perimeters share opens no door into the other."""
    found = decided(make_acceptance(hosts=(), zones=("dmz",)))
    assert set(found.covering) == {("kept-long-enough", "web01")}


def test_a_host_without_a_zone_is_in_no_zone() -> None:
    """An empty zone name does not match hosts that have none."""
    assert decided(make_acceptance(hosts=("web01",), zones=("",))).covering == {}


def test_the_later_signature_speaks_whatever_the_order() -> None:
    """Two decisions on one finding: one stands beside it, always the same."""
    first, second = make_acceptance("ACC-1"), make_acceptance("ACC-2", signed_at="2026-07-01")
    for given_order in ((first, second), (second, first)):
        assert decided(*given_order).covering["kept-long-enough", "web01"].id == "ACC-2"


# ---------------------------------------------------------------- properties

OUTCOMES = st.sampled_from([*Outcome, None])
SUBJECTS = st.sampled_from(
    [
        Subject("host", "web01", "own"),
        Subject("host", "db01", "own"),
        Subject("host", "shared01", "common"),
        Subject("perimeter", "web01", "own"),
    ]
)
FINDINGS = st.lists(
    st.builds(
        lambda o, s, c: make_finding(o, subject=s, control=c), OUTCOMES, SUBJECTS, st.sampled_from(sorted(CONTROLS))
    ),
    max_size=8,
    unique_by=lambda f: (f.control, f.subject.key),
)
ACCEPTANCES = st.lists(
    st.builds(
        make_acceptance,
        st.sampled_from(["ACC-1", "ACC-2", "ACC-3", "ACC-4"]),
        perimeter=st.sampled_from(["own", "common", "gone"]),
        owner_entity=st.sampled_from(["TOWN", "OTHER"]),
        role=st.sampled_from(["mayor", "mayor", "chair"]),
        controls=st.sampled_from([("kept-long-enough",), ("other-control", "kept-long-enough"), ("gone",)]),
        hosts=st.sampled_from([("web01",), ("web01", "db01"), ("shared01",), ()]),
        zones=st.sampled_from([(), ("dmz",)]),
        signed_at=st.sampled_from(["2026-06-01", "2026-07-01", "2025-01-01"]),
        expires=st.sampled_from(["2026-11-21", "2026-11-20", "2027-01-01"]),
        status=st.sampled_from(["active", "active", "revoked"]),
    ),
    max_size=4,
    unique_by=lambda a: a.id,
)


@given(FINDINGS, ACCEPTANCES)
def test_no_decision_ever_changes_an_outcome(findings: list[Any], acceptances: list[Acceptance]) -> None:
    """A decision stands beside a failure or a warning of a host of its own perimeter, and changes nothing else."""
    found = decided(*acceptances)
    by_id = {a.id: a for a in acceptances}
    beside, _ = reconcile(findings, found)
    for one in beside:
        assert one.decision is not None
        assert one.outcome in (Outcome.FAIL, Outcome.WARN)
        assert one.subject.kind == "host"
        acceptance = by_id[one.decision.id]
        assert one.subject.perimeter == acceptance.perimeter == "own"
        assert one.control in acceptance.controls
    plain = [(f.control, f.subject, f.outcome, f.reasons, f.severity) for f in findings]
    for one in beside:
        assert (one.control, one.subject, one.outcome, one.reasons, one.severity) in plain


@given(FINDINGS, ACCEPTANCES, st.randoms())
def test_the_order_of_decisions_does_not_matter(
    findings: list[Any], acceptances: list[Acceptance], random: Any
) -> None:
    """The same decisions in another order stand beside the same findings and are void for the same reasons."""
    shuffled = list(acceptances)
    random.shuffle(shuffled)
    one, other = decided(*acceptances), decided(*shuffled)
    assert set(one.void) == set(other.void)
    assert reconcile(findings, one)[0] == reconcile(findings, other)[0]
    assert set(reconcile(findings, one)[1]) == set(reconcile(findings, other)[1])


def test_nobody_accepts_what_was_not_seen() -> None:
    """An unknown stays open whatever was signed."""
    for outcome in (Outcome.UNKNOWN, Outcome.PASS, None):
        assert reconcile([make_finding(outcome)], decided(make_acceptance()))[0] == []
