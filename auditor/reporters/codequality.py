"""A run in, a GitLab Code Quality report out: a JSON array, an entry a finding that is open. Pure.

GitLab shows what a merge request adds and takes away, by fingerprint; what is missing counts as mended. So what could
not be told is an entry too, and so is a run that is not whole. What a decision covers is left out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from auditor.document import Plain
from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import Finding, Outcome, Run
from auditor.reporters._plain import dumped
from auditor.reporters._said import first_cause, place, why
from auditor.reporters._unseen import Unseen, by_subject, of_run, of_subject, of_uncounted
from auditor.sentences import OUTCOME_WORDS, clean
from auditor.summary import blind, decided, gating, named
from auditor.touched_words import said

LONGEST = 1000  # characters of one description
SEVERITY = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}
_FILES = ("file", "reference")  # what a change touches that is a path
NOT_COUNTED = "info"  # a missed target whose limit is kept; what does not change the exit code


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    """Writes the array, an entry a line, without a byte order mark."""
    write = open_part("")
    before = "[\n"
    for entry in _entries(run, voice):
        write((before + dumped(entry)).encode("utf-8"))
        before = ",\n"
    write(b"[]\n" if before == "[\n" else b"\n]\n")


def _entries(run: Run, voice: Voice) -> Iterator[Plain]:
    for one in run.header.trusted.touched if run.header.trusted else ():
        touch = Unseen(f"trusted-{one.kind}", "", said(one, voice), gates=False)
        yield _whole(touch, "", run, voice, f"{one.how} {one.name}", one.name if one.kind in _FILES else "")
    told = 0
    uncounted: Counter[str] = Counter()
    for finding in run.findings():
        told += 1
        if finding.outcome is Outcome.UNKNOWN and not finding.gates:
            uncounted[first_cause(finding).cause] += 1
        elif finding.outcome not in (None, Outcome.PASS) and not decided(finding):
            yield _of(finding, run, voice)
    for unseen in (*of_run(run, told, blind(run), voice), *of_uncounted(uncounted, voice)):
        if unseen.text:
            yield _whole(unseen, "", run, voice)
    for gaps in by_subject(run, exempted=False).values():
        for unseen in of_subject(run, gaps, voice):
            yield _whole(unseen, named(gaps[0].subject), run, voice)


def _of(finding: Finding, run: Run, voice: Voice) -> Plain:
    control = run.controls.get(finding.control)
    said, reads = why(finding, voice), gating(finding)
    if reads in (Outcome.UNKNOWN, Outcome.WARN):
        said = f"{voice.say(OUTCOME_WORDS[reads.value])}: {said}"
    title = f"{clean(voice.text(control.title))}: " if control else ""
    path, line = place(control, voice, finding)
    return _entry(
        finding.control,
        f"{named(finding.subject)}: {title}{said}",
        NOT_COUNTED if reads is Outcome.WARN else SEVERITY[finding.severity],
        finding.fingerprint,
        path,
        line,
    )


def _whole(unseen: Unseen, subject: str, run: Run, voice: Voice, also: str = "", file: str = "") -> Plain:
    """What has no line stands at its own file, at the estate, or where the first control does; `also` tells it from others."""
    told = f"{unseen.name}\0{subject}" + (f"\0{also}" if also else "")
    fingerprint = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    at = file or run.header.estate
    path = clean(voice.located(at) if at else "", 0) or place(next(iter(run.controls.values()), None), voice)[0]
    text = f"{subject}: {unseen.text}" if subject else unseen.text
    return _entry(unseen.name, text, SEVERITY["high"] if unseen.gates else NOT_COUNTED, fingerprint, path, 1)


def _entry(check: str, said: str, severity: str, fingerprint: str, path: str, line: int) -> Plain:
    return {
        "check_name": clean(check),
        "description": clean(said, LONGEST),
        "fingerprint": fingerprint,
        "location": {"lines": {"begin": line}, "path": path},
        "severity": severity,
    }


REPORTER = Reporter(
    title={"en": "GitLab Code Quality", "fr": "Code Quality de GitLab"},
    render=render,
)
