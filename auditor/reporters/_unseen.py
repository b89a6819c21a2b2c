"""A run in; what nobody saw of it as a whole, on a host or about a measure out, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditor.kinds import Voice
from auditor.model import CAUSES, Coverage, Run
from auditor.sentences import cause, clean
from auditor.summary import away, folded

LONGEST = 4000  # characters of one line


@dataclass(frozen=True, slots=True)
class Unseen:
    """One thing that nobody saw. `text` is empty where nothing lacks; `lines` say more; `gates` as in Finding."""

    name: str
    cause: str
    text: str
    gates: bool = True
    lines: tuple[str, ...] = ()


def of_run(run: Run, told: int, dark: Sequence[str], voice: Voice) -> tuple[Unseen, ...]:
    """Three, of the run as a whole, so that a report of half a run looks like no whole one.

    `told`: how many findings it has; `dark`: the hosts that summary.blind names.
    """
    header = run.header
    names = [host.host for host in away(run)]
    reached = sum(1 for host in run.hosts()) - len(names)
    state = "" if header.state == "complete" else voice.say("the run is partial: it ended before everything was asked")
    hosts = checks = ""
    if names or reached < header.hosts_expected:
        form = voice.say("hosts reached, now or earlier: {count} of {expected}; without an answer: {away}")
        hosts = form.format(count=reached, expected=header.hosts_expected, away=folded(names) or "?")
    if dark:
        form = voice.say("files stood for these hosts, and told nothing: {hosts}")
        hosts = "; ".join(filter(None, (hosts, form.format(hosts=folded(dark)))))
    lost = run.since.counts.get("unmeasured", 0) if run.since else 0
    if lost:
        form = voice.say("checks of which the audit that this one was held against told more: {count}")
        checks = form.format(count=lost)
    if told < header.checks_planned:
        form = voice.say("checks with a result: {count} of {expected}")
        checks = form.format(count=told, expected=header.checks_planned)
    return (
        Unseen("run-complete", "interrupted", state),
        Unseen("every-host-reached", "unreachable", hosts),
        Unseen("every-check-told", "not_asked", checks),
    )


def of_subject(run: Run, gaps: Sequence[Coverage], voice: Voice) -> Iterator[Unseen]:
    """One for a host without any check; one for all the measures that nothing checks, each a line."""
    for gap in (gap for gap in gaps if not gap.measure):
        yield Unseen("nothing-asked", gap.cause.cause, cause(gap.cause, voice, False), gap.gates)
    measures = [gap for gap in gaps if gap.measure]
    if measures:
        form = voice.say("nothing is asked about measures ({count}): {measures}")
        said = form.format(count=len(measures), measures=", ".join(gap.measure for gap in measures))
        lines = tuple(_line(run, gap, voice) for gap in measures)
        yield Unseen("measures-without-a-control", "nothing_asked", said, any(gap.gates for gap in measures), lines)


def of_uncounted(causes: Mapping[str, int], voice: Voice) -> Iterator[Unseen]:
    """One for each cause of the checks that could not be told and change no exit code, with how many they are."""
    form = voice.say("checks that could not be told, and that do not count: {count} ({cause})")
    for name, count in causes.items():
        yield Unseen(f"uncounted-{name}", name, form.format(count=count, cause=voice.say(CAUSES[name])), False)


def by_subject(run: Run, exempted: bool = True) -> dict[str, list[Coverage]]:
    """What was not asked, by the key of its subject; `exempted`: also what an exemption says is right."""
    gaps: dict[str, list[Coverage]] = {}
    for gap in (gap for gap in run.coverage() if exempted or not gap.decision):
        gaps.setdefault(gap.subject.key, []).append(gap)
    return gaps


def _line(run: Run, gap: Coverage, voice: Voice) -> str:
    measure = run.measures.get(gap.measure)
    parts = (gap.measure, voice.text(measure.title) if measure else "", cause(gap.cause, voice, False))
    return clean(": ".join(part for part in parts if part), LONGEST)
