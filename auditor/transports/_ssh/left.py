"""How long one host may still take, and why it gave no more."""

from __future__ import annotations

from collections.abc import Callable

from auditor.framing import sh
from auditor.transports._endpoint import Refused


class Left:
    """The seconds until the host's deadline; raises TimeoutError at its end. `later` puts the end off."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self.end = clock() + seconds

    def __call__(self) -> float:
        remaining = self.end - self._clock()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def later(self, seconds: float) -> None:
        self.end += seconds

    def over(self, seconds: float = 0.05) -> bool:
        """Whether no more than that is left: our own timer may come a little early."""
        return self.end - self._clock() <= seconds


class Cut(Refused):
    """The connection was refused, or ended before anybody logged in: it may be tried again, no account is touched."""


def reason(error: BaseException) -> str:
    return sh.shown(str(getattr(error, "strerror", None) or str(error) or type(error).__name__))[:200]
