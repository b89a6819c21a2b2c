"""What different hosts told and came to in; what of it is the very same out, so that what follows is made once. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from auditor.model import Check, Facts, Finding, Outcome, Partial, Reason

MANY, FEW = 1024, 32  # findings whose words are remembered: some of each control; and of those with many reasons
LONG = 16  # reasons: a fleet in which every host has many of its own would be remembered for good

# ---------------------------------------------------------------- facts

CameTo = tuple[
    Outcome | None, tuple[Reason, ...], tuple[Reason, ...]
]  # with why, and what could not be told beside that


class Shared(dict[str, Any]):
    """The facts of hosts that answered alike, in one object: with it, what controls come to on them is kept."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.came_to: dict[str, tuple[Check, CameTo]] = {}  # by control: the last check of it


@lru_cache(maxsize=512)
def _lately(question: str) -> deque[Shared]:
    return deque(maxlen=4)


def shared(question: str, facts: Facts) -> Facts:
    """The facts that a host told before, where these are the same: what was judged of them need not be judged again."""
    if isinstance(facts, Shared):
        return facts
    lately = _lately(question)
    found = next((one for one in tuple(lately) if identical(one, facts)), None)
    if found is None:
        found = Shared(facts)
        lately.append(found)
    return found


def identical(one: Any, other: Any) -> bool:
    """Equal, and of the same kinds: 1 is neither 1.0 nor true."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(identical(value, other[name]) for name, value in one.items())
    if type(one) is not type(other):
        return False
    if isinstance(one, Partial):
        return one.missing == other.missing and identical(one.items, other.items)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    return bool(one == other)


# ---------------------------------------------------------------- findings


def undecided(finding: Finding) -> bool:
    """Nothing that people decided stands beside it."""
    return not (finding.decision or finding.adapted or finding.suspended or finding.actions or finding.bounds)


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """What an undecided finding says, without its host and date: equal where the reasons are one and the same object."""

    finding: Finding

    def _told(self) -> tuple[Any, ...]:
        one = self.finding
        return one.control, one.outcome, one.severity, one.medium, one.gates, one.untold

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
