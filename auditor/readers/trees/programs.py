"""The programs of a tree, by their names, in; why one of them may be another one, out. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable

from auditor.model import Command, Unknown
from auditor.readers.files import PROGRAM, Files

FOLDERS = ("/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/opt/bin", "/root/bin")


def question(names: Iterable[str]) -> Command:
    listed = list(names)
    return Command(" ".join(f"{folder}/{name}" for folder in FOLDERS for name in listed), kind="read", mask=PROGRAM)


def stood_in_for(found: Files, names: Container[str]) -> Unknown | None:
    """Of the first of these in the place of which the tree has a shell's file, or a link to something of another name."""
    other = next((path for path, to in found.texts.items() if to and path.rpartition("/")[2] in names), "")
    return Unknown("not_told", f"what {other} does: it is no program of its own") if other else found.gap
