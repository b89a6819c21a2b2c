"""The records that people sign or keep: decisions on risk of three kinds, actions, recommendations,
delegations, attestations. Pure.

Dates are ISO texts, civil days in France, the last one inclusive; an empty one was not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Kind = Literal["acceptance", "adaptation", "exemption"]
May = Literal["acceptance", "adaptation", "exemption", "attestation"]  # what a mandate is for
Expect = Mapping[str, Any]
LEVELS = ("faible", "moyen", "eleve")  # of a risk, as EBIOS Risk Manager names them

# Rows G1 to G4, columns V1 to V4: the product of the two, to 3 faible, to 6 moyen, above eleve. A proposal of ours.
MATRICES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ebios-rm-4x4@1": tuple(
        tuple("faible" if g * v <= 3 else "moyen" if g * v <= 6 else "eleve" for v in range(1, 5)) for g in range(1, 5)
    ),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """A document and the digest that the record gives of it; `found` is that of the file as it is, empty without a file."""

    document: str
    sha256: str
    found: str = ""

    @property
    def holds(self) -> bool:
        return bool(self.sha256) and self.sha256 == self.found


@dataclass(frozen=True, slots=True)
class Authorisation:
    """That another's perimeter may be audited: by which of its owner's roles, from when until when, in which document."""

    by: str
    since: str
    until: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class Delegation:
    """That a role may sign for an entity, given by a role that may itself."""

    ref: str
    role: str
    entity: str
    by: str
    since: str
    until: str
    may: tuple[May, ...] = ("acceptance", "adaptation")


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the adviser asks of a perimeter's owner; it can be declined once it was communicated.

    `hosts` are those that it was written about; None: the perimeter, whatever it holds.
    """

    id: str
    perimeter: str
    controls: tuple[str, ...]
    text: str
    issued_by: str
    communicated_at: str = ""
    source: str = ""
    hosts: tuple[str, ...] | None = None
    reply: Literal["", "adopted", "declined"] = ""  # what its owner answered
    replied_on: str = ""
    proof: Proof | None = None  # the letter that communicated it, where the record gives its digest


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """The numbers of the rules; the texts give none, so an estate may say its own."""

    longest_months: int = 12  # from the signature to the last day
    longest_high_months: int = 6  # where the residual risk is eleve
    grace_days: int = 30  # how late a compensating measure, or an action, may be before it counts as missed


@dataclass(frozen=True, slots=True)
class Scope:
    """What a decision is about. `frozen` are the hosts that groups, roles, zones and networks stood for at the signature.

    `perimeter` true: the perimeter as a whole, for controls that are asked of it.
    """

    hosts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    perimeter: bool = False
    frozen: tuple[str, ...] | None = None
    count: int = 0

    @property
    def names_many(self) -> bool:
        return bool(self.groups or self.roles or self.zones or self.networks)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, as which role, when. `intact` is false when the record was changed since; None: nothing tells."""

    role: str
    signed_at: str
    effective_from: str
    delegation_ref: str = ""
    intact: bool | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """Severity (G1 to G4), likelihood (V1 to V4) and what the record says that they make."""

    gravite: str = ""
    vraisemblance: str = ""
    niveau: str = ""


@dataclass(frozen=True, slots=True)
class Risk:
    initial: Level = field(default_factory=Level)
    residual: Level = field(default_factory=Level)
    matrix: str = ""
    personal_data: bool = False


@dataclass(frozen=True, slots=True)
class Attestation:
    """Somebody's word about a measure on a perimeter: of which day, by which role of which entity, with which document.

    `until` is the last day that the document itself gives, empty where it gives none. `values` are what a measure needs
    beside that: schemas/attestation.schema.json says what each word means.
    """

    id: str
    measure: str
    perimeter: str
    on: str
    role: str
    entity: str
    proof: Proof
    scope: Scope
    until: str = ""
    values: Mapping[str, float | str] = field(default_factory=dict)
    source: str = ""  # file:line of the record


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds since 1970 UTC, and the civil day that it was in France."""

    at: float
    on: str


@dataclass(frozen=True, slots=True)
class Dated:
    """An entry of a register of what happened or was bought, with what the register says of it.

    `moments` and `days` by the names of schemas/register.schema.json; None: the register says that it never was. What it does
    not say is not there. `personal_data` is "" and `major` None where it does not say.
    """

    register: str
    perimeter: str  # empty: the whole estate
    id: str
    moments: Mapping[str, Moment | None] = field(default_factory=dict)
    days: Mapping[str, str | None] = field(default_factory=dict)
    personal_data: Literal["", "none", "possible", "breach"] = ""
    major: bool | None = None
    no_notification: str = ""  # why the supervisory authority need not be notified
    elsewhere: bool = False  # it is a host of another perimeter than the one that is asked


@dataclass(frozen=True, slots=True)
class Compensation:
    """A control that must pass for a decision to hold: on a host or a perimeter; empty: where the finding is."""

    control: str
    on: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A compensating measure in words: planned until a day, or in place."""

    text: str
    due: str = ""
    in_place: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What all three kinds say. `entity` is the one that decides; `revisions` those of the controls at the signature."""

    kind: ClassVar[Kind]

    id: str
    perimeter: str
    entity: str
    scope: Scope
    justification: str
    signature: Signature
    expires: str
    controls: tuple[str, ...] = ()
    review_by: str = ""
    status: str = "active"
    supersedes: str = ""
    drafted_by: str = ""
    revisions: Mapping[str, int] = field(default_factory=dict)
    risk: Risk | None = None
    dpo_at: str = ""  # when the data protection officer gave an opinion
    deliberation: str = ""
    proofs: tuple[Proof, ...] = ()
    measures: tuple[Planned, ...] = ()
    compensated_by: tuple[Compensation, ...] = ()
    as_long_as: Mapping[str, Expect] = field(default_factory=dict)  # control -> what must still hold
    source: str = ""  # file:line of the record


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance(Decision):
    """An owner declines a recommendation on its exclusive perimeter and accepts the residual risk (article 5.2)."""

    kind: ClassVar[Kind] = "acceptance"
    recommendation: str


@dataclass(frozen=True, slots=True)
class Notice:
    """That a beneficiary was told of an adaptation."""

    entity: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation(Decision):
    """The operator of a shared perimeter moves a target, having told its beneficiaries (article 5, last paragraph).

    `parameters` stand in the place of those of the measure; `expect` and `tolerate` in that of a control's.
    """

    kind: ClassVar[Kind] = "adaptation"
    measure: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    original: Mapping[str, float] = field(default_factory=dict)
    expect: Mapping[str, Expect] = field(default_factory=dict)
    tolerate: Mapping[str, Expect] = field(default_factory=dict)
    informed: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption(Decision):
    """A technical record: a false positive, or what cannot apply by design. `unasked_*`: nothing is asked there, rightly."""

    kind: ClassVar[Kind] = "exemption"
    unasked_measures: tuple[str, ...] = ()
    unasked_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What somebody will mend until when. It changes no outcome and never gates.

    One that `awaits` arbitration (convention, article 4) mends nothing: what it is about is still to be decided.
    """

    kind: ClassVar[Literal["action"]] = "action"

    id: str
    perimeter: str
    controls: tuple[str, ...]
    scope: Scope
    text: str
    responsible: str
    due: str
    ticket: str = ""
    raised_by: str = ""  # the finding, the audit, the recommendation that it comes from
    status: Literal["open", "done", "abandoned"] = "open"
    source: str = ""
    awaits: Literal["", "arbitration"] = ""


Record = Decision | Action
