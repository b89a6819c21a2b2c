"""`auditor acceptances sign`: a form and the signed reply in; acceptances and actions in force, or why there can be none."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from auditor.commands import inputs
from auditor.commands.publishing import as_yaml, publish
from auditor.decision_words import idle
from auditor.decisions import Held, InForce, in_force, signed_digest
from auditor.decisions.context import later, within
from auditor.errors import InvalidInput, Problem
from auditor.kinds import Voice
from auditor.letters.reply import Decided, Reply, Ruled, Signed, records
from auditor.load import decisions, forms, schema, yaml
from auditor.load.schema import did_you_mean
from auditor.model import Estate, IdleDecision
from auditor.records import Action, DecisionRules, Record
from auditor.sentences import clean

Plain = dict[str, Any]
SHOWN = 5  # of what a superseded record covered
RATING = re.compile(r"(?P<gravite>G[1-4])(?P<vraisemblance>V[1-4])")


@dataclass(frozen=True, slots=True)
class Ticked:
    """The options that say what was ticked, as they were typed."""

    accept: tuple[str, ...] = ()
    adopt: tuple[str, ...] = ()
    arbitrate: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    personal_data: str | None = None
    because: str = ""
    responsible: str = ""


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
    replies = _replies(plain, ticked)
    town = given.plan.estate
    folder = (Path(paths[0]) if Path(paths[0]).is_dir() else Path(paths[0]).parent) / "decisions"
    scan, name = _scan(Path(document), plain["letter"]["id"], folder)
    signed = replace(
        signed, on=inputs.day_of("--on", on), document=name, sha256=hashlib.sha256(scan).hexdigest(),
        dpo_on=signed.dpo_on and inputs.day_of("--dpo-on", signed.dpo_on),
        expires=signed.expires and inputs.day_of("--expires", signed.expires),
    )  # fmt: skip
    _sensible(plain, replies, signed, given)
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


# ---------------------------------------------------------------- what was ticked


def _replies(form: Mapping[str, Any], ticked: Ticked) -> dict[int, Reply]:
    """What the form says of each item, with the options over it.

    Where no option and nothing in the form says what is accepted, all that may be and is neither adopted nor arbitrated is.
    """
    items = form["items"]
    written: dict[int, Reply] = {int(number): _written(one) for number, one in form.get("replies", {}).items()}
    replies = {item["number"]: written.get(item["number"], Reply()) for item in items}
    said: dict[int, str] = {}
    chosen: tuple[tuple[Decided, list[tuple[str, str]]], ...] = (
        ("accept", [(name, "") for name in _split(ticked.accept)]),
        ("arbitrate", [_pair(one, "--arbitrate") if "=" in one else (one, "") for one in _split(ticked.arbitrate)]),
        ("adopt", [_pair(one, "--adopt") for one in _split(ticked.adopt)]),
    )
    for decision, pairs in chosen:
        option = f"--{decision}"
        for name, day in pairs:
            by = inputs.day_of(option, day) if day else ""
            for number in _numbers(items, [name], option):
                _once(said, number, option)
                replies[number] = replace(replies[number], decision=decision, by=by)
    if not ticked.accept and not any(one.decision == "accept" for one in written.values()):
        may = {item["number"]: item["acceptable"] for item in items}
        replies = {n: replace(r, decision="accept") if may[n] and not r.decision else r for n, r in replies.items()}
    return _rated(items, replies, ticked)


def _written(plain: Mapping[str, Any]) -> Reply:
    return Reply(**plain)


def _rated(items: Sequence[Mapping[str, Any]], replies: dict[int, Reply], ticked: Ticked) -> dict[int, Reply]:
    """With the ratings, the personal data, the reason and who adopts."""
    for given in _split(ticked.risk):
        name, _, rating = given.rpartition("=")
        found = RATING.fullmatch(rating)
        if found is None:
            raise InvalidInput(f"--risk {given}: write severity and likelihood as G2V3, or 4=G2V3 for item 4 alone")
        for number in _numbers(items, [name], "--risk") if name else replies:
            replies[number] = replace(replies[number], gravite=found["gravite"], vraisemblance=found["vraisemblance"])
    if ticked.personal_data is not None:
        concerned = _concerned(items, ticked.personal_data)
        replies = {n: replace(one, personal_data=n in concerned) for n, one in replies.items()}
    return {
        n: replace(one, because=ticked.because or one.because, responsible=ticked.responsible or one.responsible)
        for n, one in replies.items()
    }


def _concerned(items: Sequence[Mapping[str, Any]], given: str) -> set[int]:
    if given in ("none", "all"):
        return {item["number"] for item in items} if given == "all" else set()
    return set(_numbers(items, _split((given,)), "--personal-data"))


def _split(given: Iterable[str]) -> list[str]:
    return [part.strip() for one in given for part in one.split(",") if part.strip()]


def _pair(given: str, option: str) -> tuple[str, str]:
    name, sign_, value = given.rpartition("=")
    if not (sign_ and name and value):
        raise InvalidInput(f"{option} {given}: say which item and by when, 2=2027-03-01")
    return name, value


def _numbers(items: Sequence[Mapping[str, Any]], names: Iterable[str], option: str) -> Iterator[int]:
    """The items that a number of the letter names, or a control: all those about it."""
    known = {str(item["number"]) for item in items} | {item["control"] for item in items}
    for name in names:
        if name not in known:
            raise InvalidInput(f"{option}: the letter has no item '{name}'{did_you_mean(name, sorted(known))}")
        yield from (item["number"] for item in items if name in (str(item["number"]), item["control"]))


def _once(said: dict[int, str], number: int, option: str) -> None:
    if said.setdefault(number, option) != option:
        raise InvalidInput(f"item {number} is given to {said[number]} and to {option}: one reply an item")


# ---------------------------------------------------------------- what is written


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


def _sensible(form: Mapping[str, Any], replies: Mapping[int, Reply], signed: Signed, given: inputs.Inputs) -> None:
    """What no rule of a record can say: the reply is of the letter and of its addressee, and answers it as it may."""
    town, items = given.plan.estate, form["items"]
    problems = [*_unanswerable(items, replies, signed, town.rules), *_asked_before(items, replies, given.records)]
    entity = form["letter"]["entity"]
    accepts = any(one.decision == "accept" for one in replies.values())  # of those the records' own rules judge
    if not accepts and not _answers_for(entity, signed, town):
        problems.append(f"R-OWNER: the role {signed.by} did not answer for {entity} on {signed.on}")
    if signed.sha256 == form["letter"]["sha256"]:
        problems.append("R-HASH: --document is the letter as it was drafted, which nobody signed: give the signed one")
    if signed.on < form["letter"]["day"]:
        problems.append(f"--on {signed.on}: the letter is of {form['letter']['day']}, nobody signed its reply before")
    unsaid = [n for n, one in replies.items() if one.decision == "accept" and one.personal_data is None]
    if unsaid and not signed.dpo_on:
        problems.append(
            f"R-DPO: nobody said whether personal data are concerned (items {', '.join(map(str, unsaid))}): "
            "--personal-data none, or which items, and --dpo-on with the day of the data protection officer's opinion"
        )
    if problems:
        raise InvalidInput([Problem("refused", 0, 0, problem) for problem in problems])


def _answers_for(entity: str, signed: Signed, town: Estate) -> bool:
    """Whoever signs is of the entity that was asked; what it may sign is for the rules of each record."""
    given = [
        (d.entity, d.since, d.until) for d in town.delegations if (d.ref, d.role) == (signed.delegation, signed.by)
    ]
    mandates = [(s.entity, s.since, s.until) for s in town.signatories if s.role == signed.by]
    held = any(one == entity and within(signed.on, since, until) for one, since, until in (*given, *mandates))
    return held or (signed.by in town.roles and town.roles[signed.by].entity == entity)


def _unanswerable(
    items: Sequence[Mapping[str, Any]], replies: Mapping[int, Reply], signed: Signed, rules: DecisionRules
) -> Iterator[str]:
    unrated = later(signed.on, min(rules.longest_months, rules.longest_high_months))
    for item in items:
        reply, name = replies[item["number"]], f"item {item['number']} ({item['control']})"
        if reply.decision == "accept" and not item["acceptable"]:
            yield f"{name}: R-REGIME: the texts let no risk be accepted there; --adopt or --arbitrate it"
        if reply.decision == "adopt" and not reply.by:
            yield f"{name}: it is adopted, say by when: --adopt {item['number']}=2027-03-01"
        if reply.decision in ("adopt", "arbitrate") and reply.by and reply.by < signed.on:
            yield f"{name}: {reply.by} is before the signature"
        if reply.decision == "accept" and not (reply.gravite and reply.vraisemblance) and signed.expires > unrated:
            yield f"{name}: R-EXPIRY: {signed.expires} > {unrated}: nobody rated it, which the letter lets stand no longer"


def _asked_before(
    items: Sequence[Mapping[str, Any]], replies: Mapping[int, Reply], known: Iterable[Record]
) -> Iterator[str]:
    """What was adopted, or brought to arbitration, before: by an action that is still open."""
    planned = {
        (one.raised_by, control, one.awaits): one.id
        for one in known
        if isinstance(one, Action) and one.status == "open"
        for control in one.controls
    }
    for item in items:
        decision, name = replies[item["number"]].decision, f"item {item['number']} ({item['control']})"
        before = planned.get(
            (item["recommendation"], item["control"], "arbitration" if decision == "arbitrate" else "")
        )
        if before and decision == "adopt":
            yield f"{name}: it is adopted already: {before}"
        if before and decision == "arbitrate":
            yield f"{name}: arbitration is asked for already: {before}"


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
