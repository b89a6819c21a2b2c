"""The one path: collect and evaluate host by host, keep, then derive and reconcile what all of them tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from auditor.collect import Places, answers, each, worked
from auditor.decisions import InForce
from auditor.derive import Kept, derive
from auditor.earlier import DigestOf, Earlier, Seen, judged
from auditor.evaluate import Judged, evaluate, same_machine
from auditor.framing.sh import HELLO
from auditor.freshness import away, machine_of, quiet, whose
from auditor.kinds import RECORDS, Ask
from auditor.model import BY_HAND, Check, Command, Failure, Outcome, question_key
from auditor.plan import Plan, coverage
from auditor.reconcile import reconcile
from auditor.store import Packed, Presence, Store, StoredRun, command_digest, packed


@dataclass(frozen=True, slots=True)
class Pace:
    """How hosts are asked: in which places, how long each may take, and who is told of each that is done.

    `done` gets a host's id, and whether it was judged on earlier evidence. `civil` turns a moment into one of France,
    for quiet hours; `missing` asks only hosts without fresh evidence. `recall` judges a host, by its place, on what a stored
    run holds: then nobody is asked, and the run is in `state`, that one's.
    """

    places: Places
    deadline_s: float
    clock: Callable[[], float]
    done: Callable[[str, bool], None]
    uninterrupted: Callable[[], AbstractContextManager[object]]  # holds interruptions off the second phase
    civil: Callable[[float], datetime] = lambda at: datetime.fromtimestamp(at, UTC)
    missing: bool = False
    recall: Callable[[int], Seen] | None = None
    state: str = "complete"


def audit(plan: Plan, asks: Mapping[str, Ask], store: Store, run: StoredRun, decided: InForce, pace: Pace) -> StoredRun:
    """Both phases. On an interruption the second still runs over what is in, and the run is `partial`."""
    state = pace.state
    try:
        _first_phase(plan, asks, store, run, pace)
    except KeyboardInterrupt:
        state = "partial"
    with pace.uninterrupted():
        return _second_phase(plan, asks, store, run, decided, pace, state)


def _second_phase(
    plan: Plan, asks: Mapping[str, Ask], store: Store, run: StoredRun, decided: InForce, pace: Pace, state: str
) -> StoredRun:
    for index in sorted(set(range(len(plan.hosts))) - run.finished()):
        _keep(plan, store, run, Seen(index, {}, judged(plan, index, {HELLO: Failure("interrupted")})))
    for places, failure in _same_machine(plan, store, run, pace):
        for index in places:
            _keep(plan, store, run, Seen(index, {}, judged(plan, index, {HELLO: failure})))
    _declared(plan, asks, store, run, pace)
    asked = frozenset(h.id for h in plan.hosts)
    kept = Kept(asked, run.kept, run.own_names)
    now = pace.clock()
    derived = derive(plan.derived_checks(), plan.probes, plan.estate, kept, now)
    store.keep_findings(run, derived)
    reconciled = reconcile(run.findings, decided, lambda: run.findings_that(decided.matters))
    store.keep_findings(run, reconciled.beside())
    store.keep_decided(run, reconciled.actions(), reconciled.to_do())
    return store.finish(run, state, now, reconciled.notes(), reconciled.coverage(coverage(plan)))


def _same_machine(plan: Plan, store: Store, run: StoredRun, pace: Pace) -> Iterator[tuple[tuple[int, ...], Failure]]:
    """The places of hosts that one machine answered for; one that this run leaves out was, when it answered last."""
    machines = run.machines()
    live = machines and pace.recall is None and plan.estate.declared
    before = _earlier(plan, store, run, pace).left_out() if live else {}
    for identity, places in machines.items():
        if len(places) > 1 or identity in before:
            yield places, same_machine([plan.hosts[i].id for i in places], before.get(identity, ()))


def _first_phase(plan: Plan, asks: Mapping[str, Ask], store: Store, run: StoredRun, pace: Pace) -> None:
    earlier = _earlier(plan, store, run, pace)

    def kept(seen: Seen) -> None:
        _keep(plan, store, run, seen)
        pace.done(plan.hosts[seen.index].id, seen.presence.evidence_at > 0)

    work, broken = _workers(plan, asks, pace, earlier.digest_of)
    known = pace.recall or (earlier.fresh if pace.missing else None)
    missing = []
    for index in range(len(plan.hosts)):
        fresh = worked(index, known, broken) if known else None
        if fresh:
            kept(fresh)
        else:
            missing.append(index)
    for seen in each(missing, work, broken, pace.places, lambda index: plan.hosts[index].at_once):
        kept(earlier.settled(seen))
    if len(run.finished()) != len(plan.hosts):
        raise RuntimeError("a host went missing between asking and keeping")


def _earlier(plan: Plan, store: Store, run: StoredRun, pace: Pace) -> Earlier:
    digest_of = lru_cache(maxsize=4096)(command_digest)
    return Earlier(plan, store, run.header.number, pace.clock, pace.civil, digest_of)


def _declared(plan: Plan, asks: Mapping[str, Ask], store: Store, run: StoredRun, pace: Pace) -> None:
    """The perimeters, one after another: what people declared is there already, also where hosts were interrupted."""
    work, broken = _workers(plan, asks, pace, lru_cache(maxsize=4096)(command_digest))
    attested: dict[str, None] = {}
    for index in range(len(plan.hosts), len(plan.subjects)):
        if plan.commands_of(index):
            seen = worked(index, pace.recall or work, broken)
            _keep(plan, store, run, seen)
            attested.update(dict.fromkeys(_attested(plan.checks_of(index), seen.judged)))
    store.keep_attested(run, attested)


def _attested(checks: Sequence[Check], judged: Judged) -> Iterator[str]:
    """The hosts that an attestation names which is in force: neither too old nor of something that failed."""
    for check, finding in zip(checks, judged.findings, strict=True):
        if finding.outcome in (Outcome.PASS, Outcome.WARN):
            facts = judged.facts.get(question_key(check.control.probe, check.arguments))
            named = facts.get("named", ()) if isinstance(facts, Mapping) else ()
            yield from named if isinstance(named, list) else ()


def _workers(
    plan: Plan, asks: Mapping[str, Ask], pace: Pace, digest_of: DigestOf
) -> tuple[Callable[[int], Seen], Callable[[int, Exception], Seen]]:
    """What asks one host, and what stands in when that breaks; both run in threads, without the store."""

    answered: dict[int, dict[Command, Packed]] = {}  # should judging it fail
    judging = threading.Lock()  # one after another: what the first of many alike comes to, the others are told

    def work(index: int) -> Seen:
        host, checks = plan.subjects[index], plan.checks_of(index)
        questions = plan.questions_of(index, checks)
        commands = plan.commands_of(index, questions)
        by_hand = host.connection == BY_HAND
        unbrought = by_hand and BY_HAND not in asks
        if commands and (unbrought or quiet(host, pace.civil(pace.clock()))):
            return Seen(index, {}, judged(plan, index, {}), Presence(asked=False), "quiet")
        told = answers(host, commands, asks.get(host.connection), pace.deadline_s)
        answered[index] = packed(told, digest_of)
        presence = Presence(asked=bool(commands) and not by_hand, machine=machine_of(told.get(HELLO)))
        presence = replace(presence, medium=host.connection if host.connection in (BY_HAND, RECORDS) else "live")
        absent: Literal["", "away"] = "away" if away(told) else ""
        with judging:
            came_to = evaluate(host, checks, questions, told, plan.probes)
        return Seen(index, answered.pop(index), came_to, presence, absent)

    def broken(index: int, error: Exception) -> Seen:
        failure = Failure("internal", f"{type(error).__name__}: {error}"[:200], pace.clock())
        return Seen(index, answered.pop(index, {}), judged(plan, index, {HELLO: failure}))

    return work, broken


def _keep(plan: Plan, store: Store, run: StoredRun, seen: Seen) -> None:
    host = plan.subjects[seen.index]
    estate, came_to = whose(host, plan.estate), seen.judged
    medium = seen.presence.medium
    if medium != "live":
        came_to = replace(came_to, findings=tuple(replace(f, medium=medium) for f in came_to.findings))
    store.keep(run, seen.index, host, seen.evidence, came_to, plan.folded, seen.presence, estate)
