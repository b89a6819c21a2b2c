"""Digests of files by where these lie in; by names that are the same on other machines out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from auditor import shelves


def shared(digests: Mapping[str, str], given: Iterable[str]) -> dict[str, str]:
    """`given`: the folders and files that were typed. A path that is not absolute stays as it was typed.

    Of what travels with the auditor the name is `auditor/...`; of another absolute path what was typed last of it, and what
    lies below. Two files of one name have the beginning of their digest beside it.
    """
    folder = os.path.dirname(shelves.packaged("policies"))
    roots = [(folder, "auditor"), *((path.rstrip("/"), os.path.basename(path.rstrip("/"))) for path in given if path)]
    named: dict[str, dict[str, None]] = {}
    for path, digest in digests.items():
        named.setdefault(_name(path, roots), {})[digest] = None
    return {
        name if len(different) == 1 else f"{name}#{digest[:8]}": digest
        for name, different in named.items()
        for digest in different
    }


def _name(path: str, roots: Iterable[tuple[str, str]]) -> str:
    if not os.path.isabs(path):
        return path
    below = (
        os.path.normpath(os.path.join(name, os.path.relpath(path, root)))
        for root, name in roots
        if path == root or path.startswith(root + "/")
    )
    return next(below, os.path.basename(path))
