"""Findings and what is in force in; findings with the decision that stands beside them, and what is to be done, out. Pure.

A decision never changes an outcome, and never stands beside what was not seen. One or two passes; what is remembered
follows the decisions, not the findings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from auditor.decisions import About, Held, InForce
from auditor.decisions.context import lateness, within
from auditor.decisions.in_force import note, standing
from auditor.decisions.what import communicated, drafted
from auditor.decisions.who import adviser
from auditor.model import (
    SEVERITIES,
    ActionSeen,
    BoundSeen,
    Coverage,
    Finding,
    IdleDecision,
    Outcome,
    Reason,
    Severity,
    StandsBeside,
    Subject,
    Suspended,
    ToDo,
    Unknown,
)
from auditor.records import Action, Adaptation, Decision, Exemption, Recommendation

OPEN = (Outcome.FAIL, Outcome.WARN)
BETTER = (Outcome.PASS, Outcome.WARN, Outcome.FAIL)
NAMED = 5  # subjects that something to do names

NOTHING = About()

Findings = Callable[[], Iterable[Finding]]
Outcomes = dict[tuple[str, str], Outcome | None]


@dataclass(slots=True)
class _Wanted:
    """Open findings of one control on one perimeter that nobody decided about."""

    severity: Severity
    findings: int = 0
    subjects: list[str] = field(default_factory=list)
    untold: int = 0  # of them, those that no communicated recommendation is about
    untold_subjects: list[str] = field(default_factory=list)


class Reconciled:
    """What findings and decisions come to together: `beside` is read once, in order; the rest is known after it."""

    def __init__(self, findings: Findings, decided: InForce, mattering: Findings) -> None:
        self._findings, self._mattering = findings, mattering
        self._decided = decided
        self._advised = {p.id: p for p in decided.perimeters.values() if adviser(p, decided.auditing_entity)}
        self._seen: Counter[str] = Counter()  # covered findings that this run holds, by decision
        self._needed: set[str] = set()
        self._open: Counter[str] = Counter()  # open findings, by action
        self._wanted: dict[tuple[str, str], _Wanted] = {}
        self._hosts_of: dict[str, frozenset[str]] = {}  # by recommendation
        self._recommended: dict[tuple[str, str], Sequence[Recommendation]] = {}
        self._later: dict[str, dict[str, None]] = {}
        self._subject: Subject | None = None
        self._on: Mapping[str, About] = {}  # what is in force about that subject

    def beside(self) -> Iterator[Finding]:
        """The findings that reconciliation changes something of, in order."""
        outcomes = _outcomes(self._findings, self._decided)
        for before in self._mattering():
            after = self._reconciled(before, outcomes)
            if after is not before:
                yield after

    def _reconciled(self, finding: Finding, outcomes: Outcomes) -> Finding:
        held = self._about(finding)
        for one in held.decisions:
            self._seen[one.record.id] += 1
            if finding.outcome not in (Outcome.PASS, None):
                self._needed.add(one.record.id)
        if finding.outcome not in OPEN:
            return replace(finding, bounds=()) if finding.bounds else finding
        found = _judged(finding, held.decisions, outcomes)
        if found.decision is None:
            self._want(finding, held.actions)
        if held is NOTHING and not finding.bounds:
            return finding
        for one in held.too_late:
            self._later.setdefault(one.record.id, {})[finding.subject.id] = None
        suspended = (*found.suspended, *(_suspended(one, "R-LATER") for one in held.too_late))
        actions = tuple(one.record.id for one in held.actions)
        self._open.update(actions)
        return replace(found, suspended=suspended, actions=actions, bounds=())

    def _about(self, finding: Finding) -> About:
        """What is in force about it; nothing is decided on another's perimeter, whatever a record says."""
        subject = finding.subject
        if subject != self._subject:
            self._subject, self._on = subject, self._decided.on(subject.key)
        found = self._on.get(finding.control)
        if found is None:
            return NOTHING
        held = (found.decisions, found.too_late, found.actions)
        if all(one.record.perimeter == subject.perimeter for three in held for one in three):
            return found
        return About(*(tuple(one for one in three if one.record.perimeter == subject.perimeter) for three in held))

    # ------------------------------------------------------------ what is to be done

    def _want(self, finding: Finding, planned: Iterable[Held]) -> None:
        """Who owns what another operates or advises is to decide, unless somebody is mending it in time."""
        perimeter = self._advised.get(finding.subject.perimeter)
        if perimeter is None or any(self._decided.mended_by(one) for one in planned):
            return
        wanted = self._wanted.setdefault((perimeter.id, finding.control), _Wanted(finding.severity))
        wanted.findings += 1
        if len(wanted.subjects) < NAMED:
            wanted.subjects.append(finding.subject.id)
        if not any(self._is_about(one, finding.subject) for one in self._told(perimeter.id, finding.control)):
            wanted.untold += 1
            if len(wanted.untold_subjects) < NAMED:
                wanted.untold_subjects.append(finding.subject.id)

    def _is_about(self, one: Recommendation, subject: Subject) -> bool:
        """It was written about the perimeter, whatever it holds, or about this host."""
        if one.hosts is None:
            return True
        if one.id not in self._hosts_of:
            self._hosts_of[one.id] = frozenset(one.hosts)
        return subject.kind == "host" and subject.id in self._hosts_of[one.id]

    def _told(self, perimeter: str, control: str) -> Sequence[Recommendation]:
        """The recommendations about a control on a perimeter that were communicated by the day."""
        key = (perimeter, control)
        if key not in self._recommended:
            known = self._decided.recommendations
            self._recommended[key] = communicated(known, perimeter, control, self._decided.as_of)
        return self._recommended[key]

    def _late(self, action: Action) -> Outcome:
        due = action.due if action.status == "open" else ""
        return lateness(due, self._decided.as_of, self._decided.rules.grace_days)

    def to_do(self) -> tuple[ToDo, ...]:
        """For each control open on another's perimeter: its owner decides, its adviser communicates what it has not yet."""
        found = []
        for (place, control), wanted in self._wanted.items():
            perimeter = self._decided.perimeters[place]
            told = self._told(place, control) if wanted.untold < wanted.findings else ()
            known = told[0].id if told else drafted(self._decided.recommendations, place, control)
            since = told[0].communicated_at if told else ""
            subjects, roles = tuple(wanted.subjects), self._may_accept(perimeter.owner)
            decide = ToDo("decide", perimeter.owner, place, control, wanted.severity, wanted.findings, subjects, known,
                          since, roles)  # fmt: skip
            found.append(decide)
            if wanted.untold:
                who = adviser(perimeter, self._decided.auditing_entity)
                found.append(
                    replace(
                        decide, what="communicate", entity=who, findings=wanted.untold,
                        subjects=tuple(wanted.untold_subjects), communicated_at="", signatories=(),
                    )
                )  # fmt: skip
        return tuple(sorted(found, key=lambda one: -SEVERITIES.index(one.severity)))

    def _may_accept(self, entity: str) -> tuple[str, ...]:
        """The roles with a mandate of the day to accept a risk for the entity."""
        mandates = (s for s in self._decided.signatories if s.entity == entity and "acceptance" in s.may)
        day = self._decided.as_of
        return tuple(dict.fromkeys(s.role for s in mandates if within(day, s.since, s.until)))

    def actions(self) -> tuple[ActionSeen, ...]:
        """Every action, the latest first."""
        seen = [self._action(one.record) for one in self._decided.actions if isinstance(one.record, Action)]
        return tuple(sorted(seen, key=lambda one: (-BETTER.index(one.late), one.due, one.id)))

    def _action(self, one: Action) -> ActionSeen:
        return ActionSeen(
            one.id, one.perimeter, one.controls, one.text, one.responsible, one.due, one.status, self._late(one),
            self._open[one.id], one.ticket, one.raised_by, one.awaits,
        )  # fmt: skip

    def notes(self) -> tuple[IdleDecision, ...]:
        """What is wrong with decisions: the void ones, what of others lapsed or is due, and those that nothing needs."""
        return (*self._decided.notes, *self._came_later(), *self._idle())

    def _came_later(self) -> Iterator[IdleDecision]:
        for one in self._decided.held:
            hosts = self._later.get(one.record.id)
            if hosts:
                names = ", ".join(list(hosts)[:NAMED]) + (", …" if len(hosts) > NAMED else "")
                yield note(one.record, "R-LATER", names, "part")

    def _idle(self) -> Iterator[IdleDecision]:
        """A decision is idle when all it covers was measured and nothing of it fails: a host outside this run may well fail."""
        for one in self._decided.held:
            whole = len(one.controls) * len(one.subjects)
            if whole and self._seen[one.record.id] == whole and one.record.id not in self._needed:
                yield note(one.record, "R-IDLE", "", "idle")
        for one in self._decided.actions:
            action = one.record
            mended = isinstance(action, Action) and action.status == "done" and not action.awaits
            if mended and self._open[action.id]:
                yield note(one.record, "R-STATUS", "done", "due")

    # ------------------------------------------------------------ what nothing is asked of

    def coverage(self, gaps: Iterable[Coverage]) -> Iterator[Coverage]:
        """The same, with the exemption that says why nothing needs to be asked; such a one gates no more."""
        measures: dict[tuple[str, str], StandsBeside] = {}
        hosts: dict[tuple[str, str], StandsBeside] = {}
        for one in sorted((h.record for h in self._decided.held), key=lambda r: r.id, reverse=True):
            if isinstance(one, Exemption):
                measures.update({(one.perimeter, measure): standing(one) for measure in one.unasked_measures})
                hosts.update({(one.perimeter, host): standing(one) for host in one.unasked_hosts})
        for gap in gaps:
            table, name = (measures, gap.measure) if gap.measure else (hosts, gap.subject.id)
            beside = table.get((gap.subject.perimeter, name))
            yield replace(gap, decision=beside, gates=False) if beside else gap


