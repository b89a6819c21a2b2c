"""The options typed so far and the beginning of a word in; what it may be completed to out, with a line of help each.

Nothing is said of files that cannot be read: the shell completes nothing, and the command itself tells what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from click.shell_completion import CompletionItem

from auditor import shelves
from auditor.commands import inputs
from auditor.commands.store_place import store_path
from auditor.document import stamp
from auditor.errors import AuditorError
from auditor.sentences import clean
from auditor.store import Store

Values = Iterator[tuple[str, str]]  # a value, and what it is


def complete(kind: str, options: Mapping[str, Any], beginning: str) -> list[CompletionItem]:
    """The values of `kind` (a key of KINDS) that begin so."""
    try:
        values = list(KINDS[kind](options))
    except (AuditorError, OSError, LookupError, TypeError, ValueError):  # a damaged store too
        return []
    return [CompletionItem(value, help=clean(about)) for value, about in values if value.startswith(beginning)]


def _explained(options: Mapping[str, Any]) -> Values:
    speaking = inputs.voice(options.get("lang"))
    known, _ = inputs.all_probes(options.get("probes"))
    loaded = inputs.load_policies((), known)
    for control in loaded.controls:
        yield control.id, speaking.text(control.title)
    for measure in loaded.measures.values():
        yield measure.id, speaking.text(measure.title)
    for name, probe in sorted(known.items()):
        yield name, speaking.text(probe.title)


def _runs(options: Mapping[str, Any]) -> Values:
    if options.get("store") == "none":
        return
    keeping = Store(store_path(options.get("store")), create=False)
    try:
        yield "latest", ""
        for header in keeping.runs():
            yield str(header.number), f"{stamp(header.started_at)} {header.state} {header.estate}"
    finally:
        keeping.close()


def _schemas(options: Mapping[str, Any]) -> Values:
    return ((name, "") for name in inputs.SCHEMAS)


def _formats(options: Mapping[str, Any]) -> Values:
    return ((name, "") for name in shelves.REPORTERS.names())


def _entities(options: Mapping[str, Any]) -> Values:
    town, _ = inputs.load_estate(options.get("estate") or ())
    return ((one.id, one.name) for one in town.entities.values())


def _records(options: Mapping[str, Any]) -> Values:
    found, _ = inputs.load_decisions(options.get("estate") or (".",))
    return ((one.id, one.perimeter) for one in found)


KINDS: Mapping[str, Callable[[Mapping[str, Any]], Values]] = {
    "entities": _entities,
    "explained": _explained,
    "formats": _formats,
    "records": _records,
    "runs": _runs,
    "schemas": _schemas,
}
