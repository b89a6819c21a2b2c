"""The checks of one subject and the raw answers in; findings and facts out. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.alike import shared
from auditor.errors import Unreadable
from auditor.expectations import finding
from auditor.framing.sh import HELLO
from auditor.kinds import NO_FILES, RECORDS, TREE, Probe
from auditor.medium import of_tree
from auditor.model import (
    Answer,
    Check,
    Command,
    Facts,
    Failure,
    Finding,
    Host,
    Outcome,
    Output,
    Question,
    Unknown,
    question_key,
)

_SHA256 = re.compile(r"[0-9a-f]{64}(?![^ ])")
_FAMILIES = {"Linux": "linux", "FreeBSD": "freebsd", "Darwin": "macos", "Windows": "windows"}

# Details in our own words; sentences.DETAILS translates them.
SAME_MACHINE = "one machine answered for {hosts}"
SAME_MACHINE_BEFORE = "one machine answered for {hosts}, and in an earlier audit for {others}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What one host came to. `failure` says why it as a whole told nothing; `facts` by the question's key."""

    findings: tuple[Finding, ...]
    facts: Mapping[str, Facts | Unknown]
    failure: Unknown | None
    measured: int
    at: float
    identity: str = ""
    collector: str = ""


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
    for question in questions:
        told[question.key] = failure or _facts(probes[question.probe], host, question, answers)
    at = max((a.at for a in answers.values()), default=0.0)
    findings = []
    for check in checks:
        facts = told.get(question_key(check.control.probe, check.arguments), Unknown("not_asked"))
        schema = probes[check.control.probe].facts
        came_to = finding(check, facts, schema, at)
        findings.append(of_tree(came_to, facts, schema, host.tree) if host.connection == TREE else came_to)
    measured = sum(1 for f in findings if f.outcome is not Outcome.UNKNOWN)
    return Judged(tuple(findings), told, failure, measured, at, identity(answers.get(HELLO)), collector(answers))


def _failure(host: Host, answers: Mapping[Command, Answer]) -> Unknown | None:
    """Why nothing of this host counts: it did not answer, or it is not what the inventory says."""
    hello = answers.get(HELLO)
    if hello is None and host.connection == TREE and not host.tree:
        return Unknown("not_asked", NO_FILES)
    if hello is None and host.barred:
        return Unknown("not_authorised", host.barred)
    if hello is None:
        return Unknown("not_connected", host.why) if host.connection == "none" else Unknown("nothing_asked")
    if isinstance(hello, Failure):
        return hello.unknown()
    system, name, *_ = (*hello.text.split("\n"), "", "")
    if _FAMILIES.get(system.strip(), system.strip()) != host.platform:
        return Unknown("other_platform", f"{system[:40]} / {host.platform}")
    if host.connection == "local" and not _is_here(host, name):
        return Unknown("other_host", f"connection local asks this machine, {name[:60]}, and not {host.id}")
    return None


def _is_here(host: Host, name: str) -> bool:
    """Old inventories give switches `connection: local`: only what is named as this machine is judged by its answers."""
    here = {"localhost", "127.0.0.1", "::1", name.lower(), name.lower().partition(".")[0]}
    return host.address.lower() in here or host.id.lower() in here or host.id.lower().partition(".")[0] in here


def machine_name(hello: Output) -> str:
    """What a host calls itself, "" where it does not say."""
    return (*hello.text.split("\n"), "", "")[1].strip()


def identity(hello: Answer | None) -> str:
    """The host's own name, and a digest of its machine-id, which is nobody's business; empty when it told neither whole."""
    lines = hello.text.split("\n") if isinstance(hello, Output) else []
    if len(lines) < 5 or not lines[1] or not lines[4].strip():
        return ""
    return f"{lines[1][:64]} {hashlib.sha256(lines[4].strip().encode()).hexdigest()[:12]}"


def collector(answers: Mapping[Command, Answer]) -> str:
    """What answered as root: "installed SHA256", "piped", or "" where nothing did; see HostSeen."""
    hello = answers.get(HELLO)
    if not isinstance(hello, Output) or not any(c.elevated and isinstance(a, Output) for c, a in answers.items()):
        return ""
    lines = hello.text.split("\n")
    if len(lines) < 6 or lines[0].strip() == "Windows":
        return ""
    installed = _SHA256.match(lines[5]) if lines[2] != "0" else None
    return f"installed {installed[0]}" if installed else "piped"


def same_machine(hosts: Sequence[str], before: Sequence[str] = ()) -> Failure:
    """What stands for the answers of hosts that one machine answered for; in an earlier audit, for those `before` too."""
    told = SAME_MACHINE_BEFORE if before else SAME_MACHINE
    return Failure("other_host", told.format(hosts=_shown(hosts), others=_shown(before)))


def _shown(hosts: Sequence[str]) -> str:
    return ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")


def _facts(probe: Probe, host: Host, question: Question, answers: Mapping[Command, Answer]) -> Facts | Unknown:
    missing = Failure("not_asked")
    given = {name: answers.get(command, missing) for name, command in question.commands.items()}
    try:
        facts = probe.of(host)[host.platform].parse(given, question.arguments)
    except Unreadable as error:
        return Unknown("unreadable", str(error))
    if host.connection == RECORDS:
        return _untold(facts) or facts
    return shared(question.key, facts)


def _untold(facts: Facts) -> Unknown | None:
    """A record that is missing or void tells nothing at all, which is said once and not for each fact."""
    first, *rest = facts.values()
    return first if isinstance(first, Unknown) and all(one == first for one in rest) else None
