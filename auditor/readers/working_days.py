"""Two civil days in; the working days between them in France, Mondays to Fridays but the public holidays of all of it, out. Pure.

Source: Code du travail, article L3133-1. Alsace and Moselle have two more, which are not counted here.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_AFTER_EASTER = (1, 39, 50)  # Easter Monday, Ascension, Pentecost Monday: days


def working_days(since: date, until: date) -> int:
    """Those after `since` up to `until`, this one too: none on the same day."""
    days = (since + timedelta(n) for n in range(1, (until - since).days + 1))
    return sum(day.weekday() < 5 and day not in holidays(day.year) for day in days)


@lru_cache(maxsize=16)
def holidays(year: int) -> frozenset[date]:
    sunday = easter(year)
    return frozenset(
        (*(date(year, month, day) for month, day in _FIXED), *(sunday + timedelta(n) for n in _AFTER_EASTER))
    )


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the anonymous algorithm that Nature published in 1876."""
    golden, century, rest = year % 19, year // 100, year % 100
    leaps, skipped = divmod(century, 4)
    moon = (19 * golden + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * skipped + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)
