"""A place where a collector keeps records, and what the answers on all such places share. Pure.

Of records nothing leaves the host but when they came, how their stamps are written and the names of their senders, which are
hosts: who looks whether each inventoried host is there needs the names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from auditor.model import Output, Unknown

STILL_FED_S = 2 * 86400.0
DIRECTORIES = {
    "type": "array",
    "items": {"type": "string", "pattern": "^/[^\\n]+$"},
    "description": "Directories that hold collected files, beside the usual ones.",
}


@dataclass(frozen=True, slots=True)
class Store:
    """Ages in seconds; None where the store holds no record.

    `reaches`: of each sender that is still fed, how far back. `newest_of`: of each sender, by name, since when the newest
    record is there; `unnamed` says why names may be missing. `stamps`: how many samples have a stamp of each shape.
    `kib`, `total_kib`, `free_kib`: what it takes, and what its file system (mounted at `mount`) holds.
    """

    path: str
    oldest: float | Unknown | None
    newest: float | Unknown | None
    senders: int | Unknown
    reaches: tuple[float | Unknown, ...] = ()
    newest_of: Mapping[str, float | Unknown] | None = None
    unnamed: Unknown | None = None
    stamps: tuple[tuple[str, int], ...] = ()
    kib: int | None = None
    total_kib: int | None = None
    free_kib: int | None = None
    mount: str = ""

    @property
    def fed(self) -> bool:
        return isinstance(self.newest, float) and self.newest <= STILL_FED_S


def whole(answer: Output) -> list[list[str]] | Unknown:
    """The words of each line, when the answer is whole and root gave it."""
    lines = [line.split(" ", 2) for line in answer.text.split("\n") if line]
    if len(lines) < 2 or lines[0][0] != "uid" or lines[-1] != ["end"]:
        return Unknown("unreadable", "the stores of records are not told")
    return lines if lines[0][1:2] == ["0"] else Unknown("no_privilege", "the records were not read as root")


# What journalctl and find say of what they pass over; both end well all the same. Of a file that goes meanwhile, nothing.
_PASSED_OVER = re.compile(r"ignoring file|Failed to open|^(find|stat): (?!.*No such file)")


def passed_over(answer: Output) -> Unknown | None:
    """Why there may be records beside those that were told."""
    line = next((line for line in answer.error_text.splitlines() if _PASSED_OVER.search(line)), None)
    return Unknown("unreadable", line.strip()[:200]) if line else None


def keep(names: dict[str, float | Unknown], name: str, age: float | Unknown) -> None:
    """Puts the age of the newest record under a name, unless a newer one is known."""
    known = names.get(name)
    if name and (not isinstance(known, float) or (isinstance(age, float) and age < known)):
        names[name] = age


def not_named(lines: list[list[str]], path: str, senders: str, named: int) -> Unknown | None:
    """Why there may be senders that were not named."""
    if ["unnamed"] in lines or senders != str(named):
        return Unknown("not_told", f"not every sender of {path} was named")
    return None


def counted(text: str) -> int | Unknown:
    """A number of senders."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else Unknown("unreadable", "senders")


def space(told: Mapping[str, str]) -> tuple[int | None, int | None, int | None, str]:
    """KiB of the store, of its file system and free there, and where that is mounted."""
    total, _, rest = told.get("space", "").partition(" ")
    free, _, mount = rest.partition(" ")
    kib, size, left = (_kib(text) for text in (told.get("kib", ""), total, free))
    return kib, size, left, mount


def _kib(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
