"""Whether those who benefit from a perimeter were told of each adaptation in effect there before it took effect. Pure.

An attestation counts the adaptations in effect: targets that were moved without a record are seen by nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Answer, Command, Facts, Partial, Unknown
from auditor.readers.attested import COUNTED, QUESTIONS, Word, arguments_of, counted, said, uncounted
from auditor.readers.declared import ADAPTATIONS, age_days, listed
from auditor.records import Notice

# In our own words; sentences.DETAILS translates it.
NOBODY = "{id}: the estate names no beneficiary of its perimeter"

FACTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        **COUNTED,
        "adaptations": {
            "type": "array",
            "description": "Those in effect by their own dates; incomplete where nobody counted them, or counted others.",
            "items": {
                "type": "object",
                "x-name": "adaptation",
                "properties": {
                    "adaptation": {"type": "string", "description": "The record, by id."},
                    "notice_days": {
                        "type": "integer",
                        "description": "Days from the last beneficiary's notice to the effect, below 0 when it came later; null: one was not told; unknown where none is named.",
                    },
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Notified:
    """An adaptation, with those who are to be told of it and those who were."""

    id: str
    effective_from: str
    expires: str
    active: bool
    informed: tuple[Notice, ...]
    beneficiaries: tuple[str, ...]


def commands(arguments: Mapping[str, Any]) -> Mapping[str, Command]:
    return {**QUESTIONS, "adaptations": ADAPTATIONS}


def parse(answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Facts:
    as_of = str(arguments.get("as_of", ""))
    word = said(answers, arguments)
    known = listed(answers["adaptations"], Notified)
    if isinstance(known, Unknown):
        return {**counted(word, as_of), "adaptations": known}
    rows = [{"adaptation": one.id, "notice_days": _notice(one, as_of)} for one in known if _in_effect(one, as_of)]
    gap = uncounted(word, [one.effective_from for one in known if _counted(one, word)], as_of)
    return {**counted(word, as_of), "adaptations": Partial(tuple(rows), gap) if gap else rows}


def _in_effect(one: Notified, day: str) -> bool:
    return one.active and age_days(one.effective_from, day) >= 0 and age_days(one.expires, day) <= 0


def _counted(one: Notified, word: Word | Unknown) -> bool:
    """In effect on the day of the count."""
    return not isinstance(word, Unknown) and _in_effect(one, word.on)


def _notice(one: Notified, as_of: str) -> int | None | Unknown:
    """A notice of a day to come is none yet."""
    if not one.beneficiaries:
        return Unknown("not_told", NOBODY.format(id=one.id))
    told: dict[str, str] = {}
    for notice in one.informed:
        if notice.at <= as_of:
            told[notice.entity] = min(notice.at, told.get(notice.entity, notice.at))
    if not all(entity in told for entity in one.beneficiaries):
        return None
    return min(age_days(told[entity], one.effective_from) for entity in one.beneficiaries)


PROBE = Probe(
    title={"en": "Whether adaptations were announced", "fr": "Si les adaptations ont été annoncées"},
    facts=FACTS,
    dialects={RECORDS: Dialect(commands, parse)},
    arguments=arguments_of("The measure whose attestation counts the adaptations in effect."),
    privilege={"en": "none: no host is asked", "fr": "aucun : aucune machine n'est interrogée"},
)
