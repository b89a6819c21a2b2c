"""`auditor acceptances sign`: a form and the signed reply in; acceptances and actions in force, or why there can be none."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from auditor.commands import inputs
from auditor.commands.publishing import as_yaml, publish
from auditor.commands.ticked import Ticked
from auditor.commands.ticked import replies as ticked_replies
from auditor.decision_words import idle
from auditor.decisions import Held, InForce, in_force, signed_digest
from auditor.document import Plain
from auditor.errors import InvalidInput, Problem
from auditor.kinds import Voice
from auditor.letters.refusals import refusals
from auditor.letters.reply import Reply, Ruled, Signed, records
from auditor.load import decisions, forms, schema, yaml
from auditor.model import IdleDecision
from auditor.sentences import clean

SHOWN = 5  # of what a superseded record covered


def sign(
    form: str,
    document: str,
    on: str,
    estate: tuple[str, ...],
    as_of: str | None,
    policies: tuple[str, ...],
    probes: str | None,
    lang: str | None,
    ticked: Ticked,
    signed: Signed,
) -> int:
    """0 when all that was decided is in force; nothing is written when any of it would be void."""
    file = Path(form)
    plain = forms.load(file, inputs.static_schema("form"))
    paths = estate or tuple(str(file.parent / one) for one in plain["estate"])
    given = inputs.load(policies, paths, None, probes)
    replies = ticked_replies(plain, ticked)
    town = given.plan.estate
    folder = inputs.estate_folder(paths) / "decisions"
    scan, name = _scan(Path(document), plain["letter"]["id"], folder)
    signed = replace(
        signed, on=inputs.day_of("--on", on), document=name, sha256=hashlib.sha256(scan).hexdigest(),
        dpo_on=signed.dpo_on and inputs.day_of("--dpo-on", signed.dpo_on),
        expires=signed.expires and inputs.day_of("--expires", signed.expires),
    )  # fmt: skip
    problems = [Problem("refused", 0, 0, why) for why in refusals(plain, replies, signed, town, given.records)]
    if problems:
        raise InvalidInput(problems)
    taken = [*(one.id for one in given.records), *(path.stem for path in folder.rglob("*.y*ml"))]
    made = records(plain, replies, signed, Ruled(town.rules, town.matrices), taken)
    texts = {one["id"]: _sealed(one) for one in made}
    voice = inputs.voice(lang)
    judged = _judged(texts, {name: scan}, given, inputs.as_of(as_of), voice)
    if texts:
        existing = {} if (folder / name).exists() else {folder / name: scan}
        publish({**existing, **{folder / f"{one}.yaml": text for one, text in texts.items()}})
    _say(plain, replies, made, voice)
    _say_beside(judged, made, voice)
    return 0


def _scan(document: Path, letter: str, folder: Path) -> tuple[bytes, str]:
    """The signed document, and its name beside the records: one that no other document has."""
    try:
        scan = document.read_bytes()
    except OSError as error:
        raise InvalidInput(f"--document {document} cannot be read: {error.strerror}") from None
    if not scan:
        raise InvalidInput(f"--document {document} is empty")
    number = 1
    while True:
        more = f"-{number}" if number > 1 else ""
        suffix = document.suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", document.suffix) else ""
        name = f"documents/reponse-{letter}{more}{suffix}"
        there = folder / name
        if not there.exists() or (there.is_file() and there.read_bytes() == scan):
            return scan, name
        number += 1


def _sealed(plain: Plain) -> bytes:
    """The record with the digest of what is signed, as the loader will read it."""
    if "decision" not in plain:
        return as_yaml(plain)
    document = yaml.parse(as_yaml(plain), plain["id"])
    wrong = schema.problems(document, inputs.static_schema(plain["kind"]))
    if wrong:
        raise InvalidInput(wrong)
    plain["decision"]["digest"] = signed_digest(document.value)
    return as_yaml(plain)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the new records change: notes on them, and what was in force before and after."""

    notes: list[IdleDecision]
    before: InForce
    after: InForce


def _judged(
    texts: Mapping[str, bytes], documents: Mapping[str, bytes], given: inputs.Inputs, day: str, voice: Voice
) -> _Judged:
    """Raises InvalidInput when one of the new records is void, or voids another."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, data in ({f"{one}.yaml": text for one, text in texts.items()} | dict(documents)).items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(data)
        new, _ = decisions.load(folder, inputs.decision_schemas())
    old = in_force(given.records, given.plan.estate, given.controls, given.measures, day)
    both = in_force((*given.records, *new), given.plan.estate, given.controls, given.measures, day)
    known = Counter((n.id, n.code, n.detail, n.state) for n in old.notes)
    added = [n for n in both.notes if not known[n.id, n.code, n.detail, n.state]]
    renewed = {getattr(one, "supersedes", "") for one in new}
    wrong = [n for n in added if n.state in ("void", "part") and not (n.code == "R-STATUS" and n.id in renewed)]
    if wrong:
        raise InvalidInput([Problem(n.id, 0, 0, f"{n.code}: {idle(n, voice)}") for n in wrong])
    return _Judged(added, old, both)


def _say(form: Mapping[str, Any], replies: Mapping[int, Reply], made: Sequence[Plain], voice: Voice) -> None:
    """A line for each item: what became of it."""
    ids = iter(made)
    for item in form["items"]:
        decision = replies[item["number"]].decision
        one = next(ids) if decision else {}
        words = {
            "accept": voice.say("{number}. {control}: risk accepted until {day} ({id})"),
            "adopt": voice.say("{number}. {control}: to be adopted by {day} ({id})"),
            "arbitrate": voice.say("{number}. {control}: arbitration asked for by {day} ({id}); it stays open"),
            "": voice.say("{number}. {control}: no reply; it stays open"),
        }[decision]
        day = one.get("expires", one.get("due", ""))
        click.echo(words.format(number=item["number"], control=clean(item["control"]), day=day, id=one.get("id", "")))


def _say_beside(judged: _Judged, made: Sequence[Plain], voice: Voice) -> None:
    """What somebody has to see to, and what a record that was superseded covered and no other one does."""
    for note in judged.notes:
        if note.state == "due":
            click.echo(f"{note.id}: {note.code}: {idle(note, voice)}", err=True)
    by = {one["supersedes"]: one["id"] for one in made if "supersedes" in one}
    for held in judged.before.held:
        if held.record.id in by:
            _say_uncovered(held, by[held.record.id], judged.after, voice)


def _say_uncovered(old: Held, new: str, after: InForce, voice: Voice) -> None:
    open_ = [f"{control}: {key.partition(':')[2]}" for control in sorted(old.controls) for key in sorted(old.subjects)
             if not after.about(control, key)]  # fmt: skip
    if open_:
        shown = ", ".join(map(clean, open_[:SHOWN])) + (", …" if len(open_) > SHOWN else "")
        form = voice.say("{new} takes the place of {old}; no longer covered: {what}")
        click.echo(form.format(new=new, old=clean(old.record.id), what=shown), err=True)
