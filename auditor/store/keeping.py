"""What a run is made of in; the store's rows of it out, a transaction a host, whole or not at all."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

from auditor import document, snapshot
from auditor.evaluate import Judged
from auditor.model import (
    ActionSeen,
    Command,
    Coverage,
    Failure,
    Finding,
    Header,
    Host,
    HostSeen,
    IdleDecision,
    Output,
    ToDo,
)
from auditor.snapshot import Snapshot
from auditor.store import texts
from auditor.store.database import Database
from auditor.store.packing import Packed, command_digest, dump, dump_command, pack
from auditor.store.parts import ASKED, Catalogue, HostKept, Kept, Noted, Presence
from auditor.store.run import StoredRun

MOST_KNOWN = 100_000  # digests remembered, so that what a fleet shares is compressed and written once

EVIDENCE = "INSERT OR IGNORE INTO evidence VALUES (?, ?)"
COMMAND = "INSERT OR IGNORE INTO command VALUES (?, ?)"
ANSWER = "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?)"


class Keeping(Database):
    """The half of a store that writes runs."""

    def __init__(self, path: str, create: bool = True) -> None:
        super().__init__(path, create)
        self._known: set[bytes] = set()

    def begin(self, header: Header, catalogue: Catalogue, inputs: Snapshot | None = None) -> StoredRun:
        told = dump(snapshot.to_plain(inputs)).encode() if inputs else b""
        digest = hashlib.sha256(told).digest() if told else None
        with self.writing():
            if told:
                self.db.execute("INSERT OR IGNORE INTO inputs VALUES (?, ?)", (digest, zlib.compress(told)))
            cursor = self.db.execute(
                "INSERT INTO run (id, state, started_at, header, catalogue, inputs) VALUES ('', 'open', ?, ?, ?, ?)",
                (header.started_at, "", dump(catalogue.plain()), digest),
            )
            assert cursor.lastrowid is not None
            header = replace(header, number=cursor.lastrowid, state="open")
            self.db.execute("UPDATE run SET header = ? WHERE number = ?", (dump(asdict(header)), header.number))
        return StoredRun(self, header, catalogue)

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
        replayed = run.header.replay is not None
        seen_at = None if presence.machine is None or replayed else judged.at
        lost = _lost(judged, presence) and not replayed
        seen = dump(document.host_to_plain(_seen(host, judged, presence)))
        told = ((probe, judged.facts[probe]) for probe in facts if probe in judged.facts)
        with self.writing():
            self.db.execute(
                "INSERT OR REPLACE INTO host (run, seq, id, doc, seen_at, machine, lost, estate, max_age_s)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, seq, host.id, seen, seen_at, presence.machine or "", lost, estate, host.evidence_max_age_s),
            )
            self._answers(number, seq, packed)
            self.db.executemany(
                "INSERT OR REPLACE INTO fact VALUES (?, ?, ?, ?)",
                ((number, probe, host.id, dump(document.facts_to_plain(fact))) for probe, fact in told),
            )
            self._findings(number, judged.findings)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known.update(digest for p in packed.values() for digest in (p.digest, p.command))

    def _answers(self, number: int, seq: int, packed: Mapping[Command, Packed]) -> None:
        known, every = self._known, packed.items()
        self.db.executemany(EVIDENCE, ((p.digest, zlib.compress(p.body, 1)) for _, p in every if p.digest not in known))
        self.db.executemany(COMMAND, ((p.command, dump_command(c)) for c, p in every if p.command not in known))
        self.db.executemany(ANSWER, ((number, seq, p.command, p.digest, p.at, p.host_at) for _, p in every))

    def _findings(self, number: int, findings: Iterable[Finding]) -> None:
        self.db.executemany(
            "INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (number, f.seq, f.subject.key, f.control, f.outcome, f.severity, f.fingerprint,
                 texts.written(f))
                for f in findings
            ),
        )  # fmt: skip

    def keep_findings(self, run: StoredRun, findings: Iterable[Finding]) -> None:
        """Findings of the second phase, and findings that a decision now stands beside."""
        with self.writing():
            self._findings(run.header.number, findings)

    def keep_attested(self, run: StoredRun, hosts: Iterable[str]) -> None:
        """That somebody's word in force names these hosts."""
        rows = [(run.header.number, host) for host in hosts]
        with self.writing():
            self.db.executemany(
                "UPDATE host SET doc = json_set(doc, '$.attested', json('true')) WHERE run = ? AND id = ?", rows
            )

    def keep_decided(self, run: StoredRun, actions: Iterable[ActionSeen], to_do: Iterable[ToDo]) -> None:
        """The actions and where they stand, and what entities have to do."""
        with self.writing():
            self._note(run.header.number, actions)
            self._note(run.header.number, to_do)

    def _note(self, number: int, parts: Iterable[Noted], first: int = 0) -> None:
        """Parts of one kind, at their places from the first on."""
        for place, part in enumerate(parts, first):
            table, plain = _table(part)
            self.db.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (number, place, dump(plain)))

    def finish(
        self, run: StoredRun, state: str, finished_at: float, idle: Iterable[IdleDecision], coverage: Iterable[Coverage]
    ) -> StoredRun:
        """Closes a run: its id is a digest of its inputs and of all its evidence, in plan order."""
        number = run.header.number
        with self.writing():
            self._note(number, idle)
            self._note(number, coverage)
            header = replace(run.header, id=self._identity(run.header), state=state, finished_at=finished_at)
            self.db.execute(
                "UPDATE run SET id = ?, state = ?, header = ? WHERE number = ?",
                (header.id, state, dump(asdict(header)), number),
            )
        return StoredRun(self, header, run.catalogue)

    def _identity(self, header: Header) -> str:
        inputs = [sorted(header.digests.items()), header.as_of, header.version, header.limit, header.policies]
        digest = hashlib.sha256(dump(inputs).encode())
        rows = self.db.execute(
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
        with self.writing():
            for part in parts:
                try:
                    self._restore(number, places[type(part)], part)
                except sqlite3.IntegrityError:
                    raise ValueError(f"two of one place: {type(part).__name__}") from None
                places[type(part)] += 1
        return StoredRun(self, header, catalogue, number)

    def _restore(self, number: int, place: int, part: Kept) -> None:
        match part:
            case Finding():
                self._findings(number, (part,))
            case HostKept():
                self._host(number, part)
            case Command():
                self.db.execute(COMMAND, (command_digest(part), dump_command(part)))
            case Output() | Failure():
                digest, body = pack(part)
                self.db.execute(EVIDENCE, (digest, zlib.compress(body, 1)))
            case _:
                self._note(number, (part,), place)

    def _host(self, number: int, host: HostKept) -> None:
        self.db.execute(
            "INSERT INTO host (run, seq, id, doc) VALUES (?, ?, ?, ?)",
            (number, host.seq, host.seen.host, dump(document.host_to_plain(host.seen))),
        )
        self.db.executemany(ANSWER, ((number, host.seq, *answer) for answer in host.answers))


def _seen(host: Host, judged: Judged, presence: Presence) -> HostSeen:
    return HostSeen(
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


def _lost(judged: Judged, presence: Presence) -> bool:
    """It was asked, and told nothing that counts; that it was away says only that there is nothing new."""
    if not presence.asked or presence.evidence_at or presence.machine is not None or judged.failure is None:
        return False
    return judged.failure.cause not in ("last_seen", "interrupted")


def _table(part: Noted) -> tuple[str, document.Plain]:
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
