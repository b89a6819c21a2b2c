"""Places of a tree that are other ones on the host that is started; whether a pattern that is asked for stands for one. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass

_WILD = re.compile(r"[*?\[]")
_WORD = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\S+')
UNIT_ROOTS = (
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
Lines = Iterator[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """`path`, which may be a shell's pattern, and all below it, or `below` alone, is not what the tree has there: `why`."""

    path: str
    why: str
    below: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in self.path.split("/") if part)

    def meets(self, asked: tuple[str, ...]) -> bool:
        """Whether a path or a pattern, in parts, may stand for something that is changed."""
        parts = self.parts
        deep = len(asked) > len(parts) if self.below else len(asked) >= len(parts)
        return deep and all(_alike(one, other) for one, other in zip(parts, asked, strict=False))


def _alike(one: str, other: str) -> bool:
    if _WILD.search(one):
        return bool(_WILD.search(other)) or fnmatch.fnmatchcase(other, one)
    return fnmatch.fnmatchcase(one, other)


def normal(path: str) -> str:
    """An absolute path without `.`, `..` and doubled slashes."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    return "/" + "/".join(kept)


def known(path: str, unknown: str) -> str:
    """As much of a path as is known before the first of the characters behind which it may be anything."""
    found = re.search(unknown, path)
    return normal(path[: found.start()].rpartition("/")[0] if found else path)


def numbered(text: str, comments: str = "#") -> Lines:
    """The lines that are no comments, from 1."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith(tuple(comments)):
            yield number, line.strip()


def words(line: str) -> list[str]:
    """Of a line of systemd-tmpfiles or systemd-sysusers, without the quotes around them."""
    return [word.strip("\"'") for word in _WORD.findall(line)]


def units(why: str, *names: str) -> Iterator[Change]:
    """Of units their files and the links to them; without a name all."""
    for root in UNIT_ROOTS:
        if not names:
            yield Change(root, why, below=True)
        for name in names:
            whole = name if re.search(r"\.[a-z]+\Z", name) else f"{name}.service"
            yield Change(f"{root}/{whole}", why)
            yield Change(f"{root}/*/{whole}", why)
