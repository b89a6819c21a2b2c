"""Where the store of runs is, and what is said while it cannot be had."""

from __future__ import annotations

import os
import sys


def store_path(given: str | None) -> str:
    """The store's file; "" for `none`."""
    if given == "none":
        return ""
    folder = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return os.path.expanduser(given or f"{folder}/auditor/runs.db")


def waits(holder: str) -> None:
    print(f"the store is being pruned{holder}: this begins when that has ended", file=sys.stderr)
