"""`auditor recommendations draft`: a run and an estate in; the letter, its form and the recommendations written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from auditor import pages
from auditor.commands import inputs
from auditor.commands.publishing import as_yaml, publish
from auditor.commands.references import reference
from auditor.commands.store_place import store_path
from auditor.decisions import in_force
from auditor.errors import InvalidInput
from auditor.letters.asked import Asked, asked, recommended
from auditor.letters.form import Letter, form, numbered, recommendations
from auditor.letters.page import About, page, texts
from auditor.load.schema import did_you_mean
from auditor.model import Control, Estate, Run
from auditor.sentences import clean
from auditor.store import Store

HEAD = """\
# The form of the letter {document}. When it comes back signed:
#   auditor acceptances sign {name} --document SCAN --on DATE --by ROLE
# What was ticked is said by options of that command, or here under `replies`, by the number of the item:
#   replies: {{"1": {{decision: adopt, by: 2027-03-01}}, "2": {{decision: accept, gravite: G2, vraisemblance: V2, personal_data: false}}}}
"""


def draft(
    run: str,
    estate: tuple[str, ...],
    entity: str,
    out: str,
    communicated_on: str | None,
    drafted_by: str,
    renew: int,
    policies: tuple[str, ...],
    store: str | None,
    probes: str | None,
    lang: str | None,
) -> int:
    """0 when a letter was written, or there is nothing to decide; 3 when nothing is to decide, and not all was measured."""
    letter_file, form_file = _targets(out)
    given = inputs.load(policies, estate, None, probes)
    town, day = given.plan.estate, inputs.day_of("--communicated-on", communicated_on)
    _known(town, entity, drafted_by)
    decided = in_force(given.records, town, given.controls, given.measures, day)
    with ExitStack() as stack:
        seen = stack.enter_context(reference(run, _store(stack, run, store), town.source))
        controls = {**seen.controls, **{k: v for k, v in given.controls.items() if k in seen.controls}}
        judged = {**controls, **{k: replace(controls[k], revision=c.revision) for k, c in seen.controls.items()}}
        until = inputs.plus_days(day, renew) if renew else ""
        found = asked(seen.findings(), entity, town, decided, judged, given.measures, until)
        if not found.seen:
            raise InvalidInput(f"{run}: that run checked nothing on an exclusive perimeter of {entity}")
        if not found.items:
            return _nothing(found, entity, _partial(seen), _unchecked(town, entity, seen), lang)
        letter = _letter(found, town, entity, day, drafted_by, seen, controls)
        about = _about(letter, found, town, controls, given, seen)
    written = page(letter, about).encode("utf-8")
    folder = inputs.estate_folder(estate)
    files = _records(letter, written, folder)
    plain = form(letter, letter_file.name, _digest(written), _paths(estate, form_file))
    head = HEAD.format(document=letter_file.name, name=form_file.name)
    publish({letter_file: written, form_file: as_yaml(plain, head), **files})
    _say(letter, found, letter_file, form_file, lang)
    return 0


def _targets(out: str) -> tuple[Path, Path]:
    letter = Path(out)
    if letter.suffix.lower() not in (".html", ".htm"):
        raise InvalidInput(f"--out {out}: the letter is a page, name it LETTER.html")
    return letter, letter.with_suffix(".yaml")


def _known(town: Estate, entity: str, drafted_by: str) -> None:
    if entity not in town.entities:
        raise InvalidInput(f"--for: there is no entity '{entity}'{did_you_mean(entity, town.entities)}")
    roles = {s.role for s in town.signatories} | set(town.roles)
    if drafted_by and drafted_by not in roles:
        raise InvalidInput(f"--drafted-by: there is no role '{drafted_by}'{did_you_mean(drafted_by, roles)}")


def _store(stack: ExitStack, run: str, store: str | None) -> Store | None:
    if store == "none" or Path(run).is_file():
        return None
    keeping = Store(store_path(store), create=False)
    stack.callback(keeping.close)
    return keeping


def _letter(
    found: Asked, town: Estate, entity: str, day: str, drafted_by: str, seen: Run, controls: Mapping[str, Control]
) -> Letter:
    unadvised = sorted({one.perimeter for one in found.items if not one.adviser})
    if unadvised:
        raise InvalidInput(
            f"nobody but {entity} itself advises or audits {', '.join(unadvised)}: there is nobody to recommend "
            "(estate.yaml: advised_by, or auditing_entity)"
        )
    known = town.recommendations.values()
    items = numbered((recommended(one, known, day) for one in found.items), day, town.recommendations)
    return Letter(entity, day, items, seen.header.id, drafted_by, texts(items, controls))


def _about(
    letter: Letter, found: Asked, town: Estate, controls: dict[str, Control], given: inputs.Inputs, seen: Run
) -> About:
    names = {one.id: one.name for one in town.entities.values()}
    audited = inputs.civil(seen.header.started_at).date().isoformat()
    if letter.day < audited:
        raise InvalidInput(f"--communicated-on {letter.day}: the audit is of {audited}, nobody recommends before it")
    concerned = dict.fromkeys([*(item.adviser for item in letter.items), letter.entity])
    logos = tuple(pages.logos(town.entities[one] for one in concerned if one in town.entities))
    return About(
        names, controls, given.measures, found, audited, _partial(seen), logos, _unchecked(town, letter.entity, seen)
    )


def _partial(seen: Run) -> bool:
    return bool(seen.header.limit or seen.header.policies) or seen.header.state != "complete"


def _unchecked(town: Estate, entity: str, seen: Run) -> int:
    """The measures and hosts of the entity's own perimeters that nothing is asked of, and nobody said that nothing need be."""
    own = {p.id for p in town.perimeters.values() if p.kind == "exclusive" and p.owner == entity}
    return sum(gap.subject.perimeter in own and gap.decision is None for gap in seen.coverage())


