"""Records, an estate, the policies and a day in; what is in force, for what, and what is wrong with the rest, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.decisions import proof, risk, what, when, who
from auditor.decisions.context import Context, lateness
from auditor.decisions.places import Covered, covered, places
from auditor.model import (
    Bound,
    Control,
    Estate,
    Host,
    IdleDecision,
    Measure,
    NoteState,
    Outcome,
    Perimeter,
    Signatory,
    StandsBeside,
)
from auditor.records import Action, Adaptation, Decision, DecisionRules, Exemption, Recommendation, Record


@dataclass(frozen=True, slots=True)
class Held:
    """A decision or an action that holds: for which controls and subjects (their keys), and hosts that came later."""

    record: Record
    controls: frozenset[str]
    subjects: frozenset[str]
    later: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class About:
    """What is in force about one control on one subject.

    `decisions` cover it, more than one is one too many; `too_late` name it, but were signed before it was there; `actions`
    are to mend it.
    """

    decisions: tuple[Held, ...] = ()
    too_late: tuple[Held, ...] = ()
    actions: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds on the day `as_of`, and notes on what does not.

    `by_subject`, `later_by_subject`, `actions_by_subject` are places in `held` and `actions`, by the key of a subject.
    """

    held: tuple[Held, ...] = ()
    actions: tuple[Held, ...] = ()
    notes: tuple[IdleDecision, ...] = ()
    by_subject: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    later_by_subject: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    actions_by_subject: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    perimeters: Mapping[str, Perimeter] = field(default_factory=dict)
    recommendations: Mapping[str, Recommendation] = field(default_factory=dict)
    rules: DecisionRules = field(default_factory=DecisionRules)
    auditing_entity: str = ""
    as_of: str = ""
    signatories: tuple[Signatory, ...] = ()

    def about(self, control: str, subject: str) -> tuple[Held, ...]:
        """The decisions that cover a control on a subject; more than one is one too many."""
        return tuple(self.held[i] for i in self.by_subject.get(subject, ()) if control in self.held[i].controls)

    def on(self, subject: str) -> Mapping[str, About]:
        """All that is in force about a subject, by control: for whoever looks at many controls of it in a row."""
        found: dict[str, list[list[Held]]] = {}
        indexes = (self.by_subject, self.later_by_subject, self.actions_by_subject)
        for which, index in enumerate(indexes):
            for place in index.get(subject, ()):
                held = (self.actions if which == 2 else self.held)[place]
                for control in held.controls:
                    found.setdefault(control, [[], [], []])[which].append(held)
        return {control: About(*map(tuple, three)) for control, three in found.items()}

    def matters(self, subject: str, outcome: str | None) -> bool:
        """Whether decisions, or who has to decide, may have to do with a finding: it is open, or its subject is decided on."""
        indexes = (self.by_subject, self.later_by_subject, self.actions_by_subject)
        return outcome in (Outcome.FAIL, Outcome.WARN) or any(subject in index for index in indexes)

    def unasked(self) -> frozenset[tuple[str, str]]:
        """Perimeters, each with a measure that an exemption says nothing needs to be asked about."""
        exemptions = (one.record for one in self.held if isinstance(one.record, Exemption))
        return frozenset((one.perimeter, measure) for one in exemptions for measure in one.unasked_measures)

    def mended_by(self, one: Held) -> bool:
        """It is an action that somebody is at, and not overdue beyond the grace."""
        action = one.record
        if not isinstance(action, Action) or action.status != "open" or action.awaits:
            return False
        return lateness(action.due, self.as_of, self.rules.grace_days) is not Outcome.FAIL

    def bounds(self, control: str, subject: str) -> tuple[Bound, ...]:
        """What the facts of a check are to be held against, for the decisions about it."""
        return tuple(b for one in self.about(control, subject) if (b := bound(one.record, control)))


def bound(record: Record, control: str) -> Bound | None:
    """What a decision asks of the facts of one of its controls; None when nothing."""
    if isinstance(record, Adaptation):
        return Bound(
            record.id,
            record.as_long_as.get(control, {}),
            True,
            record.expect.get(control, {}),
            record.tolerate.get(control, {}),
            record.parameters,
        )
    if isinstance(record, Decision) and control in record.as_long_as:
        return Bound(record.id, record.as_long_as[control])
    return None


def standing(one: Decision) -> StandsBeside:
    by = f"{one.signature.role} ({one.entity})"
    return StandsBeside(one.id, one.kind, by, one.expires, one.justification, one.signature.signed_at)


# ---------------------------------------------------------------- all the records


