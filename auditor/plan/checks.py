"""Policies and an estate in; what will be asked of whom, as data, out. Pure.

Checks are made host by host when they are needed, so that a plan of 10,000 hosts weighs no more than one of ten.
The order is hosts in inventory order, then perimeters; under each, controls in policy order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from auditor.framing.sh import HELLO
from auditor.kinds import NO_FILES, RECORDS, TREE, DerivedProbe, Probe, asked_of
from auditor.model import (
    Bound,
    Check,
    Command,
    Control,
    Coverage,
    Estate,
    Host,
    Measure,
    Question,
    Subject,
    Unknown,
    question_key,
)
from auditor.owed import owed_on
from auditor.plan.names import Meanings, is_name, named

Kinds = Mapping[str, Probe | DerivedProbe]
DECLARES = ("measure", "register")  # arguments that name what people declare
Recorded = Callable[[str, str, str], bool]
NO_RECORD_ASKED = "no record of it is asked for"
# Arguments, commands, values of names, why it is not asked, and whether it gates.
_Put = tuple[Mapping[str, Any], Mapping[str, Command], Mapping[str, Any], Unknown | None, bool]
UNSAID = (
    "$host.zone.vlan",
    "$host.commissioned_at",
)  # what an estate need not say; the probe says what follows of that


@dataclass(frozen=True)
class Plan:
    """`hosts` are the selected ones; `whole` says that this is the whole estate.

    `bounds(control, key of a subject)` gives what the decisions about it ask of the facts.
    `exempted`: perimeters, each with a measure that an exemption says nothing needs to be asked about. `recorded(what, name,
    perimeter)` says whether people declared something all the same, a "measure" attested or a "register" kept; None: as
    the estate has it.
    `until`: the end of the day that registers are judged on; `day`: the civil day (ISO) that other records are judged on.
    """

    estate: Estate
    hosts: tuple[Host, ...]
    controls: tuple[Control, ...]
    measures: Mapping[str, Measure]
    in_force: tuple[str, ...]
    probes: Kinds
    whole: bool = True
    bounds: Callable[[str, str], tuple[Bound, ...]] = lambda control, subject: ()
    until: float = math.inf
    day: str = ""
    exempted: frozenset[tuple[str, str]] = frozenset()
    recorded: Recorded | None = None
    _commands: dict[Any, Mapping[str, Command]] = field(default_factory=dict)
    _named: dict[str, list[str]] = field(default_factory=dict)
    _of_one: dict[str, bool] = field(
        default_factory=dict, init=False
    )  # controls that ask each host something of its own
    _puts: dict[Any, _Put] = field(default_factory=dict, init=False)
    _applied: dict[Any, tuple[tuple[int, Control, Probe], ...]] = field(default_factory=dict, init=False)

    @cached_property
    def _resolved(self) -> Callable[..., Any]:
        return Meanings(self.estate, self.measures, self.until).of

    @cached_property
    def only_trees(self) -> bool:
        """Files stand for all hosts: what these tell together, nobody can see there."""
        return all(h.connection == TREE for h in self.hosts)

    @cached_property
    def direct(self) -> tuple[tuple[int, Control, Probe], ...]:
        """The controls asked of hosts, each with its place."""
        return self._asking("host")

    @cached_property
    def declared(self) -> tuple[tuple[int, Control, Probe], ...]:
        """The controls asked of what people declared of perimeters; only of a whole estate, and of one that is described."""
        return self._asking("perimeter") if self.whole and self.estate.declared else ()

    def _asking(self, kind: str) -> tuple[tuple[int, Control, Probe], ...]:
        probes = [(i, c, self.probes[c.probe]) for i, c in enumerate(self.controls)]
        return tuple((i, c, p) for i, c, p in probes if isinstance(p, Probe) and asked_of(p) == kind)

    @cached_property
    def subjects(self) -> tuple[Host, ...]:
        """All that answers, by index: the hosts, then, where something is asked of them, the perimeters.

        A perimeter is asked as a host is, through its records: its id is the key of the subject.
        """
        asked = self.perimeters if self.declared else ()
        return self.hosts + tuple(
            Host(f"perimeter:{p}", "", connection=RECORDS, platform=RECORDS, perimeter=p) for p in asked
        )

    @cached_property
    def derived(self) -> tuple[tuple[int, Control, DerivedProbe], ...]:
        """The controls asked of perimeters."""
        return tuple(one for one in self._derived if one[2].of == "perimeter")

    @cached_property
    def witnessed(self) -> tuple[tuple[int, Control, DerivedProbe], ...]:
        """The controls on hosts of which witnesses are asked."""
        return tuple(one for one in self._derived if one[2].of == "host")

    @cached_property
    def _derived(self) -> tuple[tuple[int, Control, DerivedProbe], ...]:
        probes = [(i, c, self.probes[c.probe]) for i, c in enumerate(self.controls)]
        return tuple((i, c, p) for i, c, p in probes if isinstance(p, DerivedProbe))

    @cached_property
    def folded(self) -> frozenset[str]:
        """The questions, by key, whose facts derived probes read when all hosts are in."""
        return frozenset(question_key(p.over, self._over(c, p)) for _, c, p in self._derived)

    @cached_property
    def perimeters(self) -> tuple[str, ...]:
        """The perimeters that the selected hosts are part of; with the whole estate, all of it."""
        of_hosts = dict.fromkeys(h.perimeter for h in self.hosts)
        return tuple(self.estate.perimeters) if self.whole and self.estate.perimeters else tuple(of_hosts)

    def checks_of(self, index: int) -> list[Check]:
        """The checks of what stands at this place of `subjects`, in order."""
        host = self.subjects[index]
        first = index * len(self.controls)
        if host.connection == RECORDS:
            return [self._of_records(first + i, host, c, p) for i, c, p in self._declared_on(host.perimeter)]
        return [self._check(first + i, host, c, p) for i, c, p in self._applying(host)]

    def _applying(self, host: Host) -> tuple[tuple[int, Control, Probe], ...]:
        """The controls asked of a host, each with its place; found once for all that are asked the same way, with its roles."""
        key = (host.platform, host.connection == TREE, host.roles)
        if key not in self._applied:
            self._applied[key] = tuple(one for one in self.direct if _applies(one[1], one[2], host))
        return self._applied[key]

    def derived_checks(self) -> Iterator[Check]:
        """What is judged when all hosts are in, in plan order."""
        yield from self.witnessed_checks()
        yield from self.perimeter_checks()

    def witnessed_checks(self) -> Iterator[Check]:
        """The checks of which a witness is asked, host by host; also of hosts that nobody connects to."""
        for index, host in enumerate(self.hosts):
            for i, control, probe in self.witnessed:
                if _meant(control, host):
                    yield self._witnessed(index * len(self.controls) + i, host, control, probe)

    def perimeter_checks(self) -> Iterator[Check]:
        first = len(self.hosts) * len(self.controls)
        for place, perimeter in enumerate(self.perimeters):
            for i, control, _ in self.derived:
                names = {n: self._resolved(n, None, control, perimeter) for n in self._names(control)}
                seq = first + place * len(self.controls) + i
                subject = Subject("perimeter", perimeter, perimeter)
                whole = not any(isinstance(v, Unknown) for v in names.values())
                bounds = self.bounds(control.id, subject.key)
                values = self._valued(names, bounds, None, control, perimeter)
                gates = (self.estate.declared or whole) and not self.only_trees
                unasked = Unknown("not_observable") if self.only_trees else None
                yield Check(seq, control, subject, values=values, unasked=unasked, gates=gates, bounds=bounds)

    def _valued(
        self, names: Mapping[str, Any], bounds: Sequence[Bound], host: Host | None, control: Control, perimeter: str
    ) -> Mapping[str, Any]:
        """The values of a control's names, and of those that only its bounds name."""
        more = [n for b in bounds for n in named(b.as_long_as, b.expect, b.tolerate) if n not in names]
        return {**names, **{n: self._resolved(n, host, control, perimeter) for n in more}} if more else names

    def questions_of(self, index: int, checks: Sequence[Check] | None = None) -> list[Question]:
        """The probes put to a host or a perimeter, each once: those of its checks, and those that derived probes fold.

        Of a perimeter also what an exemption spares: a replay must know that nothing was declared.
        """
        host = self.subjects[index]
        questions: dict[str, Question] = {}
        if host.connection == "none" or host.barred or _fileless(host):
            return []
        asked = self.checks_of(index) if checks is None else checks
        spared = self._spared_checks(host) if host.connection == RECORDS else ()
        for check in (*asked, *spared):
            if check.unasked is None:
                question = Question(check.control.probe, check.arguments, check.commands)
                questions.setdefault(question.key, question)
        for _, control, derived in self._derived:
            probe = self.probes[derived.over]
            if isinstance(probe, Probe) and host.platform in probe.of(host) and _heard(derived, host):
                arguments = self._over(control, derived)
                commands = self._asked(derived.over, probe, host, arguments)
                questions.setdefault(question_key(derived.over, arguments), Question(derived.over, arguments, commands))
        return list(questions.values())

    def commands_of(self, index: int, questions: Sequence[Question] | None = None) -> tuple[Command, ...]:
        """All that a host is asked, equal commands once, what it is first; nothing when nothing is asked of it."""
        asked = self.questions_of(index) if questions is None else questions
        commands = dict.fromkeys(c for question in asked for c in question.commands.values())
        return (HELLO, *commands) if commands else ()

    def _check(self, seq: int, host: Host, control: Control, probe: Probe) -> Check:
        arguments, commands, values, unasked, gates = self._put(host, control, probe)
        subject = _subject(host)
        bounds = self.bounds(control.id, subject.key)
        values = self._valued(values, bounds, host, control, host.perimeter) if bounds else values
        return Check(seq, control, subject, arguments, commands, values, unasked, gates, bounds)

    def _put(self, host: Host, control: Control, probe: Probe) -> _Put:
        """How a control is put to a host; made once for those that it is put to in the same words."""
        if control.id not in self._of_one:
            self._of_one[control.id] = any(
                name.startswith("host.") for name in (*self._names(control), *named(control.arguments))
            )
        if self._of_one[control.id] or host.barred or host.connection == "none" or _fileless(host):
            return self._worded(host, control, probe)
        key = (control.id, host.platform, host.connection == TREE, host.perimeter)
        if key not in self._puts:
            self._puts[key] = self._worded(host, control, probe)
        return self._puts[key]

    def _worded(self, host: Host, control: Control, probe: Probe) -> _Put:
        values: Mapping[str, Any] = {n: self._resolved(n, host, control, host.perimeter) for n in self._names(control)}
        arguments, unasked = self._arguments(control, host)
        gates = self.estate.declared
        commands: Mapping[str, Command] = {}
        unasked = unasked or next(
            (v for v in values.values() if isinstance(v, Unknown) and v.cause == "nothing_asked"), None
        )
        if host.barred:
            unasked, gates = Unknown("not_authorised", host.barred), True
        elif host.connection == "none":
            unasked, gates = Unknown("not_connected", host.why), True
        elif _fileless(host):
            unasked, gates = Unknown("not_asked", NO_FILES), True
        elif host.platform not in probe.of(host):
            unasked, gates = Unknown("not_observable"), False
        elif unasked is None:
            commands = self._asked(control.probe, probe, host, arguments)
            gates = gates or not any(isinstance(v, Unknown) for v in values.values())
        return arguments, commands, values, unasked, gates

    def _of_records(self, seq: int, host: Host, control: Control, probe: Probe) -> Check:
        """Beside its own arguments, the question is given the day that records are judged on, and who owes the measure."""
        names = {n: self._resolved(n, None, control, host.perimeter) for n in self._names(control)}
        owner = self._owner(str(control.arguments.get("measure", control.measure)))
        arguments = {**control.arguments, "as_of": self.day, "owner": owner}
        subject = Subject("perimeter", host.perimeter, host.perimeter)
        bounds = self.bounds(control.id, subject.key)
        values = self._valued(names, bounds, None, control, host.perimeter)
        commands = self._asked(control.probe, probe, host, arguments)
        return Check(seq, control, subject, arguments, commands, values, bounds=bounds)

    def _declared_on(self, perimeter: str) -> list[tuple[int, Control, Probe]]:
        """The controls that are asked of what people declared of this perimeter."""
        owed = (one for one in self.declared if self._owes(one[1], perimeter))
        return [one for one in owed if not self._spared(one[1], perimeter)]

    def _spared_on(self, perimeter: str) -> tuple[str, ...]:
        """The measures of those that are not, though somebody owes them there."""
        owed = (c for _, c, _ in self.declared if self._owes(c, perimeter))
        return tuple(dict.fromkeys(c.measure for c in owed if self._spared(c, perimeter)))

    def _spared_checks(self, host: Host) -> list[Check]:
        owed = ((i, c, p) for i, c, p in self.declared if self._owes(c, host.perimeter))
        return [self._of_records(i, host, c, p) for i, c, p in owed if self._spared(c, host.perimeter)]

    def _spared(self, control: Control, perimeter: str) -> bool:
        """An exemption says that nothing is asked, and nobody declared anything of it: what is there is judged as ever."""
        if (perimeter, control.measure) not in self.exempted:
            return False
        named = [(what, str(control.arguments[what])) for what in DECLARES if what in control.arguments]
        recorded = self.recorded or self._recorded
        return bool(named) and not any(recorded(what, name, perimeter) for what, name in named)

    def _recorded(self, what: str, name: str, perimeter: str) -> bool:
        if what == "register":
            return any(r.id == name and r.perimeter in ("", perimeter) for r in self.estate.registers)
        return any((a.measure, a.perimeter) == (name, perimeter) for a in self.estate.attestations)

    def _owes(self, control: Control, perimeter: str) -> bool:
        return perimeter in self._owing(control.measure)

    def _owing(self, measure: str) -> tuple[str, ...]:
        return owed_on(self._owner(measure), self.perimeters, self.estate.perimeters)

    def _witnessed(self, seq: int, host: Host, control: Control, probe: DerivedProbe) -> Check:
        values = {n: self._resolved(n, host, control, host.perimeter) for n in self._names(control)}
        arguments, unasked = self._arguments(control, None)
        if not any(_heard(probe, h) for h in self.estate.hosts):
            unasked = Unknown("nothing_asked", f"no host with the role {' or '.join(probe.roles)} is declared")
        gates = self.estate.declared or unasked is None
        if self.only_trees:
            unasked, gates = Unknown("not_observable"), False
        return Check(seq, control, _subject(host), arguments, {}, values, unasked, gates)

    def _over(self, control: Control, probe: DerivedProbe) -> Mapping[str, Any]:
        """The arguments of the question that a derived probe reads: those of the control, where witnesses are asked."""
        return {} if probe.of == "perimeter" else self._arguments(control, None)[0]

    def _names(self, control: Control) -> list[str]:
        if control.id not in self._named:
            self._named[control.id] = named(control.expect, control.tolerate, control.concerns)
        return self._named[control.id]

    def _asked(self, name: str, probe: Probe, host: Host, arguments: Mapping[str, Any]) -> Mapping[str, Command]:
        """Made once for equal arguments: a fleet shares its commands."""
        key = (name, host.platform, host.connection == TREE, repr(sorted(arguments.items())) if arguments else "")
        if key not in self._commands:
            self._commands[key] = probe.of(host)[host.platform].commands(arguments)
        return self._commands[key]

    def _arguments(self, control: Control, host: Host | None) -> tuple[dict[str, Any], Unknown | None]:
        arguments: dict[str, Any] = {}
        for name, given in control.arguments.items():
            value = self._resolved(given[1:], host, control) if is_name(given) else given
            if isinstance(value, Unknown):
                if given in UNSAID:
                    continue
                return arguments, value
            arguments[name] = value
        return arguments, None

    # ------------------------------------------------------------ what nothing is asked of

    def coverage(self) -> Iterator[Coverage]:
        """Hosts without any check, and measures in force that nothing checks on a perimeter that owes them."""
        checked: dict[str, set[str]] = {p: set() for p in self.perimeters}
        for host in self.hosts:
            measures = {c.measure for _, c, _ in self._applying(host)}
            measures |= {c.measure for _, c, _ in self.witnessed if _meant(c, host)}
            checked.setdefault(host.perimeter, set()).update(measures)
            if not measures:
                yield Coverage(_subject(host), "", Unknown("nothing_asked", self._why_none(host)), self.estate.declared)
        for perimeter in self.perimeters:
            checked[perimeter].update(c.measure for _, c, _ in self.derived)
            checked[perimeter].update(c.measure for _, c, _ in self._declared_on(perimeter))
        if self.whole:
            owed = {m: self._owing(m) for m in self.in_force}
            for perimeter in self.perimeters:
                spared = self._spared_on(perimeter)
                known = checked[perimeter].union(spared)
                due = [m for m in self.in_force if perimeter in owed[m] and m not in known]
                yield from self._unchecked(perimeter, due)
                for measure in spared:
                    gap = Unknown("nothing_asked", NO_RECORD_ASKED)
                    yield Coverage(Subject("perimeter", perimeter, perimeter), measure, gap, self.estate.declared)

    def _owner(self, measure: str) -> str:
        known = self.measures.get(measure)
        return known.owner if known else ""

    def _unchecked(self, perimeter: str, measures: Sequence[str]) -> Iterator[Coverage]:
        somewhere = {c.measure for c in self.controls}
        for measure in measures:
            why = "no control applies to a host of this perimeter" if measure in somewhere else "no control checks it"
            subject = Subject("perimeter", perimeter, perimeter)
            yield Coverage(subject, measure, Unknown("nothing_asked", why), self.estate.declared)

    def _why_none(self, host: Host) -> str:
        known = any(isinstance(p, Probe) and _knows(p, host) for p in self.probes.values())
        return "no control applies to it" if known else f"no probe knows the platform {host.platform}"

    def count(self) -> int:
        """How many checks the plan holds."""
        direct = sum(len(self._applying(h)) for h in self.hosts)
        witnessed = sum(1 for h in self.hosts for _, c, _ in self.witnessed if _meant(c, h))
        declared = sum(len(self._declared_on(p)) for p in self.perimeters)
        return direct + witnessed + declared + len(self.perimeters) * len(self.derived)


def _subject(host: Host) -> Subject:
    return Subject("host", host.id, host.perimeter, host.was)


def _applies(control: Control, probe: Probe, host: Host) -> bool:
    return _knows(probe, host) and _meant(control, host)


def _fileless(host: Host) -> bool:
    """Whether files should stand for it, and none were given."""
    return host.connection == TREE and not host.tree


def _knows(probe: Probe, host: Host) -> bool:
    """Of a tree, also what would be asked if the host ran."""
    return host.platform in probe.dialects or host.platform in probe.of(host)


def _meant(control: Control, host: Host) -> bool:
    """Whether `applies_to` names the host."""
    if control.platforms and host.platform not in control.platforms:
        return False
    return not control.roles or bool(set(control.roles) & set(host.roles))


def _heard(probe: DerivedProbe, host: Host) -> bool:
    """Whether a derived probe reads what this host tells."""
    return probe.of == "perimeter" or bool(set(probe.roles) & set(host.roles))
