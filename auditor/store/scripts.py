"""Scripts that were printed to be run by hand: kept by the nonce that their answers bear, and fetched back by it."""

from __future__ import annotations

import json
import zlib

from auditor import document
from auditor.store.database import Database
from auditor.store.packing import dump
from auditor.store.parts import Printed


class Scripts(Database):
    """The part of a store that knows which scripts were printed."""

    def keep_printed(self, one: Printed) -> None:
        plain = {"platform": one.platform, "become": one.become}
        doc = {**plain, "commands": [document.command_to_plain(c) for c in one.commands]}
        row = (one.nonce, one.host, one.estate, one.at, zlib.compress(dump(doc).encode()))
        with self.writing():
            self.db.execute("INSERT INTO script (nonce, host, estate, at, doc) VALUES (?, ?, ?, ?, ?)", row)

    def printed(self, nonce: str) -> Printed | None:
        with self.mapped():
            row = self.db.execute("SELECT host, estate, at, doc, run FROM script WHERE nonce = ?", (nonce,)).fetchone()
        if row is None:
            return None
        host, estate, at, body, run = row
        doc = json.loads(zlib.decompress(body))
        commands = tuple(document.command_from_plain(c) for c in doc["commands"])
        return Printed(nonce, host, estate, at, doc["platform"], doc["become"], commands, run)

    def answered(self, nonce: str, run: int) -> None:
        """The script's answer was judged, in this run: no second one counts."""
        with self.writing():
            self.db.execute("UPDATE script SET run = ? WHERE nonce = ?", (run, nonce))
