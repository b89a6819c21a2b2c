"""What a log collector keeps: how far back, of whom and for how long. Pure."""

from __future__ import annotations

from auditor.kinds import Dialect, Dialects, Probe
from auditor.readers.log_stores.store import DIRECTORIES


def _on_linux() -> Dialect:
    from auditor.probes.linux import log_archive as linux

    return Dialect(linux.commands, linux.parse)


def _on_windows() -> Dialect:
    from auditor.probes.windows import log_archive as windows

    return Dialect(windows.commands, windows.parse)


PROBE = Probe(
    title={"en": "Collected logs", "fr": "Journaux collectés"},
    privilege={
        "en": "Root reads the collected journals and files, and cron tables; time stamps, numbers and the senders' host names leave the host. On Windows, Event Log Readers.",
        "fr": "root lit les journaux et fichiers collectés, et les tables cron ; des horodatages, des nombres et les noms d'hôte des émetteurs quittent l'hôte. Sous Windows, le groupe Lecteurs des journaux d'événements.",
    },
    arguments={
        "type": "object",
        "properties": {
            "directories": DIRECTORIES,
            "commissioned_at": {
                "type": "string",
                "description": "The day when the collector came into service, as the estate says it.",
            },
        },
        "additionalProperties": False,
    },
    facts={
        "type": "object",
        "properties": {
            "shortest_reach_days": {
                "type": "number",
                "description": "Of the senders still fed, how far back the one that reaches least reaches; null when none is.",
            },
            "typical_reach_days": {
                "type": "number",
                "description": "How far back at least half of the senders still fed reach; null when none is fed.",
            },
            "oldest_record_days": {
                "type": "number",
                "description": "Age of the oldest record of all; null when nothing is kept in the places looked at.",
            },
            "newest_record_hours": {
                "type": "number",
                "description": "Time since the newest record came; null when nothing is kept in the places looked at.",
            },
            "since_commissioning": {
                "type": "boolean",
                "description": "Whether the oldest record is of the days when the collector came into service; null when the estate says no day.",
            },
            "senders": {"type": "integer", "description": "How many senders the records tell apart."},
            "named_senders": {
                "type": "array",
                "description": "Each sender of each place, by the name that its records or files carry.",
                "items": {
                    "type": "object",
                    "x-name": "sender",
                    "x-also": ["store"],
                    "properties": {
                        "sender": {
                            "type": "string",
                            "description": "A host's name or address, as it is written there.",
                        },
                        "store": {"type": "string", "description": "The directory."},
                        "newest_record_hours": {"type": "number", "description": "Time since its newest record came."},
                    },
                },
            },
            "stores": {
                "type": "array",
                "description": "Each place where records are kept.",
                "items": {
                    "type": "object",
                    "x-name": "path",
                    "properties": {
                        "path": {"type": "string", "description": "The directory, or the event log."},
                        "oldest_record_days": {"type": "number", "description": "Age of its oldest record."},
                        "newest_record_hours": {"type": "number", "description": "Time since its newest record."},
                        "senders": {"type": "integer", "description": "How many senders it tells apart."},
                    },
                },
            },
            "time_stamps": {
                "type": "array",
                "description": "How newest records are stamped, in each place; each way once.",
                "items": {
                    "type": "object",
                    "x-name": "store",
                    "properties": {
                        "store": {"type": "string", "description": "The directory."},
                        "samples": {"type": "integer", "description": "How many senders' records are stamped so."},
                        "has_year": {"type": "boolean", "description": "Whether the stamp says the year."},
                        "has_zone": {"type": "boolean", "description": "Whether it says the time zone."},
                        "has_fraction": {"type": "boolean", "description": "Whether it says fractions of a second."},
                    },
                },
            },
            "other_engines": {
                "type": "array",
                "description": "Data directories, or services, of other log engines, which this probe does not read.",
                "items": {"type": "string", "description": "The directory or the service."},
            },
            "configured_days": {
                "type": "number",
                "description": "How long the settings that were seen keep what is still fed, where it is kept the shortest.",
            },
            "room_days": {
                "type": "number",
                "description": "How many days of records the disk, or MaxUse=, holds in all at the average pace so far.",
            },
        },
    },
    dialects=Dialects(linux=_on_linux, windows=_on_windows),
)
