"""The administrators that each host of a perimeter shows in; one inventory of them out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.kinds import DerivedProbe
from auditor.model import Fact, Facts, Partial, Subject, Unknown

SHOWN = 5  # host ids named beside an account


def fold(_subject: Subject, seen: Iterable[tuple[str, Any]]) -> Facts:
    """The accounts of all hosts together; incomplete as soon as one host's list is."""
    where: dict[str, list[str]] = {}
    gaps: dict[str, Unknown] = {}
    hosts = 0
    for host, facts in seen:
        hosts += 1
        gap = _add(where, host, facts)
        if gap:
            gaps[host] = gap
    if not hosts:
        nobody = Unknown("nothing_asked", "no host")
        return {"accounts": nobody, "names": nobody}
    missing = _missing(gaps)
    accounts: list[Fact] = [{"account": name, "hosts": len(ids), "on": _on(ids)} for name, ids in sorted(where.items())]
    return {"accounts": _list(accounts, missing), "names": _list(sorted(where), missing)}


def _add(where: dict[str, list[str]], host: str, facts: Any) -> Unknown | None:
    """Adds a host's accounts; tells why they may not be all."""
    told = facts.get("accounts", Unknown("not_told")) if isinstance(facts, Mapping) else facts
    if isinstance(told, Unknown):
        return told
    gap = told.missing if isinstance(told, Partial) else None
    for element in told.items if isinstance(told, Partial) else told or ():
        name = element.get("account") if isinstance(element, Mapping) else None
        if isinstance(name, str):
            ids = where.setdefault(name, [])
            if host not in ids[-1:]:
                ids.append(host)
        else:
            gap = gap or (name if isinstance(name, Unknown) else Unknown("not_told"))
    return gap


def _on(ids: list[str]) -> str:
    more = f" +{len(ids) - SHOWN}" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more


def _missing(gaps: Mapping[str, Unknown]) -> Unknown | None:
    return Unknown("not_measured", ", ".join(sorted(gaps))) if gaps else None


def _list(items: list[Any], missing: Unknown | None) -> Fact:
    return Partial(tuple(items), missing) if missing else items


PROBE = DerivedProbe(
    title={"en": "Inventory of administrators", "fr": "Inventaire des administrateurs"},
    over="admins",
    facts={
        "type": "object",
        "properties": {
            "accounts": {
                "type": "array",
                "description": "Every administrator that some host of the perimeter shows.",
                "items": {
                    "type": "object",
                    "x-name": "account",
                    "x-also": ["on"],
                    "properties": {
                        "account": {
                            "type": "string",
                            "x-person": True,
                            "description": "A login, group or key, as hosts name it.",
                        },
                        "hosts": {"type": "integer", "description": "On how many hosts."},
                        "on": {"type": "string", "description": "On which hosts, the first five."},
                    },
                },
            },
            "names": {
                "type": "array",
                "description": "The same, names only.",
                "items": {
                    "type": "string",
                    "x-person": True,
                    "description": "A login, group or key, as hosts name it.",
                },
            },
        },
    },
    fold=fold,
)
