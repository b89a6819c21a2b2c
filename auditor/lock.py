"""One audit of an estate at a time in a store, and none while it is pruned: locks of the system, gone with their holder.

The empty files that carry them stay beside the store; a lock is never left behind, however its holder ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from auditor.document import stamp
from auditor.errors import StoreError

_EITHER_WAY = "; nothing was done: wait for it to end, or give --store another path"


@contextmanager
def auditing(store: str, estate: str, now: float, waits: Callable[[str], object]) -> Iterator[None]:
    """While an audit of `estate` (a path, "" for this machine) is kept in `store` ("" for none: nothing is locked).

    Raises StoreError when another one is. `waits` is told when `auditor prune` has to end first: it always does.
    """
    if not store:
        yield
        return
    place = os.path.realpath(estate) if estate else ""
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    alone = _refuse("another audit of this estate is kept in this store")
    with _held(f"{store}.{digest}.lock", fcntl.LOCK_EX, now, alone), _held(f"{store}.lock", fcntl.LOCK_SH, now, waits):
        yield


@contextmanager
def keeping(store: str, now: float, waits: Callable[[str], object]) -> Iterator[None]:
    """While something else than an audit is kept in a store ("" for none): any number at a time, but not beside a prune."""
    if not store:
        yield
        return
    with _held(f"{store}.lock", fcntl.LOCK_SH, now, waits):
        yield


@contextmanager
def pruning(store: str, now: float) -> Iterator[None]:
    """While a store is pruned. Raises StoreError when an audit is kept in it, or another prune is under way."""
    with _held(f"{store}.lock", fcntl.LOCK_EX, now, _refuse("an audit is kept in this store, or it is pruned already")):
        yield


def _refuse(why: str) -> Callable[[str], object]:
    def refuse(holder: str) -> object:
        raise StoreError(f"{why}{holder}{_EITHER_WAY}")

    return refuse


@contextmanager
def _held(path: str, kind: int, now: float, taken: Callable[[str], object]) -> Iterator[None]:
    """`taken` is called with the holder's words when the lock is not free; if that returns, we wait for our turn."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"the lock {path} cannot be opened: {error.strerror}") from None
    try:
        _take(handle, path, kind, taken)
        if kind == fcntl.LOCK_EX:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f" (process {os.getpid()}, since {stamp(now)})".encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: str, kind: int, taken: Callable[[str], object]) -> None:
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            taken(os.pread(handle, 200, 0).decode("ascii", "replace"))
            fcntl.flock(handle, kind)
    except OSError as error:
        raise StoreError(f"the lock {path} cannot be taken: {error.strerror}") from None
