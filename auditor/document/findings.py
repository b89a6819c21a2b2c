"""What checks came to, to plain values and back: findings with their reasons, and what nothing was asked of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from auditor.document.answers import unknown_from_plain, unknown_to_plain
from auditor.document.plain import Plain, given
from auditor.model import BoundSeen, Coverage, Finding, Outcome, Reason, StandsBeside, Subject, Suspended, Unknown


def finding_to_plain(finding: Finding) -> Plain:
    """`outcome` is null when the control does not concern the subject."""
    plain = {
        "subject": subject_to_plain(finding.subject),
        "control": finding.control,
        "outcome": finding.outcome.value if finding.outcome else None,
        "severity": finding.severity,
        "fingerprint": finding.fingerprint,
        "medium": finding.medium,
        "at": finding.at,
        "gates": finding.gates,
        "reasons": [reason_to_plain(r) for r in finding.reasons],
        "decision": _beside_to_plain(finding.decision),
        "adapted": finding.adapted.value if finding.adapted else None,
        "suspended": [_suspended_to_plain(s) for s in finding.suspended],
        "actions": list(finding.actions),
    }
    return {**plain, "untold": [reason_to_plain(r) for r in finding.untold]} if finding.untold else plain


def kept_to_plain(finding: Finding) -> Plain:
    """A finding as the store keeps it: also what bounds came to, until it is reconciled."""
    plain = finding_to_plain(finding)
    return {**plain, "bounds": [_bound_to_plain(b) for b in finding.bounds]} if finding.bounds else plain


def finding_from_plain(seq: int, plain: Mapping[str, Any]) -> Finding:
    """Also of a run that was kept before there was more than one kind of decision."""
    decision = plain["decision"]
    return Finding(
        seq=seq,
        subject=subject_from_plain(plain["subject"]),
        control=plain["control"],
        outcome=Outcome(plain["outcome"]) if plain["outcome"] else None,
        severity=plain["severity"],
        fingerprint=plain["fingerprint"],
        reasons=tuple(reason_from_plain(r) for r in plain["reasons"]),
        at=plain["at"],
        medium=plain["medium"],
        gates=plain["gates"],
        decision=StandsBeside(**decision) if decision else None,
        adapted=Outcome(plain["adapted"]) if plain.get("adapted") else None,
        suspended=tuple(_suspended_from_plain(s) for s in plain.get("suspended", ())),
        actions=tuple(plain.get("actions", ())),
        bounds=tuple(_bound_from_plain(b) for b in plain.get("bounds", ())),
        untold=tuple(reason_from_plain(r) for r in plain.get("untold", ())),
    )


def coverage_to_plain(coverage: Coverage) -> Plain:
    return {
        "subject": subject_to_plain(coverage.subject),
        "measure": coverage.measure,
        "cause": unknown_to_plain(coverage.cause),
        "gates": coverage.gates,
        "decision": _beside_to_plain(coverage.decision),
    }


def coverage_from_plain(plain: Mapping[str, Any]) -> Coverage:
    cause, decision = plain["cause"], plain.get("decision")
    return Coverage(
        subject_from_plain(plain["subject"]),
        plain["measure"],
        Unknown(cause["cause"], cause["detail"]),
        plain["gates"],
        StandsBeside(**decision) if decision else None,
    )


def subject_to_plain(subject: Subject) -> Plain:
    plain: Plain = {"kind": subject.kind, "id": subject.id, "perimeter": subject.perimeter}
    return {**plain, "was": subject.was} if subject.was else plain


def subject_from_plain(plain: Mapping[str, Any]) -> Subject:
    return Subject(plain["kind"], plain["id"], plain["perimeter"], plain.get("was", ""))


def reason_to_plain(reason: Reason) -> Plain:
    plain: Plain = {"path": reason.path, "operator": reason.operator, "wanted": reason.wanted}
    plain["observed"] = list(reason.observed) if isinstance(reason.observed, tuple) else reason.observed
    if reason.element:
        plain["element"] = reason.element
    if reason.person:
        plain["person"] = True
    if reason.cause:
        plain["cause"] = unknown_to_plain(reason.cause)
    if reason.places:
        plain["places"] = list(reason.places)
    return plain


def reason_from_plain(plain: Mapping[str, Any]) -> Reason:
    observed = plain["observed"]
    return Reason(
        plain["path"],
        plain["operator"],
        plain["wanted"],
        tuple(observed) if isinstance(observed, list) else observed,
        plain.get("element", ""),
        unknown_from_plain(plain.get("cause")),
        plain.get("person", False),
        tuple(plain.get("places", ())),
    )


def _beside_to_plain(decision: StandsBeside | None) -> Plain | None:
    return None if decision is None else given(asdict(decision), "signed_at")


def _suspended_to_plain(suspended: Suspended) -> Plain:
    return {
        "id": suspended.id,
        "kind": suspended.kind,
        "code": suspended.code,
        "detail": suspended.detail,
        "reasons": [reason_to_plain(r) for r in suspended.reasons],
    }


def _suspended_from_plain(plain: Mapping[str, Any]) -> Suspended:
    return Suspended(**{**plain, "reasons": tuple(reason_from_plain(r) for r in plain["reasons"])})


def _bound_to_plain(bound: BoundSeen) -> Plain:
    adapted = bound.adapted.value if bound.adapted else None
    reasons = [reason_to_plain(r) for r in bound.reasons]
    return {"decision": bound.decision, "holds": bound.holds, "adapted": adapted, "reasons": reasons}


def _bound_from_plain(plain: Mapping[str, Any]) -> BoundSeen:
    adapted = Outcome(plain["adapted"]) if plain["adapted"] else None
    return BoundSeen(plain["decision"], plain["holds"], adapted, tuple(reason_from_plain(r) for r in plain["reasons"]))
