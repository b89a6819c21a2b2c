"""A finding in; one line on what it came to, without names of persons, and where its control stands out. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from auditor.decision_words import standing
from auditor.kinds import Voice
from auditor.model import CAUSES, Control, Finding, Header, Outcome, Unknown
from auditor.operators import N_
from auditor.sentences import clean, listed, told, unconcerned
from auditor.summary import Summary

LOADING_S = 600.0  # the day is asked for first: an audit at midnight may begin on the next
NOWHERE = "policies"  # a control whose file nobody knows: consumers drop what has no place


def why(finding: Finding, voice: Voice) -> str:
    """Never empty: what has no message counts as passed somewhere."""
    words = unconcerned if finding.outcome is None else told
    said = "; ".join(words(finding.reasons, voice, False))
    if not said and finding.outcome is Outcome.UNKNOWN:
        return voice.say(CAUSES["not_told"])
    return said or voice.say("no reason was given")


def first_cause(finding: Finding) -> Unknown:
    return next((r.cause for r in finding.reasons if r.cause), Unknown("not_told"))


def decided_why(finding: Finding, voice: Voice) -> str:
    """The decision that covers a fail or a warn, and what is still so."""
    assert finding.decision is not None
    words = standing(finding.decision, voice, iso=True).partition(" ")
    if finding.outcome is Outcome.FAIL:
        form = voice.say("{acceptance}: still failing, {why}")
    else:
        form = voice.say("{acceptance}: the target is still missed, {why}")
    return form.format(acceptance=f"{words[0].upper()} {words[2]}", why=why(finding, voice))


def ended(seen: Summary, voice: Voice) -> str:
    """Which decisions that stood in a stored run have ended since; empty for none, and for a run that is judged now."""
    over = gone(seen, voice)
    if not over:
        return ""
    form = N_("Decisions that have ended since: {count}{which}; what they stood beside is open again.")
    which = "" if voice.audience == "elus" else f" ({listed([*map(clean, over)], voice)})"
    return voice.say(form).format(count=len(over), which=which)


def gone(seen: Summary, voice: Voice) -> list[str]:
    """The ids of the decisions that stood in a stored run and have ended since."""
    beside = [group.decision for group in seen.groups] + [gap.decision for gap in seen.gaps]
    return [*dict.fromkeys(one.id for one in beside if one and one.until < voice.today)]


JUDGED_AS_OF = N_("decisions and records judged as of {day}")


def another_day(header: Header) -> str:
    """The day (ISO) that decisions were judged on, where that was not the day of the audit; else empty."""
    began = (datetime.fromtimestamp(header.started_at - s, ZoneInfo("Europe/Paris")) for s in (0, LOADING_S))
    return "" if header.as_of in {at.date().isoformat() for at in began} else header.as_of


def place(control: Control | None, voice: Voice, finding: Finding | None = None) -> tuple[str, int]:
    """The file and line of the tree that a finding comes from, where that is known; else those that define its control."""
    at = next((p for r in finding.reasons for p in r.places), "") if finding else ""
    path, _, line = (at or (control.source if control else "")).rpartition(":")
    if at and not line.isdigit():
        path, line = at, "1"
    number = int(line) if line.isascii() and line.isdigit() and len(line) < 8 else 1
    return clean(voice.located(path) if path else NOWHERE, 0) or NOWHERE, max(1, number)
