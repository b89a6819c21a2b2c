"""What restic and borg list of a repository (JSON) in; its restore points, seconds since 1970 UTC, out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditor.errors import Unreadable

_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)?$")


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """`at` in seconds since 1970 UTC; `host` as the tool recorded it, empty when it does not tell."""

    at: float
    host: str


def restic(text: str) -> list[RestorePoint]:
    """`restic snapshots --json`: RFC 3339 times with nanoseconds. A snapshot that says it holds no file is no restore point.

    Raises Unreadable.
    """
    snapshots = _json(text)
    if snapshots is None:
        return []
    if not isinstance(snapshots, list):
        raise Unreadable("restic does not list snapshots")
    return [RestorePoint(_seconds(_text(s, "time")), _text(s, "hostname", "")) for s in snapshots if not _empty(s)]


def _empty(snapshot: Any) -> bool:
    summary = snapshot.get("summary") if isinstance(snapshot, Mapping) else None
    return isinstance(summary, Mapping) and summary.get("total_files_processed") == 0


def borg(text: str) -> list[RestorePoint]:
    """`borg list --json --format '{hostname}'` asked with TZ=UTC: times without a zone are UTC. Raises Unreadable."""
    listed = _json(text)
    archives = listed.get("archives") if isinstance(listed, Mapping) else None
    if not isinstance(archives, list):
        raise Unreadable("borg does not list archives")
    return [RestorePoint(_seconds(_text(a, "time")), _text(a, "hostname", "")) for a in archives]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("the list of restore points is not JSON") from None


def _text(entry: Any, name: str, default: str | None = None) -> str:
    value = entry.get(name, default) if isinstance(entry, Mapping) else None
    if not isinstance(value, str):
        raise Unreadable(f"a restore point does not tell its {name}")
    return value


def _seconds(stamp: str) -> float:
    found = _STAMP.match(stamp)
    if not found:
        raise Unreadable("a restore point does not tell its time")
    base, fraction, zone = found.groups()
    micros = (fraction or "0").ljust(6, "0")[:6]
    try:
        moment = datetime.fromisoformat(f"{base}.{micros}{(zone or '+00:00').replace('Z', '+00:00')}")
        return moment.astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise Unreadable("a restore point does not tell its time") from None


__all__ = ["RestorePoint", "borg", "restic"]
