"""A run in, JUnit XML out, suite by suite, valid against the schemas of Jenkins xUnit and of Apache Ant. Pure.

What each consumer reads decides the shape: GitLab reads only the texts inside elements and drops a second test of one
name; Jenkins xUnit refuses a file with an unknown attribute; an element without a message would count as passed.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, groupby

from junit_xml import TestCase, TestSuite

from auditor.alike import Alike, remembered, undecided
from auditor.compare import KIND_WORDS, NOT_CHANGED
from auditor.decision_words import beside
from auditor.document import stamp
from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import Coverage, Finding, HostSeen, Outcome, Run, Trusted
from auditor.reporters._said import another_day, decided_why, first_cause, why
from auditor.reporters._unseen import LONGEST, by_subject, of_run, of_subject
from auditor.sentences import OUTCOME_WORDS, clean, replayed
from auditor.summary import Dark, decided, folded, gating, named
from auditor.touched_words import said as touch
from auditor.touched_words import side

KINDS = ("failure", "error", "skipped")


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    """Writes one document; the names of suites and tests are the same in every language and run."""
    write = open_part("")
    write(b'<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n')
    for place, suite in enumerate(_suites(run, voice)):
        write(_finalised(suite, place))
    write(b"</testsuites>\n")


# ---------------------------------------------------------------- suites


def _suites(run: Run, voice: Voice) -> Iterator[TestSuite]:
    if run.header.trusted:
        at = run.header.started_at
        yield _suite(run, "run:trusted", "", at, _touched_cases(run.header.trusted, voice))
    names, words = _Names(), _Words(run, voice)
    gaps = by_subject(run)
    findings, dark = 0, Dark()
    earlier = {f"host:{h.host}": h for h in run.hosts()}
    for subject, group in groupby(run.findings(), key=lambda f: f.subject):
        of_subject = list(group)
        findings += len(of_subject)
        where = names.dotted(subject.perimeter, named(subject))
        cases = [_case(f, words, where) for f in of_subject]
        for finding in of_subject:
            dark.see(finding)
        cases += _gap_cases(run, gaps.pop(subject.key, []), where, voice)
        latest = max(f.at for f in of_subject) or run.header.started_at
        yield _suite(run, named(subject), subject.perimeter, latest, cases, earlier.get(subject.key))
    for unplanned in gaps.values():
        subject = unplanned[0].subject
        where = names.dotted(subject.perimeter, named(subject))
        cases = _gap_cases(run, unplanned, where, voice)
        yield _suite(run, named(subject), subject.perimeter, run.header.started_at, cases)
    yield _suite(run, "run:coverage", "", run.header.started_at, _run_cases(run, findings, dark.hosts, voice))


class _Names:
    """Gives each subject its part of a classname; two that differ only in dots do not collapse into one."""

    def __init__(self) -> None:
        self.taken: dict[str, tuple[str, str]] = {}

    def dotted(self, perimeter: str, subject: str) -> str:
        plain = f"{_undotted(perimeter)}.{_undotted(subject)}"
        name, turn = plain, 1
        while self.taken.setdefault(name, (perimeter, subject)) != (perimeter, subject):
            turn += 1
            name = f"{plain}~{turn}"
        return name


def _undotted(part: str) -> str:
    return _token(part).replace(".", "_")


def _token(name: str) -> str:
    """A name as the schemas take it: never empty, no space around it."""
    return clean(name).strip() or "-"


def _suite(
    run: Run, name: str, perimeter: str, at: float, cases: Sequence[TestCase], host: HostSeen | None = None
) -> TestSuite:
    """Of a `host`, it also says what earlier evidence it was judged on, and whether somebody brought that by hand."""
    properties = {"auditor.version": run.header.version, "auditor.run": run.header.id or str(run.header.number)}
    if run.header.seen_by:
        properties["auditor.for"] = run.header.seen_by
    if run.header.limit:
        properties["auditor.limit"] = run.header.limit
    if judged := another_day(run.header):
        properties["auditor.as_of"] = judged
    if run.header.legacy:
        properties["auditor.legacy"] = folded(run.header.legacy)
    if run.header.replay:
        properties["auditor.replay_of"] = run.header.replay.id or str(run.header.replay.number)
        properties["auditor.evidence_of"] = stamp(run.header.replay.started_at)
    if run.header.trusted:
        properties["auditor.trusted"] = f"{run.header.trusted.ref} {run.header.trusted.commit}"
    if run.since:
        properties["auditor.against"] = run.since.before.id or str(run.since.before.number)
    if run.header.policies:
        properties["auditor.policies"] = ", ".join(run.header.policies)
    properties |= {f"digest.{_token(key)}": value for key, value in sorted(run.header.digests.items())}
    if host and host.evidence_at:
        properties["auditor.evidence"] = stamp(host.evidence_at)
    if host and host.medium != "live":
        properties["auditor.medium"] = host.medium
    return TestSuite(
        _token(name),
        cases,
        hostname=_token(name),
        package=_token(perimeter),
        timestamp=datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        properties={key: clean(value) for key, value in properties.items()},
    )


# ---------------------------------------------------------------- tests


class _Words:
    """What the findings of a run say, made once for hosts of which the same is said."""

    def __init__(self, run: Run, voice: Voice) -> None:
        self.run = run
        self.voice = voice
        self.said = remembered(self._said)
        self._alike = remembered(self._text)

    def _said(self, alike: Alike) -> str:
        return why(alike.finding, self.voice)

    def _text(self, alike: Alike) -> str:
        return self._lines(alike.finding, "")

    def since(self, finding: Finding) -> str:
        """What became of a finding since the run that this one was held against."""
        since = self.run.since
        if since is None:
            return ""
        kind = since.kinds.get(finding.fingerprint)
        form = self.voice.say("since audit {number}: {change}")
        return form.format(number=since.before.number, change=self.voice.say(KIND_WORDS[kind] if kind else NOT_CHANGED))

    def body(self, finding: Finding) -> str:
        """All but the last line is the same for all of which the same is said, where nobody decided anything."""
        since = self.since(finding)
        text = self._alike(Alike(finding)) if undecided(finding) and not since else self._lines(finding, since)
        return f"{text}\n{clean(finding.fingerprint, LONGEST)}"

    def _lines(self, finding: Finding, since: str) -> str:
        control, voice = self.run.controls.get(finding.control), self.voice
        lines = list(filter(None, (self.said(Alike(finding)), since)))
        if control:
            lines.insert(0, clean(voice.text(control.title)))
            lines.append(voice.say("Fix: {fix}").format(fix=clean(voice.text(control.fix), 0)))
            lines += [f"{name}: {', '.join(where)}" for name, where in control.references.items()]
        lines += beside(finding.decision, finding.adapted, finding.suspended, voice, persons=False)
        if finding.actions:
            lines.append(voice.say("Actions: {ids}").format(ids=clean(", ".join(finding.actions))))
        return "\n".join(clean(line, LONGEST) for line in lines)


def _case(finding: Finding, words: _Words, where: str) -> TestCase:
    control, voice = words.run.controls.get(finding.control), words.voice
    policy = _undotted(control.policy) if control else "-"
    case = TestCase(_token(finding.control), classname=f"{where}.{policy}")
    said = words.said(Alike(finding))
    if finding.outcome is None:
        _skip(case, f"{voice.say(OUTCOME_WORDS['not_concerned'])}: {said}")
    elif decided(finding):
        _skip(case, decided_why(finding, voice))
    elif gating(finding) is Outcome.FAIL:
        _add(case.add_failure_info, said, finding.severity, words.body(finding))
    elif finding.outcome is Outcome.UNKNOWN:
        _unknown(case, said, first_cause(finding).cause, finding.gates, voice)
    elif gating(finding) is Outcome.WARN:  # no consumer knows a warning: the test passes and says so
        case.stdout = clean(f"{voice.say(OUTCOME_WORDS['warn'])}: {said}", LONGEST)
    return case


def _gap_cases(run: Run, gaps: Sequence[Coverage], where: str, voice: Voice) -> list[TestCase]:
    cases = []
    for gap in of_subject(run, gaps, voice):
        case = TestCase(gap.name, classname=f"{where}.coverage")
        _unknown(case, gap.text, gap.cause, gap.gates, voice, gap.lines)
        cases.append(case)
    return cases


def _run_cases(run: Run, findings: int, dark: Sequence[str], voice: Voice) -> list[TestCase]:
    """Tests of the run as a whole, so that a report of half a run cannot be green."""
    cases = [_whole(unseen.name, unseen.cause, unseen.text) for unseen in of_run(run, findings, dark, voice)]
    earlier = [host.host for host in run.hosts() if host.evidence_at]
    if earlier:
        form = voice.say("judged on earlier evidence: {hosts}")
        cases[1].stdout = clean(form.format(hosts=folded(earlier)), LONGEST)
    if run.header.replay:
        cases[0].stdout = replayed(run.header.replay, voice)
    return cases


def _touched_cases(trusted: Trusted, voice: Voice) -> list[TestCase]:
    """What a change does to what judges it, apart from what it came to: neither red nor green."""
    first = TestCase("judged-by", classname="-.coverage.trusted")
    first.stdout = clean(side(trusted, voice), LONGEST)
    cases = [first]
    for one in trusted.touched:
        case = TestCase(f"{one.kind} {one.how}: {_token(one.name)}", classname="-.coverage.trusted")
        _skip(case, touch(one, voice))
        cases.append(case)
    return cases


def _whole(name: str, kind: str, message: str) -> TestCase:
    case = TestCase(name, classname="-.coverage.run")
    if message:
        _add(case.add_error_info, message, kind, message)
    return case


def _unknown(case: TestCase, said: str, kind: str, gates: bool, voice: Voice, lines: Sequence[str] = ()) -> None:
    """`lines` stand below the message in the text of an error."""
    message = f"{voice.say(OUTCOME_WORDS['unknown'])}: {said}"
    if gates:
        _add(case.add_error_info, message, kind, "\n".join([message, *lines]))
    else:  # what does not change the exit code must not turn a dashboard red, nor green
        _skip(case, message)


def _add(add: object, message: str, kind: str, body: str) -> None:
    assert callable(add)
    add(clean(message, LONGEST) or kind, body or kind, kind)


def _skip(case: TestCase, message: str) -> None:
    text = clean(message, LONGEST)
    case.add_skipped_info(text, text)


# ---------------------------------------------------------------- one suite, as both schemas want it


def _finalised(suite: TestSuite, place: int) -> bytes:
    element: ET.Element = suite.build_xml_doc()
    element.attrib.pop("disabled", None)
    element.attrib |= {"id": str(place), "time": "0.000"}
    for case in element.iter("testcase"):
        case.set("time", "0.000")  # durations lie with the evidence: the same run gives the same bytes
    for skipped in element.iter("skipped"):
        skipped.attrib.pop("type", None)
    _warnings_last(element)
    for name in ("system-out", "system-err"):
        if element.find(name) is None:
            ET.SubElement(element, name)
    _checked(element, suite)
    ET.indent(element, level=1)
    written: bytes = ET.tostring(element, encoding="unicode").encode("utf-8")
    return b"  " + written + b"\n"


def _warnings_last(element: ET.Element) -> None:
    """Moves what tests said to the suite: the schema of Apache Ant knows no output of one test."""
    said = []
    for case in element.iter("testcase"):
        for out in case.findall("system-out"):
            case.remove(out)
            said.append(f"{case.get('name')}: {out.text}")
    if said:
        ET.SubElement(element, "system-out").text = "\n".join(said)


def _checked(element: ET.Element, suite: TestSuite) -> None:
    """The counters are those of what is written, and each test has at most one result."""
    cases = element.findall("testcase")
    assert len(cases) == len(suite.test_cases) == int(element.attrib["tests"])
    for kind, counter in zip(KINDS, ("failures", "errors", "skipped"), strict=True):
        assert len(list(element.iter(kind))) == int(element.attrib[counter])
    children: Iterable[ET.Element] = chain.from_iterable(cases)
    assert all(child.text and child.get("message") for child in children)


REPORTER = Reporter(title={"en": "JUnit XML, for CI", "fr": "JUnit XML, pour l'intégration continue"}, render=render)
