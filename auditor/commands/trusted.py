"""The trusted side in; what judges by its word, and what the work folder does to that, out. Nothing of the change is run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from auditor.commands.inputs import Inputs
from auditor.commands.sides import Named, Side
from auditor.errors import NO_FILE, InvalidInput, Problem
from auditor.load.inventory.program import is_program
from auditor.model import Touched, Trusted
from auditor.touched_words import WORDS

_ASIDE = ("source", "basis", "place")  # where something is written is not what it says
_BEGIN = 4  # bytes that tell a program

Kind = Literal["control", "measure", "decision", "host", "file"]
Load = Callable[[Named], Inputs]


def judged_by(side: Side, given: Named, load: Load) -> tuple[Inputs, Trusted]:
    """What `load` makes of these paths as they are on this side, and what the work folder does to it."""
    named = side.named(given)
    with chdir(side.folder):
        theirs = _theirs(side, named, load)
        raw = _raw(named)
    own = _own(side, named, load, theirs, raw != _raw(named))
    files = (_files(theirs, side, raw), _files(own, side, _raw(named)))
    estate = theirs.plan.estate
    place = estate.place.replace(side.root, side.top, 1) if estate.place.startswith(side.root) else estate.place
    theirs = replace(theirs, plan=replace(theirs.plan, estate=replace(estate, place=place)))
    return theirs, Trusted(side.ref, side.commit, tuple(changes(theirs, own, *files)))


def _theirs(side: Side, named: Named, load: Load) -> Inputs:
    """What is wrong there no change of the work folder can mend before it is merged: it is said whose it is."""
    try:
        return load(named)
    except InvalidInput as error:
        raise InvalidInput([_of(side.ref, one) for one in error.problems]) from None


def _of(ref: str, problem: Problem) -> Problem:
    """A file is named as git names that of a commit."""
    if problem.file == NO_FILE:
        return replace(problem, message=f"{problem.message} (policies and estate are those of {ref})")
    return replace(problem, file=f"{ref}:{problem.file}")


# ---------------------------------------------------------------- the change's side, of which nothing is run


def _own(side: Side, named: Named, load: Load, theirs: Inputs, code: bool) -> Inputs:
    """What the change makes of these paths: probes, and an estate that a program tells, are the trusted ones.

    With other probes (`code`) its policies may ask what those do not tell: then only its files are compared.
    """
    estate = named.estate
    if any(_program(path) for path in estate):
        estate = tuple(os.path.join(side.folder, path) for path in estate)
    safe = Named(named.policies, estate, tuple(os.path.join(side.folder, path) for path in named.probes))
    try:
        return load(safe)
    except InvalidInput:
        if not (code and named.probes):
            raise
        return theirs


def _program(path: str) -> bool:
    return os.path.isfile(path) and is_program(Path(path), _bytes(path)[:_BEGIN])


def _files(loaded: Inputs, side: Side, raw: Mapping[str, str]) -> dict[str, str]:
    """Digests by path, of what was loaded from that side's own files, and of what is only looked at."""
    return {name: digest for name, digest in loaded.digests.items() if not name.startswith(side.root)} | dict(raw)


def _raw(named: Named) -> dict[str, str]:
    """Digests of the files that are code, and of what else the folders of it hold, here."""
    programs = [path for path in named.estate if _program(path)]
    beside = [os.path.join(os.path.dirname(path), "decisions") for path in programs]
    policies = named.policies if named.probes else ()
    found = sorted({file for path in (*programs, *beside, *named.probes, *policies) for file in _below(path)})
    return {file: hashlib.sha256(_bytes(file)).hexdigest() for file in found}


def _below(path: str) -> Iterator[str]:
    if os.path.isfile(path):
        yield path
    for folder, _, names in os.walk(path):
        whole = (os.path.normpath(os.path.join(folder, name)) for name in names if not name.endswith(".pyc"))
        yield from filter(os.path.isfile, whole)


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror}") from None


# ---------------------------------------------------------------- what the change does to what judges it


def changes(trusted: Inputs, own: Inputs, files: Mapping[str, str], own_files: Mapping[str, str]) -> list[Touched]:
    """In the order of WORDS; empty where both sides say the same."""
    told = [
        *_differ("control", _by_id(trusted.plan.controls), _by_id(own.plan.controls)),
        *_differ("measure", trusted.measures, own.measures),
        *_differ("decision", _by_id(trusted.records), _by_id(own.records)),
        *_differ("host", _by_id(trusted.plan.estate.hosts), _by_id(own.plan.estate.hosts)),
        *_differ("file", files, own_files),
    ]
    order = list(WORDS)
    return sorted(told, key=lambda one: order.index((one.kind, one.how)))


def _by_id(nouns: Iterable[Any]) -> dict[str, Any]:
    return {noun.id: noun for noun in nouns}


def _differ(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Touched]:
    yield from (Touched(kind, "removed", name) for name in before if name not in after)
    yield from (Touched(kind, "added", name) for name in after if name not in before)
    for name in before:
        if name in after and before[name] != after[name]:
            what = _fields(before[name], after[name])
            if what or isinstance(before[name], str):
                yield Touched(kind, "changed", name, what)


def _fields(before: Any, after: Any) -> tuple[str, ...]:
    """The names of what differs."""
    if isinstance(before, str):
        return ()
    if type(before) is not type(after):
        return ("kind",)
    names = (f.name for f in fields(before) if f.name not in _ASIDE)
    return tuple(n for n in names if getattr(before, n) != getattr(after, n))
