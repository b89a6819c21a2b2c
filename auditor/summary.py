"""A run in; its headline, roll-ups, fixes that close most, and the exit code out, in one pass over its iterators. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.kinds import RECORDS, TREE
from auditor.model import (
    BY_HAND,
    SEVERITIES,
    Coverage,
    Finding,
    HostSeen,
    Outcome,
    Reason,
    Run,
    StandsBeside,
    Subject,
    Suspended,
    Unknown,
)

NEVER = "never"  # the `fail_on` that no finding reaches
OPEN = (Outcome.FAIL, Outcome.WARN)


# ---------------------------------------------------------------- what a finding counts as


DECIDED = {"acceptance": "accepted", "adaptation": "adapted", "exemption": "exempted"}


def decided(finding: Finding) -> str:
    """`accepted, adapted, exempted` where a decision stands beside a fail or a warn and what was decided is met; else empty.

    One beside anything else covers nothing, and an adapted target that is missed fails as the convention's own does.
    """
    if finding.decision is None or finding.outcome not in OPEN:
        return ""
    if finding.decision.kind == "adaptation" and finding.adapted is not Outcome.PASS:
        return ""
    return DECIDED.get(finding.decision.kind, "accepted")


def gating(finding: Finding) -> Outcome | None:
    """What gates: the outcome, or the adapted one where an adaptation stands beside it; None where a decision covers it."""
    if decided(finding):
        return None
    missed = finding.outcome in OPEN and finding.decision is not None and finding.decision.kind == "adaptation"
    return finding.adapted if missed and finding.adapted in OPEN else finding.outcome


def counts_as(finding: Finding) -> str:
    """`pass, warn, fail, unknown, not_concerned`, or what was decided and the outcome: `accepted_fail, adapted_warn ...`."""
    if finding.outcome is None:
        return "not_concerned"
    kind = decided(finding)
    if kind:
        return f"{kind}_{finding.outcome.value}"
    reads = gating(finding)
    return (reads or finding.outcome).value


def plain(name: str) -> str:
    """What `counts_as` says, without the outcome that a decision stands beside: `accepted`."""
    return name.partition("_")[0] if name.startswith(tuple(DECIDED.values())) else name


def exit_code(run: Run, fail_on: str, fail_on_warn: bool, only: frozenset[str] | None = None) -> int:
    """1: an open failure reaches `fail_on` (a severity, or `never`); else 3: something was not measured; else 0.

    `only`: the fingerprints of the findings that can give 1, where the run is held against another one. What that one told, and
    this one does not, counts as not measured, whatever the cause: else leaving a file out would be a way to pass.
    """
    unseen = run.header.state != "complete" or any(gap.gates for gap in run.coverage())
    told = 0
    for finding in run.findings():
        if (only is None or finding.fingerprint in only) and _fails(finding, fail_on, fail_on_warn):
            return 1
        unseen = unseen or (finding.outcome is Outcome.UNKNOWN and finding.gates)
        told += 1
    unseen = unseen or told < run.header.checks_planned or _host_away(run) or bool(blind(run))
    return 3 if unseen or (run.since is not None and run.since.counts.get("unmeasured", 0)) else 0


class Dark:
    """What `blind` says, told finding by finding."""

    def __init__(self) -> None:
        self._told: dict[str, bool] = {}

    def see(self, finding: Finding) -> None:
        if finding.medium == TREE and finding.subject.kind == "host":
            told = finding.outcome is not Outcome.UNKNOWN
            self._told[finding.subject.id] = self._told.get(finding.subject.id, False) or told

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(name for name, told in self._told.items() if not told)


def blind(run: Run) -> tuple[str, ...]:
    """The hosts that files stood for, and of which these told nothing at all: that no cause gates makes none of it good."""
    dark = Dark()
    for finding in run.findings():
        dark.see(finding)
    return dark.hosts


def _host_away(run: Run) -> bool:
    """A host that was expected took no part."""
    return any(True for _ in away(run)) or sum(1 for _ in run.hosts()) < run.header.hosts_expected


def away(run: Run) -> Iterator[HostSeen]:
    """The hosts that took no part and ought to; without an estate, one that nothing was asked of does not count."""
    spoken_for, exempt = witnessed(run), exempted_hosts(run)
    for host in run.hosts():
        if host.host in spoken_for or rightly_unasked(host, exempt):
            continue
        if host.failure and (run.header.declared or host.failure.cause != "nothing_asked"):
            yield host


def witnessed(run: Run) -> frozenset[str]:
    """The hosts that nobody connects to, and that a witness told of: their ids."""
    mute = {host.host for host in run.hosts() if host.failure and host.failure.cause == "not_connected"}
    if not mute:
        return frozenset()
    told = (f.subject for f in run.findings() if f.outcome not in (None, Outcome.UNKNOWN))
    return frozenset(subject.id for subject in told if subject.kind == "host" and subject.id in mute)


def attested(host: HostSeen) -> bool:
    """Nobody connects to it, and a record in force names it."""
    return host.attested and host.failure is not None and host.failure.cause == "not_connected"


def exempted_hosts(run: Run) -> frozenset[str]:
    """The hosts without any check of which an exemption says that this is right."""
    return frozenset(gap.subject.id for gap in run.coverage() if gap.decision and not gap.measure)


def rightly_unasked(host: HostSeen, exempt: Container[str]) -> bool:
    """An exemption says that nothing needs to be asked of it, and nothing was."""
    unasked = host.failure is not None and host.failure.cause in ("nothing_asked", "not_connected")
    return unasked and host.host in exempt


def _fails(finding: Finding, fail_on: str, fail_on_warn: bool) -> bool:
    if fail_on == NEVER:
        return False
    reads = gating(finding)
    wrong = reads is Outcome.FAIL or (fail_on_warn and reads is Outcome.WARN)
    return wrong and SEVERITIES.index(finding.severity) >= SEVERITIES.index(fail_on)


# ---------------------------------------------------------------- the summary


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
    them that no connection was tried to. `by_hand` are the hosts whose answers somebody brought. `by_place` counts by (measure, perimeter), a host without any check under "".
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
    silent: frozenset[tuple[str, str]] = (
        frozenset()
    )  # (measure, perimeter): nothing checks it there, and no record tells it

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
    def everything_seen(self) -> bool:
        """Nothing that was expected, planned or inventoried lacks an answer."""
        return (
            self.complete
            and self.hosts_measured + self.hosts_exempted >= self.hosts_expected
            and self.checks_measured >= self.checks_planned
            and not (self.counts["unknown"] or self.open_gaps or self.unreached)
        )


def named(subject: Subject) -> str:
    """How reports name a subject: a host by its id, a perimeter with its kind."""
    return subject.id if subject.kind == "host" else subject.key


def summary(run: Run) -> Summary:
    """Folds one pass over each iterator of the run."""
    fold = _Fold()
    for finding in run.findings():
        control = run.controls.get(finding.control)
        fold.add(finding, control.measure if control else "")
    gaps = _gaps(run.coverage(), fold)
    hosts = list(run.hosts())
    spoken_for = witnessed(run)
    away: dict[str, list[str]] = {}
    exempt = {name for gap in gaps if gap.decision and not gap.measure for name in gap.subjects}
    for host in hosts:
        if host.failure and host.host not in spoken_for and not rightly_unasked(host, exempt):
            away.setdefault(host.failure.cause, []).append(host.host)
    return Summary(
        hosts_expected=run.header.hosts_expected,
        hosts_reached=sum(h.failure is None and not h.evidence_at for h in hosts),
        hosts_measured=sum(h.failure is None and h.measured > 0 for h in hosts) + len(spoken_for),
        hosts_measured_earlier=sum(h.failure is None and h.measured > 0 and h.evidence_at > 0 for h in hosts),
        hosts_attested=sum(attested(h) and h.host not in spoken_for and not rightly_unasked(h, exempt) for h in hosts),
        checks_planned=run.header.checks_planned,
        checks_told=fold.told,
        counts=fold.counts,
        open_severities=fold.open_severities,
        by_measure=fold.by_measure,
        by_perimeter=fold.by_perimeter,
        fixes=_fixes(fold.groups.values()),
        untold=_untold(fold.untold),
        groups=tuple(_group(members) for members in fold.groups.values()),
        unreached=_untold(away),
        gaps=gaps,
        complete=run.header.state == "complete",
        earlier=tuple(JudgedEarlier(h.host, h.evidence_at, h.asked) for h in hosts if h.evidence_at),
        by_place=fold.by_place,
        by_hand=tuple(h.host for h in hosts if h.medium == BY_HAND),
        hosts_exempted=sum(rightly_unasked(h, exempt) for h in hosts),
        checks_attested=fold.attested,
        silent=frozenset(place for place, counts in fold.by_place.items() if fold.silent(place, counts)),
    )


class _Fold:
    """What one pass gathers; passes and what is not concerned are only counted."""

    def __init__(self) -> None:
        self.told = 0
        self.attested = 0
        self.undeclared: Counter[tuple[str, str]] = Counter()
        self.counts: Counter[str] = Counter()
        self.open_severities: Counter[str] = Counter()
        self.by_measure: dict[str, Counter[str]] = {}
        self.by_perimeter: dict[str, Counter[str]] = {}
        self.by_place: dict[tuple[str, str], Counter[str]] = {}
        self.groups: dict[str, tuple[Finding, list[str]]] = {}
        self.untold: dict[str, list[str]] = {}

    def count(self, what: str, measure: str, perimeter: str) -> None:
        self.counts[what] += 1
        self.by_measure.setdefault(measure, Counter())[what] += 1
        self.by_perimeter.setdefault(perimeter, Counter())[what] += 1
        self.by_place.setdefault((measure, perimeter), Counter())[what] += 1

    def silent(self, place: tuple[str, str], counts: Mapping[str, int]) -> bool:
        """Nothing of a measure was asked there, or only for records that are missing."""
        return set(counts) <= {"nothing_asked", "unknown"} and counts.get("unknown", 0) == self.undeclared[place]

    def add(self, finding: Finding, measure: str) -> None:
        self.told += 1
        self.undeclared[(measure, finding.subject.perimeter)] += undeclared(finding.reasons)
        self.attested += finding.medium == RECORDS and finding.outcome is not Outcome.UNKNOWN
        self.count(counts_as(finding), measure, finding.subject.perimeter)
        if finding.outcome in (None, Outcome.PASS):
            return
        if gating(finding) is Outcome.FAIL:
            self.open_severities[finding.severity] += 1
        name = named(finding.subject)
        if finding.outcome is Outcome.UNKNOWN:
            for cause in dict.fromkeys(r.cause.cause for r in finding.reasons if r.cause) or ("not_told",):
                self.untold.setdefault(cause, []).append(name)
        beside = (finding.decision, finding.adapted, finding.suspended)
        key = repr((finding.control, finding.outcome, beside, finding.reasons))
        self.groups.setdefault(key, (finding, []))[1].append(name)


def _group(members: tuple[Finding, list[str]]) -> Group:
    first, subjects = members
    assert first.outcome is not None
    decision = first.decision if first.outcome in OPEN else None
    return Group(
        control=first.control,
        outcome=first.outcome,
        severity=first.severity,
        reasons=first.reasons,
        decision=decision,
        subjects=tuple(subjects),
        state=plain(counts_as(first)),
        adapted=first.adapted if decision else None,
        suspended=first.suspended,
    )


def _fixes(groups: Iterable[tuple[Finding, list[str]]]) -> tuple[Fix, ...]:
    """The controls with open findings: gravest first, then those whose mending closes most, then in plan order."""
    fails: Counter[str] = Counter()
    warns: Counter[str] = Counter()
    severity: dict[str, str] = {}
    subjects: dict[str, list[str]] = {}
    for first, names in groups:
        reads = gating(first)
        if reads not in OPEN:
            continue
        (fails if reads is Outcome.FAIL else warns)[first.control] += len(names)
        severity.setdefault(first.control, first.severity)
        subjects.setdefault(first.control, []).extend(names)
    fixes = (Fix(c, severity[c], fails[c], warns[c], tuple(subjects[c])) for c in subjects)
    return tuple(sorted(fixes, key=lambda f: (-SEVERITIES.index(f.severity), -f.fails, -f.warns)))


def _untold(named_by_cause: Mapping[str, Sequence[str]]) -> tuple[Untold, ...]:
    rows = (Untold(cause, len(names), tuple(dict.fromkeys(names))) for cause, names in named_by_cause.items())
    return tuple(sorted(rows, key=lambda row: -row.checks))


def _gaps(coverage: Iterable[Coverage], fold: _Fold) -> tuple[Gap, ...]:
    grouped: dict[tuple[str, Unknown, StandsBeside | None], list[str]] = {}
    for gap in coverage:
        fold.count("exempted_gap" if gap.decision else "nothing_asked", gap.measure, gap.subject.perimeter)
        grouped.setdefault((gap.measure, gap.cause, gap.decision), []).append(named(gap.subject))
    return tuple(Gap(measure, cause, tuple(names), beside) for (measure, cause, beside), names in grouped.items())


def undeclared(reasons: Sequence[Reason]) -> bool:
    """Nothing lacks but a record."""
    return bool(reasons) and all(r.cause is not None and r.cause.cause == "no_record" for r in reasons)


def unchecked(gaps: Iterable[Gap]) -> dict[str, list[str]]:
    """The measures that nothing checks, by the subject that they are owed on; both in the order of the gaps."""
    found: dict[str, list[str]] = {}
    for gap in gaps:
        for subject in gap.subjects if gap.measure else ():
            found.setdefault(subject, []).append(gap.measure)
    return found


# ---------------------------------------------------------------- lists of hosts


_NUMBER = re.compile(r"[0-9]{1,9}")


def folded(names: Iterable[str]) -> str:
    """Names in their order, numbered ones as ranges: `srv[01-20,25], web03`."""
    unique = list(dict.fromkeys(names))
    shapes: Counter[tuple[str, str]] = Counter(s for n in unique for s, _ in _shapes(n))
    chosen: dict[tuple[str, str], list[str]] = {}
    for name in unique:
        best = max(reversed(list(_shapes(name))), key=lambda shape: shapes[shape[0]], default=((name, ""), ""))
        chosen.setdefault(best[0], []).append(best[1])
    return ", ".join(_ranges(prefix, numbers, suffix) for (prefix, suffix), numbers in chosen.items())


def _shapes(name: str) -> Iterable[tuple[tuple[str, str], str]]:
    """Each number of a name with what stands before and after it."""
    return [((name[: m.start()], name[m.end() :]), m.group()) for m in _NUMBER.finditer(name)]


def _ranges(prefix: str, numbers: list[str], suffix: str) -> str:
    runs: list[list[str]] = []
    for number in sorted((n for n in numbers if n), key=lambda n: (int(n), len(n))):
        if runs and _follows(runs[-1][-1], number):
            runs[-1].append(number)
        else:
            runs.append([number])
    inside = ",".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    alone = [prefix + suffix] if "" in numbers else []  # a name without a number, beside numbered ones
    if len(runs) == 1 and len(runs[0]) == 1:
        return ", ".join([*alone, f"{prefix}{inside}{suffix}"])
    return ", ".join([*alone, f"{prefix}[{inside}]{suffix}"] if runs else alone)


def _follows(last: str, number: str) -> bool:
    """The next number, padded alike: `09` then `10`, `9` then `10`, never `09` then `9`."""
    natural = str(int(last)) == last and str(int(number)) == number
    return int(number) == int(last) + 1 and (len(number) == len(last) or natural)
