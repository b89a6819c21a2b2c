"""`auditor acceptances list|show|check|due` and `auditor actions list|due`: the records of an estate, without any host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from auditor.commands import inputs
from auditor.decision_words import AWAITS_WORDS, KIND_WORDS, LATE_WORDS, STATUS_WORDS, idle
from auditor.decisions import InForce, in_force
from auditor.decisions.context import lateness
from auditor.errors import InvalidInput
from auditor.kinds import Voice
from auditor.load.schema import did_you_mean
from auditor.model import IdleDecision
from auditor.records import Action, Decision, Record
from auditor.sentences import clean

ENDED = ("revoked", "superseded", "rejected")
COMING = ("draft", "submitted")


@dataclass(frozen=True, slots=True)
class Kept:
    """The records of an estate and what is in force of them on a day."""

    records: tuple[Record, ...]
    decided: InForce
    day: str

    def notes(self, id: str) -> list[IdleDecision]:
        return [note for note in self.decided.notes if note.id == id]

    def over(self, one: Record) -> bool:
        """It ran out, or was ended: it is kept for the record, and what else is wrong with it hurts nobody."""
        if isinstance(one, Action):
            return one.status != "open"
        superseded = any(n.code == "R-STATUS" and n.detail.startswith("superseded: ") for n in self.notes(one.id))
        return one.expires < self.day or one.status in ENDED or superseded


def kept(estate: tuple[str, ...], as_of: str | None, policies: tuple[str, ...], probes: str | None) -> Kept:
    """Without an estate: the one in the current folder."""
    given = inputs.load(policies, estate or (str(_here(Path())),), None, probes)
    day = inputs.as_of(as_of)
    decided = in_force(given.records, given.plan.estate, given.controls, given.measures, day)
    return Kept(given.records, decided, day)


def _here(path: Path) -> Path:
    """The estate that a path is, or lies in."""
    start = path.resolve()
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in ("estate.yaml", "estate.yml")):
            return Path(path) if folder == start else folder
    raise InvalidInput(f"{path}: no estate.yaml is there, nor above: give an estate, -i inventories/town")


# ---------------------------------------------------------------- acceptances


def list_(
    estate: tuple[str, ...], as_of: str | None, policies: tuple[str, ...], probes: str | None, lang: str | None
) -> int:
    """One decision a line: id, kind, where it stands, perimeter, controls, last day, by which role; tab-separated."""
    have, voice = kept(estate, as_of, policies, probes), inputs.voice(lang)
    for one in have.records:
        if isinstance(one, Decision):
            _line(one.id, voice.say(KIND_WORDS[one.kind]), _state(one, have, voice), one.perimeter,
                  ",".join(one.controls), one.expires, one.signature.role)  # fmt: skip
    return 0


def _line(*columns: str) -> None:
    click.echo("\t".join(clean(column) for column in columns))


def _state(one: Record, have: Kept, voice: Voice) -> str:
    """In force, in force in part, or why it is not: reason codes."""
    notes = have.notes(one.id)
    codes = ",".join(dict.fromkeys(n.code for n in notes if n.state in ("void", "part")))
    if any(n.state == "void" for n in notes):
        return voice.say("void: {codes}").format(codes=codes)
    return voice.say("in part: {codes}").format(codes=codes) if codes else voice.say("in force")


def show(
    id: str, estate: tuple[str, ...], as_of: str | None, policies: tuple[str, ...], probes: str | None, lang: str | None
) -> int:
    """Where the record stands, what is wrong with it, and its text."""
    have, voice = kept(estate, as_of, policies, probes), inputs.voice(lang)
    found = next((one for one in have.records if one.id == id), None)
    if found is None:
        raise InvalidInput(f"there is no record '{id}'{did_you_mean(id, [one.id for one in have.records])}")
    file = found.source.rpartition(":")[0]
    click.echo(f"{found.id}: {_state(found, have, voice)}  ({found.source})")
    for note in have.notes(id):
        click.echo(f"  {note.code}: {idle(note, voice)}")
    for line in Path(file).read_text("utf-8").splitlines():
        click.echo(clean(line, 0))
    return 0


def check(
    path: tuple[str, ...], as_of: str | None, policies: tuple[str, ...], probes: str | None, lang: str | None
) -> int:
    """0 when every record that is not over is in force; 1 when one is void, or void in part; 2 for what cannot be read."""
    voice = inputs.voice(lang)
    estates = list(dict.fromkeys(str(_here(Path(one))) for one in path or (".",)))
    wrong = counted = 0
    for one in estates:
        have = kept((one,), as_of, policies, probes)
        counted += len(have.records)
        for note, source in _faults(have):
            click.echo(f"{source}: {note.id}: {note.code}: {idle(note, voice)}")
            wrong += note.state != "due"
    click.echo(voice.say("{count} records, {wrong} problems").format(count=counted, wrong=wrong), err=True)
    return 1 if wrong else 0


def _faults(have: Kept) -> Iterator[tuple[IdleDecision, str]]:
    """What is wrong with records that are to count, or that were altered."""
    by_id = {one.id: one for one in have.records}
    for note in have.decided.notes:
        one = by_id[note.id]
        coming = isinstance(one, Decision) and (one.status in COMING or one.signature.effective_from > have.day)
        if note.code == "R-HASH" or not (have.over(one) or (coming and note.code == "R-STATUS")):
            yield note, note.source


def due(
    estate: tuple[str, ...],
    within: int,
    as_of: str | None,
    policies: tuple[str, ...],
    probes: str | None,
    lang: str | None,
) -> int:
    """What ends, is to be reviewed or was promised by a day: one a line, the soonest first; what has ended uncovered too."""
    have, voice = kept(estate, as_of, policies, probes), inputs.voice(lang)
    until = inputs.plus_days(have.day, within)
    rows = [(day, one.id, what, one.perimeter) for one in have.records if isinstance(one, Decision)
            for day, what in _dates(one, have, voice) if day <= until]  # fmt: skip
    for row in sorted(rows):
        _line(*row)
    return 0


def _dates(one: Decision, have: Kept, voice: Voice) -> Iterator[tuple[str, str]]:
    if one.expires < have.day:
        if one.status == "active" and not _renewed(one, have):
            yield one.expires, voice.say("ended")
        return
    if have.over(one) or one.status != "active":
        return
    yield one.expires, voice.say("ends")
    if one.review_by:
        yield one.review_by, voice.say("to be reviewed")
    for measure in one.measures:
        if not measure.in_place and measure.due:
            yield measure.due, voice.say("promised: {text}").format(text=measure.text)


def _renewed(one: Decision, have: Kept) -> bool:
    """A later record took its place, or names it."""
    return any(isinstance(other, Decision) and other.supersedes == one.id for other in have.records)


# ---------------------------------------------------------------- actions


def actions(
    estate: tuple[str, ...], within: int | None, as_of: str | None, policies: tuple[str, ...], probes: str | None,
    lang: str | None,
) -> int:  # fmt: skip
    """One action a line: due day, id, where it stands, perimeter, controls, role, ticket, text; `within` days: open ones alone."""
    have, voice = kept(estate, as_of, policies, probes), inputs.voice(lang)
    until = "" if within is None else inputs.plus_days(have.day, within)
    found = [one for one in have.records if isinstance(one, Action)]
    for one in sorted(found, key=lambda one: (one.due, one.id)):
        if not until or (one.status == "open" and one.due <= until):
            _line(one.due, one.id, _standing(one, have, voice), one.perimeter, ",".join(one.controls),
                  one.responsible, one.ticket or "-", one.text)  # fmt: skip
    return 0


def _standing(one: Action, have: Kept, voice: Voice) -> str:
    late = lateness(one.due if one.status == "open" else "", have.day, have.decided.rules.grace_days)
    words = (
        AWAITS_WORDS.get(one.awaits, "") if one.status == "open" else "",
        LATE_WORDS[late] or STATUS_WORDS[one.status],
    )
    return ", ".join(voice.say(word) for word in words if word)
