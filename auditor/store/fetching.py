"""A store in; its runs, and what hosts told in earlier ones, out; and the runs that are too old out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from auditor import document
from auditor import prune as pruning
from auditor.errors import StoreError
from auditor.framing.sh import HELLO
from auditor.freshness import machine_of
from auditor.model import Answer, Command, Header
from auditor.prune import Old
from auditor.store.keeping import Keeping
from auditor.store.packing import command_digest, dump, unpack
from auditor.store.parts import Catalogue, Sighting
from auditor.store.run import StoredRun, answers_of
from auditor.store.schema import HELLOS_BEFORE, migrate
from auditor.store.scripts import Scripts

_AUDITS = "state = 'complete' AND json_extract(header, '$.replay') IS NULL"
_SPELT = "json_extract(header, '$.estate') IN (SELECT value FROM json_each(?))"


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
                f"SELECT number FROM run WHERE state = 'complete' AND number < ? AND {_SPELT}"
                " AND json_extract(header, '$.replay') IS NULL AND coalesce(json_extract(header, '$.limit'), '') = ?"
                " AND coalesce(json_extract(header, '$.policies'), '[]') = json(?) ORDER BY number DESC LIMIT 1",
                (header.number, self._spelt(header.estate), header.limit, dump(header.policies)),
            ).fetchone()
        return self.run(str(row[0])) if row else None

    def whole(self, header: Header) -> int:
        """The number of the newest complete audit of all of that estate by all the shipped policies; 0 when there is none."""
        with self.mapped():
            (number,) = self.db.execute(
                f"SELECT coalesce(max(number), 0) FROM run WHERE {_AUDITS} AND {_SPELT}"
                " AND coalesce(json_extract(header, '$.limit'), '') = ''"
                " AND coalesce(json_extract(header, '$.policies'), '[]') = '[]'",
                (self._spelt(header.estate),),
            ).fetchone()
        return int(number)

    def runs(self) -> Iterator[Header]:
        """Every run, the newest first."""
        with self.mapped():
            for (header,) in self.db.execute("SELECT header FROM run ORDER BY number DESC"):
                yield _header(header)

    def estates(self) -> tuple[tuple[str, ...], ...]:
        """The estates of which there is a complete audit; of each the names that it was typed by, in order."""
        with self.mapped():
            query = f"SELECT DISTINCT json_extract(header, '$.estate') FROM run WHERE {_AUDITS} ORDER BY 1"
            audited = [estate for (estate,) in self.db.execute(query)]
        lies, found = self._places(), dict[str, list[str]]()
        for estate in audited:
            found.setdefault(lies[estate], []).append(estate)
        return tuple(map(tuple, found.values()))

    def known_as(self, estate: str, place: str) -> str:
        """The name by which the store knows the estate that lies there: its own, another that was typed for it, or as it is given."""
        lies = self._places()
        return estate if estate in lies else next((name for name, at in lies.items() if at == place), estate)

    def _spelt(self, estate: str) -> str:
        """A JSON list of the names that this estate was typed by."""
        lies = self._places()
        return dump([estate, *(name for name, at in lies.items() if at == lies.get(estate, estate))])

    def _places(self) -> dict[str, str]:
        """Where the estate of each name lies. One that lay in several places, or of older runs alone, is the one of its name."""
        found: dict[str, set[str]] = {}
        query = "SELECT DISTINCT json_extract(header, '$.estate'), json_extract(header, '$.place') FROM run WHERE header != '' ORDER BY 1"
        with self.mapped():
            for estate, place in self.db.execute(query):
                found.setdefault(estate, set()).update([place] if place else ())
        return {estate: min(places) if len(places) == 1 else estate for estate, places in found.items()}

    def run(self, name: str, of: str | None = None, like: str | None = None) -> StoredRun:
        """By number, by the beginning of its id, or `latest`: the latest complete one, of a whole estate if there is one.

        `latest~1` is the one before it, of those. A replay is none of them; by an id that it shares, the audit is meant.
        Of several estates, `of` is the only one whose runs are the latest, `like` the one whose runs come first.
        """
        back = re.fullmatch(r"latest(?:~([0-9]{1,6}))?", name)
        value: tuple[int | str, ...] = ()
        with self.mapped():
            if back:
                where = _AUDITS + (f" AND {_SPELT}" if of is not None else "")
                value = (self._spelt(of),) if of is not None else ()
            elif name.isdecimal() and len(name) < 10:
                where, value = "number = ?", (int(name),)
            else:
                where, value = "id != '' AND substr(id, 1, ?) = ?", (len(name), name)
            row = self.db.execute(
                f"SELECT header, catalogue FROM run WHERE {where}"
                f" ORDER BY json_extract(header, '$.replay') IS NOT NULL, NOT {_SPELT},"
                " json_extract(header, '$.limit') != '', number DESC LIMIT 1 OFFSET ?",
                (*value, self._spelt(like) if like is not None else "[]", int(back[1] or 0) if back else 0),
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

    def last_hello(self, host: str, estate: str, but: int, until: float) -> Answer | None:
        """What the host of that estate said that it is, in the newest run but one, no replay, in which it showed a machine."""
        with self.mapped():
            row = self.db.execute(
                "SELECT e.digest, e.body, a.at, a.host_at FROM host h JOIN run r ON r.number = h.run"
                " JOIN answer a ON a.run = h.run AND a.host = h.seq JOIN evidence e ON e.digest = a.evidence"
                " WHERE h.id = ? AND h.estate = ? AND h.run != ? AND a.at <= ? AND a.command IN (?, ?)"
                " AND json_extract(r.header, '$.replay') IS NULL AND machine_of(e.digest, e.body) != ''"
                " ORDER BY h.run DESC LIMIT 1",
                (host, estate, but, until, command_digest(HELLO), *HELLOS_BEFORE),
            ).fetchone()
        return row and unpack(*row)

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
