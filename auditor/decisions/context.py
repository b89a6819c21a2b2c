"""What a rule looks at beside the record itself: the estate, the policies, the day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from auditor.decisions.places import Places
from auditor.model import Control, Estate, Measure, Outcome, Perimeter


@dataclass(frozen=True, slots=True)
class Context:
    """`as_of` is a civil day in France, ISO; days compare as text. `controls` are all that exist."""

    estate: Estate
    controls: Mapping[str, Control]
    measures: Mapping[str, Measure]
    as_of: str
    places: Places


# What a rule found: a reason code, and what it is about, as data.
Found = Iterator[tuple[str, str]]


def deciders(kind: str, perimeter: Perimeter) -> tuple[str, ...]:
    """The entities that may decide so about a perimeter: only its owner accepts its risk; whoever operates it, adapts."""
    owner, operator, adviser = perimeter.owner, perimeter.operated_by or perimeter.owner, perimeter.advised_by
    entities = {"acceptance": (owner,), "adaptation": (operator,), "exemption": (owner, operator, adviser)}
    return tuple(dict.fromkeys(e for e in entities[kind] if e))


def within(day: str, since: str, until: str) -> bool:
    """Both ends count; an empty one is open."""
    return since <= day and (not until or day <= until)


def later(day: str, months: int) -> str:
    """The same day of the month so many months later, or its last one: 2026-08-31 and 6 is 2027-02-28."""
    begin = date.fromisoformat(day)
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    if year > 9999:
        return "9999-12-31"
    first = date(year, month + 1, 1)
    last = (date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - first).days if year < 9999 or month < 11 else 31
    return first.replace(day=min(begin.day, last)).isoformat()


def lateness(due: str, as_of: str, grace_days: int) -> Outcome:
    """What is due is judged by its age: in time, overdue (warn), or overdue beyond the grace (fail). No day: in time."""
    if not due or as_of <= due:
        return Outcome.PASS
    age = (date.fromisoformat(as_of) - date.fromisoformat(due)).days
    return Outcome.WARN if age <= grace_days else Outcome.FAIL
