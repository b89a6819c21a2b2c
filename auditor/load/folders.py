"""A folder of YAML files in; those that are read out, and what of it looks like one and would be lost without a word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from auditor.errors import Problem

YAML = (".yaml", ".yml")


def files(folder: Path) -> list[Path]:
    """The YAML files of a folder and those under it, or the one file that it is, in the order of their names."""
    if folder.is_file():
        return [folder]
    return sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]) if folder.is_dir() else []


def passed_over(folder: Path, what: str) -> Iterator[Problem]:
    """What looks like a `what` (record, policy) and is not read: none must be lost because of its name, a link or a mode."""
    if folder.is_symlink() and not folder.exists():
        yield Problem(str(folder), 0, 0, "is a link that leads nowhere: mend it, or remove it")
    unread: list[OSError] = []
    found = [Path(top) / name for top, below, names in os.walk(folder, onerror=unread.append) for name in below + names]
    for error in unread if folder.is_dir() else ():
        yield Problem(str(error.filename), 0, 0, f"cannot be read: {error.strerror}")
    for path in sorted(found):
        if path.suffix not in YAML and path.suffix.lower() in YAML:
            yield Problem(str(path), 0, 0, f"a {what} is named {path.stem}.yaml")
        elif os.path.islink(path) and os.path.isdir(path):  # false of what may not be looked at: reading it says so
            plural = "policies" if what == "policy" else f"{what}s"
            yield Problem(str(path), 0, 0, f"a link to a folder is not followed: put the {plural} here")
