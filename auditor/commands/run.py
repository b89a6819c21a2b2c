"""`auditor run`: loads, plans, audits, reports; the exit code says what came of it."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from auditor.audit import Pace, audit
from auditor.collect import Places
from auditor.commands import given_names, inputs, log, sinks
from auditor.commands.asked import Asked
from auditor.commands.beginning import catalogue_of, header_of, placed
from auditor.commands.given import compared_with, given_by, trusted_side
from auditor.commands.interrupting import INTERRUPTED, interruptible, uninterrupted
from auditor.commands.progress import progress
from auditor.commands.store_place import store_path, waits
from auditor.commands.unreached import doctored, hints
from auditor.decisions import InForce, in_force
from auditor.framing.collector import digest
from auditor.kinds import RECORDS, Ask
from auditor.lock import auditing
from auditor.model import Run, Trusted
from auditor.plan import Plan
from auditor.records import Record
from auditor.store import Printed, Store, StoredRun
from auditor.summary import exit_code

if TYPE_CHECKING:
    from auditor.commands.mails import Posting
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


def run(asked: Asked, brought: Answered | None = None) -> int:
    """The exit code of the run. `brought` is what one host answered to a script that was run there by hand."""
    reports = sinks.chosen(asked.formats, asked.audience)
    posting = _posting(asked)
    asked.check()
    with ExitStack() as held:
        meant = _meant(asked, held)
        keeping = held.enter_context(closing(Store(store_path(asked.store))))
        held.enter_context(auditing(store_path(asked.store), meant.plan.estate.place, time.time(), waits))
        meant = replace(meant, plan=brought.plan(meant.plan, keeping, time.time())) if brought else meant
        before = held.enter_context(_before(asked, meant, keeping)) if meant.against else None
        times = _timings(meant.plan) if asked.timings else None
        begun = _begun(asked, meant, keeping, brought)
        held.enter_context(_settled())
        finished = _audited(asked, meant, keeping, begun, brought, times)
        gating = _since(before, finished) if before else None
        sinks.write(finished, reports, asked.lang, asked.details, asked.audience, asked.sarif_accepted == "suppress")
        unmended = bool(asked.trees or brought or ("text", "-") not in reports)
        _say_aside(finished, times, asked.lang, () if unmended else asked.estate, asked.limit)
        code = exit_code(finished, asked.fail_on, asked.fail_on_warn, gating)
        code = INTERRUPTED if finished.header.state == "partial" else code
        if posting:
            _post(posting, finished, keeping, code, asked)
    return code


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a run is made of: what judges, what is asked, and what it is held against."""

    given: inputs.Inputs
    plan: Plan
    decided: InForce
    day: str
    trusted: Trusted | None
    against: str | None


def _meant(asked: Asked, held: ExitStack) -> _Meant:
    day = inputs.as_of(asked.as_of)
    side = trusted_side(asked, held)
    given, trusted = given_by(asked, side)
    against, trusted = compared_with(asked.against, side, trusted, store_path(asked.store))
    inputs.notify(given.plan.estate, asked.lang)
    decided = in_force(given.records, given.plan.estate, given.controls, given.measures, day)
    plan = replace(given.plan, bounds=decided.bounds, day=day, exempted=decided.unasked())
    plan = replace(plan, until=inputs.end_of(day)) if asked.as_of else plan
    return _Meant(given, plan, decided, day, trusted, against)


def _begun(asked: Asked, meant: _Meant, keeping: Store, brought: Answered | None) -> StoredRun:
    """The run in the store, under names that say no more than was typed."""
    plan, given = meant.plan, meant.given
    digests = {**given.digests, "collector": digest(inputs.elevated(plan.probes))}
    digests |= {brought.file: brought.digest} if brought else {}
    header = header_of(plan, meant.day, given_names.shared(digests, asked.typed), time.time())
    limit = asked.limit or _narrowed(plan, asked.trees)
    named = given_names.shared(given.kept.digests, asked.typed)
    kept = replace(given.kept, until=plan.until if asked.as_of else None, digests=named)
    place = placed(plan.estate.source)
    header = replace(header, limit=limit, policies=asked.policy, trusted=meant.trusted, place=place)
    return keeping.begin(header, catalogue_of(plan), kept)


def _audited(
    asked: Asked, meant: _Meant, keeping: Store, begun: StoredRun, brought: Answered | None, times: Timings | None
) -> StoredRun:
    """Both phases, with progress, and what an interruption leaves."""
    plan = meant.plan
    places = Places(1 if plan.only_trees else asked.jobs)  # trees are no waiting, and threads would wait for each other
    log.started(begun.header)
    with interruptible(), progress(len(plan.hosts), asked.lang) as done:
        told = log.telling(done)
        pace = Pace(places, float(asked.deadline), time.time, told, uninterrupted, inputs.civil, asked.missing)
        asks = brought.asks(time.time()) if brought else _asks(plan, places, times, meant.given.records)
        finished = audit(plan, asks, keeping, begun, meant.decided, pace)
    if brought and finished.header.state == "complete":
        keeping.answered(brought.printed.nonce, finished.header.number)
    log.finished(finished)
    return finished


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


def _posting(asked: Asked) -> Posting | None:
    if not (asked.mail or asked.mail_detail):
        return None
    from auditor.commands import mails

    return mails.chosen(asked.mail, asked.mail_detail)


def _post(posting: Posting, finished: StoredRun, keeping: Store, code: int, asked: Asked) -> None:
    from auditor.commands import mails

    mails.post(posting, finished, keeping, code, replace(inputs.voice(asked.lang), details=asked.details))


def _before(asked: Asked, meant: _Meant, keeping: Store) -> AbstractContextManager[Run]:
    """With `--store none` only a file can be meant."""
    from auditor.commands.references import reference

    return reference(meant.against or "", keeping if store_path(asked.store) else None, meant.plan.estate.source)


def _since(before: Run, finished: Run) -> frozenset[str]:
    """Puts into the run what changed since the one before; the fingerprints of what of that gates."""
    from auditor.compare import compared, gating

    finished.since = compared(before, finished)
    return gating(finished.since)


def _say_aside(
    finished: Run, times: Timings | None, lang: str | None, estate: Iterable[str], limit: str | None
) -> None:
    """What is no part of the report, on stderr; without an `estate`, not how to mend what could not be asked."""
    voice = inputs.voice(lang)
    mending = (*hints(finished.hosts(), os.environ, voice), *doctored(finished.hosts(), estate, limit, voice))
    for line in (*mending, *(times.lines(voice) if times else ())):
        print(line, file=sys.stderr)


def _asks(plan: Plan, places: Places, times: Timings | None, decided: tuple[Record, ...]) -> dict[str, Ask]:
    """The transports that the hosts of this run need, opened."""
    settings = inputs.settings(plan.probes, plan.estate)
    settings = replace(settings, records=decided, connecting=places.connecting, timed=times.question if times else None)
    opened = inputs.asks(plan.subjects, settings)
    return {name: times.around(ask) if times and name != RECORDS else ask for name, ask in opened.items()}
