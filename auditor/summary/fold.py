"""A run in; its headline, roll-ups and the fixes that close most out, in one pass over its iterators. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from auditor.kinds import RECORDS
from auditor.model import BY_HAND, SEVERITIES, Coverage, Finding, HostSeen, Outcome, Reason, Run, StandsBeside, Unknown
from auditor.summary.counting import OPEN, counts_as, gating, plain
from auditor.summary.hosts import attested, rightly_unasked, witnessed
from auditor.summary.names import named
from auditor.summary.parts import Fix, Gap, Group, JudgedEarlier, Summary, Untold


def summary(run: Run) -> Summary:
    """Folds one pass over each iterator of the run."""
    fold = _Fold()
    for finding in run.findings():
        control = run.controls.get(finding.control)
        fold.add(finding, control.measure if control else "")
    gaps = _gaps(run.coverage(), fold)
    hosts = list(run.hosts())
    spoken_for = witnessed(run)
    exempt = {name for gap in gaps if gap.decision and not gap.measure for name in gap.subjects}
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
        unreached=_unreached(h for h in hosts if h.host not in spoken_for and not rightly_unasked(h, exempt)),
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


def _unreached(hosts: Iterable[HostSeen]) -> tuple[Untold, ...]:
    by_cause: dict[str, list[str]] = {}
    for host in hosts:
        if host.failure:
            by_cause.setdefault(host.failure.cause, []).append(host.host)
    return _untold(by_cause)


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
