"""A run in; what to mend first, what was not measured, and the appendix control by control, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.article5 import standing
from auditor.decision_words import beside
from auditor.kinds import Voice
from auditor.model import CAUSES, SEVERITIES, Outcome, Run
from auditor.reporters._page import parts
from auditor.reporters._page.parts import Chip, Rows
from auditor.sentences import SEVERITY_WORDS, cause, clean, told
from auditor.summary import Fix, Group, Summary, undeclared


def fixes(run: Run, seen: Summary, voice: Voice) -> Rows:
    """Severity, how many it closes, what, how, on which hosts; for elected officials by measure, without how and where."""
    if voice.audience == "elus":
        return parts.cut(_fixes_by_measure(run, seen.fixes, voice), parts.TOP)
    rows = []
    for fix in seen.fixes:
        control = run.controls.get(fix.control)
        title = voice.text(control.title) if control else fix.control
        how = clean(voice.text(control.fix), 0) if control and voice.details else ""  # the appendix says it
        severity = voice.say(SEVERITY_WORDS[fix.severity])
        rows.append((severity, fix.fails + fix.warns, title, fix.control, how, parts.names(fix.subjects, voice)))
    return parts.cut(rows, parts.TOP)


def _fixes_by_measure(run: Run, fixes: Sequence[Fix], voice: Voice) -> Iterable[tuple[object, ...]]:
    by_measure: dict[str, list[Fix]] = {}
    for fix in fixes:
        control = run.controls.get(fix.control)
        by_measure.setdefault(control.measure if control else "", []).append(fix)
    for measure, some in by_measure.items():
        gravest = max(some, key=lambda fix: SEVERITIES.index(fix.severity)).severity
        subjects = {subject for fix in some for subject in fix.subjects}
        closes = sum(fix.fails + fix.warns for fix in some)
        title = parts.title(run.measures.get(measure), "", voice)
        yield voice.say(SEVERITY_WORDS[gravest]), closes, title, "", "", parts.counted(subjects)


def untold(run: Run, seen: Summary, voice: Voice) -> Rows:
    """Why, how many checks (a dash where it is not about checks), on which hosts; most first."""
    public = voice.audience == "elus"
    rows: list[tuple[str, str, str]] = [
        (voice.say(CAUSES[one.cause]), str(one.checks), parts.on(one.subjects, voice)) for one in seen.untold
    ]
    known = {one.cause for one in seen.untold} | {gap.cause.cause for gap in seen.open_gaps if not gap.measure}
    rows += [
        (voice.say(CAUSES[one.cause]), "-", parts.on(one.subjects, voice))
        for one in seen.unreached
        if one.cause not in known
    ]
    if parts.lost(seen):
        rows.append((voice.say("planned, and no result came"), str(parts.lost(seen)), "-"))
    gaps: dict[str, list[str]] = {}
    for gap in seen.open_gaps:
        if not gap.measure:
            why = voice.say(CAUSES[gap.cause.cause]) if public else cause(gap.cause, voice, True)
            gaps.setdefault(why, []).extend(gap.subjects)
    rows += [(why, "-", parts.on(subjects, voice)) for why, subjects in gaps.items()]
    bare = sum(len(gap.subjects) for gap in seen.open_gaps if gap.measure)
    if bare:
        rows.append((voice.say("nothing is asked about measures; they are named above"), str(bare), "-"))
    return parts.cut(rows, parts.bound(parts.ROWS, voice))


@dataclass(frozen=True, slots=True)
class Entry:
    """One control of the appendix with its findings, equal ones together."""

    id: str
    severity: str
    title: str
    chips: tuple[Chip, ...]
    fix: str
    why: str
    findings: Rows


@dataclass(frozen=True, slots=True)
class Told:
    """Equal findings: on which hosts, why, and the decision beside them."""

    chip: Chip
    count: int
    on: str
    lines: tuple[str, ...]
    decision: tuple[str, ...]


def appendix(run: Run, seen: Summary, voice: Voice) -> Rows:
    """Every control with something else than passes, what is open first."""
    by_control: dict[str, list[Group]] = {}
    for group in seen.groups:
        if undeclared(group.reasons):
            continue  # its measure stands with those that nobody attests
        by_control.setdefault(group.control, []).append(group)
    order = dict.fromkeys([*(fix.control for fix in seen.fixes), *by_control])
    return parts.cut((_entry(run, name, by_control[name], voice) for name in order), parts.bound(parts.ANNEX, voice))


def _entry(run: Run, id: str, groups: Sequence[Group], voice: Voice) -> Entry:
    control = run.controls.get(id)
    counts = standing({group.state: len(group.subjects)} for group in groups)
    wrong = any(group.outcome is not Outcome.UNKNOWN for group in groups)
    return Entry(
        id=id,
        severity=voice.say(SEVERITY_WORDS[groups[0].severity]),
        title=voice.text(control.title) if control else "",
        chips=tuple(parts.chip(name, voice, count) for name, count in counts.items()),
        fix=clean(voice.text(control.fix), 0) if control and wrong else "",
        why=voice.text(control.why) if control else "",
        findings=parts.cut((_told(group, voice) for group in groups), parts.bound(parts.FINDINGS, voice)),
    )


def _told(group: Group, voice: Voice) -> Told:
    lines = told(group.reasons, voice, True, shown=0) if voice.details else told(group.reasons, voice, True)
    decision = tuple(beside(group.decision, group.adapted, group.suspended, voice, persons=True))
    return Told(
        parts.chip(group.state, voice), len(group.subjects), parts.names(group.subjects, voice), lines, decision
    )
