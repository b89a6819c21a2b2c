"""A plan in; the hosts and the measures in force that nothing is asked of out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.kinds import Probe
from auditor.model import Coverage, Host, Subject, Unknown
from auditor.plan.checks import Plan
from auditor.plan.meant import knows, meant, subject_of

NO_RECORD_ASKED = "no record of it is asked for"


def coverage(plan: Plan) -> Iterator[Coverage]:
    """Hosts without any check, and measures in force that nothing checks on a perimeter that owes them."""
    checked: dict[str, set[str]] = {p: set() for p in plan.perimeters}
    for host in plan.hosts:
        measures = {c.measure for _, c, _ in plan.applying(host)}
        measures |= {c.measure for _, c, _ in plan.witnessed if meant(c, host)}
        checked.setdefault(host.perimeter, set()).update(measures)
        if not measures:
            yield Coverage(subject_of(host), "", Unknown("nothing_asked", _why_none(plan, host)), plan.estate.declared)
    for perimeter in plan.perimeters:
        checked[perimeter].update(c.measure for _, c, _ in plan.derived)
        checked[perimeter].update(c.measure for _, c, _ in plan.declared_on(perimeter))
    if plan.whole:
        owed = {m: plan.owing.perimeters_of(m) for m in plan.in_force}
        for perimeter in plan.perimeters:
            spared = plan.spared_on(perimeter)
            known = checked[perimeter].union(spared)
            due = [m for m in plan.in_force if perimeter in owed[m] and m not in known]
            yield from _unchecked(plan, perimeter, due)
            for measure in spared:
                gap = Unknown("nothing_asked", NO_RECORD_ASKED)
                yield Coverage(Subject("perimeter", perimeter, perimeter), measure, gap, plan.estate.declared)


def _unchecked(plan: Plan, perimeter: str, measures: Sequence[str]) -> Iterator[Coverage]:
    somewhere = {c.measure for c in plan.controls}
    for measure in measures:
        why = "no control applies to a host of this perimeter" if measure in somewhere else "no control checks it"
        subject = Subject("perimeter", perimeter, perimeter)
        yield Coverage(subject, measure, Unknown("nothing_asked", why), plan.estate.declared)


def _why_none(plan: Plan, host: Host) -> str:
    known = any(isinstance(p, Probe) and knows(p, host) for p in plan.probes.values())
    return "no control applies to it" if known else f"no probe knows the platform {host.platform}"
