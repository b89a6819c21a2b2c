"""Hosts in; what working on each came to, as they finish, out: a bounded number at a time, one thread a host."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from auditor.kinds import Ask
from auditor.model import Answer, Command, Failure, Host, Limits

ASIDE = 192  # hosts that may wait for a connection beside those that are asked; each is a thread, and a few open files

log = logging.getLogger("auditor.collect")
Item = TypeVar("Item")
Result = TypeVar("Result")


def answers(host: Host, commands: tuple[Command, ...], ask: Ask | None, deadline_s: float) -> dict[Command, Answer]:
    """What one host answers to all it is asked; a Failure for what it does not."""
    if host.barred:
        return dict.fromkeys(commands, Failure("not_authorised", host.barred))
    if ask is None:
        return dict.fromkeys(commands, Failure("no_transport", host.connection))
    told = dict(ask(host, commands, deadline_s)) if commands else {}
    return {c: told.get(c, Failure("closed")) for c in commands}


# ---------------------------------------------------------------- whose turn it is


class Waiting(Generic[Item]):
    """Items whose turn has not come, in order, by the limits that they are under: a full group holds up no other."""

    def __init__(self, items: Iterable[Item], limits: Callable[[Item], Limits]) -> None:
        self._lines: dict[Limits, deque[tuple[int, Item]]] = {}
        self.count = 0
        for self.count, item in enumerate(items, 1):
            self._lines.setdefault(limits(item), deque()).append((self.count, item))

    def next(self, busy: Counter[str]) -> Limits | None:
        """The limits of the first item that may begin, given how many hosts of each group are at it."""
        free = (k for k in self._lines if all(busy[group] < most for group, most in k))
        return min(free, key=lambda k: self._lines[k][0][0], default=None)

    def take(self, limits: Limits) -> Item:
        _, item = self._lines[limits].popleft()
        if not self._lines[limits]:
            del self._lines[limits]
        return item

    def __bool__(self) -> bool:
        return bool(self._lines)


class Places:
    """The `jobs` places in which hosts are asked at the same time, for one run.

    Waiting for a connection needs no place: after a moment another host may have it, and the one that waited gets one back
    before all that have not begun. So hosts that are silent do not hold up those that answer. At most `aside` wait so.
    """

    def __init__(self, jobs: int, aside: int = ASIDE) -> None:
        self.jobs = jobs
        self._room = aside  # how many more may wait aside
        self._held = 0
        self._connecting: dict[int, float] = {}  # a thread -> from when another may have its place
        self._returning = 0
        self._busy: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def connecting(self, moment_s: float) -> Iterator[None]:
        """While a thread that holds a place waits for a connection; it holds one again at the end."""
        me = threading.get_ident()
        with self._changed:
            self._connecting[me] = time.monotonic() + moment_s
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                if self._connecting.pop(me, None) is None:
                    self._return()

    def begin(self, waiting: Waiting[Item], stop: threading.Event) -> tuple[Item, Limits] | None:
        """Waits until an item may begin, and gives it a place; None when there is none left, or at the stop."""
        with self._changed:
            while waiting and not stop.is_set():
                limits = waiting.next(self._busy)
                if limits is not None and not self._returning and self._taken():
                    self._busy.update(group for group, _ in limits)
                    return waiting.take(limits), limits
                self._changed.wait(None if limits is None else self._patience_s())
        return None

    def end(self, limits: Limits) -> None:
        with self._changed:
            self._held -= 1
            self._busy.subtract(group for group, _ in limits)
            self._changed.notify_all()

    def wake(self) -> None:
        """Lets those who wait see that the run is over."""
        with self._changed:
            self._changed.notify_all()

    def _return(self) -> None:
        self._room += 1
        self._returning += 1
        while not self._taken():
            self._changed.wait(self._patience_s())
        self._returning -= 1
        self._changed.notify_all()

    def _taken(self) -> bool:
        """Takes a free place, or that of a host which has waited for its connection for more than a moment."""
        if self._held < self.jobs:
            self._held += 1
            return True
        first = min(self._connecting, key=self._connecting.__getitem__, default=None)
        if first is None or not self._room or self._connecting[first] > time.monotonic():
            return False
        del self._connecting[first]
        self._room -= 1
        return True

    def _patience_s(self) -> float | None:
        """How long until a place may be taken though nobody says so."""
        if not self._room or not self._connecting:
            return None
        return max(0.0, min(self._connecting.values()) - time.monotonic())


# ---------------------------------------------------------------- all hosts


def _unlimited(item: object) -> Limits:
    return ()


def each(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    broken: Callable[[Item, Exception], Result],
    places: Places,
    limits: Callable[[Item], Limits] = _unlimited,
) -> Iterator[Result]:
    """Works on the items, each in a thread and a place of its own, and yields results as they come.

    `limits` gives the groups of an item that only so many hosts may be at; waiting for a connection counts there. As many
    results as there are places wait to be taken. When the caller stops taking them, the threads end after their item.
    """
    waiting = Waiting(items, limits)
    results: queue.Queue[tuple[Result] | None] = queue.Queue(maxsize=places.jobs)
    stop = threading.Event()

    def one(item: Item, limited: Limits) -> None:
        came: tuple[Result] | None = None
        try:
            came = (worked(item, work, broken),)
        finally:
            _put(results, came, stop)
            places.end(limited)

    def dispatch() -> None:
        while (turn := places.begin(waiting, stop)) is not None:
            thread = threading.Thread(target=one, args=turn, daemon=True, name="host")
            try:
                thread.start()
            except RuntimeError:  # the system gives no more threads: one at a time then
                one(*turn)

    threading.Thread(target=dispatch, daemon=True, name="hosts").start()
    try:
        for _ in range(waiting.count):
            got = results.get()
            if got is not None:
                yield got[0]
    finally:
        stop.set()
        places.wake()


def worked(item: Item, work: Callable[[Item], Result], broken: Callable[[Item, Exception], Result]) -> Result:
    """What working on an item comes to; what stands in for it, when that breaks."""
    try:
        return work(item)
    except Exception as error:  # the one blind except: a defect costs one host, and keeps its traceback
        log.exception("a defect of the auditor, at host %s", item)
        return broken(item, error)


def _put(results: queue.Queue[tuple[Result] | None], value: tuple[Result] | None, stop: threading.Event) -> None:
    """Waits for room, but not for a caller that has gone."""
    while not stop.is_set():
        try:
            results.put(value, timeout=1.0)
            return
        except queue.Full:
            continue
