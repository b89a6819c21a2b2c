"""What a tree of files tells of the logs that it keeps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Facts, Unknown
from auditor.probes.journal import PROBE, STORAGES
from auditor.readers.trees import settings as trees


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"journald": trees.JOURNALD, "logrotate": trees.LOGROTATE}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """The settings; what lies on a disk, and how far it reaches back, is on the host."""
    storage, stored_at = trees.storage(answers["journald"], STORAGES)
    kept, kept_at = trees.syslog_kept(answers["logrotate"])
    unseen = Unknown("not_observable")
    unwritten = storage in ("volatile", "none")
    return {
        **dict.fromkeys(PROBE.facts["properties"], unseen),
        "storage": storage,
        "journal_persistent": False if unwritten else storage if isinstance(storage, Unknown) else unseen,
        "syslog_kept_days": kept,
        WHERE: {"storage": stored_at, "journal_persistent": stored_at, "syslog_kept_days": kept_at},
    }
