"""What two runs came to, side by side: what became of each finding, and what they do not share. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from auditor.model.header import Header

# What became of a finding since another run, in the order in which reports tell it.
Became = Literal["new", "worsened", "lapsed", "unmeasured", "changed", "resolved", "measured", "gone"]


@dataclass(frozen=True, slots=True)
class Moved:
    """What the two runs do not share, by id: without it, counts of both cannot be read together."""

    hosts_added: tuple[str, ...]
    hosts_gone: tuple[str, ...]
    controls_added: tuple[str, ...]
    controls_gone: tuple[str, ...]
    controls_changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caveat:
    """Why the two runs are not quite comparable: a sentence of ours, and what its names stand for."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alike:
    """Changes of one kind, of one control: `subjects` in the order of their names."""

    kind: Became
    control: str
    severity: str
    subjects: tuple[str, ...]
    elements: tuple[str, ...]
    persons: bool  # the elements are names of persons


@dataclass(frozen=True, slots=True)
class Comparison:
    """`counts` by kind, of findings; `alike` gravest first within a kind. `kinds` tells what a finding became, by fingerprint."""

    before: Header
    after: Header
    counts: Mapping[Became, int]
    alike: tuple[Alike, ...]
    moved: Moved
    caveats: tuple[Caveat, ...]
    kinds: Mapping[str, Became]
