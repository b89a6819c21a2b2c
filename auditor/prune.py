"""A store's database and two moments in; the runs that are too old and what nobody refers to any more out of it.

What stays, however old: of each estate the run that `latest` means; of each host the newest rows that say when it was
seen, which machine it proved to be and whether it was lost since; and its newest evidence, as long as a host that is
not always on may be judged on it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from auditor.freshness import SKEW_S

Writing = Callable[[], AbstractContextManager[None]]  # one transaction

LONGEST_DEFAULT_S = 30 * 86400.0  # of hosts kept before the store said how old their evidence may be
BATCH = 2000  # rows, or pages, of one short transaction

# A clock that went back, or ran ahead, dates a run wrongly: no run is older than one before it; but a replay has the date of
# the run that it judges anew, and stands for no audit.
_OLD = """
    SELECT number, at FROM (
      SELECT number, state, CASE WHEN json_extract(header, '$.replay') IS NOT NULL THEN started_at
          ELSE max(CASE WHEN started_at <= :now THEN started_at END) OVER (ORDER BY number) END AS at,
        row_number() OVER (PARTITION BY state, json_extract(header, '$.estate')
          ORDER BY json_extract(header, '$.replay') IS NOT NULL,
            coalesce(json_extract(header, '$.limit'), '') != '', number DESC) AS place FROM run)
    WHERE at < :before AND NOT (state = 'complete' AND place = 1) ORDER BY number
"""
_NEWEST = "NOT EXISTS (SELECT 1 FROM host n WHERE n.id = h.id AND n.estate = h.estate AND n.run > h.run AND n.{told})"
_SEEN = "h.seen_at IS NOT NULL AND " + _NEWEST.format(told="seen_at <= :now + :skew")
_PROVED = "h.machine != '' AND " + _NEWEST.format(told="machine != ''")
_LOST = "h.lost AND " + _NEWEST.format(told="lost")
_FRESH = f"h.estate != '' AND h.seen_at + coalesce(h.max_age_s, :longest) >= :now AND {_SEEN}"


@dataclass(frozen=True, slots=True)
class Old:
    """A run that may go: its number, and when it began at the earliest."""

    number: int
    at: float


def old(db: sqlite3.Connection, before: float, now: float) -> list[Old]:
    """The runs that began before a moment, the oldest first, but for those that stay."""
    return [Old(*row) for row in db.execute(_OLD, {"before": before, "now": now})]


def prune(db: sqlite3.Connection, writing: Writing, gone: list[Old], now: float) -> int:
    """Removes them, and all that nobody refers to; how many bytes the file became smaller.

    A transaction a run: killed on the way, the store is whole and the next prune does the rest.
    """
    db.execute("PRAGMA secure_delete=ON")  # what is gone is not left to be read in a page that stays
    before = _size(db)
    for run in gone:
        with writing():
            _forget(db, run.number, now)
    for (number,) in db.execute("SELECT DISTINCT run FROM host WHERE run NOT IN (SELECT number FROM run)").fetchall():
        with writing():
            _forget(db, number, now)
    for table, used in (("evidence", "evidence FROM answer"), ("command", "command FROM answer"),
                        ("inputs", "inputs FROM run WHERE inputs IS NOT NULL")):  # fmt: skip
        _sweep(db, writing, table, used)
    _shrink(db)
    return max(0, before - _size(db))


def _forget(db: sqlite3.Connection, number: int, now: float) -> None:
    values = {"run": number, "now": now, "skew": SKEW_S, "longest": LONGEST_DEFAULT_S}
    db.execute(
        f"DELETE FROM answer WHERE run = :run AND host NOT IN (SELECT h.seq FROM host h WHERE h.run = :run AND {_FRESH})",
        values,
    )
    db.execute(
        "DELETE FROM host AS h WHERE h.run = :run AND NOT"
        f" (h.estate != '' AND (({_SEEN}) OR ({_PROVED}) OR ({_LOST})))",
        values,
    )
    for table in ("finding", "fact", "idle_decision", "coverage", "action", "to_do"):
        db.execute(f"DELETE FROM {table} WHERE run = ?", (number,))
    db.execute("DELETE FROM run WHERE number = ?", (number,))


def _sweep(db: sqlite3.Connection, writing: Writing, table: str, used: str) -> None:
    """What nobody refers to. The list of what is referred to lies in a temporary file, not in memory."""
    db.execute("PRAGMA temp_store=FILE")
    db.execute("CREATE TEMP TABLE used (digest BLOB PRIMARY KEY) WITHOUT ROWID")
    db.execute(f"INSERT OR IGNORE INTO used SELECT {used}")
    last = b""
    while True:
        query = f"SELECT digest FROM {table} WHERE digest > ? ORDER BY digest LIMIT {BATCH}"
        batch = [row[0] for row in db.execute(query, (last,))]
        if not batch:
            break
        last = batch[-1]
        with writing():
            db.executemany(
                f"DELETE FROM {table} WHERE digest = ? AND digest NOT IN (SELECT digest FROM used)",
                ((digest,) for digest in batch),
            )
    db.execute("DROP TABLE used")


def _shrink(db: sqlite3.Connection) -> None:
    """Gives the free pages back to the disk, in short steps; a store of before is made so that it can, once."""
    if db.execute("PRAGMA auto_vacuum").fetchone() != (2,):
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        db.execute("VACUUM")
    while _pragma(db, "freelist_count"):
        free = _pragma(db, "freelist_count")
        db.execute(f"PRAGMA incremental_vacuum({BATCH})").fetchall()
        if _pragma(db, "freelist_count") == free:
            break
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _size(db: sqlite3.Connection) -> int:
    return _pragma(db, "page_count") * _pragma(db, "page_size")


def _pragma(db: sqlite3.Connection, name: str) -> int:
    (value,) = db.execute(f"PRAGMA {name}").fetchone()
    return int(value)
