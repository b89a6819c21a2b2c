"""A clock as a daemon tells it; numbers of the daemons' texts. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from auditor.model import Unknown

_NUMBER = re.compile(r"[-+]?\d{1,18}(\.\d{1,18})?([eE][-+]?\d{1,2})?\Z", re.ASCII)
NO_STRATUM = 16  # RFC 5905: unsynchronised


@dataclass(frozen=True, slots=True)
class Clock:
    """`offset_s`: how far the clock is from its reference, without a sign. `leap`: normal, insert, delete, unsynchronised.

    `reference`: what it follows now, None where it follows nothing.
    """

    synchronised: bool | Unknown
    offset_s: float | Unknown
    stratum: int | Unknown
    leap: str | Unknown
    reference: str | None | Unknown


def untold(cause: str, detail: str) -> Clock:
    why = Unknown(cause, detail)
    return Clock(why, why, why, why, why)


def number(text: str) -> float | None:
    """None: no number of a shape that these daemons print."""
    text = text.strip()
    value = float(text) if _NUMBER.match(text) else math.nan
    return value if math.isfinite(value) else None


def whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
