"""Decision and action records, one YAML file each, in; values out, or every error at once. What they mean is decisions'."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.decisions import signed_digest
from auditor.errors import InvalidInput, Problem
from auditor.load import policies, records, schema
from auditor.load.yaml import Document
from auditor.records import (
    Acceptance,
    Action,
    Adaptation,
    Compensation,
    Exemption,
    Level,
    Notice,
    Planned,
    Record,
    Risk,
    Scope,
    Signature,
)

KINDS = ("acceptance", "adaptation", "exemption", "action")


@dataclass(frozen=True, slots=True)
class Expects:
    """What an `expect` about a control may say: the JSON Schema of each control's, and the parameters of its measure."""

    definitions: Mapping[str, Any] = field(default_factory=dict)
    probe_of: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def load(
    folder: Path, wanted: records.Wanted, expects: Expects | None = None
) -> tuple[tuple[Record, ...], dict[str, str]]:
    """The records of a folder, or of one file, in the order of file names, and the digests of the files. No folder: none.

    With `expects`, what bounds or adapts is held against the facts of the control's probe too.
    """
    problems: list[Problem] = []
    digests: dict[str, str] = {}
    found: list[Record] = []
    source_of: dict[str, str] = {}

    def meaning(document: Document) -> Iterator[Problem]:
        yield from _networks(document)
        if expects is not None:
            yield from _expects(document, expects)

    for document in records.documents(folder, wanted, problems, digests, meaning):
        one = _record(document)
        problems.extend(records.twice(source_of, one.id, one.source))
        source_of.setdefault(one.id, one.source)
        found.append(one)
    if problems:
        raise InvalidInput(problems)
    return tuple(found), digests


# ---------------------------------------------------------------- what a schema cannot say


def _networks(document: Document) -> Iterator[Problem]:
    for index, text in enumerate(document.value.get("scope", {}).get("networks", ())):
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            yield document.problem(("scope", "networks", index), f"no network: {error}")


def _expects(document: Document, expects: Expects) -> Iterator[Problem]:
    """Every expect of the record, by its control: misspelt facts, names and patterns that stand for nothing."""
    adapted = document.value.get("adapted", {})
    for path, given in (
        (("as_long_as",), document.value.get("as_long_as", {})),
        (("adapted", "expect"), adapted.get("expect", {})),
        (("adapted", "tolerate"), adapted.get("tolerate", {})),
    ):
        for control, expect in given.items():
            if control in expects.probe_of:  # a control that does not exist is said when the record is judged
                yield from _expect(document, (*path, control), control, expect, expects)


def _expect(
    document: Document, path: tuple[str, ...], control: str, expect: Any, expects: Expects
) -> Iterator[Problem]:
    wanted: dict[str, Any] = {"$ref": f"#/definitions/expect.{expects.probe_of[control]}"}
    for step in reversed(path):
        wanted = {"properties": {step: wanted}}
    yield from schema.problems(document, {**wanted, "definitions": expects.definitions})
    parameters = expects.parameters.get(control, {})
    for place, name, value in policies.leaves(expect, path):
        message = policies.wrong_leaf("expect", name, value, parameters, True)
        if message:
            yield document.problem(place, message)


# ---------------------------------------------------------------- values


def _record(document: Document) -> Record:
    value = document.value
    if value["kind"] == "action":
        return _action(document)
    if value["kind"] == "acceptance":
        return Acceptance(**_common(document), entity=value["owner_entity"], recommendation=value["recommendation"])
    if value["kind"] == "adaptation":
        return _adaptation(document)
    unasked = value.get("unasked", {})
    return Exemption(
        **_common(document),
        entity=value["entity"],
        unasked_measures=tuple(unasked.get("measures", ())),
        unasked_hosts=tuple(unasked.get("hosts", ())),
    )


def _adaptation(document: Document) -> Adaptation:
    value = document.value
    return Adaptation(
        **_common(document),
        entity=value["entity"],
        measure=value["measure"],
        parameters=value["adapted"].get("parameters", {}),
        original=value.get("original", {}),
        expect=value["adapted"].get("expect", {}),
        tolerate=value["adapted"].get("tolerate", {}),
        informed=tuple(Notice(n["entity"], n["at"]) for n in value["informed"]),
    )


def _action(document: Document) -> Action:
    value = document.value
    return Action(
        id=value["id"],
        perimeter=value["perimeter"],
        controls=tuple(value["controls"]),
        scope=_scope(value.get("scope", {})),
        text=value["text"],
        responsible=value["responsible"],
        due=value["due"],
        ticket=value.get("ticket", ""),
        raised_by=value.get("raised_by", ""),
        status=value.get("status", "open"),
        source=records.source(document),
        awaits=value.get("awaits", ""),
    )


def _common(document: Document) -> dict[str, Any]:
    """What decisions of all kinds say."""
    value = document.value
    dpo = value.get("opinions", {}).get("dpo", {})
    given = [value["evidence"]] if value.get("evidence", {}).get("document") else []
    given += [notice for notice in value.get("informed", ()) if notice.get("document")]
    return {
        "id": value["id"],
        "perimeter": value["perimeter"],
        "scope": _scope(value.get("scope", {})),
        "justification": value["justification"],
        "signature": _signature(value),
        "expires": value["expires"],
        "controls": tuple(value.get("controls", ())),
        "review_by": value.get("review_by", ""),
        "status": value.get("status", "active"),
        "supersedes": value.get("supersedes") or "",
        "drafted_by": value.get("drafted_by", ""),
        "revisions": value.get("revisions", {}),
        "risk": _risk(value["risk"]) if "risk" in value else None,
        "dpo_at": dpo.get("date", ""),
        "deliberation": value.get("evidence", {}).get("deliberation", ""),
        "proofs": tuple(records.proof(document, one) for one in given),
        "measures": tuple(
            Planned(m["text"], m.get("due", ""), m.get("status", "in_place") == "in_place")
            for m in value.get("compensating_measures", ())
        ),
        "compensated_by": tuple(Compensation(c["control"], c.get("on", "")) for c in value.get("compensated_by", ())),
        "as_long_as": value.get("as_long_as", {}),
        "source": records.source(document),
    }


def _signature(value: Mapping[str, Any]) -> Signature:
    decision = value["decision"]
    digest = decision.get("digest")
    return Signature(
        role=decision["role"],
        signed_at=decision["signed_at"],
        effective_from=decision.get("effective_from", decision["signed_at"]),
        delegation_ref=decision.get("delegation_ref") or "",
        intact=None if digest is None else digest == signed_digest(value),
    )


def _scope(plain: Mapping[str, Any]) -> Scope:
    frozen = plain.get("frozen")
    names = {key: tuple(plain.get(key, ())) for key in ("hosts", "groups", "roles", "zones", "networks")}
    return Scope(
        **names,
        perimeter=plain.get("perimeter", False),
        frozen=None if frozen is None else tuple(frozen["hosts"]),
        count=0 if frozen is None else frozen["count"],
    )


def _risk(plain: Mapping[str, Any]) -> Risk:
    def level(name: str) -> Level:
        given = plain.get(name, {})
        return Level(given.get("gravite", ""), given.get("vraisemblance", ""), given.get("niveau", ""))

    return Risk(level("initial"), level("residual"), plain.get("matrix", ""), plain.get("personal_data", False))
