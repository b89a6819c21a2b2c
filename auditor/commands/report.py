"""`auditor report`: a stored run, or an archive, printed again, without any host."""

from __future__ import annotations

from auditor.commands import sinks
from auditor.commands.references import evidence
from auditor.commands.run import store_path
from auditor.kinds import Audience


def report(
    run: str,
    formats: tuple[str, ...],
    store: str | None,
    lang: str | None,
    details: bool,
    audience: Audience,
    sarif_accepted: str,
) -> int:
    reports = sinks.chosen(formats, audience)
    with evidence(run, store_path(store)) as kept:
        sinks.write(kept, reports, lang, details, audience, sarif_accepted == "suppress")
    return 0
