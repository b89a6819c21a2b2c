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
    controls: tuple[str, ...]
    signed_at: str
    expires: str
    active: bool
    supersedes: str
    formalised: bool


@dataclass(frozen=True, slots=True)
class Adopting:
    """An action that mends what was recommended, of these controls."""

    id: str
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recommended:
    """A recommendation with what its owner answered, the acceptances that decline it and the actions that adopt it.

    `altered` is the letter that communicated it, where that is not the one that the record gives the digest of.
    """

    id: str
    controls: tuple[str, ...]
    communicated_at: str
    altered: str
    reply: Literal["", "adopted", "declined"]
    replied_on: str
    declined: tuple[Declining, ...]
    adopted: tuple[Adopting, ...]


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
                    "communicated": {
                        "type": "boolean",
                        "description": "Its owner was told by that day; unknown where the letter is another than the record says.",
                    },
                    "waiting_days": {
                        "type": "integer",
                        "description": "Days without an answer to all of it since it was communicated; 0 once it was answered, however late, or not communicated.",
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
                        "description": "The acceptance that says so, by id; null: none that holds does, of some of its controls.",
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
    told = bool(one.communicated_at) and age_days(one.communicated_at, as_of) >= 0
    communicated = Unknown("altered", f"{one.id}: {one.altered}") if one.altered else told
    waiting = told and not (_replied(one, as_of) or not _unanswered(one, as_of))
    days = age_days(one.communicated_at, as_of) if waiting else 0
    return {"recommendation": one.id, "communicated": communicated, "waiting_days": days}


def _replied(one: Recommended, day: str) -> bool:
    return bool(one.reply) and one.communicated_at <= one.replied_on <= day


def _unanswered(one: Recommended, day: str) -> set[str]:
    """Controls that no action takes up, and of which no acceptance is its owner's answer: well signed, and after the letter."""
    signed = (d for d in _signed(one, day) if d.formalised and one.communicated_at <= d.signed_at)
    return set(one.controls).difference(*(a.controls for a in one.adopted), *(d.controls for d in signed))


def _signed(one: Recommended, day: str) -> list[Declining]:
    return [d for d in one.declined if d.active and d.signed_at <= day]


def _declined(one: Recommended, day: str) -> bool:
    """By what its owner answered; else by an acceptance that nothing took the place of."""
    return (_replied(one, day) and one.reply == "declined") or bool(_declining(one, day))


def _declining(one: Recommended, day: str) -> list[Declining]:
    """Those that count: signed since the owner adopted it; where an action does, not those that are over."""
    since = one.replied_on if _replied(one, day) and one.reply == "adopted" else ""
    signed = [d for d in _signed(one, day) if d.signed_at >= since]
    return [d for d in signed if day <= d.expires] if one.adopted and one.reply != "declined" else signed


def _replaces(new: Declining, old: Declining) -> bool:
    """What it leaves out stays with the one before."""
    return new.supersedes == old.id != new.id and set(new.controls) >= set(old.controls)


def _acceptances(one: Recommended, day: str) -> list[Fact]:
    """Those that nothing replaced: each is to hold, for each accepts something else; together all that was declined."""
    signed = _signed(one, day)
    standing = [
        (d, d.formalised and day <= d.expires)
        for d in _declining(one, day)
        if not any(_replaces(new, d) for new in signed)
    ]
    found: list[tuple[str | None, bool]] = [(d.id, holds) for d, holds in standing]
    accepted = {control for d, _ in standing for control in d.controls}
    whole = _replied(one, day) and one.reply == "declined"
    if not found or (whole and not accepted >= set(one.controls)):
        found.append((None, False))
    return [{"recommendation": one.id, "acceptance": name, "formalised": holds} for name, holds in found]


PROBE = Probe(
    title={"en": "What came of recommendations", "fr": "Les suites des recommandations"},
    facts=FACTS,
    dialects={RECORDS: Dialect(commands, parse)},
    arguments=arguments_of("The measure whose attestation counts the recommendations."),
    privilege={"en": "none: no host is asked", "fr": "aucun : aucune machine n'est interrogée"},
)
