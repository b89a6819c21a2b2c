"""Ports that others can reach."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Failure, Output, Unknown
from auditor.readers import listeners


def told(text: str) -> listeners.Listeners:
    return listeners.read(Output(0, text.encode(), b"", 0.0))


@pytest.mark.parametrize(
    ("line", "ports"),
    [
        ("00000000:0016", {22}),
        ("0100007F:0016", set()),
        ("3500007F:0035", set()),
        ("0100A8C0:2382", {9090}),
        ("00000000000000000000000000000000:170C", {5900}),
        ("00000000000000000000000001000000:170C", set()),
        ("0000000000000000FFFF00000100007F:170C", set()),
        ("B80D0120000000000000000001000000:170C", {5900}),
    ],
)
def test_loopback_is_not_reached(line: str, ports: set[int]) -> None:
    assert told(line + "\nend\n").ports == ports


def test_what_was_not_told_is_unknown() -> None:
    missing = listeners.read(Failure("timeout"))
    assert isinstance(missing.any_of([22]), Unknown)
    assert told("00000000:0016\nend\n").any_of([22]) is True and told("end\n").any_of([22]) is False


@given(st.text(alphabet="0123456789ABCDEF:\nend ", max_size=80))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        told(text)
    except Unreadable:
        pass
