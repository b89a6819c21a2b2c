"""Decisions: every reason code, what each kind may cover, the inclusive days, and that none ever changes an outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make import (
    SEALED,
    make_acceptance,
    make_action,
    make_adaptation,
    make_control,
    make_estate,
    make_exemption,
    make_finding,
    make_host,
    make_measure,
    make_recommendation,
)

from auditor.decisions import InForce, in_force, signed_digest
from auditor.decisions.context import lateness, later
from auditor.model import BoundSeen, Finding, Outcome, Perimeter, Signatory, Subject
from auditor.reconcile import reconcile
from auditor.records import (
    Compensation,
    Decision,
    DecisionRules,
    Delegation,
    Level,
    Notice,
    Planned,
    Proof,
    Record,
    Risk,
    Scope,
)
from auditor.summary import counts_as, gating

TODAY = "2026-11-21"
PERIMETERS = {
    "own": Perimeter("own", "TOWN"),
    "common": Perimeter("common", "TOWN", "shared", ("OTHER",)),
    "theirs": Perimeter("theirs", "OTHER", advised_by="TOWN"),
}
TOWN = make_estate(
    make_host("web01", zone="dmz", groups=("web",), roles=("front",), address="10.62.60.4"),
    make_host("web02", zone="dmz", groups=("web",), address="10.62.60.5"),
    make_host("db01", address="10.62.20.5"),
    make_host("shared01", perimeter="common", zone="dmz"),
    make_host("far01", perimeter="theirs"),
    perimeters=PERIMETERS,
)
CONTROLS = {c: make_control(c) for c in ("kept-long-enough", "other-control")} | {
    "of-collectors": make_control("of-collectors", roles=("log-collector",)),
    "of-windows": make_control("of-windows", platforms=("windows",)),
    "of-the-whole": make_control("of-the-whole", of="perimeter"),
    "of-the-law": make_control("of-the-law", measure="breach-notice"),
}
MEASURES = {
    "log-retention": make_measure(regime={"shared": "adaptation", "exclusive": "acceptance"}),
    "breach-notice": make_measure("breach-notice", regime={"shared": "none", "exclusive": "none"}),
}
HIGH = Risk(Level(niveau="eleve"), Level(niveau="eleve"))


def decided(*records: Record, as_of: str = TODAY, town: Any = TOWN, measures: Any = MEASURES, **more: Any) -> InForce:
    return in_force(records, town, {**CONTROLS, **more}, measures, as_of)


def codes(*records: Record, state: str = "void", **more: Any) -> list[str]:
    return [n.code for n in decided(*records, **more).notes if n.state == state]


def covers(found: InForce, *hosts: str, control: str = "kept-long-enough") -> bool:
    return all(found.about(control, f"host:{host}") for host in hosts)


# ---------------------------------------------------------------- what makes a record void


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"perimeter": "none"}, ["R-ORPHAN"]),
        ({"controls": ("gone",)}, ["R-ORPHAN"]),
        ({"controls": ("*",)}, ["R-ORPHAN"]),
        ({"entity": "OTHER"}, ["R-OWNER"]),
        ({"role": "chair"}, ["R-OWNER"]),
        ({"role": "nobody"}, ["R-OWNER"]),
        ({"role": "ssi-lead"}, ["R-ROLE"]),  # it may sign exemptions alone
        ({"role": "mayor", "delegation_ref": "DEL-9"}, ["R-OWNER"]),
        ({"drafted_by": "mayor"}, ["R-DRAFT"]),
        ({"drafted_by": "ssi-lead"}, []),
        ({"recommendation": "REC-9"}, ["R-RECO"]),
        ({"expires": "2026-11-21"}, []),
        ({"expires": "2026-11-20"}, ["R-EXPIRY"]),
        ({"expires": "2027-06-01"}, []),
        ({"expires": "2027-06-02"}, ["R-EXPIRY"]),
        ({"effective_from": "2026-11-22"}, ["R-STATUS"]),
        ({"effective_from": "2026-11-21"}, []),
        *(({"status": status}, ["R-STATUS"]) for status in ("draft", "submitted", "rejected", "revoked", "superseded")),
        ({"hosts": ("gone",)}, ["R-SCOPE"]),
        ({"hosts": ("shared01",)}, ["R-SCOPE"]),
        ({"hosts": ()}, ["R-SCOPE"]),
        ({"hosts": (), "zones": ("gone",), "frozen": ("web01",), "count": 1}, ["R-SCOPE", "R-SCOPE"]),
        ({"hosts": (), "zones": ("dmz",)}, ["R-SCOPE"]),  # nobody froze what it stood for
        ({"hosts": (), "zones": ("dmz",), "frozen": ("web01",), "count": 2}, ["R-SCOPE"]),
        ({"controls": ("of-collectors",)}, ["R-SCOPE"]),
        ({"controls": ("of-the-whole",)}, ["R-SCOPE"]),
        ({"controls": ("of-the-whole",), "scope": Scope(perimeter=True)}, []),
        (
            {
                "risk": Risk(Level(niveau="moyen"), Level(niveau="eleve")),
                "deliberation": "n°6",
                "expires": "2026-12-01",
            },
            ["R-LEVEL"],
        ),
        ({"risk": HIGH, "expires": "2026-12-01"}, ["R-LEVEL"]),
        ({"risk": HIGH, "expires": "2026-12-01", "deliberation": "n°6"}, []),
        ({"risk": HIGH, "expires": "2026-12-02", "deliberation": "n°6"}, ["R-EXPIRY"]),  # six months where it is high
        ({"risk": Risk(residual=Level("G2", "V2", "faible"), matrix="ebios-rm-4x4@1")}, ["R-LEVEL"]),
        ({"risk": Risk(residual=Level("G2", "V2", "moyen"), matrix="ebios-rm-4x4@1")}, []),
        (  # high, and not deliberated
            {"risk": Risk(residual=Level("G4", "V4"), matrix="ebios-rm-4x4@1"), "expires": "2026-12-01"},
            ["R-LEVEL"],
        ),
        (  # high by its matrix, whether the record says so or not: six months
            {"risk": Risk(residual=Level("G4", "V4"), matrix="ebios-rm-4x4@1"), "deliberation": "n°6"},
            ["R-EXPIRY"],
        ),
        ({"risk": Risk(residual=Level("G4", "V4"))}, ["R-LEVEL"]),  # no matrix: nobody can tell its level
        ({"risk": Risk(residual=Level("G4", "V4", "faible"))}, ["R-LEVEL"]),
        ({"risk": Risk(residual=Level("", "V4", "faible"))}, []),
        ({"revisions": {"kept-long-enough": 2}}, ["R-ORPHAN"]),  # a revision that nobody has written yet
        ({"compensated_by": (Compensation("gone"),)}, ["R-COMP"]),
        ({"compensated_by": (Compensation("other-control", "gone"),)}, ["R-COMP"]),
        ({"compensated_by": (Compensation("other-control", "own"),)}, []),
        ({"risk": Risk(matrix="of-nobody")}, ["R-LEVEL"]),
        ({"risk": Risk(personal_data=True)}, ["R-DPO"]),
        ({"risk": Risk(personal_data=True), "dpo_at": "2026-06-02"}, ["R-DPO"]),
        ({"risk": Risk(personal_data=True), "dpo_at": "2026-06-01"}, []),
        ({"proofs": ()}, ["R-HASH"]),
        ({"proofs": (Proof("x.pdf", "ab" * 32, ""),)}, ["R-HASH"]),
        ({"proofs": (Proof("x.pdf", "ab" * 32, "cd" * 32),)}, ["R-HASH"]),
        ({"proofs": (Proof("x.pdf", "", ""),)}, ["R-HASH"]),
        ({"intact": False}, ["R-HASH"]),
        ({"intact": True}, []),
        ({"as_long_as": {"other-control": {"days": {"at_least": 3}}}}, ["R-BOUND"]),
        ({"measures": (Planned("A disk.", "2026-10-21", False),)}, ["R-COMP"]),  # past the grace of thirty days
        ({"measures": (Planned("A disk.", "2026-10-22", False),)}, []),
        ({"measures": (Planned("A disk.", "2026-01-01", True),)}, []),
        ({"expires": "2026-11-01", "status": "revoked", "hosts": ("gone",)}, ["R-EXPIRY", "R-STATUS", "R-SCOPE"]),
    ],
)
def test_an_acceptance_is_void_for_its_reasons(changes: dict[str, Any], expected: list[str]) -> None:
    """Every reason is given, and a void decision covers nothing."""
    one = make_acceptance(**changes)
    found = decided(one)
    assert [n.code for n in found.notes if n.state == "void"] == expected
    assert bool(found.held) is not bool(expected)
    assert bool(found.by_subject) is not bool(expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"perimeter": "own", "hosts": ("web01",)}, ["R-REGIME"]),
        ({"controls": ("of-the-law",), "measure": "breach-notice"}, ["R-REGIME"]),
        ({"informed": ()}, ["R-NOTICE"]),
        ({"informed": (Notice("TOWN", "2026-05-01"),)}, ["R-NOTICE"]),
        ({"informed": (Notice("OTHER", "2026-11-22"),)}, ["R-NOTICE"]),
        ({"informed": (Notice("OTHER", "2026-11-21"),)}, []),
        ({"entity": "OTHER", "role": "chair"}, ["R-OWNER", "R-OWNER"]),
        ({"parameters": {"target_dyas": 3}}, ["R-BOUND"]),
        ({"expect": {"other-control": {"days": {"at_least": 3}}}}, ["R-BOUND"]),
        ({"measure": "gone"}, ["R-ORPHAN"]),
        ({"measure": "breach-notice", "parameters": {}}, ["R-BOUND"]),
        ({"original": {"target_days": 365}}, []),
        ({"original": {"target_days": 300}}, ["R-VERSION"]),
        ({"proofs": (Proof("notice.pdf", "ab" * 32, ""),)}, ["R-HASH"]),
        ({"expires": "2026-11-20"}, ["R-EXPIRY"]),
    ],
)
def test_an_adaptation_is_void_for_its_reasons(changes: dict[str, Any], expected: list[str]) -> None:
    """Only on a shared perimeter, by its operator, once every beneficiary was told."""
    assert codes(make_adaptation(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"perimeter": "common", "hosts": ("shared01",)}, []),
        ({"perimeter": "theirs", "hosts": ("far01",)}, []),  # its adviser may: it accepts nothing
        ({"role": "mayor"}, ["R-ROLE"]),
        ({"controls": ("of-the-law",)}, ["R-REGIME"]),
        ({"risk": None}, ["R-LEVEL"]),
        ({"risk": Risk(residual=Level(niveau="moyen"))}, ["R-LEVEL"]),
        ({"risk": Risk(Level(niveau="eleve"), Level(niveau="faible"))}, ["R-LEVEL"]),
        ({"proofs": ()}, ["R-HASH"]),
        ({"controls": (), "hosts": (), "unasked_measures": ("log-retention",)}, []),
        ({"controls": (), "hosts": (), "unasked_measures": ("breach-notice",)}, ["R-REGIME"]),
    ],
)
def test_an_exemption_is_void_for_its_reasons(changes: dict[str, Any], expected: list[str]) -> None:
    """A technical record, with its proof, of what is no risk to speak of."""
    assert codes(make_exemption(**changes)) == expected


def test_an_acceptance_is_the_owners_alone() -> None:
    """Whoever advises or operates another's perimeter accepts nothing there, and the owner nothing on a shared one."""
    recommended = {"recommendations": {"REC-1": make_recommendation(perimeter="theirs", issued_by="TOWN")}}
    town = replace(TOWN, **recommended)
    theirs = {"perimeter": "theirs", "hosts": ("far01",)}
    assert codes(make_acceptance(**theirs), town=town) == ["R-OWNER", "R-OWNER"]
    assert codes(make_acceptance(**theirs, entity="OTHER", role="chair"), town=town) == []
    assert "R-REGIME" in codes(make_acceptance(perimeter="common", hosts=("shared01",)))


