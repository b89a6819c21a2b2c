"""A folder of records, one YAML file each, in; documents of the right shape out, and the digests of what proves them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load import folders, schema, yaml
from auditor.load.yaml import Document, KeyPath
from auditor.records import Proof

CHUNK = 1 << 20
DAYS = ("expires", "signed_at", "effective_from", "review_by", "communicated_at", "due", "at", "date", "since", "until",
        "from", "issued_at", "replied_on")  # fmt: skip
Wanted = Mapping[str, Mapping[str, Any]]  # kind -> JSON Schema


def documents(
    folder: Path,
    wanted: Wanted,
    problems: list[Problem],
    digests: dict[str, str],
    meaning: Callable[[Document], Iterator[Problem]] = lambda document: iter(()),
) -> Iterator[Document]:
    """Every record whose shape is that of its `kind`; the problems of all others go to `problems`, digests to `digests`."""
    problems.extend(folders.passed_over(folder, "record"))
    for file in folders.files(folder):
        try:
            document = yaml.load(file)
        except InvalidInput as error:
            problems.extend(error.problems)
            continue
        wrong = _shape(document, wanted) or [*days(document, document.value, ()), *meaning(document)]
        problems.extend(wrong)
        if not wrong:
            digests[str(file)] = document.digest
            yield document


def _shape(document: Document, wanted: Wanted) -> list[Problem]:
    value = document.value
    if not isinstance(value, dict):
        return [document.problem((), f"must be a record, a mapping with 'kind': {', '.join(wanted)}")]
    kind = value.get("kind")
    if "kind" not in value:
        return [document.problem((), f"lacks 'kind' ({', '.join(wanted)})")]
    if not isinstance(kind, str) or kind not in wanted:
        return [document.problem(("kind",), f"there is no kind '{kind}' here{schema.did_you_mean(kind, wanted)}")]
    return schema.problems(document, wanted[kind])


def days(document: Document, value: Any, path: KeyPath, keys: Collection[str] = DAYS) -> Iterator[Problem]:
    """Dates that have the right form and are no day, 2026-02-30."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in keys and isinstance(inner, str):
                try:
                    dt.date.fromisoformat(inner)
                except ValueError:
                    yield document.problem((*path, key), f"{inner} is no day of the calendar")
            else:
                yield from days(document, inner, (*path, key), keys)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from days(document, inner, (*path, index), keys)


def twice(source_of: Mapping[str, str], id: str, source: str) -> Iterator[Problem]:
    """That an id was given before; `source_of` holds the file:line of each."""
    if id in source_of:
        file, _, line = source.rpartition(":")
        yield Problem(file, int(line), 1, f"the record '{id}' is given twice (first in {source_of[id]})")


def source(document: Document) -> str:
    return f"{document.file}:{document.key_marks[('id',)][0]}"


def proof(document: Document, plain: Mapping[str, Any]) -> Proof:
    """A `document` beside the record and its `sha256`, with the digest of the file as it is."""
    name = plain.get("document", "")
    return Proof(name, plain.get("sha256", ""), _digest(Path(document.file).parent / name) if name else "")


def _digest(file: Path) -> str:
    """Empty when there is no such file, or nothing in it, or it cannot be read."""
    digest = hashlib.sha256()
    try:
        if not file.is_file() or not file.stat().st_size:
            return ""
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except (OSError, ValueError):
        return ""
    return digest.hexdigest()
