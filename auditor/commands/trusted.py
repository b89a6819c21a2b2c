"""A git reference in; its side of the policies, estate and decisions, and what the work folder changes in them, out."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import fields, replace
from typing import Any

from auditor.commands.inputs import Inputs
from auditor.errors import InvalidInput
from auditor.kinds import Voice
from auditor.operators import N_
from auditor.records import Record
from auditor.sentences import clean

GIT_TIMEOUT_S = 120
# What a change may do to what judges it, in the order of the list.
WORDS = {
    ("control", "removed"): N_("control removed: {name}"),
    ("control", "changed"): N_("control changed: {name} ({what})"),
    ("control", "added"): N_("control added: {name}"),
    ("measure", "removed"): N_("measure removed: {name}"),
    ("measure", "changed"): N_("measure changed: {name} ({what})"),
    ("measure", "added"): N_("measure added: {name}"),
    ("decision", "removed"): N_("decision removed: {name}"),
    ("decision", "changed"): N_("decision changed: {name} ({what})"),
    ("decision", "added"): N_("decision added: {name}; it closes nothing in this change"),
    ("host", "removed"): N_("host removed: {name}"),
    ("host", "changed"): N_("host changed: {name} ({what})"),
    ("host", "added"): N_("host added: {name}"),
    ("file", "removed"): N_("file removed: {name}"),
    ("file", "changed"): N_("file changed: {name}"),
    ("file", "added"): N_("file added: {name}"),
}
_ASIDE = ("source", "basis", "place")  # where something is written is not what it says


def judged_by(ref: str, paths: Sequence[str], load: Callable[[tuple[str, ...]], Inputs]) -> Inputs:
    """What `load` makes of these paths, as they are at the reference. Raises InvalidInput where they are not there."""
    top = os.path.realpath(_git(["rev-parse", "--show-toplevel"]).decode().rstrip("\n"))
    here = os.path.realpath(os.getcwd())
    named = tuple(_relative(path, top, here) for path in paths)
    with _side(ref, top) as side, chdir(_same(side, top, here)):
        missing = [p for p in named if not os.path.exists(p)]
        if missing:
            raise InvalidInput(f"--trusted {ref}: {', '.join(missing)} is not there")
        loaded = load(named)
    estate = loaded.plan.estate
    place = estate.place.replace(side, top, 1) if estate.place.startswith(side) else estate.place
    return replace(loaded, plan=replace(loaded.plan, estate=replace(estate, place=place)))


def _relative(path: str, top: str, here: str) -> str:
    """Of the repository: from the work folder. Anything else is nobody's change, and stays what it is."""
    whole = os.path.realpath(os.path.join(here, path))
    inside = whole == top or whole.startswith(top.rstrip(os.sep) + os.sep)
    return os.path.relpath(whole, here) if inside else whole


def _same(side: str, top: str, here: str) -> str:
    folder = os.path.normpath(os.path.join(side, os.path.relpath(here, top)))
    os.makedirs(folder, exist_ok=True)
    return folder


def _git(arguments: list[str]) -> bytes:
    try:
        done = subprocess.run(
            ["git", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_TIMEOUT_S, check=False
        )
    except FileNotFoundError:
        raise InvalidInput("--trusted needs the program git") from None
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"--trusted: git {arguments[0]} gave no answer in {GIT_TIMEOUT_S} s") from None
    if done.returncode:
        said = clean(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        raise InvalidInput(f"--trusted: {said or 'git failed'}")
    return done.stdout


@contextmanager
def _side(ref: str, top: str) -> Iterator[str]:
    """The files of the reference in a folder of their own; links that lead out of it are refused."""
    if not ref:
        raise InvalidInput("--trusted: give a git reference")
    commit = _git(["rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}"])
    with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
        archive = os.path.join(folder, "side.tar")
        _git(["-C", top, "archive", "--format=tar", f"--output={archive}", commit.decode().strip()])
        side = os.path.join(os.path.realpath(folder), "side")
        os.mkdir(side)
        with tarfile.open(archive) as tar:
            for member in tar:
                try:
                    tar.extract(member, side, filter="data")
                except tarfile.FilterError:
                    continue  # a link out of the repository: whatever needs it says that it is not there
        yield side


# ---------------------------------------------------------------- what the change does to what judges it


def changes(trusted: Inputs, own: Inputs, voice: Voice) -> list[str]:
    """One line each, in words; empty where both sides say the same."""
    told = [
        *_differ("control", {c.id: c for c in trusted.plan.controls}, {c.id: c for c in own.plan.controls}),
        *_differ("measure", trusted.measures, own.measures),
        *_differ("decision", _by_id(trusted.records), _by_id(own.records)),
        *_differ("host", {h.id: h for h in trusted.plan.estate.hosts}, {h.id: h for h in own.plan.estate.hosts}),
        *_differ("file", trusted.digests, own.digests),
    ]
    order = list(WORDS)
    told.sort(key=lambda one: order.index(one[:2]))
    return [voice.say(WORDS[kind, how]).format(name=clean(name), what=clean(what)) for kind, how, name, what in told]


def _by_id(records: tuple[Record, ...]) -> dict[str, Record]:
    return {record.id: record for record in records}


def _differ(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    yield from ((kind, "removed", name, "") for name in before if name not in after)
    yield from ((kind, "added", name, "") for name in after if name not in before)
    for name in before:
        if name in after and before[name] != after[name]:
            what = _fields(before[name], after[name])
            if what or isinstance(before[name], str):
                yield kind, "changed", name, what


def _fields(before: Any, after: Any) -> str:
    """The names of what differs."""
    if isinstance(before, str) or type(before) is not type(after):
        return ""
    names = [f.name for f in fields(before) if f.name not in _ASIDE]
    return ", ".join(n for n in names if getattr(before, n) != getattr(after, n))
