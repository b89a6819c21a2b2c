"""An estate, as a folder or an inventory file, in; its hosts, perimeters, zones, signatories and records out."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load import answering, declared, inventory, recommendations, schema, tiers
from auditor.load.yaml import Document
from auditor.model import BY_HAND, UNNAMED, Entity, Estate, Host, Perimeter, Text, Zone

HOUR_S, DAY_S = 3600.0, 86400.0
MAX_AGES_S = {"always": 26 * HOUR_S, "office_hours": 7 * DAY_S, "roaming": 30 * DAY_S, BY_HAND: 90 * DAY_S}
_NO_ESTATE: Text = {
    "en": "{folder}: no estate.yaml: all hosts are of one entity and one perimeter, named 'estate'",
    "fr": "{folder} : pas d'estate.yaml : toutes les machines sont d'une seule entité et d'un seul périmètre, « estate »",
}


@dataclass(frozen=True, slots=True)
class Schemas:
    inventory: Mapping[str, Any]
    estate: Mapping[str, Any]
    register: Mapping[str, Any]
    recommendation: Mapping[str, Any]
    attestation: Mapping[str, Any]


def load(path: Path, schemas: Schemas, more: Sequence[Path] = ()) -> tuple[Estate, dict[str, str]]:
    """The estate and the digests of its files; `more` are inventories that add hosts to it.

    Raises InvalidInput with every problem of every file.
    """
    folder = path if path.is_dir() else path.parent
    problems = list(_second_estates(folder, more))
    found = inventory.read([path, *more], schemas.inventory, problems)
    digests = dict(found.digests)
    problems.extend(_taken(found.hosts, path))
    kept = declared.load(folder / "records", schemas.register, schemas.attestation, problems, digests)
    estate_file = _one_of(folder, "estate", problems)
    notices = found.notices
    if estate_file:
        document = schema.loaded(estate_file, schemas.estate, problems)
        digests |= {str(estate_file): document.digest} if document else {}
        estate = _declared(document, list(found.hosts), problems) if document else Estate(found.hosts)
    else:
        estate = Estate(
            hosts=tuple(replace(h, perimeter=UNNAMED) for h in found.hosts),
            perimeters={UNNAMED: Perimeter(UNNAMED, UNNAMED)},
            entities={UNNAMED: Entity(UNNAMED)},
        )
        notices = ({k: v.format(folder=folder) for k, v in _NO_ESTATE.items()}, *notices)
    recommended = recommendations.load(folder / "recommendations", schemas.recommendation, problems, digests)
    recommendations.unknown(recommended, estate, problems)
    declared.unknown(kept, estate, problems)
    if problems:
        raise InvalidInput(problems)
    source = ", ".join(str(p) for p in (path, *more))
    place = str(folder.resolve())
    return replace(
        estate,
        registers=kept.registers,
        attestations=kept.attestations,
        dated=kept.dated,
        recommendations=recommended,
        source=source,
        place=place,
        groups=found.groups,
        notices=notices,
    ), digests


def _taken(hosts: Sequence[Host], path: Path) -> Iterator[Problem]:
    """What people declared of a perimeter is kept under such a name: a host's answers must not be taken for it."""
    for host in hosts:
        if host.id.startswith("perimeter:"):
            yield Problem(str(path), 0, 0, f"the host '{host.id}' has the name of a perimeter: give it another")


def _second_estates(folder: Path, more: Sequence[Path]) -> Iterator[Problem]:
    """An estate is described once, beside the first inventory; what another one says would be passed over."""
    for path in more:
        if path.is_dir() and path.resolve() != folder.resolve():
            for name in ("estate.yaml", "estate.yml", "records", "recommendations", "decisions"):
                if (path / name).exists():
                    yield Problem(
                        str(path / name),
                        0,
                        0,
                        f"only the first -i may hold {name}: give {path} first, or move it there",
                    )


def _one_of(folder: Path, name: str, problems: list[Problem]) -> Path | None:
    """NAME.yaml or NAME.yml; both at once is an error, since only one would count."""
    found = [f for suffix in (".yaml", ".yml") if (f := folder / f"{name}{suffix}").is_file()]
    if len(found) > 1:
        problems.append(Problem(str(found[1]), 0, 0, f"{found[0].name} stands beside it: keep one"))
    return found[0] if found else None


def _declared(document: Document, hosts: list[Host], problems: list[Problem]) -> Estate:
    value = document.value
    problems.extend(_twice(document, "entities", "perimeters", "zones", "roles"))
    estate = Estate(
        hosts=(),
        zones={z["id"]: Zone(z["id"], z.get("vlan"), tuple(z.get("addresses", ()))) for z in value.get("zones", ())},
        **answering.answering(document),
    )
    problems.extend(answering.problems(document, estate.entities))
    problems.extend(_networks(document))
    problems.extend(_days(document))
    placed = tuple(_places(document, hosts, estate, problems))
    problems.extend(tiers.problems(document, placed))
    return replace(estate, hosts=placed, roles_at=_roles(document))


