"""What a log collector keeps: answers on its journals and file trees in, how far back, of whom and for how long out. Pure.

How far back it reaches is told of each sender that is still fed, since one old record says nothing of the others; how old
records get is told of everything that is kept. A sender that is new reaches back no further than one whose records were
cut, and nothing in the records tells them apart. Sources: systemd-journal-remote(8), journal-remote.conf(5), logrotate(8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from statistics import median_low
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import files, log_deletion, logrotate, systemd_conf
from auditor.readers.log_deletion import Rule
from auditor.readers.log_stores.journals import JOURNAL, JOURNALS, journal
from auditor.readers.log_stores.store import DIRECTORIES, Store
from auditor.readers.log_stores.trees import TREE, trees

DAY = 86400.0
FIRST_DAYS = 3  # the first record of a collector comes that long after it was put into service, at most
SHORTEST_PACE_DAYS = 7  # of records, to tell how fast they grow

# Other engines that hold records, in a store of their own that this probe does not read.
ENGINES = Command(
    r"""for d in /var/lib/elasticsearch /var/lib/opensearch /var/lib/wazuh-indexer /var/lib/graylog-server /var/lib/loki \
  /opt/splunk/var/lib/splunk /var/lib/quickwit /var/lib/clickhouse; do
  if [ -e "$d" ]; then echo "$d"; fi
