"""What the daemons that keep a clock tell: numbers, own time, and texts that are none of theirs."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import make
import pytest
from documents import written
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Output, Partial, Unknown
from auditor.readers.clocks import chrony, ntpq, openntpd, settings, timesyncd
from auditor.readers.clocks.clock import number, whole

PARSE = importlib.import_module("auditor.probes.time_sync").PROBE.dialects["linux"].parse
CASES = sorted((Path(__file__).parent.parent / "probes" / "time_sync").glob("*.yaml"))
RECORDED = [written(path.read_text("utf-8"))["answers"] for path in CASES if not path.stem.startswith("windows-")]
NAMES = ("asked", "asked_root", "processes", "processes_root")
READERS = [
    lambda lines: chrony.clock(lines, lines),
    ntpq.clock,
    openntpd.clock,
    lambda lines: timesyncd.clock(lines, 1795000000.0),
    settings.sources,
    timesyncd.servers,
    chrony.names,
]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5),
        ("-0.000012", -0.000012),
        ("1e-3", 0.001),
        ("nan", None),
        ("inf", None),
        ("1" * 400, None),
        ("", None),
    ],
)
def test_a_number(text: str, value: float | None) -> None:
    assert number(text) == value


def test_digits_of_another_script_and_of_great_length_are_no_number() -> None:
    assert [whole(t) for t in ("12", "²", "١", "9" * 20, "-1", "")] == [12, None, None, None, None, None]


def test_a_selected_source_that_no_longer_answers_is_not_followed() -> None:
    tracking = ["C0000207,192.0.2.7,3,1.0,0.1,0,0,0,0,0,0,0,1.0,Normal"]
    source = "^,{},192.0.2.7,2,6,{},34,0,0,0"
    assert chrony.clock(tracking, [source.format("*", 377)]).synchronised is True
    assert chrony.clock(tracking, [source.format("*", 0)]).synchronised is False
    assert chrony.clock(tracking, [source.format("+", 377)]).synchronised is False
    assert chrony.clock(tracking, []).synchronised is False


def test_a_later_empty_value_of_timesyncd_takes_the_earlier_away() -> None:
    texts = {
        "/usr/lib/systemd/timesyncd.conf": "[Time]\nNTP=a b\nFallbackNTP=f",
        "/etc/systemd/timesyncd.conf.d/x.conf": "[Time]\nNTP=\nNTP=c.",
    }
    assert settings.timesyncd(texts) == [("c", "server")]


@pytest.mark.parametrize("reader", READERS)
@given(lines=st.lists(st.text(max_size=80), max_size=5))
def test_any_lines_are_read(reader: Any, lines: list[str]) -> None:
    reader(lines)


@given(
    st.sampled_from(RECORDED), st.sampled_from(NAMES), st.integers(0, 3000), st.binary(max_size=12), st.integers(0, 40)
)
def test_a_recorded_answer_that_was_altered(
    answers: dict[str, Any], name: str, at: int, put: bytes, taken: int
) -> None:
    """Facts come, or Unreadable."""
    try:
        facts = PARSE(make.altered(answers, name, at, put, taken), {})
    except Unreadable:
        return
    assert facts["synchronised"] in (True, False) or isinstance(facts["synchronised"], Unknown)
    assert isinstance(facts["sources"], list | Partial)


@given(st.lists(st.binary(max_size=200), min_size=4, max_size=4))
def test_any_answers_are_read(raw: list[bytes]) -> None:
    told = {name: Output(0, text, b"", 1795000000.0, None) for name, text in zip(NAMES, raw, strict=True)}
    try:
        assert PARSE(told, {})["synchronised"] is not True
    except Unreadable:
        pass