def _roles(document: Document) -> dict[str, str]:
    """Where each role of a host or group is said first."""
    found: dict[str, str] = {}
    for name, place in document.value["hosts"].items():
        for index, role in enumerate(place.get("roles", ())):
            at = document.problem(("hosts", name, "roles", index), "")
            found.setdefault(role, f"{at.file}:{at.line}:{at.column}")
    return found


def _twice(document: Document, *lists: str) -> Iterator[Problem]:
    for name in lists:
        seen: set[str] = set()
        for index, one in enumerate(document.value.get(name, ())):
            if one["id"] in seen:
                yield document.problem((name, index, "id"), f"'{one['id']}' is given twice")
            seen.add(one["id"])


def _networks(document: Document) -> Iterator[Problem]:
    for index, plain in enumerate(document.value.get("zones", ())):
        for place, text in enumerate(plain.get("addresses", ())):
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                yield document.problem(("zones", index, "addresses", place), f"no network: {error}")


def _days(document: Document) -> Iterator[Problem]:
    """Dates of hosts that have the right form and are no day."""
    for name, plain in document.value["hosts"].items():
        for key in ("commissioned_at", "reinstalled_at"):
            try:
                dt.date.fromisoformat(plain.get(key, "2026-01-01"))
            except ValueError:
                yield document.problem(("hosts", name, key), f"{plain[key]} is no day of the calendar")


def _places(document: Document, hosts: list[Host], estate: Estate, problems: list[Problem]) -> Iterator[Host]:
    """Each host with what estate.yaml says of its groups, then of itself; every host needs a perimeter."""
    given: Mapping[str, Any] = document.value["hosts"]
    names = {h.id for h in hosts} | {g for h in hosts for g in h.groups} | {"all"}
    for name, place in given.items():
        if hosts and name not in names:
            hint = schema.did_you_mean(name, names)
            problems.append(
                document.problem(("hosts", name), f"the inventory has no host or group '{name}'{hint}", key=True)
            )
        for key, known in (("perimeter", estate.perimeters), ("zone", estate.zones)):
            if key in place and place[key] not in known:
                hint = schema.did_you_mean(place[key], known)
                problems.append(document.problem(("hosts", name, key), f"there is no {key} '{place[key]}'{hint}"))
        if place.get("connection") == "none" and not place.get("why"):
            problems.append(document.problem(("hosts", name), "connection: none needs a 'why'", key=True))
        begin, _, end = place.get("quiet_hours", "").partition("-")
        if begin and begin == end:
            message = f"{begin}-{end} has no length; a host that is never connected to says connection: none, and why"
            problems.append(document.problem(("hosts", name, "quiet_hours"), message))
    problems.extend(_renamed(document, given, hosts))
    for host in hosts:
        merged: dict[str, Any] = {}
        for source in ("all", *host.groups, host.id):
            merged.update(given.get(source, {}))
        if "perimeter" not in merged:
            message = f"the host '{host.id}' has no perimeter: give it one under hosts, or its group"
            problems.append(document.problem(("hosts",), message, key=True))
        placed = replace(
            host,
            perimeter=merged.get("perimeter", ""),
            zone=merged.get("zone", ""),
            roles=tuple(merged.get("roles", ())),
            platform=merged.get("platform", host.platform),
            connection=merged.get("connection", host.connection),
            why=merged.get("why", ""),
            commissioned_at=merged.get("commissioned_at", ""),
            was=given.get(host.id, {}).get("was", ""),
            aliases=tuple(merged.get("aliases", ())),
            logs=merged.get("logs", "required"),
            **_presence(merged),
        )
        yield tiers.asked(placed, merged)


def _renamed(document: Document, given: Mapping[str, Any], hosts: list[Host]) -> Iterator[Problem]:
    """A former id belongs to one host: what is known under it must not be taken for another's."""
    taken = {h.id: f"the inventory has a host '{h.id}'" for h in hosts}
    for name, place in given.items():
        was = place.get("was", "")
        if was and name not in taken and hosts:
            yield document.problem(("hosts", name, "was"), f"'{name}' is a group: only a host was something else")
        elif was in taken:
            yield document.problem(("hosts", name, "was"), f"{taken[was]}: '{name}' cannot have been it")
        elif was:
            taken[was] = f"'{name}' was it first"


def _presence(place: Mapping[str, Any]) -> dict[str, Any]:
    """When a host can be asked, and how old its evidence may be; the texts have met the schema."""
    availability = place.get("availability", "always")
    age = place.get("evidence_max_age", "")
    unit = DAY_S if age.endswith("d") else HOUR_S
    by_hand = BY_HAND if place.get("connection") == BY_HAND else ""
    return {
        "availability": availability,
        "quiet_hours_s": _hours(place["quiet_hours"]) if "quiet_hours" in place else None,
        "evidence_max_age_s": int(age[:-1]) * unit if age else MAX_AGES_S[by_hand or availability],
        "reinstalled_at": place.get("reinstalled_at", ""),
    }


def _hours(written: str) -> tuple[int, int]:
    """`22:00-06:00` as seconds after midnight."""
    begin, end = (int(t[:2]) * 3600 + int(t[3:]) * 60 for t in written.split("-"))
    return begin, end