def _records(letter: Letter, written: bytes, folder: Path) -> dict[Path, bytes]:
    """The recommendations that are new, with a copy of the letter that communicated them."""
    name = f"documents/lettre-{letter.id}.html"
    place = folder / "recommendations"
    plain = recommendations(letter, name, _digest(written))
    records = {place / f"{one['id']}.yaml": as_yaml(one) for one in plain}
    return {place / name: written, **records} if records else {}


def _digest(written: bytes) -> str:
    return hashlib.sha256(written).hexdigest()


def _paths(estate: tuple[str, ...], form_file: Path) -> list[str]:
    """The estate as seen from the form, so that both can be moved together."""
    return [os.path.relpath(path, form_file.parent) for path in estate]


def _nothing(found: Asked, entity: str, partial: bool, unchecked: int, lang: str | None) -> int:
    """That nobody has to decide, and what of it is only that nobody looked."""
    say = inputs.voice(lang).say
    click.echo(say("nothing to decide for {entity}: no letter was written").format(entity=clean(entity)))
    if found.unseen:
        form_ = say("{count} of {all} checks could not be measured: nothing is known of them")
        click.echo(form_.format(count=found.unseen, all=found.seen), err=True)
    if partial:
        click.echo(say("that audit is not whole: what it did not ask nobody knows"), err=True)
    if unchecked:
        form_ = say("nothing is asked about measures or hosts: {count}")
        click.echo(form_.format(count=unchecked), err=True)
    return 3 if found.unseen or partial or unchecked else 0


def _say(letter: Letter, found: Asked, letter_file: Path, form_file: Path, lang: str | None) -> None:
    say = inputs.voice(lang).say
    new = sum(not one.recommended_at for one in letter.items)
    values: dict[str, Any] = {
        "file": letter_file, "count": len(letter.items), "new": new, "day": letter.day, "form": form_file,
    }  # fmt: skip
    click.echo(say("{file}: the letter, {count} to decide; {new} recommended as of {day}").format(**values))
    click.echo(say("{form}: the form for `auditor acceptances sign`").format(**values))
    if found.unseen:
        form_ = say("{count} of {all} checks could not be measured: nothing is known of them")
        click.echo(form_.format(count=found.unseen, all=found.seen), err=True)
