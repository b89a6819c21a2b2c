"""A path of this machine in; its place in the repository out, links followed up to there: those in it may come with a change."""

from __future__ import annotations

import os

MOST_LINKS = 40  # as Linux has it


def work_folder(top: str) -> str:
    """As the shell came to it: a link of the repository on the way is not followed either."""
    here, said = os.path.realpath(os.getcwd()), os.environ.get("PWD", "")
    place = inside(top, said) if os.path.isabs(said) and os.path.realpath(said) == here else None
    return here if place is None else os.path.normpath(os.path.join(top, place))


def inside(top: str, path: str) -> str | None:
    """The place of an absolute path in the repository, links followed as far as that; None: it does not come to it."""
    parts, real, links = os.path.normpath(path).split(os.sep), os.sep, 0
    while True:
        rest = os.path.normpath(os.sep.join(parts) or ".")
        if real == top and rest.split(os.sep)[0] != os.pardir:
            return rest
        if not parts:
            return None
        step = os.path.normpath(os.path.join(real, parts.pop(0)))
        if os.path.islink(step) and links < MOST_LINKS:
            links += 1
            target = os.readlink(step)
            parts = [*target.split(os.sep), *parts]
            real = os.sep if os.path.isabs(target) else real
        else:
            real = step
