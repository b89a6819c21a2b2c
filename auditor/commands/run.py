"""`auditor run`: loads, plans, audits, reports; the exit code says what came of it."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from auditor.audit import Pace, audit
from auditor.collect import Places
from auditor.commands import given_names, inputs, log, sinks
from auditor.commands.beginning import catalogue_of, header_of
from auditor.commands.given import compared_with, given_by, trusted_side
from auditor.commands.interrupting import INTERRUPTED, interruptible, uninterrupted
from auditor.commands.progress import progress
from auditor.commands.store_place import store_path, waits
from auditor.commands.unreached import hints
from auditor.decisions import in_force
from auditor.errors import InvalidInput
from auditor.framing.collector import digest
from auditor.kinds import RECORDS, Ask, Audience
from auditor.lock import auditing
from auditor.model import Run
from auditor.plan import Plan
from auditor.records import Record
from auditor.store import Printed, Store
from auditor.summary import exit_code

if TYPE_CHECKING:
    from auditor.commands.timings import Timings

OFTEN = (700, 10, 10)  # as Python begins


class Answered(Protocol):
    """The answer to a script that was run by hand, in the place of connections."""

    @property
    def file(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def printed(self) -> Printed: ...

    def plan(self, plan: Plan, keeping: Store, now: float) -> Plan: ...

    def asks(self, now: float) -> dict[str, Ask]: ...


def run(
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    limit: str | None,
    formats: tuple[str, ...],
    fail_on: str,
    fail_on_warn: bool,
    store: str | None,
    as_of: str | None,
    missing: bool,
    jobs: int,
    deadline: int,
    probes: str | None,
    lang: str | None,
    details: bool,
    timings: bool,
    audience: Audience,
    against: str | None,
    sarif_accepted: str,
    mail: tuple[str, ...],
    mail_detail: bool,
    trees: tuple[str, ...] = (),
    trusted: str | None = None,
    brought: Answered | None = None,
) -> int:
    """The exit code of the run. `brought` is what one host answered to a script that was run there by hand."""
    reports = sinks.chosen(formats, audience)
    if mail or mail_detail:
        from auditor.commands import mails

    posting = mails.chosen(mail, mail_detail) if mail or mail_detail else None
    if missing and store == "none":
        raise InvalidInput("--missing: with --store none there is no earlier evidence; leave one of them out")
    day = inputs.as_of(as_of)
    if trees and (missing or (limit and not trusted)):
        raise InvalidInput("--tree judges the hosts that it names: leave out --missing, and --limit without --trusted")
    held = ExitStack()
    try:
        side = trusted_side(trusted, held, policy, estate, probes, against, trees)
        given, judged_by = given_by(policy, estate, limit, probes, trees, side)
        against, judged_by = compared_with(against, side, judged_by, store_path(store))
        inputs.notify(given.plan.estate, lang)
        plan = replace(given.plan, until=inputs.end_of(day)) if as_of else given.plan
        places = Places(1 if plan.only_trees else jobs)  # trees are no waiting, and threads would wait for each other
        decided = in_force(given.records, plan.estate, given.controls, given.measures, day)
        plan = replace(plan, bounds=decided.bounds, day=day, exempted=decided.unasked())
        keeping = held.enter_context(closing(Store(store_path(store))))
        held.enter_context(auditing(store_path(store), plan.estate.place, time.time(), waits))
        plan = brought.plan(plan, keeping, time.time()) if brought else plan
        times = _timings(plan) if timings else None
        before = held.enter_context(_before(against, keeping, store, plan.estate.source)) if against else None
        typed = (*policy, *estate, probes or "")
        digests = _digests(given, plan, brought, typed)
        header = replace(
            header_of(plan, day, digests, time.time()),
            limit=limit or _narrowed(plan, trees),
            policies=policy,
            trusted=judged_by,
        )
        named = given_names.shared(given.kept.digests, typed)
        kept = replace(given.kept, until=plan.until if as_of else None, digests=named)
        begun = keeping.begin(header, catalogue_of(plan), kept)
        log.started(begun.header)
        held.enter_context(_settled())
        with interruptible(), progress(len(plan.hosts), lang) as done:
            pace = Pace(places, float(deadline), time.time, log.telling(done), uninterrupted, inputs.civil, missing)
            asks = brought.asks(time.time()) if brought else _asks(plan, places, times, given.records)
            finished = audit(plan, asks, keeping, begun, decided, pace)
        if brought and finished.header.state == "complete":
            keeping.answered(brought.printed.nonce, finished.header.number)
        log.finished(finished)
        gating = _since(before, finished) if before else None
        sinks.write(finished, reports, lang, details, audience, sarif_accepted == "suppress")
        _say_aside(finished, times, lang)
        code = exit_code(finished, fail_on, fail_on_warn, gating)
        code = INTERRUPTED if finished.header.state == "partial" else code
        if posting:
            mails.post(posting, finished, keeping, code, replace(inputs.voice(lang), details=details))
    finally:
        held.close()
    return code


def _digests(given: inputs.Inputs, plan: Plan, brought: Answered | None, typed: tuple[str, ...]) -> dict[str, str]:
    """Of all that judges, and of what was brought, by names that say no more than was `typed`."""
    digests = {**given.digests, "collector": digest(inputs.elevated(plan.probes))}
    return given_names.shared(digests | ({brought.file: brought.digest} if brought else {}), typed)


@contextmanager
def _settled() -> Iterator[None]:
    """What is loaded by now stays to the end: it need not be walked for garbage again for every few hosts."""
    while_loading = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*OFTEN)  # what is made of hosts goes with them
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*while_loading)


def _narrowed(plan: Plan, trees: tuple[str, ...]) -> str:
    """The `--limit` that would choose the hosts that trees stand for; "" where these are all."""
    return ",".join(h.id for h in plan.hosts) if trees and len(plan.hosts) < len(plan.estate.hosts) else ""


def _timings(plan: Plan) -> Timings:
    from auditor.commands.timings import Timings

    return Timings(plan)


def _before(against: str, keeping: Store, store: str | None, estate: str) -> AbstractContextManager[Run]:
    """With `--store none` only a file can be meant."""
    from auditor.commands.references import reference

    return reference(against, keeping if store_path(store) else None, estate)


def _since(before: Run, finished: Run) -> frozenset[str]:
    """Puts into the run what changed since the one before; the fingerprints of what of that gates."""
    from auditor.compare import compared, gating

    finished.since = compared(before, finished)
    return gating(finished.since)


def _say_aside(finished: Run, times: Timings | None, lang: str | None) -> None:
    """What is no part of the report, on stderr."""
    voice = inputs.voice(lang)
    for line in (*hints(finished.hosts(), os.environ, voice), *(times.lines(voice) if times else ())):
        print(line, file=sys.stderr)


def _asks(plan: Plan, places: Places, times: Timings | None, decided: tuple[Record, ...]) -> dict[str, Ask]:
    """The transports that the hosts of this run need, opened."""
    settings = inputs.settings(plan.probes, plan.estate)
    settings = replace(settings, records=decided, connecting=places.connecting, timed=times.question if times else None)
    opened = inputs.asks(plan.subjects, settings)
    return {name: times.around(ask) if times and name != RECORDS else ask for name, ask in opened.items()}
