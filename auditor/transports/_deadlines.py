"""Connections and when their time is up in; each is hung up then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

WATCH_S = 1.0  # how late a deadline may be noticed that was brought forward


class Ends(Protocol):
    """A connection that can be hung up from any thread, which wakes whoever waits for it."""

    def hang_up(self) -> None: ...


class Deadlines:
    """Hangs up the connections whose time is up: some waits of the libraries have no limit of their own.

    `end` is asked each time: a deadline may be put off. One thread for all of them, that sleeps until the first: a timer
    each, as paramiko itself starts, costs more than the whole conversation's reading.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: dict[Ends, Callable[[], float]] = {}
        self._changed = threading.Condition()
        self._asleep_until: float | None = None  # by our clock; None where nobody watches

    def add(self, connection: Ends, end: Callable[[], float]) -> None:
        with self._changed:
            self._ends[connection] = end
            if self._asleep_until is None:
                self._asleep_until = 0.0
                threading.Thread(target=self._watch, daemon=True, name="deadlines").start()
            elif end() < self._asleep_until:
                self._changed.notify()

    def remove(self, connection: Ends) -> None:
        with self._changed:
            self._ends.pop(connection, None)

    def _watch(self) -> None:
        """Until none is left."""
        while self._ends_next():
            for connection in self._late():
                connection.hang_up()

    def _ends_next(self) -> bool:
        """Sleeps until the first end, and no longer than WATCH_S; false when there is none."""
        with self._changed:
            if not self._ends:
                self._asleep_until = None
                return False
            now = self._clock()
            left = min(WATCH_S, max(0.0, min(end() for end in self._ends.values()) - now))
            self._asleep_until = now + left
            self._changed.wait(left)
            return True

    def _late(self) -> list[Ends]:
        with self._changed:
            late = [c for c, end in self._ends.items() if self._clock() >= end()]
            for connection in late:
                del self._ends[connection]
            return late
