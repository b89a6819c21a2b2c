"""A run in, its exit code out: what gates, and what was not seen. Pure."""

from __future__ import annotations

from auditor.model import SEVERITIES, Finding, Outcome, Run
from auditor.summary.counting import gating
from auditor.summary.hosts import away, blind

NEVER = "never"  # the `fail_on` that no finding reaches


def exit_code(run: Run, fail_on: str, fail_on_warn: bool, only: frozenset[str] | None = None) -> int:
    """1: an open failure reaches `fail_on` (a severity, or `never`); else 3: something was not measured; else 0.

    `only`: the fingerprints of the findings that can give 1, where the run is held against another one. What that one told, and
    this one does not, counts as not measured, whatever the cause: else leaving a file out would be a way to pass. So does what
    a control finds that judges otherwise than it did there, since nobody can tell whether it is new; and a run in which no check
    concerned anything: nothing in it is known to be well.
    """
    otherwise = {f for f, kind in run.since.kinds.items() if kind == "changed"} if run.since else set[str]()
    unseen = run.header.state != "complete" or any(gap.gates for gap in run.coverage())
    told, judged = 0, False
    for finding in run.findings():
        if (only is None or finding.fingerprint in only) and _fails(finding, fail_on, fail_on_warn):
            return 1
        unseen = unseen or (finding.outcome is Outcome.UNKNOWN and finding.gates)
        unseen = unseen or (finding.fingerprint in otherwise and _not_well(finding, fail_on, fail_on_warn))
        judged = judged or finding.outcome not in (None, Outcome.UNKNOWN)
        told += 1
    unseen = unseen or not judged or told < run.header.checks_planned or _host_away(run) or bool(blind(run))
    return 3 if unseen or (run.since is not None and run.since.counts.get("unmeasured", 0)) else 0


def _host_away(run: Run) -> bool:
    """A host that was expected took no part."""
    return any(True for _ in away(run)) or sum(1 for _ in run.hosts()) < run.header.hosts_expected


def _not_well(finding: Finding, fail_on: str, fail_on_warn: bool) -> bool:
    return finding.outcome is Outcome.UNKNOWN or _fails(finding, fail_on, fail_on_warn)


def _fails(finding: Finding, fail_on: str, fail_on_warn: bool) -> bool:
    if fail_on == NEVER:
        return False
    reads = gating(finding)
    wrong = reads is Outcome.FAIL or (fail_on_warn and reads is Outcome.WARN)
    return wrong and SEVERITIES.index(finding.severity) >= SEVERITIES.index(fail_on)
