"""A line of a crontab, or a time of a systemd timer, in; when it starts something, and how long it may be until then, out. Pure.

Sources: crontab(5) of Debian and cronie, systemd.time(7). What is not read is None: it is no schedule, and no proof that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

Starts = tuple[int, ...]  # minutes from the first of the days looked at; of one hour the first alone
FIRST = date(2025, 1, 1)
DAYS = 800  # what comes less than once in them, never comes
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_WORDS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_WORDS = {
    "minutely": "*-*-* *:*", "hourly": "*-*-* *:00", "daily": "*-*-* 00:00", "weekly": "mon *-*-* 00:00",
    "monthly": "*-*-01 00:00", "yearly": "*-01-01 00:00", "annually": "*-01-01 00:00", "quarterly": "*-01,04,07,10-01 00:00",
    "semiannually": "*-01,07-01 00:00",
}  # fmt: skip
_SPAN = re.compile(r"(\d{1,9})[ ]*([a-zA-Z]*)[ ]*")
_SECONDS = {
    1: ("", "s", "sec", "second", "seconds"), 60: ("m", "min", "minute", "minutes"), 3600: ("h", "hr", "hour", "hours"),
    86400: ("d", "day", "days"), 604800: ("w", "week", "weeks"), 2629800: ("M", "month", "months"),
    31557600: ("y", "year", "years"), 0: ("ms", "msec", "us", "usec"),
}  # fmt: skip
_UNIT = {word: seconds for seconds, words in _SECONDS.items() for word in words}


def longest_gap(all_starts: Iterable[Starts]) -> float | None:
    """Hours at most between two starts, whichever of these it is; None where there is no second one."""
    times = sorted({t for starts in all_starts for t in starts})
    gaps = [later - sooner for sooner, later in pairwise(times)]
    return round(max(gaps) / 60, 1) if gaps else None


@lru_cache(maxsize=256)
def cron(text: str) -> Starts | None:
    """The five fields of a line, or the word in their place; `@reboot` has no time."""
    if text.lower() == "@reboot":
        return ()
    fields = _CRON_WORDS.get(text.lower(), text).lower().split()
    if len(fields) != 5:
        return None
    minutes, hours = _cron_field(fields[0], 0, 59), _cron_field(fields[1], 0, 23)
    days, months = _cron_field(fields[2], 1, 31), _cron_field(fields[3], 1, 12, _MONTHS, 1)
    week = _cron_field(fields[4], 0, 7, _WEEK)
    if minutes is None or hours is None or days is None or months is None or week is None:
        return None
    weekdays = {d % 7 for d in week}
    either = not (fields[2].startswith("*") or fields[4].startswith("*"))

    def holds(day: date) -> bool:
        of_month, of_week = day.day in days, day.isoweekday() % 7 in weekdays
        return day.month in months and (of_month or of_week if either else of_month and of_week)

    return _starts(holds, hours, minutes)


def _cron_field(text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0) -> frozenset[int] | None:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        ends = [_number(end, names, first) for end in span.split("-")] if span != "*" else [low, high]
        if slash and (not re.fullmatch("[1-9][0-9]?", step) or len(ends) < 2):
            return None
        begin, end = ends[0], ends[-1]
        if len(ends) > 2 or begin is None or end is None or not low <= begin <= end <= high:
            return None
        found.update(range(begin, end + 1, int(step or "1")))
    return frozenset(found)


def _number(text: str, names: tuple[str, ...], first: int) -> int | None:
    if text in names:
        return names.index(text) + first
    return int(text) if re.fullmatch("[0-9]{1,4}", text) else None


def _starts(holds: Callable[[date], bool], hours: Iterable[int], minutes: Iterable[int]) -> Starts:
    minute, sorted_hours = min(minutes, default=0), sorted(hours)
    days = (n for n in range(DAYS) if holds(FIRST + timedelta(days=n)))
    return tuple(n * 1440 + hour * 60 + minute for n in days for hour in sorted_hours)


# ---------------------------------------------------------------- systemd


@lru_cache(maxsize=256)
def calendar(text: str) -> Starts | None:
    """A value of OnCalendar=: weekdays, a date, a time, each of which may be left out; a zone moves all alike."""
    words = _WORDS.get(text.strip().lower(), text).split()
    if words and re.fullmatch("UTC|[A-Z][A-Za-z_]+/[A-Za-z_/+-]+", words[-1]):
        words = words[:-1]
    if not words:
        return None
    week: frozenset[int] | None = frozenset(range(7))
    if words and re.match("[A-Za-z]", words[0]):
        week = _weekdays(words.pop(0).lower().rstrip(","))
    at = words.pop() if words and ":" in words[-1] else "00:00"
    on = words.pop() if words else "*-*-*"
    time, day = at.split(":"), on.split("-")
    of_years = len(day) == 3 and day[0] != "*"  # whether they are over depends on the day
    if words or week is None or of_years or len(time) not in (2, 3) or len(day) not in (2, 3):
        return None
    months, days = _values(day[-2], 1, 12), _values(day[-1], 1, 31)
    hours, minutes = _values(time[0], 0, 23), _values(time[1], 0, 59)
    if months is None or days is None or hours is None or minutes is None:
        return None

    def holds(one: date) -> bool:
        return one.month in months and one.day in days and one.isoweekday() % 7 in week

    return _starts(holds, hours, minutes)


def _weekdays(text: str) -> frozenset[int] | None:
    """Monday comes first, and Sunday last: no range goes beyond it."""
    found: set[int] = set()
    for part in text.split(","):
        ends = [(_WEEK.index(e[:3]) or 7) if e[:3] in _WEEK else -1 for e in re.split(r"\.\.|-", part)]
        if -1 in ends or len(ends) > 2 or ends[0] > ends[-1]:
            return None
        found.update(day % 7 for day in range(ends[0], ends[-1] + 1))
    return frozenset(found)


def _values(text: str, low: int, high: int) -> frozenset[int] | None:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        begin, dots, end = span.partition("..")
        if begin == "*" and not dots:
            begin, end = str(low), str(high)
        elif not dots:
            end = str(high) if slash else begin
        if not all(re.fullmatch("[0-9]{1,4}", n) for n in (begin, end)) or (
            slash and not re.fullmatch("[1-9][0-9]?", step)
        ):
            return None
        if not low <= int(begin) <= int(end) <= high:
            return None
        found.update(range(int(begin), int(end) + 1, int(step or "1")))
    return frozenset(found)


def span(text: str) -> float | None:
    """A time span, in seconds."""
    whole, place = 0.0, 0
    while found := _SPAN.match(text.strip(), place):
        if found[2] not in _UNIT:
            return None
        whole, place = whole + int(found[1]) * _UNIT[found[2]], found.end()
    return whole if place and place == len(text.strip()) else None


@lru_cache(maxsize=64)
def every(seconds: float) -> Starts:
    """Again so long after each time."""
    step = max(60, min(int(seconds // 60), DAYS * 1440))
    return tuple(range(0, DAYS * 1440, step))
