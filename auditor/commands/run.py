"""`auditor run`: loads, plans, audits, reports; the exit code says what came of it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import auditor
from auditor.audit import Pace, audit
from auditor.collect import Places
from auditor.commands import given_names, inputs, log, sinks
from auditor.commands.unreached import hints
from auditor.decisions import in_force
from auditor.errors import InvalidInput
from auditor.framing.collector import digest
from auditor.kinds import RECORDS, Ask, Audience
from auditor.lock import auditing
from auditor.model import Header, Run, Trusted
from auditor.plan import Plan
from auditor.records import Record
from auditor.store import Catalogue, Printed, Store
from auditor.summary import exit_code

if TYPE_CHECKING:
    from auditor.commands.sides import Side
    from auditor.commands.timings import Timings

INTERRUPTED = 130
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
        side = _side(trusted, held, policy, estate, probes, against, trees)
        given, judged_by = _given(policy, estate, limit, probes, trees, side)
        against, judged_by = _reference(against, side, judged_by)
        inputs.notify(given.plan.estate, lang)
        plan = replace(given.plan, until=inputs.end_of(day)) if as_of else given.plan
        places = Places(1 if plan.only_trees else jobs)  # trees are no waiting, and threads would wait for each other
        decided = in_force(given.records, plan.estate, given.controls, given.measures, day)
        plan = replace(plan, bounds=decided.bounds, day=day, exempted=decided.unasked())
        keeping = held.enter_context(closing(Store(store_path(store))))
        held.enter_context(auditing(store_path(store), plan.estate.place, time.time(), waits))
        plan = brought.plan(plan, keeping, time.time()) if brought else plan
        times = _timings(plan) if timings else None
        before = held.enter_context(_before(against, keeping, plan.estate.source)) if against else None
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
        with _interruptible(), progress(len(plan.hosts), lang) as done:
            pace = Pace(places, float(deadline), time.time, log.telling(done), _uninterrupted, inputs.civil, missing)
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


def _given(
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    limit: str | None,
    probes: str | None,
    trees: tuple[str, ...],
    side: Side | None,
) -> tuple[inputs.Inputs, Trusted | None]:
    """What people wrote: with a trusted side, as that has it, and what the work folder does to it."""
    if side is None:
        return inputs.load(policy, estate, limit, probes, given_trees=trees), None
    from auditor.commands.sides import Named
    from auditor.commands.trusted import judged_by

    def load(named: Named) -> inputs.Inputs:
        folder = next(iter(named.probes), None)
        return inputs.load(named.policies, named.estate, limit, folder, given_trees=trees, work=side.here, owing=True)

    return judged_by(side, Named(policy, estate, (probes,) if probes else ()), load)


def _side(
    ref: str | None,
    held: ExitStack,
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    probes: str | None,
    against: str | None,
    trees: tuple[str, ...],
) -> Side | None:
    if ref is None:
        return None
    from auditor.commands.sides import Named, opened

    named = Named(policy, estate, (probes,) if probes else ())
    return held.enter_context(opened(ref, named, against, [given.partition("=")[2] for given in trees]))


def _reference(name: str | None, side: Side | None, trusted: Trusted | None) -> tuple[str | None, Trusted | None]:
    """The run to compare with: of a file of the repository, the trusted side's; the change may have moved its own."""
    if name is None or side is None or trusted is None:
        return name, trusted
    name, touched = side.reference(name)
    return name, replace(trusted, touched=(*touched, *trusted.touched))


def _timings(plan: Plan) -> Timings:
    from auditor.commands.timings import Timings

    return Timings(plan)


def _before(against: str, keeping: Store, estate: str) -> AbstractContextManager[Run]:
    from auditor.commands.references import reference

    return reference(against, keeping, estate)


def _since(before: Run, finished: Run) -> frozenset[str]:
    """Puts into the run what changed since the one before; the fingerprints of what of that gates."""
    from auditor.compare import compared, gating

    finished.since = compared(before, finished)
    return gating(finished.since)


def store_path(given: str | None) -> str:
    """The store's file; "" for `none`."""
    if given == "none":
        return ""
    folder = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return os.path.expanduser(given or f"{folder}/auditor/runs.db")


def waits(holder: str) -> None:
    print(f"the store is being pruned{holder}: this begins when that has ended", file=sys.stderr)


def catalogue_of(plan: Plan) -> Catalogue:
    return Catalogue({c.id: c for c in plan.controls}, plan.measures, plan.estate.perimeters, plan.estate.entities)


def header_of(plan: Plan, day: str, digests: Mapping[str, str], started_at: float) -> Header:
    """The header of a run that begins; decisions are judged on `day`."""
    return Header(
        number=0,
        id="",
        state="open",
        started_at=started_at,
        finished_at=0.0,
        as_of=day,
        version=auditor.__version__,
        estate=plan.estate.source,
        declared=plan.estate.declared,
        hosts_expected=len(plan.hosts),
        checks_planned=plan.count(),
        hosts_inventoried=len(plan.estate.hosts),
        legacy=tuple(h.id for h in plan.hosts if h.legacy),
        digests=dict(sorted(digests.items())),
    )


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


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: what is in is judged and kept. A second one ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """The second phase is short and ends with the report: one more Ctrl-C or SIGTERM waits for it, the next does not."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)

    def once(number: int, frame: Any) -> None:
        print("auditor: ending; once more to stop at once", file=sys.stderr)
        signal.signal(number, signal.SIG_DFL)

    before = [signal.signal(number, once) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def progress(hosts: int, lang: str | None) -> Iterator[Callable[[str, bool], None]]:
    """A line on stderr with true counts; nothing when it is not a terminal, or for one host."""
    if hosts < 2 or not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda host, earlier: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=hosts)
        note = inputs.voice(lang).say("{host}: on earlier evidence")

        def done(host: str, earlier: bool) -> None:
            bar.update(task, advance=1, description=note.format(host=host) if earlier else host)

        yield done
