"""Whatever a host says of its directory, the answer is facts of the right shape or Unreadable."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from documents import written
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Answer, Output, Partial, Unknown
from auditor.probes.directory import PROBE
from auditor.probes.linux.directory import commands
from auditor.readers import sssd

RECORDED = [written(p.read_text()) for p in sorted((Path(__file__).parent / "directory").glob("*.yaml"))]
CASES = [case for case in RECORDED if case["platform"] == "linux"]
NAMES = list(commands({}))
PARSE = PROBE.dialects["linux"].parse
LINES = st.sampled_from(
    "end stopped changed absent untold odd plus whole n:passwd:files\u00a0sss n:passwd:sss[ f:/etc/sssd/sssd.conf "
    "k:domains=a,B,,a k:enabled=TRUE k:enabled=x s:sssd s:domain/a s:DOMAIN/B s:domain/ s:pam "
    "k:offline_credentials_expiration=99999999999999999999 k:offline_credentials_expiration=² k:cache_credentials=true "
    "p: p:x o:X:online o:::: k:workgroup k:security=ads e:/etc/sssd domain Online".split()
) | st.text(max_size=30)


def parsed(answers: dict[str, Answer]) -> dict[str, Any]:
    try:
        facts = dict(PARSE(answers, {}))
    except Unreadable:
        return {}
    assert set(facts) == set(PROBE.facts["properties"])
    return facts


def output(raw: bytes, code: int = 0) -> Output:
    return Output(code, raw, b"", 1795000000.0, 1795000000.0)


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({name: st.lists(LINES, max_size=8) for name in NAMES}), st.booleans(), st.integers(0, 2))
def test_lines_of_the_right_kind_in_any_order(said: dict[str, list[str]], whole: bool, code: int) -> None:
    parsed({n: output("\n".join([*ls, *["end"] * whole]).encode("utf-8", "ignore"), code) for n, ls in said.items()})


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CASES), st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_real_answers_that_were_damaged(case: dict[str, Any], name: str, chance: random.Random) -> None:
    """One answer of a recorded case is cut, or some of its bytes are others: `joined` is never a wrong no."""
    answers: dict[str, Answer] = {}
    for key, spec in case["answers"].items():
        raw = bytearray(spec.get("stdout", "").encode())
        if key == name and raw:
            for _ in range(chance.randint(0, 4)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            raw = raw[: chance.randint(0, len(raw))]
        answers[key] = output(bytes(raw), spec.get("exit_code", 0))
    parsed(answers)


def test_a_configuration_that_is_cut_is_no_empty_one() -> None:
    """Only an answer that says where it ends is whole."""
    whole = b"m:0 0 600 /etc/sssd/sssd.conf\nf:/etc/sssd/sssd.conf\ns:sssd\nk:domains= a\nend"
    found = sssd.domains(output(whole))
    assert isinstance(found, tuple)
    assert [d.name for d in found] == ["a"]
    for length in range(len(whole)):
        try:
            assert isinstance(sssd.domains(output(whole[:length])), Unknown)
        except Unreadable:
            pass


def test_a_directory_that_may_not_be_the_only_one_is_partial() -> None:
    """Where nsswitch.conf cannot be told from two lines, what sssd says stands, and the list is open."""
    case = next(c for c in CASES if c["about"].startswith("Debian 12, sssd 2.8"))
    answers: dict[str, Answer] = {n: output(s.get("stdout", "").encode()) for n, s in case["answers"].items()}
    answers["nss"] = output(b"n:passwd: files\nn:passwd: files sss\nend")
    facts = parsed(answers)
    assert isinstance(facts["directories"], Partial)
    assert facts["joined"] is True
