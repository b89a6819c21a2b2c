"""A run and an entity in; the run as that entity may see it out, so that no format filters by itself. Pure.

It sees its own perimeters, and the shared ones that it benefits from or operates. What those say of another's assets is
withheld: a text of a host that names one is replaced whole, since it may tell more of it than its name; in what people
wrote only the name is. What nothing tells the owner of is withheld too, and leaves the run partial: it may be one's own.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from auditor.document import finding_from_plain, finding_to_plain
from auditor.model import (
    ActionSeen,
    Control,
    Coverage,
    Entity,
    Finding,
    Header,
    HostSeen,
    IdleDecision,
    Measure,
    Perimeter,
    Reason,
    Run,
    Sketch,
    StandsBeside,
    Suspended,
    ToDo,
    Trusted,
    Unknown,
)
from auditor.view.names import Names


def sees(entity: str, perimeter: Perimeter) -> bool:
    """Whether the entity owns it, or benefits from it or operates it where it is shared."""
    shared = perimeter.kind == "shared" and entity in (*perimeter.beneficiaries, perimeter.operated_by)
    return shared or perimeter.owner == entity


def entities(run: Run) -> tuple[str, ...]:
    """Those that some perimeter of the run can be seen by."""
    named = ((p.owner, *((*p.beneficiaries, p.operated_by) if p.kind == "shared" else ())) for p in _perimeters(run))
    return tuple(dict.fromkeys(name for name in chain.from_iterable(named) if name))


def _perimeters(run: Run) -> Iterable[Perimeter]:
    return run.perimeters.values()


def view(run: Run, entity: str) -> Run:
    """Reads the run once for names, then filters as it is read; memory follows the names of hosts."""
    return _View(run, entity)


def _is_of(source: str, name: str) -> bool:
    """Whether a file that a digest names is the one that a control is of, which may be said by its whole path."""
    whole = source.startswith("/") and source.endswith("/" + name.removeprefix("auditor/"))
    return source == name or whole


@dataclass(slots=True)
class _Seen:
    """What one pass over the run tells: who is whose, how much there is, and what is not to be named."""

    names: Names = field(default_factory=Names)
    where: dict[str, str] = field(default_factory=dict)  # host -> perimeter
    controls: set[str] = field(default_factory=set)  # of what is visible
    visible: int = 0
    told: int = 0


class _View(Run):
    def __init__(self, run: Run, entity: str) -> None:
        self._run = run
        self._visible = frozenset(p.id for p in _perimeters(run) if sees(entity, p))
        seen = self._looked()
        self._names = seen.names
        self._hosts = frozenset(h for h, perimeter in seen.where.items() if perimeter in self._visible)
        self.perimeters = {name: p for name, p in run.perimeters.items() if name in self._visible}
        self.controls: Mapping[str, Control] = {n: c for n, c in run.controls.items() if n in seen.controls}
        self.measures: Mapping[str, Measure] = run.measures
        self.entities: Mapping[str, Entity] = self._organisations(entity)
        self.since = None
        self.header = self._header(entity, seen)

    # ------------------------------------------------------------ the pass before

    def _looked(self) -> _Seen:
        seen = _Seen()
        for finding in self._run.findings():
            seen.told += 1
            self._look(finding, seen)
        for gap in self._run.coverage():
            self._place(gap, seen)
        self._look_at_decided(seen)
        for host in self._run.hosts():
            perimeter = seen.where.get(host.host, "")
            names = (host.host, host.was, *host.known_as, *host.identity.split())
            self._name(perimeter, seen.names, *names)
        for name in self._run.perimeters:
            self._name(name, seen.names, name)
        seen.names.show(*(name for p in _perimeters(self._run) for name in (p.owner, *p.beneficiaries)))
        return seen

    def _look(self, finding: Finding, seen: _Seen) -> None:
        subject, beside = finding.subject, finding.decision
        ids = (*finding.actions, *(s.id for s in finding.suspended), *((beside.id,) if beside else ()))
        self._name(subject.perimeter, seen.names, *ids)
        if subject.kind == "host" and subject.id not in seen.where:
            seen.where[subject.id] = subject.perimeter
            self._name(subject.perimeter, seen.names, subject.id, subject.was)
        if subject.perimeter in self._visible:
            seen.visible += 1
            seen.controls.add(finding.control)

    def _place(self, gap: Coverage, seen: _Seen) -> None:
        subject = gap.subject
        if subject.kind == "host":
            seen.where.setdefault(subject.id, subject.perimeter)
            self._name(subject.perimeter, seen.names, subject.id, subject.was)
        if gap.decision:
            self._name(subject.perimeter, seen.names, gap.decision.id)

    def _look_at_decided(self, seen: _Seen) -> None:
        for idle in self._run.idle():
            self._name(idle.perimeter, seen.names, idle.id)
        for action in self._run.actions():
            self._name(action.perimeter, seen.names, action.id)
            if action.perimeter in self._visible:
                seen.controls.update(action.controls)
        for wanted in self._run.to_do():
            self._name(wanted.perimeter, seen.names, wanted.recommendation, *wanted.subjects)
            if wanted.perimeter in self._visible:
                seen.controls.add(wanted.control)

    def _name(self, perimeter: str, names: Names, *ids: str) -> None:
        if perimeter in self._visible:
            names.show(*ids)
        else:
            known = self._run.perimeters.get(perimeter)
            names.hide(known.owner if known else "", *ids)

    # ------------------------------------------------------------ the head

    def _header(self, entity: str, seen: _Seen) -> Header:
        header = self._run.header
        hosts = heard = 0
        for host in self._run.hosts():
            heard += 1
            hosts += host.host in self._hosts
        placed = all(host.host in seen.where for host in self._run.hosts())
        lost = heard < header.hosts_expected or seen.told < header.checks_planned or not placed
        shown = {control.source.rpartition(":")[0] for control in self.controls.values()}
        return replace(
            header,
            state="partial" if lost and header.state == "complete" else header.state,
            estate=entity,
            seen_by=entity,
            hosts_expected=hosts,
            hosts_inventoried=hosts,
            checks_planned=seen.visible,
            limit="",
            place="",
            policies=tuple(map(self._names.written, header.policies)),
            trusted=self._trusted(header.trusted),
            legacy=tuple(host for host in header.legacy if host in self._hosts),
            digests={n: d for n, d in header.digests.items() if n == "collector" or any(_is_of(s, n) for s in shown)},
        )

    def _trusted(self, trusted: Trusted | None) -> Trusted | None:
        """Of what a change touches, the controls and measures of this view: whose another thing is, nothing tells."""
        if trusted is None:
            return None
        known: Mapping[str, Container[str]] = {"control": self.controls, "measure": self.measures}
        kept = tuple(one for one in trusted.touched if one.name in known.get(one.kind, ()))
        return replace(trusted, ref=self._names.written(trusted.ref), touched=kept)

    def _organisations(self, entity: str) -> Mapping[str, Entity]:
        named = {entity, *(n for p in self.perimeters.values() for n in (p.owner, p.operated_by, *p.beneficiaries))}
        return {name: one for name, one in self._run.entities.items() if name in named}

    # ------------------------------------------------------------ the iterators

    def findings(self) -> Iterator[Finding]:
        return (self._finding(f) for f in self._run.findings() if f.subject.perimeter in self._visible)

    def sketches(self) -> Iterator[Sketch]:
        for sketch in self._run.sketches():
            plain = json.loads(sketch.doc)
            if plain["subject"]["perimeter"] in self._visible:
                shown = finding_to_plain(self._finding(finding_from_plain(sketch.seq, plain)))
                yield replace(sketch, doc=json.dumps(shown, separators=(",", ":")))

    def hosts(self) -> Iterator[HostSeen]:
        for host in self._run.hosts():
            if host.host in self._hosts:
                yield replace(host, failure=self._unknown(host.failure) if host.failure else None)

    def idle(self) -> Iterator[IdleDecision]:
        for idle in self._run.idle():
            if idle.perimeter in self._visible:
                source = self._names.written(idle.source)
                yield replace(idle, detail=self._names.written(idle.detail), source=source)

    def coverage(self) -> Iterator[Coverage]:
        for gap in self._run.coverage():
            if gap.subject.perimeter in self._visible:
                yield replace(gap, cause=self._unknown(gap.cause), decision=self._beside(gap.decision))

    def actions(self) -> Iterator[ActionSeen]:
        written = self._names.written
        for one in self._run.actions():
            if one.perimeter in self._visible:
                text, ticket, raised_by = written(one.text), written(one.ticket), written(one.raised_by)
                yield replace(one, text=text, ticket=ticket, raised_by=raised_by)

    def to_do(self) -> Iterator[ToDo]:
        return (one for one in self._run.to_do() if one.perimeter in self._visible)

    # ------------------------------------------------------------ one of them

    def _finding(self, finding: Finding) -> Finding:
        return replace(
            finding,
            reasons=self._reasons(finding.reasons),
            untold=self._reasons(finding.untold),
            decision=self._beside(finding.decision),
            suspended=tuple(map(self._suspended, finding.suspended)),
            bounds=(),
        )

    def _reasons(self, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
        return tuple(
            replace(
                reason,
                wanted=self._value(reason.wanted),
                observed=self._value(reason.observed),
                element=self._names.told(reason.element),
                cause=self._unknown(reason.cause) if reason.cause else None,
            )
            for reason in reasons
        )

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._names.told(value)
        if isinstance(value, Mapping):
            return {self._value(key): self._value(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._value(one) for one in value)
        return value

    def _unknown(self, unknown: Unknown) -> Unknown:
        return replace(unknown, detail=self._names.told(unknown.detail))

    def _beside(self, decision: StandsBeside | None) -> StandsBeside | None:
        return replace(decision, why=self._names.written(decision.why)) if decision else None

    def _suspended(self, one: Suspended) -> Suspended:
        return replace(one, detail=self._names.written(one.detail), reasons=self._reasons(one.reasons))