def test_a_perimeter_that_changed_hands_takes_no_decision_with_it() -> None:
    """Signed before its present owner had it."""
    moved = replace(TOWN, perimeters={**PERIMETERS, "own": Perimeter("own", "TOWN", since="2026-06-02")})
    assert codes(make_acceptance(), town=moved) == ["R-OWNER"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"communicated_at": "2026-06-01"}, []),
        ({"communicated_at": "2026-06-02"}, ["R-RECO"]),
        ({"communicated_at": ""}, ["R-RECO"]),
        ({"perimeter": "theirs"}, ["R-RECO"]),
        ({"controls": ("other-control",)}, ["R-RECO"]),
        ({"issued_by": "TOWN"}, ["R-RECO"]),  # nobody recommends to itself
        ({"hosts": ("db01",)}, ["R-RECO"]),
        ({"hosts": ("web01", "db01")}, []),
        ({"proof": Proof("letter.html", "ab" * 32, "cd" * 32)}, ["R-HASH"]),
        ({"proof": Proof("letter.html", "ab" * 32, "ab" * 32)}, []),
    ],
)
def test_a_recommendation_was_communicated_before(changes: dict[str, Any], expected: list[str]) -> None:
    """About the same controls, to the owner of the same perimeter."""
    town = replace(TOWN, recommendations={"REC-1": make_recommendation(**changes)})
    assert codes(make_acceptance(), town=town) == expected


