"""A run in, SARIF 2.1.0 out, result by result: what code scanning shows beside the code. Pure.

Consumers decide the shape. GitHub reads no `kind` and no suppression: every result is an open problem there, and one
that is missing next time is a solved one. So passes are not written, and what could not be told is. A result without
a file and a line is dropped: it stands at the line of the policy that defines its control, and names its host.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from auditor.decision_words import standing
from auditor.document import Plain, stamp
from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import SEVERITIES, Comparison, Control, Finding, Outcome, Run, Subject
from auditor.reporters._plain import dumped, elements
from auditor.reporters._said import JUDGED_AS_OF, another_day, decided_why, first_cause, place, why
from auditor.reporters._sarif_rules import LEVELS, WARN, one_line, rules
from auditor.reporters._unseen import by_subject, of_run, of_subject, of_uncounted
from auditor.sentences import OUTCOME_WORDS, cause, clean, day, replayed
from auditor.summary import NEVER, away, blind, decided, exit_code, gating, named
from auditor.touched_words import said as touch
from auditor.touched_words import side

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 25_000  # results that GitHub takes

# The order in which results are left out when there are too many, last first; fails come first, gravest first.
_UNKNOWN, _WARN, _DECIDED = 10, 20, 30


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    """Writes one document with one run; ids and keys are the same in every language."""
    write = open_part("")
    for piece in _pieces(run, voice):
        write(piece.encode("utf-8"))


def _pieces(run: Run, voice: Voice) -> Iterator[str]:
    seen = _survey(run, voice)
    known = rules(run, seen.warned, seen.uncatalogued, voice)
    index = {rule["id"]: turn for turn, rule in enumerate(known)}
    yield f'{{\n"$schema": {dumped(SCHEMA)},\n"version": "2.1.0",\n"runs": [{{\n'
    yield f'"automationDetails": {dumped({"id": _category(run, voice)})},\n"columnKind": "unicodeCodePoints",\n'
    yield f'"language": {dumped(voice.lang)},\n"invocations": [{dumped(_invocation(run, seen, voice))}],\n'
    yield f'"tool": {{"driver": {{\n"name": "auditor",\n"semanticVersion": {dumped(clean(run.header.version))},\n'
    yield from elements("rules", known)
    yield "}},\n"
    yield from elements("results", _results(run, seen, index, voice))
    yield "\n}]\n}\n"


# ---------------------------------------------------------------- what there is to write


@dataclass(slots=True)
class _Survey:
    """What one pass over the findings counts. `room` is how many results of each rank are written."""

    told: int = 0
    ranks: Counter[int] = field(default_factory=Counter)
    warned: set[str] = field(default_factory=set)
    uncatalogued: dict[str, str] = field(default_factory=dict)  # control -> severity
    uncounted: Counter[str] = field(default_factory=Counter)  # cause -> checks that could not be told and do not gate
    left_out: int = 0  # findings that a decision covers

    @property
    def room(self) -> dict[int, int]:
        left, room = MOST, {}
        for rank in sorted(self.ranks):
            room[rank] = min(self.ranks[rank], left)
            left -= room[rank]
        return room

    @property
    def results(self) -> int:
        return self.ranks.total()


def _survey(run: Run, voice: Voice) -> _Survey:
    seen = _Survey()
    for finding in run.findings():
        seen.told += 1
        if finding.control not in run.controls:
            seen.uncatalogued.setdefault(finding.control, finding.severity)
        rank = _rank(finding, voice)
        if rank is not None:
            seen.ranks[rank] += 1
            if _tolerated(finding):
                seen.warned.add(finding.control)
        elif decided(finding):
            seen.left_out += 1
        elif finding.outcome is Outcome.UNKNOWN:
            seen.uncounted[first_cause(finding).cause] += 1
    return seen


def _rank(finding: Finding, voice: Voice) -> int | None:
    """How grave a result is, 0 the gravest; None for what is no result."""
    if decided(finding):
        return _DECIDED if voice.suppressed else None
    if gating(finding) is Outcome.FAIL:
        return len(SEVERITIES) - 1 - SEVERITIES.index(finding.severity)
    if finding.outcome is Outcome.UNKNOWN:
        return _UNKNOWN if finding.gates else None
    return _WARN if gating(finding) is Outcome.WARN else None


# ---------------------------------------------------------------- results


def _results(run: Run, seen: _Survey, index: Mapping[str, int], voice: Voice) -> Iterator[Plain]:
    room = seen.room
    for finding in run.findings():
        rank = _rank(finding, voice)
        if rank is None or not room[rank]:
            continue
        room[rank] -= 1
        yield _result(finding, run, index, voice)


def _result(finding: Finding, run: Run, index: Mapping[str, int], voice: Voice) -> Plain:
    rule = finding.control + (WARN if _tolerated(finding) else "")
    result: Plain = {
        "ruleId": rule,
        "ruleIndex": index[rule],
        **_kind(finding),
        "message": {"text": _message(finding, voice)},
        "locations": [_location(finding, run.controls.get(finding.control), voice)],
        "partialFingerprints": {
            "auditorFinding/v1": finding.fingerprint,
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
        },
        "properties": {"outcome": finding.outcome, "severity": finding.severity},
    }
    if run.since:
        result["baselineState"] = _state(finding, run.since)
    if decided(finding):
        assert finding.decision is not None
        said = one_line(standing(finding.decision, voice, iso=True))
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}]
    return result


def _tolerated(finding: Finding) -> bool:
    """A target that is missed while its limit is kept: of the convention, or of the adaptation that stands beside it."""
    return (gating(finding) or finding.outcome) is Outcome.WARN


def _kind(finding: Finding) -> Plain:
    """SARIF gives a level to failures only."""
    if finding.outcome is Outcome.UNKNOWN:
        return {"kind": "open", "level": "none"}
    return {"kind": "fail", "level": "warning" if _tolerated(finding) else LEVELS[finding.severity]}


def _message(finding: Finding, voice: Voice) -> str:
    said = decided_why(finding, voice) if decided(finding) else why(finding, voice)
    if finding.outcome is Outcome.UNKNOWN:
        said = f"{voice.say(OUTCOME_WORDS['unknown'])}: {said}"
    return one_line(f"{named(finding.subject)}: {said}")


def _state(finding: Finding, since: Comparison) -> str:
    kind = since.kinds.get(finding.fingerprint)
    return "unchanged" if kind is None else "new" if kind == "new" else "updated"


def _location(finding: Finding, control: Control | None, voice: Voice) -> Plain:
    path, line = place(control, voice, finding)
    region = {
        "startLine": line,
        "startColumn": 1,
        "endLine": line,
        "endColumn": 2,
    }  # the line exists; how long it is, nobody knows
    physical = {"artifactLocation": {"uri": quote(path)}, "region": region}
    return {"physicalLocation": physical, "logicalLocations": [_logical(finding.subject)]}


def _logical(subject: Subject) -> Plain:
    name = clean(named(subject))
    return {"name": name, "fullyQualifiedName": f"{clean(subject.perimeter) or '-'}/{name}", "kind": "resource"}


# ---------------------------------------------------------------- the run as a whole


def _category(run: Run, voice: Voice) -> str:
    """What stands before the last slash tells apart what code scanning compares: another estate or part of it is another."""
    header = run.header
    estate = voice.located(header.estate) if header.estate else next((host.host for host in run.hosts()), "-")
    limit = [f"limit={header.limit}"] if header.limit else []
    parts = (estate, *limit, *map(voice.located, header.policies), header.id or str(header.number))
    return "/".join(["auditor", *map(_slug, parts)])


def _slug(text: str) -> str:
    """A part of a category; two that differ only in what is left out do not collapse into one."""
    plain = re.sub(r"[^A-Za-z0-9._=-]+", "-", text).strip("-")
    if re.fullmatch(r"[A-Za-z0-9._=/-]*", text):
        return plain or "-"
    return f"{plain}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _invocation(run: Run, seen: _Survey, voice: Voice) -> Plain:
    """`executionSuccessful` is false where the run exits with 3 for what was not seen."""
    invocation: Plain = {"executionSuccessful": exit_code(run, NEVER, False) == 0}
    times = {"startTimeUtc": run.header.started_at, "endTimeUtc": run.header.finished_at}
    invocation |= {name: stamp(at) for name, at in times.items() if at}
    invocation["toolExecutionNotifications"] = list(_notifications(run, seen, voice))
    return invocation


def _notifications(run: Run, seen: _Survey, voice: Voice) -> Iterator[Plain]:
    if run.header.trusted:
        yield _notification("trusted", side(run.header.trusted, voice), False)
        for one in run.header.trusted.touched:
            yield _notification(f"trusted-{one.kind}", touch(one, voice), False)
    if run.header.replay:
        yield _notification("replay", replayed(run.header.replay, voice), False)
    if judged := another_day(run.header):
        yield _notification("as-of", voice.say(JUDGED_AS_OF).format(day=day(judged, voice)), False)
    for unseen in of_run(run, seen.told, blind(run), voice):
        if unseen.text:
            yield _notification(unseen.name, unseen.text, True)
    for host in away(run):
        assert host.failure is not None
        said = f"{clean(host.host)}: {cause(host.failure, voice, False)}"
        yield _notification(host.failure.cause, said, True, [_logical(Subject("host", host.host))])
    for gaps in by_subject(run).values():
        subject = gaps[0].subject
        for unseen in of_subject(run, gaps, voice):
            yield _notification(unseen.name, f"{named(subject)}: {unseen.text}", unseen.gates, [_logical(subject)])
    yield from _counted(seen, voice)


def _counted(seen: _Survey, voice: Voice) -> Iterator[Plain]:
    """What is not written result by result."""
    for unseen in of_uncounted(seen.uncounted, voice):
        yield _notification(unseen.name, unseen.text, False)
    if seen.left_out:
        form = voice.say("findings that a decision covers, left out of this report: {count}")
        yield _notification("decided", form.format(count=seen.left_out), False)
    if seen.results > MOST:
        form = voice.say("results left out, the least grave ones: {count} of {total}")
        yield _notification("too-many", form.format(count=seen.results - MOST, total=seen.results), True)


def _notification(name: str, said: str, gates: bool, where: Iterable[Plain] = ()) -> Plain:
    told = {"descriptor": {"id": name}, "level": "error" if gates else "note", "message": {"text": one_line(said)}}
    return {**told, "locations": [{"logicalLocations": list(where)}]} if where else told


REPORTER = Reporter(title={"en": "SARIF, for code scanning", "fr": "SARIF, pour l'analyse de code"}, render=render)
