"""Two runs laid side by side: what became of each finding, and what may not be called better or worse."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_run import CONTROLS, SampleRun, header, voice

from auditor import shelves
from auditor.compare import GATING, changes, compared, gating
from auditor.expectations import fingerprint
from auditor.model import Became, Finding, HostSeen, Outcome, Reason, Sketch, StandsBeside, Subject, Unknown
from auditor.reporters import _changes
from auditor.summary import exit_code

ROOT_LOGIN, FACTORS = "ssh-root-login-off", "logins-ask-two-factors"
ACCEPTED = StandsBeside("ACC-1", "acceptance", "president (SYNDICAT)", "2027-04-19", "isolated")


def found(
    outcome: Outcome | None,
    host: str = "web01",
    control: str = ROOT_LOGIN,
    *elements: str,
    decision: StandsBeside | None = None,
    at: float = 1.0,
    was: str = "",
) -> Finding:
    subject = Subject("host", host, "p", was)
    reasons = tuple(Reason("logins", "every", True, element=e) for e in elements)
    if outcome is Outcome.UNKNOWN:
        reasons = (Reason("", "", cause=Unknown("timeout")),)
    return Finding(
        seq=0,
        subject=subject,
        control=control,
        outcome=outcome,
        severity="high",
        fingerprint=fingerprint(control, subject.lasting),
        reasons=reasons,
        at=at,
        decision=decision,
    )


def run(*findings: Finding, **changed: object) -> SampleRun:
    hosts = dict.fromkeys((f.subject.id, f.subject.was) for f in findings)
    seen = [HostSeen(host, None, 1, 1, was=was) for host, was in hosts]
    return SampleRun(
        header(hosts_expected=len(hosts), checks_planned=len(findings), **changed),
        CONTROLS,
        {},
        {},
        all_findings=findings,
        all_hosts=seen,
    )


def kinds(before: Sequence[Finding], after: Sequence[Finding]) -> list[Became]:
    return [change.kind for change in changes(run(*before), run(*after))]


PASS, WARN, FAIL, UNKNOWN = Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (PASS, PASS, None),
        (None, None, None),
        (UNKNOWN, UNKNOWN, None),
        (FAIL, FAIL, None),
        (PASS, WARN, "new"),
        (PASS, FAIL, "new"),
        (None, FAIL, "new"),
        (UNKNOWN, FAIL, "new"),
        (WARN, FAIL, "worsened"),
        (FAIL, WARN, None),
        (FAIL, PASS, "resolved"),
        (WARN, None, "resolved"),
        (PASS, UNKNOWN, "unmeasured"),
        (FAIL, UNKNOWN, "unmeasured"),
        (UNKNOWN, PASS, "measured"),
    ],
)
def test_what_a_finding_becomes(before: Outcome | None, after: Outcome | None, kind: Became | None) -> None:
    assert kinds([found(before)], [found(after)]) == ([kind] if kind else [])


def test_a_date_is_no_change() -> None:
    assert kinds([found(FAIL, at=1.0)], [found(FAIL, at=99.5)]) == []


def test_a_new_offending_element_is_worse_and_named() -> None:
    before, after = (
        found(FAIL, "web01", ROOT_LOGIN, "anna (any)"),
        found(FAIL, "web01", ROOT_LOGIN, "anna (lan)", "bob"),
    )
    (change,) = changes(run(before), run(after))
    assert (change.kind, change.elements) == ("worsened", ("bob",))


def because(*reasons: Reason, medium: str = "live", untold: tuple[Reason, ...] = ()) -> Finding:
    return replace(found(FAIL), reasons=reasons, medium=medium, untold=untold)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("alice (root) /usr/bin/apt (NOPASSWD)", "alice (root) /bin/sh (NOPASSWD)", "alice (root) /bin/sh"),
        ("a (b) c", "a (d) c", "a (d) c"),
        ("anna (lan (vlan 3))", "anna (any)", None),
    ],
)
def test_only_what_stands_last_in_brackets_is_beside_a_name(old: str, new: str, named: str | None) -> None:
    changed = list(changes(run(found(FAIL, "web01", ROOT_LOGIN, old)), run(found(FAIL, "web01", ROOT_LOGIN, new))))
    assert [c.elements for c in changed] == ([(named,)] if named else [])


def test_the_same_name_once_more_is_worse() -> None:
    before, after = found(FAIL, "web01", ROOT_LOGIN, "root (lan)"), found(FAIL, "web01", ROOT_LOGIN, "root (any)")
    both = replace(after, reasons=(*before.reasons, *after.reasons))
    assert kinds([before], [both]) == ["worsened"]
    assert kinds([both], [after]) == []


def test_a_second_fact_that_fails_is_worse_and_named() -> None:
    one, other = Reason("sealed", "equals", True, False), Reason("synced", "equals", True, False)
    (change,) = changes(run(because(one)), run(because(one, other)))
    assert (change.kind, change.elements) == ("worsened", ("synced",))
    assert kinds([because(one, other)], [because(other)]) == []


@pytest.mark.parametrize(
    ("operator", "old", "new", "medium", "worse"),
    [
        ("at_least", 100, 5, "tree", True),
        ("at_least", 100, 101, "tree", False),
        ("at_most", 100, 10**400, "tree", True),
        ("at_most", 100, 99, "tree", False),
        ("at_most", 100, 101, "live", False),
        ("equals", "a", "b", "tree", True),
        ("equals", "a", "b", "live", False),
    ],
)
def test_files_tell_the_same_each_time(operator: str, old: object, new: object, medium: str, worse: bool) -> None:
    """So what differs was changed; an age of a host grows each day."""
    before, after = (because(Reason("days", operator, 365, seen), medium=medium) for seen in (old, new))
    assert kinds([before], [after]) == (["worsened"] if worse else [])


def test_what_is_shown_beside_a_name_counts_in_files() -> None:
    before, after = (
        replace(found(FAIL, "web01", ROOT_LOGIN, name), medium="tree") for name in ("root (lan)", "root (any)")
    )
    assert kinds([before], [after]) == ["worsened"]
    assert kinds([before], [replace(after, medium="live")]) == []


UNTOLD = Reason("days", "at_least", cause=Unknown("unreadable", "a.conf"))
NOT_IN_FILES = Reason("days", "at_least", cause=Unknown("not_observable", "a.conf"))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (because(), because(untold=(UNTOLD,)), ["unmeasured"]),
        (because(untold=(UNTOLD,)), because(untold=(UNTOLD,)), []),
        (because(untold=(UNTOLD,)), because(untold=(UNTOLD, UNTOLD)), ["unmeasured"]),
        (because(untold=(UNTOLD,)), because(), []),
        (because(), because(untold=(NOT_IN_FILES,)), ["unmeasured"]),
        (because(), because(untold=(NOT_IN_FILES,), medium="tree"), []),
        (because(), because(untold=(UNTOLD,), medium="tree"), ["unmeasured"]),
    ],
)
def test_what_could_not_be_told_beside_what_is_open(before: Finding, after: Finding, kind: list[Became]) -> None:
    assert kinds([before], [after]) == kind


def test_what_could_not_be_told_is_named_with_its_cause() -> None:
    (change,) = changes(run(because()), run(because(untold=(UNTOLD, replace(UNTOLD, cause=Unknown("timeout"))))))
    assert change.elements == ("days: a.conf", "days: timeout")


@pytest.mark.parametrize(("one", "other"), [("live", "tree"), ("tree", "live")])
def test_what_fails_is_news_in_any_medium(one: str, other: str) -> None:
    before = replace(found(UNKNOWN), reasons=(NOT_IN_FILES,), medium=one)
    assert kinds([before], [replace(found(FAIL), medium=other)]) == ["new"]
    assert kinds([before], [replace(found(PASS), medium=other)]) == []


def test_an_element_less_is_no_change() -> None:
    before, after = found(FAIL, "web01", ROOT_LOGIN, "anna", "bob"), found(FAIL, "web01", ROOT_LOGIN, "bob")
    assert kinds([before], [after]) == []


def test_a_failure_that_the_reference_does_not_show_is_new() -> None:
    assert kinds([], [found(FAIL)]) == ["new"]
    assert kinds([found(PASS)], [found(PASS), found(FAIL, "web02")]) == ["new"]


def test_a_decision_that_no_longer_stands_has_lapsed() -> None:
    assert kinds([found(FAIL, decision=ACCEPTED)], [found(FAIL)]) == ["lapsed"]
    assert kinds([found(FAIL, decision=ACCEPTED)], [found(PASS)]) == ["resolved"]


def test_an_adapted_target_that_is_missed_now_is_worse() -> None:
    beside = replace(ACCEPTED, kind="adaptation")
    kept = replace(found(FAIL, decision=beside), adapted=PASS)
    assert kinds([kept], [replace(kept, adapted=FAIL)]) == ["worsened"]
    assert kinds([kept], [kept]) == []
    assert kinds([found(FAIL)], [kept]) == []


def test_a_finding_that_nobody_asks_for_is_not_resolved() -> None:
    assert kinds([found(FAIL), found(PASS, "web02")], [found(PASS, "web02")]) == ["gone"]
    narrowed = run(found(PASS, "web02"), limit="web02")
    assert [c.kind for c in changes(run(found(FAIL), found(PASS, "web02")), narrowed)] == []


def test_a_run_that_was_killed_has_lost_no_host() -> None:
    """It holds the hosts alone that it came to; nobody took the others out of the inventory."""
    before, killed = run(found(PASS), found(PASS, "web02")), run(found(PASS), state="open")
    assert compared(before, killed).moved.hosts_gone == ()
    killed.header = replace(killed.header, state="complete")
    assert compared(before, killed).moved.hosts_gone == ("web02",)


@pytest.mark.parametrize("changed", [{"revision": 2}, {"basis": "another"}])
def test_a_policy_that_judges_otherwise_makes_nothing_worse(changed: dict[str, object]) -> None:
    old = replace(CONTROLS[ROOT_LOGIN], basis="one")
    before, after = run(found(PASS)), run(found(FAIL))
    before.controls = {ROOT_LOGIN: old}
    after.controls = {ROOT_LOGIN: replace(old, **changed)}  # type: ignore[arg-type]
    seen = compared(before, after)
    assert seen.counts["changed"] == 1
    assert seen.moved.controls_changed == (ROOT_LOGIN,)
    assert not gating(seen)


def test_a_basis_that_an_older_run_does_not_say_is_no_change_of_policy() -> None:
    before, after = run(found(PASS)), run(found(FAIL))
    after.controls = {ROOT_LOGIN: replace(CONTROLS[ROOT_LOGIN], basis="one")}
    assert [c.kind for c in changes(before, after)] == ["new"]


def test_a_renamed_host_is_the_same() -> None:
    before, after = run(found(FAIL, "srv7")), run(found(FAIL, "web01", was="srv7"))
    seen = compared(before, after)
    assert not any(seen.counts.values())
    assert (seen.moved.hosts_added, seen.moved.hosts_gone) == ((), ())


def test_hosts_and_controls_that_only_one_run_has_are_named() -> None:
    before, after = run(found(PASS, "a")), run(found(PASS, "b"))
    before.controls = {ROOT_LOGIN: CONTROLS[ROOT_LOGIN]}
    moved = compared(before, after).moved
    assert (moved.hosts_added, moved.hosts_gone) == (("b",), ("a",))
    assert set(moved.controls_added) == set(CONTROLS) - {ROOT_LOGIN}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({"state": "partial"}, {}, "the reference is not whole"),
        ({"limit": "web*"}, {}, "the reference is not whole"),
        ({}, {"policies": ("a.yaml",)}, "this audit is not whole"),
        ({"started_at": 9e9}, {}, "a clock went back"),
        ({"estate": "other"}, {}, "other, now demo"),
    ],
)
def test_what_cannot_quite_be_compared_is_said(before: dict[str, object], after: dict[str, object], says: str) -> None:
    seen = compared(run(found(FAIL), **before), run(found(FAIL), **after))
    assert any(says in line for line in _changes.lines(seen, CONTROLS, voice("en")))


def test_only_what_is_new_worse_or_lapsed_gates() -> None:
    before = run(found(FAIL, "old"), found(PASS, "web01"), found(FAIL, "web02", decision=ACCEPTED))
    same = run(found(FAIL, "old"), found(PASS, "web01"), found(FAIL, "web02", decision=ACCEPTED))
    assert exit_code(same, "low", False) == 1
    assert exit_code(same, "low", False, gating(compared(before, same))) == 0
    for worse in (found(FAIL, "web01"), found(FAIL, "web02"), found(FAIL, "web03")):
        others = [f for f in same.findings() if f.subject.id != worse.subject.id]
        after = run(*others, worse)
        assert exit_code(after, "low", False, gating(compared(before, after))) == 1
        assert exit_code(after, "critical", False, gating(compared(before, after))) == 0
    unseen = run(found(FAIL, "old"), found(UNKNOWN, "web01"), found(FAIL, "web02", decision=ACCEPTED))
    assert exit_code(unseen, "low", False, gating(compared(before, unseen))) == 3


def test_a_new_failure_that_is_accepted_gates_nothing() -> None:
    before, after = run(found(PASS)), run(found(FAIL, decision=ACCEPTED))
    assert exit_code(after, "low", False, gating(compared(before, after))) == 0


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_page_tells_what_gates_first(lang: str) -> None:
    hosts = [f"h{i:03}" for i in range(120)]
    before = run(*(found(PASS, h, c) for h in hosts for c in CONTROLS))
    after = run(*(found(random.Random(h + c).choice(list(Outcome)), h, c, "x" * 90) for h in hosts for c in CONTROLS))
    lines = list(_changes.lines(compared(before, after), CONTROLS, voice(lang)))
    assert len(lines) <= _changes.PAGE
    assert all(len(line) <= 110 for line in lines)
    told = [line.split()[0] for line in lines if line[:1].isalpha()]
    assert told[1] == voice(lang).say("new").upper()


def test_hostile_names_are_inert() -> None:
    after = run(found(FAIL, "web\x1b[31m01", ROOT_LOGIN, "\x1b]0;x\x07anna\u202e"))
    text = "\n".join(_changes.lines(compared(run(), after), CONTROLS, voice("en")))
    assert "\x1b" not in text and "\u202e" not in text


SCHEMA = json.loads((shelves.PACKAGE / "schemas" / "diff.schema.json").read_text("utf-8"))


def test_the_document_keeps_its_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    after = run(found(FAIL, "a", ROOT_LOGIN, "anna"), found(UNKNOWN, "b"), estate="other")
    jsonschema.validate(_changes.plain(compared(run(found(PASS, "b")), after)), SCHEMA)


outcomes = st.sampled_from([*Outcome, None])


@given(st.dictionaries(st.sampled_from("abcdef"), outcomes), st.dictionaries(st.sampled_from("abcdef"), outcomes))
def test_every_finding_is_told_at_most_once_and_equal_runs_do_not_differ(
    before: dict[str, Outcome | None], after: dict[str, Outcome | None]
) -> None:
    old, new = ([found(outcome, host) for host, outcome in one.items()] for one in (before, after))
    told = list(changes(run(*old), run(*new)))
    assert len({c.finding.fingerprint for c in told}) == len(told)
    assert not list(changes(run(*new), run(*new)))
    for change in told:
        if change.kind in GATING:
            assert change.after is not None
            assert change.after.outcome in (Outcome.WARN, Outcome.FAIL)


class _Endless(SampleRun):
    """A run of so many findings, of which none is kept."""

    def __init__(self, count: int, at: float) -> None:
        super().__init__(header(), CONTROLS, {})
        self.count, self.at = count, at

    def sketches(self) -> Iterator[Sketch]:
        doc = json.dumps({"filler": "x" * 500, "at": self.at})
        for i in range(self.count):
            yield Sketch(i, f"{i:032}", "fail", doc)


def test_memory_does_not_follow_the_findings() -> None:
    tracemalloc.start()
    assert not list(changes(_Endless(20_000, 1.0), _Endless(20_000, 2.0)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000
