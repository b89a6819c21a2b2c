"""Connections and when their time is up in; each is hung up then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

WATCH_S = 0.1  # how late a deadline may be noticed


class Ends(Protocol):
    """A connection that can be hung up from any thread, which wakes whoever waits for it."""

    def hang_up(self) -> None: ...


class Deadlines:
    """Hangs up the connections whose time is up: some waits of the libraries have no limit of their own.

    `end` is asked each time: a deadline may be put off. One thread for all of them: a timer each, as paramiko itself starts, costs more than the whole conversation's reading.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[Ends, Callable[[], float]] = {}
        self._lock = threading.Lock()
        self._watched = False

    def add(self, connection: Ends, end: Callable[[], float]) -> None:
        with self._lock:
            self._ends[connection] = end
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, daemon=True, name="deadlines").start()

    def remove(self, connection: Ends) -> None:
        with self._lock:
            self._ends.pop(connection, None)

    def _watch(self) -> None:
        """Until none is left."""
        while True:
            time.sleep(WATCH_S)
            with self._lock:
                late = [c for c, end in self._ends.items() if self._clock() >= end()]
                for connection in late:
                    del self._ends[connection]
                self._watched = bool(self._ends)
                ended = not self._watched
            for connection in late:
                connection.hang_up()
            if ended:
                return