def reconcile(findings: Findings, decided: InForce, mattering: Findings | None = None) -> Reconciled:
    """`findings` is called for each pass over them, in plan order; `mattering` gives of them no less than InForce.matters."""
    return Reconciled(findings, decided, mattering or findings)


# ---------------------------------------------------------------- one finding


def _judged(finding: Finding, held: tuple[Held, ...], outcomes: Outcomes) -> Finding:
    """The finding with the one decision that stands, or with why those that are about it do not."""
    if len(held) != 1:
        names = ", ".join(one.record.id for one in held)
        return replace(finding, suspended=tuple(_suspended(one, "R-DUP", names) for one in held)) if held else finding
    (one,) = held
    record = one.record
    assert isinstance(record, Decision)
    why = _uncompensated(record, finding, outcomes)
    seen = next((b for b in finding.bounds if b.decision == record.id), None)
    suspended = Suspended(record.id, record.kind, "R-COMP", why) if why else _unbounded(record, finding, seen)
    if suspended:
        return replace(finding, suspended=(suspended,))
    adapted = seen.adapted if seen and isinstance(record, Adaptation) else None
    return replace(finding, decision=standing(record), adapted=adapted)


def _uncompensated(record: Decision, finding: Finding, outcomes: Outcomes) -> str:
    """The first control that compensates and does not pass, or was not seen."""
    for place in record.compensated_by:
        for key in _keys(place.control, place.on, finding.subject.key):
            if outcomes.get(key) is Outcome.PASS:
                break
        else:
            return f"{place.control}: {place.on}" if place.on else place.control
    return ""


