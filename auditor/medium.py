"""A finding on a tree of files and its facts in; the same, with the files and lines that it comes from, out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.expectations import named
from auditor.kinds import TREE
from auditor.model import Facts, Finding, Outcome, Partial, Reason, Unknown

WHERE = "where"  # what an element, or the facts as a whole, may say beside what the schema names


def of_tree(finding: Finding, facts: Facts | Unknown, schema: Mapping[str, Any], tree: str) -> Finding:
    """What could not be told only because nothing runs does not gate; every other cause does."""
    reasons = tuple(_placed(r, facts, schema, tree.rstrip("/")) for r in finding.reasons)
    unseen = finding.outcome is Outcome.UNKNOWN and all(r.cause and r.cause.cause == "not_observable" for r in reasons)
    return replace(finding, reasons=reasons, medium=TREE, gates=finding.gates and not unseen)


def _placed(reason: Reason, facts: Facts | Unknown, schema: Mapping[str, Any], tree: str) -> Reason:
    if isinstance(facts, Unknown):
        return reason
    name = reason.path.partition("[]")[0].partition(".")[0]
    shape = schema.get("properties", {}).get(name, {}).get("items", {})
    places = [place for item in _items(facts.get(name)) for place in _of(item, shape, reason.element)]
    at = facts.get(WHERE, {}).get(name, ())
    places = places or list(at.get(reason.element, ()) if isinstance(at, Mapping) else at)
    return replace(reason, places=tuple(dict.fromkeys(tree + place for place in places))) if places else reason


def _items(fact: Any) -> Iterator[Any]:
    if isinstance(fact, Partial):
        yield from fact.items
    elif isinstance(fact, list | tuple):
        yield from fact


def _of(item: Any, shape: Mapping[str, Any], element: str) -> Iterator[str]:
    if element and isinstance(item, Mapping) and named(item, shape)[0] == element:
        yield from item.get(WHERE, ())
