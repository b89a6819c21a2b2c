"""Keeps runs and fetches them back: one SQLite file, one transaction a host.

Evidence is kept once by digest, compressed. A run that was killed keeps every host that had finished, in state `open`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from auditor import document, snapshot
from auditor import prune as pruning
from auditor.errors import StoreError
from auditor.evaluate import Judged
from auditor.freshness import machine_of
from auditor.kinds import RECORDS
from auditor.model import (
    CAUSES,
    ActionSeen,
    Answer,
    Command,
    Control,
    Coverage,
    Entity,
    Facts,
    Failure,
    Finding,
    Header,
    Host,
    HostSeen,
    IdleDecision,
    Measure,
    Output,
    Perimeter,
    Run,
    Sketch,
    ToDo,
    Unknown,
)
from auditor.prune import Old
from auditor.snapshot import Snapshot

BUSY_TIMEOUT_S = 10.0
MOST_KNOWN = 100_000  # digests remembered, so that what a fleet shares is compressed and written once

# The digest of the question what a host is, as stores of version 1 hold it.
_HELLO_1 = "78ec87330d9166821070db0e5070d72c71cd2fad989b1daf50260fd27dd1000e"
# Those of all earlier wordings of it; the first lines of the answers mean what they do today.
HELLOS_BEFORE = (bytes.fromhex(_HELLO_1),)

# One entry a version; PRAGMA user_version says how many were applied.
MIGRATIONS = (
    """
    CREATE TABLE run (
      number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, state TEXT NOT NULL,
      started_at REAL NOT NULL, header TEXT NOT NULL, catalogue TEXT NOT NULL) STRICT;
    CREATE TABLE evidence (digest BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE command (digest BLOB PRIMARY KEY, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE host (run INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL,
      PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE answer (run INTEGER NOT NULL, host INTEGER NOT NULL, command BLOB NOT NULL, evidence BLOB NOT NULL,
      at REAL NOT NULL, host_at REAL, PRIMARY KEY (run, host, command)) STRICT, WITHOUT ROWID;
    CREATE TABLE fact (run INTEGER NOT NULL, probe TEXT NOT NULL, host TEXT NOT NULL, doc TEXT NOT NULL,
      PRIMARY KEY (run, probe, host)) STRICT, WITHOUT ROWID;
    CREATE TABLE finding (run INTEGER NOT NULL, seq INTEGER NOT NULL, subject TEXT NOT NULL, control TEXT NOT NULL,
      outcome TEXT, severity TEXT NOT NULL, fingerprint TEXT NOT NULL, doc TEXT NOT NULL,
      PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE idle_decision (run INTEGER NOT NULL, seq INTEGER NOT NULL, doc TEXT NOT NULL,
      PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE coverage (run INTEGER NOT NULL, seq INTEGER NOT NULL, doc TEXT NOT NULL,
      PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
    """,
    # seen_at: when the host itself told what may be judged again later; lost: it was asked, and told nothing that counts.
    # The index is walked from the newest run down, and holds all that is asked of it.
    f"""
    ALTER TABLE host ADD COLUMN seen_at REAL;
    ALTER TABLE host ADD COLUMN machine TEXT NOT NULL DEFAULT '';
    ALTER TABLE host ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
    UPDATE host SET seen_at = json_extract(doc, '$.at')
      WHERE coalesce(json_extract(doc, '$.failure.cause'), 'other_platform') = 'other_platform';
    UPDATE host SET lost = 1 WHERE seen_at IS NULL
      AND json_extract(doc, '$.failure.cause') NOT IN ('interrupted', 'nothing_asked', 'not_connected');
    UPDATE host SET machine = coalesce((SELECT machine_of(e.digest, e.body) FROM answer a
      JOIN evidence e ON e.digest = a.evidence
      WHERE a.run = host.run AND a.host = host.seq AND a.command = x'{_HELLO_1}'), '') WHERE seen_at IS NOT NULL;
    CREATE INDEX host_seen ON host (id, run, seen_at, machine, lost);
    """,
    # estate: what tells hosts of one id apart (freshness.whose); empty where an older store does not say, and then no match.
    """
    ALTER TABLE host ADD COLUMN estate TEXT NOT NULL DEFAULT '';
    UPDATE host SET estate = said.estate FROM (
      SELECT f.run AS run, substr(f.subject, 6) AS id, json_array(json_extract(p.value, '$.id'),
        json_extract(p.value, '$.owner')) AS estate
      FROM finding f JOIN run r ON r.number = f.run, json_each(r.catalogue, '$.perimeters') p
      WHERE f.subject LIKE 'host:%' AND json_extract(p.value, '$.id') = json_extract(f.doc, '$.subject.perimeter')
        AND NOT (json_extract(p.value, '$.id') = 'estate' AND json_extract(p.value, '$.owner') = 'estate')
      GROUP BY 1, 2) AS said WHERE said.run = host.run AND said.id = host.id;
    DROP INDEX host_seen;
    CREATE INDEX host_seen ON host (id, estate, run, seen_at, machine, lost);
    """,
    # What runs before this version came to holds no action, and nothing to do: their decisions were of one kind.
    """
    CREATE TABLE action (run INTEGER NOT NULL, seq INTEGER NOT NULL, doc TEXT NOT NULL,
      PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE to_do (run INTEGER NOT NULL, seq INTEGER NOT NULL, doc TEXT NOT NULL,
      PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
    """,
    # inputs: the estate and the decisions that a run was judged by, compressed, once for runs that share them; NULL in
    # runs of before.
    """
    CREATE TABLE inputs (digest BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
    ALTER TABLE run ADD COLUMN inputs BLOB;
    """,
    # max_age_s: how old this evidence may be to be judged in place of an answer, as the estate said then (prune.py).
    """
    ALTER TABLE host ADD COLUMN max_age_s REAL;
    """,
    # Scripts that were printed to be run by hand, by the nonce that their answers bear.
    """
    CREATE TABLE script (nonce TEXT PRIMARY KEY, host TEXT NOT NULL, estate TEXT NOT NULL, at REAL NOT NULL,
      doc BLOB NOT NULL, run INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
    """,
)

PAGE = 500  # rows fetched at once: what is read may be written anew meanwhile


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a run was judged by, as its reports need it."""

    controls: Mapping[str, Control]
    measures: Mapping[str, Measure]
    perimeters: Mapping[str, Perimeter]
    entities: Mapping[str, Entity] = field(default_factory=dict)


@contextmanager
def _mapped(path: str) -> Iterator[None]:
    """SQLite's errors, in words that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        advice = {
            "database is locked": "another process holds it: wait for it to end, or give --store another path",
            "database or disk is full": "no space left: free some; every host that had finished is kept",
            "attempt to write a readonly database": "it cannot be written: check its owner and mode, or give --store",
            "unable to open database file": "it cannot be opened: check its folder, owner and mode, or give --store",
            "file is not a database": "it is no auditor store: give --store another path",
            "disk I/O error": "the disk does not take it: check space and mount; every host that had finished is kept",
        }
        raise StoreError(f"the store {path}: {advice.get(text, text)}") from None


def pack(answer: Answer) -> tuple[bytes, bytes]:
    """An answer's digest, and its bytes: without its dates, so that equal answers are kept once."""
    if isinstance(answer, Failure):
        head: dict[str, Any] = {"failure": answer.cause, "message": answer.message}
        body = json.dumps(head).encode()
    else:
        head = {"exit_code": answer.exit_code, "stdout": len(answer.stdout)}
        body = json.dumps(head).encode() + b"\n" + answer.stdout + answer.stderr
    return hashlib.sha256(body).digest(), body


def unpack(digest: bytes, body: bytes | None, at: float, host_at: float | None) -> Answer:
    """The answer that was packed; a Failure when what is kept is not what was kept."""
    damaged = Failure("unreadable", "the stored evidence is damaged", at)
    try:
        plain = zlib.decompress(body or b"")
    except zlib.error:
        return damaged
    if hashlib.sha256(plain).digest() != digest:
        return damaged
    line, _, rest = plain.partition(b"\n")
    head = json.loads(line)
    if "failure" in head:
        return Failure(head["failure"], head["message"], at) if head["failure"] in CAUSES else damaged
    return Output(head["exit_code"], rest[: head["stdout"]], rest[head["stdout"] :], at, host_at)


def _machine_of(digest: bytes, body: bytes) -> str:
    return machine_of(unpack(digest, body, 0.0, None)) or ""


def command_digest(command: Command) -> bytes:
    return hashlib.sha256(json.dumps(document.command_to_plain(command), sort_keys=True).encode()).digest()


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Presence:
    """How a host took part. `machine` is what it proved to be, "" when nothing proves it.

    `machine` None: this run holds nothing of the host itself that a later run may be judged on.
    `evidence_at`, `asked` and `medium` are those of HostSeen.
    """

    asked: bool = True
    evidence_at: float = 0.0
    machine: str | None = None
    medium: str = "live"


ASKED = Presence()


@dataclass(frozen=True, slots=True)
class HostKept:
    """A host as a run keeps it, by its place there; `answers`: digests of the command and of its evidence, and their dates."""

    seq: int
    seen: HostSeen
    answers: tuple[tuple[bytes, bytes, float, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a host told something, and where that is kept: the number of the run, and the host's place in it."""

    run: int
    seq: int
    at: float
    machine: str
    medium: str = "live"


@dataclass(frozen=True, slots=True)
class Printed:
    """A script that was printed to be run by hand: on which host, of which estate (freshness.whose), when, and what it asks.

    `run` is the number of the run that judged its answer, 0 while none did.
    """

    nonce: str
    host: str
    estate: str
    at: float
    platform: str
    become: bool
    commands: tuple[Command, ...]
    run: int = 0


# What a run is made of, part by part; each place stands in the order of the parts of its kind.
Kept = Finding | HostKept | Command | Output | Failure | IdleDecision | Coverage | ActionSeen | ToDo


class Store:
    """`path` "" is a private store in a temporary file that nothing survives."""

    def __init__(self, path: str, create: bool = True) -> None:
        self.path = path
        if path:
            _prepare(Path(path), create)
        self._known: set[bytes] = set()
        with _mapped(path or "(temporary)"):
            self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self._db.execute(
                "PRAGMA auto_vacuum=INCREMENTAL"
            )  # of a new file: pages that become free can be given back
            if path:
                self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.create_function("machine_of", 2, _machine_of, deterministic=True)
            self._migrate()

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StoreError(f"the store {self.path} was written by a newer auditor: use that one")
        if version == len(MIGRATIONS):
            return
        with self._writing():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()  # another process may have been first
            if not version and self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise StoreError(f"the store {self.path} is another program's database: give --store another path")
            for number in range(version, len(MIGRATIONS)):
                for statement in MIGRATIONS[number].split(";\n"):
                    if statement.strip():
                        self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={number + 1}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of it, or nothing."""
        with _mapped(self.path or "(temporary)"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()

    # ------------------------------------------------------------ keeping

    def begin(self, header: Header, catalogue: Catalogue, inputs: Snapshot | None = None) -> StoredRun:
        plain = {
            "controls": [document.control_to_plain(c) for c in catalogue.controls.values()],
            "measures": [document.measure_to_plain(m) for m in catalogue.measures.values()],
            "perimeters": [document.perimeter_to_plain(p) for p in catalogue.perimeters.values()],
            "entities": [document.entity_to_plain(e) for e in catalogue.entities.values()],
        }
        told = _dump(snapshot.to_plain(inputs)).encode() if inputs else b""
        digest = hashlib.sha256(told).digest() if told else None
        with self._writing():
            if told:
                self._db.execute("INSERT OR IGNORE INTO inputs VALUES (?, ?)", (digest, zlib.compress(told)))
            cursor = self._db.execute(
                "INSERT INTO run (id, state, started_at, header, catalogue, inputs) VALUES ('', 'open', ?, ?, ?, ?)",
                (header.started_at, "", _dump(plain), digest),
            )
            assert cursor.lastrowid is not None
            header = replace(header, number=cursor.lastrowid, state="open")
            self._db.execute("UPDATE run SET header = ? WHERE number = ?", (_dump(asdict(header)), header.number))
        return StoredRun(self._db, header, catalogue, self.path)

    def keep(
        self,
        run: StoredRun,
        seq: int,
        host: Host,
        packed: Mapping[Command, Packed],
        judged: Judged,
        facts: Iterable[str],
        presence: Presence = ASKED,
        estate: str = "",
    ) -> None:
        """One host, whole: how it took part, its answers, its findings, and its facts of the probes named.

        `estate` is what freshness.whose says; a later run of another one finds nothing of this.

        Of a replay, a later run takes nothing: what it holds is another run's evidence.

        Kept again without answers, the answers that are there stay, and all that was judged of them is replaced.
        """
        number = run.header.number
        seen = HostSeen(
            host.id,
            judged.failure,
            len(judged.findings),
            judged.measured,
            judged.at,
            judged.identity,
            presence.evidence_at,
            presence.asked,
            host.was,
            judged.collector,
            tuple(dict.fromkeys(name for name in (host.address, *host.aliases) if name and name != host.id)),
            presence.medium,
        )
        seen_at = None if presence.machine is None or run.header.replay else judged.at
        lost = _lost(judged, presence) and not run.header.replay
        with self._writing():
            db = self._db
            db.execute(
                "INSERT OR REPLACE INTO host (run, seq, id, doc, seen_at, machine, lost, estate, max_age_s)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, seq, host.id, _dump(document.host_to_plain(seen)), seen_at, presence.machine or "",
                 lost, estate, host.evidence_max_age_s),
            )  # fmt: skip
            db.executemany(
                "INSERT OR IGNORE INTO evidence VALUES (?, ?)",
                ((p.digest, zlib.compress(p.body, 1)) for p in packed.values() if p.digest not in self._known),
            )
            db.executemany(
                "INSERT OR IGNORE INTO command VALUES (?, ?)",
                (
                    (p.command, _dump(document.command_to_plain(c)))
                    for c, p in packed.items()
                    if p.command not in self._known
                ),
            )
            db.executemany(
                "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?)",
                ((number, seq, p.command, p.digest, p.at, p.host_at) for p in packed.values()),
            )
            db.executemany(
                "INSERT OR REPLACE INTO fact VALUES (?, ?, ?, ?)",
                (
                    (number, probe, host.id, _dump(document.facts_to_plain(judged.facts[probe])))
                    for probe in facts
                    if probe in judged.facts
                ),
            )
            self._findings(number, judged.findings)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known.update(digest for p in packed.values() for digest in (p.digest, p.command))

    def _findings(self, number: int, findings: Iterable[Finding]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (number, f.seq, f.subject.key, f.control, f.outcome, f.severity, f.fingerprint,
                 _dump(document.kept_to_plain(f)))
                for f in findings
            ),
        )  # fmt: skip

    def keep_findings(self, run: StoredRun, findings: Iterable[Finding]) -> None:
        """Findings of the second phase, and findings that a decision now stands beside."""
        with self._writing():
            self._findings(run.header.number, findings)

    def keep_attested(self, run: StoredRun, hosts: Iterable[str]) -> None:
        """That somebody's word in force names these hosts."""
        rows = [(run.header.number, host) for host in hosts]
        with self._writing():
            self._db.executemany(
                "UPDATE host SET doc = json_set(doc, '$.attested', json('true')) WHERE run = ? AND id = ?", rows
            )

    def keep_decided(self, run: StoredRun, actions: Iterable[ActionSeen], to_do: Iterable[ToDo]) -> None:
        """The actions and where they stand, and what entities have to do."""
        kept = (
            ("action", map(document.action_to_plain, actions)),
            ("to_do", map(document.to_do_to_plain, to_do)),
        )
        with self._writing():
            for table, plains in kept:
                rows = ((run.header.number, i, _dump(plain)) for i, plain in enumerate(plains))
                self._db.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)

    def finish(
        self, run: StoredRun, state: str, finished_at: float, idle: Iterable[IdleDecision], coverage: Iterable[Coverage]
    ) -> StoredRun:
        """Closes a run: its id is a digest of its inputs and of all its evidence, in plan order."""
        number = run.header.number
        with self._writing():
            self._db.executemany(
                "INSERT INTO idle_decision VALUES (?, ?, ?)",
                ((number, i, _dump(document.idle_to_plain(d))) for i, d in enumerate(idle)),
            )
            self._db.executemany(
                "INSERT INTO coverage VALUES (?, ?, ?)",
                ((number, i, _dump(document.coverage_to_plain(c))) for i, c in enumerate(coverage)),
            )
            header = replace(run.header, id=self._identity(run.header), state=state, finished_at=finished_at)
            self._db.execute(
                "UPDATE run SET id = ?, state = ?, header = ? WHERE number = ?",
                (header.id, state, _dump(asdict(header)), number),
            )
        return StoredRun(self._db, header, run.catalogue, self.path)

    def _identity(self, header: Header) -> str:
        inputs = [sorted(header.digests.items()), header.as_of, header.version, header.limit, header.policies]
        digest = hashlib.sha256(_dump(inputs).encode())
        rows = self._db.execute(
            "SELECT host, command, evidence FROM answer WHERE run = ? ORDER BY host, command", (header.number,)
        )
        for host, command, evidence in rows:
            digest.update(b"%d" % host + command + evidence)
        return digest.hexdigest()[:16]

    def restore(
        self, header: Header, catalogue: Catalogue, parts: Iterable[Kept], inputs: Snapshot | None = None
    ) -> StoredRun:
        """A run that was kept elsewhere, whole, part by part; the header stays as it was. ValueError: two have one place."""
        number = self.begin(header, catalogue, inputs).header.number
        places: Counter[type] = Counter()
        with self._writing():
            for part in parts:
                try:
                    self._restore(number, places[type(part)], part)
                except sqlite3.IntegrityError:
                    raise ValueError(f"two of one place: {type(part).__name__}") from None
                places[type(part)] += 1
        return StoredRun(self._db, header, catalogue, self.path, number)

    def _restore(self, number: int, place: int, part: Kept) -> None:
        match part:
            case Finding():
                self._findings(number, (part,))
            case HostKept():
                self._host(number, part)
            case Command():
                row = command_digest(part), _dump(document.command_to_plain(part))
                self._db.execute("INSERT OR IGNORE INTO command VALUES (?, ?)", row)
            case Output() | Failure():
                digest, body = pack(part)
                self._db.execute("INSERT OR IGNORE INTO evidence VALUES (?, ?)", (digest, zlib.compress(body, 1)))
            case _:
                table, plain = _table(part)
                self._db.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (number, place, _dump(plain)))

    def _host(self, number: int, host: HostKept) -> None:
        self._db.execute(
            "INSERT INTO host (run, seq, id, doc) VALUES (?, ?, ?, ?)",
            (number, host.seq, host.seen.host, _dump(document.host_to_plain(host.seen))),
        )
        answers = ((number, host.seq, *answer) for answer in host.answers)
        self._db.executemany("INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?)", answers)

    # ------------------------------------------------------------ evidence of earlier runs

    def last_sighting(self, host: str, estate: str, but: int, until: float, proved: bool = False) -> Sighting | None:
        """The newest run but one in which the host of that estate told something; `proved`: and showed which machine it is."""
        with _mapped(self.path):
            row = self._db.execute(
                "SELECT run, seq, seen_at, machine, coalesce(json_extract(doc, '$.medium'), 'live') FROM host"
                " WHERE id = ? AND estate = ? AND run != ? AND seen_at <= ? AND (machine != '' OR NOT ?) ORDER BY run DESC LIMIT 1",
                (host, estate, but, until, proved),
            ).fetchone()
        return row and Sighting(*row)

    def lost_since(self, host: str, estate: str, run: int) -> bool:
        """Whether a later run asked the host and got nothing that counts."""
        query = "SELECT max(lost) FROM host WHERE id = ? AND estate = ? AND run > ?"
        with _mapped(self.path):
            row = self._db.execute(query, (host, estate, run)).fetchone()
        return bool(row[0])

    def answers_of(self, run: int, seq: int) -> dict[Command, Answer]:
        """What a host answered in a run, by its place there. What is damaged is a Failure, or left out: never an answer."""
        with _mapped(self.path):
            return _answers(self._db, run, seq)

    # ------------------------------------------------------------ forgetting

    def old(self, before: float, now: float) -> list[Old]:
        """The runs that `prune` would remove: those that began before a moment, but for those that stay."""
        with _mapped(self.path):
            return pruning.old(self._db, before, now)

    def prune(self, gone: list[Old], now: float) -> int:
        """Removes runs and what only they referred to; how many bytes the file became smaller. No audit may be kept meanwhile."""
        with _mapped(self.path):
            self._known.clear()
            return pruning.prune(self._db, self._writing, gone, now)

    # ------------------------------------------------------------ scripts that are run by hand

    def keep_printed(self, one: Printed) -> None:
        plain = {"platform": one.platform, "become": one.become}
        doc = {**plain, "commands": [document.command_to_plain(c) for c in one.commands]}
        row = (one.nonce, one.host, one.estate, one.at, zlib.compress(_dump(doc).encode()))
        with self._writing():
            self._db.execute("INSERT INTO script (nonce, host, estate, at, doc) VALUES (?, ?, ?, ?, ?)", row)

    def printed(self, nonce: str) -> Printed | None:
        with _mapped(self.path):
            row = self._db.execute("SELECT host, estate, at, doc, run FROM script WHERE nonce = ?", (nonce,)).fetchone()
        if row is None:
            return None
        host, estate, at, body, run = row
        doc = json.loads(zlib.decompress(body))
        commands = tuple(document.command_from_plain(c) for c in doc["commands"])
        return Printed(nonce, host, estate, at, doc["platform"], doc["become"], commands, run)

    def answered(self, nonce: str, run: int) -> None:
        """The script's answer was judged, in this run: no second one counts."""
        with self._writing():
            self._db.execute("UPDATE script SET run = ? WHERE nonce = ?", (run, nonce))

    # ------------------------------------------------------------ fetching

    def before(self, header: Header) -> StoredRun | None:
        """The newest complete audit before one, no replay, of the same estate, `--limit` and policies; None when there is none."""
        with _mapped(self.path):
            row = self._db.execute(
                "SELECT number FROM run WHERE state = 'complete' AND number < ? AND json_extract(header, '$.estate') = ?"
                " AND json_extract(header, '$.replay') IS NULL AND coalesce(json_extract(header, '$.limit'), '') = ?"
                " AND coalesce(json_extract(header, '$.policies'), '[]') = json(?) ORDER BY number DESC LIMIT 1",
                (header.number, header.estate, header.limit, _dump(header.policies)),
            ).fetchone()
        return self.run(str(row[0])) if row else None

    def runs(self) -> Iterator[Header]:
        """Every run, the newest first."""
        with _mapped(self.path):
            for (header,) in self._db.execute("SELECT header FROM run ORDER BY number DESC"):
                yield _header(header)

    def run(self, name: str) -> StoredRun:
        """By number, by the beginning of its id, or `latest`: the latest complete one, of a whole estate if there is one.

        `latest~1` is the one before it, of those. A replay is none of them; by an id that it shares, the audit is meant.
        """
        back = re.fullmatch(r"latest(?:~([0-9]{1,6}))?", name)
        value: tuple[int | str, ...] = ()
        with _mapped(self.path):
            if back:
                where = "state = 'complete' AND json_extract(header, '$.replay') IS NULL"
            elif name.isdecimal() and len(name) < 10:
                where, value = "number = ?", (int(name),)
            else:
                where, value = "id != '' AND substr(id, 1, ?) = ?", (len(name), name)
            row = self._db.execute(
                f"SELECT header, catalogue FROM run WHERE {where}"
                " ORDER BY json_extract(header, '$.replay') IS NOT NULL, json_extract(header, '$.limit') != '', number DESC"
                " LIMIT 1 OFFSET ?",
                (*value, int(back[1] or 0) if back else 0),
            ).fetchone()
        if row is None:
            raise StoreError(f"the store {self.path} holds no run '{name}' (auditor list runs)")
        plain = json.loads(row[1])
        catalogue = Catalogue(
            {c["id"]: document.control_from_plain(c) for c in plain["controls"]},
            {m["id"]: document.measure_from_plain(m) for m in plain["measures"]},
            {p["id"]: document.perimeter_from_plain(p) for p in plain["perimeters"]},
            {e["id"]: document.entity_from_plain(e) for e in plain.get("entities", ())},
        )
        return StoredRun(self._db, _header(row[0]), catalogue, self.path)


def _header(text: str) -> Header:
    return document.header_from_plain(json.loads(text))


def _lost(judged: Judged, presence: Presence) -> bool:
    """It was asked, and told nothing that counts; that it was away says only that there is nothing new."""
    if not presence.asked or presence.evidence_at or presence.machine is not None or judged.failure is None:
        return False
    return judged.failure.cause not in ("last_seen", "interrupted")


def _table(part: IdleDecision | Coverage | ActionSeen | ToDo) -> tuple[str, document.Plain]:
    """Where a part of a run stands that is only a document, and that."""
    match part:
        case IdleDecision():
            return "idle_decision", document.idle_to_plain(part)
        case Coverage():
            return "coverage", document.coverage_to_plain(part)
        case ActionSeen():
            return "action", document.action_to_plain(part)
        case ToDo():
            return "to_do", document.to_do_to_plain(part)


def _answers(db: sqlite3.Connection, run: int, seq: int) -> dict[Command, Answer]:
    rows = db.execute(
        "SELECT c.digest, c.doc, a.evidence, e.body, a.at, a.host_at FROM answer a"
        " JOIN command c ON c.digest = a.command LEFT JOIN evidence e ON e.digest = a.evidence"
        " WHERE a.run = ? AND a.host = ? ORDER BY a.command",
        (run, seq),
    ).fetchall()
    found = ((digest, _command(doc), rest) for digest, doc, *rest in rows)
    return {c: unpack(*rest) for digest, c, rest in found if c and command_digest(c) == digest}


def _command(doc: str) -> Command | None:
    try:
        return document.command_from_plain(json.loads(doc))
    except (ValueError, TypeError, KeyError):
        return None


@dataclass(frozen=True, slots=True)
class Packed:
    """An answer as the store keeps it; made where the answer came, so that the store only writes."""

    command: bytes
    digest: bytes
    body: bytes
    at: float
    host_at: float | None


def packed(answers: Mapping[Command, Answer], digest_of: Callable[[Command], bytes]) -> dict[Command, Packed]:
    return {c: Packed(digest_of(c), *pack(a), a.at, getattr(a, "host_at", None)) for c, a in answers.items()}


def _prepare(path: Path, create: bool) -> None:
    """The folder and an empty file that only we may read; SQLite's own side files take the same mode."""
    try:
        if not create and not path.is_file():
            raise StoreError(f"there is no store at {path}: run an audit first, or give --store")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        elif path.is_file() and path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o077:
            path.chmod(0o600)  # somebody loosened it, or copied it here
    except OSError as error:
        raise StoreError(f"the store {path} cannot be made: {error.strerror}; give --store another path") from None


class StoredRun(Run):
    """A run as reports read it, straight from the store."""

    def __init__(
        self, db: sqlite3.Connection, header: Header, catalogue: Catalogue, path: str = "", number: int = 0
    ) -> None:
        self._db = db
        self._number = number or header.number  # of a borrowed run, the header keeps the number that it had
        self.path = path or "(temporary)"
        self.header = header
        self.catalogue = catalogue
        self.controls = catalogue.controls
        self.measures = catalogue.measures
        self.perimeters = catalogue.perimeters
        self.entities = catalogue.entities

    def _docs(self, table: str) -> Iterator[tuple[int, Any]]:
        """Page by page: a run that is being reconciled is written to while it is read."""
        query = f"SELECT seq, doc FROM {table} WHERE run = ? AND seq > ? ORDER BY seq LIMIT {PAGE}"
        last = -1
        while True:
            with _mapped(self.path):
                rows = self._db.execute(query, (self._number, last)).fetchall()
            for seq, doc in rows:
                yield seq, json.loads(doc)
            if len(rows) < PAGE:
                return
            last = rows[-1][0]

    def findings(self) -> Iterator[Finding]:
        return (document.finding_from_plain(seq, plain) for seq, plain in self._docs("finding"))

    def sketches(self) -> Iterator[Sketch]:
        query = "SELECT seq, fingerprint, outcome, doc FROM finding WHERE run = ? ORDER BY fingerprint, seq"
        with _mapped(self.path):
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
        with _mapped(self.path):
            row = self._db.execute(
                "SELECT i.digest, i.body FROM run r JOIN inputs i ON i.digest = r.inputs WHERE r.number = ?",
                (self._number,),
            ).fetchone()
        if row is None:
            return None
        try:
            told = zlib.decompress(row[1])
            if hashlib.sha256(told).digest() != row[0]:
                raise ValueError("another digest")
            return snapshot.from_plain(json.loads(told))
        except (zlib.error, ValueError, KeyError, TypeError, AttributeError):
            raise StoreError(
                f"the store {self.path}: the estate that audit {self.header.number} was judged by cannot be read (it is damaged, "
                "or of another version of auditor): give an estate with -i"
            ) from None

    def answers(self, seq: int) -> dict[Command, Answer]:
        """What the host at this place answered; as Store.answers_of."""
        with _mapped(self.path):
            return _answers(self._db, self._number, seq)

    def places(self) -> dict[str, int]:
        """The place of each host, by its id and by the one that it had first."""
        found: dict[str, int] = {}
        for seq, plain in self._docs("host"):
            found.setdefault(plain.get("was") or plain["host"], seq)
            found[plain["host"]] = seq
        return found

    def host_at(self, seq: int) -> HostKept:
        """The host at this place, which is there, with the digests of its answers."""
        with _mapped(self.path):
            (doc,) = self._db.execute("SELECT doc FROM host WHERE run = ? AND seq = ?", (self._number, seq)).fetchone()
            answers = self._db.execute(
                "SELECT command, evidence, at, host_at FROM answer WHERE run = ? AND host = ? ORDER BY command",
                (self._number, seq),
            ).fetchall()
        return HostKept(seq, document.host_from_plain(json.loads(doc)), tuple(answers))

    def commands(self) -> Iterator[tuple[bytes, Command | None]]:
        """Every question that was asked, once, by its digest; None for one that is damaged."""
        query = "SELECT DISTINCT c.digest, c.doc FROM answer a JOIN command c ON c.digest = a.command WHERE a.run = ? ORDER BY 1"
        with _mapped(self.path):
            for digest, doc in self._db.execute(query, (self._number,)):
                command = _command(doc)
                yield digest, command if command and command_digest(command) == digest else None

    def evidence(self) -> Iterator[tuple[bytes, Answer]]:
        """Every answer that was kept, once, by its digest and without its dates; a Failure for one that is damaged or gone."""
        query = (
            "SELECT DISTINCT a.evidence, e.body FROM answer a LEFT JOIN evidence e ON e.digest = a.evidence"
            " WHERE a.run = ? ORDER BY 1"
        )
        with _mapped(self.path):
            for digest, body in self._db.execute(query, (self._number,)):
                yield digest, unpack(digest, body, 0.0, None)

    def lacks(self) -> int:
        """How many answers there are whose question or evidence is not."""
        with _mapped(self.path):
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

    def same_machine(self) -> list[tuple[int, ...]]:
        """The places of hosts that said they are one and the same machine."""
        rows = self._db.execute(
            "SELECT group_concat(seq) FROM host WHERE run = ? AND json_extract(doc, '$.identity') != ''"
            " GROUP BY json_extract(doc, '$.identity') HAVING count(*) > 1",
            (self._number,),
        )
        return [tuple(sorted(int(seq) for seq in row[0].split(","))) for row in rows]

    def finished(self) -> frozenset[int]:
        """The places of the hosts that were kept."""
        rows = self._db.execute("SELECT seq FROM host WHERE run = ?", (self._number,))
        return frozenset(seq for (seq,) in rows)
