"""What will be asked of whom: controls on subjects, and the questions that they put to hosts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from auditor.model.answers import Command
from auditor.model.policy import Control
from auditor.model.truth import Unknown


@dataclass(frozen=True, slots=True)
class Subject:
    """What a control is asked of. `kind` "host" or "perimeter"; `key` is unique in a run, e.g. `host:web01`.

    `was` is the id that it had first, where it has another now; `lasting` stays the same through a change of name.
    """

    kind: Literal["host", "perimeter"]
    id: str
    perimeter: str = ""
    was: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def lasting(self) -> str:
        return f"{self.kind}:{self.was or self.id}"


@dataclass(frozen=True, slots=True)
class Check:
    """A control planned on a subject. `seq` is its place in the plan, which is the order of every report.

    `unasked` says why nothing can be asked (no collector declared, no such platform ...); then `commands` is empty.
    `gates` is false where an `unknown` must not change the exit code (no estate was given).
    """

    seq: int
    control: Control
    subject: Subject
    arguments: Mapping[str, Any] = field(default_factory=dict)
    commands: Mapping[str, Command] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)  # what the `$names` of the control stand for
    unasked: Unknown | None = None
    gates: bool = True
    bounds: tuple[Bound, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """What a decision asks of the facts themselves, looked at while they are there.

    `as_long_as` must hold for what was accepted to be still that. An adaptation (`adapts`) judges anew, with `expect` and
    `tolerate` over those of the control and `values` over those of its names.
    """

    decision: str
    as_long_as: Mapping[str, Any] = field(default_factory=dict)
    adapts: bool = False
    expect: Mapping[str, Any] = field(default_factory=dict)
    tolerate: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A probe put to a host: its arguments, and its commands by name."""

    probe: str
    arguments: Mapping[str, Any]
    commands: Mapping[str, Command]

    @property
    def key(self) -> str:
        return question_key(self.probe, self.arguments)


def question_key(probe: str, arguments: Mapping[str, Any]) -> str:
    """What the facts of a question are kept under: the probe, with its arguments where it has some."""
    return f"{probe} {sorted(arguments.items())}" if arguments else probe
