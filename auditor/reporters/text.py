"""A run in, calm text for a terminal or a mail out: one host control by control, a fleet folded to a page. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditor.decision_words import DECIDED_WORDS, action, beside, to_do
from auditor.decision_words import idle as idle_words
from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import CAUSES, SEVERITIES, Coverage, Finding, Header, IdleDecision, Outcome, Run, StandsBeside
from auditor.operators import N_
from auditor.reporters import _changes
from auditor.reporters._said import ended
from auditor.sentences import (
    OUTCOME_WORDS,
    SEEN_BY,
    SEVERITY_WORDS,
    as_root,
    cause,
    clean,
    day,
    listed,
    moment,
    nothing_asked,
    replayed,
    told,
    unconcerned,
)
from auditor.summary import Fix, Group, Summary, counts_as, decided, folded, named, plain, summary, unchecked
from auditor.touched_words import side, touched

PAGE = 40  # lines of a fleet's report without details
NAMES = 24  # characters of a list of hosts that stands before another column
SINCE = 12  # lines of what changed since another run
TOUCHED = 10  # lines of what a change does to what judges it
TOP = 10  # fixes that it names
FEW = 2  # kinds of decisions and actions, that keep a table each where the page is short
UNASKED = 8  # measures that nothing was asked about, named for each reason
ORDER = (
    "fail", "adapted_fail", "accepted_fail", "exempted_fail",
    "warn", "adapted_warn", "accepted_warn", "exempted_warn", "unknown", "pass", "not_concerned",
)  # fmt: skip
COLOURS = {"fail": "31", "warn": "33", "unknown": "35", "pass": "32", "bold": "1", "dim": "2"}

Span = tuple[str, str]  # a style (a key of COLOURS, or none) and its text
Line = tuple[Span, ...]
EMPTY: Line = ()


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    """Writes the report; every text passes `clean` here, so that nothing of a host reaches a terminal as it is."""
    write = open_part("")
    hosts = sum(1 for _ in run.hosts())
    lines = _one_host(run, voice) if max(hosts, run.header.hosts_expected) <= 1 else _fleet(run, voice)
    for line in (*lines, *_since(run, voice)):
        write("".join(_painted(span, voice) for span in line).rstrip().encode("utf-8") + b"\n")


def _painted(span: Span, voice: Voice) -> str:
    style, text = span
    inert = clean(text, 0)
    return f"\x1b[{COLOURS[style]}m{inert}\x1b[0m" if voice.colour and style and inert else inert


def _since(run: Run, voice: Voice) -> Iterator[Line]:
    """What changed since the run that this one was held against."""
    if run.since:
        yield EMPTY
        yield from ((("", line),) for line in _changes.lines(run.since, run.controls, voice, SINCE))


# ---------------------------------------------------------------- lines


def _wrapped(text: str, voice: Voice, indent: int, style: str = "") -> list[Line]:
    """A text on lines of at most the width; French punctuation stays with its word."""
    whole = clean(text, 0)
    for mark in ":;?!»":
        whole = whole.replace(f" {mark}", f"\u00a0{mark}")
    width = max(voice.width - indent, 24)
    return [
        (("", " " * indent), (style, line.replace("\u00a0", " ")))
        for line in textwrap.wrap(whole.replace("« ", "«\u00a0"), width, break_on_hyphens=False)
    ]


def _clipped(text: str, room: int) -> str:
    """A text on one line; what does not fit ends in an ellipsis."""
    inert = clean(text, 0)
    return inert if len(inert) <= room else inert[: max(room - 1, 0)].rstrip(" ,") + "…"


def _title(text: str) -> Line:
    return (("bold", text[:1].upper() + text[1:]),)


def _word(name: str, voice: Voice) -> str:
    if name == "exempted_gap":
        return voice.say(DECIDED_WORDS["exempted"])
    return voice.say(OUTCOME_WORDS[name.rpartition("_")[2] if plain(name) in DECIDED_WORDS else name])


def _style(name: str) -> str:
    return name if name in COLOURS else "dim"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], voice: Voice, style: str = "") -> list[Line]:
    """Aligned columns, numbers to the right; the last column is cut at the width unless everything is told."""
    body = [[clean(cell, 0) for cell in row] for row in rows]
    if not body:
        return []
    last = len(heads) - 1
    widths = [max(len(row[i]) for row in [list(heads), *body]) for i in range(last)]
    right = [all(row[i].isdigit() for row in body) for i in range(last)]

    def line(row: Sequence[str]) -> Iterator[str]:
        for i in range(last):
            yield row[i].rjust(widths[i]) if right[i] else row[i].ljust(widths[i])

    indent = 4 + sum(widths) + 2 * (last - 1)
    lines: list[Line] = [(("dim", "  " + "  ".join([*line(heads), heads[last]])),)] if any(heads) else []
    for row in body:
        start = "  " + "  ".join(line(row)) + "  "
        if voice.details:
            end = textwrap.wrap(row[last], max(voice.width - indent, 24), break_on_hyphens=False) or [""]
            lines += [((style, start + end[0]),), *((("", " " * indent + more),) for more in end[1:])]
        else:
            lines.append(((style, _clipped(start + row[last], max(voice.width, 60))),))
    return lines


# ---------------------------------------------------------------- the headline


def _heading(run: Run, what: str, voice: Voice) -> list[Line]:
    header = run.header
    form = N_("Replay of audit {number} of {what}, {when}") if header.replay else N_("Audit {number} of {what}, {when}")
    number = header.replay.number if header.replay else header.number
    said = voice.say(form).format(number=number, what=what, when=moment(header.started_at, voice))
    judged = voice.say("decisions and records judged as of {day}").format(day=day(header.as_of, voice))
    lines = [*_wrapped(said, voice, 0, "bold"), *_trusted(header, voice)]
    lines += _wrapped(judged, voice, 0, "dim") if header.as_of else ()
    if header.replay:
        lines += _wrapped(replayed(header.replay, voice), voice, 0, "unknown")
    for chosen in _selection(header, voice):
        lines += _wrapped(chosen, voice, 0, "unknown")
    return lines


def _trusted(header: Header, voice: Voice) -> Iterator[Line]:
    """By which side a change was judged, and what it does to that: nobody may look for it below what it came to."""
    if header.trusted is None:
        return
    told = header.trusted.touched
    yield from _wrapped(side(header.trusted, voice), voice, 0, "fail" if told else "dim")
    lines = [*touched(header.trusted, voice)]
    shown = len(lines) if voice.details or len(lines) <= TOUCHED else TOUCHED - 1
    for line in lines[:shown]:
        yield (("warn", f"  {line}" if voice.details else _clipped(f"  {line}", max(voice.width, 60))),)
    if len(lines) > shown:
        yield (("dim", "  " + voice.say("and {count} more lines: --details").format(count=len(lines) - shown)),)


def _selection(header: Header, voice: Voice) -> Iterator[str]:
    """That this is not the whole estate, or not all the policies: nobody must take it for them."""
    if header.seen_by:
        yield voice.say(SEEN_BY).format(entity=header.seen_by)
    if header.limit:
        yield voice.say("ONLY {chosen} of {all} inventoried hosts: --limit {limit}").format(
            chosen=header.hosts_expected, all=header.hosts_inventoried, limit=header.limit
        )
    if header.legacy:
        yield voice.say("outdated SSH algorithms are allowed for {hosts}").format(hosts=folded(header.legacy))
    if header.policies:
        yield voice.say("only these policies: {policies}").format(policies=", ".join(header.policies))


_MEASURED = N_("{now} now, {earlier} earlier, {attested} attested, {unseen} by nobody")
_CHECKS = N_("{planned} planned, {measured} measured")
_CHECKS_ATTESTED = N_("{planned} planned, {measured} measured, {attested} attested")
_MEASURED_THEN = N_("{now} then, {earlier} earlier, {attested} attested, {unseen} by nobody")


def _headline(run: Run, seen: Summary, voice: Voice) -> list[Line]:
    """Who was expected and seen, what it came to, and in one sentence what this report may be trusted for."""
    rows = [
        (
            "",
            voice.say("hosts"),
            voice.say("{expected} expected, {reached} reached, {measured} measured").format(
                expected=seen.hosts_expected, reached=seen.hosts_reached, measured=seen.hosts_measured
            ),
        ),
        (
            "",
            voice.say("measured"),
            voice.say(_MEASURED_THEN if run.header.replay else _MEASURED).format(
                now=seen.hosts_measured_now,
                earlier=seen.hosts_measured_earlier,
                attested=seen.hosts_attested,
                unseen=seen.hosts_unseen,
            ),
        ),
        (
            "",
            voice.say("checks"),
            voice.say(_CHECKS_ATTESTED if seen.checks_attested else _CHECKS).format(
                planned=seen.checks_planned,
                measured=seen.checks_measured - seen.checks_attested,
                attested=seen.checks_attested,
            ),
        ),
        *_counted(seen, voice),
    ]
    margin = max(len(label) for _, label, _ in rows) + 4
    lines: list[Line] = []
    for style, label, text in rows:
        name = f"  {label[:1].upper()}{label[1:]}".ljust(margin)
        lines += [((style, name), *first) if not i else first for i, first in enumerate(_hung(text, voice, margin))]
    for style, verdict in (*_verdict(run, seen, voice), ("warn", ended(seen, voice))):
        lines += _wrapped(verdict, voice, 2, style) if verdict else []
    return lines


def _hung(text: str, voice: Voice, indent: int) -> list[Line]:
    """Wrapped lines of which the first stands behind a label."""
    first, *rest = _wrapped(text, voice, indent) or [EMPTY]
    return [first[1:], *rest]


def _counted(seen: Summary, voice: Voice) -> Iterator[tuple[str, str, str]]:
    for name in ("fail", "warn"):
        count = seen.counts.get(name, 0)
        text = voice.say("{count} open").format(count=count)
        if name == "fail" and seen.open_severities:
            text += f" ({_severities(seen.open_severities, voice)})"
        for kind, form in COUNTED.items():
            count_of = seen.counts.get(f"{kind}_{name}", 0)
            if count_of:
                text += ", " + voice.say(form).format(count=count_of)
        yield name if count else "", _word(name, voice), text
    for name in ("unknown", "pass", "not_concerned", "nothing_asked", "exempted_gap"):
        count = seen.counts.get(name, 0)
        if count or name in ("unknown", "pass"):
            yield name if count and name in COLOURS else "", _word(name, voice), str(count)


COUNTED = {
    "accepted": N_("{count} accepted"),
    "adapted": N_("{count} adapted"),
    "exempted": N_("{count} exempted"),
}


def _severities(counts: Mapping[str, int], voice: Voice) -> str:
    return ", ".join(f"{voice.say(SEVERITY_WORDS[s])} {counts[s]}" for s in reversed(SEVERITIES) if counts.get(s))


def _verdict(run: Run, seen: Summary, voice: Voice) -> Iterator[Span]:
    if run.header.state != "complete":
        yield "unknown", voice.say("THE RUN IS PARTIAL: it ended before everything planned was asked.")
    if not run.header.declared:
        yield "dim", voice.say("No estate was given: nothing tells whether hosts or measures are missing.")
    if seen.earlier:
        yield "warn", _earlier(seen, voice)
    if seen.by_hand:
        yield (
            "warn",
            voice.say("Judged on answers that were brought by hand: {hosts}.").format(hosts=folded(seen.by_hand)),
        )
    risks = sum(seen.counts.get(f"{kind}_{name}", 0) for kind in COUNTED for name in ("fail", "warn"))
    if not seen.everything_seen:
        yield "unknown", voice.say("Not everything was seen; nobody knows whether the rest is good or bad.")
    elif seen.counts.get("fail", 0) or seen.counts.get("warn", 0):
        yield "", voice.say("Everything planned was measured.")
    elif risks:
        yield "", voice.say("Everything planned was measured. Nothing is open; what was decided remains.")
    else:
        yield "pass", voice.say("Everything planned was measured. Nothing is open.")


def _earlier(seen: Summary, voice: Voice) -> str:
    """That hosts were judged on what they told in an earlier run, and how many of them were not asked now."""
    when = moment(seen.oldest_evidence_at, voice)
    if seen.hosts_expected == 1:
        said = voice.say("Judged on earlier evidence, of {when}.").format(when=when)
    else:
        form = voice.say("Hosts judged on earlier evidence: {count}, the oldest of {when}.")
        said = form.format(count=len(seen.earlier), when=when)
    if seen.unasked:
        said += " " + voice.say("Not asked now: {count}.").format(count=seen.unasked)
    return said


# ---------------------------------------------------------------- one host


def _one_host(run: Run, voice: Voice) -> Iterator[Line]:
    name = next((host.host for host in run.hosts()), run.header.estate or "-")
    yield from _heading(run, name, voice)
    yield from _all_controls(run, run.findings(), run.coverage(), name, voice)
    for place, idle in enumerate(run.idle()):
        if not place:
            yield EMPTY
        yield from _wrapped(_idle(idle, voice), voice, 0, "warn")
    if voice.details:
        yield EMPTY
        yield from _collectors(run, voice)
    for records in (_to_do(run, voice), _actions(run, voice)):
        if records.rows:
            yield EMPTY
        yield from _table_of(records, voice)
    yield EMPTY
    yield _title(voice.say("in short"))
    yield from _headline(run, summary(run), voice)


def _all_controls(
    run: Run, findings: Iterable[Finding], gaps: Iterable[Coverage], host: str, voice: Voice
) -> Iterator[Line]:
    """Every control of one host, what is open first, gravest first."""
    groups: dict[str, list[Finding]] = {name: [] for name in ORDER}
    for finding in findings:
        groups[counts_as(finding)].append(finding)
    for name, members in groups.items():
        if members:
            yield EMPTY
        for finding in sorted(members, key=lambda f: -SEVERITIES.index(f.severity)):
            yield from _finding(run, finding, name, host, voice)
    yield from _gaps(run, list(gaps), voice)


def _margin(voice: Voice) -> int:
    """Where a finding's text begins: behind the longest word for what a check came to."""
    return max(len(voice.say(word)) for word in OUTCOME_WORDS.values()) + 2


