"""What the register of incidents says of when each was noticed, declared, told of and reported, and whether it is all of them. Pure.

The register is a list that somebody keeps; an attestation counts its entries over a period. Without it, or where it counts
otherwise, incidents may be missing: one that is late is late all the same, and nothing passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers.attested import COUNTED, QUESTIONS, counted, said, uncounted
from auditor.readers.declared import DATED, age_days, civil, listed
from auditor.readers.working_days import working_days
from auditor.records import Dated, Moment

REGISTER = "incidents"
WINDOW_DAYS = 365
# In our own words; sentences.DETAILS translates it.
NOT_SAID = "{entry} does not say {what}"


def _rows(what: str, fact: str, unit: str) -> Mapping[str, Any]:
    return {
        "type": "array",
        "description": f"{what}; null: the register says that it never was.",
        "items": {
            "type": "object",
            "x-name": "incident",
            "properties": {
                "incident": {"type": "string", "description": "The entry of the register."},
                fact: {"type": "number", "description": unit},
            },
        },
    }


FACTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        **COUNTED,
        "declarations": _rows(
            "All incidents, until they were declared to the support desk", "hours", "Hours after it was noticed."
        ),
        "alerts": _rows(
            "Those that affect personal data, or may, until the DPO was alerted", "hours", "Hours after that was noticed."
        ),
        "breaches": _rows("Breaches of personal data, until the DPO was alerted", "hours", "Hours after it was noticed."),
        "notifications": _rows(
            "Breaches of which nobody decided that they need not be, until the CNIL was notified",
            "hours",
            "Hours after it was noticed.",
        ),
        "reports": _rows(
            "Major incidents, until their report was sent", "working_days", "Working days after it was found to be major."
        ),
    },
}  # fmt: skip


def commands(arguments: Mapping[str, Any]) -> Mapping[str, Command]:
    return {**QUESTIONS, "dated": DATED}


def parse(answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Facts:
    as_of, window = str(arguments.get("as_of", "")), int(arguments.get("window_days", WINDOW_DAYS))
    word = said(answers, arguments)
    known = listed(answers["dated"], Dated)
    if isinstance(known, Unknown):
        return {**counted(word, as_of), **dict.fromkeys(_LISTS, known)}
    entries = [one for one in known if one.register == REGISTER]
    gap = _undetected(entries) or uncounted(word, _days_of(entries), as_of, window)
    noticed = [one for one in entries if _recent(one, "", as_of, window)]
    affecting = [one for one in entries if _recent(one, _affected(one), as_of, window)]
    qualified = [one for one in entries if _recent(one, one.days.get("qualified_on") or "", as_of, window)]
    return {
        **counted(word, as_of),
        "declarations": _listed(noticed, _everyone, _hours("declared_at", as_of, breach=False), gap),
        "alerts": _listed(affecting, _affects, _hours("dpo_alerted_at", as_of), gap),
        "breaches": _listed(affecting, _breach, _hours("dpo_alerted_at", as_of), gap),
        "notifications": _listed(affecting, _to_notify, _hours("cnil_notified_at", as_of), gap),
        "reports": _listed(qualified, _major, _reported(as_of), gap),
    }


_LISTS = ("declarations", "alerts", "breaches", "notifications", "reports")


# ---------------------------------------------------------------- which incidents


def _detected(one: Dated) -> str:
    """The civil day on which it was noticed, empty where the register does not say."""
    moment = one.moments.get("detected_at")
    return moment.on if moment else ""


def _affected(one: Dated) -> str:
    """The civil day on which it was noticed that personal data are affected, empty where the register does not say."""
    moment = one.moments.get("breach_at")
    return moment.on if moment else ""


def _recent(one: Dated, later: str, as_of: str, window: int) -> bool:
    """Noticed in the window, or known only then to be what is asked about; of what is not dated nobody can tell."""
    days = [day for day in (_detected(one), later) if day]
    return not _detected(one) or any(0 <= age_days(day, as_of) <= window for day in days)


def _days_of(entries: Iterable[Dated]) -> list[str]:
    """When each was noticed; one that both registers hold counts once."""
    days: dict[str, str] = {}
    for one in entries:
        days[one.id] = min(_detected(one), days.get(one.id, _detected(one)))
    return list(days.values())


def _undetected(entries: Iterable[Dated]) -> Unknown | None:
    return next((_not_said(one, "detected_at") for one in entries if not _detected(one)), None)


def _not_said(one: Dated, what: str) -> Unknown:
    return Unknown("not_told", NOT_SAID.format(entry=one.id, what=what))


def _everyone(one: Dated) -> bool | Unknown:
    return True


def _affects(one: Dated) -> bool | Unknown:
    return one.personal_data != "none" if one.personal_data else _not_said(one, "personal_data")


def _breach(one: Dated) -> bool | Unknown:
    """What is still assessed may be one."""
    return (
        one.personal_data == "breach" if one.personal_data not in ("", "possible") else _not_said(one, "personal_data")
    )


def _to_notify(one: Dated) -> bool | Unknown:
    return False if one.no_notification else _breach(one)


def _major(one: Dated) -> bool | Unknown:
    return _not_said(one, "major") if one.major is None else one.major


def _listed(
    entries: list[Dated],
    concerned: Callable[[Dated], bool | Unknown],
    row: Callable[[Dated], dict[str, Fact]],
    gap: Unknown | None,
) -> Fact:
    """The rows of those that are concerned; of whom nobody said whether they are, that is missing."""
    said = [(one, concerned(one)) for one in entries]
    missing = gap or next((is_so for _, is_so in said if isinstance(is_so, Unknown)), None)
    rows = [{"incident": one.id, **row(one)} for one, is_so in said if is_so is True]
    return Partial(tuple(rows), missing) if missing else rows


# ---------------------------------------------------------------- how long it took


def _hours(until: str, as_of: str, *, breach: bool = True) -> Callable[[Dated], dict[str, Fact]]:
    """From when it was noticed, with `breach` from when it was that personal data are affected, where the register says."""

    def row(one: Dated) -> dict[str, Fact]:
        since = (one.moments.get("breach_at") if breach else None) or one.moments.get("detected_at")
        return {"hours": _between(one, since, until, as_of)}

    return row


def _between(one: Dated, since: Moment | None, until: str, as_of: str) -> float | None | Unknown:
    """None at all where the DPO was alerted of what was a breach only later."""
    if until not in one.moments:
        return _not_said(one, until)
    end = one.moments[until]
    if end is None:
        return None
    if since is None:
        return _not_said(one, "detected_at")
    if end.on > as_of:  # nobody knew of it on that day
        return _not_said(one, until)
    if since.on > as_of:
        return _not_said(one, "breach_at")
    first = one.moments.get("detected_at") or since
    if end.at < first.at:
        return Unknown("unreadable", f"{one.id}: {until} < detected_at")
    return max(0.0, math.ceil((end.at - since.at) / 36) / 100)


def _reported(as_of: str) -> Callable[[Dated], dict[str, Fact]]:
    return lambda one: {"working_days": _days(one, as_of)}


def _days(one: Dated, as_of: str) -> int | None | Unknown:
    sent = one.days.get("report_sent_on", "")
    if sent is None:
        return None
    qualified = one.days.get("qualified_on") or _detected(one)
    if not sent or sent > as_of:
        return _not_said(one, "report_sent_on")
    if not qualified:
        return _not_said(one, "qualified_on")
    since, until = civil(qualified), civil(sent)
    if until < since or (until - since).days > 10 * WINDOW_DAYS:
        return Unknown("unreadable", f"{one.id}: {qualified}, {sent}")
    return working_days(since, until)


PROBE = Probe(
    title={"en": "What the register of incidents says", "fr": "Ce que dit le registre des incidents"},
    facts=FACTS,
    dialects={RECORDS: Dialect(commands, parse)},
    arguments={
        "type": "object",
        "required": ["measure", "register"],
        "properties": {
            "measure": {
                "type": "string",
                "description": "The measure whose attestation counts the incidents of a period.",
            },
            "register": {"type": "string", "enum": [REGISTER], "description": "The register."},
            "window_days": {
                "type": "integer",
                "minimum": 1,
                "maximum": 3650,
                "description": "How far back incidents are judged, and the period must reach, in days; left out: 365.",
            },
        },
        "additionalProperties": False,
    },
    privilege={"en": "none: no host is asked", "fr": "aucun : aucune machine n'est interrogée"},
)
