"""What `mdatp health` prints in; whether Microsoft Defender watches on Linux, and how fresh it is, out. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from auditor.model import Answer, Command, Failure, Output, Unknown
from auditor.readers.processes import Processes
from auditor.readers.products.nouns import State
from auditor.readers.rsyslog import age_s

MDATP = Command(
    r"""command -v mdatp >/dev/null || { echo absent; exit 0; }
mdatp health --output json | sed -e 's/"\(orgId\|machineGuid\|edrMachineId\)" *: *"[^"]*"/"\1": ""/g'""",
    timeout_s=20,
)


def mdatp(answers: Mapping[str, Answer], seen: Processes) -> State:
    """`healthy` may be true with real-time protection off, and is not asked."""
    answer = answers["mdatp"]
    if isinstance(answer, Failure):
        return State(answer.unknown(), answer.unknown())
    try:
        told = json.loads(answer.text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        unread = Unknown("unreadable", answer.text[:80])
        return State(unread, unread)
    return State(_mdatp_real_time(told), _mdatp_age(told, answer))


def _value(told: Mapping[str, Any], name: str) -> Any:
    """Values are objects {value, isManaged, ...} or, in some releases, bare."""
    value = told.get(name)
    return value.get("value") if isinstance(value, dict) else value


def _mdatp_real_time(told: Mapping[str, Any]) -> bool | Unknown:
    enabled, passive = _value(told, "realTimeProtectionEnabled"), _value(told, "passiveModeEnabled")
    if not isinstance(enabled, bool):
        return Unknown("unreadable", "realTimeProtectionEnabled")
    if not enabled or passive is True or _value(told, "realTimeProtectionAvailable") is False:
        return False
    if _value(told, "licensed") is False:
        return False
    return True if passive is False else Unknown("unreadable", "passiveModeEnabled")


def _mdatp_age(told: Mapping[str, Any], answer: Output) -> float | Unknown:
    minutes, updated = _value(told, "definitionsUpdatedMinutesAgo"), str(_value(told, "definitionsUpdated"))
    ages: list[float] = []
    if isinstance(minutes, int | float) and not isinstance(minutes, bool) and 0 <= minutes < 1e7:
        ages.append(minutes * 60.0)
    if updated.isascii() and updated.isdigit() and 1 < len(updated) < 15:
        age = age_s(answer, int(updated) / 1000)
        if isinstance(age, Unknown):
            return age
        ages.append(age)
    return max(ages) if ages else Unknown("unreadable", "definitionsUpdated")
