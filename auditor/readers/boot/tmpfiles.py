"""The files of systemd-tmpfiles in; what these have written, replaced or removed when a system starts, out. Pure.

Source: tmpfiles.d(5): a file hides those of its name in the folders behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from auditor.readers.boot.change import Change, known, numbered, words

ROOTS = ("/etc/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d")
_MODES = frozenset("xXzZtThHaAmdDvqQe")


def changes(texts: Mapping[str, str], there: Callable[[str], bool]) -> Iterator[Change]:
    """`there`: whether the tree has something at a path. What is only made where nothing is changes nothing that is."""
    names: set[str] = set()
    for root in ROOTS:
        for path in sorted(p for p in texts if p.rpartition("/")[0] == root):
            name = path.rpartition("/")[2]
            if name not in names:
                yield from _of(path, texts[path], there)
            names.add(name)


def _of(file: str, text: str, there: Callable[[str], bool]) -> Iterator[Change]:
    for number, line in numbered(text):
        said = words(line)
        if len(said) < 2:
            continue
        kind, path = said[0], known(said[1], r"[%*?\[\\]")
        whole = path == said[1].rstrip("/")
        if "^" in kind and file.startswith(ROOTS[2]):  # takes what a credential says, which nobody gives
            continue
        if _acts(kind, said) and (_replaces(kind) or not (whole and there(path))):
            yield Change(path, f"{file}:{number} has it changed when the system starts", below=kind[:1] in "De")


def _acts(kind: str, said: list[str]) -> bool:
    """Of folders only that they are emptied: at each start, or of what is old."""
    aged = len(said) > 5 and said[5] != "-"
    return kind[:1] not in _MODES or (kind[:1] in "dDvqQe" and (aged or kind.startswith("D")))


def _replaces(kind: str) -> bool:
    return kind[:1] in "FwrRdDvqQe" or "+" in kind or "=" in kind
