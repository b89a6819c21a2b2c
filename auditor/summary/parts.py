"""What a run folds to, frozen: its counts, fixes, groups and gaps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.model import Outcome, Reason, StandsBeside, Suspended, Unknown


@dataclass(frozen=True, slots=True)
class Fix:
    """A control with open findings: mending it closes them. `subjects` are in plan order."""

    control: str
    severity: str
    fails: int
    warns: int
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Untold:
    """What could not be told for one cause: how many checks, on which subjects."""

    cause: str
    checks: int
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Equal findings: one control, one outcome, the same reasons, the same decision beside them or suspended.

    `state` is what they count as: `fail, warn, unknown`, or `accepted, adapted, exempted`.
    """

    control: str
    outcome: Outcome
    severity: str
    reasons: tuple[Reason, ...]
    decision: StandsBeside | None
    subjects: tuple[str, ...]
    state: str = ""
    adapted: Outcome | None = None
    suspended: tuple[Suspended, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was asked about a measure (empty: about a whole host), for one cause."""

    measure: str
    cause: Unknown
    subjects: tuple[str, ...]
    decision: StandsBeside | None = None  # the exemption that says why nothing needs to be asked


@dataclass(frozen=True, slots=True)
class JudgedEarlier:
    """A host judged on evidence of an earlier run, of `at`; `asked` says whether it was also asked now."""

    host: str
    at: float
    asked: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """One run folded. `counts` and roll-ups hold what `counts_as` says, and `nothing_asked`; `open_severities` the open fails.

    `earlier` are the hosts judged on evidence of an earlier run, with its date, in plan order; `unasked` counts those of
    them that no connection was tried to. `by_hand` are the hosts whose answers somebody brought. `by_place` counts by
    (measure, perimeter), a host without any check under ""; `silent` are the places where nothing checks the measure, and
    no record tells it.
    """

    hosts_expected: int
    hosts_reached: int
    hosts_measured: int
    hosts_measured_earlier: int
    hosts_attested: int
    checks_planned: int
    checks_told: int  # findings that the run holds
    counts: Mapping[str, int]
    open_severities: Mapping[str, int]
    by_measure: Mapping[str, Mapping[str, int]]
    by_perimeter: Mapping[str, Mapping[str, int]]
    fixes: tuple[Fix, ...]
    untold: tuple[Untold, ...]
    groups: tuple[Group, ...]
    unreached: tuple[Untold, ...]
    gaps: tuple[Gap, ...]
    complete: bool
    earlier: tuple[JudgedEarlier, ...] = ()
    by_place: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    by_hand: tuple[str, ...] = ()
    hosts_exempted: int = 0
    checks_attested: int = 0  # of those measured, what rests on what people declared
    silent: frozenset[tuple[str, str]] = frozenset()

    @property
    def hosts_measured_now(self) -> int:
        return self.hosts_measured - self.hosts_measured_earlier

    @property
    def hosts_unseen(self) -> int:
        """Hosts that nobody looks at: neither measured, now or earlier, nor attested."""
        return max(0, self.hosts_expected - self.hosts_measured - self.hosts_attested - self.hosts_exempted)

    @property
    def open_gaps(self) -> tuple[Gap, ...]:
        """What nothing was asked of, and nobody said that nothing needs to be."""
        return tuple(gap for gap in self.gaps if gap.decision is None)

    @property
    def unasked(self) -> int:
        return sum(not one.asked for one in self.earlier)

    @property
    def oldest_evidence_at(self) -> float:
        """The oldest earlier evidence that a host was judged on; 0 when all were judged on what they said now."""
        return min((one.at for one in self.earlier), default=0.0)

    @property
    def checks_measured(self) -> int:
        return self.checks_told - self.counts["unknown"]

    @property
    def nothing_judged(self) -> bool:
        """No check came to a pass, a warning or a failure: none could be told, or none concerned anything."""
        return self.checks_measured - self.counts["not_concerned"] <= 0

    @property
    def everything_seen(self) -> bool:
        """Nothing that was expected, planned or inventoried lacks an answer, and something was judged."""
        return (
            self.complete
            and not self.nothing_judged
            and self.hosts_measured + self.hosts_exempted >= self.hosts_expected
            and self.checks_measured >= self.checks_planned
            and not (self.counts["unknown"] or self.open_gaps or self.unreached)
        )
