"""Answers on the journal and the syslog files in; what a host keeps of its own logs, and how far back, out. Pure.

Sources: journald.conf(5), systemd-journald(8), journalctl(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.model import Answer, Command, Fact, Facts, Output, Unknown
from auditor.probes.journal import STORAGES
from auditor.readers import files, logrotate, systemd_conf
from auditor.readers.local_logs import (
    DAY,
    ENTRIES,
    PLACE,
    STILL_WRITTEN_S,
    SYSLOG,
    SYSLOG_FILES,
    Ages,
    existing,
    in_journal,
    in_syslog,
    installed_days,
)

CONFIG = Command("systemd-analyze cat-config systemd/journald.conf")
FILES = Command(systemd_conf.globs("journald.conf"), kind="read")
LOGROTATE = Command(
    "/etc/logrotate.conf /usr/etc/logrotate.conf /etc/logrotate.d/* /usr/etc/logrotate.d/*", kind="read"
)


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "place": PLACE,
        "config": CONFIG,
        "files": FILES,
        "logrotate": LOGROTATE,
        "entries": ENTRIES,
        "syslog": SYSLOG,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    storage = _storage(answers["config"], answers["files"])
    place = existing(answers["place"])
    journal = in_journal(answers["entries"])
    syslog = in_syslog(answers["syslog"])
    kept = _journal_kept(storage, place)
    lasting = _lasting(syslog, place)
    local = _local_days(kept, journal, lasting)
    installed = installed_days(answers["place"])
    return {
        "storage": storage,
        "journal_persistent": kept,
        "persistent": _persistent(kept, lasting, place),
        "oldest_entry_days": _days(journal, 0),
        "newest_entry_hours": _hours(journal),
        "oldest_syslog_days": _days(syslog, 0),
        "syslog_kept_days": _syslog_kept(answers["logrotate"]),
        "local_days": local,
        "installed_days": installed,
        "since_installation": _since(local, installed),
    }


def _storage(config: Answer, fallback: Answer) -> Fact:
    """The effective `Storage=`; systemd before 239 has no cat-config, and a host without systemd has neither."""
    if isinstance(config, Output) and config.exit_code == 0 and config.text.strip():
        texts = systemd_conf.separate(config.text, "journald.conf")
    else:
        read = files.read(fallback)
        if read.gap:
            return read.gap
        texts = systemd_conf.effective(read.texts, "journald.conf")
    values = systemd_conf.assignments(texts, "Journal", "Storage")
    return systemd_conf.last_valid(values, STORAGES, "auto")


def _journal_kept(storage: Fact, place: frozenset[str] | Unknown) -> bool | Unknown:
    """Whether journald runs and keeps its journal on disk."""
    if isinstance(place, Unknown):
        return False if storage in ("volatile", "none") else place
    if "/run/systemd/journal/socket" not in place:
        return False
    if isinstance(storage, Unknown):
        return storage if "/var/log/journal" in place else False
    return storage in ("persistent", "auto") and "/var/log/journal" in place


def _lasting(syslog: Ages, place: frozenset[str] | Unknown) -> Ages:
    """The syslog files, unless they are in memory."""
    if isinstance(place, Unknown):
        return place if syslog else syslog
    return syslog if place & SYSLOG_FILES else None


def _persistent(kept: bool | Unknown, syslog: Ages, place: frozenset[str] | Unknown) -> bool | Unknown:
    if kept is True:
        return True
    if isinstance(syslog, tuple):
        return True if syslog[1] <= STILL_WRITTEN_S else kept
    files_are_there = not isinstance(place, Unknown) and place & SYSLOG_FILES
    if isinstance(syslog, Unknown) and (isinstance(place, Unknown) or files_are_there):
        return kept if isinstance(kept, Unknown) else syslog
    return kept


def _local_days(kept: bool | Unknown, journal: Ages, syslog: Ages) -> float | Unknown:
    """The furthest that what is on disk and still written reaches back; 0 when nothing is."""
    seen: list[float] = []
    unknown: Unknown | None = kept if isinstance(kept, Unknown) else None
    for ages in [journal, syslog] if kept is True else [syslog]:
        if isinstance(ages, Unknown):
            unknown = ages
        elif ages and ages[1] <= STILL_WRITTEN_S:
            seen.append(ages[0])
    if unknown:
        return unknown
    return round(max(seen, default=0.0) / DAY, 1)


def _days(ages: Ages, which: int) -> float | Unknown | None:
    return round(ages[which] / DAY, 1) if isinstance(ages, tuple) else ages


def _hours(ages: Ages) -> float | Unknown | None:
    return round(ages[1] / 3600, 1) if isinstance(ages, tuple) else ages


def _syslog_kept(answer: Answer) -> Fact:
    read = files.read(answer)
    if read.gap:
        return read.gap
    for path in ("/var/log/syslog", "/var/log/messages"):
        kept = logrotate.kept_days(read.texts, path)
        if kept is not None:
            return kept
    return None


def _since(local: float | Unknown, installed: float | Unknown) -> bool | Unknown:
    if isinstance(local, Unknown):
        return local
    if isinstance(installed, Unknown):
        return installed
    return local >= installed - 1
