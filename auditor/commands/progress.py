"""A line on stderr that says how far a run is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from auditor.commands import inputs


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
