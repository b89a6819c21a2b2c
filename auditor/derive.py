"""The facts of all hosts in; the findings that only all of them together can tell out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from auditor.expectations import finding
from auditor.kinds import DerivedProbe
from auditor.model import Check, Estate, Facts, Finding, Unknown

Kept = Callable[[str, str], Facts | Unknown | None]  # (probe, host id) -> its facts, None when nothing was kept


def derive(
    checks: Iterable[Check],
    probes: Mapping[str, Any],
    estate: Estate,
    asked: frozenset[str],
    kept: Kept,
    at: float,
) -> Iterator[Finding]:
    """One finding for each check of a perimeter; the hosts are folded as they are read. `asked`: ids of this run's hosts."""
    told: dict[tuple[str, str], Facts] = {}
    for check in checks:
        probe = probes[check.control.probe]
        assert isinstance(probe, DerivedProbe)
        key = (check.control.probe, check.subject.id)
        if key not in told:
            told[key] = probe.fold(check.subject, _seen(estate, probe.over, check.subject.id, asked, kept))
        yield finding(check, told[key], probe.facts, at)


def _seen(estate: Estate, over: str, perimeter: str, asked: frozenset[str], kept: Kept) -> Iterator[tuple[str, Any]]:
    """Every host of the perimeter, also those outside this run: what was not asked is Unknown, not left out."""
    for host in estate.hosts:
        if host.perimeter == perimeter:
            facts = kept(over, host.id) if host.id in asked else Unknown("not_asked", host.id)
            yield host.id, Unknown("not_measured", host.id) if facts is None else facts
