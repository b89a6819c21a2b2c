"""What all of the run document shares: its format, how it writes a moment, and that what says nothing is left out. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

FORMAT = "auditor-run"
FORMAT_VERSION = 1
Plain = dict[str, Any]


def stamp(at: float) -> str:
    """A moment as the document writes it: UTC, seconds, `2026-11-21T22:11:05Z`; empty when there is none."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def given(plain: Plain, *optional: str) -> Plain:
    """Without those of the optional values that say nothing."""
    return {name: value for name, value in plain.items() if value or name not in optional}