def _unbounded(record: Decision, finding: Finding, seen: BoundSeen | None) -> Suspended | None:
    """Why a decision that is bound to the facts does not stand: they are worse, nobody could tell, or were not looked at."""
    asks = isinstance(record, Adaptation) or finding.control in record.as_long_as
    if not asks:
        return None
    if seen is None:
        return Suspended(record.id, record.kind, "R-BOUND", "", (Reason("", "", cause=Unknown("not_asked")),))
    if seen.holds is not True:
        return Suspended(record.id, record.kind, "R-BOUND", "", seen.reasons)
    if isinstance(record, Adaptation) and not _loosens(seen.adapted, finding.outcome):
        return Suspended(record.id, record.kind, "R-BOUND", "", seen.reasons)
    return None


def _loosens(adapted: Outcome | None, outcome: Outcome | None) -> bool:
    """An adapted target that nobody could tell about, or that is missed by more than the convention's own, is none."""
    return adapted in BETTER and outcome in BETTER and BETTER.index(adapted) <= BETTER.index(outcome)


def _suspended(one: Held, code: str, detail: str = "") -> Suspended:
    return Suspended(one.record.id, one.record.kind, code, detail)


# ---------------------------------------------------------------- what compensates


def _outcomes(findings: Findings, decided: InForce) -> Outcomes:
    """The outcomes of the controls that decisions name as compensation; a pass of its own, only where there are some."""
    wanted: set[tuple[str, str]] = set()
    for one in decided.held:
        for place in one.record.compensated_by if isinstance(one.record, Decision) else ():
            for subject in one.subjects if not place.on else ("",):
                wanted.update(_keys(place.control, place.on, subject))
    if not wanted:
        return {}
    controls = {control for control, _ in wanted}
    seen = ((f.control, f.subject.key, f.outcome) for f in findings() if f.control in controls)
    return {(control, subject): outcome for control, subject, outcome in seen if (control, subject) in wanted}


def _keys(control: str, on: str, subject: str) -> tuple[tuple[str, str], ...]:
    """Where the outcome may be found: a name stands for a host, or for a perimeter."""
    return ((control, f"host:{on}"), (control, f"perimeter:{on}")) if on else ((control, subject),)
