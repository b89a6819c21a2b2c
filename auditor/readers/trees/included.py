"""What a file of a tree includes, and what of the tree is read, in; why an inclusion of which nothing was read is a gap, out. Pure."""

from __future__ import annotations

import re

from auditor.model import Command, Unknown

# What is there while a host runs, and in no tree.
_RUNNING = ("/run/", "/var/run/", "/proc/", "/sys/", "/dev/")


# Patterns that mean here what they mean to the C library; its `[^a]`, `[[:alpha:]]` and `\\a` mean something else.
_ALIKE = re.compile(r"(?:[^\[\]\\{}]|\[!?[A-Za-z0-9_-]+\])*")
_PATTERN = re.compile(r"[*?\[\\]")


def beyond(question: Command, glob: str) -> Unknown | None:
    """Of a pattern that may stand for other files of the tree than those that were asked for, that nobody looked."""
    known = glob.startswith(_RUNNING) or (_ALIKE.fullmatch(glob) and _asked(question, glob))
    return None if known else _not_asked(glob)


def unseen(question: Command, glob: str) -> Unknown:
    """What was looked for and is not there, is on the host, for all we know; elsewhere in the tree nobody looked."""
    if glob.startswith(_RUNNING) or _asked(question, glob):
        return Unknown("not_observable", f"what is included: {glob[:100]}")
    return _not_asked(glob)


def _not_asked(glob: str) -> Unknown:
    return Unknown("not_asked", f"what is included: {glob[:100]}")


def _asked(question: Command, glob: str) -> bool:
    """Whether the question holds all of it; a star leaves out what begins with a dot."""
    folder, _, name = glob.rpartition("/")
    if _PATTERN.search(folder):
        return False
    hidden = name.startswith(".")
    places = (asked.rpartition("/") for asked in question.text.split())
    return any(folder == beside and (name == held or (held == "*" and not hidden)) for beside, _, held in places)