def test_a_measure_that_can_only_be_adapted_is_not_accepted() -> None:
    """Where the regime of the measure knows no acceptance on this kind of perimeter, there is none."""
    only_adapted = {"log-retention": make_measure(regime={"shared": "adaptation"})}
    assert codes(make_acceptance(), measures=only_adapted) == ["R-REGIME"]
    for none in ("none", "statutory"):
        nothing = {"log-retention": make_measure(regime={"shared": "adaptation", "exclusive": none})}
        assert codes(make_acceptance(), measures=nothing) == ["R-REGIME"]
        assert codes(make_exemption(), measures=nothing) == ["R-REGIME"]
    assert codes(make_exemption(), measures=only_adapted) == [], (
        "what the measure does not ask there may well be exempt"
    )


def test_the_last_day_is_inclusive() -> None:
    """It holds on the day it expires and not on the next; a mandate's first and last days count too."""
    assert codes(make_acceptance(), as_of="2026-12-31") == []
    assert codes(make_acceptance(), as_of="2027-01-01") == ["R-EXPIRY"]
    town = replace(TOWN, recommendations={"REC-1": make_recommendation(communicated_at="2025-01-01")})

    def signed(day: str, as_of: str = TODAY) -> list[str]:
        return codes(
            make_acceptance(signed_at=day, expires="2026-12-31" if as_of == TODAY else "2027-06-01"),
            town=town,
            as_of=as_of,
        )

    assert signed("2026-01-01") == []
    assert signed("2025-12-31") == ["R-ROLE"]
    assert signed("2026-12-31", "2027-01-01") == []
    assert signed("2027-01-01", "2027-01-02") == ["R-ROLE"]


