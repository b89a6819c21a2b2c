"""What was attested of a measure on a perimeter, in; the attestation that counts, or why none does, out. Pure.

Of several the newest counts, alone. One of a day to come is not known yet; of two of one day nobody can tell which is the newer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Unknown
from auditor.readers.declared import ATTESTATIONS, HOSTS, age_days, listed
from auditor.records import Attestation, Scope

# Details in our own words; sentences.DETAILS translates them.
NO_ATTESTATION = "no attestation of {measure}"
ONLY_LATER = "no attestation of {measure} up to that day; one of {day}"
SEVERAL = "several attestations of {measure} of one day, {day}: {ids}"
NOT_HERE = "what its scope names is not of this perimeter"
UNCOUNTED = "{id} does not say how many there are, and since when"
BEGINS_LATER = "{id} tells of what is since {day}; {days} days are asked for"
OTHERWISE = "{id} counts {said}, and {found} are recorded"
NOT_WHOLE = "{id} is not about the perimeter as a whole"

BENEFICIARIES = ("beneficiary", "both")  # of measures: those that also who benefits from a perimeter answers for


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


def in_force(
    told: tuple[Word, ...] | Unknown, hosts: tuple[Place, ...] | Unknown, arguments: Mapping[str, Any]
) -> Word | Unknown:
    """Of the measure of the arguments, on the day `as_of`; `owner` is the rule that says who owes it."""
    newest = told if isinstance(told, Unknown) else _newest(told, arguments["measure"], arguments["as_of"])
    if isinstance(newest, Unknown):
        return newest
    return _void(newest, hosts, arguments.get("owner", "")) or newest


def failed(one: Word) -> bool:
    """It says itself that what it attests failed."""
    return one.values.get("result") == "failed"


def expired(one: Word, as_of: str) -> bool:
    """The last day that the document itself gives is over."""
    return bool(one.until) and age_days(one.until, as_of) > 0


QUESTIONS: Mapping[str, Command] = {"attestations": ATTESTATIONS, "hosts": HOSTS}


def said(answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Word | Unknown:
    """The attestation that counts, of the answers to QUESTIONS."""
    return in_force(listed(answers["attestations"], Word), listed(answers["hosts"], Place), arguments)


def arguments_of(measure: str) -> Mapping[str, Any]:
    """The schema of the arguments of a probe that takes a measure alone; `measure` says what that is."""
    return {
        "type": "object",
        "required": ["measure"],
        "properties": {"measure": {"type": "string", "description": measure}},
        "additionalProperties": False,
    }


COUNTED: Mapping[str, Any] = {
    "attested_days": {
        "type": "integer",
        "description": "Days from the attestation that counts them to the day that records are judged on.",
    },
    "failed": {"type": "boolean", "description": "That says itself that what it attests failed."},
    "expired": {"type": "boolean", "description": "The last day that its document gives is over."},
}


def counted(word: Word | Unknown, as_of: str) -> dict[str, Fact]:
    """The facts of COUNTED, about the attestation that counts what is recorded."""
    if isinstance(word, Unknown):
        return dict.fromkeys(COUNTED, word)
    return {"attested_days": age_days(word.on, as_of), "failed": failed(word), "expired": expired(word, as_of)}


def stands_for(scope: Scope, host: Place) -> bool:
    """It is named, or was there when what the scope names was frozen and is still of it."""
    return host.id in scope.hosts or (host.id in (scope.frozen or ()) and (scope.perimeter or belongs(scope, host)))


def belongs(scope: Scope, host: Place) -> bool:
    return (
        host.zone in scope.zones
        or not set(scope.roles).isdisjoint(host.roles)
        or not set(scope.groups).isdisjoint(host.groups)
    )


def uncounted(word: Word | Unknown, days: Sequence[str], as_of: str, reach_days: int | None = None) -> Unknown | None:
    """Why a list of what is recorded may lack something; None: somebody signed how many there are, and so many there are.

    `days` are those of what is recorded. With `reach_days` the count is of what came since the day that the attestation
    gives, and that day must lie as far back; without, of all that there was on its own day.
    """
    if isinstance(word, Unknown):
        return word
    count, since = word.values.get("count"), word.values.get("since", "")
    if isinstance(count, str) or isinstance(since, float | int):
        raise Unreadable("count is no number, or since no day")
    if count is None or (reach_days is not None and not since):
        return Unknown("not_told", UNCOUNTED.format(id=word.id))
    if not word.scope.perimeter:
        return Unknown("not_covered", NOT_WHOLE.format(id=word.id))
    if reach_days is not None and age_days(since, as_of) < reach_days:
        return Unknown("not_covered", BEGINS_LATER.format(id=word.id, day=since, days=reach_days))
    found = sum((reach_days is None or since <= day) and day <= word.on for day in days)
    return None if found == count else Unknown("not_told", OTHERWISE.format(id=word.id, said=int(count), found=found))


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
    if isinstance(hosts, Unknown) or one.scope.perimeter or any(stands_for(one.scope, host) for host in hosts):
        return None
    return Unknown("not_covered", NOT_HERE)
