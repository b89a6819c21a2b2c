"""What reconciling a fleet with its decisions costs, against walking its findings alone. See README.md beside it."""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from make import (  # noqa: E402 - found by the path set above
    make_acceptance,
    make_control,
    make_estate,
    make_host,
    make_measure,
)

from auditor.decisions import in_force  # noqa: E402 - found by the path set above
from auditor.model import Estate, Finding, Outcome, Subject  # noqa: E402 - found by the path set above
from auditor.reconcile import reconcile  # noqa: E402 - found by the path set above
from auditor.records import Acceptance, Compensation, Recommendation  # noqa: E402 - found by the path set above

BAR_S = 20.0  # 10,000 hosts, 100 controls, 5,000 decisions
GROWTH = 2.0  # per finding and decision, of ten times as many
MEMORY = 1.2  # of ten times as many findings, with the same decisions
OUTCOMES = (Outcome.FAIL, Outcome.PASS, Outcome.WARN, Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Size:
    hosts: int
    controls: int
    decisions: int


def estate(size: Size) -> Estate:
    return make_estate(*(make_host(f"h{i}", groups=(f"g{i % 100}",)) for i in range(size.hosts)))


def findings(size: Size, of: int = 0) -> Iterator[Finding]:
    names = [f"kept-{control}" for control in range(size.controls)]
    for host in range(of or size.hosts):
        subject = Subject("host", f"h{host % size.hosts}", "own")
        for control in range(size.controls):
            outcome = OUTCOMES[(host + control) % 4]
            yield Finding(control, subject, names[control], outcome, "high", "")


def measured(size: Size) -> tuple[float, float]:
    """Seconds to judge the decisions and reconcile, and to walk the findings alone."""
    town = estate(size)
    controls = {f"kept-{i}": make_control(f"kept-{i}") for i in range(size.controls)}
    recommended = make_estate().recommendations["REC-1"]
    town = make_estate(*town.hosts, recommendations={"REC-1": _for(recommended, controls)})
    records = [_record(i, size) for i in range(size.decisions)]
    begin = time.monotonic()
    decided = in_force(records, town, controls, {"log-retention": make_measure()}, "2026-11-21")
    reconciled = reconcile(lambda: findings(size), decided)
    beside = sum(one.decision is not None for one in reconciled.beside())
    reconciled.notes(), reconciled.to_do()
    took = time.monotonic() - begin
    begin = time.monotonic()
    total = sum(1 for _ in findings(size))
    walked = time.monotonic() - begin
    if not (decided.held and 0 < beside < total):
        raise SystemExit("the decisions cover nothing, or everything: this measures nothing")
    return took, walked


def _for(recommended: Recommendation, controls: Iterable[str]) -> Recommendation:
    return replace(recommended, controls=tuple(controls))


def _record(place: int, size: Size) -> Acceptance:
    """Half name ten hosts, half a group frozen at the signature; each tenth is compensated by another control."""
    control = f"kept-{place % size.controls}"
    more = {"compensated_by": (Compensation(f"kept-{(place + 1) % size.controls}"),)} if place % 10 == 0 else {}
    first = place * 7 % size.hosts
    hosts = tuple(f"h{(first + i) % size.hosts}" for i in range(10))
    if place % 2:
        frozen = tuple(f"h{i}" for i in range(place % 100, size.hosts, 100))[:-1]
        return make_acceptance(
            f"ACC-{place}",
            controls=(control,),
            hosts=(),
            groups=(f"g{place % 100}",),
            frozen=frozen,
            count=len(frozen),
            **more,
        )
    return make_acceptance(f"ACC-{place}", controls=(control,), hosts=hosts, **more)


def memory(size: Size, of: int) -> int:
    """Peak bytes of reconciling the findings of so many hosts, the decisions being the same."""
    controls = {f"kept-{i}": make_control(f"kept-{i}") for i in range(size.controls)}
    recommended = _for(make_estate().recommendations["REC-1"], controls)
    town = make_estate(*estate(size).hosts, recommendations={"REC-1": recommended})
    records = [_record(i, size) for i in range(size.decisions)]
    decided = in_force(records, town, controls, {"log-retention": make_measure()}, "2026-11-21")
    tracemalloc.start()
    reconciled = reconcile(lambda: findings(size, of), decided)
    for _ in reconciled.beside():
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    quick = options.parse_args().quick
    small = Size(200, 10, 100) if quick else Size(1000, 100, 500)
    large = Size(2000, 10, 1000) if quick else Size(10_000, 100, 5000)
    few, many = measured(small), measured(large)
    units = [s.hosts * s.controls + s.decisions for s in (small, large)]
    growth = (many[0] / units[1]) / (few[0] / units[0])
    held = Size(200, 10, 100)
    memory(held, 2000)
    ratio = memory(held, 2000) / memory(held, 200)
    rows = (
        (f"{large.hosts} hosts, {large.controls} controls, {large.decisions} decisions", many[0], BAR_S, "s"),
        ("time per finding and decision, ten times as many", growth, GROWTH, "×"),
        ("peak memory, ten times the findings", ratio, MEMORY, "×"),
    )
    for what, value, bar, unit in rows:
        print(f"{'pass' if value <= bar else 'FAIL'}  {what}: {value:.2f} {unit} (bar {bar} {unit})")
    print(f"      against walking the findings alone: {many[0] / many[1]:.2f} ×")
    return int(any(value > bar for _, value, bar, _ in rows))


if __name__ == "__main__":
    sys.exit(main())
