"""Decisions, what is wrong with them and what is to be done, as data in; sentences in a language out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.kinds import Voice
from auditor.model import ActionSeen, IdleDecision, Outcome, StandsBeside, Suspended, ToDo
from auditor.operators import N_
from auditor.sentences import clean, day, listed, told

# What a finding with a decision beside it counts as.
DECIDED_WORDS = {
    "accepted": N_("risk accepted"),
    "adapted": N_("target adapted"),
    "exempted": N_("exempted"),
}
KIND_WORDS = {
    "acceptance": N_("acceptance"),
    "adaptation": N_("adaptation"),
    "exemption": N_("exemption"),
    "action": N_("action"),
}
STANDING = {
    "acceptance": N_("accepted until {until} ({id}, by {by})"),
    "adaptation": N_("adapted until {until} ({id}, by {by})"),
    "exemption": N_("exempted until {until} ({id}, by {by})"),
}
# What is wrong with a decision, by reason code; with a state where the code says another thing of a decision that holds.
IDLE_WORDS = {
    "R-OWNER": N_("who signed does not answer for this perimeter"),
    "R-ROLE": N_("the role was not entitled to sign on that day"),
    "R-ROLE/part": N_("no such role answers for it"),
    "R-ROLE/due": N_("the mandate that it was signed under has ended"),
    "R-DRAFT": N_("who drafted it also signed it"),
    "R-REGIME": N_("the texts do not let this be decided there"),
    "R-RECO": N_("no recommendation about it was communicated before the signature"),
    "R-NOTICE": N_("a beneficiary was not told yet"),
    "R-NOTICE/due": N_("a beneficiary was told after it took effect"),
    "R-EXPIRY": N_("it has expired, or would last too long"),
    "R-EXPIRY/due": N_("its review is overdue"),
    "R-SCOPE": N_("its scope names what is not part of the perimeter, or nothing that its control is asked of"),
    "R-LATER": N_("new, not covered: it came after the signature"),
    "R-ORPHAN": N_("it names what does not exist"),
    "R-COMP": N_("what compensates is not there"),
    "R-COMP/due": N_("a compensating measure is overdue"),
    "R-LEVEL": N_("the level of its risk does not allow it, or is not what its matrix gives"),
    "R-DPO": N_("personal data are concerned, and the data protection officer was not heard before"),
    "R-HASH": N_("its document is missing, or the record or the document was changed since"),
    "R-DUP": N_("another decision is about the same: neither covers it"),
    "R-VERSION": N_("what is asked was raised since: it is to be decided anew"),
    "R-STATUS": N_("it is not in force"),
    "R-STATUS/due": N_("it is done, and what it was about still fails"),
    "R-IDLE": N_("nothing that it covers fails; it can be closed"),
    "R-BOUND": N_("it bounds or adapts what it is not about"),
    "R-BOUND/suspended": N_("what is seen now is not what was decided about"),
}
LATE_WORDS = {Outcome.PASS: "", Outcome.WARN: N_("overdue"), Outcome.FAIL: N_("overdue beyond the grace")}
AWAITS_WORDS = {"arbitration": N_("arbitration asked for")}
STATUS_WORDS = {"open": N_("open"), "done": N_("done"), "abandoned": N_("abandoned")}


def standing(decision: StandsBeside, voice: Voice, iso: bool = False) -> str:
    """The decision beside a finding: its kind, until when, its id, by which role."""
    return voice.say(STANDING.get(decision.kind, STANDING["acceptance"])).format(
        until=decision.until if iso else day(decision.until, voice), id=clean(decision.id), by=clean(decision.by)
    )


def reasoned(decision: StandsBeside, voice: Voice) -> str:
    """The same as a sentence, with why."""
    said = standing(decision, voice)
    said = said[:1].upper() + said[1:]
    why = clean(decision.why)
    return voice.say("{acceptance}: {why}").format(acceptance=said, why=why) if why else said


def beside(
    decision: StandsBeside | None, adapted: Outcome | None, suspended: Sequence[Suspended], voice: Voice, persons: bool
) -> Iterator[str]:
    """All that decisions have to say of a finding, a sentence each."""
    if decision:
        yield reasoned(decision, voice)
    if adapted in (Outcome.FAIL, Outcome.WARN):
        missed = N_("The adapted target is missed too.")
        limit = N_("The adapted target is missed; its limit is kept.")
        yield voice.say(missed if adapted is Outcome.FAIL else limit)
    for one in suspended:
        yield suspension(one, voice, persons)


def suspension(one: Suspended, voice: Voice, persons: bool) -> str:
    """Why a decision about a finding does not stand beside it."""
    words = IDLE_WORDS.get(f"{one.code}/suspended", IDLE_WORDS.get(one.code, one.code))
    why = "; ".join([clean(one.detail)] if one.detail else told(one.reasons, voice, persons))
    said = voice.say(words) + (f" ({why})" if why else "")
    form = voice.say("{kind} {id} does not stand: {why}")
    kind = voice.say(KIND_WORDS.get(one.kind, one.kind))
    return form.format(kind=kind[:1].upper() + kind[1:], id=clean(one.id), why=said)


def idle_title(decision: IdleDecision, voice: Voice) -> str:
    """What is wrong with a decision, without what that is about."""
    return voice.say(IDLE_WORDS.get(f"{decision.code}/{decision.state}", IDLE_WORDS.get(decision.code, decision.code)))


def idle(decision: IdleDecision, voice: Voice) -> str:
    """What is wrong with a decision, in words."""
    words = idle_title(decision, voice)
    return f"{words} ({clean(decision.detail)})" if decision.detail else words


def to_do(one: ToDo, voice: Voice, about: str) -> str:
    """What an entity has to do about a control: `about` names the control."""
    if one.what == "communicate":
        form = N_(
            "{entity}: communicate a recommendation about “{about}” to the owner of {perimeter} ({count} findings)"
        )
    else:
        form = N_("{entity}: decide about “{about}” on {perimeter}: adopt, or accept the risk ({count} findings)")
    return voice.say(form).format(
        entity=clean(one.entity), perimeter=clean(one.perimeter), about=about, count=one.findings
    )


def action(one: ActionSeen, voice: Voice) -> str:
    """An action: its id, what, who, until when, where it is followed, and how late it is."""
    form = voice.say("{id}: {text} ({responsible}, due {due})")
    said = form.format(
        id=clean(one.id), text=clean(one.text), responsible=clean(one.responsible), due=day(one.due, voice)
    )
    state = LATE_WORDS[one.late] or (STATUS_WORDS.get(one.status, "") if one.status != "open" else "")
    words = [voice.say(word) for word in (AWAITS_WORDS.get(one.awaits, ""), state) if word]
    return ", ".join([said, *words, *([clean(one.ticket)] if one.ticket else [])])


def named(subjects: Sequence[str], count: int, voice: Voice) -> str:
    """Subjects of something to do: the first of them, and how many more there are."""
    names = [clean(name) for name in subjects]
    return listed([*names, *[""] * (count - len(names))], voice, len(names)) if count > len(names) else ", ".join(names)
