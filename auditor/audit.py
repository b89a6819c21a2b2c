"""The one path: collect and evaluate host by host, keep, then derive and reconcile what all of them tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

from auditor.collect import answers, each
from auditor.decisions import InForce
from auditor.derive import derive
from auditor.evaluate import Judged, evaluate, same_machine
from auditor.framing.sh import HELLO
from auditor.kinds import Ask, DerivedProbe
from auditor.model import Answer, Command, Failure
from auditor.plan import Plan
from auditor.reconcile import reconcile
from auditor.store import Packed, Store, StoredRun, command_digest, packed

Seen = tuple[int, dict[Command, Packed], Judged]


@dataclass(frozen=True, slots=True)
class Pace:
    """How hosts are asked: how many at once, how long each may take, and who is told of each that is done."""

    jobs: int
    deadline_s: float
    clock: Callable[[], float]
    done: Callable[[str], None]
    uninterrupted: Callable[[], AbstractContextManager[object]]  # holds interruptions off the second phase


def audit(plan: Plan, asks: Mapping[str, Ask], store: Store, run: StoredRun, decided: InForce, pace: Pace) -> StoredRun:
    """Both phases. On an interruption the second still runs over what is in, and the run is `partial`."""
    state = "complete"
    try:
        _first_phase(plan, asks, store, run, pace)
    except KeyboardInterrupt:
        state = "partial"
    with pace.uninterrupted():
        return _second_phase(plan, store, run, decided, pace, state)


def _second_phase(
    plan: Plan, store: Store, run: StoredRun, decided: InForce, pace: Pace, state: str
) -> StoredRun:
    for index in sorted(set(range(len(plan.hosts))) - run.finished()):
        _keep(plan, store, run, (index, {}, _judged(plan, index, {HELLO: Failure("interrupted")})))
    for places in run.same_machine():
        failure = same_machine([plan.hosts[i].id for i in places])
        for index in places:
            _keep(plan, store, run, (index, {}, _judged(plan, index, {HELLO: failure})))
    asked = frozenset(h.id for h in plan.hosts)
    derived = derive(plan.perimeter_checks(), plan.probes, plan.estate, asked, run.kept, pace.clock())
    store.keep_findings(run, derived)
    beside, idle = reconcile(run.findings(), decided)
    store.keep_findings(run, beside)
    return store.finish(run, state, pace.clock(), idle, plan.coverage())


def _first_phase(plan: Plan, asks: Mapping[str, Ask], store: Store, run: StoredRun, pace: Pace) -> None:
    digest_of = lru_cache(maxsize=4096)(command_digest)

    kept: dict[int, dict[Command, Packed]] = {}  # what was answered, should judging it fail

    def work(index: int) -> Seen:
        host, checks = plan.hosts[index], plan.checks_of(index)
        questions = plan.questions_of(index, checks)
        told = answers(host, plan.commands_of(index, questions), asks.get(host.connection), pace.deadline_s)
        kept[index] = packed(told, digest_of)
        judged = evaluate(host, checks, questions, told, plan.probes)
        return index, kept.pop(index), judged

    def broken(index: int, error: Exception) -> Seen:
        failure = Failure("internal", f"{type(error).__name__}: {error}"[:200], pace.clock())
        return index, kept.pop(index, {}), _judged(plan, index, {HELLO: failure})

    for seen in each(range(len(plan.hosts)), work, broken, min(pace.jobs, max(1, len(plan.hosts)))):
        _keep(plan, store, run, seen)
        pace.done(plan.hosts[seen[0]].id)
    if len(run.finished()) != len(plan.hosts):
        raise RuntimeError("a host went missing between asking and keeping")


def _judged(plan: Plan, index: int, told: Mapping[Command, Answer]) -> Judged:
    return evaluate(plan.hosts[index], plan.checks_of(index), plan.questions_of(index), told, plan.probes)


def _keep(plan: Plan, store: Store, run: StoredRun, seen: Seen) -> None:
    index, evidence, judged = seen
    folded = {p.over for p in plan.probes.values() if isinstance(p, DerivedProbe)}
    store.keep(run, index, plan.hosts[index], evidence, judged, folded)
