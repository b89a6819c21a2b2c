"""`auditor report`: a stored run, or an archive, printed again, without any host."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from auditor import shelves
from auditor.commands import inputs, sinks
from auditor.commands.references import evidence, reference
from auditor.commands.store_place import store_path
from auditor.commands.viewed import reported
from auditor.errors import AuditorError
from auditor.kinds import Audience, Plugin
from auditor.model import Header, Run

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
) -> int:
    """0, or 3 when the run is too old; a format that is a monitoring plugin has its own codes."""
    plugin = _plugin(formats)
    with _broken(plugin):
        reports = sinks.chosen(formats, audience)
        with evidence(run, store_path(store)) as whole, _before(against, store) as before:
            kept = reported(whole, for_, before)
            limit_s = max_age * 3600.0 if max_age else plugin.max_age_s if plugin else 0.0
            too_old = limit_s > 0 and not 0 <= time.time() - _when(kept.header) <= limit_s
            suppress = sarif_accepted == "suppress"
            sinks.write(kept, reports, lang, details, audience, suppress, too_old, inputs.as_of(None))
            if plugin:
                return plugin.code(kept, replace(inputs.voice(lang), too_old=too_old))
            number = kept.header.number
    if too_old:
        click.echo(f"audit {number} is not of the last {max_age:g} hours: is it still scheduled?", err=True)
    return TOO_OLD if too_old else 0


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
def _before(name: str | None, store: str | None) -> Iterator[Run | None]:
    """The run that this one is held against, if any."""
    if not name:
        yield None
        return
    found = evidence(name, store_path(store)) if not Path(name).is_file() else reference(name, None)
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
