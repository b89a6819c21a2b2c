"""mdatp_managed.json, by which Defender is set up on Linux, in; whether it watches, and what it leaves out, out. Pure.

Source: "Set preferences for Microsoft Defender for Endpoint on Linux" of its manual.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Values of other keys may be secrets: of a proxy, say.
_VALUE = re.compile(rb'("(?P<key>[^"\\\n]*)"\s*:\s*)"(?:[^"\\\n]|\\.)*"')
_KEPT = (b"enforcementLevel", b"path", b"extension", b"name", b"$type", b"exclusionsMergePolicy")
_NAMED = {"excludedPath": "path", "excludedFileExtension": "extension", "excludedFileName": "name"}


def masked(text: bytes) -> bytes:
    return _VALUE.sub(lambda found: found[0] if found["key"] in _KEPT else found[1] + b'""', text)


@dataclass(frozen=True, slots=True)
class Preferences:
    """`level`: of enforcement; `updates`: whether definitions are fetched. None: not said."""

    level: str | None
    updates: bool | None
    exclusions: tuple[str, ...]


def read(text: str) -> Preferences | None:
    """None for a text that is no such file."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    engine, cloud = (_section(told, name) for name in ("antivirusEngine", "cloudService"))
    if engine is None or cloud is None:
        return None
    level, updates = engine.get("enforcementLevel"), cloud.get("automaticDefinitionUpdateEnabled")
    if engine.get("passiveMode") is True or engine.get("enableRealTimeProtection") is False:  # as older releases say it
        level = "passive"
    listed = engine.get("exclusions", [])
    if (
        not isinstance(listed, list)
        or not (level is None or isinstance(level, str))
        or updates not in (None, True, False)
    ):
        return None
    return Preferences(level, updates, tuple(_exclusions(listed)))


def _section(told: Any, name: str) -> Mapping[str, Any] | None:
    found = told.get(name, {}) if isinstance(told, dict) else None
    return found if isinstance(found, dict) else None


def _exclusions(listed: list[Any]) -> Iterator[str]:
    for one in listed:
        kind = one.get("$type") if isinstance(one, dict) else None
        value = one.get(_NAMED[kind]) if isinstance(kind, str) and kind in _NAMED else None
        yield str(value)[:200] if isinstance(value, str) and value else "an exclusion of another kind"
