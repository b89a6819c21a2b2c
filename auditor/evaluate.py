"""The checks of one subject and the raw answers in; findings and facts out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.expectations import finding
from auditor.framing.sh import HELLO
from auditor.kinds import Probe
from auditor.model import Answer, Check, Command, Facts, Failure, Finding, Host, Outcome, Question, Unknown

_FAMILIES = {"Linux": "linux", "FreeBSD": "freebsd", "Darwin": "macos"}


@dataclass(frozen=True, slots=True)
class Judged:
    """What one host came to. `failure` says why it as a whole told nothing; `facts` by probe, asked without arguments."""

    findings: tuple[Finding, ...]
    facts: Mapping[str, Facts | Unknown]
    failure: Unknown | None
    measured: int
    at: float


def evaluate(
    host: Host,
    checks: Sequence[Check],
    questions: Iterable[Question],
    answers: Mapping[Command, Answer],
    probes: Mapping[str, Any],
) -> Judged:
    """Every check gets a finding; facts are parsed once for each probe and its arguments."""
    failure = _failure(host, answers)
    told: dict[str, Facts | Unknown] = {}
    plain: dict[str, Facts | Unknown] = {}
    for question in questions:
        facts = failure or _facts(probes[question.probe], host.platform, question, answers)
        told[_key(question.probe, question.arguments)] = facts
        if not question.arguments:
            plain[question.probe] = facts
    at = max((a.at for a in answers.values()), default=0.0)
    findings = []
    for check in checks:
        facts = told.get(_key(check.control.probe, check.arguments), Unknown("not_asked"))
        findings.append(finding(check, facts, probes[check.control.probe].facts, at))
    measured = sum(1 for f in findings if f.outcome is not Outcome.UNKNOWN)
    return Judged(tuple(findings), plain, failure, measured, at)


def _key(probe: str, arguments: Mapping[str, Any]) -> str:
    return f"{probe} {sorted(arguments.items())}"


def _failure(host: Host, answers: Mapping[Command, Answer]) -> Unknown | None:
    """Why nothing of this host counts: it did not answer, or it is not what the inventory says."""
    hello = answers.get(HELLO)
    if hello is None:
        return Unknown("not_connected", host.why) if host.connection == "none" else Unknown("nothing_asked")
    if isinstance(hello, Failure):
        return hello.unknown()
    system = hello.text.split("\n", 1)[0].strip()
    if _FAMILIES.get(system, system) != host.platform:
        return Unknown("other_platform", f"{system[:40]} / {host.platform}")
    return None


def _facts(probe: Probe, platform: str, question: Question, answers: Mapping[Command, Answer]) -> Facts | Unknown:
    missing = Failure("not_asked")
    given = {name: answers.get(command, missing) for name, command in question.commands.items()}
    try:
        return probe.dialects[platform].parse(given, question.arguments)
    except Unreadable as error:
        return Unknown("unreadable", str(error))
