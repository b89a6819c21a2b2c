"""Findings of different hosts in; which of them say the very same out, so that what follows of it is made once. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from auditor.model import Finding

MANY, FEW = 1024, 32  # findings whose words are remembered: some of each control; and of those with many reasons
LONG = 16  # reasons: a fleet in which every host has many of its own would be remembered for good


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


def remembered(words: Callable[[Alike], str]) -> Callable[[Alike], str]:
    """The same words, made once for the last findings that are alike."""
    short, long = lru_cache(maxsize=MANY)(words), lru_cache(maxsize=FEW)(words)

    def once(alike: Alike) -> str:
        return long(alike) if len(alike.finding.reasons) > LONG else short(alike)

    return once
