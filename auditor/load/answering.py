"""What estate.yaml says of who answers for what, in; perimeters, roles, mandates, delegations and rules out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load import records, schema
from auditor.load.logo import picture
from auditor.load.yaml import Document, KeyPath
from auditor.model import Entity, Perimeter, Role, Signatory
from auditor.records import MATRICES, Authorisation, DecisionRules, Delegation

MAY = ("acceptance", "adaptation")


def answering(document: Document) -> dict[str, Any]:
    """The fields of an Estate that say who answers; the document has the right shape."""
    value = document.value
    return {
        "entities": {e["id"]: Entity(e["id"], e.get("name", ""), _logo(document, e)) for e in value["entities"]},
        "perimeters": {p["id"]: _perimeter(document, p) for p in value["perimeters"]},
        "signatories": tuple(
            Signatory(s["role"], s["entity"], s.get("since", ""), s.get("until", ""), tuple(s.get("may", MAY)))
            for s in value.get("signatories", ())
        ),
        "roles": {r["id"]: Role(r["id"], r["entity"], r.get("title", "")) for r in value.get("roles", ())},
        "delegations": tuple(
            Delegation(d["ref"], d["role"], d["entity"], d["by"], d["since"], d["until"], tuple(d.get("may", MAY)))
            for d in value.get("delegations", ())
        ),
        "matrices": {**MATRICES, **{name: _matrix(rows) for name, rows in value.get("risk_matrices", {}).items()}},
        "rules": DecisionRules(**value.get("decision_rules", {})),
        "auditing_entity": value.get("auditing_entity", _only(p["owner"] for p in value["perimeters"])),
    }


def _logo(document: Document, plain: Mapping[str, Any]) -> str:
    """Empty also for what is no picture: that is one of the problems."""
    try:
        return _picture(document, plain)
    except InvalidInput:
        return ""


def _picture(document: Document, plain: Mapping[str, Any]) -> str:
    return picture(Path(document.file).parent / plain["logo"]) if "logo" in plain else ""


def _only(names: Iterable[str]) -> str:
    found = set(names)
    return found.pop() if len(found) == 1 else ""


def _matrix(rows: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row) for row in rows)


def _perimeter(document: Document, plain: Mapping[str, Any]) -> Perimeter:
    given = plain.get("audit_authorisation")
    authorisation = given and Authorisation(given["by"], given["from"], given["until"], records.proof(document, given))
    return Perimeter(
        plain["id"],
        plain["owner"],
        plain["kind"],
        tuple(plain.get("beneficiaries", ())),
        plain.get("operated_by", ""),
        plain.get("advised_by", ""),
        plain.get("since", ""),
        plain.get("means", {}),
        authorisation,
    )


# ---------------------------------------------------------------- what a schema cannot say


def problems(document: Document, entities: Mapping[str, Entity]) -> Iterator[Problem]:
    """Entities and roles that are not there, days that are none, and several owners without who audits."""
    value = document.value
    for path, name in _entities(value):
        if name not in entities:
            yield document.problem(path, f"there is no entity '{name}'{schema.did_you_mean(name, entities)}")
    for index, plain in enumerate(value["entities"]):
        try:
            _picture(document, plain)
        except InvalidInput as error:
            yield document.problem(("entities", index, "logo"), error.problems[0].message)
    for name in ("signatories", "delegations", "perimeters"):
        for index, plain in enumerate(value.get(name, ())):
            yield from _days(document, (name, index), plain)
    owners = dict.fromkeys(p["owner"] for p in value["perimeters"])
    if len(owners) > 1 and "auditing_entity" not in value:
        message = f"the perimeters have several owners: say whose audit this is, auditing_entity: {next(iter(owners))}"
        yield document.problem(("perimeters",), message, key=True)


def _entities(value: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    if "auditing_entity" in value:
        yield ("auditing_entity",), value["auditing_entity"]
    for index, plain in enumerate(value["perimeters"]):
        for key in ("owner", "operated_by", "advised_by"):
            if key in plain:
                yield ("perimeters", index, key), plain[key]
        for name in plain.get("beneficiaries", ()):
            yield ("perimeters", index, "beneficiaries"), name
    for name in ("signatories", "roles", "delegations"):
        for index, plain in enumerate(value.get(name, ())):
            yield (name, index, "entity"), plain["entity"]


def _days(document: Document, path: KeyPath, plain: Mapping[str, Any]) -> Iterator[Problem]:
    """Dates that have the right form and are no day, and what ends before it begins."""
    yield from records.days(document, plain, path)
    places = [(path, plain, "since"), ((*path, "audit_authorisation"), plain.get("audit_authorisation", {}), "from")]
    for place, given, begin in places:
        if given.get("until", "9") < given.get(begin, ""):
            yield document.problem((*place, "until"), f"{given['until']} is before {given[begin]}")
