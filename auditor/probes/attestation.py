"""What somebody attests of a measure on a perimeter, with a document; how old that is on the day that records are judged on. Pure.

Of several attestations of a measure the newest counts, alone: an older one says nothing of what was found later. One of a
day to come is not known yet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Answer, Command, Facts, Unknown
from auditor.readers.declared import ATTESTATIONS, HOSTS, age_days, listed
from auditor.records import Attestation, Scope

# Details in our own words; sentences.DETAILS translates them.
NO_ATTESTATION = "no attestation of {measure}"
ONLY_LATER = "no attestation of {measure} up to that day; one of {day}"

_NUMBERS = {
    "rto_h": "Hours from the start of the restore until the service was back.",
    "rpo_h": "Hours of data that were lost: from the restore point to the start.",
    "users": "How many users there are.",
    "licences": "How many licences are used.",
    "storage_terabytes": "How much storage is used, in terabytes.",
}
FACTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The attestation that counts: the newest of its measure."},
        "age_days": {"type": "integer", "description": "Days from what was attested to the day that records are judged on."},
        "expired": {"type": "boolean", "description": "The last day that the document itself gives is over."},
        "covers": {"type": "boolean", "description": "Its scope is the whole perimeter; else unknown, with what it leaves out."},
        "covered": {"type": "array", "items": {"type": "string"}, "description": "Hosts of the perimeter in its scope."},
        "uncovered": {"type": "array", "items": {"type": "string"}, "description": "Hosts of the perimeter that are not."},
        "named": {"type": "array", "items": {"type": "string"}, "description": "Those in its scope by more than the perimeter."},
        "values": {
            "type": "object",
            "description": "What it says beside that; unknown where it does not.",
            "properties": {
                "result": {"type": "string", "description": "passed or failed."},
                **{name: {"type": "number", "description": about} for name, about in _NUMBERS.items()},
            },
        },
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A host of the perimeter, as a scope may name it."""

    id: str
    zone: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]


def commands(arguments: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"attestations": ATTESTATIONS, "hosts": HOSTS}


def parse(answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Facts:
    told = listed(answers["attestations"], Attestation)
    newest = told if isinstance(told, Unknown) else _newest(told, arguments["measure"], arguments["as_of"])
    if isinstance(newest, Unknown):
        return dict.fromkeys(FACTS["properties"], newest)
    return {
        "id": newest.id,
        "age_days": age_days(newest.on, arguments["as_of"]),
        "expired": bool(newest.until) and age_days(newest.until, arguments["as_of"]) > 0,
        **_covering(newest.scope, listed(answers["hosts"], Place)),
        "values": _values(newest.values),
    }


def _newest(told: tuple[Attestation, ...], measure: str, as_of: str) -> Attestation | Unknown:
    """The newest of the measure, when its document is the one that it names."""
    of_measure = [one for one in told if one.measure == measure]
    known = [one for one in of_measure if age_days(one.on, as_of) >= 0]
    if not known:
        day = min((one.on for one in of_measure), default="")
        return Unknown("no_record", (ONLY_LATER if day else NO_ATTESTATION).format(measure=measure, day=day))
    newest = max(known, key=lambda one: (one.on, one.id))
    return newest if newest.proof.holds else Unknown("altered", f"{newest.id}: {newest.proof.document}")


def _covering(scope: Scope, hosts: tuple[Place, ...] | Unknown) -> dict[str, Any]:
    """Which hosts the scope stands for; the perimeter as a whole covers all, also what is no host."""
    if isinstance(hosts, Unknown):
        whole = scope.perimeter
        return {
            "covers": whole or hosts,
            "covered": hosts,
            "uncovered": [] if whole else hosts,
            "named": hosts,
        }
    named = [host.id for host in hosts if _stands_for(scope, host)]
    if scope.perimeter:
        return {"covers": True, "covered": [host.id for host in hosts], "uncovered": [], "named": named}
    uncovered = [host.id for host in hosts if not _stands_for(scope, host)]
    left_out = Unknown("not_covered", ", ".join(uncovered))
    if not named:  # what it speaks of is not here, or not any more
        return {"covers": left_out, "covered": left_out, "uncovered": uncovered, "named": []}
    return {"covers": left_out if uncovered else True, "covered": named, "uncovered": uncovered, "named": named}


def _stands_for(scope: Scope, host: Place) -> bool:
    return (
        host.id in scope.hosts
        or host.zone in scope.zones
        or not set(scope.roles).isdisjoint(host.roles)
        or not set(scope.groups).isdisjoint(host.groups)
    )


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is not said is not told: no number is one that would do."""
    result = given.get("result", Unknown("not_told", "result"))
    if not isinstance(result, Unknown) and result not in ("passed", "failed"):
        raise Unreadable("result is neither passed nor failed")
    return {"result": result, **{name: _number(given, name) for name in _NUMBERS}}


def _number(given: Mapping[str, Any], name: str) -> Any:
    value = given.get(name, Unknown("not_told", name))
    if isinstance(value, bool) or not isinstance(value, int | float | Unknown):
        raise Unreadable(f"{name} is no number")
    return value if isinstance(value, Unknown) or math.isfinite(value) else Unknown("unreadable", name)


PROBE = Probe(
    title={"en": "What is attested of a measure", "fr": "Ce qui est attesté d'une mesure"},
    facts=FACTS,
    dialects={RECORDS: Dialect(commands, parse)},
    arguments={
        "type": "object",
        "required": ["measure"],
        "properties": {
            "measure": {"type": "string", "description": "The measure that attestations are looked for of."}
        },
        "additionalProperties": False,
    },
    privilege={"en": "none: no host is asked", "fr": "aucun : aucune machine n'est interrogée"},
)
