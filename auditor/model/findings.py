"""What checks came to and why, the decisions that stand beside them, and what nothing was asked of. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from auditor.model.plan import Subject
from auditor.model.truth import Outcome, Severity, Unknown


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a finding is not a pass, as data; sentences.py puts it in words.

    `element` names the element of a list that matters; `person` says that it is a person's name.
    `places`: the files and lines (`path:line`) of a tree that it comes from, where that is known.
    """

    path: str
    operator: str
    wanted: Any = None
    observed: Any = None
    element: str = ""
    cause: Unknown | None = None
    person: bool = False
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundSeen:
    """What a Bound came to: whether `as_long_as` holds (None: it could not be told), the adapted outcome, and why."""

    decision: str
    holds: bool | None = True
    adapted: Outcome | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to. `outcome` is None when the control does not concern the subject (then `reasons` say why).

    `outcome` is always against the convention. `adapted`: against the target of the adaptation beside it, and what gates.
    `suspended`: decisions about it that do not stand, and why; `actions`: the ids of those that plan to mend it.
    `untold`: of a fail or a warn, what could not be told beside its reasons; it may be worse.
    """

    seq: int
    subject: Subject
    control: str
    outcome: Outcome | None
    severity: Severity
    fingerprint: str
    reasons: tuple[Reason, ...] = ()
    at: float = 0.0
    medium: str = "live"
    gates: bool = True
    decision: StandsBeside | None = None
    adapted: Outcome | None = None
    suspended: tuple[Suspended, ...] = ()
    actions: tuple[str, ...] = ()
    bounds: tuple[BoundSeen, ...] = ()  # between evaluation and reconciliation
    untold: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class StandsBeside:
    """The decision that stands beside a finding, as the report needs it."""

    id: str
    kind: str
    by: str  # the signatory's role and entity
    until: str  # ISO date, inclusive
    why: str
    signed_at: str = ""  # ISO date


@dataclass(frozen=True, slots=True)
class Suspended:
    """A decision about a finding that does not stand beside it now: `code` is a reason code of decisions."""

    id: str
    kind: str
    code: str
    detail: str = ""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Something that the convention or the inventory names and that nothing was asked of."""

    subject: Subject
    measure: str  # empty: the host has no check at all
    cause: Unknown
    gates: bool = True
    decision: StandsBeside | None = None  # the exemption that says why nothing needs to be asked
