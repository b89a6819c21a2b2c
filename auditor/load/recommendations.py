"""The recommendations of an estate, one YAML file each in its folder `recommendations`, in; by id, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from auditor.errors import Problem
from auditor.load import records, schema
from auditor.load.yaml import Document
from auditor.model import Estate
from auditor.records import Recommendation


def load(
    folder: Path, wanted: Mapping[str, Any], problems: list[Problem], digests: dict[str, str]
) -> Mapping[str, Recommendation]:
    """No folder: none. What is wrong goes to `problems`."""
    found: dict[str, Recommendation] = {}
    source_of: dict[str, str] = {}
    for document in records.documents(folder, {"recommendation": wanted}, problems, digests, _meaning):
        one = _recommendation(document)
        problems.extend(records.twice(source_of, one.id, one.source))
        source_of.setdefault(one.id, one.source)
        found.setdefault(one.id, one)
    return found


def unknown(found: Mapping[str, Recommendation], estate: Estate, problems: list[Problem]) -> None:
    """Perimeters and entities that the estate does not name."""
    for one in found.values() if estate.perimeters else ():  # an estate that cannot be read names none
        file, _, line = one.source.rpartition(":")
        for what, name, known in (
            ("perimeter", one.perimeter, estate.perimeters),
            ("entity", one.issued_by, estate.entities),
        ):
            if name not in known:
                hint = schema.did_you_mean(name, known)
                problems.append(Problem(file, int(line), 1, f"there is no {what} '{name}'{hint}"))


def _meaning(document: Document) -> Iterator[Problem]:
    """An answer and its day go together, and come after what is answered."""
    value = document.value
    for name, other in (("reply", "replied_on"), ("replied_on", "reply"), ("reply", "communicated_at")):
        if name in value and other not in value:
            yield document.problem((name,), f"'{name}' needs '{other}'")
    told, replied = value.get("communicated_at", ""), value.get("replied_on", "9")
    if replied < told:
        yield document.problem(("replied_on",), f"{replied} is before {told}, when it was communicated")


def _recommendation(document: Document) -> Recommendation:
    value = document.value
    return Recommendation(
        id=value["id"],
        perimeter=value["perimeter"],
        controls=tuple(value["controls"]),
        text=value["text"],
        issued_by=value["issued_by"],
        communicated_at=value.get("communicated_at", ""),
        source=records.source(document),
        hosts=tuple(value["frozen"]["hosts"]) if "frozen" in value else None,
        reply=value.get("reply", ""),
        replied_on=value.get("replied_on", ""),
        proof=records.proof(document, value) if "document" in value and "sha256" in value else None,
    )
