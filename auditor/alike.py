"""Findings of different hosts in; which of them say the very same out, so that what follows of it is made once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from auditor.model import Finding


def undecided(finding: Finding) -> bool:
    """Nothing that people decided stands beside it."""
    return not (finding.decision or finding.adapted or finding.suspended or finding.actions or finding.bounds)


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """What an undecided finding says, without its host and date: equal where the reasons are one and the same object."""

    finding: Finding

    def _told(self) -> tuple[Any, ...]:
        one = self.finding
        return one.control, one.outcome, one.severity, one.medium, one.gates

    def __hash__(self) -> int:
        return hash((id(self.finding.reasons), self.finding.control))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Alike) or self.finding.reasons is not other.finding.reasons:
            return False
        return self._told() == other._told()
