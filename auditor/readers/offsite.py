"""The off-site hosts that an estate declares: arguments of a probe in, whether one of them stores something out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.model import Fact, Unknown
from auditor.readers import repositories

Declared = tuple[frozenset[str], ...]  # each host's names and addresses


def declared(args: Mapping[str, Any]) -> Declared | None:
    """The names and addresses of each off-site host: an id begins a host, and what follows is its own."""
    if "offsite_ids" not in args:
        return None
    ids = frozenset(str(i) for i in args["offsite_ids"])
    hosts: list[list[str]] = []
    for text in (str(t) for t in args.get("offsite_hosts", ())):
        if text in ids or not hosts:
            hosts.append([])
        hosts[-1].append(text)
    return tuple(frozenset(h) for h in hosts)


def holds(host: Fact, addresses: tuple[str, ...], declared: Declared | None) -> bool | Unknown:
    """A name can lead anywhere: it counts only where the one or the other has no address."""
    if declared is None:
        return Unknown("not_asked", "no off-site host was given")
    if host is None:
        return False
    known = [(_canonical(h), {plain(n) for n in h}) for h in declared]
    if any(own & set(addresses) for own, _ in known):
        return True
    if isinstance(host, Unknown):
        return Unknown("not_told", host.detail)
    return any(plain(host) in names for own, names in known if not (own and addresses))


def _canonical(texts: frozenset[str]) -> frozenset[str]:
    return frozenset(a for text in texts for a in repositories.canonical(text))


def plain(name: str) -> str:
    return name.lower().rstrip(".")