def test_a_decision_signed_later_does_not_hold_before() -> None:
    """Judging on an earlier day does not know of it."""
    assert codes(make_acceptance(), as_of="2026-05-31") == ["R-STATUS"]


def test_a_role_of_two_mandates_signs_in_each() -> None:
    """A role that was renewed, or that signs for two entities, is entitled by the mandate of the day."""
    mandates = (
        Signatory("mayor", "OTHER"),
        Signatory("mayor", "TOWN", "2020-01-01", "2025-12-31"),
        Signatory("mayor", "TOWN", "2026-01-01"),
    )
    assert codes(make_acceptance(), town=replace(TOWN, signatories=mandates)) == []


GIVEN = Delegation("DEL-1", "deputy", "TOWN", "mayor", "2026-02-01", "2026-10-31")


@pytest.mark.parametrize(
    ("delegation", "expected"),
    [
        (GIVEN, []),
        (replace(GIVEN, since="2026-06-02"), ["R-ROLE"]),
        (replace(GIVEN, until="2026-05-31"), ["R-ROLE"]),
        (replace(GIVEN, may=("adaptation",)), ["R-ROLE"]),
        (replace(GIVEN, since="2025-06-01"), ["R-ROLE"]),  # the mayor was not mayor then
        (replace(GIVEN, by="chair"), ["R-ROLE"]),
        (replace(GIVEN, since="2025-06-01", by="former-mayor"), ["R-ROLE"]),  # who gave it was out by then
        (replace(GIVEN, role="clerk"), ["R-OWNER"]),
        (replace(GIVEN, entity="OTHER"), ["R-OWNER"]),
    ],
)
def test_a_delegation_covers_the_day_and_was_well_given(delegation: Delegation, expected: list[str]) -> None:
    """By a role that could sign itself when it began, and still could on the day of the signature."""
    former = Signatory("former-mayor", "TOWN", "2020-01-01", "2025-12-31")
    town = replace(TOWN, delegations=(delegation,), signatories=(*TOWN.signatories, former))
    assert codes(make_acceptance(role="deputy", delegation_ref="DEL-1"), town=town) == expected


# ---------------------------------------------------------------- what holds, and somebody has to see to


def test_what_is_due_does_not_make_it_void() -> None:
    """A review that was missed, a mandate that ended, a compensating measure that is late, a notice after the effect."""
    assert codes(make_acceptance(review_by="2026-11-20"), state="due") == ["R-EXPIRY"]
    assert codes(make_acceptance(review_by="2026-11-21"), state="due") == []
    late = make_acceptance(measures=(Planned("A disk.", "2026-10-22", False),))
    assert codes(late, state="due") == ["R-COMP"]
    assert codes(make_adaptation(informed=(Notice("OTHER", "2026-06-02"),)), state="due") == ["R-NOTICE"]
    ended = replace(TOWN, signatories=(Signatory("mayor", "TOWN", "2026-01-01", "2026-09-30"),))
    assert codes(make_acceptance(), state="due", town=ended) == ["R-ROLE"]
    assert codes(make_acceptance(), town=ended) == []