def _finding(run: Run, finding: Finding, name: str, host: str, voice: Voice) -> Iterator[Line]:
    margin = _margin(voice)
    control = run.controls.get(finding.control)
    title = voice.text(control.title) if control else ""
    where = "" if named(finding.subject) == host else f"  [{named(finding.subject)}]"
    mark: Span = (_style(name), _word(name, voice).upper().ljust(margin))
    if name == "pass":
        yield mark, ("", finding.control + where)
        yield from _wrapped(title, voice, margin, "dim")
        return
    weight = voice.say(SEVERITY_WORDS[finding.severity])
    kind = decided(finding)
    if kind:
        weight += ", " + voice.say(DECIDED_WORDS[kind])
    yield mark, ("bold", finding.control), ("", f"  ({weight}){where}")
    yield from _wrapped(title, voice, margin)
    yield from _reasons(finding, voice, margin)
    if control and finding.outcome in (Outcome.FAIL, Outcome.WARN):
        yield from _wrapped(voice.say("Fix: {fix}").format(fix=voice.text(control.fix)), voice, margin, "dim")


def _reasons(finding: Finding, voice: Voice, margin: int) -> Iterator[Line]:
    words = unconcerned if finding.outcome is None else told
    for line in words(finding.reasons, voice, True):
        yield from _wrapped(line, voice, margin)
    for line in beside(finding.decision, finding.adapted, finding.suspended, voice, persons=True):
        yield from _wrapped(line, voice, margin)


