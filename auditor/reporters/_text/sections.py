"""A summary in, the sections of a fleet's page out: roll-ups, what to mend first, what was not measured. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.decision_words import DECIDED_WORDS
from auditor.kinds import Voice
from auditor.model import CAUSES, Run
from auditor.operators import N_
from auditor.reporters._text.lines import Line, clipped, outcome_word, titled
from auditor.sentences import SEVERITY_WORDS, as_root, cause, moment
from auditor.summary import Fix, Summary, folded, unchecked

TOP = 10  # fixes that it names
NAMES = 24  # characters of a list of hosts that stands before another column
COLUMNS = ("fail", "warn", "unknown", "pass")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: `heads` lines that stay (title, column names), then rows; few pages shorten it below `wanted`."""

    lines: list[Line]
    wanted: int = 1
    heads: int = 2

    @property
    def rows(self) -> int:
        return len(self.lines) - self.heads


def sections_of(run: Run, seen: Summary, voice: Voice) -> Iterator[Section]:
    yield Section(_measures(run, seen, voice), wanted=2)
    if voice.details and len(seen.by_perimeter) > 1:
        yield Section(_perimeters(seen, voice))
    yield Section(_fixes(seen, voice), wanted=TOP)
    yield Section(_untold(seen, voice), wanted=2)
    if voice.details:
        yield Section(_dated(seen, voice))
        yield Section(collectors(run, voice))


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
    heads = [*(outcome_word(name, voice) for name in COLUMNS), voice.say("measure")]
    return titled(voice.say("by measure, what was decided included"), heads, rows, voice)


def _perimeters(seen: Summary, voice: Voice) -> list[Line]:
    heads = [*(outcome_word(name, voice) for name in COLUMNS), voice.say("perimeter")]
    rows = ([*_rolled(counts), perimeter or "-"] for perimeter, counts in seen.by_perimeter.items())
    return titled(voice.say("by perimeter, what was decided included"), heads, rows, voice)


def _rolled(counts: Mapping[str, int]) -> list[str]:
    """A row of a roll-up; what was accepted still fails, and is counted where it stands."""
    unseen = counts.get("unknown", 0) + counts.get("nothing_asked", 0)
    kinds = ("", *(f"{kind}_" for kind in DECIDED_WORDS))
    wrong = [sum(counts.get(f"{kind}{name}", 0) for kind in kinds) for name in ("fail", "warn")]
    return [str(number) for number in (*wrong, unseen, counts.get("pass", 0))]


def _fixes(seen: Summary, voice: Voice) -> list[Line]:
    heads = [voice.say("severity"), voice.say("open"), voice.say("control"), voice.say("on")]
    return titled(voice.say("what to mend first"), heads, (_fix(fix, voice) for fix in seen.fixes), voice)


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
        return titled(title, (count, why), ((str(n), f"{words}: {folded(who)}") for n, words, who in rows), voice)
    brief = ((str(n), clipped(folded(who), NAMES), words) for n, words, who in rows)
    return titled(title, (count, on, why), brief, voice)


def _dated(seen: Summary, voice: Voice) -> list[Line]:
    """A row for each host judged on earlier evidence: of when that is, and whether the host was asked now."""
    answers = {True: voice.say("no answer"), False: voice.say("not asked")}
    rows = ([moment(one.at, voice), answers[one.asked], one.host] for one in seen.earlier)
    heads = [voice.say("evidence of"), voice.say("now"), voice.say("on")]
    return titled(voice.say("judged on earlier evidence"), heads, rows, voice)


def collectors(run: Run, voice: Voice) -> list[Line]:
    """A row for each text that answered as root, and where it did."""
    told = as_root(
        ((host.host, host.collector) for host in run.hosts()), run.header.digests.get("collector", "?"), voice
    )
    rows = ((words, folded(names)) for words, names in told)
    return titled(voice.say("asked as root"), ("",) * 2, rows, voice)
