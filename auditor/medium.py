"""A finding on a tree of files and its facts in; the same, with the files and lines that it comes from, out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.expectations import named
from auditor.kinds import TREE
from auditor.model import Facts, Finding, Outcome, Partial, Reason, Unknown

OF_NO_ELEMENT = ("not_observable", "register_missing")  # causes that say nothing of the element that they stand at
WHERE = "where"  # what an element, or the facts as a whole, may say beside what the schema names


def of_tree(finding: Finding, facts: Facts | Unknown, schema: Mapping[str, Any], tree: str) -> Finding:
    """What could not be told only because nothing runs does not gate; every other cause does."""
    raw = _once(finding.reasons) if finding.outcome is Outcome.UNKNOWN else finding.reasons
    index: dict[str, Mapping[str, tuple[str, ...]]] = {}
    reasons = tuple(_placed(r, facts, schema, tree.rstrip("/"), index) for r in raw)
    unseen = finding.outcome is Outcome.UNKNOWN and all(r.cause and r.cause.cause == "not_observable" for r in reasons)
    gates = finding.gates and not unseen
    return replace(finding, reasons=reasons, untold=_once(finding.untold), medium=TREE, gates=gates)


def _once(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Of many accounts, say, the same is not told, and not for what they are: once is enough."""
    seen: set[tuple[str, Unknown]] = set()
    kept = []
    for reason in reasons:
        known = reason.cause is not None and (reason.path, reason.cause) in seen
        if reason.cause is not None and reason.cause.cause in OF_NO_ELEMENT:
            seen.add((reason.path, reason.cause))
        kept += [] if known else [reason]
    return tuple(kept)


def _placed(
    reason: Reason,
    facts: Facts | Unknown,
    schema: Mapping[str, Any],
    tree: str,
    index: dict[str, Mapping[str, tuple[str, ...]]],
) -> Reason:
    if isinstance(facts, Unknown):
        return reason
    name = reason.path.partition("[]")[0].partition(".")[0]
    if name not in index:
        index[name] = _by_element(facts.get(name), schema.get("properties", {}).get(name, {}).get("items", {}))
    at = facts.get(WHERE, {}).get(name, ())
    places = index[name].get(reason.element) or (at.get(reason.element, ()) if isinstance(at, Mapping) else at)
    return replace(reason, places=tuple(dict.fromkeys(tree + place for place in places))) if places else reason


def _by_element(fact: Any, shape: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Where each element of a list stands, by its name; two of one name stand at the places of both."""
    found: dict[str, tuple[str, ...]] = {}
    for item in _items(fact):
        if isinstance(item, Mapping) and item.get(WHERE):
            name = named(item, shape)[0]
            found[name] = (*found.get(name, ()), *item[WHERE])
    return {name: places for name, places in found.items() if name}


def _items(fact: Any) -> Iterator[Any]:
    if isinstance(fact, Partial):
        yield from fact.items
    elif isinstance(fact, list | tuple):
        yield from fact