done
[ -x /var/lib ] && echo looked""",
    timeout_s=5,
    cap_bytes=4096,
)
LOGROTATE = Command(
    "/etc/logrotate.conf /usr/etc/logrotate.conf /etc/logrotate.d/* /usr/etc/logrotate.d/*", kind="read"
)
JOURNAL_REMOTE = Command(systemd_conf.globs("journal-remote.conf"), kind="read")


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    directories = tuple(args.get("directories", ()))
    tree = replace(TREE, arguments=directories)
    return {
        "journal": JOURNAL,
        "tree": tree,
        "engines": ENGINES,
        "logrotate": LOGROTATE,
        "deletion": log_deletion.DELETION,
        "journal_remote": JOURNAL_REMOTE,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    found = journal(answers["journal"])
    beside = trees(answers["tree"])
    unseen = next((s for s in (found, beside) if isinstance(s, Unknown)), None)
    stores = [*([found] if isinstance(found, Store) else []), *(beside if isinstance(beside, list) else [])]
    shown = [] if unseen else stores
    engines = _engines(answers["engines"])
    elsewhere = _elsewhere(engines)
    return {
        **_told(stores, unseen, elsewhere, answers["journal"], args),
        "other_engines": engines,
        "configured_days": _configured(answers, shown, unseen or elsewhere),
        "room_days": _room(answers["journal_remote"], shown, unseen or elsewhere),
    }


def parse_windows(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    from auditor.probes.windows import log_archive as windows

    kept = windows.read(answers)
    unseen = kept.store if isinstance(kept.store, Unknown) else None
    stores = [kept.store] if isinstance(kept.store, Store) else []
    by_size = Unknown("not_told", "an event log is set to a size, not to a time")
    return {
        **_told(stores, unseen, kept.elsewhere, answers["records"], args),
        "other_engines": kept.engines,
        "configured_days": unseen or by_size,
        "room_days": unseen or by_size,
    }


def _told(
    stores: list[Store], unseen: Unknown | None, elsewhere: Unknown | None, dated: Answer, args: Mapping[str, Any]
) -> Facts:
    """`unseen`: why a store was not read; `elsewhere`: why records may lie where none was looked for."""
    shown = [] if unseen else stores
    newest: Fact = unseen or _newest(shown)
    known = unseen or elsewhere
    reaches = [r for s in shown for r in s.reaches]
    oldest = known or _oldest(shown)
    return {
        "shortest_reach_days": known or _reach(reaches, min),
        "typical_reach_days": known or _reach(reaches, median_low),
        "oldest_record_days": oldest,
        "newest_record_hours": unseen or (newest if newest is not None else elsewhere),
        "since_commissioning": _since(dated, oldest, args.get("commissioned_at")),
        "senders": unseen or _senders(shown),
        "named_senders": _list([row for s in stores for row in _named(s)], unseen or _unnamed(stores) or elsewhere),
        "stores": unseen or [_shown(s) for s in shown],
        "time_stamps": _list([row for s in stores for row in _stamps(s)], known),
    }


def _list(items: list[Any], missing: Unknown | None) -> Fact:
    return Partial(tuple(items), missing) if missing else items


def _engines(answer: Answer) -> Fact:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if "looked" not in lines:
        return Unknown("no_privilege", "/var/lib")
    return [line for line in lines if line.startswith("/")]


def _elsewhere(engines: Fact) -> Unknown | None:
    """Set when records may lie where this probe does not read."""
    if isinstance(engines, Unknown):
        return engines
    return Unknown("not_told", "records are also kept in " + ", ".join(engines)) if engines else None


def _oldest(stores: list[Store]) -> Fact:
    """Of everything that is kept."""
    ages = [s.oldest for s in stores if s.oldest is not None]
    unknown = next((a for a in ages if isinstance(a, Unknown)), None)
    if unknown or not ages:
        return unknown
    return round(max(a for a in ages if not isinstance(a, Unknown)) / DAY, 1)


def _reach(reaches: list[float | Unknown], of: Callable[[list[float]], float]) -> Fact:
    """None when nothing is fed any more."""
    unknown = next((r for r in reaches if isinstance(r, Unknown)), None)
    known = [r for r in reaches if isinstance(r, float)]
    return unknown or (round(of(known) / DAY, 1) if known else None)


def _newest(stores: list[Store]) -> Fact:
    ages = [s.newest for s in stores if s.newest is not None]
    known = [a for a in ages if not isinstance(a, Unknown)]
    if known:
        return round(min(known) / 3600, 1)
    return ages[0] if ages else None


def _since(answer: Answer, oldest: Fact, commissioned_at: Any) -> Fact:
    """Whether the oldest record is of the day when the collector came into service; None when the estate says no day."""
    if commissioned_at is None or oldest is None or isinstance(oldest, Unknown):
        return oldest if isinstance(oldest, Unknown) else None
    if isinstance(answer, Failure) or answer.host_at is None:
        return Unknown("not_told", "the host's clock")
    try:
        service = (datetime.fromtimestamp(answer.host_at, UTC).date() - date.fromisoformat(commissioned_at)).days
    except (ValueError, TypeError, OverflowError, OSError):
        return Unknown("unreadable", str(commissioned_at)[:40])
    return bool(0 <= service + 1 - oldest <= FIRST_DAYS + 1)


# ---------------------------------------------------------------- senders and stamps


def _senders(stores: list[Store]) -> Fact:
    """The most that one store knows: the same sender may feed several."""
    counts = [s.senders for s in stores]
    unknown = next((c for c in counts if isinstance(c, Unknown)), None)
    return unknown or max((c for c in counts if isinstance(c, int)), default=0)


def _named(store: Store) -> Iterator[dict[str, Fact]]:
    for name, newest in sorted((store.newest_of or {}).items()):
        hours = newest if isinstance(newest, Unknown) else round(newest / 3600, 1)
        yield {"sender": name, "store": store.path, "newest_record_hours": hours}


def _unnamed(stores: list[Store]) -> Unknown | None:
    return next((s.unnamed for s in stores if s.unnamed), None)


def _stamps(store: Store) -> Iterator[dict[str, Fact]]:
    """A row for each way in which the samples of a store are stamped."""
    for shape, count in sorted(store.stamps):
        untold = Unknown("unreadable", f"no time stamp at the head of a record in {store.path}")
        told = [untold] * 3 if shape == "?" else [mark != "-" for mark in shape]
        yield {
            "store": store.path,
            "samples": count,
            **dict(zip(("has_year", "has_zone", "has_fraction"), told, strict=True)),
        }


def _shown(store: Store) -> dict[str, Fact]:
    oldest, newest = store.oldest, store.newest
    return {
        "path": store.path,
        "oldest_record_days": round(oldest / DAY, 1) if isinstance(oldest, float) else oldest,
        "newest_record_hours": round(newest / 3600, 1) if isinstance(newest, float) else newest,
        "senders": store.senders,
    }


# ---------------------------------------------------------------- how long it is set to keep, and can


def _configured(answers: Mapping[str, Answer], stores: list[Store], unseen: Unknown | None) -> Fact:
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


def _room(answer: Answer, stores: list[Store], unseen: Unknown | None) -> Fact:
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


def _on_windows() -> Dialect:
    from auditor.probes.windows import log_archive as windows

    return Dialect(windows.commands, parse_windows)


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
    dialects=Dialects(linux=Dialect(commands, parse), windows=_on_windows),
)
