"""What was recommended to a perimeter's owner, what came of each recommendation, and whether declining it was formalised. Pure.

An attestation counts what is recorded: advice that nobody wrote down, or a refusal, is seen by nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers.attested import COUNTED, QUESTIONS, arguments_of, counted, said, uncounted
from auditor.readers.declared import RECOMMENDATIONS, age_days, listed


@dataclass(frozen=True, slots=True)
class Declining:
    """An acceptance; `formalised`: well signed, with its document as it was."""

    id: str
    signed_at: str
    expires: str
    active: bool
    supersedes: str
    formalised: bool


@dataclass(frozen=True, slots=True)
class Recommended:
    """A recommendation with what its owner answered, the acceptances that decline it and the actions that adopt it, by id."""

    id: str
    communicated_at: str
    reply: Literal["", "adopted", "declined"]
    replied_on: str
    declined: tuple[Declining, ...]
    adopted: tuple[str, ...]


FACTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        **COUNTED,
        "recommendations": {
            "type": "array",
            "description": "All that are recorded; incomplete where nobody counted those communicated, or counted others.",
            "items": {
                "type": "object",
                "x-name": "recommendation",
                "properties": {
                    "recommendation": {"type": "string", "description": "The record, by id."},
                    "communicated": {"type": "boolean", "description": "Its owner was told by that day."},
                    "waiting_days": {
                        "type": "integer",
                        "description": "Days without an answer since it was communicated; 0 once it was answered, or not communicated.",
                    },
                },
            },
        },
        "declined": {
            "type": "array",
            "description": "Those that were declined, with each acceptance; incomplete where nobody counted them, or counted others.",
            "items": {
                "type": "object",
                "x-name": "recommendation",
                "x-also": ["acceptance"],
                "properties": {
                    "recommendation": {"type": "string", "description": "The record, by id."},
                    "acceptance": {
                        "type": "string",
                        "description": "The acceptance that says so, by id; null: none does.",
                    },
                    "formalised": {
                        "type": "boolean",
                        "description": "Who decides there signed it, its document is the one, and it is not over that day.",
                    },
                },
            },
        },
    },
}


def commands(arguments: Mapping[str, Any]) -> Mapping[str, Command]:
    return {**QUESTIONS, "recommendations": RECOMMENDATIONS}


def parse(answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Facts:
    as_of = str(arguments.get("as_of", ""))
    word = said(answers, arguments)
    known = listed(answers["recommendations"], Recommended)
    if isinstance(known, Unknown):
        return {**counted(word, as_of), "recommendations": known, "declined": known}
    day = as_of if isinstance(word, Unknown) else word.on
    told = [one.communicated_at for one in known if one.communicated_at]
    refused = [one.communicated_at for one in known if _declined(one, day)]
    return {
        **counted(word, as_of),
        "recommendations": _listed([_answered(one, as_of) for one in known], uncounted(word, told, as_of)),
        "declined": _listed(
            [row for one in known if _declined(one, as_of) for row in _acceptances(one, as_of)],
            uncounted(word, refused, as_of),
        ),
    }


def _listed(rows: Sequence[Fact], gap: Unknown | None) -> Fact:
    return Partial(tuple(rows), gap) if gap else list(rows)


def _answered(one: Recommended, as_of: str) -> dict[str, Fact]:
    communicated = bool(one.communicated_at) and age_days(one.communicated_at, as_of) >= 0
    waiting = communicated and not (_replied(one, as_of) or one.adopted or _declined(one, as_of))
    days = age_days(one.communicated_at, as_of) if waiting else 0
    return {"recommendation": one.id, "communicated": communicated, "waiting_days": days}


def _replied(one: Recommended, day: str) -> bool:
    return bool(one.reply) and one.replied_on <= day


def _declined(one: Recommended, day: str) -> bool:
    """By what its owner answered; else an acceptance was signed, and nothing was promised instead."""
    if _replied(one, day):
        return one.reply == "declined"
    return any(d.active and d.signed_at <= day for d in one.declined) and not one.adopted


def _acceptances(one: Recommended, day: str) -> list[Fact]:
    """Those that nothing replaced: each is to hold, for each accepts something else."""
    signed = [d for d in one.declined if d.active and d.signed_at <= day]
    replaced = {d.supersedes for d in signed}
    standing = [(d.id, d.formalised and day <= d.expires) for d in signed if d.id not in replaced]
    found: list[tuple[str | None, bool]] = [*standing] or [(None, False)]
    return [{"recommendation": one.id, "acceptance": name, "formalised": holds} for name, holds in found]


PROBE = Probe(
    title={"en": "What came of recommendations", "fr": "Les suites des recommandations"},
    facts=FACTS,
    dialects={RECORDS: Dialect(commands, parse)},
    arguments=arguments_of("The measure whose attestation counts the recommendations."),
    privilege={"en": "none: no host is asked", "fr": "aucun : aucune machine n'est interrogée"},
)
