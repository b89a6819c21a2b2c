"""How accounts log in and when they last did, as hosts tell it."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import written
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Failure, Output, Unknown
from auditor.readers import logins
from auditor.readers.logins import State

CASE = written((Path(__file__).parents[1] / "probes" / "accounts" / "expected.yaml").read_text("utf-8"))
LINES = [line for name in ("states", "last") for line in CASE["answers"][name]["stdout"].splitlines()]


def output(text: str, exit_code: int = 0) -> Output:
    return Output(exit_code, text.encode(), b"", 0.0)


@pytest.mark.parametrize(
    ("state", "expired"),
    [
        (State("set"), False),
        (State("set", expires=100), True),
        (State("set", expires=101), False),
        (State("set", expires=0), False),  # shadow(5): may mean never
        (State("set", expires=1), True),
        (State("set", changed=50, longest=30, inactive=20), True),
        (State("set", changed=51, longest=30, inactive=20), False),
        (State("set", changed=1, longest=30), False),
        (State("set", changed=0, longest=30, inactive=0), False),  # a new password is asked for
        (State("set", changed=200, longest=0, inactive=0), False),
    ],
)
def test_expiry_is_as_pam_unix_has_it(state: State, expired: bool) -> None:
    assert state.expired(100) is expired


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Nov 16 09:12:13 +0100 2026", 1794816733.0),
        ("Nov 16 03:42:13 -0430 2026", 1794816733.0),
        ("Jan  1 00:00:60 +0000 1970", 59.0),  # a leap second
        ("2026-11-16T09:12:13+01:00", 1794816733.0),
    ],
)
def test_a_login_is_dated_with_its_zone(text: str, at: float) -> None:
    told = logins.last(output(f"last bob\t{text}\ntool lastlog\nend\n"))
    assert isinstance(told, logins.Last) and told.logins == {"bob": at}


def test_a_record_begins_with_its_database() -> None:
    """Only where sshd's own stack writes what that tool reads, and where the file says when it was made."""
    for text, since in (
        ("tool lastlog\nborn 5\nrecords lastlog\n", 5.0),
        ("tool lastlog\nborn 0\nrecords lastlog\n", None),
        ("tool lastlog\nborn \nrecords lastlog\n", None),
        ("tool lastlog2\nborn 5\nrecords lastlog\n", None),
        ("tool lastlog\nborn 5\n", None),
    ):
        told = logins.last(output(text + "end\n"))
        assert isinstance(told, logins.Last) and told.complete_since == since


def test_what_is_cut_is_not_read() -> None:
    for reader in (logins.states, logins.last):
        for answer in (output(""), output("tool none\n"), output("end\n", exit_code=1)):
            with pytest.raises(Unreadable):
                reader(answer)
        assert reader(Failure("timeout")) == Unknown("timeout")


@given(
    st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=20)), max_size=20),
    st.integers(0, 60),
    st.text(max_size=5),
)
def test_no_text_raises_anything_else(lines: list[str], place: int, put: str) -> None:
    """Lines of a real answer in any order, cut and written over anywhere."""
    text = "\n".join(lines)
    for reader in (logins.states, logins.last):
        for body in (text, text[:place] + put + text[place + len(put) :]):
            try:
                reader(output(body + "\nend\n"))
            except Unreadable:
                pass
