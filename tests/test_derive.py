"""Derivation: what only all hosts together tell; a witness that was not seen is Unknown, never left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from make import ARGUMENTS, FACTS, NOON, make_control, make_derived, make_estate, make_host, make_plan, make_probe, text

from auditor.derive import Kept, derive
from auditor.kinds import DerivedProbe
from auditor.model import Finding, Outcome, Subject, Unknown
from auditor.plan import coverage

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


# ---------------------------------------------------------------- of hosts, by witnesses

LOG = make_host("log", perimeter="common", roles=("log-collector",))
SAID = {"log": {"days": 400, "names": []}}


def spoken(named: Any, seen: Any) -> Any:
    """`days` as the one witness told them, `name` as the host calls itself."""
    own = {host.id: name for host, name in named}
    told = dict(seen)

    def facts(host: str) -> Any:
        one = next(iter(told.values()))
        return {"days": one if isinstance(one, Unknown) else one["days"], "name": own[host], "names": sorted(told)}

    return facts


def witnessed(kept: Mapping[str, Any], hosts: Any, **changes: Any) -> tuple[Any, list[Finding]]:
    probe = DerivedProbe(text(), "sample", FACTS, heard=spoken, roles=("log-collector",), arguments=ARGUMENTS)
    controls = [make_control("spoken-for", probe="spoken", **changes)]
    town = make_estate(*hosts)
    plan = make_plan(town, controls, {"sample": make_probe(), "spoken": probe})
    told = Kept(
        frozenset(kept), lambda question, host: kept[host] if question == "sample" else None, lambda: {"a": "A"}
    )
    return plan, list(derive(plan.derived_checks(), plan.probes, town, told, NOON))


def test_a_witness_speaks_of_hosts_of_other_perimeters() -> None:
    """Also of one that nobody connects to; the finding is the host's, and its perimeter's owner answers for it."""
    mute = make_host("p", platform="other", connection="none", why="a printer")
    plan, found = witnessed(SAID, (LOG, make_host("a"), mute))
    assert [(f.subject, f.outcome) for f in found] == [
        (Subject("host", host, owner), Outcome.PASS) for host, owner in (("log", "common"), ("a", "own"), ("p", "own"))
    ]
    assert plan.count() == 3 == len({f.seq for f in found})
    assert list(coverage(plan)) == []
    assert [bool(plan.commands_of(i)) for i in range(3)] == [True, False, False], "witnesses alone are asked"


def test_a_witness_that_was_not_seen_leaves_its_hosts_unknown() -> None:
    """Outside the run, mute, or of which nothing was kept."""
    for kept, why in (
        ({"a": {}}, "not_asked"),
        ({"log": Unknown("unreachable"), "a": {}}, "unreachable"),
        ({"log": None, "a": {}}, "not_measured"),
    ):
        _, found = witnessed(kept, (LOG, make_host("a")))
        assert [(f.outcome, f.reasons[0].cause.cause) for f in found if f.reasons[0].cause] == [
            (Outcome.UNKNOWN, why),
            (Outcome.UNKNOWN, why),
        ]


def test_no_witness_is_declared() -> None:
    """Then nothing is asked; without an estate that does not gate."""
    _, found = witnessed({"a": {}}, (make_host("a"),))
    assert [f.reasons[0].cause for f in found] == [
        Unknown("nothing_asked", "no host with the role log-collector is declared")
    ]


def test_what_a_witness_is_asked_for_the_control_is_what_is_read() -> None:
    """With the control's arguments it is another question, and that one is kept."""
    plan, found = witnessed(SAID, (LOG, make_host("a")), arguments={"vlan": 4})
    assert [q.arguments for q in plan.questions_of(0)] == [{"vlan": 4}]
    assert plan.folded == {"sample [('vlan', 4)]"}
    assert {f.outcome for f in found} == {Outcome.UNKNOWN}, "nothing was kept under that question"


def test_only_hosts_that_the_control_applies_to() -> None:
    _, found = witnessed(SAID, (LOG, make_host("a")), roles=("log-collector",))
    assert [f.subject.id for f in found] == ["log"]


def test_alike_facts_are_judged_once_and_others_for_themselves() -> None:
    """Two perimeters of which the same is told share what the control came to; where something else is, it is another."""
    least = make_derived(fold=lambda _, seen: {"days": min(facts["days"] for _, facts in seen), "names": []})
    probes = {**PROBES, "folded": least}
    alike = derived({"a": {"days": 10}, "b": {"days": 11}, "c": {"days": 10}}, probes=probes)
    assert (alike["own"].outcome, alike["common"].outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert alike["own"].reasons is alike["common"].reasons
    assert alike["own"].fingerprint != alike["common"].fingerprint
    apart = derived({"a": {"days": 10}, "b": {"days": 11}, "c": {"days": 400}}, probes=probes)
    assert (apart["own"].outcome, apart["common"].outcome) == (Outcome.FAIL, Outcome.PASS)
