"""What people have to see to: decisions with which something is wrong, actions, and what is to be decided. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auditor.model.truth import Outcome, Severity

NoteState = Literal["void", "part", "due", "idle"]


@dataclass(frozen=True, slots=True)
class IdleDecision:
    """What is wrong with a decision: `code` is a reason code of decisions.

    `state`: `void`, it covers nothing; `part`, something of it lapsed; `due`, it holds and somebody has to do something;
    `idle`, nothing needs it.
    """

    id: str
    code: str
    detail: str
    source: str
    kind: str = "acceptance"
    state: NoteState = "void"
    perimeter: str = ""  # the one that the record names


@dataclass(frozen=True, slots=True)
class ActionSeen:
    """An action and where it stands: `late` is pass in time, warn overdue, fail past the grace; `open` findings it is about."""

    id: str
    perimeter: str
    controls: tuple[str, ...]
    text: str
    responsible: str
    due: str
    status: str
    late: Outcome
    open: int
    ticket: str = ""
    raised_by: str = ""
    awaits: str = ""  # "arbitration": nobody mends until then


@dataclass(frozen=True, slots=True)
class ToDo:
    """What an entity has to do about open findings of one control on another's perimeter.

    `decide`: its owner, to adopt the recommendation or to accept the risk; `communicate`: its adviser, the recommendation.
    `subjects` are the first of them, `findings` counts them all; `recommendation` is empty where there is none, and
    `communicated_at` (an ISO date) where it was not communicated. `signatories`: the roles that may decide.
    """

    what: Literal["decide", "communicate"]
    entity: str
    perimeter: str
    control: str
    severity: Severity
    findings: int
    subjects: tuple[str, ...] = ()
    recommendation: str = ""
    communicated_at: str = ""
    signatories: tuple[str, ...] = ()
