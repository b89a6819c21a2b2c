"""What hosts share is parsed, judged, written and told once; never what is one host's own."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from documents import written
from hypothesis import given
from hypothesis import strategies as st
from make import make_check, make_control, make_finding
from test_probes import CASES, answer, probe

from auditor import document
from auditor.alike import Shared, shared
from auditor.errors import Unreadable
from auditor.expectations import finding
from auditor.kinds import Probe
from auditor.model import Answer, Outcome, Output, Partial, Reason, Register, Subject, Unknown
from auditor.readers import processes, sshd, sudoers
from auditor.readers.undated import undated
from auditor.store import texts

# ---------------------------------------------------------------- what a parse is not given

REDUCED = ("admins", "audit_trail", "accounts", "directory", "doors", "endpoint_protection", "log_alerting",
           "log_forwarding", "remote_tools", "ssh_logins", "sudo_rules", "time_sync")  # fmt: skip
LIVE = [p for p in CASES if p.parent.name in REDUCED and "platform: windows" not in p.read_text("utf-8")]
OTHERS = (
    "p\t0\t/usr/bin/sleep\tsleep\np\t33\t/usr/sbin/apache2\tapache2\np\t0\t\tkworker/0:1-events\np\t1000\t\n"
    "p\t0\t/usr/bin/awk (deleted)\tawk\np\t0\t/a\tb\tc\n"
)


def told(parse: Callable[..., Any], answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Any:
    try:
        return parse(answers, arguments)
    except Unreadable as why:
        return str(why)


@pytest.mark.parametrize("path", LIVE, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_what_a_parse_is_not_given_changes_no_fact(path: Any) -> None:
    case = written(path.read_text())
    assert case.get("platform", "linux") == "linux"
    found = probe(path.parent.name)
    assert isinstance(found, Probe)
    apart = importlib.util.find_spec(f"auditor.probes.linux.{path.parent.name}")
    module = importlib.import_module(apart.name if apart else f"auditor.probes.{path.parent.name}")
    answers = {name: answer(spec) for name, spec in case["answers"].items()}
    dialect, arguments = found.dialects["linux"], case.get("arguments") or {}
    assert told(dialect.parse, answers, arguments) == told(module.parse, answers, arguments)
    busier = {name: busy(name, one) for name, one in answers.items()}
    assert told(dialect.parse, busier, arguments) == told(module.parse, busier, arguments)


def busy(name: str, one: Answer) -> Answer:
    """The same, with processes that no probe looks for, and another order of lines."""
    if not isinstance(one, Output) or not name.startswith(("processes", "seen")):
        return one
    more = OTHERS.encode() if name.startswith("processes") else b"c sleep\nc kworker/0:1\n"
    return replace(one, stdout=more + one.stdout)


@given(st.binary(max_size=200))
def test_the_rest_of_a_list_of_processes_is_left_as_it_is(told: bytes) -> None:
    only = processes.among("sshd", "chrony*")
    left = only(Output(0, told, b"", 0.0))
    assert isinstance(left, Output)
    lines = told.split(b"\n")
    others = [line for line in lines if line and line[:2] not in (b"p\t", b"p ")]
    assert [line for line in left.stdout.split(b"\n") if line and line[:2] not in (b"p\t", b"p ")] == others
    assert set(left.stdout.split(b"\n")) - {b""} <= set(lines)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("p\t0\t/usr/sbin/sshd\tsshd", True),
        ("p\t0\t\tsshd", True),
        ("p\t0\t/opt/own/sshd (deleted)\tother", True),
        ("p\t0\t/usr/sbin/chronyd-2\tx", True),
        ("p\t0\t/usr/bin/sleep\tsleep", False),
        ("p\t0\t/usr/sbin/sshd/x\tsshdx", False),
    ],
)
def test_processes_of_these_names_and_programs_are_left(line: str, kept: bool) -> None:
    left = processes.among("sshd", "chrony*")(Output(0, f"{line}\nwhole\n".encode(), b"", 0.0))
    assert isinstance(left, Output)
    assert left.stdout.decode() == (f"{line}\nwhole\n" if kept else "whole\n")


ANYWHERE = "sudoers expanded\nrule %sudo ALL\t(ALL : ALL) ALL\nname web01\nend\n"


@pytest.mark.parametrize(
    ("more", "nameless"),
    [
        ("", True),
        ("rule bob web01\tALL\n", False),
        ("rule bob web01, ALL\tALL\n", False),
        ("rule bob !web01\tALL\n", False),
        ("rule bob ALL\tALL\nalso web02\tALL\n", False),
        ("default @\tweb01\tauthenticate\tno\n", False),
        ("default -\t\tauthenticate\tno\n", True),
        ("default odd\n", False),
    ],
)
def test_a_host_keeps_its_name_where_a_rule_may_name_hosts(more: str, nameless: bool) -> None:
    told = ANYWHERE.replace("name web01", f"{more}name web01").encode()
    left = sudoers.nameless(Output(0, told, b"", 0.0))
    assert isinstance(left, Output)
    assert (b"name web01" not in left.stdout) is nameless


SUDO_LINES = st.sampled_from(
    [
        "rule bob web01\tNOPASSWD: ALL", "rule %sudo ALL\t(ALL : ALL) ALL", "also web02\tALL", "host WEB=web01", "host ANY=ALL",
        "rule bob WEB\tALL", "rule bob ANY\tNOPASSWD: /bin/ls", "rule bob ANY, !web01\tALL", "rule bob +servers\tALL",
        "default @\tweb01\tauthenticate\tno", "default @\tALL\trootpw\tyes", "default -\t\trootpw\tyes", "rule bob w*\tALL",
        "doas bob\tNOPASSWD: ALL", "name web02\x0crule bob web02\tALL", "rule bob ALL\u2028name web02\tALL", "name ", "odd",
        "rule bob ALL\rname web02\tALL", "host A=B", "host B=A", "rule bob A\tALL", "rule bob \tALL", "directory",
    ]
)  # fmt: skip


@given(st.lists(SUDO_LINES, max_size=5), st.sampled_from(["web01", "web02", "WEB01.x.invalid", "", "web01\x0cend"]))
def test_a_name_that_is_left_out_changes_no_fact(lines: list[str], name: str) -> None:
    module = importlib.import_module("auditor.probes.sudo_rules")
    people = "p:root:0:0:/root:/bin/sh\np:bob:1000:1000:/home/bob:/bin/sh\ng:sudo:27:bob\nend\n"
    rules = "\n".join(["sudoers files", *lines, f"name {name}", "end\n"])
    answers = {
        n: Output(0, t.encode(), b"", 0.0) for n, t in (("accounts", people), ("sudoers", rules), ("pam", "end\n"))
    }
    assert told(module.PROBE.dialects["linux"].parse, answers, {}) == told(module.parse, answers, {})


def test_a_rule_of_one_host_counts_there_alone() -> None:
    """Two hosts with the same rules, of which one names the first: they do not come to the same."""
    sudo_rules = probe("sudo_rules")
    assert isinstance(sudo_rules, Probe)

    def on(name: str) -> Any:
        rules = f"sudoers files\nrule bob web01\tNOPASSWD: ALL\nname {name}\nend\n"
        people = "p:root:0:0:/root:/bin/sh\np:bob:1000:1000:/home/bob:/bin/sh\nend\n"
        told = {"accounts": people, "sudoers": rules, "pam": "end\n"}
        answers = {n: Output(0, text.encode(), b"", 0.0) for n, text in told.items()}
        return sudo_rules.dialects["linux"].parse(answers, {})

    assert on("web01") != on("web02")
    assert on("web01") == on("web01")


def test_how_many_are_logging_in_is_no_setting() -> None:
    line = b"process\tsshd: /usr/sbin/sshd -D [listener] 3 of 10-100 startups\n"
    settled = sshd.settled(Output(0, line + b"sshd\t[listener] 3 of \n", b"", 0.0))
    assert isinstance(settled, Output)
    assert settled.stdout == line.replace(b"3 of", b"0 of") + b"sshd\t[listener] 3 of \n"


def test_a_parse_sees_no_more_than_what_its_facts_are_looked_up_by() -> None:
    seen = []

    def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(answers["a"])
        return {"n": len(seen)}

    once = undated(parse, a=lambda one: Output(0, b"", b"", one.at))
    first = once({"a": Output(0, b"1", b"", 1.0, 2.0)}, {})
    assert once({"a": Output(0, b"2", b"", 3.0, 4.0)}, {}) is first
    assert seen == [Output(0, b"", b"", 0.0, None)]


# ---------------------------------------------------------------- what was judged before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x": 1}, {"x": True}),
        ({"x": 1}, {"x": 1.0}),
        ({"x": [1]}, {"x": [1, 2]}),
        ({"x": None}, {"x": Unknown("not_told")}),
        ({"x": [1]}, {"x": Partial((1,), Unknown("not_told"))}),
        ({"x": Partial((1,), Unknown("not_told"))}, {"x": Partial((True,), Unknown("not_told"))}),
        ({"x": {"y": 0}}, {"x": {"y": False}}),
        ({"x": 1}, {"y": 1}),
    ],
)
def test_facts_that_only_look_alike_are_others(one: Any, other: Any) -> None:
    first = shared(f"a question {one} {other}", one)
    assert isinstance(first, Shared)
    assert shared(f"a question {one} {other}", dict(one)) is first
    assert shared(f"a question {one} {other}", other) is not first


SCHEMA = {"type": "object", "properties": {"days": {"type": "integer"}, "who": {"type": "string"}}}


def test_alike_hosts_are_judged_each_by_its_own_values() -> None:
    facts = Shared({"days": 5})
    control = make_control(expect={"days": {"at_most": "$most"}})
    outcomes = [
        finding(make_check(control, values={"most": most}), facts, SCHEMA, 0.0).outcome for most in (9, 3, 9, 9, 3)
    ]
    assert outcomes == [Outcome.PASS, Outcome.FAIL, Outcome.PASS, Outcome.PASS, Outcome.FAIL]


def test_values_that_only_look_alike_are_others() -> None:
    facts = Shared({"days": 1})
    control = make_control(expect={"days": {"equals": "$wanted"}})
    came_to = [finding(make_check(control, values={"wanted": one}), facts, SCHEMA, 0.0) for one in (1, True, 1)]
    assert [one.outcome for one in came_to] == [Outcome.PASS, Outcome.UNKNOWN, Outcome.PASS]


def test_another_control_of_the_same_name_is_judged_anew() -> None:
    facts = Shared({"days": 5})
    before = finding(make_check(make_control(expect={"days": {"at_most": 9}})), facts, SCHEMA, 0.0)
    after = finding(make_check(make_control(expect={"days": {"at_most": 3}})), facts, SCHEMA, 0.0)
    assert (before.outcome, after.outcome) == (Outcome.PASS, Outcome.FAIL)


def test_dated_entries_of_a_register_count_anew_for_each_host() -> None:
    facts = Shared({"who": "bob"})
    gone = Register("leavers", ("bob",), left_at={"bob": 1000.0}, older_than_s=0.0)
    check = make_check(
        make_control(expect={"who": {"none_of": "$registers.leavers"}}), values={"registers.leavers": gone}
    )
    assert [finding(check, facts, SCHEMA, at).outcome for at in (500.0, 2000.0)] == [Outcome.PASS, Outcome.FAIL]


# ---------------------------------------------------------------- what is written

NAMES = st.text(max_size=12) | st.sampled_from(
    ['a,"control":', ',"fingerprint":"x"', '{"subject":', '"at":1', "\ud800"]
)
REASONS = st.tuples() | st.tuples(st.builds(Reason, NAMES, st.just("equals"), st.integers() | NAMES, cause=st.none()))


@given(NAMES, NAMES, REASONS, st.floats(0, 2e9), st.sampled_from([*Outcome, None]), st.integers(0, 9))
def test_a_finding_is_read_as_it_was_written(
    host: str, control: str, reasons: tuple[Reason, ...], at: float, outcome: Outcome | None, seq: int
) -> None:
    before = make_finding(
        outcome, seq=seq, subject=Subject("host", host, host), control=control, reasons=reasons, at=at
    )
    text = texts.written(before)
    assert texts.read(seq, text) == before
    assert json.loads(text) == document.kept_to_plain(before)


def test_a_finding_of_an_earlier_version_is_read() -> None:
    before = make_finding(Outcome.FAIL)
    assert texts.read(before.seq, json.dumps(document.finding_to_plain(before), separators=(",", ":"))) == before


def test_what_was_written_for_one_host_is_not_told_of_another() -> None:
    reasons = (Reason("days", "at_most", 3, 5),)
    one = make_finding(Outcome.FAIL, host="web01", reasons=reasons)
    other = replace(make_finding(Outcome.WARN, host="web02"), reasons=reasons)
    written = [json.loads(texts.written(f)) for f in (one, other, replace(one, gates=not one.gates))]
    assert [w["outcome"] for w in written] == ["fail", "warn", "fail"]
    assert [w["subject"]["id"] for w in written] == ["web01", "web02", "web01"]
    assert [w["gates"] for w in written] == [one.gates, other.gates, not one.gates]