def test_what_lapses_in_part_leaves_the_rest() -> None:
    """A host that moved, a control that is gone or asks for more: the others stay covered."""
    found = decided(make_acceptance(hosts=("web01", "shared01", "gone")))
    assert [n.detail for n in found.notes] == ["host shared01: perimeter common", "host gone"]
    assert {n.code for n in found.notes} == {"R-SCOPE"}
    assert covers(found, "web01")
    assert not covers(found, "shared01")
    found = decided(make_acceptance(controls=("kept-long-enough", "gone")))
    assert [(n.code, n.state) for n in found.notes] == [("R-ORPHAN", "part")]
    raised = {"other-control": make_control("other-control", revision=2)}
    both = make_acceptance(controls=("kept-long-enough", "other-control"))
    found = decided(both, **raised)
    assert [(n.code, n.detail) for n in found.notes] == [("R-VERSION", "control other-control: 1 < 2")]
    assert covers(found, "web01")
    assert not covers(found, "web01", control="other-control")
    assert codes(replace(both, revisions={"other-control": 2}), state="part", **raised) == []


@pytest.mark.parametrize(
    "scope",
    [
        {"zones": ("dmz",)},
        {"groups": ("web",)},
        {"networks": ("10.62.60.0/24",)},
        {"roles": ("front",), "groups": ("web",)},
    ],
)
def test_a_scope_is_what_it_stood_for_when_it_was_signed(scope: dict[str, Any]) -> None:
    """A host that came later is not covered, and is told; one that left lapses; another perimeter's never counts."""
    one = make_acceptance(hosts=(), frozen=("web01", "db01"), count=2, **scope)
    found = decided(one)
    assert covers(found, "web01")
    assert not covers(found, "web02")
    assert [n.detail for n in found.notes] == ["host db01"]
    assert [h.record.id for h in found.on("host:web02")["kept-long-enough"].too_late] == ["ACC-1"]
    assert not found.on("host:shared01")
    reconciled = reconcile(lambda: [make_finding(host="web02")], found)
    assert [s.code for f in reconciled.beside() for s in f.suspended] == ["R-LATER"]
    assert [n.detail for n in reconciled.notes() if n.code == "R-LATER"] == ["web02"]


def test_a_host_without_a_zone_is_in_no_zone() -> None:
    """An empty zone name does not match hosts that have none."""
    assert not decided(make_acceptance(hosts=(), zones=("",), frozen=("db01",), count=1)).by_subject


def test_two_about_the_same_cover_neither() -> None:
    """Whatever their kinds and order; elsewhere each stands, and a renewal that names the other wins."""
    first = make_acceptance("ACC-1", hosts=("web01", "db01"))
    second = make_acceptance("ACC-2", signed_at="2026-07-01")
    for given_order in ((first, second), (second, first), (first, make_exemption("ACC-2"))):
        found = decided(*given_order)
        assert sorted(n.id for n in found.notes if n.code == "R-DUP") == ["ACC-1", "ACC-2"]
        (one,) = reconcile(lambda: [make_finding()], found).beside()
        assert one.decision is None
        assert [s.code for s in one.suspended] == ["R-DUP", "R-DUP"]
        assert covers(found, "db01")
    renewed = decided(first, replace(second, supersedes="ACC-1"))
    assert [(n.id, n.code) for n in renewed.notes] == [("ACC-1", "R-STATUS")]
    (one,) = reconcile(lambda: [make_finding()], renewed).beside()
    assert one.decision and one.decision.id == "ACC-2"


def test_only_what_is_in_force_supersedes() -> None:
    """A void renewal, or one of another kind or perimeter, takes nothing away."""
    first = make_acceptance("ACC-1")
    void = make_acceptance("ACC-2", supersedes="ACC-1", proofs=())
    other = make_exemption("EXE-2", supersedes="ACC-1", hosts=("db01",))
    assert [h.record.id for h in decided(first, void, other).held] == ["ACC-1", "EXE-2"]


@pytest.mark.parametrize(
    "ended",
    [
        {"expires": "2026-11-20"},
        {"status": "revoked"},
        {"proofs": (Proof("x.pdf", "ab" * 32, "cd" * 32),)},  # altered since
        {"measures": (Planned("A disk.", "2026-01-01", False),)},
    ],
)
def test_what_was_superseded_does_not_come_back(ended: dict[str, Any]) -> None:
    """When a renewal ends or is revoked, the finding is open; one that was never in force took nothing away."""
    first, second = make_acceptance("ACC-1"), make_acceptance("ACC-2", supersedes="ACC-1", **ended)
    for records in ((first, second), (second, first)):
        assert not decided(*records).held
        assert ("ACC-1", "R-STATUS") in [(n.id, n.code) for n in decided(*records).notes]
    drafted = make_acceptance("ACC-2", supersedes="ACC-1", status="draft")
    assert [h.record.id for h in decided(first, drafted).held] == ["ACC-1"]


