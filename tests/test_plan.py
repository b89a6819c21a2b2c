"""The plan: what is asked of whom, in which order, and why what is not asked is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from make import (
    ARGUMENTS,
    command,
    make_control,
    make_derived,
    make_estate,
    make_host,
    make_measure,
    make_plan,
    make_probe,
    told,
)

from auditor.errors import InvalidInput
from auditor.evaluate import evaluate
from auditor.framing.sh import HELLO
from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Check, Command, Measure, Outcome, Register, Unknown
from auditor.plan import Plan, coverage, limited, unmatched

WEB, DB = make_host("web01", roles=("web-front",), zone="dmz"), make_host("db01", groups=("data",))
PRINTER = make_host("printer", connection="none", why="no remote access", platform="other")


def given_networks(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "days": command(
            arguments=tuple(map(str, args.get("networks", ()))) + tuple(str(v) for k, v in args.items() if k == "vlan")
        )
    }


def only(plan: Plan, index: int = 0) -> Check:
    (check,) = plan.checks_of(index)
    return check


def test_the_order_is_hosts_then_perimeters_and_controls_as_written() -> None:
    """`seq` rises in the order of every report and is never given twice."""
    controls = [make_control("b"), make_control("folded", probe="folded"), make_control("a", roles=("web-front",))]
    plan = make_plan(make_estate(WEB, DB), controls, {"sample": make_probe(), "folded": make_derived()})
    checks = [*plan.checks_of(0), *plan.checks_of(1), *plan.perimeter_checks()]
    assert [(c.subject.key, c.control.id) for c in checks] == [
        ("host:web01", "b"), ("host:web01", "a"), ("host:db01", "b"), ("perimeter:own", "folded"), ("perimeter:common", "folded"),
    ]  # fmt: skip
    assert [c.seq for c in checks] == sorted({c.seq for c in checks})
    assert plan.count() == len(checks)


def test_equal_commands_are_asked_once_and_what_the_host_is_first() -> None:
    """Two controls on one probe, and a probe with the same question, cost one question."""
    controls = [make_control("a"), make_control("b"), make_control("c", probe="other")]
    plan = make_plan(controls=controls, probes={"sample": make_probe(), "other": make_probe()})
    assert plan.commands_of(0) == (HELLO, command())


def test_other_arguments_are_another_question() -> None:
    """The same probe with other arguments is asked and parsed apart."""
    probe = make_probe(commands=given_networks, arguments=ARGUMENTS)
    controls = [make_control("a", arguments={"vlan": 1}), make_control("b", arguments={"vlan": 2})]
    plan = make_plan(controls=controls, probes={"sample": probe})
    assert [q.arguments for q in plan.questions_of(0)] == [{"vlan": 1}, {"vlan": 2}]
    assert [c.arguments for c in plan.commands_of(0)] == [(), ("1",), ("2",)]


def test_a_host_that_is_never_connected_to_is_asked_nothing_and_counted() -> None:
    """`connection: none` has its checks, unknown with why, and no question."""
    host = make_host("nas", connection="none", why="no remote access")
    plan = make_plan(make_estate(host))
    assert plan.commands_of(0) == ()
    assert only(plan).unasked == Unknown("not_connected", "no remote access")
    judged = evaluate(host, plan.checks_of(0), plan.questions_of(0), {}, plan.probes)
    assert [f.outcome for f in judged.findings] == [Outcome.UNKNOWN]
    assert judged.failure == Unknown("not_connected", "no remote access")


def test_a_derived_probe_asks_what_it_folds_of_every_host() -> None:
    """Also of hosts that no other control asks, but not of those of another platform or never connected to."""
    hosts = (WEB, make_host("win", platform="windows"), make_host("nas", connection="none", why="x"))
    plan = make_plan(
        make_estate(*hosts), [make_control(probe="folded")], {"sample": make_probe(), "folded": make_derived()}
    )
    assert [plan.commands_of(i) for i in range(3)] == [(HELLO, command()), (), ()]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("$hosts.log-collector.addresses", "no host with the role log-collector is declared"),
        ("$host.zone.addresses", "no zone is declared for this host"),
    ],
)
def test_what_the_estate_does_not_say_is_not_asked(name: str, words: str) -> None:
    """A check that would compare with nothing is unknown, with what the estate lacks; in args as in expect."""
    town = make_estate(DB)
    for control in (make_control(expect={"days": {"equals": name}}), make_control(arguments={"networks": name})):
        check = only(make_plan(town, [control]))
        assert check.unasked == Unknown("nothing_asked", words)
        assert check.commands == {}
        assert check.gates


def test_a_zone_that_does_not_say_its_networks_is_said_so() -> None:
    """The zone is named; a zone without a VLAN is asked without one."""
    host = make_host(zone="bare")
    check = only(make_plan(make_estate(host), [make_control(arguments={"networks": "$host.zone.addresses"})]))
    assert check.unasked == Unknown("nothing_asked", "the zone 'bare' does not say its zone.addresses")
    check = only(make_plan(make_estate(host), [make_control(arguments={"vlan": "$host.zone.vlan"})]))
    assert (check.unasked, check.arguments) == (None, {})


def test_names_stand_for_what_the_estate_and_the_measure_say() -> None:
    """Zone, role and parameter, each once."""
    town = make_estate(WEB, make_host("log01", address="10.62.50.10", roles=("log-collector",)))
    names = [
        "host.zone.vlan",
        "host.zone.addresses",
        "hosts.log-collector.addresses",
        "hosts.log-collector.ids",
        "zones.addresses",
        "target_days",
    ]
    expect = {"any_of": [{"names": {"contains": f"${name}"}} for name in names]}
    plan = make_plan(town, [make_control(expect=expect)])
    assert plan.checks_of(0)[0].values == {
        "host.zone.vlan": 60,
        "host.zone.addresses": ["10.62.60.0/24"],
        "hosts.log-collector.addresses": ["log01", "10.62.50.10"],
        "hosts.log-collector.ids": ["log01"],
        "zones.addresses": ["10.62.60.1"],
        "target_days": 365,
    }


def test_a_missing_register_is_unknown_and_the_host_is_still_asked() -> None:
    """The answer is kept; only the comparison is unknown."""
    control = make_control(expect={"names": {"contains": "$registers.admins"}})
    plan = make_plan(controls=[control])
    check = only(plan)
    assert check.unasked is None
    assert check.values == {"registers.admins": Unknown("register_missing", "admins")}
    judged = evaluate(plan.hosts[0], [check], plan.questions_of(0), told(plan.commands_of(0)), plan.probes)
    assert judged.findings[0].outcome is Outcome.UNKNOWN


# ---------------------------------------------------------------- what gates


def test_without_an_estate_what_cannot_be_asked_does_not_gate() -> None:
    """This machine alone cannot know of collectors; what it was asked does gate."""
    town = make_estate(WEB, declared=False)
    asked, not_asked = (
        make_control("a"),
        make_control("b", expect={"names": {"contains": "$hosts.log-collector.addresses"}}),
    )
    assert [c.gates for c in make_plan(town, [asked, not_asked]).checks_of(0)] == [True, False]
    assert not any(c.gates for c in coverage(make_plan(town, [asked], in_force=("log-retention", "other"))))


def test_what_hosts_were_asked_gates_a_derived_check_too() -> None:
    """Without an estate a derived finding that a silent host leaves unknown still changes the exit code."""
    probes = {"sample": make_probe(), "folded": make_derived()}
    with_register = make_control("b", probe="folded", expect={"names": {"contains": "$registers.admins"}})
    plan = make_plan(make_estate(WEB, declared=False), [make_control("a", probe="folded"), with_register], probes)
    assert [c.gates for c in plan.perimeter_checks() if c.subject.id == "own"] == [True, False]
    town = make_estate(WEB, registers=(Register("admins", ("root",)),))
    assert all(c.gates for c in make_plan(town, [with_register], probes).perimeter_checks())


def test_a_register_is_resolved_with_how_old_its_entries_must_be() -> None:
    """Both registers of one name together; of two dates the first; none that left after the day judged."""
    registers = (
        Register("gone", ("a", "b", "c"), left_at={"a": 100.0, "b": 900.0}),
        Register("gone", ("a",), "own", left_at={"a": 50.0}),
        Register("gone", ("d",), "other", left_at={"d": 50.0}),
    )
    name = "$registers.gone.older_than.grace_hours"
    control = make_control("a", expect={"names": {"none": {"one_of": name}}})
    measure = Measure("measure", {"en": "m"}, parameters={"grace_hours": 2})
    plan = make_plan(make_estate(WEB, registers=registers), [control])
    plan = replace(plan, measures={control.measure: measure}, until=500.0)
    value = plan.checks_of(0)[0].values[name[1:]]
    assert isinstance(value, Register)
    assert value.entries == ("a", "c", "a") and value.left_at["a"] == 50.0
    assert value.counting(7250.0) == ["c"] and value.counting(7251.0) == ["a", "c", "a"]
    without = replace(plan, measures={control.measure: Measure("measure", {"en": "m"})})
    assert without.checks_of(0)[0].unasked is not None


# ---------------------------------------------------------------- coverage


def test_a_host_without_any_check_is_said() -> None:
    """A printer and a host that no control applies to are both there, with why."""
    plan = make_plan(make_estate(WEB, DB, PRINTER), [make_control(roles=("web-front",))])
    assert [(c.subject.id, c.measure, c.cause.detail, c.gates) for c in coverage(plan) if c.subject.kind == "host"] == [
        ("db01", "", "no control applies to it", True),
        ("printer", "", "no probe knows the platform other", True),
    ]


def test_a_measure_that_nothing_checks_is_said_for_each_perimeter() -> None:
    """In force and not checked, or checked on other perimeters only: unknown, nothing asked."""
    plan = make_plan(make_estate(WEB), in_force=("log-retention", "other"))
    assert [(c.subject.id, c.measure, c.cause.detail) for c in coverage(plan)] == [
        ("own", "other", "no control checks it"),
        ("common", "log-retention", "no control applies to a host of this perimeter"),
        ("common", "other", "no control checks it"),
    ]


def test_a_part_of_the_estate_says_nothing_of_measures() -> None:
    """With --limit, what the other hosts are asked is not known."""
    plan = make_plan(make_estate(WEB, DB), in_force=("log-retention", "other"), hosts=(WEB,), whole=False)
    assert list(coverage(plan)) == []
    assert plan.perimeters == ("own",)


def test_nothing_to_audit_counts_zero() -> None:
    """A plan without a check says so."""
    assert make_plan(controls=[make_control(roles=("none-such",))]).count() == 0


# ---------------------------------------------------------------- --limit

FLEET = make_estate(
    make_host("web01", groups=("web",), roles=("front",)),
    make_host("web02", groups=("web",)),
    make_host("db01", groups=("data",)),
)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web01", ["web01"]),
        ("db01,web01", ["web01", "db01"]),
        ("web", ["web01", "web02"]),
        ("front", ["web01"]),
        ("web*", ["web01", "web02"]),
        ("web0?", ["web01", "web02"]),
        ("*,!web", ["db01"]),
        ("!web01", ["web02", "db01"]),
        ("web,!web01", ["web02"]),
        ("w.b01", []),
        (",", []),
    ],
)
def test_a_limit_names_hosts_groups_and_roles(pattern: str, names: list[str]) -> None:
    """Ids, groups, roles, wildcards and exclusions; a dot is a dot."""
    assert [h.id for h in limited(FLEET, pattern)] == names


def test_a_limit_that_names_nothing_is_said() -> None:
    """A misspelt part is not silently left out."""
    assert unmatched(FLEET, "web,wbe01,!dta") == ["wbe01", "dta"]


@pytest.mark.parametrize("pattern", ["~[", "web[0", "~web[0-9]+]", "db:~[", "~", "!~", "web,~"])
def test_half_a_pattern_is_none_and_never_all_hosts(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="is no pattern: "):
        limited(FLEET, pattern)
    with pytest.raises(InvalidInput, match="is no pattern: "):
        unmatched(FLEET, pattern)


def test_a_plan_of_ten_thousand_hosts_shares_its_commands() -> None:
    """Equal questions are one object, so that a fleet weighs no more than a host."""
    hosts = tuple(make_host(f"h{n}") for n in range(10_000))
    plan = make_plan(make_estate(*hosts), measures={"log-retention": make_measure()})
    assert plan.checks_of(0)[0].commands is plan.checks_of(9_999)[0].commands
    assert plan.count() == 10_000


def test_an_exemption_spares_only_what_nobody_declared() -> None:
    """Of that measure, on that perimeter, by records; what hosts are asked goes on."""
    probes = {
        "sample": make_probe(),
        "kept": Probe({}, {"properties": {}}, {RECORDS: Dialect(lambda arguments: {}, lambda *_: {})}),
    }
    controls = [make_control("kept", probe="kept", arguments={"register": "admins"}), make_control("asked")]
    for registers, planned in (
        ((), []),
        ((Register("admins", (), "own"),), ["kept"]),
        ((Register("admins", ()),), ["kept"]),
    ):
        town = replace(make_estate(WEB), registers=registers)
        plan = replace(make_plan(town, controls, probes), exempted=frozenset({("own", controls[0].measure)}))
        of_own = [
            c.control.id for i, s in enumerate(plan.subjects) if s.id == "perimeter:own" for c in plan.checks_of(i)
        ]
        assert of_own == planned
        assert plan.count() == sum(len(plan.checks_of(i)) for i in range(len(plan.subjects)))
        told = [(gap.measure, gap.cause.detail) for gap in coverage(plan) if gap.subject.id == "own" and gap.measure]
        assert told == ([] if planned else [(controls[0].measure, "no record of it is asked for")])
        assert "asked" in [c.control.id for c in plan.checks_of(0)]
