"""A run in a store in; the same as reports read it, page by page, and what it was judged on, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from auditor import document, snapshot
from auditor.errors import StoreError
from auditor.kinds import RECORDS
from auditor.model import (
    ActionSeen,
    Answer,
    Command,
    Coverage,
    Facts,
    Finding,
    Header,
    HostSeen,
    IdleDecision,
    Run,
    Sketch,
    ToDo,
    Unknown,
)
from auditor.snapshot import Snapshot
from auditor.store import texts
from auditor.store.database import Database
from auditor.store.packing import inflated, read_command, unpack
from auditor.store.parts import Catalogue, HostKept

PAGE = 500  # rows fetched at once: what is read may be written anew meanwhile


class StoredRun(Run):
    """A run as reports read it, straight from the store."""

    def __init__(self, store: Database, header: Header, catalogue: Catalogue, number: int = 0) -> None:
        self._store = store
        self._db = store.db
        self._number = number or header.number  # of a borrowed run, the header keeps the number that it had
        self.header = header
        self.catalogue = catalogue
        self.controls = catalogue.controls
        self.measures = catalogue.measures
        self.perimeters = catalogue.perimeters
        self.entities = catalogue.entities

    def _docs(self, table: str) -> Iterator[tuple[int, Any]]:
        return ((seq, json.loads(doc)) for seq, doc in self._rows(table))

    def _rows(self, table: str, more: str = "") -> Iterator[Any]:
        """Page by page: a run that is being reconciled is written to while it is read."""
        query = f"SELECT seq, doc{more} FROM {table} WHERE run = ? AND seq > ? ORDER BY seq LIMIT {PAGE}"
        last = -1
        while True:
            with self._store.mapped():
                rows = self._db.execute(query, (self._number, last)).fetchall()
            yield from rows
            if len(rows) < PAGE:
                return
            last = rows[-1][0]

    def findings(self) -> Iterator[Finding]:
        return (texts.read(seq, doc) for seq, doc in self._rows("finding"))

    def findings_that(self, matter: Callable[[str, str | None], bool]) -> Iterator[Finding]:
        """Those of which subject (its key) and outcome matter: the others are not read."""
        for seq, doc, subject, outcome in self._rows("finding", ", subject, outcome"):
            if matter(subject, outcome):
                yield texts.read(seq, doc)

    def sketches(self) -> Iterator[Sketch]:
        query = "SELECT seq, fingerprint, outcome, doc FROM finding WHERE run = ? ORDER BY fingerprint, seq"
        with self._store.mapped():
            for row in self._db.execute(query, (self._number,)):
                yield Sketch(*row)

    def hosts(self) -> Iterator[HostSeen]:
        """Perimeters answer as hosts do, and are none."""
        seen = (document.host_from_plain(plain) for _, plain in self._docs("host"))
        return (host for host in seen if host.medium != RECORDS)

    def idle(self) -> Iterator[IdleDecision]:
        return (IdleDecision(**plain) for _, plain in self._docs("idle_decision"))

    def coverage(self) -> Iterator[Coverage]:
        return (document.coverage_from_plain(plain) for _, plain in self._docs("coverage"))

    def actions(self) -> Iterator[ActionSeen]:
        return (document.action_from_plain(plain) for _, plain in self._docs("action"))

    def to_do(self) -> Iterator[ToDo]:
        return (document.to_do_from_plain(plain) for _, plain in self._docs("to_do"))

    # ------------------------------------------------------------ what it was judged on

    def inputs(self) -> Snapshot | None:
        """The estate and the decisions that it was judged by; None when it was kept before runs held them."""
        with self._store.mapped():
            row = self._db.execute(
                "SELECT i.digest, i.body FROM run r JOIN inputs i ON i.digest = r.inputs WHERE r.number = ?",
                (self._number,),
            ).fetchone()
        if row is None:
            return None
        try:
            return snapshot.from_plain(json.loads(inflated(*row) or b""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreError(
                f"the store {self._store.path}: the estate that audit {self.header.number} was judged by cannot be read (it is damaged, "
                "or of another version of auditor): give an estate with -i"
            ) from None

    def answers(self, seq: int) -> dict[Command, Answer]:
        """What the host at this place answered; as answers_of."""
        return answers_of(self._store, self._number, seq)

    def places(self) -> dict[str, int]:
        """The place of each host, by its id and by the one that it had first."""
        found: dict[str, int] = {}
        for seq, plain in self._docs("host"):
            found.setdefault(plain.get("was") or plain["host"], seq)
            found[plain["host"]] = seq
        return found

    def host_at(self, seq: int) -> HostKept:
        """The host at this place, which is there, with the digests of its answers."""
        with self._store.mapped():
            (doc,) = self._db.execute("SELECT doc FROM host WHERE run = ? AND seq = ?", (self._number, seq)).fetchone()
            answers = self._db.execute(
                "SELECT command, evidence, at, host_at FROM answer WHERE run = ? AND host = ? ORDER BY command",
                (self._number, seq),
            ).fetchall()
        return HostKept(seq, document.host_from_plain(json.loads(doc)), tuple(answers))

    def commands(self) -> Iterator[tuple[bytes, Command | None]]:
        """Every question that was asked, once, by its digest; None for one that is damaged."""
        query = "SELECT DISTINCT c.digest, c.doc FROM answer a JOIN command c ON c.digest = a.command WHERE a.run = ? ORDER BY 1"
        with self._store.mapped():
            for digest, doc in self._db.execute(query, (self._number,)):
                yield digest, read_command(digest, doc)

    def evidence(self) -> Iterator[tuple[bytes, Answer]]:
        """Every answer that was kept, once, by its digest and without its dates; a Failure for one that is damaged or gone."""
        query = (
            "SELECT DISTINCT a.evidence, e.body FROM answer a LEFT JOIN evidence e ON e.digest = a.evidence"
            " WHERE a.run = ? ORDER BY 1"
        )
        with self._store.mapped():
            for digest, body in self._db.execute(query, (self._number,)):
                yield digest, unpack(digest, body, 0.0, None)

    def lacks(self) -> int:
        """How many answers there are whose question or evidence is not."""
        with self._store.mapped():
            (count,) = self._db.execute(
                "SELECT count(*) FROM answer a LEFT JOIN command c ON c.digest = a.command"
                " LEFT JOIN evidence e ON e.digest = a.evidence"
                " WHERE a.run = ? AND (c.digest IS NULL OR e.digest IS NULL)",
                (self._number,),
            ).fetchone()
        return int(count)

    # ------------------------------------------------------------ while it is made

    def kept(self, probe: str, host: str) -> Facts | Unknown | None:
        """The facts that a host told in this run, by the question's key; None when none were kept."""
        row = self._db.execute(
            "SELECT doc FROM fact WHERE run = ? AND probe = ? AND host = ?", (self._number, probe, host)
        ).fetchone()
        return None if row is None else document.facts_from_plain(json.loads(row[0]))

    def own_names(self) -> dict[str, str]:
        """What each host that told it calls itself, by its id."""
        rows = self._db.execute(
            "SELECT id, json_extract(doc, '$.identity') FROM host"
            " WHERE run = ? AND json_extract(doc, '$.identity') != ''",
            (self.header.number,),
        )
        return {host: identity.rpartition(" ")[0] for host, identity in rows}

    def machines(self) -> dict[str, tuple[int, ...]]:
        """The places of the hosts that said what they are, by what they said: those of one are one and the same machine."""
        rows = self._db.execute(
            "SELECT json_extract(doc, '$.identity'), group_concat(seq) FROM host"
            " WHERE run = ? AND json_extract(doc, '$.identity') != '' GROUP BY 1",
            (self._number,),
        )
        return {identity: tuple(sorted(int(seq) for seq in places.split(","))) for identity, places in rows}

    def finished(self) -> frozenset[int]:
        """The places of the hosts that were kept."""
        rows = self._db.execute("SELECT seq FROM host WHERE run = ?", (self._number,))
        return frozenset(seq for (seq,) in rows)


def answers_of(store: Database, run: int, seq: int) -> dict[Command, Answer]:
    """What a host answered in a run, by its place there. What is damaged is a Failure, or left out: never an answer."""
    with store.mapped():
        rows = store.db.execute(
            "SELECT c.digest, c.doc, a.evidence, e.body, a.at, a.host_at FROM answer a"
            " JOIN command c ON c.digest = a.command LEFT JOIN evidence e ON e.digest = a.evidence"
            " WHERE a.run = ? AND a.host = ? ORDER BY a.command",
            (run, seq),
        ).fetchall()
        found = ((read_command(digest, doc), rest) for digest, doc, *rest in rows)
        return {command: unpack(*rest) for command, rest in found if command}
