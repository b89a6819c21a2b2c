"""A comparison of two runs in; lines for a terminal, or the plain values of a document, out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.compare import KIND_WORDS, NOT_CHANGED
from auditor.document import stamp
from auditor.kinds import Voice
from auditor.model import Alike, Became, Comparison, Control, Header
from auditor.operators import N_
from auditor.sentences import SEVERITY_WORDS, clean, listed, moment
from auditor.summary import folded

PAGE = 40  # lines, unless every change is asked for
ROOM = PAGE - 10  # what the headline and the shared parts leave of it
FORMAT = "auditor-diff"
FORMAT_VERSION = 1
MOVED = (
    ("hosts_added", N_("hosts added")),
    ("hosts_gone", N_("hosts gone")),
    ("controls_added", N_("controls added")),
    ("controls_gone", N_("controls gone")),
    ("controls_changed", N_("controls changed")),
)


def lines(seen: Comparison, controls: Mapping[str, Control], voice: Voice, most: int = ROOM) -> Iterator[str]:
    """New, worse and lapsed first; at most so many lines of changes, unless the voice tells details."""
    said = voice.say("Audit {after} against audit {before}")
    yield said.format(after=_audit(seen.after, voice), before=_audit(seen.before, voice))
    yield "  " + (counted(seen.counts, voice) or voice.say(NOT_CHANGED))
    for caveat in seen.caveats:
        yield "  ! " + clean(voice.say(caveat.text).format(**caveat.values))
    if seen.moved.controls_changed:
        yield "  ! " + _judged_otherwise(seen, voice)
    for name, words in MOVED:
        names: Sequence[str] = getattr(seen.moved, name)
        if names:
            yield _short(f"  {voice.say(words)}: {len(names)} ({folded(names)})", voice)
    told = [line for one in seen.alike for line in _told(one, controls, voice)]
    room = len(told) if voice.details else most
    yield from (_short(line, voice) for line in ("", *told[:room]) if told)
    if len(told) > room:
        yield "  " + voice.say("and {count} more lines: --details").format(count=len(told) - room)


def _judged_otherwise(seen: Comparison, voice: Voice) -> str:
    form = N_(
        "controls that judge otherwise than the reference: until it is made anew, nobody knows whether what they find is new: {count}"
    )
    return voice.say(form).format(count=len(seen.moved.controls_changed))


def _audit(header: Header, voice: Voice) -> str:
    if header.replay:
        return f"{header.replay.number} ({moment(header.started_at, voice)}, {voice.say('replayed')})"
    return f"{header.number} ({moment(header.started_at, voice)})"


def counted(counts: Mapping[Became, int], voice: Voice) -> str:
    """`new: 3, resolved: 1`; empty when nothing changed."""
    return ", ".join(f"{voice.say(KIND_WORDS[kind])}: {count}" for kind, count in counts.items() if count)


def _told(one: Alike, controls: Mapping[str, Control], voice: Voice) -> list[str]:
    title = voice.text(controls[one.control].title) if one.control in controls else one.control
    kind = (
        voice.say(KIND_WORDS[one.kind]).upper()
        if one.kind in ("new", "worsened", "lapsed")
        else voice.say(KIND_WORDS[one.kind])
    )
    severity = voice.say(SEVERITY_WORDS[one.severity])
    found = [f"{kind}  {one.control} ({severity})  {folded(one.subjects)}", f"    {title}"]
    if one.elements:
        found.append(
            "    + " + _short(listed([clean(e) for e in one.elements], voice, 0 if voice.details else 5), voice)
        )
    return found


def _short(text: str, voice: Voice) -> str:
    inert = clean(text, 0)
    return inert if voice.details or len(inert) <= voice.width else inert[: voice.width - 1].rstrip(" ,") + "…"


def plain(seen: Comparison) -> dict[str, Any]:
    """The document of schemas/diff.schema.json."""
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "before": _header(seen.before),
        "after": _header(seen.after),
        "counts": dict(seen.counts),
        "moved": {name: list(getattr(seen.moved, name)) for name, _ in MOVED},
        "caveats": [caveat.text.format(**caveat.values) for caveat in seen.caveats],
        "changes": [
            {
                "kind": one.kind,
                "control": one.control,
                "severity": one.severity,
                "subjects": list(one.subjects),
                "elements": list(one.elements),
                "persons": one.persons,
            }
            for one in seen.alike
        ],
    }


def _header(header: Header) -> dict[str, Any]:
    return {"number": header.number, "id": header.id, "state": header.state, "started": stamp(header.started_at)}
