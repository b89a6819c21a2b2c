"""A fleet's run in, every finding out: equal ones together with their fix, then subject by subject. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.decision_words import DECIDED_WORDS, beside
from auditor.kinds import Voice
from auditor.model import Coverage, Finding, Outcome, Run
from auditor.reporters._text.controls import control_by_control
from auditor.reporters._text.lines import EMPTY, Line, outcome_style, outcome_word, rule, section_title, wrapped
from auditor.sentences import SEVERITY_WORDS, told
from auditor.summary import Group, Summary, folded, named


def everything(run: Run, seen: Summary, voice: Voice) -> Iterator[Line]:
    """Equal findings folded with the fix of each control, then every subject control by control."""
    yield EMPTY
    yield section_title(voice.say("findings, equal ones together"))
    by_control: dict[str, list[Group]] = {}
    for group in seen.groups:
        by_control.setdefault(group.control, []).append(group)
    for fix in seen.fixes:
        yield from _control(run, fix.control, by_control.pop(fix.control), voice)
    for control, groups in by_control.items():
        yield from _control(run, control, groups, voice)
    gaps: dict[str, list[Coverage]] = {}
    for gap in run.coverage():
        gaps.setdefault(gap.subject.key, []).append(gap)
    yield from _by_subject(run, gaps, voice)


def _control(run: Run, id: str, groups: Sequence[Group], voice: Voice) -> Iterator[Line]:
    control = run.controls.get(id)
    yield EMPTY
    yield ("bold", f"  {id}"), ("", f"  ({voice.say(SEVERITY_WORDS[groups[0].severity])})")
    if control:
        yield from wrapped(voice.text(control.title), voice, 4)
    if control and any(group.outcome is not Outcome.UNKNOWN for group in groups):
        yield from wrapped(voice.say("Fix: {fix}").format(fix=voice.text(control.fix)), voice, 4, "dim")
    for group in groups:
        name = f"{group.state}_{group.outcome.value}" if group.state in DECIDED_WORDS else group.state
        head = f"{outcome_word(name, voice).upper()}  {len(group.subjects)} × {folded(group.subjects)}"
        yield from wrapped(head, voice, 4, outcome_style(name))
        for line in told(group.reasons, voice, True, shown=0):
            yield from wrapped(line, voice, 6)
        for line in beside(group.decision, group.adapted, group.suspended, voice, persons=True):
            yield from wrapped(line, voice, 6)


def _by_subject(run: Run, gaps: dict[str, list[Coverage]], voice: Voice) -> Iterator[Line]:
    findings: list[Finding] = []

    def flushed() -> Iterator[Line]:
        subject = findings[0].subject
        yield EMPTY
        yield rule(named(subject), voice)
        yield from control_by_control(run, findings, gaps.pop(subject.key, ()), named(subject), voice)

    for finding in run.findings():
        if findings and findings[0].subject != finding.subject:
            yield from flushed()
            findings.clear()
        findings.append(finding)
    if findings:
        yield from flushed()
    for left in gaps.values():
        yield EMPTY
        yield rule(named(left[0].subject), voice)
        yield from control_by_control(run, (), left, named(left[0].subject), voice)
