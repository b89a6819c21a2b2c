"""What somebody attests of a measure on a perimeter, with a document; how old that is on the day that records are judged on. Pure.

Of several attestations of a measure the newest counts, alone: an older one says nothing of what was found later. One of a
day to come is not known yet. Of two of one day nobody can tell which is the newer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Answer, Command, Facts, Unknown
from auditor.readers.attested import Place, Word, arguments_of, belongs, expired, failed, in_force, stands_for
from auditor.readers.declared import ATTESTATIONS, HOSTS, age_days, listed, months_begun, months_left
from auditor.records import Scope

# In our own words; sentences.DETAILS translates it.
CAME_LATER = "{hosts}; of them new: {later}"

SHOWN = 5  # hosts that a cause names

_NUMBERS = {
    "rto_h": "Hours from the start of the restore until the service was back.",
    "rpo_h": "Hours of data that were lost: from the restore point to the start.",
    "users": "How many users there are.",
    "licences": "How many licences are used.",
    "storage_terabytes": "How much storage is used, in terabytes.",
    "databases_days": "Days since the oldest database of signatures of a firewall was renewed, on the day that it tells of.",
    "tested_flows": "How many flows that are to be blocked were tried.",
    "open_flows": "How many of them got through.",
}
FACTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The attestation that counts: the newest of its measure."},
        "age_days": {"type": "integer", "description": "Days from what was attested to the day that records are judged on."},
        "age_months": {"type": "integer", "description": "The months that have begun since then: 12 on the day a year later."},
        "left_months": {
            "type": "integer",
            "description": "Whole months left to the last day that it gives, below 0 when that is over; unknown where it gives none.",
        },
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


def commands(arguments: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"attestations": ATTESTATIONS, "hosts": HOSTS}


def parse(answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Facts:
    told, hosts = listed(answers["attestations"], Word), listed(answers["hosts"], Place)
    newest = in_force(told, hosts, arguments)
    if isinstance(newest, Unknown):
        return dict.fromkeys(FACTS["properties"], newest)
    return {
        "id": newest.id,
        "age_days": age_days(newest.on, arguments["as_of"]),
        "age_months": months_begun(newest.on, arguments["as_of"]),
        "left_months": _left(newest, arguments["as_of"]),
        "failed": failed(newest),
        "expired": expired(newest, arguments["as_of"]),
        **_covering(newest.scope, hosts),
        "values": _values(newest.values),
    }


def _left(one: Word, as_of: str) -> int | Unknown:
    """Negative once the last day is over; no last day is none that is far away."""
    return months_left(as_of, one.until) if one.until else Unknown("not_told", "until")


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
    stood_for = [host.id for host in hosts if whole or stands_for(scope, host)]
    left_out = [host for host in hosts if not whole and not stands_for(scope, host)]
    return {
        "covers": Unknown("not_covered", _left_out(scope, left_out)) if left_out else True,
        "covered": stood_for,
        "uncovered": [host.id for host in left_out],
        "named": [host.id for host in hosts if _named(scope, host)],
    }


def _named(scope: Scope, host: Place) -> bool:
    """By more than the perimeter."""
    return host.id in scope.hosts or (host.id in (scope.frozen or ()) and belongs(scope, host))


def _left_out(scope: Scope, hosts: list[Place]) -> str:
    """The first of them; those that the scope would stand for, had they been there."""
    later = [host.id for host in hosts if scope.frozen is not None and (scope.perimeter or belongs(scope, host))]
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
    arguments=arguments_of("The measure that attestations are looked for of."),
    privilege={"en": "none: no host is asked", "fr": "aucun : aucune machine n'est interrogée"},
)
