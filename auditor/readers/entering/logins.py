"""A host in; who comes in through the doors that PAM decides on, and with which proofs, out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers import doors
from auditor.readers.entering.host import Host, who_is
from auditor.readers.entering.verdicts import judge
from auditor.readers.entries import ANYBODY, Entry


def of_admins(host: Host, door: doors.Door, served: bool | Unknown) -> Iterator[Entry]:
    if served is not True:
        return
    if f"open {door.name}" in host.seen.marks:
        yield Entry(door.name, ANYBODY, door.remote, two_factors=False, reason="it logs somebody in by itself")
    for name in host.admins:
        yield from _at(host, door, name)


def _at(host: Host, door: doors.Door, name: str) -> Iterator[Entry]:
    account = host.people.accounts.get(name)
    if (account and not account.can_log_in) or (door.name == "Cockpit" and f"barred {name}" in host.seen.marks):
        return
    if f"other {door.name}" in host.seen.marks:
        other = Unknown("not_told", "another program than login asks there")
        yield Entry(door.name, name, door.remote, other, "")
        return
    judged = [j for s in _services(host, door) if (j := judge(host, s, who_is(host, name)))]
    if judged:
        two, proofs = min(judged, key=lambda j: 0 if j[0] is False else 1 if isinstance(j[0], Unknown) else 2)
        yield Entry(door.name, name, door.remote, two, proofs)


def _services(host: Host, door: doors.Door) -> tuple[str, ...]:
    for group in door.services:
        found = tuple(s for s in group if s in host.stacks)
        if found:
            return found
    return ("other",)


def of_everybody(host: Host, door: doors.Door, served: bool | Unknown) -> Iterator[Entry]:
    if served is True:
        names = [a.name for a in host.people.accounts.values() if a.can_log_in]
        yield from grouped(door.name, names, lambda name: _at(host, door, name))


def grouped(door: str, names: Iterable[str], at: Callable[[str], Iterable[Entry]]) -> Iterator[Entry]:
    """One entry for all accounts of one verdict, under the first one's name."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for name in names:
        for entry in at(name):
            found.setdefault((repr(entry.two_factors), entry.reason), []).append(entry)
    for (_, reason), entries in found.items():
        more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
        yield replace(entries[0], door=door, reason=reason + more)
