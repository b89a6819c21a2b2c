"""The machines of several exports in; each machine once, and where the exports disagree, out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from auditor.load.inventory.table import FIELDS, Machine

# What firmware says instead of a serial number.
_NO_SERIAL = re.compile(
    r"|0+|none|null|n/?a|unknown|inconnu|default.?string|to.be.filled.*|system.serial.number|not.(specified|applicable|available)|x+|\.+|-+"
    r"|123456789|0123456789|serial|invalid|chassis.serial.number"
)


@dataclass(slots=True)
class Merged:
    """One machine with what all exports say of it; `sources` in the order of the exports."""

    machine: Machine
    sources: list[str] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)  # how many rows of each source


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`twice`: names that one export gives in several rows; `renamed`: one serial number, several names."""

    machines: tuple[Merged, ...]
    twice: Mapping[str, tuple[str, ...]]
    renamed: tuple[tuple[str, ...], ...]
    shared: Mapping[str, tuple[str, ...]]  # an address to the machines that all say it


def merged(exports: Mapping[str, Sequence[Machine]]) -> Reconciled:
    """By serial number, else by name without domain, in any case. Two different serials are two machines."""
    found: list[Merged] = []
    by_serial: dict[str, Merged] = {}
    by_name: dict[str, list[Merged]] = {}
    for source, machines in exports.items():
        for machine in machines:
            serial = _serial(machine)
            same = by_serial.get(serial) if serial else None
            same = same or next(
                (m for m in by_name.get(_short(machine), ()) if not _different(m.machine, machine)), None
            )
            if same is None:
                same = Merged(machine)
                found.append(same)
            _add(same, machine, source)
            by_serial.update({s: same for s in (_serial(same.machine),) if s})
            named = by_name.setdefault(_short(machine), [])
            if all(m is not same for m in named):
                named.append(same)
    _distinct(found)
    return Reconciled(
        tuple(found), _twice(found), tuple(tuple(m.names) for m in found if len(m.names) > 1), _shared(found)
    )


def _short(machine: Machine) -> str:
    return machine.name.casefold()


def _serial(machine: Machine) -> str:
    serial = machine.serial.strip().casefold()
    return "" if _NO_SERIAL.fullmatch(serial) else serial


def _different(one: Machine, other: Machine) -> bool:
    """Of one name, and yet not one machine: both serial numbers are known and differ; without them, both full names."""
    if _serial(one) and _serial(other):
        return _serial(one) != _serial(other)
    return bool(one.fqdn and other.fqdn and one.fqdn.casefold() != other.fqdn.casefold())


def _add(merged: Merged, machine: Machine, source: str) -> None:
    """What is said first stays; what is not yet said is added."""
    missing = {f: getattr(machine, f) for f in FIELDS if not getattr(merged.machine, f) and getattr(machine, f)}
    merged.machine = replace(merged.machine, **missing)
    if source not in merged.sources:
        merged.sources.append(source)
    merged.rows[source] = merged.rows.get(source, 0) + 1
    if _short(machine) not in (n.casefold() for n in merged.names):
        merged.names[machine.name] = None


def _distinct(found: Sequence[Merged]) -> None:
    """Every machine gets a name of its own: lower case, and with its serial number or domain where two share one."""
    taken: set[str] = set()
    for one in found:
        name = one.machine.name.lower()
        if name in taken:
            full = one.machine.fqdn.lower()
            serial = re.sub(r"[^a-z0-9]+", "", _serial(one.machine))
            name = full if full and full not in taken else f"{name}-{serial or len(taken)}"
        while name in taken:
            name += "-2"
        taken.add(name)
        one.machine = replace(one.machine, name=name)


def _twice(found: Sequence[Merged]) -> dict[str, tuple[str, ...]]:
    """By source: machines that it lists in several rows, and names that it gives to several machines."""
    twice: dict[str, dict[str, None]] = {}
    seen: dict[tuple[str, str], int] = {}
    for one in found:
        for source, rows in one.rows.items():
            key = (source, next(iter(one.names)).casefold())
            seen[key] = seen.get(key, 0) + rows
            if seen[key] > 1:
                twice.setdefault(source, {})[one.machine.name] = None
    return {source: tuple(names) for source, names in twice.items()}


def _shared(found: Sequence[Merged]) -> dict[str, tuple[str, ...]]:
    by_address: dict[str, list[str]] = {}
    for one in found:
        if one.machine.address:
            by_address.setdefault(one.machine.address, []).append(one.machine.name)
    return {address: tuple(names) for address, names in by_address.items() if len(names) > 1}
