"""`auditor export`: one run of the store, evidence and all, as one file."""

from __future__ import annotations

from pathlib import Path

from auditor import archive
from auditor.commands import sinks
from auditor.commands.references import evidence
from auditor.commands.store_place import store_path


def export(run: str, file: str, store: str | None) -> int:
    """The file is its owner's alone: it holds what the hosts answered."""
    if file != "-":
        sinks.check("auditor export", Path(file))
    with evidence(run, store_path(store)) as kept, sinks.sink(file) as stream:
        archive.write(kept, stream)
    return 0
