"""What is required: the measures of the convention, and the controls that make them checkable. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from auditor.model.truth import Severity, Text


@dataclass(frozen=True, slots=True)
class Passage:
    """Exact French words of one of the texts, and where they stand; `document` is empty where none is said."""

    quote: str
    article: str
    document: str = ""


Owner = Literal["", "perimeter", "operator", "operator-everywhere", "beneficiary", "both", "member"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What the convention asks: its exact French words, their force, the parameters that controls may name.

    `owner` is who answers for it (owed.py says on which perimeters), `role` who does it there. `period` names the
    parameter that says how old a statement may be; `sources` say where each parameter comes from.
    schemas/measures.schema.json says what each word means.
    """

    id: str
    title: Text
    quote: str = ""
    article: str = ""
    force: str = ""
    regime: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    document: str = ""
    also: tuple[Passage, ...] = ()
    owner: Owner = ""
    role: str = ""
    kind: tuple[str, ...] = ()
    period: str = ""
    sources: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement made checkable. `expect`, `tolerate` and `concerns` are kept as written (see expectations.py)."""

    id: str
    policy: str
    measure: str
    revision: int
    title: Text
    severity: Severity
    probe: str
    expect: Mapping[str, Any]
    why: Text
    fix: Text
    tolerate: Mapping[str, Any] = field(default_factory=dict)
    concerns: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""  # file:line, for reports
    of: Literal["host", "perimeter"] = "host"  # what it is asked of, as its probe says
    basis: str = ""  # a digest of all that it judges by; two runs of one basis can be compared


@dataclass(frozen=True, slots=True)
class Policy:
    id: str
    title: Text
    controls: tuple[Control, ...]
    source: str = ""
