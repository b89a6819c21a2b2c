"""An estate in; which of its hosts a scope stands for, and which of them are covered, out. Pure."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from auditor.model import Estate, Host
from auditor.records import Scope


@dataclass(frozen=True, slots=True)
class Places:
    """The hosts of an estate by what names them. `addresses`: by version, sorted numbers and the hosts of each."""

    hosts: Mapping[str, Host]
    groups: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, tuple[str, ...]]
    zones: Mapping[str, tuple[str, ...]]
    addresses: Mapping[int, tuple[tuple[int, ...], tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Covered:
    """The hosts that a scope covers, those that came after it was frozen, and what of it lapsed or names nothing."""

    hosts: tuple[str, ...]
    later: tuple[str, ...]
    lapsed: tuple[str, ...]
    unfrozen: str = ""  # why it covers nothing of the groups, roles, zones or networks that it names


def places(estate: Estate) -> Places:
    roles: dict[str, list[str]] = {}
    zones: dict[str, list[str]] = {zone: [] for zone in estate.zones}
    groups: dict[str, list[str]] = {name: list(ids) for name, ids in estate.groups.items()}
    for host in estate.hosts:
        for role in host.roles:
            roles.setdefault(role, []).append(host.id)
        if host.zone:
            zones.setdefault(host.zone, []).append(host.id)
        if not estate.groups:
            for group in host.groups:
                groups.setdefault(group, []).append(host.id)
    return Places(
        {h.id: h for h in estate.hosts}, _frozen(groups), _frozen(roles), _frozen(zones), _addresses(estate.hosts)
    )


def _frozen(found: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(ids) for name, ids in found.items()}


def _addresses(hosts: Iterable[Host]) -> Mapping[int, tuple[tuple[int, ...], tuple[str, ...]]]:
    found: dict[int, list[tuple[int, str]]] = {4: [], 6: []}
    for host in hosts:
        try:
            address = ipaddress.ip_address(host.address)
        except ValueError:
            continue  # a name: what it resolves to is not for a record to depend on
        found[address.version].append((int(address), host.id))
    return {v: (tuple(n for n, _ in sorted(rows)), tuple(h for _, h in sorted(rows))) for v, rows in found.items()}


def covered(scope: Scope, perimeter: str, known: Places) -> Covered:
    """What a scope covers of one perimeter today: hosts that are named, and frozen ones that it still stands for."""
    lapsed: list[str] = [f"{what} {name}" for what, name in _nothing(scope, known)]
    named = [name for name in scope.hosts if _stands(name, perimeter, known, lapsed)]
    matching = dict.fromkeys(h for h in _matching(scope, known) if known.hosts[h].perimeter == perimeter)
    if not scope.names_many:
        return Covered(tuple(dict.fromkeys(named)), (), tuple(lapsed))
    unfrozen = _unfrozen(scope)
    kept: list[str] = []
    if not unfrozen:
        assert scope.frozen is not None
        there = [name for name in scope.frozen if _stands(name, perimeter, known, lapsed)]
        kept = [name for name in there if name in matching]
        lapsed += [f"host {name}" for name in there if name not in matching]
    all_covered = dict.fromkeys([*named, *kept])
    later = () if unfrozen else tuple(h for h in matching if h not in all_covered)
    return Covered(tuple(all_covered), later, tuple(lapsed), unfrozen)


def _unfrozen(scope: Scope) -> str:
    if scope.frozen is None:
        return "frozen: -"
    names = len(set(scope.frozen))
    return "" if names == scope.count else f"frozen: {scope.count} / {names}"


def _stands(name: str, perimeter: str, known: Places, lapsed: list[str]) -> bool:
    host = known.hosts.get(name)
    if host is None:
        lapsed.append(f"host {name}")
    elif host.perimeter != perimeter:
        lapsed.append(f"host {name}: perimeter {host.perimeter}")
    return host is not None and host.perimeter == perimeter


def _nothing(scope: Scope, known: Places) -> Iterator[tuple[str, str]]:
    """The groups, roles and zones that name nothing."""
    for what, names, table in (
        ("group", scope.groups, known.groups),
        ("role", scope.roles, known.roles),
        ("zone", scope.zones, known.zones),
    ):
        yield from ((what, name) for name in names if name not in table)


def _matching(scope: Scope, known: Places) -> Iterator[str]:
    for names, table in ((scope.groups, known.groups), (scope.roles, known.roles), (scope.zones, known.zones)):
        for name in names:
            yield from (host for host in table.get(name, ()) if host in known.hosts)
    for text in scope.networks:
        network = ipaddress.ip_network(text)
        numbers, hosts = known.addresses[network.version]
        first, last = int(network.network_address), int(network.broadcast_address)
        yield from hosts[bisect_left(numbers, first) : bisect_right(numbers, last)]
