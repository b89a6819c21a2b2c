"""Derivation: what only all hosts together tell; a witness that was not seen is Unknown, never left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from make import NOON, make_control, make_derived, make_estate, make_host, make_plan, make_probe

from auditor.derive import Kept, derive
from auditor.model import Finding, Outcome, Unknown

TOWN = make_estate(make_host("a"), make_host("b"), make_host("c", perimeter="common"))
PROBES = {"sample": make_probe(), "folded": make_derived()}
CONTROLS = [make_control("least", probe="folded")]


def derived(kept: Mapping[str, Any], asked: frozenset[str] = frozenset("abc"), **changes: Any) -> dict[str, Finding]:
    plan = make_plan(TOWN, **{"controls": CONTROLS, "probes": PROBES, **changes})
    told = Kept(asked, lambda probe, host: kept.get(host))
    found = derive(plan.derived_checks(), plan.probes, TOWN, told, NOON)
    return {f.subject.id: f for f in found}


def test_each_perimeter_folds_its_own_hosts() -> None:
    """The hosts of another perimeter are no witness."""
    found = derived({"a": {"days": 400}, "b": {"days": 10}, "c": {"days": 500}})
    assert found["own"].outcome is Outcome.FAIL
    assert found["own"].reasons[0].observed == 10
    assert found["common"].outcome is Outcome.PASS


def test_a_host_without_facts_is_unknown_not_left_out() -> None:
    """A host that told nothing, was not asked, or could not be read: the fold gets an Unknown for it."""
    whole = {"a": {"days": 400}, "b": {"days": 400}, "c": {"days": 400}}
    assert derived(whole)["own"].outcome is Outcome.PASS
    for kept, asked, why in (
        ({**whole, "b": None}, frozenset("abc"), "not_measured"),
        ({**whole, "b": Unknown("timeout")}, frozenset("abc"), "timeout"),
        (whole, frozenset("ac"), "not_asked"),
    ):
        found = derived(kept, asked)["own"]
        assert found.outcome is Outcome.UNKNOWN
        assert [r.cause.cause for r in found.reasons if r.cause] == [why]


def test_a_fold_is_made_once_for_all_its_controls() -> None:
    """Two controls on one derived probe share its facts, and each has its finding."""
    folds = []

    def fold(subject: Any, seen: Any) -> Any:
        folds.append((subject.id, [host for host, _ in seen]))
        return {"days": 400, "names": []}

    controls = [make_control("one", probe="folded"), make_control("two", probe="folded")]
    plan = make_plan(TOWN, controls, {"sample": make_probe(), "folded": make_derived(fold=fold)})
    kept = Kept(frozenset("abc"), lambda probe, host: None)
    found = list(derive(plan.derived_checks(), plan.probes, TOWN, kept, NOON))
    assert folds == [("own", ["a", "b"]), ("common", ["c"])]
    assert [f.control for f in found] == ["one", "two", "one", "two"]
    assert [f.seq for f in found] == sorted({f.seq for f in found})
