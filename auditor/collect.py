"""Hosts in; what working on each came to, as they finish, out: a bounded number at a time, one thread a host."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from auditor.kinds import Ask
from auditor.model import Answer, Command, Failure, Host

log = logging.getLogger("auditor.collect")
Item = TypeVar("Item")
Result = TypeVar("Result")


def answers(host: Host, commands: tuple[Command, ...], ask: Ask | None, deadline_s: float) -> dict[Command, Answer]:
    """What one host answers to all it is asked; a Failure for what it does not."""
    if ask is None:
        return dict.fromkeys(commands, Failure("no_transport", host.connection))
    told = dict(ask(host, commands, deadline_s)) if commands else {}
    return {c: told.get(c, Failure("closed")) for c in commands}


def each(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    broken: Callable[[Item, Exception], Result],
    jobs: int,
) -> Iterator[Result]:
    """Works on the items in `jobs` threads and yields results as they come.

    At most `jobs` results wait to be taken. When the caller stops taking them, the threads end after their item.
    """
    pending = enumerate(items)
    lock = threading.Lock()
    results: queue.Queue[tuple[Result] | None] = queue.Queue(maxsize=jobs)
    stop = threading.Event()

    def worker() -> None:
        try:
            while not stop.is_set():
                with lock:
                    taken = next(pending, None)
                if taken is None:
                    break
                _put(results, (_worked(taken[1], work, broken),), stop)
        finally:
            _put(results, None, stop)

    threads = [threading.Thread(target=worker, daemon=True, name=f"host-{n}") for n in range(jobs)]
    for thread in threads:
        thread.start()
    try:
        left = jobs
        while left:
            got = results.get()
            if got is None:
                left -= 1
            else:
                yield got[0]
    finally:
        stop.set()


def _worked(item: Item, work: Callable[[Item], Result], broken: Callable[[Item, Exception], Result]) -> Result:
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