def test_a_recommendation_is_about_its_hosts() -> None:
    """What was not recommended about a host cannot be declined there; the rest of the record stands."""
    town = replace(TOWN, recommendations={"REC-1": make_recommendation(hosts=("web01",))})
    found = decided(make_acceptance(hosts=("web01", "db01")), town=town)
    assert (covers(found, "web01"), covers(found, "db01")) == (True, False)
    assert [(n.code, n.state, n.detail) for n in found.notes] == [("R-RECO", "part", "host db01")]
    whole = make_acceptance(controls=("of-the-whole",), scope=Scope(perimeter=True))
    assert codes(whole, town=town) == ["R-RECO"]


# ---------------------------------------------------------------- bounds, compensation, adapted targets


def seen(holds: bool | None = True, adapted: Outcome | None = None, decision: str = "ACC-1") -> tuple[BoundSeen, ...]:
    return (BoundSeen(decision, holds, adapted),)


BOUND = {"as_long_as": {"kept-long-enough": {"days": {"at_least": 100}}}}


@pytest.mark.parametrize(
    ("bounds", "stands"), [(seen(True), True), (seen(False), False), (seen(None), False), ((), False)]
)
def test_a_worse_observation_reopens_the_finding(bounds: tuple[BoundSeen, ...], stands: bool) -> None:
    """So does one that could not be told, and one that nobody looked for."""
    found = decided(make_acceptance(**BOUND))
    (one,) = reconcile(lambda: [make_finding(bounds=bounds)], found).beside()
    assert (one.decision is not None) is stands
    assert [s.code for s in one.suspended] == ([] if stands else ["R-BOUND"])
    assert one.bounds == ()


@pytest.mark.parametrize("outcome", [*Outcome, None, "missing"])
@pytest.mark.parametrize("on", ["", "db01"])
def test_anything_but_a_pass_there_suspends_it(outcome: Any, on: str) -> None:
    """Failing, unknown, not concerned, or not of this run."""
    found = decided(make_acceptance(compensated_by=(Compensation("other-control", on),)))
    findings = [make_finding()]
    if outcome != "missing":
        findings.append(make_finding(outcome, on or "web01", 1, control="other-control"))
    (one,) = [f for f in reconcile(lambda: findings, found).beside() if f.control == "kept-long-enough"]
    assert (one.decision is not None) is (outcome is Outcome.PASS)
    assert [s.code for s in one.suspended] == ([] if outcome is Outcome.PASS else ["R-COMP"])


SHARED = Subject("host", "shared01", "common")


@pytest.mark.parametrize(
    ("outcome", "adapted", "counted"),
    [
        ("fail", "pass", "adapted_fail"),
        ("warn", "pass", "adapted_warn"),
        ("fail", "warn", "warn"),
        ("fail", "fail", "fail"),
        ("fail", "unknown", "fail"),
        ("warn", "fail", "warn"),  # a stricter target than the convention's is no adaptation
    ],
)
def test_an_adapted_target_stands_beside_the_outcome(outcome: str, adapted: str, counted: str) -> None:
    """The outcome stays; a missed adapted target still fails."""
    bounds = seen(True, Outcome(adapted), "ADA-1")
    before = make_finding(Outcome(outcome), subject=SHARED, bounds=bounds)
    (after,) = reconcile(lambda: [before], decided(make_adaptation())).beside()
    assert after.outcome is before.outcome
    assert counts_as(after) == counted
    assert (gating(after) is None) is counted.startswith("adapted")


# ---------------------------------------------------------------- coverage, actions, what is to be done


def test_actions_change_nothing_and_never_gate() -> None:
    """They stand by the finding with where they stand; the late ones first."""
    records = (make_action("ACT-1"), make_action("ACT-2", due="2026-11-20"), make_action("ACT-3", due="2026-01-01"))
    reconciled = reconcile(lambda: [make_finding()], decided(*records))
    (one,) = reconciled.beside()
    assert (one.outcome, one.decision, one.actions) == (Outcome.FAIL, None, ("ACT-1", "ACT-2", "ACT-3"))
    assert gating(one) is Outcome.FAIL
    assert [(a.id, a.late.value, a.open) for a in reconciled.actions()] == [
        ("ACT-3", "fail", 1),
        ("ACT-2", "warn", 1),
        ("ACT-1", "pass", 1),
    ]


def test_what_is_wrong_with_an_action_is_said() -> None:
    """A role, a control, a perimeter that are not there; one that is done and still fails."""
    assert codes(make_action(responsible="nobody"), state="part") == ["R-ROLE"]
    assert codes(make_action(controls=("gone", "kept-long-enough")), state="part") == ["R-ORPHAN"]
    assert codes(make_action(perimeter="gone")) == ["R-ORPHAN"]
    reconciled = reconcile(lambda: [make_finding()], decided(make_action(status="done")))
    list(reconciled.beside())
    assert [(n.code, n.state) for n in reconciled.notes()] == [("R-STATUS", "due")]


