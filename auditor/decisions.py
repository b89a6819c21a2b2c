"""Which acceptances are in force on a day, and why the others are not, as reason codes. Pure.

R-OWNER   the signatory's entity, and the record's, must own the perimeter
R-ROLE    the role must have been entitled to sign on the day
R-REGIME  only an exclusive perimeter's residual risk is accepted (article 5.2); shared targets are adapted, and a measure
          whose regime knows no acceptance there has none
R-RECO    the recommendation must have been communicated before the signature
R-EXPIRY  the last day is inclusive, in France; there is always one
R-SCOPE   every host and zone of the scope exists, and the hosts are part of the perimeter; a control that is asked of a
          whole perimeter has no hosts, and cannot be accepted host by host; every control is asked of some host of it
R-ORPHAN  the perimeter, and every control, exists
R-STATUS  only an active record covers anything, from the day it takes effect
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.model import Acceptance, Control, Estate, Host, IdleDecision, Measure


@dataclass(frozen=True, slots=True)
class InForce:
    """The acceptances that hold, what they cover by (control, host id), and all that are void, with why.

    `covering` is the one that speaks for a finding, `covered_by` the ids of all that cover it.
    """

    holding: tuple[Acceptance, ...]
    covering: Mapping[tuple[str, str], Acceptance]
    void: tuple[IdleDecision, ...]
    covered_by: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)


def in_force(
    acceptances: Sequence[Acceptance],
    estate: Estate,
    controls: Mapping[str, Control],
    measures: Mapping[str, Measure],
    as_of: str,
) -> InForce:
    """`as_of` is a civil date in France, ISO; dates compare as text. `controls` are all that exist, by id."""
    covering: dict[tuple[str, str], Acceptance] = {}
    covered_by: dict[tuple[str, str], frozenset[str]] = {}
    void: list[IdleDecision] = []
    holding: list[Acceptance] = []
    for one in acceptances:
        problems = [*_problems(one, estate, controls, as_of), *_regime(one, estate, controls, measures)]
        if problems:
            void.extend(IdleDecision(one.id, code, detail, one.source) for code, detail in problems)
            continue
        holding.append(one)
        for host in _covered(one, estate):
            for key in ((control, host.id) for control in one.controls):
                _cover(covering, key, one)
                covered_by[key] = covered_by.get(key, frozenset()) | {one.id}
    return InForce(tuple(holding), covering, tuple(void), covered_by)


def _covered(one: Acceptance, estate: Estate) -> list[Host]:
    return [
        host
        for host in estate.hosts
        if host.perimeter == one.perimeter and (host.id in one.hosts or (host.zone and host.zone in one.zones))
    ]


def _cover(covering: dict[tuple[str, str], Acceptance], key: tuple[str, str], one: Acceptance) -> None:
    """Where two hold for the same finding, the later signature speaks; equal ones by id, so that order never matters."""
    first = covering.get(key)
    if first is None or (first.signed_at, first.id) < (one.signed_at, one.id):
        covering[key] = one


def _problems(
    one: Acceptance, estate: Estate, controls: Mapping[str, Control], as_of: str
) -> Iterator[tuple[str, str]]:
    perimeter = estate.perimeters.get(one.perimeter)
    if perimeter is None:
        yield "R-ORPHAN", f"perimeter {one.perimeter}"
        return
    for control in one.controls:
        if control not in controls:
            yield "R-ORPHAN", f"control {control}"
        elif controls[control].of == "perimeter":
            yield "R-SCOPE", f"control {control}: perimeter {one.perimeter}"
        elif (hosts := _covered(one, estate)) and not any(_asked_of(controls[control], host) for host in hosts):
            yield "R-SCOPE", f"control {control}"
    if one.owner_entity != perimeter.owner:
        yield "R-OWNER", f"{one.owner_entity} / {perimeter.owner}"
    yield from _signature(one, estate, perimeter.owner)
    if one.communicated_at > one.signed_at:
        yield "R-RECO", f"{one.communicated_at} > {one.signed_at}"
    if one.expires < as_of:
        yield "R-EXPIRY", one.expires
    if one.status != "active" or one.effective_from > as_of or one.signed_at > as_of:
        yield "R-STATUS", one.status if one.status != "active" else max(one.effective_from, one.signed_at)
    yield from _scope(one, estate)


def _asked_of(control: Control, host: Host) -> bool:
    platform = not control.platforms or host.platform in control.platforms
    return platform and (not control.roles or bool(set(control.roles) & set(host.roles)))


def _regime(
    one: Acceptance, estate: Estate, controls: Mapping[str, Control], measures: Mapping[str, Measure]
) -> Iterator[tuple[str, str]]:
    perimeter = estate.perimeters.get(one.perimeter)
    if perimeter is None:
        return
    if perimeter.kind != "exclusive":
        yield "R-REGIME", f"perimeter {one.perimeter}"
        return
    for measure in dict.fromkeys(controls[c].measure for c in one.controls if c in controls):
        regime = measures[measure].regime if measure in measures else {}
        if regime and regime.get(perimeter.kind) != "acceptance":
            yield "R-REGIME", f"measure {measure}"


def _signature(one: Acceptance, estate: Estate, owner: str) -> Iterator[tuple[str, str]]:
    mandates = [s for s in estate.signatories if s.role == one.role]
    if not any(s.entity == owner for s in mandates):
        entities = ", ".join(dict.fromkeys(s.entity for s in mandates)) or "?"
        yield "R-OWNER", f"{one.role} ({entities}) / {owner}"
        return
    day = one.signed_at
    if not any(s.entity == owner and s.since <= day and (not s.until or day <= s.until) for s in mandates):
        yield "R-ROLE", f"{one.role} {day}"


def _scope(one: Acceptance, estate: Estate) -> Iterator[tuple[str, str]]:
    hosts = {h.id: h for h in estate.hosts}
    for name in one.hosts:
        if name not in hosts:
            yield "R-SCOPE", f"host {name}"
        elif hosts[name].perimeter != one.perimeter:
            yield "R-SCOPE", f"host {name}: perimeter {hosts[name].perimeter}"
    for name in one.zones:
        if name not in estate.zones:
            yield "R-SCOPE", f"zone {name}"
        elif not any(h.zone == name and h.perimeter == one.perimeter for h in estate.hosts):
            yield "R-SCOPE", f"zone {name}: perimeter {one.perimeter}"
