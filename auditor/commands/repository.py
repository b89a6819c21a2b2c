"""A path of a file in; the same as the repository around the work folder names it out, for code scanning."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

from auditor import shelves


def work_folder() -> str:
    """The folder that the command works in; the top one where it is gone."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return os.sep


def located(work: str) -> Callable[[str], str]:
    """Paths relative to `work` or absolute become relative to the repository around `work`, or to `work` itself."""
    root = _root(work)
    shipped = str(shelves.packaged("policies"))

    @cache
    def relative(path: str) -> str:
        if not path:
            return ""
        whole = os.path.normpath(os.path.join(work, path))
        for one, top, front in ((whole, root, ""), (os.path.realpath(whole), os.path.realpath(root), ""),
                                (whole, shipped, "policies")):  # fmt: skip
            if one == top or one.startswith(top.rstrip(os.sep) + os.sep):
                return os.path.normpath(os.path.join(front, os.path.relpath(one, top)))
        return whole.lstrip(os.sep)  # elsewhere on this machine: a consumer takes no absolute path

    return relative


def _root(work: str) -> str:
    """The nearest folder from `work` up that holds `.git`, a folder or a worktree's file; `work` where none does."""
    folder = work
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return work
        folder = above
    return folder
