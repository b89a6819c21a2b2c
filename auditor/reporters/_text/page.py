"""Sections in, the lines of one page out: rows give way until all fit, and what is left out is counted. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.kinds import Voice
from auditor.reporters._text.lines import EMPTY, Line
from auditor.reporters._text.sections import TOP, Section


def page(top: list[Line], sections: list[Section], room: int, voice: Voice) -> Iterator[Line]:
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


def _fitted(kept: list[int], sections: list[Section], room: int) -> list[int]:
    """How many rows of each section fit in `room` lines: first down to what each wants, then down to one."""
    for least in ([section.wanted for section in sections], [1] * len(sections)):
        while sum(height(keep, section) for keep, section in zip(kept, sections, strict=True)) > room:
            spare = [keep - low for keep, low in zip(kept, least, strict=True)]
            if max(spare, default=0) <= 0:
                break
            kept[spare.index(max(spare))] -= 1
    return kept


def height(keep: int, section: Section) -> int:
    return 1 + section.heads + keep  # a blank line stands before
