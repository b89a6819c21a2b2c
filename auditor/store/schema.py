"""The tables of a store, version by version: a database in; the same one, as this version wants it, out."""

from __future__ import annotations

from auditor.errors import StoreError
from auditor.store.database import Database

# The digest of the question what a host is, as stores of version 1 hold it.
HELLO_1 = "78ec87330d9166821070db0e5070d72c71cd2fad989b1daf50260fd27dd1000e"
# Those of all earlier wordings of it; the first lines of the answers mean what they do today.
HELLOS_BEFORE = (bytes.fromhex(HELLO_1),)

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
      WHERE a.run = host.run AND a.host = host.seq AND a.command = x'{HELLO_1}'), '') WHERE seen_at IS NOT NULL;
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


def migrate(store: Database) -> None:
    """Raises StoreError when another program wrote it, or a newer auditor."""
    (version,) = store.db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StoreError(f"the store {store.path} was written by a newer auditor: use that one")
    if version == len(MIGRATIONS):
        return
    with store.writing():
        (version,) = store.db.execute("PRAGMA user_version").fetchone()  # another process may have been first
        if not version and store.db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise StoreError(f"the store {store.path} is another program's database: give --store another path")
        for number in range(version, len(MIGRATIONS)):
            for statement in MIGRATIONS[number].split(";\n"):
                if statement.strip():
                    store.db.execute(statement)
            store.db.execute(f"PRAGMA user_version={number + 1}")
