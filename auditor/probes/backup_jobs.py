"""Which backups the files of a tree schedule, how often, and whether these go to a declared off-site host. Pure.

Of a host that runs, the probe backups tells which restore points there are.
"""

from __future__ import annotations

from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.probes import backups as backups_there
from auditor.readers.undated import undated


def _field(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


def _on_linux() -> Dialect:
    from auditor.probes.trees import backup_jobs as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Backups that files schedule", "fr": "Sauvegardes que des fichiers planifient"},
    facts={
        "type": "object",
        "properties": {
            "jobs": {
                "type": "array",
                "description": "What cron and systemd timers start to make backups.",
                "items": {
                    "type": "object",
                    "x-name": "job",
                    "x-also": ["tool"],
                    "properties": {
                        "job": _field("string", "The timer, or the line of a crontab."),
                        "tool": _field("string", "The tool; what it is called, for a program of somebody's own."),
                        "every_hours": _field(
                            "number", "Hours at most between two starts; null when it never starts twice."
                        ),
                        "certain": _field("boolean", "It is started, and makes a backup; never false."),
                        "repositories": _field(
                            "array", "Where to, without users and passwords.", items={"type": "string"}
                        ),
                        "off_site": _field("boolean", "A repository is written to be on a declared off-site host."),
                    },
                },
            },
            "every_hours": _field(
                "number",
                "Hours at most between two starts of what surely makes a backup, all jobs together; null when none ever starts twice.",
            ),
            "at_best_hours": _field(
                "number", "The same of all that may make one: a script, a timer that may be started."
            ),
            "off_site_hours": _field(
                "number",
                "As `every_hours`, of backups, and copies of them, that go to a declared off-site host; null where none does.",
            ),
            "off_site_at_best_hours": _field("number", "The same of all that may go there."),
        },
    },
    dialects={},
    trees=Dialects(linux=_on_linux),
    arguments=backups_there.PROBE.arguments,
    privilege={"en": "none: files are read", "fr": "aucun : des fichiers sont lus"},
)
