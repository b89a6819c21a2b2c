"""The document: what goes in comes back, and all of it is JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from make import make_control, make_finding

from auditor import document
from auditor.model import (
    CAUSES,
    Coverage,
    HostSeen,
    Outcome,
    Partial,
    Perimeter,
    Reason,
    StandsBeside,
    Subject,
    Unknown,
)

TEXT = st.text(max_size=8)
UNKNOWN = st.builds(Unknown, st.sampled_from(sorted(CAUSES)), TEXT)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
NAME = st.text("abcdefgh_", min_size=1, max_size=5)
FACTS = st.recursive(
    SCALAR | UNKNOWN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAME, inner, max_size=3)
        | st.builds(lambda items, why: Partial(tuple(items), why), st.lists(inner, max_size=3), UNKNOWN)
    ),
    max_leaves=10,
)
WANTED = SCALAR | st.lists(SCALAR, max_size=2) | st.dictionaries(NAME, SCALAR, max_size=2)
OBSERVED = SCALAR | st.lists(SCALAR, max_size=3).map(tuple)
REASON = st.builds(Reason, TEXT, TEXT, WANTED, OBSERVED, TEXT, st.none() | UNKNOWN, st.booleans())


def through_json(plain: Any) -> Any:
    return json.loads(json.dumps(plain))


@given(st.dictionaries(NAME, FACTS, max_size=4))
def test_facts_come_back(facts: Any) -> None:
    """Unknown and incomplete lists, at any depth, are not lost between the phases."""
    assert document.facts_from_plain(through_json(document.facts_to_plain(facts))) == facts


@given(REASON)
def test_reasons_come_back(reason: Reason) -> None:
    """So that a report printed again says what the first one said."""
    assert document.reason_from_plain(through_json(document.reason_to_plain(reason))) == reason


@given(st.sampled_from([*Outcome, None]), st.lists(REASON, max_size=3), st.booleans(), st.booleans())
def test_findings_come_back(outcome: Any, reasons: list[Reason], gates: bool, decided: bool) -> None:
    """With their outcome, reasons and the decision beside them."""
    decision = StandsBeside("ACC-1", "acceptance", "mayor (TOWN)", "2027-01-01", "why") if decided else None
    finding = make_finding(outcome, seq=7, reasons=tuple(reasons), gates=gates, decision=decision)
    assert document.finding_from_plain(7, through_json(document.finding_to_plain(finding))) == finding


def test_the_rest_comes_back() -> None:
    """Hosts, gaps, perimeters, and what reports say of a control."""
    seen = HostSeen("a", Unknown("timeout", "x"), 3, 0, 5.0)
    assert document.host_from_plain(through_json(document.host_to_plain(seen))) == seen
    earlier = HostSeen("a", None, 3, 3, 5.0, evidence_at=5.0, asked=False)
    assert document.host_from_plain(through_json(document.host_to_plain(earlier))) == earlier
    gap = Coverage(Subject("host", "a", "p"), "", Unknown("nothing_asked", "x"), False)
    assert document.coverage_from_plain(through_json(document.coverage_to_plain(gap))) == gap
    perimeter = Perimeter("p", "TOWN", "shared", ("A", "B"))
    assert document.perimeter_from_plain(through_json(document.perimeter_to_plain(perimeter))) == perimeter
    control = make_control(references={"nis2": ("21.2.b",)}, expect={})
    assert document.control_from_plain(through_json(document.control_to_plain(control))) == control


def test_a_moment_is_utc() -> None:
    """Seconds, with a Z; nothing when there was none."""
    assert document.stamp(1795299065.9) == "2026-11-21T22:11:05Z"
    assert document.stamp(0.0) == ""
