"""R-OWNER, R-ROLE, R-DRAFT: who signs answers for the perimeter, was entitled on the day, and is not who drafted. Pure."""

from __future__ import annotations

from typing import Literal

from auditor.decisions.context import Context, Found, deciders, within
from auditor.decisions.places import places
from auditor.model import Estate, Perimeter
from auditor.records import Attestation, Decision, Delegation, Signature

Attests = Literal["", "answers", "benefits"]


def owner(one: Decision, perimeter: Perimeter, at: Context) -> Found:
    """Today and at the signature: a perimeter that changed hands takes no decision of its former owner with it."""
    entitled = deciders(one.kind, perimeter)
    if one.entity not in entitled:
        yield "R-OWNER", f"{one.entity} / {', '.join(entitled)}"
    if perimeter.since and one.signature.signed_at < perimeter.since:
        yield "R-OWNER", f"{perimeter.owner}: {perimeter.since} > {one.signature.signed_at}"


def role(one: Decision, perimeter: Perimeter, at: Context) -> Found:
    entitled = deciders(one.kind, perimeter)
    entities = _entities(one.signature, at)
    if not set(entities) & set(entitled):
        yield "R-OWNER", f"{one.signature.role} ({', '.join(entities) or '?'}) / {', '.join(entitled)}"
    elif one.signature.delegation_ref:
        yield from _delegated(one, entitled, at)
    elif not any(may_sign(one.signature.role, entity, one.kind, one.signature.signed_at, at) for entity in entitled):
        yield "R-ROLE", f"{one.signature.role} {one.signature.signed_at}"


def may_sign(role: str, entity: str, kind: str, day: str, at: Context) -> bool:
    """A mandate of the role for the entity covers the day, and this kind of decision."""
    return any(
        s.role == role and s.entity == entity and kind in s.may and within(day, s.since, s.until)
        for s in at.estate.signatories
    )


def _entities(signature: Signature, at: Context) -> tuple[str, ...]:
    mandates = [s.entity for s in at.estate.signatories if s.role == signature.role]
    given = [d.entity for d in at.estate.delegations if d.ref == signature.delegation_ref and d.role == signature.role]
    return tuple(dict.fromkeys(given if signature.delegation_ref else mandates))


def _delegated(one: Decision, entitled: tuple[str, ...], at: Context) -> Found:
    """The delegation covers the day and the kind, and who gave it was entitled to when it began, and still that day."""
    signature = one.signature
    given = [d for d in at.estate.delegations if d.ref == signature.delegation_ref and d.role == signature.role]
    if not any(_holds(d, one, at) for d in given if d.entity in entitled):
        yield "R-ROLE", f"{signature.role} ({signature.delegation_ref}) {signature.signed_at}"


def _holds(given: Delegation, one: Decision, at: Context) -> bool:
    covers = one.kind in given.may and within(one.signature.signed_at, given.since, given.until)
    days = (given.since, one.signature.signed_at)  # a delegation ends with the mandate of who gave it
    return covers and all(may_sign(given.by, given.entity, one.kind, day, at) for day in days)


def well_signed(one: Decision, estate: Estate) -> bool:
    """By a role of the entity that decides there, with a mandate of that day, which is not who drafted it."""
    perimeter = estate.perimeters.get(one.perimeter)
    if perimeter is None:
        return False
    at = Context(estate, {}, {}, one.signature.signed_at, places(estate))
    return not any((*owner(one, perimeter, at), *role(one, perimeter, at), *draft(one)))


def attests(one: Attestation, estate: Estate) -> Attests:
    """Whose word it is, by a mandate of the day: `answers` for the perimeter, `benefits` from it, "" for nobody's of either."""
    perimeter = estate.perimeters.get(one.perimeter)
    if perimeter is None or one.on < perimeter.since or not _mandated(one, estate):
        return ""
    if one.entity in deciders("exemption", perimeter):
        return "answers"
    return "benefits" if perimeter.kind == "shared" and one.entity in perimeter.beneficiaries else ""


def _mandated(one: Attestation, estate: Estate) -> bool:
    """The role held a mandate of the entity that day, or a delegation of a role that held one, then and when it began."""

    def held(role: str, day: str) -> bool:
        named = (s for s in estate.signatories if (s.role, s.entity) == (role, one.entity))
        return any(within(day, s.since, s.until) for s in named)

    given = (d for d in estate.delegations if (d.role, d.entity) == (one.role, one.entity))
    delegated = (d for d in given if within(one.on, d.since, d.until))
    return held(one.role, one.on) or any(held(d.by, d.since) and held(d.by, one.on) for d in delegated)


def draft(one: Decision) -> Found:
    if one.drafted_by and one.drafted_by == one.signature.role:
        yield "R-DRAFT", one.drafted_by


def mandate_ended(one: Decision, perimeter: Perimeter, at: Context) -> Found:
    """It was well signed and stays so; whoever holds the role now ought to know of it."""
    signature = one.signature
    if signature.delegation_ref:
        given = (d for d in at.estate.delegations if d.ref == signature.delegation_ref)
        alive = any(within(at.as_of, d.since, d.until) for d in given)
    else:
        entitled = deciders(one.kind, perimeter)
        mandates = [s for s in at.estate.signatories if s.role == signature.role and s.entity in entitled]
        alive = any(
            within(signature.signed_at, s.since, s.until) and within(at.as_of, s.since, s.until) for s in mandates
        )
    if not alive:
        yield "R-ROLE", signature.role


def adviser(perimeter: Perimeter, auditing_entity: str) -> str:
    """The entity that another's exclusive perimeter is operated, advised or audited by; empty for one's own."""
    if perimeter.kind != "exclusive":
        return ""
    others = (perimeter.advised_by, perimeter.operated_by, auditing_entity)
    return next((entity for entity in others if entity and entity != perimeter.owner), "")
