"""A measure's owner rule and the perimeters of an estate in; the perimeters that owe the measure out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from auditor.model import Perimeter

Perimeters = Mapping[str, Perimeter]


def owed_on(owner: str, perimeters: Sequence[str], known: Perimeters) -> tuple[str, ...]:
    """The perimeters, of those given by id, on which somebody answers for a measure of this rule, in their order.

    Where the estate has none of the kind that the rule speaks of, all of them: no measure is owed nowhere.
    """
    rule = _RULES.get(owner)
    owing = rule(known) if rule else ()
    return tuple(p for p in perimeters if p in owing) or tuple(perimeters)


def _operators(known: Perimeters) -> frozenset[str]:
    """What whoever runs shared infrastructure runs for others."""
    return frozenset(p.id for p in known.values() if p.kind == "shared")


def _beneficiaries(known: Perimeters) -> frozenset[str]:
    """Each beneficiary's own perimeters; the shared ones that serve it, when it has none of its own."""
    found: set[str] = set()
    for entity in {b for p in known.values() if p.kind == "shared" for b in p.beneficiaries}:
        own = {p.id for p in known.values() if p.kind == "exclusive" and p.owner == entity}
        found |= own or {p.id for p in known.values() if entity in p.beneficiaries}
    return frozenset(found)


def _both(known: Perimeters) -> frozenset[str]:
    operators, beneficiaries = _operators(known), _beneficiaries(known)
    return operators | beneficiaries if beneficiaries else frozenset()


# `perimeter`, `operator-everywhere` and no rule at all: every perimeter
_RULES: Mapping[str, Callable[[Perimeters], frozenset[str]]] = {
    "operator": _operators,
    "member": _operators,
    "beneficiary": _beneficiaries,
    "both": _both,
}
