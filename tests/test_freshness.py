"""Moments, machine-ids and answers: what earlier evidence is worth, and who answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from make import command, hello, make_host, output
from sample_run import voice

from auditor import freshness
from auditor.framing.sh import HELLO
from auditor.freshness import away, last_seen, machine_of, of_this_system, quiet, whole
from auditor.model import Failure, Obstacle, Output, Unknown
from auditor.sentences import DETAILS, cause

DAY_S = 86400.0
NIGHT = (22 * 3600, 6 * 3600)
ID = "0123456789abcdef0123456789abcdef"


def civil(at: float) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo("Europe/Paris"))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris")).timestamp()


@pytest.mark.parametrize(
    ("hours", "when", "is_quiet"),
    [
        (None, "03:00", False),
        (NIGHT, "21:59:59", False),
        (NIGHT, "22:00", True),
        (NIGHT, "00:00", True),
        (NIGHT, "05:59:59", True),
        (NIGHT, "06:00", False),
        ((9 * 3600, 12 * 3600 + 1800), "12:29", True),
        ((9 * 3600, 12 * 3600 + 1800), "12:30", False),
        ((9 * 3600, 12 * 3600 + 1800), "03:00", False),
    ],
)
def test_quiet_hours(hours: tuple[int, int] | None, when: str, is_quiet: bool) -> None:
    """Also across midnight; the first second counts, the last not."""
    assert quiet(make_host(quiet_hours_s=hours), datetime.fromisoformat(f"2026-11-21T{when}")) is is_quiet


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-07-01"])
def test_quiet_hours_are_those_of_clocks_in_france(day: str) -> None:
    """In winter, in summer, and on the days when clocks change."""
    host = make_host(quiet_hours_s=NIGHT)
    assert quiet(host, civil(at(f"{day}T05:59")))
    assert not quiet(host, civil(at(f"{day}T06:00")))
    assert quiet(host, datetime(2026, 7, 1, 20, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Paris")))


@pytest.mark.parametrize(
    ("seen", "counts"),
    [("2026-10-31T12:00", False), ("2026-11-01T23:59", False), ("2026-11-02T00:00", True), ("2026-11-20T12:00", True)],
)
def test_evidence_of_before_a_reinstallation_is_of_another_system(seen: str, counts: bool) -> None:
    """That of the day itself too: nobody knows on which side of it it was seen."""
    host = make_host(reinstalled_at="2026-11-01")
    assert of_this_system(host, at(seen), at("2026-11-21T12:00"), civil) is counts
    assert of_this_system(make_host(), at(seen), at("2026-11-21T12:00"), civil)


def test_a_reinstallation_to_come_has_changed_nothing_yet() -> None:
    """Else a slip of the year would switch the comparison off."""
    host = make_host(reinstalled_at="2027-11-01")
    assert of_this_system(host, at("2026-11-20T12:00"), at("2026-11-21T12:00"), civil)


@pytest.mark.parametrize(
    ("told", "machine"),
    [
        (hello(), "0123456789abcdef"),
        (output(f"Linux\nweb01\n0\n1795000000\n{ID.upper()}\n"), ID),
        (output("Linux\nweb01\n0\n1795000000\n01234567-89ab-cdef-0123-456789abcdef"), ID),
        (output("Linux\nweb01\n0\n1795000000\n"), ""),
        (output("Linux\nweb01\n0\n1795000000\nuninitialized"), ""),
        (output(f"Linux\nweb01\n0\n1795000000\n{'0' * 32}"), ""),
        (output("Linux\nweb01\n0\n1795000000\n" + "f" * 5000), ""),
        (output("Linux"), ""),
        (Output(0, b"\xff\n\xff\n\xff\n\xff\n\xff", b"", 1.0), ""),
        (Failure("timeout"), None),
        (None, None),
    ],
)
def test_what_proves_a_machine(told: Output | Failure | None, machine: str | None) -> None:
    """Only a machine-id that was given to it; an empty, unset or odd one proves nothing."""
    assert machine_of(told) == machine


def test_away_is_silence_and_not_a_refusal() -> None:
    """A host that refuses us, or that answered anything, is there."""
    one = command()
    for hurdle in ("name", "silent", "relay"):
        silent = Failure("unreachable", "", 0.0, Obstacle(hurdle))
        assert away({HELLO: silent, one: silent})
        assert not away({HELLO: silent, one: output("400")})
        assert not away({HELLO: replace(silent, obstacle=Obstacle(hurdle, bastion=True))})
    for hurdle in ("port", "no_ssh", "algorithms"):
        assert not away({HELLO: Failure("unreachable", "", 0.0, Obstacle(hurdle))})
    for why in ("unreachable", "timeout", "auth", "host_key", "closed", "no_transport", "internal"):
        assert not away({HELLO: Failure(why), one: Failure(why)})
    assert not away({HELLO: hello()})
    assert not away({})


def test_evidence_is_whole_when_every_question_came_to_an_end() -> None:
    """A privilege that lacks is an answer; a connection that was cut, a question not asked, are none."""
    one = command()
    assert whole((HELLO, one), {HELLO: hello(), one: output("400")})
    assert whole((HELLO, one), {HELLO: hello(), one: Failure("no_privilege")})
    assert not whole((HELLO, one), {HELLO: hello()})
    assert not whole((HELLO, one), {HELLO: Failure("no_privilege"), one: output("400")})
    for why in freshness.UNFINISHED:
        assert not whole((HELLO, one), {HELLO: hello(), one: Failure(why)})


def test_how_long_ago_in_both_languages() -> None:
    """Hours for two days, then days; a detail of ours is translated."""
    assert last_seen(30 * 3600.0) == "last seen 30 hours ago"
    assert last_seen(12.9 * DAY_S) == "last seen 12 days ago"
    assert last_seen(-5.0) == "last seen 0 hours ago"
    said = cause(Unknown("last_seen", last_seen(12 * DAY_S)), voice("fr"), True)
    assert said == "aucune preuve assez récente sur cette machine (vue pour la dernière fois il y a 12 jours)"


def test_every_detail_is_known_to_the_catalogue() -> None:
    """What this module says stands in the list that is translated."""
    ours = [
        getattr(freshness, n)
        for n in ("NEVER_SEEN", "NEVER_SEEN_AND_AWAY", "HOURS_AGO", "DAYS_AGO", "LOST_SINCE", "OTHER_HOST")
    ]
    assert set(ours) <= set(DETAILS)
