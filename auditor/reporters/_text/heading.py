"""A run in, the lines out that say which audit this is, by whose side it judged, and of what it is not the whole. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.kinds import Voice
from auditor.model import Header, Run
from auditor.operators import N_
from auditor.reporters._text.lines import Line, clipped, wrapped
from auditor.sentences import SEEN_BY, day, moment, replayed
from auditor.summary import folded
from auditor.touched_words import side, touched

TOUCHED = 10  # lines of what a change does to what judges it


def heading(run: Run, what: str, voice: Voice) -> list[Line]:
    header = run.header
    form = N_("Replay of audit {number} of {what}, {when}") if header.replay else N_("Audit {number} of {what}, {when}")
    number = header.replay.number if header.replay else header.number
    said = voice.say(form).format(number=number, what=what, when=moment(header.started_at, voice))
    judged = voice.say("decisions and records judged as of {day}").format(day=day(header.as_of, voice))
    lines = [*wrapped(said, voice, 0, "bold"), *_trusted(header, voice)]
    lines += wrapped(judged, voice, 0, "dim") if header.as_of else ()
    if header.replay:
        lines += wrapped(replayed(header.replay, voice), voice, 0, "unknown")
    for chosen in _selection(header, voice):
        lines += wrapped(chosen, voice, 0, "unknown")
    return lines


def _trusted(header: Header, voice: Voice) -> Iterator[Line]:
    """By which side a change was judged, and what it does to that: nobody may look for it below what it came to."""
    if header.trusted is None:
        return
    told = header.trusted.touched
    yield from wrapped(side(header.trusted, voice), voice, 0, "fail" if told else "dim")
    lines = [*touched(header.trusted, voice)]
    shown = len(lines) if voice.details or len(lines) <= TOUCHED else TOUCHED - 1
    for line in lines[:shown]:
        yield (("warn", f"  {line}" if voice.details else clipped(f"  {line}", max(voice.width, 60))),)
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
