"""Whatever a host says of its audit system, the answer is facts of the right shape or Unreadable, and no cut list passes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from documents import written
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Answer, Output, Unknown
from auditor.probes.audit_trail import PROBE
from auditor.probes.linux.audit_trail import commands
from auditor.readers import audit_rules

RECORDED = [written(p.read_text()) for p in sorted((Path(__file__).parent / "audit_trail").glob("*.yaml"))]
CASES = [case for case in RECORDED if case["platform"] == "linux"]
EXPECTED = next(c for c in CASES if c["about"].startswith("Debian 12, auditd"))
NAMES = list(commands({}))
PARSE = PROBE.dialects["linux"].parse
TOKENS = st.sampled_from(
    "-w -p wa r x /etc /etc/passwd /etc/shadow /etc/group /etc/sudoers.d / -k -a always,exit never,exit never,task "
    "always,exclude never,user never,filesystem -S all execve -F arch=b64 arch=b32 euid=0 auid>=1000 auid!=-1 auid=² "
    "msgtype=USER_AUTH msgtype>=1 exe=/bin/sh path=/etc/passwd dir=/etc perm=wa -C uid!=euid = != No rules".split()
)


def output(raw: bytes, code: int = 0) -> Output:
    return Output(code, raw, b"", 1795000000.0, 1795000000.0)


def parsed(answers: dict[str, Answer]) -> dict[str, Any]:
    try:
        facts = dict(PARSE(answers, {}))
    except Unreadable:
        return {}
    assert set(facts) == set(PROBE.facts["properties"])
    return facts


def of(case: dict[str, Any]) -> dict[str, Answer]:
    return {n: output(s.get("stdout", "").encode(), s.get("exit_code", 0)) for n, s in case["answers"].items()}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(TOKENS, max_size=8).map(" ".join) | st.text(max_size=30), max_size=8))
def test_any_list_of_rules_comes_to_something(lines: list[str]) -> None:
    rules = audit_rules.read(lines)
    if isinstance(rules, Unknown):
        return
    for needed in (audit_rules.BOTH, frozenset({"b64"})):
        assert isinstance(audit_rules.changes(rules, "/etc/passwd", needed), bool | Unknown)
        assert isinstance(audit_rules.root_commands(rules, needed), str | Unknown)
    assert isinstance(audit_rules.logins(rules), bool | Unknown)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CASES), st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_real_answers_that_were_damaged(case: dict[str, Any], name: str, chance: random.Random) -> None:
    answers = of(case)
    raw = bytearray(answers[name].stdout)  # type: ignore[union-attr]
    if raw:
        for _ in range(chance.randint(0, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        answers[name] = output(bytes(raw[: chance.randint(0, len(raw))]))
    parsed(answers)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=80)))
def test_any_bytes(raw: dict[str, bytes]) -> None:
    parsed({**of(EXPECTED), **{n: output(b) for n, b in raw.items()}})


@pytest.mark.parametrize("missing", range(1, 12))
def test_an_answer_that_is_cut_covers_nothing(missing: int) -> None:
    """Lines are missing at its end: where the kernel stopped talking is not where its rules end."""
    answers = of(EXPECTED)
    text = answers["kernel"].stdout  # type: ignore[union-attr]
    answers["kernel"] = output(b"\n".join(text.splitlines()[:-missing]))
    assert parsed(answers) == {}


@pytest.mark.parametrize("missing", range(5))
def test_each_watch_is_needed(missing: int) -> None:
    lines = [
        f"-w {path} -p wa" for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/sudoers", "/etc/sudoers.d")
    ]
    del lines[missing]
    rules = audit_rules.read(lines)
    assert not isinstance(rules, Unknown)
    paths = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/sudoers", "/etc/sudoers.d/x")
    told = [audit_rules.changes(rules, path, audit_rules.BOTH) for path in paths]
    assert told == [i != missing for i in range(5)]


def test_a_directory_of_a_like_name_is_another() -> None:
    rules = audit_rules.read(["-w /etc/sudoers.d.old -p wa", "-w /et -p wa"])
    assert not isinstance(rules, Unknown)
    assert audit_rules.changes(rules, "/etc/sudoers.d/x", audit_rules.BOTH) is False


@pytest.mark.parametrize(
    ("excluded", "changes", "logins"),
    [
        ("msgtype=CWD", True, True),
        ("msgtype=SYSCALL", False, True),
        ("msgtype=PATH", None, True),
        ("msgtype=1300", None, None),
        ("msgtype>=USER_AUTH", None, None),
        ("msgtype=USER_CMD", True, False),
        ("exe=/usr/sbin/cron", True, True),
        ("auid=1000", None, None),
    ],
)
def test_what_the_list_exclude_drops_is_recorded_by_no_rule(
    excluded: str, changes: bool | None, logins: bool | None
) -> None:
    rules = audit_rules.read([f"-a always,exclude -F {excluded}", "-w /etc -p wa"])
    assert not isinstance(rules, Unknown)
    told = audit_rules.changes(rules, "/etc/passwd", audit_rules.BOTH), audit_rules.logins(rules)
    for one, expected in zip(told, (changes, logins), strict=True):
        assert one is expected if expected is not None else isinstance(one, Unknown)
