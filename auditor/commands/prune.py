"""`auditor prune`: removes audits and evidence that are older than may be kept, and gives their room back."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from auditor.commands import inputs, log
from auditor.commands.store_place import store_path
from auditor.errors import InvalidInput
from auditor.kinds import Voice
from auditor.lock import pruning
from auditor.prune import Old
from auditor.sentences import moment
from auditor.store import Store

DAY_S = 86400.0


def prune(keep: int, dry_run: bool, store: str | None, lang: str | None) -> int:
    """0, whether there was something to remove or not."""
    path = store_path(store)
    if not path:
        raise InvalidInput("--store none keeps nothing: there is nothing to prune")
    speaking, now = inputs.voice(lang), time.time()
    keeping = Store(path, create=False)
    try:
        if dry_run:
            click.echo(_said(speaking.say("Audits to remove: {count}"), keeping.old(now - keep * DAY_S, now), speaking))
            return 0
        with pruning(path, now):
            gone = keeping.old(now - keep * DAY_S, now)
            freed = keeping.prune(gone, now)
    finally:
        keeping.close()
    log.event("pruned", runs=len(gone), bytes=freed, keep_days=keep)
    click.echo(_said(speaking.say("Audits removed: {count}"), gone, speaking) + "; " + _size(freed, speaking))
    return 0


def _said(form: str, gone: Sequence[Old], voice: Voice) -> str:
    """How many, and from when to when."""
    said = form.format(count=len(gone))
    if not gone:
        return said
    ends = (moment(end, voice) for end in (min(run.at for run in gone), max(run.at for run in gone)))
    return f"{said} ({' - '.join(dict.fromkeys(ends))})"


def _size(freed: int, voice: Voice) -> str:
    text = f"{freed / 1048576:.1f}"
    amount = text.replace(".", ",") if voice.lang == "fr" else text
    return voice.say("given back: {amount} MiB").format(amount=amount)
