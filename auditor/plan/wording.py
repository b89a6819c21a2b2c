"""A control and a host in; what the host is asked in its own words, or why it is asked nothing, out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.kinds import NO_FILES, TREE, Probe
from auditor.model import Bound, Command, Control, Host, Unknown
from auditor.plan.meant import fileless
from auditor.plan.names import Meanings, is_name, named

# Arguments, commands, values of names, why it is not asked, and whether it gates.
Put = tuple[Mapping[str, Any], Mapping[str, Command], Mapping[str, Any], Unknown | None, bool]
UNSAID = (
    "$host.zone.vlan",
    "$host.commissioned_at",
)  # what an estate need not say; the probe says what follows of that


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said alike to many hosts is worded once: a fleet shares its commands, and the names of a control."""

    meanings: Meanings
    _asked: dict[Any, Mapping[str, Command]]
    _names: dict[str, list[str]]
    _of_one: dict[str, bool] = field(default_factory=dict)  # controls that ask each host something of its own
    _puts: dict[Any, Put] = field(default_factory=dict)

    def values(self, control: Control, host: Host | None, perimeter: str) -> dict[str, Any]:
        """What the names of a control stand for."""
        return {n: self.meanings.of(n, host, control, perimeter) for n in self.names(control)}

    def with_bounds(
        self, names: Mapping[str, Any], bounds: Sequence[Bound], host: Host | None, control: Control, perimeter: str
    ) -> Mapping[str, Any]:
        """The values of a control's names, and of those that only its bounds name."""
        more = [n for b in bounds for n in named(b.as_long_as, b.expect, b.tolerate) if n not in names]
        return {**names, **{n: self.meanings.of(n, host, control, perimeter) for n in more}} if more else names

    def put(self, host: Host, control: Control, probe: Probe) -> Put:
        """How a control is put to a host; made once for those that it is put to in the same words."""
        if control.id not in self._of_one:
            self._of_one[control.id] = any(
                name.startswith("host.") for name in (*self.names(control), *named(control.arguments))
            )
        if self._of_one[control.id] or host.barred or host.connection == "none" or fileless(host):
            return self._worded(host, control, probe)
        key = (control.id, host.platform, host.connection == TREE, host.perimeter)
        if key not in self._puts:
            self._puts[key] = self._worded(host, control, probe)
        return self._puts[key]

    def _worded(self, host: Host, control: Control, probe: Probe) -> Put:
        values: Mapping[str, Any] = self.values(control, host, host.perimeter)
        arguments, unasked = self.arguments(control, host)
        gates = self.meanings.estate.declared
        commands: Mapping[str, Command] = {}
        unasked = unasked or next(
            (v for v in values.values() if isinstance(v, Unknown) and v.cause == "nothing_asked"), None
        )
        if host.barred:
            unasked, gates = Unknown("not_authorised", host.barred), True
        elif host.connection == "none":
            unasked, gates = Unknown("not_connected", host.why), True
        elif fileless(host):
            unasked, gates = Unknown("not_asked", NO_FILES), True
        elif host.platform not in probe.of(host):
            unasked, gates = Unknown("not_observable"), False
        elif unasked is None:
            commands = self.commands(control.probe, probe, host, arguments)
            gates = gates or not any(isinstance(v, Unknown) for v in values.values())
        return arguments, commands, values, unasked, gates

    def names(self, control: Control) -> list[str]:
        """The $names that a control says, without the dollar sign."""
        if control.id not in self._names:
            self._names[control.id] = named(control.expect, control.tolerate, control.concerns)
        return self._names[control.id]

    def commands(self, name: str, probe: Probe, host: Host, arguments: Mapping[str, Any]) -> Mapping[str, Command]:
        """Made once for equal arguments: a fleet shares its commands."""
        key = (name, host.platform, host.connection == TREE, repr(sorted(arguments.items())) if arguments else "")
        if key not in self._asked:
            self._asked[key] = probe.of(host)[host.platform].commands(arguments)
        return self._asked[key]

    def arguments(self, control: Control, host: Host | None) -> tuple[dict[str, Any], Unknown | None]:
        """The arguments of a question to a host (None: to all together), or why it cannot be asked."""
        arguments: dict[str, Any] = {}
        for name, given in control.arguments.items():
            value = self.meanings.of(given[1:], host, control) if is_name(given) else given
            if isinstance(value, Unknown):
                if given in UNSAID:
                    continue
                return arguments, value
            arguments[name] = value
        return arguments, None
