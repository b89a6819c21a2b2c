"""Which rules ask for a password: what recorded cases and the real sudo do not already show."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Output
from auditor.probes.sudo_rules import PROBE
from auditor.readers import passwd, sudoers
from auditor.readers.elevation import elevations, same

CASES = [
    yaml.safe_load(p.read_text("utf-8"))
    for p in sorted((Path(__file__).parents[1] / "probes/sudo_rules").glob("*.yaml"))
]
LINES = sorted({line for c in CASES for line in c["answers"]["sudoers"].get("stdout", "").splitlines()})
PEOPLE = "p:root:0:0:/root:/bin/sh\np:bob:7:7:/:/bin/sh\ng:ops:60:bob\nend\n"


def answers(text: str) -> dict[str, Output]:
    return {"accounts": Output(0, PEOPLE.encode(), b"", 0.0), "sudoers": Output(0, text.encode(), b"", 0.0)}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("bob", "bob", True),
        ("bob", "eve", False),
        ("#7", "bob", True),
        ("%ops", "bob", True),
        ("%#60", "bob", True),
        ("%ops", "eve", False),
        ("%none", "bob", False),
        ("ALL", "%none", True),
        ("+net", "bob", None),
        ("%:domain", "bob", None),
        ("?", "bob", None),
    ],
)
def test_whom_two_names_share(one: str, other: str, expected: bool | None) -> None:
    known = passwd.people(Output(0, PEOPLE.encode(), b"", 0.0))
    assert isinstance(known, passwd.People)
    assert same(one, other, known) is same(other, one, known) is expected
    elsewhere = passwd.People(known.accounts, known.groups, directory=True)
    assert same(one, other, elsewhere) is (None if expected is False and one.startswith("%") else expected)


def test_aliases_within_aliases_end_soon() -> None:
    """Each alias names all of the next: opened one by one they would be more than there are seconds."""
    layers = [[f"A{i}_{j}" for j in range(40)] for i in range(12)] + [["bob"]]
    lines = [f"alias {name} = {', '.join(layers[i + 1])}" for i in range(12) for name in layers[i]]
    lines += [f"cmnd C{name}\t" + "\t".join("C" + n for n in layers[i + 1]) for i in range(12) for name in layers[i]]
    told = sudoers.rules(answers("\n".join(["sudoers files", *lines, "rule A0_0 ALL\tCA0_0", "end"]))["sudoers"])
    assert isinstance(told, sudoers.Rules) and told.subjects == ("bob",)
    assert [e.text for e in elevations(told, passwd.People({}, {}))] == ["bob (root) Cbob"]
    long = [f"cmnd C{i}\tC{i + 1}" for i in range(5000)] + [f"alias A{i} = A{i + 1}" for i in range(5000)]
    told = sudoers.rules(answers("\n".join(["sudoers files", *long, "rule A0 ALL\tC0", "end"]))["sudoers"])
    assert isinstance(told, sudoers.Rules) and told.rules[0].users == ("A5000",)


@given(
    st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=30)), max_size=30),
    st.integers(0, 400),
    st.text(max_size=5),
)
def test_no_text_raises_anything_else(lines: list[str], place: int, put: str) -> None:
    """Lines of real answers in any order, written over anywhere."""
    text = "\n".join(lines)
    for body in (text, text[:place] + put + text[place + len(put) :]):
        try:
            facts = PROBE.dialects["linux"].parse(answers(f"sudoers expanded\n{body}\nend\n"), {})
        except Unreadable:
            continue
        assert set(facts) == set(PROBE.facts["properties"])
