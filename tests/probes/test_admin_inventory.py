"""One inventory of administrators out of all hosts."""

from __future__ import annotations

from typing import Any

from auditor.expectations import Scope, outcome
from auditor.model import Outcome, Partial, Register, Subject, Unknown
from auditor.probes.admin_inventory import PROBE

SUBJECT = Subject("perimeter", "shared", "shared")
DECLARED = {"accounts": {"every": {"account": {"one_of": "$registers.admins"}}}, "names": {"count": {"at_least": 1}}}
SEEN = {"names": {"contains": "$registers.admins"}}


def host(*names: Any, missing: Unknown | None = None) -> dict[str, Any]:
    items = [{"account": n, "because": "uid 0"} for n in names]
    return {"accounts": Partial(tuple(items), missing) if missing else items, "uid_zero": ["root"]}


def judge(expect: dict[str, Any], facts: Any, *declared: str) -> Outcome:
    scope = Scope({"registers.admins": Register("admins", declared)}, PROBE.facts)
    return outcome(expect, {}, facts, scope)[0]


def test_all_hosts_are_folded() -> None:
    facts = PROBE.fold(SUBJECT, iter([("a", host("root", "bob")), ("b", host("root", "root"))]))
    assert facts == {
        "accounts": [{"account": "bob", "hosts": 1, "on": "a"}, {"account": "root", "hosts": 2, "on": "a, b"}],
        "names": ["bob", "root"],
    }
    assert judge(DECLARED, facts, "root", "bob") is Outcome.PASS
    assert judge(DECLARED, facts, "root") is Outcome.FAIL
    assert judge(SEEN, facts, "root", "bob") is Outcome.PASS
    assert judge(SEEN, facts, "root", "eve") is Outcome.FAIL


def test_only_five_hosts_are_named() -> None:
    facts = PROBE.fold(SUBJECT, ((f"h{i}", host("root")) for i in range(7)))
    assert facts["accounts"] == [{"account": "root", "hosts": 7, "on": "h0, h1, h2, h3, h4 +2"}]


def test_a_host_that_was_not_measured_makes_it_incomplete() -> None:
    facts = PROBE.fold(SUBJECT, iter([("a", host("root")), ("b", Unknown("unreachable"))]))
    assert facts["names"] == Partial(("root",), Unknown("not_measured", "b"))
    assert judge(DECLARED, facts, "root") is Outcome.UNKNOWN
    assert judge(SEEN, facts, "root") is Outcome.PASS
    assert judge(SEEN, facts, "root", "bob") is Outcome.UNKNOWN


def test_a_partial_list_makes_it_incomplete_and_still_fails_what_it_shows() -> None:
    facts = PROBE.fold(SUBJECT, iter([("a", host("root", "eve", missing=Unknown("no_privilege")))]))
    assert facts["names"] == Partial(("eve", "root"), Unknown("not_measured", "a"))
    assert judge(DECLARED, facts, "root") is Outcome.FAIL
    assert judge(DECLARED, facts, "root", "eve") is Outcome.UNKNOWN


def test_an_account_without_a_name_is_not_dropped_in_silence() -> None:
    facts = PROBE.fold(SUBJECT, iter([("a", host("root", Unknown("not_told")))]))
    assert facts["names"] == Partial(("root",), Unknown("not_measured", "a"))


def test_no_host_and_no_facts_are_unknown() -> None:
    assert PROBE.fold(SUBJECT, iter([])) == {
        "accounts": Unknown("nothing_asked", "no host"),
        "names": Unknown("nothing_asked", "no host"),
    }
    facts = PROBE.fold(SUBJECT, iter([("a", {})]))
    assert facts["names"] == Partial((), Unknown("not_measured", "a"))
    assert judge(DECLARED, facts, "root") is Outcome.UNKNOWN
