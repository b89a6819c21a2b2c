"""A finding in; out, what it counts as beside the decision about it: in reports, and in the exit code. Pure."""

from __future__ import annotations

from auditor.model import Finding, Outcome

OPEN = (Outcome.FAIL, Outcome.WARN)
DECIDED = {"acceptance": "accepted", "adaptation": "adapted", "exemption": "exempted"}


def decided(finding: Finding) -> str:
    """`accepted, adapted, exempted` where a decision stands beside a fail or a warn and what was decided is met; else empty.

    One beside anything else covers nothing, and an adapted target that is missed fails as the convention's own does.
    """
    if finding.decision is None or finding.outcome not in OPEN:
        return ""
    if finding.decision.kind == "adaptation" and finding.adapted is not Outcome.PASS:
        return ""
    return DECIDED.get(finding.decision.kind, "accepted")


def gating(finding: Finding) -> Outcome | None:
    """What gates: the outcome, or the adapted one where an adaptation stands beside it; None where a decision covers it."""
    if decided(finding):
        return None
    missed = finding.outcome in OPEN and finding.decision is not None and finding.decision.kind == "adaptation"
    return finding.adapted if missed and finding.adapted in OPEN else finding.outcome


def counts_as(finding: Finding) -> str:
    """`pass, warn, fail, unknown, not_concerned`, or what was decided and the outcome: `accepted_fail, adapted_warn ...`."""
    if finding.outcome is None:
        return "not_concerned"
    kind = decided(finding)
    if kind:
        return f"{kind}_{finding.outcome.value}"
    reads = gating(finding)
    return (reads or finding.outcome).value


def plain(name: str) -> str:
    """What `counts_as` says, without the outcome that a decision stands beside: `accepted`."""
    return name.partition("_")[0] if name.startswith(tuple(DECIDED.values())) else name
