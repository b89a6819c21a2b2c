"""The folder `records` of an estate, one YAML file each, in; its registers and attestations out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from auditor.errors import InvalidInput, Problem
from auditor.load import dated, folders, records, schema, yaml
from auditor.load.yaml import Document
from auditor.model import Estate, Register
from auditor.records import Attestation, Dated, Scope

EXPOSED = "exposed"  # the register whose entries are hosts, by id
DAYS = ("on", "until", "since", "reviewed_at", *dated.DAYS)
ROUNDED_H = 0.1  # how far hours that are given may be from those that the times make


@dataclass(frozen=True, slots=True)
class Declared:
    registers: tuple[Register, ...]
    attestations: tuple[Attestation, ...]
    dated: tuple[Dated, ...] = ()


def load(
    folder: Path,
    register: Mapping[str, Any],
    attestation: Mapping[str, Any],
    problems: list[Problem],
    digests: dict[str, str],
) -> Declared:
    """A folder, or one file of it; no folder: none. What is wrong goes to `problems`; the arguments between are the JSON Schemas of both."""
    registers: dict[tuple[str, str], Register] = {}
    attestations: dict[str, Attestation] = {}
    entries: list[Dated] = []
    for document in _documents(folder, register, attestation, problems, digests):
        if "register" in document.value:
            one = _register(document, problems)
            if (one.id, one.perimeter) in registers:
                problems.append(document.problem(("register",), f"the register '{one.id}' is given twice"))
            registers[(one.id, one.perimeter)] = one
            entries.extend(dated.read(document, problems))
        else:
            word = _attestation(document)
            problems.extend(records.twice({a.id: a.source for a in attestations.values()}, word.id, word.source))
            attestations.setdefault(word.id, word)
    return Declared(tuple(registers.values()), tuple(attestations.values()), tuple(entries))


def _documents(
    folder: Path,
    register: Mapping[str, Any],
    attestation: Mapping[str, Any],
    problems: list[Problem],
    digests: dict[str, str],
) -> Iterator[Document]:
    """Those of the right shape; which one a file must have, its keys say."""
    problems.extend(folders.passed_over(folder, "record"))
    for file in folders.files(folder):
        try:
            document = yaml.load(file)
        except InvalidInput as error:
            problems.extend(error.problems)
            continue
        keys = document.value.keys() if isinstance(document.value, dict) else ()
        if not {"register", "kind"} & set(keys):
            message = "is neither a register (`register: NAME`) nor an attestation (`kind: attestation`)"
            problems.append(document.problem((), message))
            continue
        kept = "register" in keys
        wrong = schema.problems(document, register if kept else attestation)
        wrong = wrong or [
            *records.days(document, document.value, (), DAYS),
            *(() if kept else _meaning(document)),
        ]
        problems.extend(wrong)
        if not wrong:
            digests[str(file)] = document.digest
            yield document


def unknown(found: Declared, estate: Estate, problems: list[Problem]) -> None:
    """Perimeters and entities that the estate does not name."""
    problems.extend(
        _nothing(one.source, 0, "perimeter", one.perimeter, estate.perimeters)
        for one in found.registers
        if one.perimeter and one.perimeter not in estate.perimeters
    )
    problems.extend(_no_hosts(found.registers, {host.id for host in estate.hosts}))
    for one in found.attestations if estate.perimeters else ():  # an estate that cannot be read names none
        file, _, line = one.source.rpartition(":")
        for what, name, known in (
            ("perimeter", one.perimeter, estate.perimeters),
            ("entity", one.entity, estate.entities),
        ):
            if name not in known:
                problems.append(_nothing(file, int(line), what, name, known))


def _no_hosts(registers: tuple[Register, ...], hosts: Collection[str]) -> Iterator[Problem]:
    """Entries of a register of hosts that are none: what is compared with it would pass them over."""
    for one in registers:
        if one.id == EXPOSED:
            unknown = (name for name in one.entries if name not in hosts)
            yield from (_nothing(one.source, 0, "host", name, hosts, listing=False) for name in unknown)


def unmeasured(estate: Estate, measures: Collection[str]) -> Iterator[Problem]:
    """Attestations of measures that do not exist: nothing would ever read them."""
    for one in estate.attestations:
        if one.measure not in measures:
            file, _, line = one.source.rpartition(":")
            yield _nothing(file, int(line), "measure", one.measure, measures, listing=False)


def _nothing(file: str, line: int, what: str, name: str, known: Collection[str], listing: bool = True) -> Problem:
    hint = schema.did_you_mean(name, known, list_known=listing)
    return Problem(file, line, 1 if line else 0, f"there is no {what} '{name}'{hint}")


# ---------------------------------------------------------------- registers


def _register(document: Document, problems: list[Problem]) -> Register:
    value = document.value
    names = tuple(e if isinstance(e, str) else e["entry"] for e in value["entries"])
    left_at = dict(_departures(document, problems))
    perimeter, reviewed_at = value.get("perimeter", ""), value.get("reviewed_at", "")
    return Register(value["register"], names, perimeter, document.file, left_at, reviewed_at=reviewed_at)


def _departures(document: Document, problems: list[Problem]) -> Iterator[tuple[str, float]]:
    """The entries that say when they left; one that left twice is dated by the first time, as it is still listed."""
    found: dict[str, float] = {}
    for index, entry in enumerate(document.value["entries"]):
        if isinstance(entry, str) or "left_at" not in entry:
            continue
        try:
            at = dt.datetime.fromisoformat(entry["left_at"]).timestamp()
        except (ValueError, OverflowError):
            problems.append(document.problem(("entries", index, "left_at"), f"{entry['left_at']} is no moment"))
            continue
        found[entry["entry"]] = min(at, found.get(entry["entry"], at))
    yield from found.items()


# ---------------------------------------------------------------- attestations


def _attestation(document: Document) -> Attestation:
    value = document.value
    values = value.get("values", {})
    return Attestation(
        id=value["id"],
        measure=value["measure"],
        perimeter=value["perimeter"],
        on=value["on"],
        role=value["by"]["role"],
        entity=value["by"]["entity"],
        proof=records.proof(document, value),
        scope=_scope(value["scope"]),
        until=value.get("until", ""),
        values={**values, **{name: hours for name, hours in _hours(values) if name not in values}},
        source=records.source(document),
    )


def _scope(plain: Mapping[str, Any]) -> Scope:
    hosts, groups, roles, zones = (tuple(plain.get(name, ())) for name in ("hosts", "groups", "roles", "zones"))
    frozen = plain.get("frozen", {})
    stood_for = tuple(frozen["hosts"]) if frozen else None
    return Scope(
        hosts, groups, roles, zones,
        perimeter=plain.get("perimeter", False), frozen=stood_for, count=frozen.get("count", 0),
    )  # fmt: skip


def _meaning(document: Document) -> Iterator[Problem]:
    """What a schema cannot say of an attestation."""
    value = document.value
    if value.get("until", "9") < value["on"]:
        yield document.problem(("until",), f"{value['until']} is before {value['on']}")
    since = value.get("values", {}).get("since", "")
    if since > value["on"]:
        yield document.problem(("values", "since"), f"{since} is after {value['on']}, which 'on' says")
    yield from _frozen(document, value["scope"])
    yield from _times(document)


def _frozen(document: Document, scope: Mapping[str, Any]) -> Iterator[Problem]:
    """Groups, roles and zones stand for the hosts of one day: without these, for whatever comes later too."""
    many = [name for name in ("groups", "roles", "zones") if name in scope]
    if "frozen" not in scope:
        if many:
            message = (
                f"'{many[0]}' needs the hosts that it stood for that day: frozen: {{count: 2, hosts: [web01, web02]}}"
            )
            yield document.problem(("scope",), message)
        return
    names = len(set(scope["frozen"]["hosts"]))
    if names != scope["frozen"]["count"]:
        yield document.problem(("scope", "frozen", "count"), f"{scope['frozen']['count']}, and {names} hosts are named")
    if not many and "perimeter" not in scope:
        yield document.problem(("scope", "frozen"), "nothing stands for these: name them as hosts")


def _times(document: Document) -> Iterator[Problem]:
    """Times that are none, of another day, or in no order, or that make other hours than those that are given."""
    values = document.value.get("values", {})
    yield from _day(document, values)
    for name in ("restore_point", "started_at", "service_back_at"):
        if name in values and _moment(values[name]) is None:
            yield document.problem(("values", name), f"{values[name]} is no moment")
    for name, hours in _hours(values):
        if hours < 0:
            yield document.problem(("values",), f"the times of {name} are not in their order")
        elif abs(values.get(name, hours) - hours) > ROUNDED_H:
            yield document.problem(("values", name), f"{values[name]} hours are given, the times make {hours}")


def _day(document: Document, values: Mapping[str, Any]) -> Iterator[Problem]:
    """A test is as old as its end: another day would make it younger."""
    on = document.value["on"]
    end = _civil(values.get("service_back_at", ""))
    if end and end != on:
        yield document.problem(("values", "service_back_at"), f"the service was back on {end}, and 'on' says {on}")
    for name in ("restore_point", "started_at"):
        if _civil(values.get(name, "")) > on:
            yield document.problem(("values", name), f"{values[name]} is after {on}, which 'on' says")


def _civil(written: str) -> str:
    """The day of a moment, in France; empty for what is none."""
    try:
        return dt.datetime.fromisoformat(written).astimezone(ZoneInfo("Europe/Paris")).date().isoformat()
    except (ValueError, OverflowError):
        return ""


def _hours(values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What the times of a restore make: how long it took, and what was lost."""
    for name, first, last in (("rto_h", "started_at", "service_back_at"), ("rpo_h", "restore_point", "started_at")):
        since, until = (_moment(values.get(key, "")) for key in (first, last))
        if since is not None and until is not None:
            yield name, round((until - since) / 3600, 2)


def _moment(written: str) -> float | None:
    try:
        return dt.datetime.fromisoformat(written).timestamp()
    except (ValueError, OverflowError):
        return None
