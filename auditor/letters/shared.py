"""The hosts of an item in; the roles, groups and zones that stand for them and for no others, out. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from auditor.decisions.in_force import asked_of
from auditor.decisions.places import Places
from auditor.model import Control, Host, Perimeter


class Shared(TypedDict):
    """`common` are (kind, name), `in_common` the hosts that they stand for."""

    common: tuple[tuple[str, str], ...]
    in_common: tuple[str, ...]


def shared(hosts: Collection[str], perimeter: Perimeter, known: Places, control: Control) -> Shared:
    """The largest first; of the perimeter's hosts, those that the control is not asked of do not count."""
    left = dict.fromkeys(hosts)
    common: list[tuple[str, str]] = []
    members: list[str] = []
    named = (("roles", known.roles), ("groups", known.groups), ("zones", known.zones))
    found = [
        (kind, name, [host for host in ids if _concerned(known.hosts.get(host), perimeter, control)])
        for kind, table in named
        for name, ids in table.items()
    ]
    for kind, name, ids in sorted(found, key=lambda one: -len(one[2])):
        new = [host for host in ids if host in left]
        if new and set(ids) <= set(hosts):
            common.append((kind, name))
            members += new
            left = {host: None for host in left if host not in new}
    return Shared(common=tuple(common), in_common=tuple(members))


def _concerned(host: Host | None, perimeter: Perimeter, control: Control) -> bool:
    return host is not None and host.perimeter == perimeter.id and asked_of(control, host)
