"""`auditor report`: a stored run, or an archive, printed again, without any host."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from auditor import shelves
from auditor.commands import inputs, sinks
from auditor.commands.beginning import placed
from auditor.commands.references import RUN_NAME, evidence, reference
from auditor.commands.store_place import store_path
from auditor.commands.viewed import reported
from auditor.errors import AuditorError, InvalidInput
from auditor.kinds import Audience, Plugin
from auditor.load.schema import did_you_mean
from auditor.model import Header, Run
from auditor.store import Store

TOO_OLD = 3  # of every format that has no codes of its own


def report(
    run: str,
    formats: tuple[str, ...],
    store: str | None,
    lang: str | None,
    details: bool,
    audience: Audience,
    sarif_accepted: str,
    max_age: float | None,
    against: str | None,
    for_: str | None,
    of: str | None,
) -> int:
    """0, or 3 when the run is too old; a format that is a monitoring plugin has its own codes."""
    plugin = _plugin(formats)
    with _broken(plugin):
        reports = sinks.chosen(formats, audience)
        of = _estate(run, of, store_path(store), plugin is not None)
        with (
            evidence(run, store_path(store), of, heed=plugin is None) as whole,
            _before(against, store, whole.header.estate) as before,
        ):
            kept = reported(whole, for_, before)
            limit_s = max_age * 3600.0 if max_age else plugin.max_age_s if plugin else 0.0
            too_old = limit_s > 0 and not 0 <= time.time() - _when(kept.header) <= limit_s
            suppress = sarif_accepted == "suppress"
            sinks.write(kept, reports, lang, details, audience, suppress, too_old, inputs.as_of(None))
            if plugin:
                return plugin.code(kept, replace(inputs.voice(lang), too_old=too_old, today=inputs.as_of(None)))
            number = kept.header.number
    if too_old:
        click.echo(f"audit {number} is not of the last {max_age:g} hours: is it still scheduled?", err=True)
    return TOO_OLD if too_old else 0


def _estate(run: str, given: str | None, store: str, plugin: bool) -> str | None:
    """Whose latest audit is meant; a monitoring system is never told of one estate what it asks of another."""
    if not RUN_NAME.fullmatch(run):
        if given is not None:
            raise InvalidInput(f"--of {given}: it says whose `latest` is meant, and {run} is one run")
        return None
    if (given is None and not plugin) or not store or not Path(store).exists():
        return given
    with closing(Store(store, create=False)) as kept:
        estates = [names[0] or "-" for names in kept.estates()]
        known = {name or "-": name for names in kept.estates() for name in names}
        meant = given if given is None or given in known else kept.known_as(given, placed(given))
    if meant is None and len(estates) > 1:
        raise InvalidInput(
            f"the store {store} holds audits of several estates: say whose, --of {' or --of '.join(estates)}"
        )
    if meant is not None and meant not in known:
        raise InvalidInput(f"--of {given}: the store {store} holds no audit of it{did_you_mean(given, known)}")
    return None if meant is None else known[meant]


@contextmanager
def _broken(plugin: Plugin | None) -> Iterator[None]:
    """An expected error ends the program as a plugin tells it, where there is one."""
    try:
        yield
    except AuditorError as error:
        if plugin is None:
            raise
        sys.stdout.buffer.write(plugin.broken(str(error)))
        sys.stdout.buffer.flush()
        sys.exit(plugin.broken_code)


@contextmanager
def _before(name: str | None, store: str | None, estate: str) -> Iterator[Run | None]:
    """The run that this one is held against, if any."""
    if not name:
        yield None
        return
    found = evidence(name, store_path(store), like=estate) if not Path(name).is_file() else reference(name, None)
    with found as run:
        yield run


def _when(header: Header) -> float:
    """When it ended; one that never did, when it began."""
    return header.finished_at or header.started_at


def _plugin(formats: Sequence[str]) -> Plugin | None:
    """The plugin that is written to stdout, whose code is then ours."""
    for given in formats:
        name, _, path = given.partition("=")
        if path in ("", "-") and name in shelves.REPORTERS.names():
            found: Plugin | None = shelves.REPORTERS[name].plugin
            return found
    return None
