"""`auditor report`: a stored run printed again, without any host."""

from __future__ import annotations

from contextlib import ExitStack

from auditor.commands import sinks
from auditor.commands.references import reference
from auditor.commands.run import store_path
from auditor.commands.viewed import reported
from auditor.errors import InvalidInput
from auditor.kinds import Audience
from auditor.store import Store


def report(
    run: str,
    formats: tuple[str, ...],
    store: str | None,
    lang: str | None,
    details: bool,
    audience: Audience,
    against: str | None,
    for_: str | None,
) -> int:
    if store == "none":
        raise InvalidInput("--store none keeps nothing: there is no run to report")
    reports = sinks.chosen(formats, audience)
    with ExitStack() as held:
        keeping = Store(store_path(store), create=False)
        held.callback(keeping.close)
        before = held.enter_context(reference(against, keeping)) if against else None
        sinks.write(reported(keeping.run(run), for_, before), reports, lang, details, audience)
    return 0
