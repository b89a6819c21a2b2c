"""What `ntpctl -s all` of OpenNTPD prints in; the clock that it keeps out. Pure.

Source: ntpctl(8): the state on the first lines, then two lines a peer, the second with a `*` where it is the one followed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from auditor.model import Unknown
from auditor.readers.clocks.clock import NO_STRATUM, Clock, number, untold, whole

_SYNCED = re.compile(r"\bclock synced, stratum (\d{1,3})\b")
_PEER = re.compile(r"\s*\*\s.*?\s([-+]?\d{1,9}\.\d{1,9})ms\s")


def clock(lines: Sequence[str]) -> Clock:
    said = next((line for line in lines if "clock " in line), "")
    synced = _SYNCED.search(said)
    if synced:
        return _followed(lines, whole(synced[1]) or NO_STRATUM)
    if "clock unsynced" in said:
        nothing = Unknown("not_told", "OpenNTPD follows no source")
        return Clock(False, nothing, NO_STRATUM, "unsynchronised", None)
    return untold("not_told", f"OpenNTPD does not answer: {' '.join(lines)[:100] or 'nothing'}")


def _followed(lines: Sequence[str], stratum: int) -> Clock:
    for before, line in pairwise(lines):
        peer = _PEER.match(line)
        offset = number(peer[1]) if peer else None
        if offset is not None:
            return Clock(True, round(abs(offset) / 1000, 9), stratum, "normal", before.split(" ")[0].lower() or None)
    why = Unknown("not_told", "OpenNTPD names no peer that it follows")
    return Clock(0 < stratum < NO_STRATUM, why, stratum, why, why)
