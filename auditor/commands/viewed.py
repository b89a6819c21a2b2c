"""A stored run, for whom it is and what it is held against in; the run that is reported out."""

from __future__ import annotations

from auditor.compare import compared
from auditor.errors import InvalidInput
from auditor.load.schema import did_you_mean
from auditor.model import Run
from auditor.view import entities, view


def reported(run: Run, for_: str | None, before: Run | None) -> Run:
    """Both runs are compared as the entity may see them."""
    shown = seen_by(run, for_) if for_ else run
    if before is not None:
        shown.since = compared(seen_by(before, for_) if for_ else before, shown)
    return shown


def seen_by(run: Run, entity: str) -> Run:
    """Raises InvalidInput where the run knows no such entity, or cannot tell which names are another's."""
    known = entities(run)
    if entity not in known:
        hint = did_you_mean(entity, known)
        raise InvalidInput(f"--for {entity}: no perimeter of this run is of or for an entity '{entity}'{hint}")
    if run.header.limit and run.header.hosts_expected < run.header.hosts_inventoried:
        raise InvalidInput(
            f"--for {entity}: audit {run.header.number} was limited (--limit), and does not know whose the other hosts are, "
            "which what it read may name: report a whole audit"
        )
    return view(run, entity)
