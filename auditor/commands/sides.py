"""A git reference in; its files, as far as they may judge, in a folder of their own, out."""

from __future__ import annotations

import filecmp
import os
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from auditor.commands import git, needed
from auditor.commands.references import RUN_NAME
from auditor.commands.ways import inside, work_folder
from auditor.errors import InvalidInput
from auditor.model import Touched


@dataclass(frozen=True, slots=True)
class Named:
    """The paths of the command line."""

    policies: tuple[str, ...]
    estate: tuple[str, ...]
    probes: tuple[str, ...]  # one folder, or none


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
        return there, self.touched("reference", path)

    def touched(self, kind: Literal["reference", "file"], name: str) -> tuple[Touched, ...]:
        """What the change does to a file that this side has; nothing to one outside of the repository."""
        path = self._relative(name)
        if os.path.isabs(path):
            return ()
        if not os.path.isfile(path):
            return (Touched(kind, "removed", path),)
        same = not os.path.islink(path) and filecmp.cmp(os.path.join(self.folder, path), path, shallow=False)
        return () if same else (Touched(kind, "changed", path),)

    def named(self, given: Named) -> Named:
        """The paths as both sides have them. Raises InvalidInput where they are not on this one."""
        relative = Named(*(tuple(map(self._relative, paths)) for paths in (given.policies, given.estate, given.probes)))
        every = (*relative.policies, *relative.estate, *relative.probes)
        missing = [p for p in every if not os.path.exists(os.path.join(self.folder, p))]
        if missing:
            raise InvalidInput(f"--trusted {self.ref}: {', '.join(missing)} is not there")
        return relative

    def _relative(self, path: str) -> str:
        """Of the repository: from the work folder, links of the repository not followed, since the change may lay them.

        Anything else is nobody's change, and stays what it is.
        """
        place = inside(self.top, os.path.join(self.here, path))
        whole = os.path.realpath(os.path.join(self.here, path))
        return whole if place is None else os.path.relpath(os.path.join(self.top, place), self.here)

    def judging(self, path: str) -> str:
        """The file that a path means on this side; outside of the repository there is but one."""
        return os.path.join(self.folder, self._relative(path))

    def brought(self, path: str) -> bool:
        """Whether git put something there in the work folder, or on the way there."""
        place = inside(self.top, os.path.join(self.here, path))
        tracked = git.tracked(self.top)
        return place is not None and any(one in tracked for one in (place, *needed.above(place)))

    def left_out(self, trees: Iterable[str]) -> tuple[str, ...]:
        """The submodules in trees of the work folder that were not checked out: an empty folder stands for each."""
        roots = tuple(os.path.realpath(os.path.join(self.here, tree)) + os.sep for tree in trees)
        modules = (path for path, mode in git.tracked(self.top).items() if mode == needed.SUBMODULE) if roots else ()
        below = (path for path in modules if os.path.join(self.top, path).startswith(roots))
        return tuple(path for path in below if _is_empty(os.path.join(self.top, path)))

    def asked(self, given: Named, reference: str | None) -> needed.Asked:
        """What judges, from the top of the repository."""
        below = os.path.relpath(self.here, self.top)

        def placed(paths: Sequence[str]) -> tuple[str, ...]:
            return tuple(os.path.normpath(os.path.join(below, self._relative(path))) for path in paths)

        against = (reference,) if reference else ()
        return needed.Asked(*map(placed, (given.policies, given.estate, given.probes, against)))

    def place(self, path: str) -> str:
        """Of a file of the work folder, from the top of the repository."""
        return os.path.relpath(os.path.join(self.here, path), self.top)


def _is_empty(folder: str) -> bool:
    try:
        return not os.listdir(folder)
    except OSError:  # what is not there, or cannot be read, is told as such
        return False


@contextmanager
def opened(ref: str, given: Named, reference: str | None = None, trees: Sequence[str] = ()) -> Iterator[Side]:
    """The files of the reference in a folder of their own, without the `trees` that nothing which judges comes to.

    Raises InvalidInput for what may judge and cannot be had: it would judge nothing, and nobody would be told.
    """
    if not ref:
        raise InvalidInput("--trusted: give a git reference")
    top = git.top()
    commit = git.commit(top, ref)
    held = git.held(top, commit)
    with tempfile.TemporaryDirectory(prefix="auditor-") as folder:
        root = os.path.join(os.path.realpath(folder), "side")
        os.mkdir(root)
        side = Side(ref, commit, root, top, work_folder(top))
        asked = side.asked(given, reference)
        aside = needed.aside(asked, [side.place(path) for path in trees], held)
        taken = _taken(side, folder, without=aside)
        if aside and needed.reaching(taken.links, aside):
            more = _taken(side, folder, only=aside)
            aside, taken = frozenset(), _Taken(taken.files | more.files, taken.links | more.links)
        lost = needed.lacking(asked, held, taken.files, taken.links, aside)
        if lost:
            raise InvalidInput(
                f"--trusted {ref}: {', '.join(lost[:5])}: may judge, and cannot be had from git archive: a submodule, "
                "a link that leads out of the repository, or export-ignore in .gitattributes"
            )
        os.makedirs(side.folder, exist_ok=True)
        yield side


@dataclass(frozen=True, slots=True)
class _Taken:
    """Paths in the repository; `links` with their targets, also of those that lead out and so are none of the files."""

    files: frozenset[str]
    links: dict[str, str]


def _taken(side: Side, folder: str, only: Iterable[str] = (), without: Iterable[str] = ()) -> _Taken:
    archive = os.path.join(folder, "side.tar")
    git.archive(side.top, side.commit, archive, only, without)
    files, links = set(), {}
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.issym():
                links[member.name] = member.linkname
            try:
                tar.extract(member, side.root, filter="data")
            except tarfile.FilterError:
                continue  # a link out of the repository
            if not member.isdir():
                files.add(member.name)
    return _Taken(frozenset(files), links)
