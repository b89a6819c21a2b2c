"""The name of a run, or of a file that holds one, in; the run out, to be compared with."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from auditor import archive, document, shelves
from auditor.commands.beginning import placed
from auditor.document import FORMAT, FORMAT_VERSION
from auditor.errors import InvalidInput
from auditor.model import Coverage, Finding, Run
from auditor.sentences import clean
from auditor.store import Catalogue, HostKept, Store, StoredRun

DEMO = "demo"
RUN_NAME = re.compile(r"latest(~[0-9]{1,6})?")  # always one of the store: a file of that name may come with a change
_PARTS = frozenset({"findings", "hosts", "coverage"})  # what a document is long of
LONGEST = 64 * 1024 * 1024  # bytes of a document that is not laid out as we write it, and so is read whole


def file_of(name: str) -> Path | None:
    """The file of this name, if there is one; `demo` is the recorded demonstration that travels with the auditor."""
    if RUN_NAME.fullmatch(name):
        return None
    path = Path(name)
    if name == DEMO and not path.is_file():
        path = shelves.packaged(f"inventories/{DEMO}.auditor")
    return path if path.is_file() else None


@contextmanager
def reference(name: str, store: Store | None, like: str | None = None) -> Iterator[Run]:
    """A run of the store (number, beginning of an id, `latest`, `latest~1`), or of an archive or a JSON report, by its path.

    `like`: the estate whose runs are the latest, where there are some.
    """
    path = file_of(name)
    if path is None:
        found = _named(name, store, like)
        if store:
            _heed(name, found, store)
        yield found
        return
    with _private() as kept:
        yield archive.read(path, kept) if _is_archive(path) else _read(path, kept)


@contextmanager
def evidence(
    name: str, store: str, of: str | None = None, like: str | None = None, heed: bool = True
) -> Iterator[StoredRun]:
    """A run with its evidence: of an archive, by its path, or of the store at `store`, opened only then; "": there is none.

    `of` and `like` say which estate's runs are the latest, as Store.run has them; `heed`: whether it is said that it is narrowed.
    """
    path = file_of(name)
    if path is not None:
        if not _is_archive(path):
            raise InvalidInput(f"{path}: this is no archive of an audit; `auditor export RUN FILE` writes one")
        with _private() as kept:
            yield archive.read(path, kept)
        return
    if not store:
        _named(name, None)
    keeping = Store(store, create=False)
    try:
        found = keeping.run(name, of, like)
        if heed:
            _heed(name, found, keeping)
        yield found
    finally:
        keeping.close()


def _named(name: str, store: Store | None, like: str | None = None) -> StoredRun:
    if store is None:
        raise InvalidInput(f"there is no file {name}, and no store to look for a run of that name: give --store")
    return store.run(name, like=store.known_as(like, placed(like)) if like else like)


def _heed(name: str, run: StoredRun, store: Store) -> None:
    """Says of a latest run that it is of named policies alone, where there is one of all: nobody chose between them."""
    header = run.header
    number = store.whole(header) if header.policies and RUN_NAME.fullmatch(name) else 0
    if number:
        named = clean(", ".join(header.policies))
        click.echo(
            f"{name}: audit {header.number} is of these policies only: {named}; of all, audit {number}", err=True
        )


@contextmanager
def _private() -> Iterator[Store]:
    kept = Store("")
    try:
        yield kept
    finally:
        kept.close()


def _is_archive(path: Path) -> bool:
    try:
        return archive.is_archive(path)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror}") from None


def _read(path: Path, kept: Store) -> Run:
    """The run document, kept in a private store so that it can be read in any order and memory does not follow it."""
    try:
        parts = dict[str, Any](controls=[], measures=[], perimeters=[])
        heads: dict[str, Any] = {}
        for section, value in _elements(path, unread=_PARTS):
            if section in parts:
                parts[section].append(value)
            elif section in ("format", "version", "run"):
                heads[section] = value
        _check(path, heads)
        header = document.header_from_plain({k: v for k, v in heads["run"].items() if k not in ("started", "finished")})
        return kept.restore(header, Catalogue.from_plain(parts), _parts(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise InvalidInput(
            f"{path}: this is no JSON report of an audit (-f json=FILE writes one): {why}"[:300]
        ) from None


def _parts(path: Path) -> Iterator[Finding | HostKept | Coverage]:
    """The hosts and findings of a document, each at its place in it, and what nothing is asked of."""
    for seq, (section, plain) in enumerate(_elements(path)):
        if section == "findings":
            yield document.finding_from_plain(seq, plain)
        elif section == "hosts":
            yield HostKept(seq, document.host_from_plain(plain))
        elif section == "coverage":
            yield document.coverage_from_plain(plain)


def _check(path: Path, heads: dict[str, Any]) -> None:
    if heads.get("format") != FORMAT:
        raise ValueError("it does not say that it is one")
    if heads.get("version") != FORMAT_VERSION:
        raise InvalidInput(
            f"{path}: version {heads.get('version')} of the report; this auditor reads version {FORMAT_VERSION}: write it anew"
        )


def _elements(path: Path, unread: Collection[str] = ()) -> Iterator[tuple[str, Any]]:
    """(section, value) of a run document: a list gives its elements one by one, but for those of the lists `unread`."""
    with path.open(encoding="utf-8") as lines:
        if next(lines, "").rstrip("\n") == "{" and next(lines, "").startswith('"format": '):
            lines.seek(2)
            yield from _by_line(lines, unread)
            return
    if path.stat().st_size > LONGEST:
        raise ValueError(f"longer than {LONGEST // 1048576} MiB, and not laid out as `auditor` writes it")
    for section, value in json.loads(path.read_text("utf-8")).items():
        yield from ((section, one) for one in (value if isinstance(value, list) else [value]))


def _by_line(lines: Any, unread: Collection[str]) -> Iterator[tuple[str, Any]]:
    inside = text = ""
    for line in lines:
        text = line.rstrip("\n")
        if inside:
            if text in ("]", "],"):
                inside = ""
            elif inside not in unread:
                yield inside, json.loads(text.removesuffix(","))
        elif text.endswith(": ["):
            inside = json.loads(text.removesuffix(": ["))
        elif text != "}" and not text.endswith(("[]", "[],")):
            yield from json.loads("{" + text.removesuffix(",") + "}").items()
    if text != "}":
        raise ValueError("it is cut")
