"""Which rules ask for a password: what recorded cases and the real sudo do not already show."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import written
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Output, Unknown
from auditor.probes.sudo_rules import PROBE
from auditor.readers import passwd, sudoers
from auditor.readers.elevation import ANYTHING, elevations, same, services

CASES = [
    written(p.read_text("utf-8")) for p in sorted((Path(__file__).parents[1] / "probes/sudo_rules").glob("*.yaml"))
]
LINES = sorted({line for c in CASES for line in c["answers"]["sudoers"].get("stdout", "").splitlines()})
PEOPLE = "p:root:0:0:/root:/bin/sh\np:bob:7:7:/:/bin/sh\ng:ops:60:bob\nend\n"


def answers(text: str) -> dict[str, Output]:
    said = {"accounts": PEOPLE, "sudoers": text, "pam": "end\n"}
    return {name: Output(0, told.encode(), b"", 0.0) for name, told in said.items()}


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


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("(ALL) ALL", True),
        ("(toor) ALL", True),
        ("(%root) ALL", True),
        ("(%wheel) ALL", False),
        ("(#00) ALL", True),
        ("(+net) ALL", None),
        ("(bob) ALL", False),
        ("(ALL,!root) ALL", True),
        ("(ALL,!#0) ALL", False),
        ("(ALL,!root,!toor) ALL", False),
        ("(ALL,!%root) ALL", True),
        ("(ALL,!%root,!%#50) ALL", False),
        ("(!root,ALL) ALL", True),
        ("(ALL,!+net) ALL", None),
        ("(root) /usr/bin/", True),
        ("(root) /opt/tools/", None),
        ("(root) /usr/bin/*", True),
        ("(root) /usr/bin/su*", True),
        ("(root) /usr/bin/systemct*", False),
        ("(root) /usr/bin/[a-z]*", None),
        ("(root) ^", None),
        ("(root) /usr/bin/python3.11", True),
        ("(root) /usr/bin/python3 ...", False),
        ("(root) /usr/bin/find ...*", True),
        ("(root) sudoedit", True),
        ("(root) sudoedit ...*", None),
        ("(root) sudoedit ...", False),
        ("(root) /usr/bin/systemctl ...", False),
    ],
)
def test_what_gives_all_of_root(item: str, expected: bool | None) -> None:
    known = passwd.People(
        {
            "root": passwd.Account("root", 0, 0),
            "toor": passwd.Account("toor", 0, 50),
            "bob": passwd.Account("bob", 7, 7),
        },
        {"root": passwd.Group("root", 0), "wheel": passwd.Group("wheel", 10)},
    )
    told = sudoers.rules(answers(f"sudoers expanded\nrule eve ALL\t{item}\nname web01\nend\n")["sudoers"])
    assert isinstance(told, sudoers.Rules)
    [one] = elevations(told, known)
    assert one.everything_as_root is expected if expected is not None else isinstance(one.everything_as_root, Unknown)


@pytest.mark.parametrize(
    ("named", "expected"), [("ALL,!root", None), ("ALL,!#0", False), ("bob", False), ("ALL", True)]
)
def test_a_directory_may_know_another_root(named: str, expected: bool | None) -> None:
    known = passwd.People({"root": passwd.Account("root", 0, 0)}, {}, directory=True)
    told = sudoers.rules(answers(f"sudoers expanded\nrule eve ALL\t({named}) ALL\nname web01\nend\n")["sudoers"])
    assert isinstance(told, sudoers.Rules)
    [one] = elevations(told, known)
    assert one.everything_as_root is expected if expected is not None else isinstance(one.everything_as_root, Unknown)


def test_a_first_group_without_a_name_has_members() -> None:
    known = passwd.People({"bob": passwd.Account("bob", 7, 4242)}, {})
    assert same("%#4242", "bob", known) is True
    assert passwd.privileged(known, ["%#4242"]).because == {"bob": ("sudo rule for %#4242",)}


@pytest.mark.parametrize(
    ("lines", "unasked"),
    [
        (("default -\t\tauthenticate\tno", "default !\t/bin/id\tauthenticate\tyes"), True),
        (("default -\t\tauthenticate\tno", "default :\tbob\tauthenticate\tyes"), False),
        (("default -\t\tauthenticate\tno", "default :\tALL,!bob\tauthenticate\tyes"), True),
        (("default -\t\tauthenticate\tno", "default :\t+net\tauthenticate\tyes"), None),
        (("default :\t!!bob\tauthenticate\tno",), True),
        (("default :\tBOB\tauthenticate\tno",), None),
        (("default @\t10.0.0.1\tauthenticate\tno",), None),
    ],
)
def test_a_line_about_a_part_leaves_the_rest(lines: tuple[str, ...], unasked: bool | None) -> None:
    text = "\n".join(["sudoers files", *lines, "rule bob ALL\t(ALL) ALL", "name web01", "end"])
    [rule] = PROBE.dialects["linux"].parse(answers(text + "\n"), {})["rules"]
    assert isinstance(rule["asks"], Unknown) if unasked is None else rule["asks"] is not unasked


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {("sudo", True), ("sudo-i", True)}),
        ("default -\t\tpam_service\tx\n", {("x", True), ("sudo-i", True)}),
        ("default :\tbob\tpam_login_service\tx\n", {("sudo", True), ("x", True)}),
        ("default :\teve\tpam_service\tx\n", {("sudo", True), ("sudo-i", True)}),
        ("default !\t/bin/id\tpam_service\tx\n", {("sudo", True), ("x", True), ("sudo-i", True)}),
        ("default @\t10.0.0.1\tpam_service\tx\n", {("sudo", False), ("x", False), ("sudo-i", True)}),
        ("default -\t\tpam_askpass_service\tx\n", {("sudo", True), ("sudo-i", True), ("x", True)}),
        ("default -\t\tpam_service\t../x\n", {("", True), ("sudo-i", True)}),
    ],
)
def test_which_stacks_sudo_asks(line: str, expected: set[tuple[str, bool]]) -> None:
    told = sudoers.rules(answers(f"sudoers files\n{line}rule bob ALL\t(ALL) ALL\nname web01\nend\n")["sudoers"])
    known = passwd.people(Output(0, PEOPLE.encode(), b"", 0.0))
    assert isinstance(told, sudoers.Rules) and isinstance(known, passwd.People)
    assert {(s.name, s.surely) for s in services(told, "bob", ANYTHING, known)} == expected


@pytest.mark.parametrize(
    ("timeout", "asks"),
    [
        ("-0", True),
        ("-0.0", True),
        ("-.0", True),
        ("0", True),
        ("5", True),
        ("-1", False),
        ("-0.5", False),
        ("-", False),
    ],
)
def test_a_timeout_of_minus_nothing_is_none(timeout: str, asks: bool) -> None:
    """sudo asks each time; below 0 it never asks again."""
    text = f"sudoers files\ndefault -\t\ttimestamp_timeout\t{timeout}\nrule bob ALL\t(ALL) ALL\nname web01\nend\n"
    facts = PROBE.dialects["linux"].parse(answers(text), {})
    rules = getattr(facts["rules"], "items", facts["rules"])
    assert [one["asks"] for one in (rules() if callable(rules) else rules)] == [asks]
