"""A register as it is kept, without its entries, in; the days since its last review out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.model import Unknown
from auditor.readers.declared import age_days

# Details in our own words; sentences.DETAILS translates them.
NO_REGISTER = "no register {name}"
UNREVIEWED = "the register {name} does not say when it was reviewed"
REVIEWED_LATER = "the register {name} is reviewed on a day to come: {day}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A register, without its entries."""

    id: str
    perimeter: str
    reviewed_at: str
    entries: int


def reviewed_days(found: Sequence[Kept], name: str, as_of: str) -> int | Unknown:
    """Of several registers of a name, the estate's and the perimeter's own, the longest."""
    if not found:
        return Unknown("no_record", NO_REGISTER.format(name=name))
    if not all(one.reviewed_at for one in found):
        return Unknown("not_told", UNREVIEWED.format(name=name))
    first, last = min(one.reviewed_at for one in found), max(one.reviewed_at for one in found)
    if age_days(last, as_of) < 0:
        return Unknown("not_told", REVIEWED_LATER.format(name=name, day=last))
    return age_days(first, as_of)
