"""`auditor replay`: the evidence of a run judged anew, by other policies, another estate, other decisions; no host is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from auditor.audit import Pace, audit
from auditor.collect import Places
from auditor.commands import given_names, inputs, sinks
from auditor.commands.beginning import catalogue_of, header_of
from auditor.commands.interrupting import INTERRUPTED
from auditor.commands.progress import progress
from auditor.commands.references import evidence, file_of, reference
from auditor.commands.store_place import store_path, waits
from auditor.compare import compared, gating
from auditor.decisions import in_force
from auditor.errors import InvalidInput
from auditor.kinds import Audience
from auditor.lock import keeping
from auditor.model import Estate, Header, Run
from auditor.plan import Plan
from auditor.replay import Recall, moment, recorded_in, replay_of
from auditor.snapshot import Snapshot
from auditor.store import Store, StoredRun, command_digest
from auditor.summary import exit_code


def replay(
    run: str,
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    as_of: str | None,
    formats: tuple[str, ...],
    fail_on: str,
    fail_on_warn: bool,
    against: str | None,
    store: str | None,
    keep: bool,
    probes: str | None,
    lang: str | None,
    details: bool,
    audience: Audience,
    sarif_accepted: str,
) -> int:
    """The exit code, as that of the run would have been."""
    reports = sinks.chosen(formats, audience)
    path = store_path(store)
    if keep and not path:
        raise InvalidInput("--keep: with --store none nothing is kept; leave one of them out")
    with ExitStack() as held:
        if keep:
            held.enter_context(keeping(path, time.time(), waits))
        then = held.enter_context(evidence(run, path))
        given, day = _given(then, policy, estate, as_of, probes)
        inputs.notify(given.plan.estate, lang)
        decided = in_force(given.records, given.plan.estate, given.controls, given.measures, day)
        exempted = decided.unasked()
        plan = replace(given.plan, bounds=decided.bounds, day=day, exempted=exempted, recorded=recorded_in(then))
        given = replace(given, plan=plan)
        before = _reference(held, against, path, plan.estate.source) if against else None
        kept = Store(path if keep else "")
        held.callback(kept.close)
        header = _header(given, day, then.header, policy, (*estate, probes or ""))
        begun = kept.begin(header, catalogue_of(plan), given.kept)
        with progress(len(plan.hosts), lang) as done:
            finished = audit(plan, {}, kept, begun, decided, _pace(plan, then, done))
        finished.since = compared(before, finished) if before else None
        sinks.write(finished, reports, lang, details, audience, sarif_accepted == "suppress")
        if finished.header.state != _state(then.header):
            return INTERRUPTED
        return exit_code(finished, fail_on, fail_on_warn, gating(finished.since) if finished.since else None)


# ---------------------------------------------------------------- what it is judged by


def _given(
    then: StoredRun, policy: tuple[str, ...], estate: tuple[str, ...], as_of: str | None, probes: str | None
) -> tuple[inputs.Inputs, str]:
    """What was given, and what the run was judged by where nothing was; and the day that counts for decisions."""
    asked_on = inputs.civil(then.header.started_at).date().isoformat()
    known = _of_estate(then, asked_on) if estate else _own(then)
    given = inputs.load(policy or _own_policies(then.header), estate, None, probes, known, asked_on)
    day = inputs.as_of(as_of) if as_of else then.header.as_of
    until = inputs.end_of(day) if as_of else known.until if known else None
    plan = given.plan if until is None else replace(given.plan, until=until)
    return replace(given, plan=plan, kept=replace(given.kept, until=until)), day


def _own(then: StoredRun) -> Snapshot:
    found = then.inputs()
    if found is None:
        raise InvalidInput(
            f"audit {then.header.number} was kept by an auditor that did not keep the estate with it: give the estate with -i"
        )
    return found


def _of_estate(then: StoredRun, asked_on: str) -> Snapshot | None:
    """What counts of a run beside another estate: its hosts, where it was narrowed, and the day, where it named another."""
    if not then.header.limit and then.header.as_of == asked_on:
        return None
    found = then.inputs()
    chosen = found.chosen if found else tuple(then.places()) if then.header.limit else ()
    return Snapshot(Estate(()), chosen, until=found.until if found else None)


def _own_policies(header: Header) -> tuple[str, ...]:
    """Those that the run was given; none: the shipped ones of this auditor."""
    missing = [name for name in header.policies if not Path(name).exists()]
    if missing:
        raise InvalidInput(
            f"audit {header.number} was judged by {', '.join(missing)}, which is not here: name the policies to judge it by"
        )
    return header.policies


# ---------------------------------------------------------------- the run


def _header(given: inputs.Inputs, day: str, then: Header, policy: tuple[str, ...], typed: tuple[str, ...]) -> Header:
    asked_by = {name: then.digests[name] for name in ("collector",) if name in then.digests}
    digests = given_names.shared({**given.digests, **asked_by}, (*policy, *then.policies, *typed))
    return replace(
        header_of(given.plan, day, digests, then.started_at),
        limit=then.limit,
        policies=policy or then.policies,
        replay=replay_of(then),
    )


def _state(then: Header) -> str:
    """A replay of half a run is half a run."""
    return "complete" if then.state == "complete" else "partial"


def _pace(plan: Plan, then: StoredRun, done: Callable[[str, bool], None]) -> Pace:
    at = moment(then)
    recall = Recall(plan, then, then.places(), lru_cache(maxsize=4096)(command_digest))
    pace = Pace(Places(1), 0.0, lambda: at, done, nullcontext, inputs.civil)
    return replace(pace, recall=recall.seen, state=_state(then.header))


def _reference(held: ExitStack, name: str, path: str, estate: str) -> Run:
    """The run to compare with; the store is opened only for one that is no file."""
    if file_of(name) or not path:
        return held.enter_context(reference(name, None))
    kept = Store(path, create=False)
    held.callback(kept.close)
    return held.enter_context(reference(name, kept, estate))