def _gaps(run: Run, gaps: Sequence[Coverage], voice: Voice) -> Iterator[Line]:
    """What nothing was asked about: by cause, with the first measures' ids; in details each measure with its title."""
    by_cause: dict[str, list[Coverage]] = {}
    for gap in gaps:
        by_cause.setdefault(nothing_asked(gap.cause, voice), []).append(gap)
    mark: Span = ("unknown", _word("nothing_asked", voice).upper().ljust(_margin(voice)))
    for place, (why, alike) in enumerate(by_cause.items()):
        if not place:
            yield EMPTY
        first, *rest = _hung(f"{why} ({len(alike)})", voice, _margin(voice))
        yield mark, *first
        yield from rest
        if voice.details:
            for gap in alike:
                yield from _wrapped(_measure(run, gap), voice, _margin(voice), "bold")
                yield from _wrapped(_title_of(run, gap, voice), voice, _margin(voice) + 2)
        else:
            names = listed([_measure(run, gap) for gap in alike], voice, UNASKED)
            yield from _wrapped(names, voice, _margin(voice))


def _measure(run: Run, gap: Coverage) -> str:
    perimeters = len(run.perimeters) > 1 and gap.subject.kind == "perimeter"
    return f"{gap.measure} ({gap.subject.id})" if gap.measure and perimeters else gap.measure or named(gap.subject)


