"""/etc/passwd and /etc/shadow of a tree, masked, in; how each account's password is, and on which line, out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import files
from auditor.readers.logins import State, days

SHADOW = Command("/etc/shadow", kind="read", mask="shadow", cap_bytes=2097152)
# Accounts that are in neither.
BESIDE = Command(
    "/var/lib/systemd/home/*.identity /etc/userdb/*.user /var/lib/extrausers/passwd", kind="read", mask="presence"
)
NO_SHADOW = Unknown("not_observable", "/etc/shadow")
STATES = {"": "empty", "*": "locked", "x": "set"}


@dataclass(frozen=True, slots=True)
class Passwords:
    """`of` each account whose password the files tell; `untold`: why they do not of the others. `where`: the deciding line."""

    of: Mapping[str, State] = field(default_factory=dict)
    untold: Unknown = NO_SHADOW
    where: Mapping[str, str] = field(default_factory=dict)


def read(accounts: Answer, shadow: Answer) -> Passwords:
    """Raises Unreadable for rows of shadow that make no sense."""
    found, beside = files.read(accounts), files.read(shadow)
    gap = found.gap or beside.gap
    if gap:
        return Passwords(untold=gap)
    rows = _rows(beside.texts.get("/etc/shadow", ""))
    of: dict[str, State] = {}
    where: dict[str, str] = {}
    for number, line in enumerate(found.texts.get("/etc/passwd", "").split("\n"), 1):
        fields = line.split(":")
        name, word = fields[:2] if len(fields) == 7 else ("", "")
        inner = STATES.get("x" if word == "set" else word) if word != "x" else None
        row = rows.get(name)
        if inner:
            of[name], where[name] = State(inner, *(row[1] if row else ())), f"/etc/passwd:{number}"
        elif row:
            of[name], where[name] = State(row[0], *row[1]), f"/etc/shadow:{row[2]}"
        elif name and beside.texts:
            of[name] = State("locked")
    return Passwords(of, where=where)


def beside(answer: Answer) -> Unknown | None:
    """Why there may be more accounts."""
    found = files.read(answer)
    return found.gap or (Unknown("not_told", f"accounts of {next(iter(found.texts))[:80]}") if found.texts else None)


_Row = tuple[str, tuple[int | None, ...], int]


def _rows(text: str) -> Mapping[str, _Row]:
    rows: dict[str, _Row] = {}
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.split(":")
        if line and (len(fields) != 9 or fields[1] not in STATES):
            raise Unreadable(f"a row of shadow of other columns: line {number}")
        if line:
            rows.setdefault(fields[0], (STATES[fields[1]], tuple(days(fields[i]) for i in (2, 4, 6, 7)), number))
    return rows