def in_force(
    records: Sequence[Record],
    estate: Estate,
    controls: Mapping[str, Control],
    measures: Mapping[str, Measure],
    as_of: str,
) -> InForce:
    """`as_of` is a civil day in France, ISO; days compare as text. `controls` are all that exist, by id."""
    at = Context(estate, controls, measures, as_of, places(estate))
    notes: list[IdleDecision] = []
    ended: list[Decision] = []
    holding = [found for one in records if isinstance(one, Decision) and (found := _judged(one, at, notes, ended))]
    held = _renewed(holding, ended, notes)
    actions = [found for one in records if isinstance(one, Action) and (found := _planned(one, at, notes))]
    notes.extend(_duplicates(held))
    return InForce(
        held=tuple(held),
        actions=tuple(actions),
        notes=tuple(notes),
        by_subject=_index([one.subjects for one in held]),
        later_by_subject=_index([one.later for one in held]),
        actions_by_subject=_index([one.subjects for one in actions]),
        perimeters=estate.perimeters,
        recommendations=estate.recommendations,
        rules=estate.rules,
        auditing_entity=estate.auditing_entity,
        as_of=as_of,
        signatories=estate.signatories,
    )


def _index(all_subjects: Sequence[frozenset[str]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for place, subjects in enumerate(all_subjects):
        for subject in subjects:
            found.setdefault(subject, []).append(place)
    return {subject: tuple(indexes) for subject, indexes in found.items()}


def note(one: Record, code: str, detail: str, state: NoteState) -> IdleDecision:
    """What is wrong with a record, by its reason code."""
    return IdleDecision(one.id, code, detail, one.source, one.kind, state, one.perimeter)


def _judged(one: Decision, at: Context, notes: list[IdleDecision], ended: list[Decision]) -> Held | None:
    """The decision with what it covers; None when it is void. What was found goes to `notes`.

    One that was in force, and is void for what happened since, goes to `ended`.
    """
    perimeter = at.estate.perimeters.get(one.perimeter)
    if perimeter is None:
        notes.append(note(one, "R-ORPHAN", f"perimeter {one.perimeter}", "void"))
        return None
    of_scope = covered(one.scope, one.perimeter, at.places)
    held, parts = _parts(one, of_scope, at)
    void = [*_problems(one, perimeter, at)]
    if not (held.subjects and held.controls) and not _unasked(one):
        void += parts or [("R-SCOPE", "-")]
        parts = []
    notes.extend(note(one, code, detail, "void") for code, detail in dict.fromkeys(void))
    if void:
        ended.extend([one] if all(what.since(one, code, detail, at.as_of) for code, detail in void) else [])
        return None
    notes.extend(note(one, code, detail, "part") for code, detail in dict.fromkeys(parts))
    notes.extend(note(one, code, detail, "due") for code, detail in dict.fromkeys(_due(one, perimeter, at)))
    return held


def _unasked(one: Decision) -> bool:
    return isinstance(one, Exemption) and bool(one.unasked_measures or one.unasked_hosts) and not one.controls


def _problems(one: Decision, perimeter: Perimeter, at: Context) -> Iterator[tuple[str, str]]:
    """What makes the record void as a whole."""
    yield from who.owner(one, perimeter, at)
    yield from who.role(one, perimeter, at)
    yield from who.draft(one)
    yield from what.regime(one, perimeter, at)
    yield from what.recommendation(one, at)
    yield from what.notice(one, perimeter, at)
    yield from what.bounds(one, at)
    yield from when.expiry(one, at)
    yield from when.status(one, at)
    yield from risk.level(one, at)
    yield from risk.dpo(one)
    yield from risk.compensated(one, at)
    yield from risk.promised(one, at, Outcome.FAIL)
    yield from proof.evidence(one)


def _due(one: Decision, perimeter: Perimeter, at: Context) -> Iterator[tuple[str, str]]:
    """What somebody has to do about a record that holds."""
    yield from who.mandate_ended(one, perimeter, at)
    yield from what.late_notice(one, perimeter)
    yield from when.review(one, at)
    yield from risk.promised(one, at, Outcome.WARN)


def _parts(one: Decision, scope: Covered, at: Context) -> tuple[Held, list[tuple[str, str]]]:
    """What of the record stands, and what of it lapsed: controls that are gone or ask for more, hosts that moved."""
    found = [*what.orphan(one, at), *(("R-SCOPE", lapse) for lapse in scope.lapsed)]
    if scope.unfrozen:
        found.append(("R-SCOPE", scope.unfrozen))
    if isinstance(one, Exemption):
        found += [("R-SCOPE", f"host {h}") for h in one.unasked_hosts if not _within(h, one.perimeter, at)]
    controls = set()
    for name in dict.fromkeys(one.controls):
        if name not in at.controls:
            continue
        problems = [*what.version(one, at.controls[name]), *_askable(one, at.controls[name], scope, at)]
        found += problems
        if not problems:
            controls.add(name)
    untold = what.unrecommended(one, scope.hosts, at)
    found += [("R-RECO", f"host {host}") for host in sorted(untold)]
    subjects = {f"host:{host}" for host in scope.hosts if host not in untold}
    if one.scope.perimeter and what.of_some_hosts(one, at):
        found.append(("R-RECO", f"perimeter {one.perimeter}"))
    elif one.scope.perimeter:
        subjects.add(f"perimeter:{one.perimeter}")
    later = frozenset(f"host:{host}" for host in scope.later)
    return Held(one, frozenset(controls), frozenset(subjects), later), found


def _within(host: str, perimeter: str, at: Context) -> bool:
    return host in at.places.hosts and at.places.hosts[host].perimeter == perimeter


def _askable(one: Record, control: Control, scope: Covered, at: Context) -> Iterator[tuple[str, str]]:
    """A control is asked of something in the scope: of the perimeter as a whole, or of one of its hosts."""
    if control.of == "perimeter":
        if not one.scope.perimeter:
            yield "R-SCOPE", f"control {control.id}: perimeter {one.perimeter}"
    elif not any(asked_of(control, at.places.hosts[host]) for host in scope.hosts) and (
        scope.hosts or one.scope.perimeter
    ):
        yield "R-SCOPE", f"control {control.id}"


def asked_of(control: Control, host: Host) -> bool:
    """Its platforms and roles are the host's."""
    platform = not control.platforms or host.platform in control.platforms
    return platform and (not control.roles or bool(set(control.roles) & set(host.roles)))


# ---------------------------------------------------------------- records beside one another


def _renewed(holding: Sequence[Held], ended: Iterable[Decision], notes: list[IdleDecision]) -> list[Held]:
    """Without those that a later record supersedes: one of the same kind on the same perimeter, that holds or held.

    When a renewal ends or is revoked, what it took the place of does not come back.
    """
    known = {one.record.id: one.record for one in holding}
    by: dict[str, str] = {}
    for record in sorted((*(one.record for one in holding), *ended), key=lambda one: one.id):
        before = known.get(record.supersedes) if isinstance(record, Decision) else None
        if before is not None and (before.kind, before.perimeter) == (record.kind, record.perimeter):
            by[before.id] = record.id
    kept = [one for one in holding if one.record.id not in by]
    notes.extend(
        note(one.record, "R-STATUS", f"superseded: {by[one.record.id]}", "void")
        for one in holding
        if one.record.id in by
    )
    return kept


def _duplicates(held: Sequence[Held]) -> Iterator[IdleDecision]:
    """Two on one control and subject: neither covers it, since nobody can tell which was meant."""
    twice: dict[int, dict[int, None]] = {}
    for places_ in _index([one.subjects for one in held]).values():
        if len(places_) < 2:
            continue
        by_control: dict[str, list[int]] = {}
        for place in places_:
            for control in held[place].controls:
                by_control.setdefault(control, []).append(place)
        for same in (found for found in by_control.values() if len(found) > 1):
            for place in same:
                twice.setdefault(place, {})[same[0] if place != same[0] else same[1]] = None
    for place, others in sorted(twice.items()):
        names = ", ".join(sorted(held[other].record.id for other in others))
        yield note(held[place].record, "R-DUP", names, "part")


# ---------------------------------------------------------------- actions


def _planned(one: Action, at: Context, notes: list[IdleDecision]) -> Held | None:
    """An action with what it is about; what is wrong with it is noted, and it counts no less for that."""
    if one.perimeter not in at.estate.perimeters:
        notes.append(note(one, "R-ORPHAN", f"perimeter {one.perimeter}", "void"))
        return None
    scope = covered(one.scope, one.perimeter, at.places)
    lapsed = [("R-ORPHAN", f"control {c}") for c in one.controls if c not in at.controls]
    lapsed += [("R-SCOPE", lapse) for lapse in scope.lapsed]
    roles = {s.role for s in at.estate.signatories} | set(at.estate.roles)
    if one.responsible not in roles:
        lapsed.append(("R-ROLE", one.responsible))
    notes.extend(note(one, code, detail, "part") for code, detail in dict.fromkeys(lapsed))
    subjects = {f"host:{host}" for host in (*scope.hosts, *scope.later)}
    if one.scope.perimeter:
        subjects.add(f"perimeter:{one.perimeter}")
    return Held(one, frozenset(c for c in one.controls if c in at.controls), frozenset(subjects))
