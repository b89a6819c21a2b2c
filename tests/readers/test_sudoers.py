"""Whom sudo rules name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Output, Unknown
from auditor.readers import sudoers


def rules(text: str) -> sudoers.Rules:
    found = sudoers.rules(Output(0, text.encode(), b"", 0.0))
    assert isinstance(found, sudoers.Rules)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bob ALL ", ["bob"]),
        ("bob, alice ALL", ["bob", "alice"]),
        ("bob,alice ,%ops h1, h2", ["bob", "alice", "%ops"]),
        ('"dom user" ALL', ["dom user"]),
        ("%dom\\ admins ALL", ["%dom admins"]),
        ("!eve, ALL ALL", ["!eve", "ALL"]),
        ("", []),
    ],
)
def test_a_rule_begins_with_a_list(text: str, expected: list[str]) -> None:
    assert sudoers.subjects(text) == expected


def test_aliases_of_aliases_and_a_loop() -> None:
    found = rules("sudoers files\nalias A = B, x\nalias B = A, y\nrule A ALL\nend\n")
    assert {"x", "y"} <= set(found.subjects)


def test_root_password_voids_a_rule_for_all_only() -> None:
    found = rules("sudoers files\ndefault -\t\ttargetpw\tyes\nrule ALL ALL\nrule bob ALL\nend\n")
    assert found.granting == ("bob",)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("directory", "not_told"),
        ("policy /etc/sudo.conf", "not_told"),
        ("refused /etc/sudoers", "not_told"),
        ("include /srv/x", "not_asked"),
        ("odd", "unreadable"),
    ],
)
def test_what_may_hold_more_rules(line: str, cause: str) -> None:
    gap = rules(f"sudoers none\n{line}\nend\n").gap
    assert isinstance(gap, Unknown) and gap.cause == cause


@given(
    st.lists(
        st.sampled_from(
            [
                "rule ",
                "rule a,b ALL\t(root) ALL",
                "also , h\tNOPASSWD: X",
                "alias X=Y",
                "alias X",
                "host H=a:b",
                "runas R=X",
            ]
            + [
                "cmnd X\t/a\tX",
                "cmnd , Y\t(",
                "default -\t\tauthenticate\tno",
                "default x",
                "doas x\t(a) /b",
                "g:a:1:b",
            ]
            + ["g:a", "odd", "loose /b", "unweighed", "polkit /x", "name h", '"', "refused /etc/sudoers"]
        )
    )
)
def test_no_text_raises_anything_else(lines: list[str]) -> None:
    for head in ("sudoers expanded", "sudoers files"):
        try:
            rules("\n".join([head, *lines, "end"]))
        except Unreadable:
            pass
