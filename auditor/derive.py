"""The facts of all hosts in; the findings that no host tells of itself out: of perimeters, and of hosts by witnesses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from auditor.alike import shared
from auditor.expectations import finding
from auditor.kinds import DerivedProbe
from auditor.model import Check, Estate, Facts, Finding, Host, Subject, Unknown, question_key


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run has of its hosts: the ids of those it has (`asked`), their facts, and what they call themselves.

    `facts(question key, host id)` is None when nothing was kept; `own_names()` are by host id.
    """

    asked: frozenset[str]
    facts: Callable[[str, str], Facts | Unknown | None]
    own_names: Callable[[], Mapping[str, str]] = dict

    def of(self, question: str, host: Host) -> Facts | Unknown:
        """Also of a host outside this run: what was not asked is Unknown, not left out."""
        facts = self.facts(question, host.id) if host.id in self.asked else Unknown("not_asked", host.id)
        return Unknown("not_measured", host.id) if facts is None else facts


def derive(
    checks: Iterable[Check], probes: Mapping[str, Any], estate: Estate, kept: Kept, at: float
) -> Iterator[Finding]:
    """One finding for each check; hosts are read one by one, and no more of them is held than a derived probe keeps."""
    known: dict[str, Callable[[str], Facts]] = {}
    for check in checks:
        probe = probes[check.control.probe]
        assert isinstance(probe, DerivedProbe)
        name = question_key(check.control.probe, check.arguments)
        if name not in known and check.unasked is None:
            known[name] = _heard(probe, check, estate, kept) if probe.heard else _folded(probe, estate, kept)
        facts = check.unasked or shared(name, known[name](check.subject.id))
        yield finding(check, facts, probe.facts, at)


def _heard(probe: DerivedProbe, check: Check, estate: Estate, kept: Kept) -> Callable[[str], Facts]:
    """What witnesses tell of a host, by its id."""
    assert probe.heard is not None
    question = question_key(probe.over, check.arguments)
    witnesses = ((host.id, kept.of(question, host)) for host in estate.hosts if set(probe.roles) & set(host.roles))
    own = kept.own_names()
    return probe.heard(((host, own.get(host.id, "")) for host in estate.hosts), witnesses)


def _folded(probe: DerivedProbe, estate: Estate, kept: Kept) -> Callable[[str], Facts]:
    """What the hosts of a perimeter tell together, by its id."""

    @cache
    def facts(perimeter: str) -> Facts:
        assert probe.fold is not None
        hosts = ((host.id, kept.of(probe.over, host)) for host in estate.hosts if host.perimeter == perimeter)
        return probe.fold(Subject("perimeter", perimeter, perimeter), hosts)

    return facts
