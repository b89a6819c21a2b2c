"""A run in, tables out: decisions beside outcomes, those to take, actions, and what is wrong with any of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.decision_words import action, to_do
from auditor.decision_words import idle as idle_words
from auditor.kinds import Voice
from auditor.model import IdleDecision, Run, StandsBeside
from auditor.operators import N_
from auditor.reporters._text.lines import Line, titled
from auditor.sentences import SEVERITY_WORDS, clean, day
from auditor.summary import Summary, folded

RISKS = {
    "acceptance": N_("accepted residual risks: they still fail"),
    "adaptation": N_("adapted targets: the convention's own is still missed"),
    "exemption": N_("exemptions: the checks still fail"),
}

STATES = {
    "void": N_("void"),
    "part": N_("in part"),
    "due": N_("to see to"),
    "idle": N_("to close"),
}

IDLE_FORMS = {
    "void": N_("The decision {id} covers nothing: {why}"),
    "part": N_("Of the decision {id} a part does not hold: {why}"),
    "due": N_("The decision {id} holds, and somebody has to see to it: {why}"),
    "idle": N_("The decision {id} is needed by nothing: {why}"),
}


@dataclass(frozen=True, slots=True)
class Records:
    """A title, and a row for each record that it is true of."""

    title: str
    rows: list[list[str]]


def decisions(run: Run, seen: Summary, voice: Voice) -> list[Records]:
    """What stands beside the outcomes, what is to be decided and done, and what is wrong with it; nothing empty."""
    found = (
        *(_risks(seen, kind, title, voice) for kind, title in RISKS.items()),
        to_take(run, voice),
        open_actions(run, voice),
        _idles(run, voice),
    )
    return [one for one in found if one.rows]


def _risks(seen: Summary, kind: str, title: str, voice: Voice) -> Records:
    """A row for each decision of a kind: until when, its id, by which role, and what it stands beside."""
    grouped: dict[StandsBeside, dict[str, list[str]]] = {}
    for gap in seen.gaps:
        if gap.decision and gap.decision.kind == kind:
            grouped.setdefault(gap.decision, {}).setdefault(gap.measure or "-", []).extend(gap.subjects)
    for group in seen.groups:
        if group.decision and group.decision.kind == kind:
            grouped.setdefault(group.decision, {}).setdefault(group.control, []).extend(group.subjects)
    rows = [
        [day(one.until, voice), one.id, one.by, ", ".join(f"{c} ({folded(on)})" for c, on in controls.items())]
        for one, controls in grouped.items()
    ]
    return Records(voice.say(title), rows)


def to_take(run: Run, voice: Voice) -> Records:
    """What owners have to decide, and advisers to communicate, gravest first."""
    rows = []
    for one in run.to_do():
        control = run.controls.get(one.control)
        about = clean(voice.text(control.title)) if control else clean(one.control)
        rows.append([voice.say(SEVERITY_WORDS[one.severity]), to_do(one, voice, about)])
    return Records(voice.say("decisions to take"), rows)


def open_actions(run: Run, voice: Voice) -> Records:
    """The actions that are open, the latest first."""
    return Records(voice.say("actions"), [[action(one, voice)] for one in run.actions() if one.status == "open"])


def _idles(run: Run, voice: Voice) -> Records:
    rows = [[voice.say(STATES[idle.state]), idle.id, idle_words(idle, voice)] for idle in run.idle()]
    return Records(voice.say("what is wrong with decisions"), rows)


def idle_line(idle: IdleDecision, voice: Voice) -> str:
    form = voice.say(IDLE_FORMS.get(idle.state, IDLE_FORMS["void"]))
    return form.format(id=clean(idle.id), why=idle_words(idle, voice))


def table_of(one: Records, voice: Voice) -> list[Line]:
    return titled(one.title, ("",) * max(map(len, one.rows), default=1), one.rows, voice)
