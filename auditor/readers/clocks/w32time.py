"""What `w32tm /query /status /verbose` prints in, in any language; the clock that the Windows Time service keeps out. Pure.

Its words and its dates are translated, the order of its lines and the shapes of their numbers are not: a line counts by its
place, and only where all have their shapes. Source: the Windows Time service's documentation (traceability).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers.clocks.clock import NO_STRATUM, Clock, untold

_SECONDS = r"[-+]?\d{1,12}(?:[.,]\d{1,9})?s"
# Leap, stratum, precision, root delay, root dispersion, reference, last sync, source, poll; then, after an empty line,
# offset, rate, state, flags, role, last error, age of the last good sync.
_SHAPES = tuple(
    re.compile(shape, re.ASCII | re.DOTALL)
    for shape in (
        r"(\d) ?\(.*", r"(\d{1,3}) ?\(.*", r"-?\d{1,3} ?\(.*", f"({_SECONDS})", f"({_SECONDS})", r"(0x[0-9A-Fa-f]{8}).*",
        r".*", r"(.*)", r"\d{1,3} ?\((\d{1,9})s\)", f"({_SECONDS})", f"({_SECONDS})", r"(\d{1,2}) ?\(.*", r"\d{1,5} ?\(.*",
        r"\d{1,5} ?\(.*", r"(\d{1,9}|-\d{1,9}|0x[0-9A-Fa-f]{1,8}) ?\(.*", f"({_SECONDS})",
    )
)  # fmt: skip
_LEAP, _STRATUM, _REFERENCE, _SOURCE, _POLL, _OFFSET, _AGE = 0, 1, 5, 7, 8, 9, 15
_LEAPS = {0: "normal", 1: "insert", 2: "delete"}
_ERROR = re.compile(r"\b0x(80070005|80070426)\b", re.IGNORECASE)
LOCAL = 0x4C4F434C  # "LOCL": the host's own clock
# By default it asks at least every nine hours: whoever has had no answer for a day follows nothing, unless set to ask less often.
SILENT_S = 86400.0


def stopped(lines: Sequence[str]) -> bool:
    """Whether it says that the service is not started."""
    return _number_of_error(lines) == "80070426"


def clock(code: object, lines: Sequence[str], provider: bool | Unknown) -> Clock:
    """`code`: the exit code. `provider`: whether a hypervisor's time is a source of the service."""
    said = [line.strip() for line in lines if line.strip()]
    error = _number_of_error(said)
    if code != 0 or len(said) != len(_SHAPES):
        if error == "80070005":
            return untold("no_privilege", "the Windows Time service does not answer this account")
        return untold("not_told" if code != 0 else "unreadable", f"w32tm ended with {str(code)[:20]}")
    found = [shape.fullmatch(line.partition(":")[2].strip()) for shape, line in zip(_SHAPES, said, strict=True)]
    told = [m[1] if m.re.groups else "" for m in found if m]
    if len(told) != len(_SHAPES):
        return untold("unreadable", "what the Windows Time service tells")
    return _of(told, provider)


def _number_of_error(lines: Sequence[str]) -> str:
    found = next((m for line in lines[:4] if (m := _ERROR.search(line))), None)
    return found[1] if found else ""


def _of(told: Sequence[str], provider: bool | Unknown) -> Clock:
    leap, stratum, reference = int(told[_LEAP]), int(told[_STRATUM]), int(told[_REFERENCE], 16)
    nothing = Unknown("not_told", "the Windows Time service follows nothing")
    if leap not in _LEAPS or not 0 < stratum < NO_STRATUM or reference == LOCAL:
        return Clock(False, nothing, stratum or NO_STRATUM, "unsynchronised", None)
    follows = _follows(_seconds(told[_AGE]), int(told[_POLL]))
    name: str | Unknown = told[_SOURCE].partition(",")[0].strip().lower().rstrip(".") or nothing
    if reference == 0:  # no address: a clock that is attached, or the hypervisor's
        name = "hyper-v" if provider is True else Unknown("not_told", "which clock of its own it follows")
        follows = name if follows is True and isinstance(name, Unknown) else follows
    known = Clock(follows, abs(_seconds(told[_OFFSET])), stratum, _LEAPS[leap], name)
    if follows is True:
        return known
    unsure = follows if isinstance(follows, Unknown) else None
    return replace(known, offset_s=unsure or nothing, reference=unsure)


def _follows(age: float, poll: int) -> bool | Unknown:
    if 0 <= age < SILENT_S:
        return True
    if 0 <= age <= 2 * poll:
        return Unknown("not_told", f"its last answer is {int(age // 3600)} hours old: it is set to ask that seldom")
    return False


def _seconds(text: str) -> float:
    return float(text.rstrip("s").replace(",", "."))
