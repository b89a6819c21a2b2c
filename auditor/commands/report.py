"""`auditor report`: a stored run printed again, without any host."""

from __future__ import annotations

from auditor.commands import sinks
from auditor.commands.run import store_path
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
    sarif_accepted: str,
) -> int:
    if store == "none":
        raise InvalidInput("--store none keeps nothing: there is no run to report")
    reports = sinks.chosen(formats, audience)
    keeping = Store(store_path(store), create=False)
    try:
        sinks.write(keeping.run(run), reports, lang, details, audience, sarif_accepted == "suppress")
    finally:
        keeping.close()
    return 0
