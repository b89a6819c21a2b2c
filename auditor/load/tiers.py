"""What estate.yaml says of tiers in; who may be asked with which credential, and every host that would get another's, out.

One account for each tier of hosts: who takes over a host takes what logs in there, and must not hold with it what rules the domain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.errors import Problem
from auditor.load.yaml import Document
from auditor.model import BY_HAND, Host

CONTROLLER = "ad-dc"
_UNASKED_CONTROLLER = "a domain controller is asked only where estate.yaml says audit: true"
_UNASKED = "estate.yaml says audit: false"
_NOT_CONNECTED = ("none", BY_HAND, "local")
# What of a host's variables names a credential.
_NAMES = ("user", "password", "key_file", "passphrase", "certificate")


@dataclass(frozen=True, slots=True)
class _Declared:
    """A credential, by how the inventory names it, and its tier; `index` is its place in the file."""

    index: int
    tier: int
    named: Mapping[str, str]

    def is_of(self, host: Host) -> bool:
        return all(_same(name, value, host) for name, value in self.named.items())

    @property
    def shown(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.named.items())


def asked(host: Host, place: Mapping[str, Any]) -> Host:
    """The host with its tier; not connected to, where it is a domain controller that nobody said to ask."""
    host = replace(host, tier=place.get("tier"))
    controller = CONTROLLER in host.roles
    if host.connection in ("none", BY_HAND) or place.get("audit", not controller):
        return host
    return replace(host, connection="none", why=_UNASKED if "audit" in place else _UNASKED_CONTROLLER)


def problems(document: Document, hosts: Sequence[Host]) -> Iterator[Problem]:
    """Hosts that would be asked with a credential of another tier; a problem for each credential, its hosts named."""
    declared = [
        _Declared(i, plain["tier"], {k: v for k, v in plain.items() if k in _NAMES})
        for i, plain in enumerate(document.value.get("credentials", ()))
    ]
    connected = [h for h in hosts if h.connection not in _NOT_CONNECTED]
    for one in declared:
        if not one.named:
            words = f"a credential is named by one or more of {', '.join(_NAMES)}, as the inventory writes them"
            yield document.problem(("credentials", one.index), words)
            continue
        astray = [h for h in connected if one.is_of(h) and h.tier != one.tier]
        if astray:
            words = f"{one.shown} is of tier {one.tier}, and would be shown to {_listed(astray)}"
            yield document.problem(("credentials", one.index), words)
    yield from _bare(document, declared, connected)
    yield from _controllers(document, connected)


def _bare(document: Document, declared: Sequence[_Declared], hosts: Sequence[Host]) -> Iterator[Problem]:
    """A host of a tier takes no credential but its own: one that nobody declared may be any other's."""
    bare = [h for h in hosts if h.tier is not None and not any(d.is_of(h) and d.tier == h.tier for d in declared)]
    if bare:
        words = f"no credential is declared for the tier of {_listed(bare)}: name what logs in there under credentials"
        yield document.problem(("hosts",), words, key=True)


def _controllers(document: Document, hosts: Sequence[Host]) -> Iterator[Problem]:
    lower = [h for h in hosts if CONTROLLER in h.roles and h.tier not in (None, 0)]
    if lower:
        yield document.problem(("hosts",), f"a domain controller is of tier 0: {_listed(lower)}", key=True)


def _same(name: str, value: str, host: Host) -> bool:
    """Accounts of Windows have no case; a host's paths are whole, and are written from home or from the inventory's folder."""
    if name == "user":
        return host.user.casefold() == value.casefold()
    given = host.winrm.get("cert_pem", "") if name == "certificate" else str(getattr(host, name))
    if name in ("key_file", "certificate"):
        return given == value or given.endswith(f"/{value.removeprefix('~/').removeprefix('./')}")
    return given == value


def _listed(hosts: Sequence[Host]) -> str:
    said = [f"{h.id} ({'no tier' if h.tier is None else f'tier {h.tier}'})" for h in hosts[:5]]
    return ", ".join(said) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
