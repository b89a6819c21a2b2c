"""Nouns to the plain values of the run document (schemas/run.schema.json), and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from auditor.model import (
    ActionSeen,
    BoundSeen,
    Command,
    Control,
    Coverage,
    Entity,
    Finding,
    Header,
    HostSeen,
    IdleDecision,
    Measure,
    Outcome,
    Partial,
    Perimeter,
    Reason,
    ReplayOf,
    StandsBeside,
    Subject,
    Suspended,
    ToDo,
    Touched,
    Trusted,
    Unknown,
)

FORMAT = "auditor-run"
FORMAT_VERSION = 1

Plain = dict[str, Any]


def stamp(at: float) -> str:
    """A moment as the document writes it: UTC, seconds, `2026-11-21T22:11:05Z`; empty when there is none."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def unknown_to_plain(unknown: Unknown | None) -> Plain | None:
    return None if unknown is None else {"cause": unknown.cause, "detail": unknown.detail}


def unknown_from_plain(plain: Mapping[str, Any] | None) -> Unknown | None:
    return None if plain is None else Unknown(plain["cause"], plain["detail"])


def _given(plain: Plain, *optional: str) -> Plain:
    """Without those of the optional values that say nothing."""
    return {name: value for name, value in plain.items() if value or name not in optional}


def beside_to_plain(decision: StandsBeside | None) -> Plain | None:
    return None if decision is None else _given(asdict(decision), "signed_at")


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


def subject_to_plain(subject: Subject) -> Plain:
    plain: Plain = {"kind": subject.kind, "id": subject.id, "perimeter": subject.perimeter}
    return {**plain, "was": subject.was} if subject.was else plain


def subject_from_plain(plain: Mapping[str, Any]) -> Subject:
    return Subject(plain["kind"], plain["id"], plain["perimeter"], plain.get("was", ""))


def finding_to_plain(finding: Finding) -> Plain:
    """`outcome` is null when the control does not concern the subject."""
    return {
        "subject": subject_to_plain(finding.subject),
        "control": finding.control,
        "outcome": finding.outcome.value if finding.outcome else None,
        "severity": finding.severity,
        "fingerprint": finding.fingerprint,
        "medium": finding.medium,
        "at": finding.at,
        "gates": finding.gates,
        "reasons": [reason_to_plain(r) for r in finding.reasons],
        "decision": beside_to_plain(finding.decision),
        "adapted": finding.adapted.value if finding.adapted else None,
        "suspended": [suspended_to_plain(s) for s in finding.suspended],
        "actions": list(finding.actions),
    }


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
    )


def suspended_to_plain(suspended: Suspended) -> Plain:
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


