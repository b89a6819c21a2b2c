"""The stores of a collector in; how far back they reach, of whom, and how their records are stamped, out. Pure.

How far back it reaches is told of each sender that is still fed, since one old record says nothing of the others; how old
records get is told of everything that is kept. A sender that is new reaches back no further than one whose records were
cut, and nothing in the records tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from statistics import median_low
from typing import Any

from auditor.model import Answer, Fact, Facts, Failure, Partial, Unknown
from auditor.readers.log_stores.store import Store

DAY = 86400.0
FIRST_DAYS = 3  # the first record of a collector comes that long after it was put into service, at most


def reaching(
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


def kept_elsewhere(engines: Fact) -> Unknown | None:
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