def wanted(*records: Record, town: Any = TOWN, outcome: Outcome = Outcome.FAIL) -> list[tuple[str, str, str]]:
    far = make_finding(outcome, subject=Subject("host", "far01", "theirs"))
    reconciled = reconcile(lambda: [far, make_finding(), make_finding(subject=SHARED)], decided(*records, town=town))
    list(reconciled.beside())
    return [(one.what, one.entity, one.recommendation) for one in reconciled.to_do()]


def test_a_finding_on_anothers_perimeter_is_to_be_decided_and_communicated() -> None:
    """By its owner and its adviser; only the first once the recommendation was communicated; nothing on one's own."""
    far = {"perimeter": "theirs", "issued_by": "TOWN"}

    def known(**changes: Any) -> Any:
        return replace(TOWN, recommendations={"REC-1": make_recommendation(**far, **changes)})

    assert wanted() == [("decide", "OTHER", ""), ("communicate", "TOWN", "")]
    told = known()
    assert wanted(town=told) == [("decide", "OTHER", "REC-1")]
    assert wanted(town=known(communicated_at=""))[1:] == [("communicate", "TOWN", "REC-1")]
    assert wanted(town=known(communicated_at="2026-11-22"))[1:] == [("communicate", "TOWN", "REC-1")]
    assert wanted(town=known(hosts=("far02",))) == [("decide", "OTHER", "REC-1"), ("communicate", "TOWN", "REC-1")]
    assert wanted(town=known(hosts=("far01",))) == [("decide", "OTHER", "REC-1")]
    theirs = {"perimeter": "theirs", "hosts": ("far01",)}
    assert wanted(make_acceptance(**theirs, entity="OTHER", role="chair"), town=told) == []
    assert wanted(outcome=Outcome.PASS) == wanted(outcome=Outcome.UNKNOWN) == []
    mending = {"perimeter": "theirs", "scope": Scope(hosts=("far01",))}
    assert wanted(make_action(**mending)) == []
    assert len(wanted(make_action(**mending, due="2026-10-01"))) == 2, "nobody is mending it"


@pytest.mark.parametrize(
    ("due", "late"),
    [("2026-11-21", "pass"), ("2026-11-20", "warn"), ("2026-10-22", "warn"), ("2026-10-21", "fail"), ("", "pass")],
)
def test_what_is_overdue_is_judged_by_its_age(due: str, late: str) -> None:
    """In time, within the grace, beyond it."""
    assert lateness(due, TODAY, 30).value == late


def test_months_end_where_the_month_does() -> None:
    """A term of six months from the end of August."""
    assert later("2026-08-31", 6) == "2027-02-28"
    assert later("2026-02-28", 12) == "2027-02-28"
    assert later("2026-12-31", 12) == "2027-12-31"
    assert later("9999-06-01", 12) == "9999-12-31"


def test_an_estate_says_its_own_numbers() -> None:
    """How long, how late, which matrix."""
    town = replace(TOWN, rules=DecisionRules(longest_months=1), matrices={"ours": (("eleve",) * 4,) * 4})
    assert codes(make_acceptance(), town=town) == ["R-EXPIRY"]
    ours = Risk(residual=Level("G1", "V1", "faible"), matrix="ours")
    assert "R-LEVEL" in codes(make_acceptance(risk=ours), town=town)


def test_the_digest_is_of_what_was_signed() -> None:
    """What comes after the signature does not change it; anything else does."""
    record = {"id": "ACC-1", "decision": {"role": "mayor"}, "status": "active", "expires": "2027-01-01"}
    digest = signed_digest(record)
    later_on = {**record, "status": "revoked", "history": [1], "decision": {"role": "mayor", "digest": digest}}
    assert signed_digest(later_on) == digest
    assert signed_digest({**record, "expires": "2028-01-01"}) != digest


# ---------------------------------------------------------------- properties

OUTCOMES = st.sampled_from([*Outcome, None])
SUBJECTS = st.sampled_from(
    [
        Subject("host", "web01", "own"),
        Subject("host", "db01", "own"),
        SHARED,
        Subject("host", "far01", "theirs"),
        Subject("perimeter", "own", "own"),
    ]
)
NAMES = st.sampled_from(["ACC-1", "ACC-2", "ACC-3", "ACC-4"])
HOSTS = st.sampled_from([("web01",), ("web01", "db01"), ("shared01",), ("far01",), ()])
CHOSEN = st.sampled_from([("kept-long-enough",), ("other-control", "kept-long-enough"), ("gone",)])
BOUNDS = st.lists(
    st.builds(BoundSeen, NAMES, st.sampled_from([True, True, False, None]), st.sampled_from([None, *Outcome])),
    max_size=4,
    unique_by=lambda b: b.decision,
)


