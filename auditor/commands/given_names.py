"""Digests of files by where these lie in; by names that are the same on other machines out."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping

from auditor import shelves

MARK = "#"  # between a name and a digest; a name that has one gets its own digest too, lest it pass for another's


def shared(digests: Mapping[str, str], given: Iterable[str]) -> dict[str, str]:
    """`given`: the folders and files that were typed. A path that is not absolute stays as it was typed.

    Of what travels with the auditor the name is `auditor/...`; of another absolute path what was typed last of it, and what
    lies below. Two files of one name have so much of their digest beside it as tells them apart.
    """
    folder = os.path.dirname(shelves.packaged("policies"))
    roots = [(folder, "auditor"), *((path.rstrip("/"), os.path.basename(path.rstrip("/"))) for path in given if path)]
    named: dict[str, dict[str, None]] = {}
    for path, digest in digests.items():
        named.setdefault(_name(path, roots), {})[digest] = None
    told: dict[str, str] = {}
    for name, different in named.items():
        length = _telling(different)
        for digest in different:
            told[name if len(different) == 1 and MARK not in name else f"{name}{MARK}{digest[:length]}"] = digest
    return told


def _telling(digests: Collection[str]) -> int:
    """How much of these digests is enough to tell them apart: whoever writes a file can make two begin alike."""
    return next(n for n in (8, 16, 32, 64) if len({digest[:n] for digest in digests}) == len(digests))


def _name(path: str, roots: Iterable[tuple[str, str]]) -> str:
    if not os.path.isabs(path):
        return path
    below = (
        os.path.normpath(os.path.join(name, os.path.relpath(path, root)))
        for root, name in roots
        if path == root or path.startswith(root + "/")
    )
    return next(below, os.path.basename(path))
