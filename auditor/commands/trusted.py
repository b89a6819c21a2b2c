"""A git reference in; its side of all that judges, and what the work folder does to that, out. Nothing of the change is run."""

from __future__ import annotations

import filecmp
import hashlib
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from auditor.commands.inputs import Inputs
from auditor.commands.references import RUN_NAME
from auditor.errors import InvalidInput
from auditor.load.inventory.program import is_program
from auditor.model import Touched, Trusted
from auditor.sentences import clean
from auditor.touched_words import WORDS

GIT_TIMEOUT_S = 120
_ASIDE = ("source", "basis", "place")  # where something is written is not what it says
_BEGIN = 4  # bytes that tell a program

Kind = Literal["control", "measure", "decision", "host", "file"]


@dataclass(frozen=True, slots=True)
class Named:
    """The paths of the command line."""

    policies: tuple[str, ...]
    estate: tuple[str, ...]
    probes: tuple[str, ...]  # one folder, or none


Load = Callable[[Named], Inputs]


@dataclass(frozen=True, slots=True)
class Side:
    """The files of a commit, in the folder `root`; `top` is that of the repository, `here` the work folder, as they really are."""

    ref: str
    commit: str
    root: str
    top: str
    here: str

    @property
    def folder(self) -> str:
        """The work folder's place on this side."""
        return os.path.normpath(os.path.join(self.root, os.path.relpath(self.here, self.top)))

    def reference(self, name: str) -> tuple[str, tuple[Touched, ...]]:
        """What `--against` means: a file of the repository is this side's; what the change does to it."""
        path = self._relative(name)
        there = os.path.normpath(os.path.join(self.folder, path))
        if os.path.isabs(path) or (RUN_NAME.fullmatch(name) and not os.path.lexists(there)):
            return name, ()
        if not os.path.isfile(there):
            if not os.path.lexists(os.path.join(self.here, path)):
                return name, ()
            raise InvalidInput(f"--trusted {self.ref}: {path} is not there")
        if not os.path.isfile(path):
            return there, (Touched("reference", "removed", path),)
        same = not os.path.islink(path) and filecmp.cmp(there, path, shallow=False)
        return there, () if same else (Touched("reference", "changed", path),)

    def named(self, given: Named) -> Named:
        """The paths as both sides have them. Raises InvalidInput where they are not on this one."""
        relative = Named(*(tuple(map(self._relative, paths)) for paths in (given.policies, given.estate, given.probes)))
        every = (*relative.policies, *relative.estate, *relative.probes)
        missing = [p for p in every if not os.path.exists(os.path.join(self.folder, p))]
        if missing:
            raise InvalidInput(f"--trusted {self.ref}: {', '.join(missing)} is not there")
        return relative

    def _relative(self, path: str) -> str:
        """Of the repository: from the work folder, links on the way not followed, since the change may lay them.

        Anything else is nobody's change, and stays what it is.
        """
        whole = os.path.normpath(os.path.join(self.here, path))
        above = whole
        while os.path.realpath(above) != self.top:
            if above == os.path.dirname(above):
                return os.path.realpath(whole)
            above = os.path.dirname(above)
        return os.path.relpath(os.path.join(self.top, os.path.relpath(whole, above)), self.here)


def judged_by(side: Side, given: Named, load: Load) -> tuple[Inputs, Trusted]:
    """What `load` makes of these paths as they are on this side, and what the work folder does to it."""
    named = side.named(given)
    with chdir(side.folder):
        theirs = load(named)
        raw = _raw(named)
    own = _own(side, named, load, theirs, raw != _raw(named))
    files = (_files(theirs, side, raw), _files(own, side, _raw(named)))
    estate = theirs.plan.estate
    place = estate.place.replace(side.root, side.top, 1) if estate.place.startswith(side.root) else estate.place
    theirs = replace(theirs, plan=replace(theirs.plan, estate=replace(estate, place=place)))
    return theirs, Trusted(side.ref, side.commit, tuple(changes(theirs, own, *files)))


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


# ---------------------------------------------------------------- git


def _commit(ref: str) -> str:
    """A tag, or a branch, of the name of another would be taken in its place; whoever may push can make one."""
    told = _ran(["-c", "core.warnAmbiguousRefs=true", "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}"])
    if b"ambiguous" in told.stderr:
        raise InvalidInput(f"--trusted {ref}: is more than one reference: write it whole, as refs/remotes/origin/main")
    return told.stdout.decode().strip()


def _git(arguments: list[str]) -> bytes:
    return _ran(arguments).stdout


def _ran(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    words = ["git", "--no-replace-objects", *arguments]
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_TIMEOUT_S, check=False, env=environment
        )
    except FileNotFoundError:
        raise InvalidInput("--trusted needs the program git") from None
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"--trusted: git {arguments[0]} gave no answer in {GIT_TIMEOUT_S} s") from None
    if done.returncode:
        said = clean(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        raise InvalidInput(f"--trusted: {said or 'git failed'}")
    return done


@contextmanager
def opened(ref: str) -> Iterator[Side]:
    """The files of the reference in a folder of their own; links that lead out of it are left out."""
    if not ref:
        raise InvalidInput("--trusted: give a git reference")
    top = os.path.realpath(_git(["rev-parse", "--show-toplevel"]).decode().rstrip("\n"))
    commit = _commit(ref)
    with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
        archive = os.path.join(folder, "side.tar")
        _git(["-C", top, "archive", "--format=tar", f"--output={archive}", commit])
        root = os.path.join(os.path.realpath(folder), "side")
        os.mkdir(root)
        with tarfile.open(archive) as tar:
            for member in tar:
                try:
                    tar.extract(member, root, filter="data")
                except tarfile.FilterError:
                    continue  # a link out of the repository: whatever needs it says that it is not there
        side = Side(ref, commit, root, top, os.path.realpath(os.getcwd()))
        os.makedirs(side.folder, exist_ok=True)
        yield side


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
