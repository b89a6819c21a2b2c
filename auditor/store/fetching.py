"""A store in; its runs, and what hosts told in earlier ones, out; and the runs that are too old out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from auditor import document
from auditor import prune as pruning
from auditor.errors import StoreError
from auditor.freshness import machine_of
from auditor.model import Answer, Command, Header
from auditor.prune import Old
from auditor.store.keeping import Keeping
from auditor.store.packing import dump, unpack
from auditor.store.parts import Catalogue, Sighting
from auditor.store.run import StoredRun, answers_of
from auditor.store.schema import migrate
from auditor.store.scripts import Scripts

_AUDITS = "state = 'complete' AND json_extract(header, '$.replay') IS NULL"


class Store(Keeping, Scripts):
    """`path` "" is a private store in a temporary file that nothing survives."""

    def __init__(self, path: str, create: bool = True) -> None:
        super().__init__(path, create)
        with self.mapped():
            self.db.create_function("machine_of", 2, _machine_of, deterministic=True)
            migrate(self)

    def before(self, header: Header) -> StoredRun | None:
        """The newest complete audit before one, no replay, of the same estate, `--limit` and policies; None when there is none."""
        with self.mapped():
            row = self.db.execute(
                "SELECT number FROM run WHERE state = 'complete' AND number < ? AND json_extract(header, '$.estate') = ?"
                " AND json_extract(header, '$.replay') IS NULL AND coalesce(json_extract(header, '$.limit'), '') = ?"
                " AND coalesce(json_extract(header, '$.policies'), '[]') = json(?) ORDER BY number DESC LIMIT 1",
                (header.number, header.estate, header.limit, dump(header.policies)),
            ).fetchone()
        return self.run(str(row[0])) if row else None

    def runs(self) -> Iterator[Header]:
        """Every run, the newest first."""
        with self.mapped():
            for (header,) in self.db.execute("SELECT header FROM run ORDER BY number DESC"):
                yield _header(header)

    def estates(self) -> tuple[str, ...]:
        """The estates, as they were named, of which there is a complete audit."""
        with self.mapped():
            query = f"SELECT DISTINCT json_extract(header, '$.estate') FROM run WHERE {_AUDITS} ORDER BY 1"
            return tuple(estate for (estate,) in self.db.execute(query))

    def run(self, name: str, of: str | None = None, like: str | None = None) -> StoredRun:
        """By number, by the beginning of its id, or `latest`: the latest complete one, of a whole estate if there is one.

        `latest~1` is the one before it, of those. A replay is none of them; by an id that it shares, the audit is meant.
        Of several estates, `of` is the only one whose runs are the latest, `like` the one whose runs come first.
        """
        back = re.fullmatch(r"latest(?:~([0-9]{1,6}))?", name)
        value: tuple[int | str, ...] = ()
        with self.mapped():
            if back:
                where = _AUDITS + (" AND json_extract(header, '$.estate') = ?" if of is not None else "")
                value = (of,) if of is not None else ()
            elif name.isdecimal() and len(name) < 10:
                where, value = "number = ?", (int(name),)
            else:
                where, value = "id != '' AND substr(id, 1, ?) = ?", (len(name), name)
            row = self.db.execute(
                f"SELECT header, catalogue FROM run WHERE {where}"
                " ORDER BY json_extract(header, '$.replay') IS NOT NULL, coalesce(json_extract(header, '$.estate') != ?, 0),"
                " json_extract(header, '$.limit') != '', number DESC LIMIT 1 OFFSET ?",
                (*value, like, int(back[1] or 0) if back else 0),
            ).fetchone()
        if row is None:
            only = ": only complete audits count" if back else ""
            raise StoreError(f"the store {self.path} holds no run '{name}'{only} (auditor list runs)")
        return StoredRun(self, _header(row[0]), Catalogue.from_plain(json.loads(row[1])))

    # ------------------------------------------------------------ evidence of earlier runs

    def last_sighting(self, host: str, estate: str, but: int, until: float, proved: bool = False) -> Sighting | None:
        """The newest run but one in which the host of that estate told something; `proved`: and showed which machine it is."""
        with self.mapped():
            row = self.db.execute(
                "SELECT run, seq, seen_at, machine, coalesce(json_extract(doc, '$.medium'), 'live') FROM host"
                " WHERE id = ? AND estate = ? AND run != ? AND seen_at <= ? AND (machine != '' OR NOT ?) ORDER BY run DESC LIMIT 1",
                (host, estate, but, until, proved),
            ).fetchone()
        return row and Sighting(*row)

    def lost_since(self, host: str, estate: str, run: int) -> bool:
        """Whether a later run asked the host and got nothing that counts."""
        query = "SELECT max(lost) FROM host WHERE id = ? AND estate = ? AND run > ?"
        with self.mapped():
            row = self.db.execute(query, (host, estate, run)).fetchone()
        return bool(row[0])

    def answers_of(self, run: int, seq: int) -> dict[Command, Answer]:
        """What a host answered in a run, by its place there. What is damaged is a Failure, or left out: never an answer."""
        return answers_of(self, run, seq)

    # ------------------------------------------------------------ forgetting

    def old(self, before: float, now: float) -> list[Old]:
        """The runs that `prune` would remove: those that began before a moment, but for those that stay."""
        with self.mapped():
            return pruning.old(self.db, before, now)

    def prune(self, gone: list[Old], now: float) -> int:
        """Removes runs and what only they referred to; how many bytes the file became smaller. No audit may be kept meanwhile."""
        with self.mapped():
            self._known.clear()
            return pruning.prune(self.db, self.writing, gone, now)


def _header(text: str) -> Header:
    return document.header_from_plain(json.loads(text))


def _machine_of(digest: bytes, body: bytes) -> str:
    return machine_of(unpack(digest, body, 0.0, None)) or ""
