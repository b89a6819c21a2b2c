"""`auditor diff`: what is new, worse, resolved, no longer measured or lapsed between two runs."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace

import click

from auditor.commands import inputs
from auditor.commands.references import file_of, reference
from auditor.commands.store_place import store_path
from auditor.compare import GATING, compared
from auditor.reporters import _changes
from auditor.store import Store


def diff(before: str, after: str, format_: str, store: str | None, lang: str | None, details: bool) -> int:
    """1 when something is new, worse or lapsed; else 3 when something was told, or asked, and is not any more; else 0."""
    with ExitStack() as stack:
        keeping = None if store == "none" else _opened(stack, store, before, after)
        new = stack.enter_context(reference(after, keeping))
        old = stack.enter_context(reference(before, keeping, new.header.estate))
        seen = compared(old, new)
        if format_ == "json":
            click.echo(json.dumps(_changes.plain(seen), ensure_ascii=True, indent=1, sort_keys=True))
        else:
            speaking = replace(inputs.voice(lang, inputs.stdout_is_terminal()), details=details)
            for line in _changes.lines(seen, {**old.controls, **new.controls}, speaking):
                click.echo(line)
    if any(seen.counts[kind] for kind in GATING):
        return 1
    lost = seen.counts["unmeasured"] or seen.counts["gone"] or seen.moved.hosts_gone or seen.moved.controls_gone
    return 3 if lost else 0


def _opened(stack: ExitStack, store: str | None, *names: str) -> Store | None:
    """The store, unless both runs are files."""
    if all(file_of(name) for name in names):
        return None
    keeping = Store(store_path(store), create=False)
    stack.callback(keeping.close)
    return keeping
