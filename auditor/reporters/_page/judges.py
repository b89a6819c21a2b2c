"""A run in; by which side a change was judged, and what it does to that, for a page of words, out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.kinds import Voice
from auditor.model import Run
from auditor.reporters._page import parts
from auditor.reporters._page.parts import Rows
from auditor.touched_words import side, touched

SHOWN = 20  # lines that it names


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """`touches` says whether the change does something; rows of one line each."""

    told: str
    touches: bool
    rows: Rows


def judged_by(run: Run, voice: Voice) -> JudgedBy | None:
    """None where nothing but the work folder judged; officials read no name of what judges."""
    trusted = run.header.trusted
    if trusted is None:
        return None
    bound = parts.bound(SHOWN, voice)
    lines = () if voice.audience == "elus" else ((line,) for line in touched(trusted, voice))
    return JudgedBy(side(trusted, voice), bool(trusted.touched), parts.cut(lines, bound))
