"""A run in; the decisions in force and to take, and the actions, as rows of tables, out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from auditor.decision_words import AWAITS_WORDS, KIND_WORDS, LATE_WORDS, STATUS_WORDS, idle_title
from auditor.decision_words import idle as idle_words
from auditor.kinds import Voice
from auditor.model import Outcome, Run, StandsBeside, ToDo
from auditor.reporters._page import parts
from auditor.reporters._page.parts import Rows
from auditor.sentences import day, listed
from auditor.summary import Summary

SOON_DAYS = 90  # a decision that ends within so many days is to be taken anew


@dataclass(frozen=True, slots=True)
class Covered:
    """What one decision stands beside: measures and subjects."""

    measures: tuple[str, ...]
    subjects: tuple[str, ...]


def covered(run: Run, seen: Summary) -> Mapping[StandsBeside, Covered]:
    """Every decision in force, by kind."""
    grouped: dict[StandsBeside, list[tuple[str, tuple[str, ...]]]] = {}
    for group in seen.groups:
        if group.decision:
            grouped.setdefault(group.decision, []).append((parts.measure_of(run, group.control), group.subjects))
    for gap in seen.gaps:
        if gap.decision:
            grouped.setdefault(gap.decision, []).append((gap.measure, gap.subjects))
    order = list(KIND_WORDS)
    return {
        one: Covered(
            tuple(dict.fromkeys(m for m, _ in grouped[one])), tuple(s for _, some in grouped[one] for s in some)
        )
        for one in sorted(grouped, key=lambda d: order.index(d.kind) if d.kind in order else len(order))
    }


def decisions(run: Run, held: Mapping[StandsBeside, Covered], voice: Voice) -> Rows:
    """Kind, id, when and by whom signed, until when, which measures, on which hosts, and why; officials read no id."""
    public = voice.audience == "elus"
    rows = (
        (
            _kind(one.kind, voice),
            "" if public else one.id,
            day(one.signed_at, voice),
            one.by,
            day(one.until, voice),
            _titles(run, what.measures, voice),
            parts.on(what.subjects, voice),
            "" if public else one.why,
        )
        for one, what in held.items()
    )
    return parts.cut(rows, parts.bound(parts.DECIDED, voice))


def _kind(kind: str, voice: Voice) -> str:
    return voice.say(KIND_WORDS.get(kind, kind))


def _titles(run: Run, measures: Iterable[str], voice: Voice) -> str:
    return " · ".join(parts.title(run.measures.get(name), "", voice) for name in measures)


# ---------------------------------------------------------------- what is to be decided


def to_do(run: Run, held: Mapping[StandsBeside, Covered], voice: Voice) -> Rows:
    """Who signs, what, about which measure or control, on which perimeter, for how many findings, and its date."""
    rows = [*_wanted(run, voice), *_ending(run, held, voice)]
    return parts.cut(rows, parts.bound(parts.DECIDED, voice))


def _wanted(run: Run, voice: Voice) -> Iterator[tuple[str, ...]]:
    what = {
        "decide": voice.say("adopt the recommendation, or accept the risk"),
        "communicate": voice.say("communicate the recommendation"),
    }
    counted: Counter[tuple[str, ...]] = Counter()
    for one in run.to_do():
        key = (_signing(one, voice), what[one.what], _about(run, one.control, voice), one.perimeter, _since(one, voice))
        counted[key] += one.findings
    for (*first, when), count in counted.items():
        yield *first, str(count), when


def _signing(one: ToDo, voice: Voice) -> str:
    return f"{one.entity} ({listed(one.signatories, voice)})" if one.signatories else one.entity


def _since(one: ToDo, voice: Voice) -> str:
    if one.communicated_at:
        return voice.say("recommended on {day}").format(day=day(one.communicated_at, voice))
    return voice.say("not recommended yet")


def _about(run: Run, control: str, voice: Voice) -> str:
    if voice.audience == "elus":
        return parts.title(run.measures.get(parts.measure_of(run, control)), "", voice)
    known = run.controls.get(control)
    return voice.text(known.title) if known else control


def _ending(run: Run, held: Mapping[StandsBeside, Covered], voice: Voice) -> Iterator[tuple[str, ...]]:
    """Decisions in force that end soon: a renewal is a decision of its own."""
    last = _soon(run.header.as_of)
    for one, what in sorted(held.items(), key=lambda item: item[0].until):
        if last and one.until and one.until <= last:
            renew = voice.say("renew this decision, or let it end: {kind}").format(kind=_kind(one.kind, voice))
            ends = voice.say("ends on {day}").format(day=day(one.until, voice))
            yield one.by, renew, _titles(run, what.measures, voice), "-", str(len(what.subjects)), ends


def _soon(as_of: str) -> str:
    try:
        return (date.fromisoformat(as_of) + timedelta(days=SOON_DAYS)).isoformat()
    except (ValueError, OverflowError):
        return ""


# ---------------------------------------------------------------- actions, and what is wrong with decisions


def actions(run: Run, voice: Voice) -> Rows:
    """Every action that is open, the latest first: id, what, who answers, until when, how late; officials read measures."""
    public = voice.audience == "elus"
    rows = []
    for one in run.actions():
        if one.status != "open":
            continue
        measures = dict.fromkeys(m for control in one.controls if (m := parts.measure_of(run, control)))
        about = (_titles(run, measures, voice) or "-") if public else one.text
        words = (AWAITS_WORDS.get(one.awaits, ""), LATE_WORDS[one.late] or STATUS_WORDS[one.status])
        state = ", ".join(voice.say(word) for word in words if word)
        rows.append(("" if public else one.id, about, one.responsible, day(one.due, voice), state))
    return parts.cut(rows, parts.bound(parts.DECIDED, voice))


def late(run: Run) -> tuple[int, int]:
    """How many of the open actions are late, and how many are open."""
    found = [one.late is not Outcome.PASS for one in run.actions() if one.status == "open"]
    return sum(found), len(found)


def idle(run: Run, voice: Voice) -> Rows:
    """What is wrong with decisions; for officials by kind, since an id and a detail may name a host."""
    if voice.audience == "elus":
        counted = Counter((_kind(one.kind, voice), idle_title(one, voice)) for one in run.idle())
        rows: Sequence[tuple[str, str]] = [
            (f"{count} × {kind}" if count > 1 else kind, why) for (kind, why), count in counted.items()
        ]
    else:
        rows = [(one.id, idle_words(one, voice)) for one in run.idle()]
    return parts.cut(rows, parts.bound(parts.DECIDED, voice))
