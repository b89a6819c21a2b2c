"""The system variables of ntpd, `ntpq -c rv`, in; the clock that it keeps, out. Pure.

Source: the manual of ntpq, "System Variables"; offsets are in milliseconds. ntpq exits 0 whatever happens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor.model import Unknown
from auditor.readers.clocks.clock import NO_STRATUM, Clock, number, untold, whole

_PAIR = re.compile(r'([a-z_]+)=("[^"]*"|[^,\s]+)', re.ASCII)
_LEAPS = {"00": "normal", "01": "insert", "10": "delete", "11": "unsynchronised"}
# Reference clock drivers that are the host's own clock: undisciplined, and orphan mode.
_OWN_TIME = re.compile(r"(127\.127\.1\.\d+|127\.0\.0\.1|\.?(LOCL|LOCAL|ORPH|INIT|STEP)\.?|LOCAL\(\d\))\Z")


def clock(lines: Sequence[str]) -> Clock:
    told = {m[1]: m[2].strip('"') for line in lines for m in _PAIR.finditer(line)}
    stratum, offset = whole(told.get("stratum", "")), number(told.get("offset", ""))
    leap, reference = _LEAPS.get(told.get("leap", "")), told.get("refid", "")
    source = re.search(r"\bsync_(\w+)", " ".join(lines))
    if leap is None or stratum is None or offset is None or not reference or source is None:
        said = " ".join(" ".join(lines).split())[:100]
        return untold("not_told", f"ntpd does not answer: {said or 'nothing'}")
    own = bool(_OWN_TIME.match(reference)) or source[1] in ("unspec", "local")
    if leap == "unsynchronised" or own or not 0 < stratum < NO_STRATUM:
        return Clock(False, Unknown("not_told", "ntpd follows no source"), stratum, leap, None)
    return Clock(True, round(abs(offset) / 1000, 9), stratum, leap, reference.lower())
