"""The findings and gaps of one subject in, its lines control by control out, what is open and grave first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from auditor.decision_words import DECIDED_WORDS, beside
from auditor.kinds import Voice
from auditor.model import SEVERITIES, Coverage, Finding, Outcome, Run, Unknown
from auditor.reporters._text.lines import EMPTY, Line, Span, hung, outcome_style, outcome_word, wrapped
from auditor.sentences import OUTCOME_WORDS, SEVERITY_WORDS, cause, listed, nothing_asked, told, unconcerned
from auditor.summary import counts_as, decided, named

MANY = 4  # findings of one subject for one cause, from which on they stand together
UNASKED = 8  # measures that nothing was asked about, named for each reason

ORDER = (
    "fail", "adapted_fail", "accepted_fail", "exempted_fail",
    "warn", "adapted_warn", "accepted_warn", "exempted_warn", "unknown", "pass", "not_concerned",
)  # fmt: skip


def control_by_control(
    run: Run, findings: Iterable[Finding], gaps: Iterable[Coverage], host: str, voice: Voice
) -> Iterator[Line]:
    """Every control of one host, what is open first, gravest first."""
    groups: dict[str, list[Finding]] = {name: [] for name in ORDER}
    for finding in findings:
        groups[counts_as(finding)].append(finding)
    for name, members in groups.items():
        if members:
            yield EMPTY
        gravest = sorted(members, key=lambda f: -SEVERITIES.index(f.severity))
        folded = _folded(gravest) if name == "unknown" and not voice.details else {}
        for finding in gravest:
            if _why(finding) not in folded:
                yield from _finding(run, finding, name, host, voice)
        for alike in folded.values():
            yield from _alike(alike, host, voice)
    yield from _gaps(run, list(gaps), voice)


def _margin(voice: Voice) -> int:
    """Where a finding's text begins: behind the longest word for what a check came to."""
    return max(len(voice.say(word)) for word in OUTCOME_WORDS.values()) + 2


def _finding(run: Run, finding: Finding, name: str, host: str, voice: Voice) -> Iterator[Line]:
    margin = _margin(voice)
    control = run.controls.get(finding.control)
    title = voice.text(control.title) if control else ""
    where = "" if named(finding.subject) == host else f"  [{named(finding.subject)}]"
    mark: Span = (outcome_style(name), outcome_word(name, voice).upper().ljust(margin))
    if name == "pass":
        yield mark, ("", finding.control + where)
        yield from wrapped(title, voice, margin, "dim")
        return
    weight = voice.say(SEVERITY_WORDS[finding.severity])
    kind = decided(finding)
    if kind:
        weight += ", " + voice.say(DECIDED_WORDS[kind])
    yield mark, ("bold", finding.control), ("", f"  ({weight}){where}")
    yield from wrapped(title, voice, margin)
    yield from _reasons(finding, voice, margin)
    if control and finding.outcome in (Outcome.FAIL, Outcome.WARN):
        yield from wrapped(voice.say("Fix: {fix}").format(fix=voice.text(control.fix)), voice, margin, "dim")


def _reasons(finding: Finding, voice: Voice, margin: int) -> Iterator[Line]:
    words = unconcerned if finding.outcome is None else told
    for line in words(finding.reasons, voice, True):
        yield from wrapped(line, voice, margin)
    for line in beside(finding.decision, finding.adapted, finding.suspended, voice, persons=True):
        yield from wrapped(line, voice, margin)


def _why(finding: Finding) -> tuple[str, Unknown] | None:
    """The subject of a finding and the one cause for which nothing of it could be told; None where there are several."""
    causes = {_alone(reason.cause) for reason in finding.reasons}
    why = causes.pop() if len(causes) == 1 else None
    return None if why is None or finding.decision or finding.suspended else (named(finding.subject), why)


def _alone(why: Unknown | None) -> Unknown | None:
    """A cause without what differs from control to control: which record lacks, what files do not tell."""
    return Unknown(why.cause) if why and why.cause in ("no_record", "not_observable") else why


def _folded(findings: Sequence[Finding]) -> dict[tuple[str, Unknown], list[Finding]]:
    """The findings that a page need not say one by one: many, of one subject, for one cause."""
    found: dict[tuple[str, Unknown], list[Finding]] = {}
    for finding in findings:
        why = _why(finding)
        if why:
            found.setdefault(why, []).append(finding)
    return {why: alike for why, alike in found.items() if len(alike) >= MANY}


def _alike(findings: Sequence[Finding], host: str, voice: Voice) -> Iterator[Line]:
    """Why, how many there are of each severity, and the id of each control, as they come: gravest first."""
    why = _why(findings[0])
    if why is None:
        return
    where = "" if why[0] == host else f"  [{why[0]}]"
    weights = Counter(f.severity for f in findings)
    counts = ", ".join(f"{voice.say(SEVERITY_WORDS[s])} {n}" for s, n in weights.items())
    first, *rest = hung(f"{cause(why[1], voice, True)}  ({counts}){where}", voice, _margin(voice))
    yield ("unknown", outcome_word("unknown", voice).upper().ljust(_margin(voice))), *first
    yield from rest
    yield from wrapped(", ".join(f.control for f in findings), voice, _margin(voice), "dim")


def _gaps(run: Run, gaps: Sequence[Coverage], voice: Voice) -> Iterator[Line]:
    """What nothing was asked about: by cause, with the first measures' ids; in details each measure with its title."""
    by_cause: dict[str, list[Coverage]] = {}
    for gap in gaps:
        by_cause.setdefault(nothing_asked(gap.cause, voice), []).append(gap)
    mark: Span = ("unknown", outcome_word("nothing_asked", voice).upper().ljust(_margin(voice)))
    for place, (why, alike) in enumerate(by_cause.items()):
        if not place:
            yield EMPTY
        first, *rest = hung(f"{why} ({len(alike)})", voice, _margin(voice))
        yield mark, *first
        yield from rest
        if voice.details:
            for gap in alike:
                yield from wrapped(_measure(run, gap), voice, _margin(voice), "bold")
                yield from wrapped(_title_of(run, gap, voice), voice, _margin(voice) + 2)
        else:
            names = listed([_measure(run, gap) for gap in alike], voice, UNASKED)
            yield from wrapped(names, voice, _margin(voice))


def _measure(run: Run, gap: Coverage) -> str:
    perimeters = len(run.perimeters) > 1 and gap.subject.kind == "perimeter"
    return f"{gap.measure} ({gap.subject.id})" if gap.measure and perimeters else gap.measure or named(gap.subject)


def _title_of(run: Run, gap: Coverage, voice: Voice) -> str:
    measure = run.measures.get(gap.measure)
    return voice.text(measure.title) if measure else ""
