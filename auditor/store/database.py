"""A path in; its SQLite database, open and ours alone, out: one transaction at a time, and errors that say what to do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.errors import StoreError

BUSY_TIMEOUT_S = 10.0

ADVICE = {
    "database is locked": "another process holds it: wait for it to end, or give --store another path",
    "database or disk is full": "no space left: free some; every host that had finished is kept",
    "attempt to write a readonly database": "it cannot be written: check its owner and mode, or give --store",
    "unable to open database file": "it cannot be opened: check its folder, owner and mode, or give --store",
    "file is not a database": "it is no auditor store: give --store another path",
    "disk I/O error": "the disk does not take it: check space and mount; every host that had finished is kept",
}


class Database:
    """`path` "" is a private one in a temporary file that nothing survives."""

    def __init__(self, path: str, create: bool = True) -> None:
        self.path = path or "(temporary)"
        if path:
            _prepare(Path(path), create)
        with self.mapped():
            self.db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            # of a new file: pages that become free can be given back
            self.db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            if path:
                self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=NORMAL")

    @contextmanager
    def mapped(self) -> Iterator[None]:
        """SQLite's errors, in words that say what to do."""
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            raise StoreError(f"the store {self.path}: {ADVICE.get(text, text)}") from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it, or nothing."""
        with self.mapped():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def close(self) -> None:
        self.db.close()


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
