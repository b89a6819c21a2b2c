"""What will be asked of whom, as data: the checks of a plan, and the hosts that a `--limit` selects. Pure."""

from auditor.plan.checks import Plan
from auditor.plan.limit import limited, unmatched
from auditor.plan.unasked import coverage

__all__ = ["Plan", "coverage", "limited", "unmatched"]
