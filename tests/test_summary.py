"""Roll-ups and exit codes: one row for each rule of the contract, and folded names that unfold to themselves."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_run import ACCEPTED, CONTROLS, MEASURES, SampleRun, finding, fleet, header, one_host, rendered, voice

from auditor.model import Coverage, Finding, HostSeen, Outcome, Reason, Subject, Unknown
from auditor.reporters import html, text
from auditor.summary import exit_code, folded, summary

WEB = Subject("host", "web01", "syndicat")
PASS = finding(1, WEB, "clock-synchronised", "pass")
FAIL = finding(2, WEB, "clock-synchronised", "fail", Reason("a", "equals", 1, 2))  # medium
WARN = finding(3, WEB, "clock-synchronised", "warn", Reason("a", "equals", 1, 2))
UNKNOWN = finding(4, WEB, "clock-synchronised", "unknown", Reason("", "", cause=Unknown("timeout")))
UNCONCERNED = finding(5, WEB, "clock-synchronised", None, Reason("a", "equals", 1, 2))
ACCEPTED_FAIL = replace(FAIL, decision=ACCEPTED)
GAP = Coverage(WEB, "log-retention", Unknown("nothing_asked"))
SEEN = HostSeen("web01", None, 1, 1, 1.0)
MUTE = HostSeen("web01", Unknown("not_connected", "a printer"), 0, 0, asked=False)


def _run(*findings: Finding, **changes: object) -> SampleRun:
    planned = {"checks_planned": len(findings), **changes}
    return SampleRun(header(**planned), CONTROLS, MEASURES, all_findings=findings, all_hosts=[SEEN])


@pytest.mark.parametrize(
    ("run", "fail_on", "warn", "code"),
    [
        (_run(PASS), "low", False, 0),
        (_run(PASS, UNCONCERNED), "low", False, 0),
        (_run(FAIL), "low", False, 1),
        (_run(FAIL), "medium", False, 1),
        (_run(FAIL), "high", False, 0),
        (_run(FAIL), "never", False, 0),
        (_run(ACCEPTED_FAIL), "low", False, 0),
        (_run(WARN), "low", False, 0),
        (_run(WARN), "low", True, 1),
        (_run(WARN), "high", True, 0),
        (_run(replace(WARN, decision=ACCEPTED)), "low", True, 0),
        (_run(UNKNOWN), "low", False, 3),
        (_run(UNKNOWN), "never", False, 3),
        (_run(UNKNOWN, FAIL), "low", False, 1),
        (_run(UNKNOWN, FAIL), "high", False, 3),
        (_run(UNKNOWN, ACCEPTED_FAIL), "low", False, 3),
        (_run(replace(UNKNOWN, decision=ACCEPTED)), "low", False, 3),
        (_run(PASS, replace(UNKNOWN, gates=False)), "low", False, 0),
        (_run(replace(UNKNOWN, gates=False)), "low", False, 3),  # nothing at all was measured
        (_run(UNCONCERNED), "low", False, 3),
        (_run(UNCONCERNED, UNCONCERNED), "never", False, 3),
        (_run(PASS, state="partial"), "low", False, 3),
        (_run(PASS, state="open"), "low", False, 3),
        (_run(FAIL, state="partial"), "low", False, 1),
        (_run(PASS, hosts_expected=2), "low", False, 3),
        (_run(PASS, checks_planned=2), "low", False, 3),
        (replace(_run(PASS), all_coverage=[GAP]), "low", False, 3),
        (replace(_run(PASS), all_coverage=[replace(GAP, gates=False)]), "low", False, 0),
        (replace(_run(PASS), all_hosts=[replace(SEEN, failure=Unknown("auth"))]), "low", False, 3),
        (replace(_run(PASS), all_hosts=[replace(SEEN, failure=Unknown("nothing_asked"))]), "low", False, 3),
        (
            replace(_run(PASS, declared=False), all_hosts=[replace(SEEN, failure=Unknown("nothing_asked"))]),
            "low",
            False,
            0,
        ),
        (replace(_run(PASS, declared=False), all_hosts=[replace(SEEN, failure=Unknown("auth"))]), "low", False, 3),
        (replace(_run(PASS), all_hosts=[MUTE]), "low", False, 0),  # a witness spoke for it
        (replace(_run(FAIL), all_hosts=[MUTE]), "low", False, 1),
        (replace(_run(UNCONCERNED), all_hosts=[MUTE]), "low", False, 3),
        (replace(_run(replace(UNKNOWN, gates=False)), all_hosts=[MUTE]), "low", False, 3),
    ],
)
def test_exit_code(run: SampleRun, fail_on: str, warn: bool, code: int) -> None:
    assert exit_code(run, fail_on, warn) == code


def test_a_host_that_a_witness_spoke_for_is_measured_and_not_reached() -> None:
    """Equipment that nobody connects to; what no witness told of stays unseen."""
    seen = summary(replace(_run(PASS), all_hosts=[MUTE]))
    assert (seen.hosts_measured, seen.hosts_reached, seen.hosts_unseen, seen.unreached) == (1, 0, 0, ())
    seen = summary(replace(_run(UNKNOWN), all_hosts=[MUTE]))
    assert (seen.hosts_measured, seen.hosts_unseen, [u.cause for u in seen.unreached]) == (0, 1, ["not_connected"])


def test_a_decision_never_changes_what_is_counted_as_unknown() -> None:
    assert summary(_run(replace(UNKNOWN, decision=ACCEPTED))).counts == {"unknown": 1}


def test_every_finding_is_counted_once() -> None:
    seen = summary(_run(PASS, FAIL, WARN, UNKNOWN, UNCONCERNED, ACCEPTED_FAIL))
    assert seen.counts == {"pass": 1, "fail": 1, "warn": 1, "unknown": 1, "not_concerned": 1, "accepted_fail": 1}
    assert seen.checks_told == 6
    assert seen.checks_measured == 5
    assert seen.open_severities == {"medium": 1}
    assert not seen.everything_seen


def test_an_audit_that_concerned_nothing_is_not_said_to_be_well() -> None:
    """Every check was told, and none came to anything: no report calls that green."""
    run = _run(UNCONCERNED)
    assert (summary(run).nothing_judged, summary(run).everything_seen) == (True, False)
    said = "Nothing was measured: nobody knows whether it is good or bad."
    assert said in rendered(text.REPORTER, run, voice("en")).decode("utf-8")
    assert said in rendered(html.REPORTER, run, voice("en")).decode("utf-8")
    assert not summary(_run(UNCONCERNED, ACCEPTED_FAIL)).nothing_judged


@pytest.mark.parametrize("run", [fleet(), one_host()])
def test_roll_ups_hold_the_same_sum(run: SampleRun) -> None:
    seen = summary(run)
    for rolled in (seen.by_measure, seen.by_perimeter):
        assert sum(n for counts in rolled.values() for n in counts.values()) == sum(seen.counts.values())


def test_fixes_are_gravest_first_then_those_that_close_most() -> None:
    seen = summary(fleet())
    assert [(fix.severity, fix.fails + fix.warns, fix.control) for fix in seen.fixes] == [
        ("critical", 14, "ssh-root-login-off"),
        ("high", 15, "logins-ask-two-factors"),
        ("high", 1, "journal-keeps-twelve-months"),
        ("medium", 1, "administrators-are-registered"),
        ("low", 1, "mail-relay-encrypts"),
    ]


def test_equal_findings_are_one_group() -> None:
    groups = [(g.control, g.outcome, len(g.subjects)) for g in summary(fleet()).groups if g.decision is None]
    assert ("ssh-root-login-off", Outcome.FAIL, 14) in groups
    assert ("logins-ask-two-factors", Outcome.UNKNOWN, 4) in groups
    assert sum(count for _, _, count in groups) == 31 + 1 + 8


def test_what_was_not_seen_is_kept_by_cause() -> None:
    seen = summary(fleet())
    assert [(row.cause, row.checks, row.subjects) for row in seen.untold][:2] == [
        ("no_privilege", 4, ("srv05", "srv10", "srv15", "srv20")),
        ("unreachable", 3, ("srv09",)),
    ]
    assert [(row.cause, row.subjects) for row in seen.unreached] == [("unreachable", ("srv09",))]
    assert (seen.hosts_expected, seen.hosts_reached, seen.hosts_measured) == (22, 21, 21)


def test_a_host_that_answered_and_told_nothing_is_not_measured() -> None:
    mute = replace(_run(PASS), all_hosts=[replace(SEEN, measured=0)])
    assert summary(mute).hosts_measured == 0
    assert not summary(mute).everything_seen


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["nas"], "nas"),
        (["srv01"], "srv01"),
        ([f"srv{n:02d}" for n in range(1, 21)] + ["web03"], "srv[01-20], web03"),
        (["srv01", "srv02", "srv05"], "srv[01-02,05]"),
        (["srv9", "srv10", "srv08"], "srv[08,9-10]"),
        (["srv09", "srv10"], "srv[09-10]"),
        (["srv099", "srv100"], "srv[099-100]"),
        (["srv", "srv1", "srv2"], "srv, srv[1-2]"),
        (["srv", "srv1"], "srv, srv1"),
        (["a1.dmz", "a2.dmz"], "a[1-2].dmz"),
        (["web01-dc2", "web02-dc2"], "web[01-02]-dc2"),
        (["192.0.2.9", "192.0.2.10"], "192.0.2.[9-10]"),
        (["b1", "a1", "b2", "b1"], "b[1-2], a1"),
        (["h12345678901234567890"], "h12345678901234567890"),
    ],
)
def test_folded(names: list[str], text: str) -> None:
    assert folded(names) == text


def _unfolded(text: str) -> set[str]:
    names = set()
    for prefix, inside, suffix, plain in re.findall(r"([^\[, ]*)\[([^\]]*)\]([^, ]*)|([^, ]+)", text):
        if plain:
            names.add(plain)
        for part in inside.split(",") if inside else ():
            first, _, last = part.partition("-")
            width = len(first) if first.startswith("0") else 0
            for n in range(int(first), int(last or first) + 1):
                names.add(f"{prefix}{n:0{width}d}{suffix}" if last else f"{prefix}{first}{suffix}")
    return names


@given(st.lists(st.from_regex(r"[a-c]{0,2}[0-9]{0,3}(?:[-.][ab]?[0-9]{0,2})?", fullmatch=True).filter(bool)))
def test_folded_names_unfold_to_themselves(names: list[str]) -> None:
    assert _unfolded(folded(names)) == set(names)
