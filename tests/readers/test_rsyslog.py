"""Where rsyslog sends, and what its time stamps say."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Output, Unknown
from auditor.readers.rsyslog import age_s, stamped, targets

NOON = 1795000000.0


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def answer(at: float = NOON, host_at: float | None = NOON) -> Output:
    return Output(0, b"", b"", at, host_at)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1760740386.000001", 1760740386.000001),
        ("2026-01-02T03:04:05Z", seconds("2026-01-02T03:04:05")),
        ("2026-01-02T03:04:05.123456+02:00", seconds("2026-01-02T01:04:05")),
        ("2026-01-02T03:04:05", seconds("2026-01-02T02:04:05")),
        ("Nov 18 03:04:05", seconds("2026-11-18T02:04:05")),
        ("Nov 20 03:04:05", seconds("2025-11-20T02:04:05")),
        ("Feb 29 12:00:00", seconds("2024-02-29T11:00:00")),
    ],
)
def test_a_stamp(text: str, at: float) -> None:
    assert stamped(text, not_after=NOON, zone="+0100") == at


@pytest.mark.parametrize(
    "text", ["", "x", "9" * 40, "2026-13-02T03:04:05Z", "Nov 31 03:04:05", "Jan 1", "2026-01-02T03:04:05+99:00"]
)
def test_what_is_no_stamp(text: str) -> None:
    assert isinstance(stamped(text, not_after=NOON), Unknown)


def test_an_age_is_by_the_host_clock() -> None:
    assert age_s(answer(host_at=NOON - 600), NOON - 700) == 100
    assert age_s(answer(), NOON + 5) == 0


@pytest.mark.parametrize(
    ("given_answer", "at", "cause"),
    [
        (answer(host_at=None), NOON, "not_told"),
        (answer(host_at=NOON - 90000), NOON - 90001, "clock_skew"),
        (answer(), NOON + 3600, "clock_skew"),
        (answer(), 0.0, "clock_skew"),
        (answer(), Unknown("unreadable"), "unreadable"),
    ],
)
def test_an_age_that_is_not_told(given_answer: Output, at: float | Unknown, cause: str) -> None:
    age = age_s(given_answer, at)
    assert isinstance(age, Unknown)
    assert age.cause == cause


def found(text: str) -> list[tuple[object, object, str, object]]:
    return [(t.to, t.port, t.protocol, t.tls) for t in targets([text])]


def test_a_driver_set_in_a_later_file_is_everywhere() -> None:
    action = 'action(type="omfwd" target="a" protocol="tcp" streamdrivermode="1")'
    assert [t.tls for t in targets([action, 'global(defaultNetstreamDriver="ossl")'])] == [True]
    assert [t.tls for t in targets([action])] == [False]


def test_a_name_that_only_newer_releases_know_is_no_tls() -> None:
    """8.2302, of Debian 12, passes it over, and sends in clear."""
    action = 'action(type="omfwd" target="a" protocol="tcp" streamdriver="gtls" streamdriver.mode="1")'
    assert isinstance(targets([action])[0].tls, Unknown)
    both = action.replace("streamdriver.mode", 'streamdrivermode="1" streamdriver.mode')
    assert [t.tls for t in targets([both])] == [True]


def test_the_legacy_ruleset_directives() -> None:
    text = "$RuleSet remote\n*.* @@relay\n$RuleSet RSYSLOG_DefaultRuleset\n*.* @@own\n"
    assert [to for to, *_ in found(text)] == ["own"]
    assert [to for to, *_ in found("$DefaultRuleset remote\n" + text)] == ["relay"]


def test_a_chain_of_calls() -> None:
    text = 'ruleset(name="a") { call b }\nruleset(name="b") { action(type="omfwd" target="x") }\n'
    assert found(text) == []
    assert found(text + "call a\n") == [("x", 514, "udp", False)]


def test_what_only_looks_like_a_target() -> None:
    assert found("*.* /var/log/a\n*.* -/var/log/b\n*.* ~\nmail.* :omusrmsg:*\n*.* |/dev/xconsole\n") == []
    assert (
        found(
            'template(name="t" string="*.* @@host")\n# *.* @@host\n/* *.* @@host */\n/* action(type="omfwd" target="x")\n'
        )
        == []
    )


def test_a_port_that_is_no_number() -> None:
    assert found("*.* @@host:syslog") == [("host", Unknown("not_told", "syslog"), "tcp", False)]


@given(st.text(alphabet='@:*.{}()[]"\\/ \n\tactionruleset=$#;'))
def test_any_text_is_read(text: str) -> None:
    targets([text])


@pytest.mark.parametrize(
    "piece", ["/* ", '\\"', "a", "a(", '"', "@@", "{", "call a ", "a=", "action(", "(", " ", "[", "\n"]
)
def test_no_text_takes_long(piece: str) -> None:
    start = time.monotonic()
    targets(['action(type="omfwd" ' + piece * (131072 // len(piece))])
    targets([piece * (131072 // len(piece))])
    assert time.monotonic() - start < 60  # quadratic takes hours


@pytest.mark.parametrize(
    ("text", "partial"),
    [
        ('*.* action(type="omfwd" target="c" action.execOnlyEveryNthTime="")', True),
        ('*.* action(type="omfwd" target="c" action.execOnlyOnceEveryInterval="")', True),
        ("$ActionExecOnlyOnceEveryInterval 3600\n*.* @@c", True),
        ("$ActionExecOnlyOnceEveryInterval 0\n*.* @@c", False),
        ("$ActionExecOnlyEveryNthTime 9\n$ResetConfigVariables\n*.* @@c", False),
        ('input(type="imtcp" port="514" ruleset="r")\nruleset(name="r") { stop }\n*.* @@c', False),
        ('input(type="imuxsock" socket="/dev/log" ruleset="r")\nruleset(name="r") { stop }\n*.* @@c', None),
        ('input(type="imjournal" ruleset="r")\nruleset(name="r") { *.* @@c }', None),
    ],
)
def test_what_takes_some_messages_or_never_gets_those_of_the_host(text: str, partial: bool | None) -> None:
    [told] = targets([text])
    assert told.partial is partial if partial is not None else isinstance(told.partial, Unknown)


def test_a_reset_of_the_legacy_variables_ends_tls() -> None:
    text = "$DefaultNetstreamDriver gtls\n$ActionSendStreamDriverMode 1\n*.* @@a\n$ResetConfigVariables\n*.* @@b\n"
    assert [t.tls for t in targets([text])] == [True, False]


def partials(text: str) -> list[object]:
    return [t.partial if isinstance(t.partial, bool) else t.partial.cause for t in targets([text])]


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ('ruleset(name="drop") { if $msg contains "x" then stop }\ncall drop\n', "not_told"),
        ('ruleset(name="a") { call b }\nruleset(name="b") { :msg, contains, "x" ~\n }\ncall a\n', "not_told"),
        ('ruleset(name="drop") { if $msg contains "x" then stop }\n', False),
        ('ruleset(name="keep") { *.* /var/log/all\n }\ncall keep\n', False),
    ],
)
def test_what_a_called_ruleset_stops_does_not_come_back(before: str, told: object) -> None:
    assert partials(f"{before}*.* @@h\n") == [told]


def test_what_is_called_afterwards_takes_nothing_away() -> None:
    assert partials('ruleset(name="drop") { if $msg contains "x" then stop }\n*.* @@h\ncall drop\n') == [False]


def test_a_pool_of_targets_shares_the_messages_out() -> None:
    action = '*.* action(type="omfwd" target=["a", "b"] protocol="tcp")'
    assert partials(action) == ["not_told", "not_told"]
    assert partials(action.replace(', "b"', "")) == [False]


@pytest.mark.parametrize(
    "text",
    [
        '*.* action(type="omfwd" target="h" protocol="tcp" StreamDriver="ossl" StreamDriverMode="1"'
        ' StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="%s")',
        '*.* action(type="omrelp" target="h" tls="on" tls.authmode="name" tls.permittedPeer=["%s"])',
        "$DefaultNetstreamDriver gtls\n$ActionSendStreamDriverMode 1\n$ActionSendStreamDriverAuthMode x509/name\n"
        "$ActionSendStreamDriverPermittedPeer %s\n*.* @@h",
    ],
)
def test_a_permitted_peer_with_a_star_is_any_machine_of_a_domain(text: str) -> None:
    assert [t.verifies for t in targets([text % "*.example.org"])] == ["authority"]
    assert [t.verifies for t in targets([text % "h.example.org"])] == ["name"]


@pytest.mark.parametrize(
    "text",
    [
        'if $programname == "a" or\n  $programname == "b" then\n  @@h',
        'if $programname == "a" or\n  $programname == "b" then {\n  @@h\n}',
        'if $programname == "a"\n  or $msg contains "b"\nthen action(type="omfwd" target="h")',
        'if $programname == "" or\n  @@h',
    ],
)
def test_a_condition_of_several_lines_is_one(text: str) -> None:
    assert partials(text) == ["not_told"]


def test_a_directive_after_a_condition_is_one() -> None:
    assert partials('if $msg contains "x" then /var/log/x\n$ActionExecOnlyOnceEveryInterval 0\n*.* @@h') == [False]
    assert partials('if $msg contains "x" then set $.a = 1;\naction(type="omfwd" target="h")') == [False]


@pytest.mark.parametrize("limit", ['ratelimit.interval="60"', 'queue.discardSeverity=""'])
def test_an_action_that_drops_messages_when_there_are_many(limit: str) -> None:
    assert partials(f'*.* action(type="omfwd" target="h" {limit})') == ["not_told"]
