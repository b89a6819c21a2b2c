"""A host in; who comes in through the doors that PAM decides on, and with which proofs, out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers import doors, pam
from auditor.readers.elevation import Service
from auditor.readers.entering.host import OTHER, Host, who_is
from auditor.readers.entering.verdicts import Verdict, closed, judge, weakest_of
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
    services, who = _services(host, door), who_is(host, name)
    found = [verdict for service in services if (verdict := _judged(host, service, who))]
    found = found or (closed(host, who, door.name) if services == OTHERS else [])
    if found:
        yield Entry(door.name, name, door.remote, *weakest_of(found))


OTHERS = (Service(OTHER),)


def _services(host: Host, door: doors.Door) -> tuple[Service, ...]:
    """Of the first group that the host has a file of; it may be one before that is asked, and then `other`."""
    for number, group in enumerate(door.services):
        found = tuple(Service(s) for s in group if s in host.stacks)
        if found:
            return (*found, Service(OTHER, surely=False)) if number else found
    return OTHERS


def _judged(host: Host, service: Service, who: pam.Who) -> Verdict | None:
    verdict = judge(host, service.name, who)
    if verdict and verdict[0] is False and not service.surely:
        return Unknown("not_told", "whether PAM is asked for another service"), verdict[1]
    return verdict


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
