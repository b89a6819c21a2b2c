"""What chronyc prints, `tracking` and `sources` as comma-separated values, in; the clock that chronyd keeps, out. Pure.

Source: chronyc(1). After its sources fell silent chronyd still says `Normal`: only a selected source that answers counts.
With `local` it serves its own time as if it were a reference: that is no synchronisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.model import Unknown
from auditor.readers.clocks.clock import NO_STRATUM, Clock, number, untold, whole

OWN_TIME = "7F7F0101"
LEAPS = {"Normal": "normal", "Insert second": "insert", "Delete second": "delete", "Not synchronised": "unsynchronised"}
_TRACKING, _SOURCE = 14, 10  # columns


@dataclass(frozen=True, slots=True)
class _Source:
    mode: str
    state: str
    name: str
    reach: int


def clock(tracking: Sequence[str], sources: Sequence[str]) -> Clock:
    """`tracking`, `sources`: the lines of the answers."""
    told = tracking[0].split(",") if len(tracking) == 1 else []
    if len(told) != _TRACKING or told[-1] not in LEAPS:
        return _silent(tracking)
    stratum, offset = whole(told[2]), number(told[4])
    if stratum is None or offset is None:
        return untold("unreadable", "chronyc tracking")
    read = _sources(sources)
    if isinstance(read, Unknown):
        return untold(read.cause, read.detail)
    selected = next((s for s in read if s.state == "*" and s.reach), None)
    leap = LEAPS[told[-1]]
    follows = selected is not None and leap != "unsynchronised" and told[0] != OWN_TIME and 0 < stratum < NO_STRATUM
    if not follows or selected is None:
        nothing = Unknown("not_told", "chronyd follows no source")
        return Clock(False, nothing, stratum or NO_STRATUM, leap, None)
    return Clock(True, abs(offset), stratum, leap, selected.name)


def names(lines: Sequence[str]) -> list[str] | Unknown:
    """The servers in effect, as they were written where chronyc was asked for that (`-N`); not clocks of the host."""
    read = _sources(lines)
    return read if isinstance(read, Unknown) else list(dict.fromkeys(s.name for s in read if s.mode != "#"))


def _silent(lines: Sequence[str]) -> Clock:
    said = " ".join(lines)[:100]
    if said.startswith("501"):
        return untold("no_privilege", said)
    return untold("not_told", f"chronyd does not answer: {said or 'nothing'}")


def _sources(lines: Sequence[str]) -> list[_Source] | Unknown:
    found = []
    for line in lines:
        columns = line.split(",")
        if len(columns) != _SOURCE or columns[0] not in ("^", "=", "#") or len(columns[1]) != 1:
            return Unknown("unreadable", f"chronyc sources: {line[:80]}")
        found.append(_Source(columns[0], columns[1], columns[2].lower().rstrip("."), whole(columns[5]) or 0))
    return found
