"""A run in, calm text for a terminal or a mail out: one host control by control, a fleet folded to a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import Run
from auditor.reporters import _changes
from auditor.reporters._text.controls import control_by_control
from auditor.reporters._text.everything import everything
from auditor.reporters._text.heading import heading
from auditor.reporters._text.headline import headline
from auditor.reporters._text.lines import EMPTY, Line, painted, section_title, titled, wrapped
from auditor.reporters._text.page import height, page
from auditor.reporters._text.records import decisions, idle_line, open_actions, table_of, to_take
from auditor.reporters._text.sections import TOP, Section, collectors, sections_of
from auditor.summary import Summary, summary

PAGE = 40  # lines of a fleet's report without details
SINCE = 12  # lines of what changed since another run
FEW = 2  # kinds of decisions and actions, that keep a table each where the page is short


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    """Writes the report; every text passes `clean` here, so that nothing of a host reaches a terminal as it is."""
    write = open_part("")
    hosts = sum(1 for _ in run.hosts())
    lines = _one_host(run, voice) if max(hosts, run.header.hosts_expected) <= 1 else _fleet(run, voice)
    for line in (*lines, *_since(run, voice)):
        write("".join(painted(span, voice) for span in line).rstrip().encode("utf-8") + b"\n")


def _since(run: Run, voice: Voice) -> Iterator[Line]:
    """What changed since the run that this one was held against."""
    if run.since:
        yield EMPTY
        yield from ((("", line),) for line in _changes.lines(run.since, run.controls, voice, SINCE))


def _one_host(run: Run, voice: Voice) -> Iterator[Line]:
    name = next((host.host for host in run.hosts()), run.header.estate or "-")
    yield from heading(run, name, voice)
    yield from control_by_control(run, run.findings(), run.coverage(), name, voice)
    for place, idle in enumerate(run.idle()):
        if not place:
            yield EMPTY
        yield from wrapped(idle_line(idle, voice), voice, 0, "warn")
    if voice.details:
        yield EMPTY
        yield from collectors(run, voice)
    for records in (to_take(run, voice), open_actions(run, voice)):
        if records.rows:
            yield EMPTY
        yield from table_of(records, voice)
    yield EMPTY
    yield section_title(voice.say("in short"))
    yield from headline(run, summary(run), voice)


def _fleet(run: Run, voice: Voice) -> Iterator[Line]:
    seen = summary(run)
    what = voice.say("{count} hosts").format(count=seen.hosts_expected)
    top = [*heading(run, what, voice), EMPTY, *headline(run, seen, voice)]
    sections = [section for section in sections_of(run, seen, voice) if section.lines]
    records = [Section(table_of(one, voice), heads=1) for one in decisions(run, seen, voice)]
    if not voice.details:
        room = PAGE - len(top) - 2
        if len(records) > FEW and sum(height(min(s.rows, TOP), s) for s in (*sections, *records)) > room:
            records = [_in_short(run, seen, voice)]
        yield from page(top, [*sections, *records], room, voice)
        return
    yield from top
    for section in (*sections, *records):
        yield EMPTY
        yield from section.lines
    yield from everything(run, seen, voice)


def _in_short(run: Run, seen: Summary, voice: Voice) -> Section:
    """All of them in a row each, with the first of its records; none of these rows is left out."""
    rows = [[str(len(one.rows)), one.title, " ".join(one.rows[0])] for one in decisions(run, seen, voice)]
    title = voice.say("decisions and actions: how many, and the first of each")
    return Section(titled(title, ("",) * 3, rows, voice), wanted=0, heads=1 + len(rows))


REPORTER = Reporter(title={"en": "text for people", "fr": "texte pour les personnes"}, render=render)
