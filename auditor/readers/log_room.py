"""The stores of a collector and its settings in; how many days these keep of records, and the disk holds, out. Pure.

Sources: journal-remote.conf(5), journald.conf(5), logrotate(8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from auditor.model import Answer, Command, Fact, Unknown
from auditor.readers import files, log_deletion, logrotate, systemd_conf
from auditor.readers.log_deletion import Rule
from auditor.readers.log_reach import DAY
from auditor.readers.log_stores.journals import JOURNALS
from auditor.readers.log_stores.store import Store

SHORTEST_PACE_DAYS = 7  # of records, to tell how fast they grow
LOGROTATE = Command(
    "/etc/logrotate.conf /usr/etc/logrotate.conf /etc/logrotate.d/* /usr/etc/logrotate.d/*", kind="read"
)
JOURNAL_REMOTE = Command(systemd_conf.globs("journal-remote.conf"), kind="read")


def configured_days(answers: Mapping[str, Answer], stores: list[Store], unseen: Unknown | None) -> Fact:
    """The shortest time that a setting keeps what is still fed; a store of which no setting speaks leaves it unknown."""
    read = files.read(answers["logrotate"])
    rules = log_deletion.rules(answers["deletion"])
    gap = unseen or read.gap or (rules if isinstance(rules, Unknown) else None)
    if gap or isinstance(rules, Unknown):
        return gap
    kept = [_kept(store.path, read.texts, rules) for store in stores if store.fed]
    unknown = next((k for k in kept if isinstance(k, Unknown)), None)
    if unknown is None and not kept:
        return Unknown("not_told", "nothing is fed here")
    return unknown or min(k for k in kept if not isinstance(k, Unknown))


def _kept(path: str, rotation: Mapping[str, str], rules: list[Rule]) -> float | Unknown:
    rotated = logrotate.kept_below(rotation, path)
    days = [rule.days for rule in rules if rule.concerns(path)] + ([] if rotated is None else [rotated])
    unknown = next((d for d in days if isinstance(d, Unknown)), None)
    if unknown or not days:
        return unknown or Unknown("not_told", f"no setting that was seen says how long {path} is kept")
    return min(d for d in days if not isinstance(d, Unknown))


def room_days(answer: Answer, stores: list[Store], unseen: Unknown | None) -> Fact:
    """How many days of records the disk holds in all, at the average pace so far, where it holds the fewest."""
    fed = [s for s in stores if s.fed]
    if unseen or not fed:
        return unseen or Unknown("not_told", "nothing is fed here")
    rooms = [_room_of(store, fed, answer) for store in fed]
    unknown = next((r for r in rooms if isinstance(r, Unknown)), None)
    return unknown or round(min(r for r in rooms if not isinstance(r, Unknown)), 1)


def _room_of(store: Store, fed: list[Store], answer: Answer) -> float | Unknown:
    pace = 0.0
    for other in (s for s in fed if s.mount == store.mount):
        days = other.oldest / DAY if isinstance(other.oldest, float) else 0.0
        if days < SHORTEST_PACE_DAYS or other.kib is None:
            return Unknown("not_told", f"how fast {other.path} grows: it holds less than {SHORTEST_PACE_DAYS} days")
        pace += other.kib / days
    if store.free_kib is None or store.total_kib is None or store.kib is None or not isinstance(store.oldest, float):
        return Unknown("not_told", f"the free space under {store.path}")
    free = _allowed(store, answer) if store.path == JOURNALS else float(store.free_kib)
    if isinstance(free, Unknown):
        return free
    return store.oldest / DAY + free / max(pace, 0.001)


def _allowed(store: Store, answer: Answer) -> float | Unknown:
    """KiB that systemd-journal-remote may still take: MaxUse= and KeepFree= as journald.conf(5) says of SystemMaxUse=."""
    read = files.read(answer)
    if read.gap:
        return read.gap
    texts = systemd_conf.effective(read.texts, "journal-remote.conf")
    total, free, used = float(store.total_kib or 0), float(store.free_kib or 0), float(store.kib or 0)
    use = _limit(texts, "MaxUse", min(total * 0.10, 4 * 1024.0**2), total)
    keep = _limit(texts, "KeepFree", min(total * 0.15, 4 * 1024.0**2), total)
    if isinstance(use, Unknown) or isinstance(keep, Unknown):
        return use if isinstance(use, Unknown) else keep
    return max(0.0, min(use - used, free - keep))


def _limit(texts: list[str], key: str, default: float, total: float) -> float | Unknown:
    """The last value that is given to a key, in KiB; an empty one resets it."""
    given = systemd_conf.assignments(texts, "Remote", key)
    if not given or not given[-1]:
        return default
    size = _size_kib(given[-1], total)
    return Unknown("unreadable", f"{key}={given[-1][:40]}") if size is None else size


def _size_kib(text: str, total: float) -> float | None:
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?) ?([BKMGTPE%]?)", text, re.ASCII)
    if not found:
        return None
    if found[2] == "%":
        return total * float(found[1]) / 100
    return float(found[1]) * 1024.0 ** ("BKMGTPE".index(found[2] or "B") - 1)