def _title_of(run: Run, gap: Coverage, voice: Voice) -> str:
    measure = run.measures.get(gap.measure)
    return voice.text(measure.title) if measure else ""


IDLE_FORMS = {
    "void": N_("The decision {id} covers nothing: {why}"),
    "part": N_("Of the decision {id} a part does not hold: {why}"),
    "due": N_("The decision {id} holds, and somebody has to see to it: {why}"),
    "idle": N_("The decision {id} is needed by nothing: {why}"),
}


def _idle(idle: IdleDecision, voice: Voice) -> str:
    form = voice.say(IDLE_FORMS.get(idle.state, IDLE_FORMS["void"]))
    return form.format(id=clean(idle.id), why=idle_words(idle, voice))


# ---------------------------------------------------------------- a fleet


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of the page: `heads` lines that stay (title, column names), then rows; few pages shorten it below `wanted`."""

    lines: list[Line]
    wanted: int = 1
    heads: int = 2

    @property
    def rows(self) -> int:
        return len(self.lines) - self.heads


def _fleet(run: Run, voice: Voice) -> Iterator[Line]:
    seen = summary(run)
    what = voice.say("{count} hosts").format(count=seen.hosts_expected)
    top = [*_heading(run, what, voice), EMPTY, *_headline(run, seen, voice)]
    sections = [section for section in _sections(run, seen, voice) if section.lines]
    records = [_Section(_table_of(one, voice), heads=1) for one in _decisions(run, seen, voice)]
    if not voice.details:
        room = PAGE - len(top) - 2
        if len(records) > FEW and sum(_height(min(s.rows, TOP), s) for s in (*sections, *records)) > room:
            records = [_in_short(run, seen, voice)]
        yield from _page(top, [*sections, *records], room, voice)
        return
    yield from top
    for section in (*sections, *records):
        yield EMPTY
        yield from section.lines
    yield from _everything(run, seen, voice)


def _page(top: list[Line], sections: list[_Section], room: int, voice: Voice) -> Iterator[Line]:
    """The page: sections lose rows until all fit, the fixes last; what is left out is counted."""
    kept = _fitted([min(section.rows, TOP) for section in sections], sections, room)
    yield from top
    for keep, section in zip(kept, sections, strict=True):
        yield EMPTY
        title, *rest = section.lines[: section.heads + keep]
        hidden = voice.say("{count} more not shown").format(count=section.rows - keep)
        yield (*title, ("dim", f"  ({hidden})")) if keep < section.rows else title
        yield from rest
    yield EMPTY
    yield (("dim", voice.say("With --details: every finding, host by host.")),)


def _fitted(kept: list[int], sections: list[_Section], room: int) -> list[int]:
    """How many rows of each section fit in `room` lines: first down to what each wants, then down to one."""
    for least in ([section.wanted for section in sections], [1] * len(sections)):
        while sum(_height(keep, section) for keep, section in zip(kept, sections, strict=True)) > room:
            spare = [keep - low for keep, low in zip(kept, least, strict=True)]
            if max(spare, default=0) <= 0:
                break
            kept[spare.index(max(spare))] -= 1
    return kept


def _height(keep: int, section: _Section) -> int:
    return 1 + section.heads + keep  # a blank line stands before


def _sections(run: Run, seen: Summary, voice: Voice) -> Iterator[_Section]:
    yield _Section(_measures(run, seen, voice), wanted=2)
    if voice.details and len(seen.by_perimeter) > 1:
        yield _Section(_perimeters(seen, voice))
    yield _Section(_fixes(seen, voice), wanted=TOP)
    yield _Section(_untold(seen, voice), wanted=2)
    if voice.details:
        yield _Section(_dated(seen, voice))
        yield _Section(_collectors(run, voice))


@dataclass(frozen=True, slots=True)
class _Decisions:
    """A title, and a row for each record that it is true of."""

    title: str
    rows: list[list[str]]


def _decisions(run: Run, seen: Summary, voice: Voice) -> list[_Decisions]:
    """What stands beside the outcomes, what is to be decided and done, and what is wrong with it; nothing empty."""
    found = (
        *(_risks(seen, kind, title, voice) for kind, title in RISKS.items()),
        _to_do(run, voice),
        _actions(run, voice),
        _idles(run, voice),
    )
    return [one for one in found if one.rows]


def _table_of(one: _Decisions, voice: Voice) -> list[Line]:
    return _titled(one.title, ("",) * max(map(len, one.rows), default=1), one.rows, voice)


def _in_short(run: Run, seen: Summary, voice: Voice) -> _Section:
    """All of them in a row each, with the first of its records; none of these rows is left out."""
    rows = [[str(len(one.rows)), one.title, " ".join(one.rows[0])] for one in _decisions(run, seen, voice)]
    title = voice.say("decisions and actions: how many, and the first of each")
    return _Section(_titled(title, ("",) * 3, rows, voice), wanted=0, heads=1 + len(rows))


def _titled(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], voice: Voice) -> list[Line]:
    table = _table(heads, rows, voice)
    return [_title(title), *table] if table else []


COLUMNS = ("fail", "warn", "unknown", "pass")


def _rolled(counts: Mapping[str, int]) -> list[str]:
    """A row of a roll-up; what was accepted still fails, and is counted where it stands."""
    unseen = counts.get("unknown", 0) + counts.get("nothing_asked", 0)
    kinds = ("", *(f"{kind}_" for kind in DECIDED_WORDS))
    wrong = [sum(counts.get(f"{kind}{name}", 0) for kind in kinds) for name in ("fail", "warn")]
    return [str(number) for number in (*wrong, unseen, counts.get("pass", 0))]


def _measures(run: Run, seen: Summary, voice: Voice) -> list[Line]:
    """A row for each measure; without details, those that nothing checks or attests anywhere are one row."""

    def title(measure: str) -> str:
        known = run.measures.get(measure)
        return voice.text(known.title) if known else measure or voice.say("(the host as a whole)")

    checked = {place[0] for place in seen.by_place if place not in seen.silent}
    bare = [] if voice.details else [measure for measure in seen.by_measure if measure and measure not in checked]
    together = set(bare) if len(bare) > 1 else set()
    rows = [[*_rolled(counts), title(m)] for m, counts in seen.by_measure.items() if m not in together]
    if together:
        owed = {"nothing_asked": sum(sum(seen.by_measure[m].values()) for m in together)}
        said = voice.say("({count} measures that nothing checks or attests)").format(count=len(together))
        rows.append([*_rolled(owed), said])
    rows.sort(key=lambda row: [-int(cell) for cell in row[:3]])
    heads = [*(_word(name, voice) for name in COLUMNS), voice.say("measure")]
    return _titled(voice.say("by measure, what was decided included"), heads, rows, voice)


def _perimeters(seen: Summary, voice: Voice) -> list[Line]:
    heads = [*(_word(name, voice) for name in COLUMNS), voice.say("perimeter")]
    rows = ([*_rolled(counts), perimeter or "-"] for perimeter, counts in seen.by_perimeter.items())
    return _titled(voice.say("by perimeter, what was decided included"), heads, rows, voice)


def _fixes(seen: Summary, voice: Voice) -> list[Line]:
    heads = [voice.say("severity"), voice.say("open"), voice.say("control"), voice.say("on")]
    return _titled(voice.say("what to mend first"), heads, (_fix(fix, voice) for fix in seen.fixes), voice)


def _fix(fix: Fix, voice: Voice) -> list[str]:
    return [
        voice.say(SEVERITY_WORDS[fix.severity]),
        str(fix.fails + fix.warns),
        fix.control,
        folded(fix.subjects),
    ]


def _untold(seen: Summary, voice: Voice) -> list[Line]:
    """Every way in which something was not seen, with how many checks; a row for all that is not asked on a perimeter."""
    rows = [(row.checks, voice.say(CAUSES[row.cause]), row.subjects) for row in seen.untold]
    told_of = {row.cause for row in seen.untold}
    rows += [(0, voice.say(CAUSES[row.cause]), row.subjects) for row in seen.unreached if row.cause not in told_of]
    if seen.checks_told < seen.checks_planned:
        rows.append((seen.checks_planned - seen.checks_told, voice.say("planned, and no result came"), ("-",)))
    rows += [
        (len(gap.subjects), f"-: {cause(gap.cause, voice, True)}", gap.subjects)
        for gap in seen.open_gaps
        if not gap.measure
    ]
    form = voice.say("measures that nothing checks ({measures})")
    for subject, measures in unchecked(seen.gaps).items():
        rows.append((len(measures), form.format(measures=", ".join(measures)), (subject,)))
    title, count, on, why = (voice.say(m) for m in (N_("not measured, by cause"), N_("count"), N_("on"), N_("why")))
    if voice.details:
        return _titled(title, (count, why), ((str(n), f"{words}: {folded(who)}") for n, words, who in rows), voice)
    brief = ((str(n), _clipped(folded(who), NAMES), words) for n, words, who in rows)
    return _titled(title, (count, on, why), brief, voice)


RISKS = {
    "acceptance": N_("accepted residual risks: they still fail"),
    "adaptation": N_("adapted targets: the convention's own is still missed"),
    "exemption": N_("exemptions: the checks still fail"),
}


def _risks(seen: Summary, kind: str, title: str, voice: Voice) -> _Decisions:
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
    return _Decisions(voice.say(title), rows)


def _to_do(run: Run, voice: Voice) -> _Decisions:
    """What owners have to decide, and advisers to communicate, gravest first."""
    rows = []
    for one in run.to_do():
        control = run.controls.get(one.control)
        about = clean(voice.text(control.title)) if control else clean(one.control)
        rows.append([voice.say(SEVERITY_WORDS[one.severity]), to_do(one, voice, about)])
    return _Decisions(voice.say("decisions to take"), rows)


def _actions(run: Run, voice: Voice) -> _Decisions:
    """The actions that are open, the latest first."""
    return _Decisions(voice.say("actions"), [[action(one, voice)] for one in run.actions() if one.status == "open"])


def _dated(seen: Summary, voice: Voice) -> list[Line]:
    """A row for each host judged on earlier evidence: of when that is, and whether the host was asked now."""
    answers = {True: voice.say("no answer"), False: voice.say("not asked")}
    rows = ([moment(one.at, voice), answers[one.asked], one.host] for one in seen.earlier)
    heads = [voice.say("evidence of"), voice.say("now"), voice.say("on")]
    return _titled(voice.say("judged on earlier evidence"), heads, rows, voice)


def _collectors(run: Run, voice: Voice) -> list[Line]:
    """A row for each text that answered as root, and where it did."""
    told = as_root(
        ((host.host, host.collector) for host in run.hosts()), run.header.digests.get("collector", "?"), voice
    )
    rows = ((words, folded(names)) for words, names in told)
    return _titled(voice.say("asked as root"), ("",) * 2, rows, voice)


def _idles(run: Run, voice: Voice) -> _Decisions:
    rows = [[voice.say(STATES[idle.state]), idle.id, idle_words(idle, voice)] for idle in run.idle()]
    return _Decisions(voice.say("what is wrong with decisions"), rows)


STATES = {
    "void": N_("void"),
    "part": N_("in part"),
    "due": N_("to see to"),
    "idle": N_("to close"),
}


# ---------------------------------------------------------------- a fleet, everything


def _everything(run: Run, seen: Summary, voice: Voice) -> Iterator[Line]:
    """Equal findings folded with the fix of each control, then every subject control by control."""
    yield EMPTY
    yield _title(voice.say("findings, equal ones together"))
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
        yield from _wrapped(voice.text(control.title), voice, 4)
    if control and any(group.outcome is not Outcome.UNKNOWN for group in groups):
        yield from _wrapped(voice.say("Fix: {fix}").format(fix=voice.text(control.fix)), voice, 4, "dim")
    for group in groups:
        name = f"{group.state}_{group.outcome.value}" if group.state in DECIDED_WORDS else group.state
        head = f"{_word(name, voice).upper()}  {len(group.subjects)} × {folded(group.subjects)}"
        yield from _wrapped(head, voice, 4, _style(name))
        for line in told(group.reasons, voice, True, shown=0):
            yield from _wrapped(line, voice, 6)
        for line in beside(group.decision, group.adapted, group.suspended, voice, persons=True):
            yield from _wrapped(line, voice, 6)


def _by_subject(run: Run, gaps: dict[str, list[Coverage]], voice: Voice) -> Iterator[Line]:
    findings: list[Finding] = []

    def flushed() -> Iterator[Line]:
        subject = findings[0].subject
        yield EMPTY
        yield _rule(named(subject), voice)
        yield from _all_controls(run, findings, gaps.pop(subject.key, ()), named(subject), voice)

    for finding in run.findings():
        if findings and findings[0].subject != finding.subject:
            yield from flushed()
            findings.clear()
        findings.append(finding)
    if findings:
        yield from flushed()
    for left in gaps.values():
        yield EMPTY
        yield _rule(named(left[0].subject), voice)
        yield from _all_controls(run, (), left, named(left[0].subject), voice)


def _rule(name: str, voice: Voice) -> Line:
    inert = clean(name)
    return ("bold", f"── {inert} "), ("dim", "─" * max(voice.width - len(inert) - 4, 4))


REPORTER = Reporter(title={"en": "text for people", "fr": "texte pour les personnes"}, render=render)
