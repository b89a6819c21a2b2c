"""What deletes old records: paths and spans, as the host prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make import output

from auditor.model import Failure, Unknown
from auditor.readers.log_deletion import Rule, rules, span_days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("365d", 365),
        ("1year", 365.2),
        ("12 months", 365.3),
        ("52w", 364),
        ("1y 30d", 395.2),
        ("31536000", 365),
        ("8760h", 365),
        ("12M", 365.3),
        ("1.5d", 1.5),
    ],
)
def test_spans_as_systemd_reads_them(text: str, days: float) -> None:
    assert span_days(text) == days


@pytest.mark.parametrize("text", ["", "soon", "12 moons", "d", "-3d", "$DAYS", "9" * 50 + "d"])
def test_what_is_no_span(text: str) -> None:
    assert isinstance(span_days(text), Unknown)


def test_what_is_printed_is_read() -> None:
    told = output("uid 0\nvacuum /var/log/journal/remote 365d\nfind /var/log 30\ntmpfiles /srv/log/* mM:10d\nend")
    assert rules(told) == [
        Rule("/var/log/journal/remote", 365, exact=True),
        Rule("/var/log", 30),
        Rule("/srv/log", 10),
    ]


def test_which_stores_a_rule_is_about() -> None:
    """One above, the store itself, a part of it; a vacuum reads one directory alone."""
    for path, about in (("/var/log", True), ("/var/log/remote", True), ("/var/log/remote/web01", True), ("/", True),
                        ("/var/log/rem", False), ("/var/log/remote2", False)):  # fmt: skip
        assert Rule(path, 1).concerns("/var/log/remote") is about
    assert not Rule("/var/log", 1, exact=True).concerns("/var/log/journal/remote")


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        (Failure("timeout"), "timeout"),
        (output(""), "unreadable"),
        (output("uid 0\nfind /var/log 3"), "unreadable"),
        (output("uid 1000\nend"), "no_privilege"),
    ],
)
def test_what_was_not_seen_is_unknown(told: object, cause: str) -> None:
    found = rules(told)  # type: ignore[arg-type]
    assert isinstance(found, Unknown)
    assert found.cause == cause


@given(st.text())
def test_any_text(text: str) -> None:
    rules(output(f"uid 0\n{text}\nend"))
    span_days(text)
