"""A run in, one self-contained accessible page out, for those who decide and for those who mend. Pure.

Every text passes `clean` and then the template's escaping. A page for elected officials is built from counts, titles of
measures and our own words: nothing that names a host, or that a host said, is handed to the template.
"""

from __future__ import annotations

from collections.abc import Mapping

from auditor import pages
from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import Run
from auditor.reporters._page import answers, bullets, findings, head, judges, parts
from auditor.reporters._page.since import since
from auditor.sentences import day, moment
from auditor.summary import Summary, summary

TEMPLATES = "auditor.reporters"


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    """Writes the page; `voice.audience` chooses what it may hold."""
    write = open_part("")
    for piece in pages.environment(TEMPLATES).get_template("report.html").generate(**_page(run, voice)):
        write(piece.encode("utf-8"))


# ---------------------------------------------------------------- what the template is given


def _page(run: Run, voice: Voice) -> Mapping[str, object]:
    """All that the template may use; for elected officials nothing else exists."""
    seen = summary(run)
    public = voice.audience == "elus"
    owners = dict.fromkeys(perimeter.owner for perimeter in run.perimeters.values())
    logos = tuple(pages.logos(run.entities[name] for name in owners if name in run.entities))
    return {
        "lang": voice.lang,
        "say": voice.say,
        "style_digest": pages.style_digest(TEMPLATES, "report.css"),
        "logos": logos,
        "public": public,
        "what": head.what(run, seen, voice),
        "heading": head.heading(run, voice),
        "on": moment(run.header.started_at, voice),
        "as_of": day(run.header.as_of, voice),
        "judged_by": judges.judged_by(run, voice),
        "notices": tuple(head.notices(run, seen, voice)),
        "numbers": head.numbers(seen, voice, run.header.replay is not None),
        "bar": head.bar(seen, voice),
        "since": since(run, voice),
        "details": voice.details,
        "version": "" if public else run.header.version,
        "run_id": "" if public else run.header.id,
        **_judged(run, seen, voice),
        **_answered(run, seen, voice),
    }


def _judged(run: Run, seen: Summary, voice: Voice) -> Mapping[str, object]:
    """The verdict, and where everything stands."""
    blocks, others, unasked = bullets.blocks(run, seen, voice)
    kind, verdict = head.verdict(run, seen, voice)
    return {
        "kind": kind,
        "symbol": parts.SYMBOLS[kind],
        "verdict": verdict,
        "blocks": blocks,
        "others": others,
        "unasked": unasked,
        "fixes": findings.fixes(run, seen, voice),
        "untold": findings.untold(run, seen, voice),
        "appendix": None if voice.audience == "elus" else findings.appendix(run, seen, voice),
    }


def _answered(run: Run, seen: Summary, voice: Voice) -> Mapping[str, object]:
    """What somebody decided, has to decide, or is mending."""
    held = answers.covered(run, seen)
    late, actions = answers.late(run)
    return {
        "decisions": answers.decisions(run, held, voice),
        "idle": answers.idle(run, voice),
        "to_do": answers.to_do(run, held, voice),
        "actions": answers.actions(run, voice),
        "late": voice.say("{late} of {count} open actions are late").format(late=late, count=actions),
    }


REPORTER = Reporter(
    title={"en": "one page for people, in HTML", "fr": "une page pour les personnes, en HTML"},
    render=render,
    audiences=("technique", "elus"),
)
