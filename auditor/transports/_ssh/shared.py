"""What all hosts of a run share, and a place for another host while one waits for its connection."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from auditor.kinds import Settings
from auditor.transports._deadlines import Deadlines
from auditor.transports._endpoint import Route, Routes
from auditor.transports._keys import Keys
from auditor.transports._ssh.bastion import Bastion
from auditor.transports._ssh.left import Left

MOMENT_S = 0.3  # most hosts accept a connection sooner; what takes longer holds up no other host


@dataclass(frozen=True, slots=True)
class Run:
    """What all hosts of a run share."""

    settings: Settings
    routes: Routes
    keys: Keys
    secrets: Any
    trials: Any
    deadlines: Deadlines
    bastions: dict[Route, Bastion] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def connecting(run: Run, left: Left, moment_s: float = MOMENT_S) -> Iterator[None]:
    """While we wait for a connection another host may be asked; until it is our turn again the deadline waits."""
    there: float | None = None
    try:
        with run.settings.connecting(moment_s):
            try:
                yield
            finally:
                there = run.settings.clock()
    finally:
        if there is not None:
            left.later(run.settings.clock() - there)
