"""A run in; what changed since the one that it was held against, for a page of words and a table, out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.compare import KIND_WORDS, NOT_CHANGED
from auditor.kinds import Voice
from auditor.model import Alike, Became, Comparison, Run
from auditor.operators import N_
from auditor.reporters._page import parts
from auditor.reporters._page.parts import Chip, Rows
from auditor.sentences import clean, listed, moment

SHOWN = 6  # changes that it names

# The chip that a change is shown with.
CHIPS: dict[Became, str] = {
    "new": "fail",
    "worsened": "fail",
    "lapsed": "fail",
    "unmeasured": "unknown",
    "changed": "not_concerned",
    "resolved": "pass",
    "measured": "pass",
    "gone": "unknown",
}


@dataclass(frozen=True, slots=True)
class Since:
    """`told` says what was compared and how far that can be trusted; rows: what became of it, what, how many or on which hosts."""

    told: str
    caveats: tuple[str, ...]
    chips: tuple[Chip, ...]
    rows: Rows


def since(run: Run, voice: Voice) -> Since:
    """Without a comparison, that there was none."""
    seen = run.since
    if seen is None:
        return Since(voice.say("This audit was compared with no earlier one."), (), (), Rows((), 0))
    told = voice.say("Since audit {number}, of {when}").format(
        number=seen.before.number, when=moment(seen.before.started_at, voice)
    )
    chips = tuple(_chip(kind, count, voice) for kind, count in seen.counts.items() if count)
    changed = told + (f": {voice.say(NOT_CHANGED)}" if not chips else "")
    bound = parts.bound(SHOWN, voice)
    rows = _by_measure(run, seen, voice) if voice.audience == "elus" else _by_control(run, seen, voice)
    return Since(changed, tuple(_caveats(seen, voice)), chips, parts.cut(rows, bound))


def _chip(kind: Became, count: int, voice: Voice) -> Chip:
    state = CHIPS[kind]
    return Chip(state, parts.SYMBOLS[state], voice.say(KIND_WORDS[kind]), str(count))


def _by_control(run: Run, seen: Comparison, voice: Voice) -> Iterator[tuple[Chip, str, str, str]]:
    for one in seen.alike:
        control = run.controls.get(one.control)
        title = voice.text(control.title) if control else one.control
        elements = listed([clean(name) for name in one.elements], voice)
        yield _chip(one.kind, len(one.subjects), voice), title, elements, parts.names(one.subjects, voice)


def _by_measure(run: Run, seen: Comparison, voice: Voice) -> Iterator[tuple[Chip, str, str, str]]:
    """Neither a control, which may say what is weak, nor a host."""
    grouped: dict[tuple[Became, str], list[Alike]] = {}
    for one in seen.alike:
        grouped.setdefault((one.kind, parts.measure_of(run, one.control)), []).append(one)
    for (kind, measure), some in grouped.items():
        count = sum(len(one.subjects) for one in some)
        hosts = parts.counted(name for one in some for name in one.subjects)
        yield _chip(kind, count, voice), parts.title(run.measures.get(measure), "", voice), "", hosts


def _caveats(seen: Comparison, voice: Voice) -> Iterator[str]:
    """Why the two are not quite comparable; officials read no name of an inventory."""
    for caveat in seen.caveats:
        if caveat.values and voice.audience == "elus":
            yield voice.say("the two audits are not of one inventory")
        else:
            yield voice.say(caveat.text).format(**caveat.values)
    for form, names in (
        (N_("hosts added: {count}"), seen.moved.hosts_added),
        (N_("hosts gone: {count}"), seen.moved.hosts_gone),
        (N_("controls that judge otherwise: {count}"), seen.moved.controls_changed),
    ):
        if names:
            yield voice.say(form).format(count=len(names))
