"""What somebody attests of a measure on a perimeter, with a document; how old that is on the day that records are judged on. Pure.

Of several attestations of a measure the newest counts, alone: an older one says nothing of what was found later. One of a
day to come is not known yet. Of two of one day nobody can tell which is the newer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from auditor.errors import Unreadable
from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Answer, Command, Facts, Unknown
from auditor.readers.declared import ATTESTATIONS, HOSTS, age_days, listed
from auditor.records import Attestation, Scope

# Details in our own words; sentences.DETAILS translates them.
NO_ATTESTATION = "no attestation of {measure}"
ONLY_LATER = "no attestation of {measure} up to that day; one of {day}"
SEVERAL = "several attestations of {measure} of one day, {day}: {ids}"
NOT_HERE = "what its scope names is not of this perimeter"
CAME_LATER = "{hosts}; of them new: {later}"

SHOWN = 5  # hosts that a cause names
BENEFICIARIES = ("beneficiary", "both")  # of measures: those that also who benefits from a perimeter answers for

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
        "failed": {"type": "boolean", "description": "It says itself that what it attests failed; what gives no result does not."},
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
class Word(Attestation):
    """An attestation with whose word it is: `answers` for the perimeter, `benefits` from it, or nobody's who may give it."""

    attests: Literal["", "answers", "benefits"] = ""


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
    told, hosts = listed(answers["attestations"], Word), listed(answers["hosts"], Place)
    newest = told if isinstance(told, Unknown) else _newest(told, arguments["measure"], arguments["as_of"])
    wrong = newest if isinstance(newest, Unknown) else _void(newest, hosts, arguments.get("owner", ""))
    if isinstance(newest, Unknown) or wrong:
        return dict.fromkeys(FACTS["properties"], wrong)
    return {
        "id": newest.id,
        "age_days": age_days(newest.on, arguments["as_of"]),
        "failed": newest.values.get("result") == "failed",
        "expired": bool(newest.until) and age_days(newest.until, arguments["as_of"]) > 0,
        **_covering(newest.scope, hosts),
        "values": _values(newest.values),
    }


def _newest(told: tuple[Word, ...], measure: str, as_of: str) -> Word | Unknown:
    of_measure = [one for one in told if one.measure == measure]
    known = [one for one in of_measure if age_days(one.on, as_of) >= 0]
    if not known:
        day = min((one.on for one in of_measure), default="")
        return Unknown("no_record", (ONLY_LATER if day else NO_ATTESTATION).format(measure=measure, day=day))
    day = max(one.on for one in known)
    newest, *others = (one for one in known if one.on == day)
    if others:
        ids = ", ".join(sorted(one.id for one in (newest, *others)))
        return Unknown("not_told", SEVERAL.format(measure=measure, day=day, ids=ids))
    return newest


def _void(one: Word, hosts: tuple[Place, ...] | Unknown, owner: str) -> Unknown | None:
    """Why an attestation proves nothing at all."""
    if not (one.attests == "answers" or (one.attests == "benefits" and owner in BENEFICIARIES)):
        return Unknown("not_entitled", f"{one.id}: {one.role} ({one.entity}), {one.on}")
    if not one.proof.holds:
        return Unknown("altered", f"{one.id}: {one.proof.document}")
    if isinstance(hosts, Unknown) or one.scope.perimeter or any(_stands_for(one.scope, host) for host in hosts):
        return None
    return Unknown("not_covered", NOT_HERE)


def _covering(scope: Scope, hosts: tuple[Place, ...] | Unknown) -> dict[str, Any]:
    """Which hosts the scope stands for; the perimeter as a whole covers all, also what is no host, unless it was frozen."""
    whole = scope.perimeter and scope.frozen is None
    if isinstance(hosts, Unknown):
        return {
            "covers": whole or hosts,
            "covered": hosts,
            "uncovered": [] if whole else hosts,
            "named": hosts,
        }
    stood_for = [host.id for host in hosts if whole or _stands_for(scope, host)]
    left_out = [host for host in hosts if not whole and not _stands_for(scope, host)]
    return {
        "covers": Unknown("not_covered", _left_out(scope, left_out)) if left_out else True,
        "covered": stood_for,
        "uncovered": [host.id for host in left_out],
        "named": [host.id for host in hosts if _named(scope, host)],
    }


def _stands_for(scope: Scope, host: Place) -> bool:
    """It is named, or was there when what the scope names was frozen and is still of it."""
    return host.id in scope.hosts or (host.id in (scope.frozen or ()) and (scope.perimeter or _belongs(scope, host)))


def _named(scope: Scope, host: Place) -> bool:
    """By more than the perimeter."""
    return host.id in scope.hosts or (host.id in (scope.frozen or ()) and _belongs(scope, host))


def _belongs(scope: Scope, host: Place) -> bool:
    return (
        host.zone in scope.zones
        or not set(scope.roles).isdisjoint(host.roles)
        or not set(scope.groups).isdisjoint(host.groups)
    )


def _left_out(scope: Scope, hosts: list[Place]) -> str:
    """The first of them; those that the scope would stand for, had they been there."""
    later = [host.id for host in hosts if scope.frozen is not None and (scope.perimeter or _belongs(scope, host))]
    told = _first([host.id for host in hosts])
    return CAME_LATER.format(hosts=told, later=_first(later)) if later else told


def _first(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f", … ({len(names)})" if len(names) > SHOWN else "")


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
