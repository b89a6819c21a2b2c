"""The facts of all hosts in; the findings that no host tells of itself out: of perimeters, and of hosts by witnesses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.expectations import finding
from auditor.kinds import DerivedProbe
from auditor.model import Check, Estate, Facts, Finding, Host, Unknown, question_key


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
    folds: dict[tuple[str, str], Facts] = {}
    heard: dict[str, Callable[[str], Facts]] = {}
    for check in checks:
        probe = probes[check.control.probe]
        assert isinstance(probe, DerivedProbe)
        if check.unasked is not None:
            yield finding(check, check.unasked, probe.facts, at)
        elif probe.fold is not None:
            key = (check.control.probe, check.subject.id)
            if key not in folds:
                folds[key] = probe.fold(check.subject, _of_perimeter(estate, probe.over, check.subject.id, kept))
            yield finding(check, folds[key], probe.facts, at)
        else:
            assert probe.heard is not None
            name = question_key(check.control.probe, check.arguments)
            if name not in heard:
                question = question_key(probe.over, check.arguments)
                heard[name] = probe.heard(_named(estate, kept), _witnesses(estate, probe.roles, question, kept))
            yield finding(check, heard[name](check.subject.id), probe.facts, at)


def _of_perimeter(estate: Estate, over: str, perimeter: str, kept: Kept) -> Iterator[tuple[str, Any]]:
    return ((host.id, kept.of(over, host)) for host in estate.hosts if host.perimeter == perimeter)


def _witnesses(estate: Estate, roles: tuple[str, ...], question: str, kept: Kept) -> Iterator[tuple[str, Any]]:
    return ((host.id, kept.of(question, host)) for host in estate.hosts if set(roles) & set(host.roles))


def _named(estate: Estate, kept: Kept) -> Iterator[tuple[Host, str]]:
    own = kept.own_names()
    return ((host, own.get(host.id, "")) for host in estate.hosts)
