"""A run in, one self-contained accessible page out, for those who decide and for those who mend. Pure.

Every text passes `clean` and then the template's escaping. A page for elected officials is built from counts, titles of
measures and our own words: nothing that names a host, or that a host said, is handed to the template.
"""

from __future__ import annotations

import hashlib
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from auditor.article5 import BULLETS, ORDER, Bullet, bullet_of, standing, worst
from auditor.decision_words import DECIDED_WORDS, KIND_WORDS, LATE_WORDS, STATUS_WORDS, beside, idle_title
from auditor.decision_words import idle as idle_words
from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import CAUSES, SEVERITIES, Measure, Outcome, Perimeter, Run, StandsBeside
from auditor.operators import N_
from auditor.sentences import (
    OUTCOME_WORDS,
    SEVERITY_WORDS,
    cause,
    clean,
    day,
    listed,
    moment,
    replayed,
    told,
)
from auditor.summary import Fix, Group, Summary, folded, summary

LONGEST = 2000  # characters of any one text
NAMES = 300  # characters of a list of hosts
TOP = 10  # fixes that it names
ROWS = 40  # rows of a table, lines of the appendix
PLACES = 12  # perimeters under one bullet
FINDINGS = 8  # different findings of one control

SYMBOLS = {
    "fail": "✗",
    "warn": "▲",
    "accepted": "◐",
    "adapted": "◑",
    "exempted": "◌",
    "unknown": "?",
    "nothing_asked": "?",
    "pass": "✓",
    "not_concerned": "–",
}
WORDS = {**OUTCOME_WORDS, **DECIDED_WORDS}
KINDS = {"shared": N_("shared"), "exclusive": N_("exclusive")}


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    """Writes the page; `voice.audience` chooses what it may hold."""
    write = open_part("")
    for piece in _template().generate(**_page(run, voice)):
        write(piece.encode("utf-8"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("auditor.reporters", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _template() -> Template:
    return _environment().get_template("report.html")


@cache
def _style() -> str:
    loader = _environment().loader
    assert loader
    return loader.get_source(_environment(), "report.css")[0]


def _inert(value: Any) -> Any:
    """What stands in the page for a value: nothing that reorders, hides or fills it; French punctuation stays with its word."""
    if isinstance(value, Markup):
        return value
    text = clean(str(value), LONGEST)
    for mark in ":;?!»":
        text = text.replace(f" {mark}", f"\u00a0{mark}")
    return text.replace("« ", "«\u00a0")


# ---------------------------------------------------------------- what the template is given


@dataclass(frozen=True, slots=True)
class Chip:
    """A state in words: its kind colours it, its symbol and word say it, `count` is empty where none is known."""

    kind: str
    symbol: str
    word: str
    count: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one perimeter stands."""

    name: str
    about: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One bullet of the convention, or one measure beside them. `unchecked` names the measures that nothing checks."""

    title: str
    quote: str
    worst: Chip
    places: tuple[Place, ...]
    more: int
    unchecked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unasked:
    """A perimeter and the titles of the measures, of no bullet, that nothing checks there."""

    name: str
    about: str
    chip: Chip
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table's rows that are shown, and how many are not."""

    shown: Sequence[Any]
    more: int


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


def _page(run: Run, voice: Voice) -> Mapping[str, object]:
    """All that the template may use; for elected officials nothing else exists."""
    seen = summary(run)
    public = voice.audience == "elus"
    what = _what(run, seen, voice)
    style = _style()
    digest = b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    blocks, others, unasked = _blocks(run, seen, voice)
    kind, verdict = _verdict(run, seen, voice)
    return {
        "lang": voice.lang,
        "say": voice.say,
        "style": Markup(style),  # noqa: S704 - our own file
        "style_digest": digest,
        "public": public,
        "what": what,
        "heading": _heading(run, voice),
        "on": moment(run.header.started_at, voice),
        "as_of": day(run.header.as_of, voice),
        "kind": kind,
        "symbol": SYMBOLS[kind],
        "verdict": verdict,
        "notices": tuple(_notices(run, seen, voice)),
        "numbers": _numbers(seen, voice, run.header.replay is not None),
        "bar": _bar(seen, voice),
        "blocks": blocks,
        "others": others,
        "unasked": unasked,
        "details": voice.details,
        "fixes": _fixes(run, seen, voice),
        "decisions": _decisions(run, seen, voice),
        "idle": _idle(run, voice),
        "to_do": _to_do(run, voice),
        "actions": _actions(run, voice),
        "untold": _untold(run, seen, voice),
        "appendix": None if public else _appendix(run, seen, voice),
        "version": "" if public else run.header.version,
        "run_id": "" if public else run.header.id,
    }


def _cut(rows: Iterable[Any], shown: int) -> Rows:
    whole = list(rows)
    return Rows(whole[:shown], max(0, len(whole) - shown))


def _bound(shown: int, voice: Voice) -> int:
    """How much is shown; with details, all of it."""
    return sys.maxsize if voice.details else shown


def _chip(name: str, voice: Voice, count: int = 0) -> Chip:
    return Chip(name, SYMBOLS[name], voice.say(WORDS[name]), str(count) if count else "")


def _names(subjects: Sequence[str], voice: Voice) -> str:
    """The hosts, folded; a list that is too long is cut, and says of how many it is."""
    names = folded(subjects)
    if voice.details or len(names) <= NAMES:
        return names
    return voice.say("{names}… ({count} in all)").format(names=names[:NAMES].rstrip(" ,"), count=len(set(subjects)))


def _on(subjects: Sequence[str], voice: Voice) -> str:
    return _counted(subjects) if voice.audience == "elus" else _names(subjects, voice)


def _counted(subjects: Iterable[str]) -> str:
    """How many hosts there are among them; a dash for what was asked of perimeters alone."""
    return str(len({name for name in subjects if not name.startswith("perimeter:")}) or "-")


def _title(measure: Measure | None, id: str, voice: Voice) -> str:
    return voice.text(measure.title) if measure else id or voice.say("(the host as a whole)")


# ---------------------------------------------------------------- the head


def _what(run: Run, seen: Summary, voice: Voice) -> str:
    """What was audited: the estate by the last part of its path, or the one host; for elected officials, whose it is."""
    if voice.audience == "elus":
        owners = list(dict.fromkeys(p.owner for p in run.perimeters.values() if p.owner))
        if owners:
            return listed(owners, voice)
    else:
        parts = [part for part in run.header.estate.partition(", ")[0].split("/") if part.strip(".")]
        hosts = [host.host for host, _ in zip(run.hosts(), range(2), strict=False)]
        if parts or len(hosts) == 1:
            return (parts or hosts)[-1]
    return voice.say("{count} hosts").format(count=seen.hosts_expected)


def _heading(run: Run, voice: Voice) -> str:
    header = run.header
    form = N_("Replay of audit {number}, {when}") if header.replay else N_("Audit {number}, {when}")
    number = header.replay.number if header.replay else header.number
    return voice.say(form).format(number=number, when=moment(header.started_at, voice))


def _part_only(run: Run, seen: Summary) -> bool:
    """Not all that was planned came, or not all of the estate or of the policies was planned."""
    header = run.header
    return bool(header.limit or header.policies or not seen.complete or seen.checks_told < seen.checks_planned)


def _verdict(run: Run, seen: Summary, voice: Voice) -> tuple[str, str]:
    """The one sentence, and the word of ORDER that it goes with."""
    decided = {kind: seen.counts.get(f"{kind}_fail", 0) for kind in DECIDED_WORDS}
    wrong = {
        name: sum(seen.counts.get(f"{kind}{name}", 0) for kind in ("", *(f"{kind}_" for kind in decided)))
        for name in ("fail", "warn")
    }
    risks = sum(decided.values())
    whole = seen.everything_seen and not _part_only(run, seen) and run.header.declared and seen.checks_planned > 0
    failing = voice.say(_failing(decided))
    numbers = {
        "failing": failing.format(fail=wrong["fail"], accepted=risks),
        "warn": wrong["warn"],
        "planned": seen.checks_planned,
    }
    if wrong["fail"]:
        kind = "fail" if seen.counts.get("fail", 0) else _beside(seen, "fail")
        form = (
            N_("Not all measures are met: of {planned} checks, {failing}; everything planned was measured.")
            if whole
            else N_(
                "Not all measures are met: of {planned} checks, {failing}; and not everything was seen: nobody knows "
                "whether the rest is good or bad."
            )
        )
    elif not whole:
        kind = "unknown"
        measured = seen.checks_measured - seen.counts.get("not_concerned", 0)
        form = (
            N_(
                "Nothing that was measured fails, but not everything was seen: nobody knows whether the rest is good or bad."
            )
            if measured > 0
            else N_("Nothing was measured: nobody knows whether it is good or bad.")
        )
    elif wrong["warn"]:
        kind = "warn" if seen.counts.get("warn", 0) else _beside(seen, "warn")
        form = N_("Everything planned was measured and nothing fails; of {planned} checks, {warn} miss their target.")
    else:
        kind, form = "pass", N_("Everything planned was measured and nothing fails.")
    return kind, voice.say(form).format(**numbers)


def _failing(decided: Mapping[str, int]) -> str:
    """How many fail, and of how many of them somebody decided; accepted ones are named so where there are no others."""
    if not any(decided.values()):
        return N_("{fail} fail")
    if decided["accepted"] == sum(decided.values()):
        return N_("{fail} fail, {accepted} of them accepted")
    return N_("{fail} fail, about {accepted} of them a decision stands")


def _beside(seen: Summary, outcome: str) -> str:
    """The worst word for what fails, or misses its target, with a decision beside all of it."""
    return worst(kind for kind in DECIDED_WORDS if seen.counts.get(f"{kind}_{outcome}", 0))


def _notices(run: Run, seen: Summary, voice: Voice) -> Iterable[str]:
    """What nobody must miss: that this is a part, that it was interrupted, that evidence is not of today."""
    header, public = run.header, voice.audience == "elus"
    if header.replay:
        yield replayed(header.replay, voice)
    if header.state != "complete":
        yield voice.say("THE RUN IS PARTIAL: it ended before everything planned was asked.")
    if not header.declared:
        yield voice.say("No estate was given: nothing tells whether hosts or measures are missing.")
    if header.limit and public:
        yield voice.say("ONLY {chosen} of {all} inventoried hosts").format(
            chosen=header.hosts_expected, all=header.hosts_inventoried
        )
    elif header.limit:
        yield voice.say("ONLY {chosen} of {all} inventoried hosts: --limit {limit}").format(
            chosen=header.hosts_expected, all=header.hosts_inventoried, limit=clean(header.limit)
        )
    if header.policies and public:
        yield voice.say("only some of the policies")
    elif header.policies:
        yield voice.say("only these policies: {policies}").format(policies=clean(", ".join(header.policies)))
    if header.legacy and not public:
        yield voice.say("outdated SSH algorithms are allowed for {hosts}").format(hosts=_names(header.legacy, voice))
    if seen.earlier:
        yield voice.say("Hosts judged on earlier evidence: {count}, the oldest of {when}.").format(
            count=len(seen.earlier), when=moment(seen.oldest_evidence_at, voice)
        )
    if seen.by_hand and not public:
        yield voice.say("Judged on answers that were brought by hand: {hosts}.").format(
            hosts=_names(seen.by_hand, voice)
        )


def _numbers(seen: Summary, voice: Voice, replay: bool) -> Sequence[tuple[str, Chip | None, str, str]]:
    """Rows of: what, its chip, hosts, checks; `-` where a number would say nothing."""
    counts = seen.counts
    on: dict[str, list[str]] = {"nothing_asked": [s for gap in seen.open_gaps if not gap.measure for s in gap.subjects]}
    on["exempted"] = [s for gap in seen.gaps if gap.decision and not gap.measure for s in gap.subjects]
    for group in seen.groups:
        on.setdefault(group.state, []).extend(group.subjects)
    number = {**standing([counts]), "unknown": counts.get("unknown", 0) + _lost(seen)}

    def row(text: str, name: str, hosts: object, checks: object) -> tuple[str, Chip | None, str, str]:
        return text, _chip(name, voice) if name else None, str(hosts), str(checks)

    return (
        row(voice.say("expected"), "", seen.hosts_expected, seen.checks_planned),
        row(voice.say(N_("measured then") if replay else N_("measured now")), "", seen.hosts_measured_now, "-"),
        row(voice.say("measured, on earlier evidence"), "", seen.hosts_measured_earlier, "-"),
        row(voice.say("attested"), "", seen.hosts_attested, "-"),
        row(voice.say("nobody looked"), "", seen.hosts_unseen, "-"),
        *(row("", name, _counted(on.get(name, ())), number.get(name, 0)) for name in ORDER),
    )


def _lost(seen: Summary) -> int:
    """Checks that were planned and that no result came for."""
    return max(0, seen.checks_planned - seen.checks_told)


BAR = 1000


def _bar(seen: Summary, voice: Voice) -> Sequence[tuple[Chip, int, int]]:
    """The checks as one bar: of each state its chip, where it begins and how long it is, in thousandths."""
    asked = {
        name: n for name, n in seen.counts.items() if name not in ("nothing_asked", "not_concerned", "exempted_gap")
    }
    parts = standing([asked, {"unknown": _lost(seen)}])
    total = sum(parts.values())
    bar: list[tuple[Chip, int, int]] = []
    before = 0
    for name, count in parts.items():
        if total:
            bar.append((_chip(name, voice, count), before * BAR // total, max(4, count * BAR // total)))
        before += count
    return bar


# ---------------------------------------------------------------- the bullets of the convention


def _blocks(run: Run, seen: Summary, voice: Voice) -> tuple[Sequence[Block], Rows, Rows]:
    """The five bullets, when a measure is quoted from one; every other measure; and those that nothing checks anywhere.

    A single one of the last stands with the others: it needs no section.
    """
    members: dict[Bullet | None, list[str]] = {}
    named = dict.fromkeys([*run.measures, *(measure for measure, _ in seen.by_place if measure)])
    for name in named:
        known = run.measures.get(name)
        members.setdefault(bullet_of(known) if known else None, []).append(name)
    rest = members.pop(None, [])
    blocks = [_block(run, seen, bullet, members.get(bullet, []), voice) for bullet in BULLETS] if members else []
    counted = [name for name in rest if name in seen.by_measure]
    bare = [name for name in counted if set(seen.by_measure[name]) == {"nothing_asked"}]
    bare = bare if len(bare) > 1 else []
    alone = [_alone(run, seen, name, voice) for name in counted if name not in bare]
    bound = _bound(ROWS, voice)
    return blocks, _cut(alone, bound), _cut(_unasked(run, seen, bare, voice), bound)


def _unasked(run: Run, seen: Summary, ids: Sequence[str], voice: Voice) -> Iterable[Unasked]:
    """Each perimeter that owes some of these measures, with their titles."""
    for where in dict.fromkeys(perimeter for _, perimeter in seen.by_place):
        owed = [name for name in ids if (name, where) in seen.by_place]
        if owed:
            place = _place(run.perimeters.get(where), where, (), voice)
            titles = tuple(_title(run.measures.get(name), name, voice) for name in owed)
            yield Unasked(place.name, place.about, _chip("nothing_asked", voice, len(owed)), titles)


def _block(run: Run, seen: Summary, bullet: Bullet, ids: Sequence[str], voice: Voice) -> Block:
    places, more, state = _places(run, seen, ids, voice)
    return Block(
        voice.text(bullet.title), bullet.quote, _chip(state, voice), places, more, _unchecked(run, seen, ids, voice)
    )


def _alone(run: Run, seen: Summary, id: str, voice: Voice) -> Block:
    places, more, state = _places(run, seen, [id], voice)
    measure = run.measures.get(id)
    quote = measure.quote if measure else ""
    return Block(_title(measure, id, voice), quote, _chip(state, voice), places, more, ())


def _places(run: Run, seen: Summary, ids: Sequence[str], voice: Voice) -> tuple[tuple[Place, ...], int, str]:
    """Where each perimeter stands for some measures (the worst ones, if they are many); how many more; the worst state.

    A host without any check stands in every block of its perimeter: nobody knows how it stands.
    """
    found: list[tuple[str, Place]] = []
    for where in dict.fromkeys([*run.perimeters, *(perimeter for _, perimeter in seen.by_place)]):
        counts = standing(seen.by_place.get((measure, where), {}) for measure in (*ids, ""))
        if _part_only(run, seen):  # of what was left out nobody knows
            counts = {"unknown": 0, **counts}
        names = sorted(counts, key=ORDER.index) or [worst(())]
        chips = tuple(_chip(name, voice, counts.get(name, 0)) for name in names)
        found.append((names[0], _place(run.perimeters.get(where), where, chips, voice)))
    shown = _bound(PLACES, voice)
    if len(found) > shown:
        found.sort(key=lambda one: ORDER.index(one[0]))
    places = tuple(place for _, place in found[:shown])
    return places, len(found) - len(places), worst(name for name, _ in found)


def _place(perimeter: Perimeter | None, id: str, chips: tuple[Chip, ...], voice: Voice) -> Place:
    if perimeter is None:
        return Place(id or voice.say("no perimeter is declared"), "", chips)
    about = ", ".join(text for text in (perimeter.owner, voice.say(KINDS[perimeter.kind])) if text)
    return Place(id, about, chips)


def _unchecked(run: Run, seen: Summary, ids: Sequence[str], voice: Voice) -> tuple[str, ...]:
    """The measures that nothing checks, and where; of one that is checked nowhere, only its title."""
    lines: list[str] = []
    for name in ids:
        places = {perimeter: counts for (measure, perimeter), counts in seen.by_place.items() if measure == name}
        bare = [perimeter or "-" for perimeter, counts in places.items() if counts.get("nothing_asked", 0)]
        title = _title(run.measures.get(name), name, voice)
        if places and len(bare) == len(places):
            lines.append(title)
        elif bare:
            lines.append(f"{title} ({', '.join(bare)})")
    return tuple(lines)


# ---------------------------------------------------------------- fixes, decisions, what was not measured


def _fixes(run: Run, seen: Summary, voice: Voice) -> Rows:
    """Severity, how many it closes, what, how, on which hosts; for elected officials by measure, without how and where."""
    if voice.audience == "elus":
        return _cut(_fixes_by_measure(run, seen.fixes, voice), TOP)
    rows = []
    for fix in seen.fixes:
        control = run.controls.get(fix.control)
        title = voice.text(control.title) if control else fix.control
        how = clean(voice.text(control.fix), 0) if control else ""
        severity = voice.say(SEVERITY_WORDS[fix.severity])
        rows.append((severity, fix.fails + fix.warns, title, fix.control, how, _names(fix.subjects, voice)))
    return _cut(rows, TOP)


def _fixes_by_measure(run: Run, fixes: Sequence[Fix], voice: Voice) -> Iterable[tuple[object, ...]]:
    by_measure: dict[str, list[Fix]] = {}
    for fix in fixes:
        control = run.controls.get(fix.control)
        by_measure.setdefault(control.measure if control else "", []).append(fix)
    for measure, some in by_measure.items():
        gravest = max(some, key=lambda fix: SEVERITIES.index(fix.severity)).severity
        subjects = {subject for fix in some for subject in fix.subjects}
        closes = sum(fix.fails + fix.warns for fix in some)
        title = _title(run.measures.get(measure), "", voice)
        yield voice.say(SEVERITY_WORDS[gravest]), closes, title, "", "", _counted(subjects)


def _decisions(run: Run, seen: Summary, voice: Voice) -> Rows:
    """Each decision in force, by kind: kind, id, who signed, until when, which measures, on which hosts, and why."""
    grouped: dict[StandsBeside, list[tuple[str, tuple[str, ...]]]] = {}
    for group in seen.groups:
        if group.decision:
            grouped.setdefault(group.decision, []).append((_measure_of(run, group.control), group.subjects))
    for gap in seen.gaps:
        if gap.decision:
            grouped.setdefault(gap.decision, []).append((gap.measure, gap.subjects))
    public = voice.audience == "elus"
    order = list(KIND_WORDS)
    rows = []
    for one in sorted(grouped, key=lambda d: order.index(d.kind) if d.kind in order else len(order)):
        measures = dict.fromkeys(name for name, _ in grouped[one])
        about = "; ".join(_title(run.measures.get(name), "", voice) for name in measures)
        subjects = [subject for _, some in grouped[one] for subject in some]
        kind = voice.say(KIND_WORDS.get(one.kind, one.kind))
        until, why = day(one.until, voice), "" if public else one.why
        rows.append((kind, one.id, one.by, until, about, _on(subjects, voice), why))
    return _cut(rows, _bound(ROWS, voice))


def _to_do(run: Run, voice: Voice) -> Rows:
    """Decisions to take and recommendations to communicate: who, what, about which measure or control, how many findings."""
    what = {
        "decide": voice.say("adopt the recommendation, or accept the risk"),
        "communicate": voice.say("communicate the recommendation"),
    }
    counted: dict[tuple[str, str, str, str], int] = {}
    for one in run.to_do():
        control = run.controls.get(one.control)
        if voice.audience == "elus":
            about = _title(run.measures.get(_measure_of(run, one.control)), "", voice)
        else:
            about = voice.text(control.title) if control else one.control
        key = (one.entity, what[one.what], about, one.perimeter)
        counted[key] = counted.get(key, 0) + one.findings
    return _cut(((*key, str(count)) for key, count in counted.items()), _bound(ROWS, voice))


def _actions(run: Run, voice: Voice) -> Rows:
    """Every action: what, who answers, until when, how it stands; for elected officials by the measures it is about."""
    rows = []
    for one in run.actions():
        about = one.text
        if voice.audience == "elus":
            measures = dict.fromkeys(_measure_of(run, control) for control in one.controls)
            about = "; ".join(_title(run.measures.get(name), "", voice) for name in measures)
        state = voice.say(LATE_WORDS[one.late] or STATUS_WORDS.get(one.status, one.status))
        rows.append((one.id, about, one.responsible, day(one.due, voice), state))
    return _cut(rows, _bound(ROWS, voice))


def _measure_of(run: Run, control: str) -> str:
    known = run.controls.get(control)
    return known.measure if known else ""


def _idle(run: Run, voice: Voice) -> Rows:
    """What is wrong with decisions; the detail may name a host."""
    if voice.audience == "elus":
        rows = ((idle.id, idle_title(idle, voice)) for idle in run.idle())
    else:
        rows = ((idle.id, idle_words(idle, voice)) for idle in run.idle())
    return _cut(rows, _bound(ROWS, voice))


def _untold(run: Run, seen: Summary, voice: Voice) -> Rows:
    """Why, how many checks (a dash where it is not about checks), on which hosts; most first."""
    public = voice.audience == "elus"
    rows: list[tuple[str, str, str]] = [
        (voice.say(CAUSES[one.cause]), str(one.checks), _on(one.subjects, voice)) for one in seen.untold
    ]
    known = {one.cause for one in seen.untold} | {gap.cause.cause for gap in seen.open_gaps if not gap.measure}
    rows += [
        (voice.say(CAUSES[one.cause]), "-", _on(one.subjects, voice))
        for one in seen.unreached
        if one.cause not in known
    ]
    if _lost(seen):
        rows.append((voice.say("planned, and no result came"), str(_lost(seen)), "-"))
    gaps: dict[str, list[str]] = {}
    for gap in seen.open_gaps:
        if not gap.measure:
            why = voice.say(CAUSES[gap.cause.cause]) if public else cause(gap.cause, voice, True)
            gaps.setdefault(why, []).extend(gap.subjects)
    rows += [(why, "-", _on(subjects, voice)) for why, subjects in gaps.items()]
    bare = sum(len(gap.subjects) for gap in seen.open_gaps if gap.measure)
    if bare:
        rows.append((voice.say("nothing is asked about measures; they are named above"), str(bare), "-"))
    return _cut(rows, _bound(ROWS, voice))


# ---------------------------------------------------------------- the appendix, for those who mend


def _appendix(run: Run, seen: Summary, voice: Voice) -> Rows:
    """Every control with something else than passes, what is open first."""
    by_control: dict[str, list[Group]] = {}
    for group in seen.groups:
        by_control.setdefault(group.control, []).append(group)
    order = dict.fromkeys([*(fix.control for fix in seen.fixes), *by_control])
    return _cut((_entry(run, name, by_control[name], voice) for name in order), _bound(ROWS, voice))


def _entry(run: Run, id: str, groups: Sequence[Group], voice: Voice) -> Entry:
    control = run.controls.get(id)
    counts = standing({group.state: len(group.subjects)} for group in groups)
    wrong = any(group.outcome is not Outcome.UNKNOWN for group in groups)
    return Entry(
        id=id,
        severity=voice.say(SEVERITY_WORDS[groups[0].severity]),
        title=voice.text(control.title) if control else "",
        chips=tuple(_chip(name, voice, count) for name, count in counts.items()),
        fix=clean(voice.text(control.fix), 0) if control and wrong else "",
        why=voice.text(control.why) if control else "",
        findings=_cut((_told(group, voice) for group in groups), _bound(FINDINGS, voice)),
    )


def _told(group: Group, voice: Voice) -> Told:
    lines = told(group.reasons, voice, True, shown=0) if voice.details else told(group.reasons, voice, True)
    decision = tuple(beside(group.decision, group.adapted, group.suspended, voice, persons=True))
    return Told(_chip(group.state, voice), len(group.subjects), _names(group.subjects, voice), lines, decision)


REPORTER = Reporter(
    title={"en": "one page for people, in HTML", "fr": "une page pour les personnes, en HTML"},
    render=render,
    audiences=("technique", "elus"),
)
