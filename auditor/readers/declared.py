"""The answers of a perimeter, JSON lists of what people declared, in; records, or why they cannot be told, out. Pure."""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown
from auditor.shape import shaped

LONGEST = 8 << 20  # bytes of one list: the hosts of the largest perimeters
ATTESTATIONS = Command("attestations", kind="read", cap_bytes=LONGEST)
REGISTERS = Command("registers", kind="read", cap_bytes=LONGEST)
HOSTS = Command("hosts", kind="read", cap_bytes=LONGEST)
DATED = Command("dated", kind="read", cap_bytes=LONGEST)
ADAPTATIONS = Command("adaptations", kind="read", cap_bytes=LONGEST)
RECOMMENDATIONS = Command("recommendations", kind="read", cap_bytes=LONGEST)

Record = TypeVar("Record")


@lru_cache(maxsize=8)
def listed(answer: Answer, kind: type[Record]) -> tuple[Record, ...] | Unknown:
    """The records of an answer, read once for all that is asked of them. Raises Unreadable for what is no list of them."""
    if isinstance(answer, Failure):
        return answer.unknown()
    try:
        found: Any = json.loads(answer.stdout)
        if answer.exit_code or not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise Unreadable("no list of records")
        return tuple(shaped(kind, one) for one in found)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"no record: {error}"[:200]) from None


def age_days(day: str, as_of: str) -> int:
    """Civil days from one to the other. Raises Unreadable for what is no day."""
    return (civil(as_of) - civil(day)).days


def months_left(as_of: str, day: str) -> int:
    """The whole months from one day to a later one; below 0 when that is over. Raises Unreadable for what is no day."""
    since, until = civil(as_of), civil(day)
    return 12 * (until.year - since.year) + until.month - since.month - (until.day < since.day)


def months_begun(day: str, as_of: str) -> int:
    """The months that have begun since a day: 12 on the day a year later, 13 on the next."""
    return -months_left(as_of, day)


def civil(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise Unreadable(f"no day: {day[:40]}") from None
