"""Keeps runs and fetches them back: one SQLite file, one transaction a host.

Evidence is kept once by digest, compressed. A run that was killed keeps every host that had finished, in state `open`.
"""

from auditor.store.fetching import Store
from auditor.store.packing import Packed, command_digest, pack, packed
from auditor.store.parts import ASKED, Catalogue, HostKept, Kept, Presence, Printed, Sighting
from auditor.store.run import StoredRun
from auditor.store.schema import HELLOS_BEFORE

__all__ = [
    "ASKED",
    "HELLOS_BEFORE",
    "Catalogue",
    "HostKept",
    "Kept",
    "Packed",
    "Presence",
    "Printed",
    "Sighting",
    "Store",
    "StoredRun",
    "command_digest",
    "pack",
    "packed",
]
