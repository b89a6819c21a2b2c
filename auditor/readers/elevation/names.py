"""Names of sudo (a login, #uid, %group, ALL ...) in; whether they have somebody in common out. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.readers.passwd import People, named_group
from auditor.readers.sudoers import Item

Truth = bool | None  # None: it depends on what was not told


def either(truths: Iterable[Truth]) -> Truth:
    seen = list(truths)
    return True if True in seen else None if None in seen else False


def both(truths: Iterable[Truth]) -> Truth:
    seen = list(truths)
    return False if False in seen else None if None in seen else True


def opposite(truth: Truth) -> Truth:
    return None if truth is None else not truth


def whom(item: Item) -> tuple[str, ...]:
    """A rule that names nobody runs as root; one that names groups alone, as whoever runs it."""
    if item.users:
        return item.users
    return ("",) if item.groups else ("root",)


def same(one: str, other: str, people: People) -> Truth:
    """Whether two names of sudo (a login, #uid, %group, ALL ...) have somebody in common."""
    one, other = login_of(one, people), login_of(other, people)
    if one == other or "ALL" in (one, other):
        return True
    if one.lower() == other.lower():  # case_insensitive_user and case_insensitive_group are the default of newer ones
        return None
    if any(n[:1] in ("+", "?") or n[:2] == "%:" or "?" in n for n in (one, other)):
        return None
    if not (one.startswith("%") or other.startswith("%")):
        return False
    sets = [members_of(n, people) if n.startswith("%") else {n} for n in (one, other)]
    if sets[0] is not None and sets[1] is not None and sets[0] & sets[1]:
        return True
    return None if people.directory or None in sets else False


def login_of(name: str, people: People) -> str:
    if not name.startswith("#"):
        return name
    uid = name[1:].lstrip("0") or "0"
    return next((a.name for a in people.accounts.values() if str(a.uid) == uid), name)


def members_of(name: str, people: People) -> set[str] | None:
    """None: only a directory may know the group."""
    group = named_group(people, name[1:])
    if group is None:
        return None if people.directory else set()
    return set(people.members(group))
