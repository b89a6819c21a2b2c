"""/etc/passwd and /etc/group of a tree in; its accounts and groups, and where each stands, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import files, passwd

PASSWD = Command("/etc/passwd /etc/group", kind="read", mask="passwd", cap_bytes=2097152)
SOURCES = Command("/etc/nsswitch.conf /etc/hostname", kind="read", mask="comments")
Places = tuple[str, ...]
_OTHER_FILES = ("db", "altfiles", "usrfiles", "extrausers")  # of accounts of the host, which are not read here
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Tree:
    """`accounts` and `groups`: the lines of each, by name; `name`: what /etc/hostname says, "" for nothing."""

    people: passwd.People | Unknown
    accounts: Mapping[str, Places] = field(default_factory=dict)
    groups: Mapping[str, Places] = field(default_factory=dict)
    name: str = ""
    sudoers_elsewhere: bool = False


def read(answer: Answer, sources: Answer) -> Tree:
    """Raises Unreadable for rows that make no sense. A file that the tree does not hold is on the host, for all we know."""
    found, beside = files.read(answer), files.read(sources)
    switch = beside.texts.get("/etc/nsswitch.conf", "")
    name = _own_name(beside.texts.get("/etc/hostname", ""))
    elsewhere = any(word in ("sss", "ldap") for word in _asked_by_sudo(switch))
    lacking = [path for path in ("/etc/passwd", "/etc/group") if path not in found.texts]
    more = next((s for base in ("passwd", "group") for s in _switched(switch, base) if s in _OTHER_FILES), "")
    unread = Unknown("not_asked", f"accounts of {more}, as /etc/nsswitch.conf has it") if more else None
    gap = found.gap or beside.gap or unread or (Unknown("not_observable", " ".join(lacking)) if lacking else None)
    if gap:
        return Tree(gap, name=name, sudoers_elsewhere=elsewhere)
    rows = [*_rows(found.texts["/etc/passwd"], "p", 7), *_rows(found.texts["/etc/group"], "g", 4)]
    switched = [f"n: {' '.join(_switched(switch, base))}" for base in ("passwd", "group")]
    people = passwd.read([*(text for text, _, _ in rows), *switched])
    if not any(a.uid == 0 for a in people.accounts.values()):
        raise Unreadable("no account with uid 0")
    return Tree(people, _lines(rows, "p", "passwd"), _lines(rows, "g", "group"), name, elsewhere)


def _own_name(text: str) -> str:
    """As hostname(5) has it: the first line that is no comment; "" for what no host can be named."""
    first = next((line.strip() for line in text.split("\n") if line.strip() and line.strip()[0] != "#"), "")
    return first if _NAME.fullmatch(first) else ""


def _rows(text: str, kind: str, columns: int) -> Iterator[tuple[str, str, int]]:
    """What passwd.read reads of a line, whom it is about, and which line it is."""
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.split(":")
        if line[:1] in ("+", "-"):
            yield f"{kind}:{line}", "", number
        elif line.strip():
            if len(fields) != columns:
                raise Unreadable(f"a row of other columns: line {number}")
            kept = [fields[0], *fields[2:4], *fields[5:]] if kind == "p" else [fields[0], *fields[2:]]
            yield f"{kind}:{':'.join(kept)}", fields[0], number


def _lines(rows: list[tuple[str, str, int]], kind: str, file: str) -> dict[str, Places]:
    found: dict[str, Places] = {}
    for text, name, number in rows:
        if text.startswith(f"{kind}:"):
            found[name] = (*found.get(name, ()), f"/etc/{file}:{number}")
    return found


def _asked_by_sudo(text: str) -> list[str]:
    """sudo reads its line in capitals too, and goes on behind a backslash at its end."""
    whole = re.sub(r"\\[ \t]*\n", " ", "\n".join(line.partition("#")[0] for line in text.lower().split("\n")))
    return _switched(whole, "sudoers")


def _switched(text: str, base: str) -> list[str]:
    lines = (line.partition("#")[0].partition(":") for line in text.split("\n"))
    return [word for name, _, words in lines if name.strip() == base for word in words.split()]
