"""The paths that an audit is given, and what a commit holds, in; which of it may judge, and which of it does not, out.

All paths are those of the repository. What may judge is taken too widely rather than too narrowly.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from auditor.load.inventory.sources import BESIDE
from auditor.load.policies import MEASURES

FILE, SUBMODULE = "100644", "160000"  # modes, as git writes them; a file that is no program
_SAYS_NOTHING = (".md", ".rst", ".txt", ".gitignore", ".gitattributes", ".gitkeep")
_READ_BY_PEOPLE = frozenset({"documents", "letters"})  # of an estate
_BESIDE = BESIDE - _READ_BY_PEOPLE

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What judges, as it is given: paths from the top of the repository; absolute ones lie outside of it."""

    policies: tuple[str, ...] = ()
    estate: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        return (*self.policies, *self.estate, *self.probes, *self.reference)

    def looked_at(self, folders: Collection[str]) -> list[Parts]:
        """Also what is found by its place: measures above policies, variables and decisions beside an inventory."""
        measures = (posixpath.join(folder, MEASURES) for path in self.policies for folder in above(path))
        files = (posixpath.dirname(path) for path in self.estate if path not in folders)
        beside = (posixpath.join(folder, name) for folder in files for name in _BESIDE)
        return [_parts(path) for path in (*self.every, *measures, *beside) if not posixpath.isabs(path)]


def aside(asked: Asked, trees: Iterable[str], held: Mapping[str, str]) -> frozenset[str]:
    """Those of the trees that nothing which judges comes to; none where a program may judge, since it may read any file."""
    folders = _folders(held)
    if asked.probes or any(path not in folders and held.get(path) != FILE for path in asked.estate):
        return frozenset()
    looked_at = asked.looked_at(folders)
    known = (tree for tree in trees if tree in folders and tree != ".")
    return frozenset(tree for tree in known if not _meets(_parts(tree), looked_at))


def reaching(links: Mapping[str, str], folders: Iterable[str]) -> bool:
    """Whether one of the links (path to target) may lead into one of the folders, or to one that holds it."""
    aside = [_parts(folder) for folder in folders]
    return any(_unsure(path, target) or _meets(_led(path, target), aside) for path, target in links.items())


def lacking(
    asked: Asked, held: Mapping[str, str], taken: Collection[str], links: Mapping[str, str], aside: Collection[str]
) -> tuple[str, ...]:
    """What of a commit was not `taken`, and may judge: it is what is looked at, in it, above it, or where a link in there leads."""
    looked_at = asked.looked_at(_folders(held))
    followed = [_led(path, target) for path, target in links.items() if _meets(_parts(path), looked_at)]
    spared = [_parts(posixpath.join(path, name)) for path in asked.estate for name in _READ_BY_PEOPLE]

    def judges(path: str) -> bool:
        parts = _parts(path)
        says = held[path] == SUBMODULE or not path.lower().endswith(_SAYS_NOTHING)
        return says and _meets(parts, [*looked_at, *followed]) and not any(parts[: len(one)] == one for one in spared)

    missing = (path for path in held if path not in taken and not any(folder in aside for folder in above(path)))
    return tuple(path for path in missing if judges(path))


# ---------------------------------------------------------------- paths


def _parts(path: str) -> Parts:
    """Without case, since a file system may have none."""
    return tuple(part.casefold() for part in path.split("/") if part not in ("", "."))


def _folders(held: Iterable[str]) -> frozenset[str]:
    return frozenset(folder for path in held for folder in above(path))


def above(path: str) -> Iterator[str]:
    """The folders that hold it, the top of the repository as `.`."""
    while path not in ("", ".", "/"):
        path = posixpath.dirname(path)
        yield path or "."


def _related(one: Parts, other: Parts) -> bool:
    """The same, or the one in the other."""
    return all(a == b for a, b in zip(one, other, strict=False))


def _meets(one: Parts, others: Collection[Parts]) -> bool:
    return any(_related(one, other) for other in others)


def _led(path: str, target: str) -> Parts:
    return _parts(posixpath.normpath(posixpath.join(posixpath.dirname(path), target)))


def _unsure(path: str, target: str) -> bool:
    """Up again from a folder that may itself be a link, or from the top, where it may come back by another name."""
    parts = [part for part in target.split("/") if part not in ("", ".")]
    return ".." in (*parts[parts.count("..") :], *_led(path, target))
