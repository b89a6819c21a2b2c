"""Findings and the decisions in force in; findings with the decision that stands beside them, and idle decisions, out. Pure.

A decision never changes an outcome, and never stands beside what was not seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from auditor.decisions import InForce
from auditor.model import Acceptance, Finding, IdleDecision, Outcome, StandsBeside

ACCEPTABLE = (Outcome.FAIL, Outcome.WARN)


def reconcile(findings: Iterable[Finding], decided: InForce) -> tuple[list[Finding], tuple[IdleDecision, ...]]:
    """The findings that a decision stands beside, in order; then the void decisions, and those that nothing needs (R-IDLE).

    A decision is idle when its whole scope was measured and nothing of it failed: a host outside this run may well fail.
    """
    beside: list[Finding] = []
    measured: set[str] = set()
    unseen = dict(decided.covered_by)
    needed: set[str] = set()
    for finding in findings:
        one = decided.covering.get((finding.control, finding.subject.id)) if finding.subject.kind == "host" else None
        if one is None:
            continue
        covering = unseen.pop((finding.control, finding.subject.id))
        measured |= covering
        if finding.outcome in ACCEPTABLE:
            beside.append(replace(finding, decision=_standing(one)))
        if finding.outcome not in (Outcome.PASS, None):
            needed |= covering
    needed.update(*unseen.values())
    idle = (IdleDecision(a.id, "R-IDLE", "", a.source) for a in decided.holding if a.id in measured - needed)
    return beside, (*decided.void, *idle)


def _standing(one: Acceptance) -> StandsBeside:
    return StandsBeside(one.id, "acceptance", f"{one.role} ({one.owner_entity})", one.expires, one.justification)
