"""A run in; what its findings count as, its headline and roll-ups, and its exit code out. Pure."""

from auditor.summary.counting import counts_as, decided, gating, plain
from auditor.summary.fold import summary, unchecked, undeclared
from auditor.summary.gate import NEVER, exit_code
from auditor.summary.hosts import Dark, away, blind
from auditor.summary.names import folded, named
from auditor.summary.parts import Fix, Group, Summary

__all__ = [
    "NEVER",
    "Dark",
    "Fix",
    "Group",
    "Summary",
    "away",
    "blind",
    "counts_as",
    "decided",
    "exit_code",
    "folded",
    "gating",
    "named",
    "plain",
    "summary",
    "unchecked",
    "undeclared",
]
