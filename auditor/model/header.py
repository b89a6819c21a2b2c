"""What is true of a whole run: when, of what, by which side, and whether it judged another run's evidence anew. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReplayOf:
    """The run whose evidence was judged anew: its number where it was kept, its id, its state, and when it began."""

    number: int
    id: str
    state: str
    started_at: float


@dataclass(frozen=True, slots=True)
class Touched:
    """Something that judges, and what a change does to it; `what` names the fields that differ."""

    kind: Literal["reference", "control", "measure", "decision", "host", "file"]
    how: Literal["removed", "changed", "added"]
    name: str
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trusted:
    """The side that a change was judged by: the git reference as it was given, its commit, and what the change does to it."""

    ref: str
    commit: str
    touched: tuple[Touched, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """What is true of a whole run. `state` is open, complete or partial; `id` is empty while open.

    A replay has the moments of the run that it judges anew: its evidence is of then.
    """

    number: int
    id: str
    state: str
    started_at: float
    finished_at: float
    as_of: str
    version: str
    estate: str
    declared: bool
    hosts_expected: int
    checks_planned: int
    limit: str = ""  # the `--limit` that chose the hosts
    hosts_inventoried: int = 0  # all that the estate names, chosen or not
    policies: tuple[str, ...] = ()  # the policies that were named; none: the shipped ones, all of them
    legacy: tuple[str, ...] = ()  # the hosts that were reached with outdated algorithms, by their own opt-in
    digests: Mapping[str, str] = field(default_factory=dict)
    seen_by: str = ""  # the entity that this is shown to, with nothing of another's; empty: all of it
    replay: ReplayOf | None = None  # no host was asked: this run's evidence was judged anew
    trusted: Trusted | None = None  # what judged is of this side, not of the change
    place: str = ""  # where the estate lies, however it was typed; of a run in a store alone
