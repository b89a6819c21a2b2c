"""Doors and remote tools: no answer of a host breaks them, and what is mutilated never looks healthier than unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from documents import written
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.kinds import Probe
from auditor.model import Answer, Failure, Output, Partial, Unknown
from tests.test_probes import CASES, answer, probe, wrong

KEPT = [
    p for p in CASES if p.parent.name in ("doors", "remote_tools", "ssh_logins") and not p.name.startswith("windows-")
]


def answers(path: Any) -> dict[str, Answer]:
    return {name: answer(spec) for name, spec in written(path.read_text())["answers"].items()}


def parsed(found: Probe, given: Mapping[str, Answer]) -> Mapping[str, Any] | None:
    try:
        return found.dialects["linux"].parse(given, {})
    except Unreadable:
        return None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KEPT), st.randoms(), st.binary(max_size=12))
def test_mutated_answers_are_facts_or_unreadable(path: Any, random: Any, junk: bytes) -> None:
    found = probe(path.parent.name)
    assert isinstance(found, Probe)
    told = answers(path)
    name = random.choice(sorted(told))
    one = told[name]
    if isinstance(one, Output):
        place = random.randrange(len(one.stdout) + 1)
        told[name] = Output(
            one.exit_code, one.stdout[:place] + junk + one.stdout[place + random.randrange(9) :], b"", one.at
        )
    facts = parsed(found, told)
    assert facts is None or (
        set(facts) == set(found.facts["properties"]) and not list(wrong(facts, found.facts, "facts"))
    )


@pytest.mark.parametrize("name", ["doors", "remote_tools"])
def test_an_answer_that_failed_leaves_no_list_whole_that_depended_on_it(name: str) -> None:
    path = next(p for p in KEPT if p.parent.name == name and p.stem == "expected")
    found = probe(name)
    assert isinstance(found, Probe)
    for lost in answers(path):
        facts = parsed(found, {**answers(path), lost: Failure("timeout")})
        assert facts is not None
        holes = [f for f in facts.values() if isinstance(f, Unknown | Partial) or "Unknown" in repr(f)]
        # a list of processes is asked twice, with root and without: either tells it whole
        assert holes or lost in ("processes", "processes_root", "seen", "session"), lost


def test_a_process_list_that_nobody_told_whole_is_not_empty() -> None:
    path = next(p for p in KEPT if p.parent.name == "doors" and p.stem == "absent")
    found = probe("doors")
    assert isinstance(found, Probe)
    given = {**answers(path), "processes": Failure("timeout"), "processes_root": Failure("timeout")}
    facts = parsed(found, given)
    assert facts is not None and isinstance(facts["logins"], Partial) and isinstance(facts["remote_doors"], Partial)


def test_the_settings_of_a_host_with_ten_thousand_accounts_are_told() -> None:
    path = next(p for p in KEPT if p.parent.name == "doors" and p.stem == "expected")
    given = answers(path)
    people = "".join(f"p:u{i}:{2000 + i}:{2000 + i}:/home/u{i}:/bin/bash\ng:u{i}:{2000 + i}:\n" for i in range(10000))
    held = "".join(f"set\tu{i}\n" for i in range(10000))
    for name, more in (("accounts", people), ("proofs", held)):
        one = given[name]
        assert isinstance(one, Output)
        given[name] = Output(0, one.stdout.replace(b"end\n", more.encode() + b"end\n"), b"", one.at)
    found = probe("doors")
    assert isinstance(found, Probe)
    facts = parsed(found, given)
    assert facts is not None and [d["reason"] for d in facts["remote_doors"]] == [
        "password + token (and 10001 more)",
        "key + password + token (and 10001 more)",
    ]