def coverage_to_plain(coverage: Coverage) -> Plain:
    return {
        "subject": subject_to_plain(coverage.subject),
        "measure": coverage.measure,
        "cause": unknown_to_plain(coverage.cause),
        "gates": coverage.gates,
        "decision": beside_to_plain(coverage.decision),
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


def idle_to_plain(idle: IdleDecision) -> Plain:
    return _given(asdict(idle), "perimeter")


def action_to_plain(action: ActionSeen) -> Plain:
    return _given({**asdict(action), "controls": list(action.controls), "late": action.late.value}, "awaits")


def action_from_plain(plain: Mapping[str, Any]) -> ActionSeen:
    return ActionSeen(**{**plain, "controls": tuple(plain["controls"]), "late": Outcome(plain["late"])})


def to_do_to_plain(one: ToDo) -> Plain:
    lists = {"subjects": list(one.subjects), "signatories": list(one.signatories)}
    return _given({**asdict(one), **lists}, "communicated_at", "signatories")


def to_do_from_plain(plain: Mapping[str, Any]) -> ToDo:
    lists = {"subjects": tuple(plain["subjects"]), "signatories": tuple(plain.get("signatories", ()))}
    return ToDo(**{**plain, **lists})


def host_to_plain(host: HostSeen) -> Plain:
    plain: Plain = {
        "host": host.host,
        "failure": unknown_to_plain(host.failure),
        "checks": host.checks,
        "measured": host.measured,
        "at": host.at,
        "identity": host.identity,
        "evidence_at": host.evidence_at,
        "asked": host.asked,
        "was": host.was,
    }
    more: Plain = {"collector": host.collector, "known_as": list(host.known_as)}
    more |= {"medium": host.medium} if host.medium != "live" else {}
    more |= {"attested": True} if host.attested else {}
    return {**plain, **_given(more, *more)}


def host_from_plain(plain: Mapping[str, Any]) -> HostSeen:
    """Also of a run that was kept before hosts could be judged on earlier evidence."""
    return HostSeen(
        plain["host"],
        unknown_from_plain(plain["failure"]),
        plain["checks"],
        plain["measured"],
        plain["at"],
        plain.get("identity", ""),
        plain.get("evidence_at", 0.0),
        plain.get("asked", True),
        plain.get("was", ""),
        plain.get("collector", ""),
        tuple(plain.get("known_as", ())),
        plain.get("medium", "live"),
        plain.get("attested", False),
    )


def header_to_plain(header: Header) -> Plain:
    plain: Plain = {
        "number": header.number,
        "id": header.id,
        "state": header.state,
        "started_at": header.started_at,
        "finished_at": header.finished_at,
        "as_of": header.as_of,
        "version": header.version,
        "estate": header.estate,
        "declared": header.declared,
        "hosts_expected": header.hosts_expected,
        "checks_planned": header.checks_planned,
        "limit": header.limit,
        "hosts_inventoried": header.hosts_inventoried,
        "policies": list(header.policies),
        "legacy": list(header.legacy),
        "digests": dict(header.digests),
        "replay": replay_to_plain(header.replay),
    }
    more = {"seen_by": header.seen_by, "trusted": trusted_to_plain(header.trusted) if header.trusted else None}
    return {**plain, **_given(more, *more)}


def trusted_to_plain(trusted: Trusted) -> Plain:
    touched = [_given({**asdict(one), "what": list(one.what)}, "what") for one in trusted.touched]
    return {"ref": trusted.ref, "commit": trusted.commit, "touched": touched}


def _trusted(plain: Mapping[str, Any]) -> Trusted:
    touched = (Touched(**{**one, "what": tuple(one.get("what", ()))}) for one in plain["touched"])
    return Trusted(plain["ref"], plain["commit"], tuple(touched))


def replay_to_plain(replay: ReplayOf | None) -> Plain | None:
    if replay is None:
        return None
    return {"number": replay.number, "id": replay.id, "state": replay.state, "started_at": replay.started_at}


def header_from_plain(plain: Mapping[str, Any]) -> Header:
    """What a field added since does not say is its default."""
    lists = {name: tuple(plain[name]) for name in ("policies", "legacy") if name in plain}
    replay, trusted = plain.get("replay"), plain.get("trusted")
    nested = {"replay": _replay(replay) if replay else None, "trusted": _trusted(trusted) if trusted else None}
    return Header(**{**plain, **lists, **nested})


def _replay(plain: Mapping[str, Any]) -> ReplayOf:
    return ReplayOf(plain["number"], plain["id"], plain["state"], plain["started_at"])


def control_to_plain(control: Control) -> Plain:
    """What reports say of a control; how it judges stays with the policy."""
    return {
        "id": control.id,
        "policy": control.policy,
        "measure": control.measure,
        "revision": control.revision,
        "title": dict(control.title),
        "severity": control.severity,
        "probe": control.probe,
        "why": dict(control.why),
        "fix": dict(control.fix),
        "references": {k: list(v) for k, v in control.references.items()},
        "source": control.source,
        "of": control.of,
        "basis": control.basis,
    }


def control_from_plain(plain: Mapping[str, Any]) -> Control:
    return Control(
        **{k: plain[k] for k in plain if k != "references"},
        expect={},
        references={k: tuple(v) for k, v in plain["references"].items()},
    )


def measure_to_plain(measure: Measure) -> Plain:
    return {
        "id": measure.id,
        "title": dict(measure.title),
        "quote": measure.quote,
        "article": measure.article,
    }


def measure_from_plain(plain: Mapping[str, Any]) -> Measure:
    return Measure(plain["id"], plain["title"], plain["quote"], plain["article"])


def perimeter_to_plain(perimeter: Perimeter) -> Plain:
    return {
        "id": perimeter.id,
        "owner": perimeter.owner,
        "kind": perimeter.kind,
        "beneficiaries": list(perimeter.beneficiaries),
        "operated_by": perimeter.operated_by,
        "advised_by": perimeter.advised_by,
        "means": dict(perimeter.means),
    }


def perimeter_from_plain(plain: Mapping[str, Any]) -> Perimeter:
    """Also of a run that was kept before others than the owner were named."""
    more = {name: plain[name] for name in ("operated_by", "advised_by", "means") if name in plain}
    return Perimeter(plain["id"], plain["owner"], plain["kind"], tuple(plain["beneficiaries"]), **more)


def entity_to_plain(entity: Entity) -> Plain:
    return asdict(entity)


def entity_from_plain(plain: Mapping[str, Any]) -> Entity:
    return Entity(**plain)


def facts_to_plain(value: Any) -> Any:
    """Facts as JSON values: Unknown and Partial, at any depth, as objects whose keys start with `$`."""
    if isinstance(value, Unknown):
        return {"$unknown": [value.cause, value.detail]}
    if isinstance(value, Partial):
        missing = [value.missing.cause, value.missing.detail]
        return {"$partial": [facts_to_plain(v) for v in value.items], "$missing": missing}
    if isinstance(value, Mapping):
        return {k: facts_to_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [facts_to_plain(v) for v in value]
    return value


def facts_from_plain(plain: Any) -> Any:
    if isinstance(plain, dict):
        if "$unknown" in plain:
            return Unknown(*plain["$unknown"])
        if "$partial" in plain:
            return Partial(tuple(facts_from_plain(p) for p in plain["$partial"]), Unknown(*plain["$missing"]))
        return {k: facts_from_plain(v) for k, v in plain.items()}
    return [facts_from_plain(p) for p in plain] if isinstance(plain, list) else plain


def command_to_plain(command: Command) -> Plain:
    plain: Plain = {
        "text": command.text,
        "kind": command.kind,
        "arguments": list(command.arguments),
        "elevated": command.elevated,
        "timeout_s": command.timeout_s,
        "cap_bytes": command.cap_bytes,
    }
    return plain | {n: v for n, v in (("takes", command.takes), ("mask", command.mask)) if v}


def command_from_plain(plain: Mapping[str, Any]) -> Command:
    return Command(**{**plain, "arguments": tuple(plain["arguments"])})
