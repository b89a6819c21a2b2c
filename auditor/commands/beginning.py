"""A plan in; the header and the catalogue that its run begins with out."""

from __future__ import annotations

import os
from collections.abc import Mapping

import auditor
from auditor.model import Header
from auditor.plan import Plan
from auditor.store import Catalogue


def catalogue_of(plan: Plan) -> Catalogue:
    """What a stored run says of its controls, its measures, and who owes these."""
    return Catalogue({c.id: c for c in plan.controls}, plan.measures, plan.estate.perimeters, plan.estate.entities)


def header_of(plan: Plan, day: str, digests: Mapping[str, str], started_at: float) -> Header:
    """The header of a run that begins; decisions are judged on `day`."""
    return Header(
        number=0,
        id="",
        state="open",
        started_at=started_at,
        finished_at=0.0,
        as_of=day,
        version=auditor.__version__,
        estate=plan.estate.source,
        declared=plan.estate.declared,
        hosts_expected=len(plan.hosts),
        checks_planned=plan.count(),
        hosts_inventoried=len(plan.estate.hosts),
        legacy=tuple(h.id for h in plan.hosts if h.legacy),
        digests=dict(sorted(digests.items())),
    )


def placed(source: str) -> str:
    """Where what was typed of an estate lies: the same, however it was typed and from which folder."""
    return ", ".join(os.path.realpath(part) for part in source.split(", ")) if source else ""
