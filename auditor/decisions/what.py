"""R-ORPHAN, R-REGIME, R-RECO, R-NOTICE, R-VERSION, R-BOUND: what is decided exists, and the texts let it be decided. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.decisions.context import Context, Found, within
from auditor.model import Control, Measure, Perimeter
from auditor.records import Acceptance, Adaptation, Decision, Exemption, Recommendation

KINDS = {"acceptance": "exclusive", "adaptation": "shared"}  # of perimeter, for each kind that is not for all
FORBIDDEN = ("none", "statutory")  # the regimes in which nothing at all is decided


def orphan(one: Decision, at: Context) -> Found:
    """Controls, and measures of an exemption, that do not exist; the rest of the record stands."""
    for control in one.controls:
        if control not in at.controls:
            yield "R-ORPHAN", f"control {control}"
    for measure in one.unasked_measures if isinstance(one, Exemption) else ():
        if measure not in at.measures:
            yield "R-ORPHAN", f"measure {measure}"


def regime(one: Decision, perimeter: Perimeter, at: Context) -> Found:
    """What the measure's regime says of this kind of perimeter is this kind of decision; an exemption only bows to a ban."""
    if KINDS.get(one.kind, perimeter.kind) != perimeter.kind:
        yield "R-REGIME", f"perimeter {one.perimeter}"
        return
    unasked = one.unasked_measures if isinstance(one, Exemption) else ()
    named = [at.controls[c].measure for c in one.controls if c in at.controls]
    for measure in dict.fromkeys([*named, *unasked]):
        given = at.measures[measure].regime if measure in at.measures else {}
        permitted = given.get(perimeter.kind, "")
        if given and permitted != one.kind and (one.kind != "exemption" or permitted in FORBIDDEN):
            yield "R-REGIME", f"measure {measure}"


def recommendation(one: Decision, at: Context) -> Found:
    """It exists, is about this perimeter and these controls, comes from another entity, and was communicated before."""
    if not isinstance(one, Acceptance):
        return
    given = at.estate.recommendations.get(one.recommendation)
    if given is None or given.perimeter != one.perimeter:
        yield "R-RECO", one.recommendation
        return
    if given.issued_by == at.estate.perimeters[one.perimeter].owner:  # nobody recommends to itself
        yield "R-RECO", f"{given.id}: {given.issued_by}"
    if given.proof is not None and not given.proof.holds:
        yield "R-HASH", f"{given.id}: {given.proof.document}"
    for control in one.controls:
        if control not in given.controls:
            yield "R-RECO", f"{given.id}: control {control}"
    if not given.communicated_at or given.communicated_at > one.signature.signed_at:
        yield "R-RECO", f"{given.id}: {given.communicated_at or '-'} > {one.signature.signed_at}"


def unrecommended(one: Decision, hosts: Iterable[str], at: Context) -> frozenset[str]:
    """Those of the hosts that the recommendation was not written about."""
    return frozenset(hosts).difference(known) if (known := _recommended(one, at)) is not None else frozenset()


def of_some_hosts(one: Decision, at: Context) -> bool:
    """The recommendation is about hosts, and not about the perimeter as a whole."""
    return _recommended(one, at) is not None


def _recommended(one: Decision, at: Context) -> tuple[str, ...] | None:
    given = at.estate.recommendations.get(one.recommendation) if isinstance(one, Acceptance) else None
    return given.hosts if given else None


def notice(one: Decision, perimeter: Perimeter, at: Context) -> Found:
    """Every beneficiary was told; until the day that the last one was, nothing is adapted."""
    if not isinstance(one, Adaptation):
        return
    told = {n.entity: n.at for n in sorted(one.informed, key=lambda n: n.at, reverse=True)}
    for entity in perimeter.beneficiaries:
        if entity not in told:
            yield "R-NOTICE", entity
        elif told[entity] > at.as_of:
            yield "R-NOTICE", f"{entity}: {told[entity]}"


def late_notice(one: Decision, perimeter: Perimeter) -> Found:
    """It holds now, and did not between taking effect and the notice."""
    if isinstance(one, Adaptation):
        for told in one.informed:
            if told.entity in perimeter.beneficiaries and told.at > one.signature.effective_from:
                yield "R-NOTICE", f"{told.entity}: {told.at} > {one.signature.effective_from}"


def version(one: Decision, control: Control) -> Found:
    """A control that asks for more than when it was signed is to be decided anew; no revision given is the first."""
    signed = one.revisions.get(control.id, 1)
    if control.revision > signed:
        yield "R-VERSION", f"control {control.id}: {signed} < {control.revision}"
    if control.revision < signed:  # else what is asked could be raised to there, and nobody decide anew
        yield "R-ORPHAN", f"control {control.id}: revision {signed} > {control.revision}"


def since(one: Decision, code: str, detail: str, as_of: str) -> bool:
    """Whether what makes a record void came after it was in force: it ended, was revoked or altered, or lost its ground."""
    if code == "R-EXPIRY":
        return detail == one.expires < as_of
    if code == "R-STATUS":
        return one.status in ("revoked", "superseded")
    if code == "R-HASH":
        return detail != "-"
    return code in ("R-COMP", "R-VERSION") or (code == "R-SCOPE" and not detail.startswith(("-", "frozen:")))


def bounds(one: Decision, at: Context) -> Found:
    """What bounds or adapts is about controls of the record, and an adaptation about parameters of its measure."""
    for control in one.as_long_as:
        if control not in one.controls:
            yield "R-BOUND", f"as_long_as: control {control}"
    if isinstance(one, Adaptation):
        yield from _adapted(one, at)


def _adapted(one: Adaptation, at: Context) -> Found:
    measure = at.measures.get(one.measure)
    if measure is None:
        yield "R-ORPHAN", f"measure {one.measure}"
        return
    for control in one.controls:
        if control in at.controls and at.controls[control].measure != one.measure:
            yield "R-BOUND", f"control {control}: measure {at.controls[control].measure}"
    for control in (*one.expect, *one.tolerate):
        if control not in one.controls:
            yield "R-BOUND", f"adapted: control {control}"
    yield from _parameters(one, measure)


def _parameters(one: Adaptation, measure: Measure) -> Found:
    for name in one.parameters:
        if name not in measure.parameters:
            yield "R-BOUND", f"{measure.id}: ${name}"
    for name, value in one.original.items():
        if measure.parameters.get(name) != value:
            yield "R-VERSION", f"{measure.id}: ${name} {_shown(value)} / {_shown(measure.parameters.get(name))}"


def _shown(value: Any) -> str:
    return "-" if value is None else str(value)


def communicated(
    recommendations: Mapping[str, Recommendation], perimeter: str, control: str, as_of: str
) -> tuple[Recommendation, ...]:
    """The recommendations about a control on a perimeter that its owner was told of by the day."""
    found = (r for r in recommendations.values() if r.perimeter == perimeter and control in r.controls)
    return tuple(r for r in found if r.communicated_at and within(as_of, r.communicated_at, ""))


def drafted(recommendations: Mapping[str, Recommendation], perimeter: str, control: str) -> str:
    """The first one, told of or not; empty where there is none."""
    found = (r.id for r in recommendations.values() if r.perimeter == perimeter and control in r.controls)
    return next(found, "")
