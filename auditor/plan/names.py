"""A $name that a control says in; what the estate and the measures say it stands for, Unknown where they do not, out. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.model import Control, Estate, Host, Measure, Register, Unknown


@dataclass(frozen=True, slots=True)
class Meanings:
    """What names stand for; `until` is the end of the day that registers are judged on."""

    estate: Estate
    measures: Mapping[str, Measure]
    until: float

    def of(self, name: str, host: Host | None, control: Control, perimeter: str = "") -> Any:
        """What a $name stands for; Unknown when the estate does not say."""
        root, _, rest = name.partition(".")
        if root == "host":
            return self._of_host(rest, host)
        if root == "hosts":
            role, _, what = rest.rpartition(".")
            return self._of_role(role, what)
        if root == "zones":
            return [_sample(z.addresses[0]) for z in self.estate.zones.values() if z.addresses]
        if root == "registers":
            register, _, hours = rest.partition(".older_than.")
            return self._register(register, perimeter, self._parameter(hours, control) if hours else 0)
        return self._parameter(name, control)

    def _parameter(self, name: str, control: Control) -> Any:
        return self.measures[control.measure].parameters.get(name, Unknown("nothing_asked", f"${name}"))

    def _register(self, name: str, perimeter: str, hours: Any) -> Register | Unknown:
        """The entries of the estate's register and of the perimeter's own, together; none that left after `until`."""
        found = [r for r in self.estate.registers if r.id == name and r.perimeter in ("", perimeter)]
        if not found:
            return Unknown("register_missing", name)
        if isinstance(hours, Unknown):
            return hours
        left_at: dict[str, float] = {}
        for entry, at in (one for r in found for one in r.left_at.items()):
            left_at[entry] = min(at, left_at.get(entry, at))
        entries = tuple(e for r in found for e in r.entries if left_at.get(e, self.until) <= self.until)
        return Register(name, entries, perimeter, left_at=left_at, older_than_s=hours * 3600.0)

    def _of_host(self, what: str, host: Host | None) -> Any:
        if host is None:
            return Unknown("nothing_asked", f"$host.{what}")
        zone = self.estate.zones.get(host.zone)
        values = {
            "address": host.address,
            "perimeter": host.perimeter,
            "commissioned_at": host.commissioned_at or None,
            "zone.vlan": zone.vlan if zone else None,
            "zone.addresses": list(zone.addresses) if zone and zone.addresses else None,
        }
        value = values[what]
        if value is None:
            missing = (
                "no zone is declared for this host" if zone is None else f"the zone '{zone.id}' does not say its {what}"
            )
            return Unknown("nothing_asked", missing if what.startswith("zone") else f"$host.{what}")
        return value

    def _of_role(self, role: str, what: str) -> Any:
        hosts = [h for h in self.estate.hosts if role in h.roles]
        if not hosts:
            return Unknown("nothing_asked", f"no host with the role {role} is declared")
        return list(dict.fromkeys(n for h in hosts for n in ((h.id,) if what == "ids" else (h.id, h.address))))


def is_name(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")


def named(*expects: Mapping[str, Any]) -> list[str]:
    """The names in these, each once, without their $."""
    found: dict[str, None] = {}
    stack: list[Any] = list(expects)
    while stack:
        value = stack.pop()
        if isinstance(value, Mapping):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
        elif is_name(value):
            found[value[1:]] = None
    return list(found)


def _sample(network: str) -> str:
    """One address of a network: its first usable one."""
    parsed = ipaddress.ip_network(network)
    return str(parsed[1] if parsed.num_addresses > 1 else parsed[0])
