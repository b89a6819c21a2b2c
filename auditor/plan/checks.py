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
from auditor.kinds import RECORDS, TREE, DerivedProbe, Probe, asked_of
from auditor.model import (
    Bound,
    Check,
    Command,
    Control,
    Estate,
    Host,
    Measure,
    Question,
    Subject,
    Unknown,
    question_key,
)
from auditor.plan.meant import applies, fileless, heard, meant, subject_of
from auditor.plan.names import Meanings
from auditor.plan.owing import Owing, Recorded
from auditor.plan.wording import Wording

Kinds = Mapping[str, Probe | DerivedProbe]


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
    _applied: dict[Any, tuple[tuple[int, Control, Probe], ...]] = field(default_factory=dict, init=False)

    @cached_property
    def _wording(self) -> Wording:
        return Wording(Meanings(self.estate, self.measures, self.until), self._commands, self._named)

    @cached_property
    def owing(self) -> Owing:
        """Who owes what on the perimeters of this plan."""
        return Owing(self.estate, self.measures, self.perimeters, self.exempted, self.recorded)

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
            return [self._of_records(first + i, host, c, p) for i, c, p in self.declared_on(host.perimeter)]
        return [self._check(first + i, host, c, p) for i, c, p in self.applying(host)]

    def applying(self, host: Host) -> tuple[tuple[int, Control, Probe], ...]:
        """The controls asked of a host, each with its place; found once for all that are asked the same way, with its roles."""
        key = (host.platform, host.connection == TREE, host.roles)
        if key not in self._applied:
            self._applied[key] = tuple(one for one in self.direct if applies(one[1], one[2], host))
        return self._applied[key]

    def derived_checks(self) -> Iterator[Check]:
        """What is judged when all hosts are in, in plan order."""
        yield from self.witnessed_checks()
        yield from self.perimeter_checks()

    def witnessed_checks(self) -> Iterator[Check]:
        """The checks of which a witness is asked, host by host; also of hosts that nobody connects to."""
        for index, host in enumerate(self.hosts):
            for i, control, probe in self.witnessed:
                if meant(control, host):
                    yield self._witnessed(index * len(self.controls) + i, host, control, probe)

    def perimeter_checks(self) -> Iterator[Check]:
        first = len(self.hosts) * len(self.controls)
        for place, perimeter in enumerate(self.perimeters):
            for i, control, _ in self.derived:
                names = self._wording.values(control, None, perimeter)
                seq = first + place * len(self.controls) + i
                subject = Subject("perimeter", perimeter, perimeter)
                whole = not any(isinstance(v, Unknown) for v in names.values())
                bounds = self.bounds(control.id, subject.key)
                values = self._wording.with_bounds(names, bounds, None, control, perimeter)
                gates = (self.estate.declared or whole) and not self.only_trees
                unasked = Unknown("not_observable") if self.only_trees else None
                yield Check(seq, control, subject, values=values, unasked=unasked, gates=gates, bounds=bounds)

    def questions_of(self, index: int, checks: Sequence[Check] | None = None) -> list[Question]:
        """The probes put to a host or a perimeter, each once: those of its checks, and those that derived probes fold.

        Of a perimeter also what an exemption spares: a replay must know that nothing was declared.
        """
        host = self.subjects[index]
        questions: dict[str, Question] = {}
        if host.connection == "none" or host.barred or fileless(host):
            return []
        asked = self.checks_of(index) if checks is None else checks
        spared = self._spared_checks(host) if host.connection == RECORDS else ()
        for check in (*asked, *spared):
            if check.unasked is None:
                question = Question(check.control.probe, check.arguments, check.commands)
                questions.setdefault(question.key, question)
        for _, control, derived in self._derived:
            probe = self.probes[derived.over]
            if isinstance(probe, Probe) and host.platform in probe.of(host) and heard(derived, host):
                arguments = self._over(control, derived)
                commands = self._wording.commands(derived.over, probe, host, arguments)
                questions.setdefault(question_key(derived.over, arguments), Question(derived.over, arguments, commands))
        return list(questions.values())

    def commands_of(self, index: int, questions: Sequence[Question] | None = None) -> tuple[Command, ...]:
        """All that a host is asked, equal commands once, what it is first; nothing when nothing is asked of it."""
        asked = self.questions_of(index) if questions is None else questions
        commands = dict.fromkeys(c for question in asked for c in question.commands.values())
        return (HELLO, *commands) if commands else ()

    def _check(self, seq: int, host: Host, control: Control, probe: Probe) -> Check:
        arguments, commands, values, unasked, gates = self._wording.put(host, control, probe)
        subject = subject_of(host)
        bounds = self.bounds(control.id, subject.key)
        values = self._wording.with_bounds(values, bounds, host, control, host.perimeter) if bounds else values
        return Check(seq, control, subject, arguments, commands, values, unasked, gates, bounds)

    def _of_records(self, seq: int, host: Host, control: Control, probe: Probe) -> Check:
        """Beside its own arguments, the question is given the day that records are judged on, and who owes the measure."""
        names = self._wording.values(control, None, host.perimeter)
        owner = self.owing.owner(str(control.arguments.get("measure", control.measure)))
        arguments = {**control.arguments, "as_of": self.day, "owner": owner}
        subject = Subject("perimeter", host.perimeter, host.perimeter)
        bounds = self.bounds(control.id, subject.key)
        values = self._wording.with_bounds(names, bounds, None, control, host.perimeter)
        commands = self._wording.commands(control.probe, probe, host, arguments)
        return Check(seq, control, subject, arguments, commands, values, bounds=bounds)

    def declared_on(self, perimeter: str) -> list[tuple[int, Control, Probe]]:
        """The controls that are asked of what people declared of this perimeter."""
        owed = (one for one in self.declared if self.owing.owes(one[1], perimeter))
        return [one for one in owed if not self.owing.spared(one[1], perimeter)]

    def spared_on(self, perimeter: str) -> tuple[str, ...]:
        """The measures of those that are not, though somebody owes them there."""
        owed = (c for _, c, _ in self.declared if self.owing.owes(c, perimeter))
        return tuple(dict.fromkeys(c.measure for c in owed if self.owing.spared(c, perimeter)))

    def _spared_checks(self, host: Host) -> list[Check]:
        owed = ((i, c, p) for i, c, p in self.declared if self.owing.owes(c, host.perimeter))
        return [self._of_records(i, host, c, p) for i, c, p in owed if self.owing.spared(c, host.perimeter)]

    def _witnessed(self, seq: int, host: Host, control: Control, probe: DerivedProbe) -> Check:
        values = self._wording.values(control, host, host.perimeter)
        arguments, unasked = self._wording.arguments(control, None)
        if not any(heard(probe, h) for h in self.estate.hosts):
            unasked = Unknown("nothing_asked", f"no host with the role {' or '.join(probe.roles)} is declared")
        gates = self.estate.declared or unasked is None
        if self.only_trees:
            unasked, gates = Unknown("not_observable"), False
        return Check(seq, control, subject_of(host), arguments, {}, values, unasked, gates)

    def _over(self, control: Control, probe: DerivedProbe) -> Mapping[str, Any]:
        """The arguments of the question that a derived probe reads: those of the control, where witnesses are asked."""
        return {} if probe.of == "perimeter" else self._wording.arguments(control, None)[0]

    def count(self) -> int:
        """How many checks the plan holds."""
        direct = sum(len(self.applying(h)) for h in self.hosts)
        witnessed = sum(1 for h in self.hosts for _, c, _ in self.witnessed if meant(c, h))
        declared = sum(len(self.declared_on(p)) for p in self.perimeters)
        return direct + witnessed + declared + len(self.perimeters) * len(self.derived)
