"""What a host keeps of its own logs, and how far that reaches back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.readers.undated import undated

STORAGES = ("volatile", "persistent", "auto", "none")


def _number(text: str) -> Mapping[str, Any]:
    return {"type": "number", "description": text}


def _on_linux() -> Dialect:
    from auditor.probes.linux import journal as linux

    return Dialect(linux.commands, linux.parse)


def _on_windows() -> Dialect:
    from auditor.probes.windows import journal as windows

    return Dialect(windows.commands, windows.parse)


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import journal as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Local logs", "fr": "Journaux locaux"},
    privilege={
        "en": "Root reads the journal and the syslog files; only time stamps leave the host. On Windows, Event Log Readers.",
        "fr": "root lit le journal et les fichiers syslog ; seuls des horodatages quittent l'hôte. Sous Windows, le groupe Lecteurs des journaux d'événements.",
    },
    facts={
        "type": "object",
        "properties": {
            "storage": {"type": "string", "description": "The effective Storage= of journald."},
            "journal_persistent": {
                "type": "boolean",
                "description": "Whether journald runs and keeps its journal on disk.",
            },
            "persistent": {
                "type": "boolean",
                "description": "Whether logs are kept on disk across a restart: by journald, in syslog files, in the event logs "
                "Security, System and Application.",
            },
            "oldest_entry_days": _number(
                "Age of the oldest entry of the journal on disk, or of the Security log; null when there is none."
            ),
            "newest_entry_hours": _number(
                "Age of the newest entry of the journal on disk, or of the Security log; null when there is none."
            ),
            "oldest_syslog_days": _number("Age of the oldest record of the syslog files; null when there is none."),
            "syslog_kept_days": _number(
                "How long logrotate keeps the syslog files; null when it does not rotate them."
            ),
            "local_days": _number(
                "How far the logs on disk that are still written reach back; 0 when there are none. Of event logs, the one that "
                "reaches back least."
            ),
            "installed_days": _number("Age of the installation, from its machine id and host keys, or the registry."),
            "since_installation": {
                "type": "boolean",
                "description": "Whether the logs on disk reach back to the installation, within a day.",
            },
        },
    },
    dialects=Dialects(linux=_on_linux, windows=_on_windows),
    trees=Dialects(linux=_in_a_tree),
)
