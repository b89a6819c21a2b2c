"""Accounts and groups, and who is privileged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Output
from auditor.readers import passwd

HOST = [
    "p:root:0:0:/root:/bin/sh",
    "p:bob:1000:27:/home/bob:",
    "p:syslog:104:4:/:/usr/sbin/nologin",
    "g:sudo:27:carol",
    "g:adm:4:",
]


def test_first_group_empty_shell_and_system_accounts() -> None:
    people = passwd.read(HOST)
    assert people.accounts["bob"].can_log_in
    assert passwd.privileged(people, ()).because == {
        "root": ("uid 0",),
        "carol": ("group sudo",),
        "bob": ("group sudo",),
    }


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("dora", {"dora": ("sudo rule",)}),
        ("#1000", {"bob": ("group sudo", "sudo rule")}),
        ("#77", {"#77": ("sudo rule",)}),
        ("%sudo", {"carol": ("group sudo", "sudo rule for %sudo"), "bob": ("group sudo", "sudo rule for %sudo")}),
        ("%#27", {"carol": ("group sudo", "sudo rule for %#27"), "bob": ("group sudo", "sudo rule for %#27")}),
        ("%nobody-made-it", {}),
        ("+ng", {"+ng": ("sudo rule",)}),
        ("ALL", {"ALL": ("sudo rule",)}),
        ("!dora", {}),
    ],
)
def test_subjects_of_rules(subject: str, expected: dict[str, tuple[str, ...]]) -> None:
    found = passwd.privileged(passwd.read(HOST), [subject]).because
    base = {"root": ("uid 0",), "carol": ("group sudo",), "bob": ("group sudo",)}
    assert found == {**base, **expected}


def test_a_group_that_a_directory_may_know_stands_for_itself() -> None:
    people = passwd.read([*HOST, "n: files sss"])
    found = passwd.privileged(people, ["%domain admins"])
    assert found.because["%domain admins"] == ("sudo rule",)
    assert found.collective == ("%domain admins",)


def test_nis_marks_are_a_directory_and_no_account() -> None:
    people = passwd.read([*HOST, "p:+:::::", "g:+::"])
    assert people.directory and "+" not in people.accounts


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        passwd.people(Output(0, (text + "\nend\n").encode("utf-8", "replace"), b"", 0.0))
        passwd.read(f"p:{text}\ng:{text}".splitlines())
    except Unreadable:
        pass


@pytest.mark.parametrize(
    ("sources", "directory"),
    [
        ("files", False),
        ("files systemd", False),
        ("files [NOTFOUND=return UNAVAIL=continue] systemd # sss", False),
        ("files himmelblau", True),
        ("files cache_oslogin oslogin systemd", True),
        ("sss files", True),
    ],
)
def test_any_source_that_is_not_the_hosts_own_may_know_others(sources: str, directory: bool) -> None:
    assert passwd.read([*HOST, f"n: {sources}"]).directory is directory
