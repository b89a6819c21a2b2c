"""An answer of Windows PowerShell 5.1 in; its values, or why there are none, out. Pure.

What its ConvertTo-Json does to values is undone: `/Date(ms)/`, dates and arrays wrapped in objects, a list of one that
became its element, enumerations as numbers, a byte order mark. An answer that ended in an error begins, on standard
error, with the error's FullyQualifiedErrorId and its HRESULT: neither is ever translated, the message after them is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Failure, Unknown

_DENIED = re.compile(r"UnauthorizedAccess|PermissionDenied|SecurityException|80070005|80041003", re.IGNORECASE)
# No such WMI namespace; no such class. Only at the very beginning: a message may quote anything.
_ABSENT = re.compile(r"\s*HRESULT 0x(8004100e|80041010)\b", re.IGNORECASE)
_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z", re.ASCII)
_NEVER = 1601  # years up to this one stand for "never" in .NET (1) and in file times (1601)


def absent(answer: Answer) -> bool:
    """Whether the host has no such class of objects. A missing command says less: objects may be there without it."""
    return not isinstance(answer, Failure) and answer.exit_code != 0 and bool(_ABSENT.match(answer.error_text))


def gap(answer: Answer) -> Unknown | None:
    """Why an answer holds no values; None when it should."""
    if isinstance(answer, Failure):
        return answer.unknown()
    if answer.exit_code == 0:
        return None
    first = next((line.strip() for line in answer.error_text.splitlines() if line.strip()), "an error without words")
    return Unknown("no_privilege" if _DENIED.search(first) else "not_told", first[:200])


def read(answer: Answer) -> Any | Unknown:
    """The values of an answer. Raises Unreadable when it is no JSON."""
    why = gap(answer)
    if why or isinstance(answer, Failure):
        return why
    try:
        return _plain(json.loads(answer.text.strip().removeprefix("\ufeff")))
    except (ValueError, RecursionError):
        raise Unreadable(f"no JSON: {answer.text[:60]}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "value" in value and set(value) <= {"value", "Count", "DisplayHint", "DateTime"} and len(value) > 1:
        listed = value["value"]
        if "Count" in value and (not isinstance(listed, list) or len(listed) != value["Count"]):
            raise ValueError("a list that is not as long as it says")
        return _plain(listed)
    return {k: _plain(v) for k, v in value.items()}


def table(value: Any) -> Mapping[str, Any]:
    """An object. Raises Unreadable when it is none."""
    if not isinstance(value, Mapping):
        raise Unreadable(f"no object: {str(value)[:60]}")
    return value


def rows(told: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects that a field lists; one that stands alone is a list of one. Null is none: an empty list comes as such."""
    value = table(told).get(name, "")
    return [table(v) for v in (value if isinstance(value, list) else [value])]


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; one that stands alone is a list of one. Raises Unreadable for anything else, null among it."""
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(v, str) for v in listed):
        raise Unreadable(f"no list of texts: {str(value)[:60]}")
    return tuple(listed)


def truth(value: Any, what: str) -> bool | Unknown:
    return value if isinstance(value, bool) else Unknown("unreadable", what)


def number(value: Any, what: str) -> float | Unknown:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e15:
        return Unknown("unreadable", what)
    return float(value)


def member(value: Any, names: tuple[str, ...]) -> str | Unknown:
    """A member of an enumeration, by its name or, as ConvertTo-Json has it, by its number."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    return value if value in names else Unknown("unreadable", str(value)[:60])


def moment(value: Any, what: str) -> float | Unknown | None:
    """Seconds since 1970 of a date; None for null and for the dates that stand for never."""
    if value is None:
        return None
    text = value if isinstance(value, str) else ""
    dated = _DATE.fullmatch(text)
    if dated:
        at = int(dated[1]) / 1000
        return None if at < datetime(_NEVER + 1, 1, 1, tzinfo=UTC).timestamp() else at
    if not _ISO.fullmatch(text):
        return Unknown("unreadable", what)
    try:
        told = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        return Unknown("unreadable", what)
    return None if told.year <= _NEVER else told.timestamp()