@st.composite
def _findings(draw: Any) -> list[Finding]:
    made = st.builds(
        lambda o, s, c, b: make_finding(
            o, subject=s, control=c, bounds=tuple(b) if o in (Outcome.FAIL, Outcome.WARN) else ()
        ),
        OUTCOMES,
        SUBJECTS,
        st.sampled_from(sorted(CONTROLS)),
        BOUNDS,
    )
    return draw(st.lists(made, max_size=8, unique_by=lambda f: (f.control, f.subject.key)))


def _record(kind: str, id: str, **drawn: Any) -> Decision:
    perimeter = drawn["perimeter"]
    shared = {"measure": "log-retention", "informed": (Notice("OTHER", drawn.pop("told")),)}
    if kind == "adaptation":
        return make_adaptation(id, **{**drawn, **shared, "perimeter": perimeter})
    if kind == "exemption":
        return make_exemption(id, **{**drawn, "role": "ssi-lead"})
    return make_acceptance(id, **drawn)


RECORDS = st.lists(
    st.builds(
        _record,
        st.sampled_from(["acceptance", "adaptation", "exemption"]),
        NAMES,
        told=st.sampled_from(["2026-05-01", "2026-12-01"]),
        perimeter=st.sampled_from(["own", "common", "theirs", "gone"]),
        entity=st.sampled_from(["TOWN", "OTHER"]),
        role=st.sampled_from(["mayor", "mayor", "chair"]),
        controls=CHOSEN,
        hosts=HOSTS,
        signed_at=st.sampled_from(["2026-06-01", "2026-07-01", "2025-01-01"]),
        expires=st.sampled_from(["2026-11-21", "2026-11-20", "2027-01-01"]),
        status=st.sampled_from(["active", "active", "active", "revoked"]),
        supersedes=st.sampled_from(["", "", "", "ACC-1"]),
        as_long_as=st.sampled_from([{}, BOUND["as_long_as"]]),
        compensated_by=st.sampled_from([(), (Compensation("other-control"),)]),
        proofs=st.sampled_from([(SEALED,), (SEALED,), ()]),
    ),
    max_size=4,
    unique_by=lambda a: a.id,
)


def after(findings: list[Finding], records: list[Decision]) -> list[Finding]:
    """Every finding as it is once it was reconciled."""
    changed = {(f.control, f.subject): f for f in reconcile(lambda: findings, decided(*records)).beside()}
    return [changed.get((f.control, f.subject), f) for f in findings]


def held_by(one: Finding) -> str:
    return one.decision.id if one.decision else ""


@given(_findings(), RECORDS)
def test_no_decision_ever_changes_an_outcome(findings: list[Finding], records: list[Decision]) -> None:
    """A decision stands beside a failure or a warning of its own perimeter, and changes nothing else."""
    by_id = {r.id: r for r in records}
    for before, one in zip(findings, after(findings, records), strict=True):
        plain = replace(one, decision=None, adapted=None, suspended=(), bounds=())
        assert plain == replace(before, bounds=())
        if one.decision is None:
            assert one.adapted is None
            continue
        assert one.outcome in (Outcome.FAIL, Outcome.WARN), "no decision covers what was not seen"
        record = by_id[one.decision.id]
        assert one.decision.kind == record.kind
        assert one.subject.perimeter == record.perimeter, "no decision covers another perimeter's finding"
        assert one.control in record.controls


@given(_findings(), RECORDS, st.data())
def test_taking_a_decision_away_never_improves_a_result(
    findings: list[Finding], records: list[Decision], data: Any
) -> None:
    """Unless it supersedes or duplicates another."""
    removable = [r for r in records if not r.supersedes]
    if not removable:
        return
    gone = data.draw(st.sampled_from(removable))
    rest = [r for r in records if r is not gone]
    order = [None, Outcome.PASS, Outcome.WARN, Outcome.UNKNOWN, Outcome.FAIL]
    for one, other in zip(after(findings, records), after(findings, rest), strict=True):
        if not any(s.code == "R-DUP" and s.id == gone.id for s in one.suspended):
            assert order.index(gating(other)) >= order.index(gating(one))


@given(_findings(), RECORDS, st.randoms())
def test_the_order_of_decisions_does_not_matter(findings: list[Finding], records: list[Decision], random: Any) -> None:
    """The same decisions in another order stand beside the same findings and are void for the same reasons."""
    shuffled = list(records)
    random.shuffle(shuffled)
    assert set(decided(*records).notes) == set(decided(*shuffled).notes)
    assert [held_by(f) for f in after(findings, records)] == [held_by(f) for f in after(findings, shuffled)]
