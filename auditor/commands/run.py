"""`auditor run`: loads, plans, audits, reports; the exit code says what came of it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import auditor
from auditor.audit import Pace, audit
from auditor.collect import Places
from auditor.commands import inputs, sinks
from auditor.commands.references import reference
from auditor.commands.timings import Timings
from auditor.commands.unreached import hints
from auditor.compare import compared, gating
from auditor.decisions import in_force
from auditor.errors import InvalidInput
from auditor.framing.collector import digest
from auditor.kinds import Ask, Audience
from auditor.model import Header, Run
from auditor.plan import Plan
from auditor.store import Catalogue, Store
from auditor.summary import exit_code

INTERRUPTED = 130


def run(
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    limit: str | None,
    trees: tuple[str, ...],
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
    trusted: str | None,
) -> int:
    """The exit code of the run."""
    reports = sinks.chosen(formats, audience)
    if missing and store == "none":
        raise InvalidInput("--missing: with --store none there is no earlier evidence; leave one of them out")
    day = inputs.as_of(as_of)
    if trees and (missing or limit):
        raise InvalidInput("--tree judges the hosts that it names: leave out --limit and --missing")
    given = _given(policy, estate, limit, probes, trees, trusted, lang)
    inputs.notify(given.plan.estate, lang)
    plan = replace(given.plan, until=inputs.end_of(day)) if as_of else given.plan
    places = Places(jobs)
    times = Timings(plan) if timings else None
    decided = in_force(given.records, plan.estate, given.controls, given.measures, day)
    plan = replace(plan, bounds=decided.bounds)
    keeping = Store(store_path(store))
    held = ExitStack()
    try:
        before = held.enter_context(reference(against, keeping)) if against else None
        digests = {**given.digests, "collector": digest(inputs.elevated(plan.probes))}
        header = replace(_header(plan, day, digests), limit=limit or _narrowed(plan, trees), policies=policy)
        begun = keeping.begin(
            header, Catalogue({c.id: c for c in plan.controls}, plan.measures, plan.estate.perimeters)
        )
        with _interruptible(), progress(len(plan.hosts), lang) as done:
            pace = Pace(places, float(deadline), time.time, done, _uninterrupted, inputs.civil, missing)
            finished = audit(plan, _asks(plan, places, times), keeping, begun, decided, pace)
        finished.since = compared(before, finished) if before else None
        sinks.write(finished, reports, lang, details, audience, sarif_accepted == "suppress")
        _say_aside(finished, times, lang)
        code = exit_code(finished, fail_on, fail_on_warn, gating(finished.since) if finished.since else None)
    finally:
        held.close()
        keeping.close()
    return INTERRUPTED if finished.header.state == "partial" else code


def _narrowed(plan: Plan, trees: tuple[str, ...]) -> str:
    """The `--limit` that would choose the hosts that trees stand for; "" where these are all."""
    return ",".join(h.id for h in plan.hosts) if trees and len(plan.hosts) < len(plan.estate.hosts) else ""


def _given(
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    limit: str | None,
    probes: str | None,
    trees: tuple[str, ...],
    trusted: str | None,
    lang: str | None,
) -> inputs.Inputs:
    """What people wrote: with `trusted`, as that side has it, and first of all what the work folder changes in it."""
    own = inputs.load(policy, estate, limit, probes, trees)
    if trusted is None:
        return own
    from auditor.commands import trusted as sides

    named = (*policy, *estate, *((probes,) if probes else ()))
    work = os.getcwd()

    def load(paths: tuple[str, ...]) -> inputs.Inputs:
        rest = paths[len(policy) + len(estate) :]
        middle = paths[len(policy) : len(policy) + len(estate)]
        return inputs.load(paths[: len(policy)], middle, limit, rest[0] if rest else None, trees, work)

    theirs = sides.judged_by(trusted, named, load)
    voice = inputs.voice(lang)
    changed = sides.changes(theirs, own, voice)
    if changed:
        print(
            voice.say("This change touches what it is judged by; judged is by {ref}:").format(ref=trusted),
            file=sys.stderr,
        )
    for line in changed:
        print(f"  {line}", file=sys.stderr)
    return theirs


def store_path(given: str | None) -> str:
    """The store's file; "" for `none`."""
    if given == "none":
        return ""
    folder = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return os.path.expanduser(given or f"{folder}/auditor/runs.db")


def _header(plan: Plan, day: str, digests: Any) -> Header:
    return Header(
        number=0,
        id="",
        state="open",
        started_at=time.time(),
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


def _asks(plan: Plan, places: Places, times: Timings | None) -> dict[str, Ask]:
    """The transports that the hosts of this run need, opened."""
    settings = inputs.settings(plan.probes)
    settings = replace(settings, connecting=places.connecting, timed=times.question if times else None)
    opened = inputs.asks(plan.hosts, settings)
    return {name: times.around(ask) for name, ask in opened.items()} if times else opened


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
