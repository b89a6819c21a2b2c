"""What systemd-timesyncd tells on the bus, as busctl prints it, in; the clock that it keeps, and its servers, out. Pure.

Source: org.freedesktop.timesync1(5). `NTPMessage` holds the last answer of the server: leap, version, mode, stratum,
precision, root delay, root dispersion, reference (4 bytes), four stamps in microseconds, ignored, packets, jitter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor.model import Unknown
from auditor.readers.clocks.clock import NO_STRATUM, Clock, untold, whole

# In this order; the last is not known to older releases.
PROPERTIES = "NTPMessage ServerName SystemNTPServers LinkNTPServers FallbackNTPServers RuntimeNTPServers"
_MESSAGE, _NAME, _SYSTEM, _LINK, _FALLBACK = "(uuuuittayttttbtt) ", "s ", 2, 3, 4
_SIGNED = re.compile(r"-?\d{1,12}\Z", re.ASCII)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LEAPS = {0: "normal", 1: "insert", 2: "delete", 3: "unsynchronised"}
# It asks at least every 34 minutes, unless told otherwise: whoever has had no answer for a day follows nothing.
SILENT_S = 86400.0
LATE_S = 300.0
_COLUMNS = 19


def clock(lines: Sequence[str], now: float | None) -> Clock:
    """`now`: seconds since 1970 by the clock in question."""
    if not lines or not lines[0].startswith(_MESSAGE):
        return untold("not_told", f"systemd-timesyncd does not answer: {' '.join(lines)[:100] or 'nothing'}")
    words = lines[0][len(_MESSAGE) :].split()
    if len(words) != _COLUMNS or words[7] != "4" or words[16] not in ("true", "false") or not _SIGNED.match(words[4]):
        return untold("unreadable", "the last answer to systemd-timesyncd")
    numbers = [whole(w) for w in (*words[:4], *words[12:16], words[17])]
    known = [n for n in numbers if n is not None]
    if len(known) != len(numbers):
        return untold("unreadable", "the last answer to systemd-timesyncd")
    leap, _, _, stratum, asked, received, sent, answered, packets = known
    age = Unknown("not_told", "the host's clock") if now is None else now - answered / 1e6
    follows = _follows(age, packets > 0 and leap in (0, 1, 2) and 0 < stratum < NO_STRATUM)
    nothing = Unknown("not_told", "systemd-timesyncd follows no server")
    offset = abs((received - asked) + (sent - answered)) / 2e6
    return Clock(
        follows,
        offset if follows is True else follows if isinstance(follows, Unknown) else nothing,
        stratum if packets else NO_STRATUM,
        _LEAPS.get(leap, "unsynchronised") if packets else "unsynchronised",
        _server(lines) if follows is True else None if follows is False else follows,
    )


def servers(lines: Sequence[str]) -> list[str] | Unknown:
    """The servers that it asks: the fallback ones only where there is no other."""
    lists = [_strings(line) for line in lines[_SYSTEM:]]
    if len(lines) <= _FALLBACK or None in lists[: _FALLBACK - _SYSTEM + 1]:
        return Unknown("not_told", "the servers of systemd-timesyncd")
    system, link, fallback = lists[0] or [], lists[1] or [], lists[2] or []
    runtime = (lists[3] or []) if len(lists) > 3 else []  # an error in its place: this release has none
    found = [*system, *runtime, *link] or fallback
    return list(dict.fromkeys(s.lower().rstrip(".") for s in found))


def _follows(age: float | Unknown, sound: bool) -> bool | Unknown:
    if not sound:
        return False
    if isinstance(age, Unknown):
        return age
    return age < SILENT_S if age > -LATE_S else Unknown("clock_skew", "the last answer is of the future")


def _server(lines: Sequence[str]) -> str | Unknown:
    found = _STRING.search(lines[1]) if len(lines) > 1 and lines[1].startswith(_NAME) else None
    return found[1].lower() if found else Unknown("not_told", "the server's name")


def _strings(line: str) -> list[str] | None:
    """`as 2 "a" "b"`; None: something else."""
    count = whole(line[3:].partition(" ")[0]) if line.startswith("as ") else None
    found = [m[1] for m in _STRING.finditer(line)]
    return found if count == len(found) else None
