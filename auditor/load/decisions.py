"""Decision records, one YAML file each, in; acceptances out, or every error at once. What they mean is decisions.py's."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load import schema, yaml
from auditor.load.yaml import Document, KeyPath
from auditor.model import Acceptance


def load(folder: Path, wanted: Mapping[str, Any]) -> tuple[tuple[Acceptance, ...], dict[str, str]]:
    """The acceptances of a folder, or of one file, in the order of file names, and the digests of the files. No folder: none."""
    problems: list[Problem] = []
    digests: dict[str, str] = {}
    acceptances: list[Acceptance] = []
    files = sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]) if folder.is_dir() else []
    if folder.is_file():
        files = [folder]
    for file in files:
        try:
            document = yaml.load(file)
        except InvalidInput as error:
            problems.extend(error.problems)
            continue
        wrong = schema.problems(document, wanted) or list(_dates(document, document.value, ()))
        problems.extend(wrong)
        if not wrong:
            digests[str(file)] = hashlib.sha256(file.read_bytes()).hexdigest()
            acceptances.append(_acceptance(document))
    problems.extend(_twice(acceptances))
    if problems:
        raise InvalidInput(problems)
    return tuple(acceptances), digests


_DATES = ("expires", "signed_at", "effective_from", "review_by", "communicated_at", "due")


def _dates(document: Document, value: Any, path: KeyPath) -> Iterator[Problem]:
    """Dates that have the right form and are no day, 2026-02-30."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _DATES and isinstance(inner, str):
                try:
                    dt.date.fromisoformat(inner)
                except ValueError:
                    yield document.problem((*path, key), f"{inner} is no day of the calendar")
            else:
                yield from _dates(document, inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _dates(document, inner, (*path, index))


def _acceptance(document: Document) -> Acceptance:
    value = document.value
    decision = value["decision"]
    return Acceptance(
        id=value["id"],
        perimeter=value["perimeter"],
        owner_entity=value["owner_entity"],
        controls=tuple(value["controls"]),
        hosts=tuple(value["scope"].get("hosts", ())),
        zones=tuple(value["scope"].get("zones", ())),
        justification=value["justification"],
        role=decision["role"],
        signed_at=decision["signed_at"],
        effective_from=decision.get("effective_from", decision["signed_at"]),
        expires=value["expires"],
        communicated_at=value["recommendation"]["communicated_at"],
        status=value.get("status", "active"),
        source=f"{document.file}:{document.key_marks[('id',)][0]}",
    )


def _twice(acceptances: list[Acceptance]) -> Iterator[Problem]:
    seen: dict[str, Acceptance] = {}
    for one in acceptances:
        first = seen.setdefault(one.id, one)
        if first is not one:
            file, _, line = one.source.rpartition(":")
            yield Problem(file, int(line), 1, f"the decision '{one.id}' is given twice (first in {first.source})")
