"""Who may try a credential, and when: so few at a time that refusals cannot lock an account."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from auditor.errors import AuditorError

# In a run, after which a credential is withheld; and as many attempts under way, so that there are no more.
REFUSALS = 2


class Withheld(AuditorError):
    """A credential that must not be tried again in this run."""


class Trial:
    """One attempt. Without a word, an attempt with a credential of which we are not sure counts as refused: the host may
    have counted."""

    def __init__(self) -> None:
        self.verdict: bool | None = None

    def accepted(self) -> None:
        self.verdict = True

    def refused(self) -> None:
        self.verdict = False


class Trials:
    """One host at a time until the credential was accepted once, and again once it was refused; two at a time in between;
    nobody once it was refused twice. So that nothing is refused more than twice, however many hosts wait.

    A credential is (a secret's mark, a user); the case of the user does not count, as accounts of Windows have none.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tried: dict[tuple[str, str], _Tried] = {}

    @contextmanager
    def attempt(self, credential: tuple[str, str], patience_s: float) -> Iterator[Trial]:
        """Waits for its turn, at most so long (then TimeoutError). Raises Withheld when it must not be tried."""
        with self._lock:
            known = self._tried.setdefault((credential[0], credential[1].casefold()), _Tried())
        with known.turn:
            if not known.turn.wait_for(lambda: known.withheld or known.free, patience_s):
                raise TimeoutError
            if known.withheld:
                raise Withheld("withheld: refused twice in this run")
            known.under_way += 1
        trial = Trial()
        try:
            yield trial
        finally:
            with known.turn:
                known.under_way -= 1
                known.proven = known.proven or trial.verdict is True
                known.refusals += trial.verdict is False or (trial.verdict is None and not known.sure)
                known.turn.notify_all()


class _Tried:
    """What is known of one credential in this run."""

    def __init__(self) -> None:
        self.turn = threading.Condition()
        self.under_way = self.refusals = 0
        self.proven = False

    @property
    def withheld(self) -> bool:
        return self.refusals >= REFUSALS

    @property
    def sure(self) -> bool:
        """It opened a door, and none refused it."""
        return self.proven and not self.refusals

    @property
    def free(self) -> bool:
        """Whether one more may try: alone while we are not sure, and never more than could be refused."""
        return self.under_way < (REFUSALS if self.sure else 1)
