"""Who may log in at a bastion now, and what it refused last."""

from __future__ import annotations

import threading
import time

from auditor.transports._endpoint import Endpoint, Refused
from auditor.transports._ssh.left import reason

LOGINS = 8  # at one bastion at the same time
AGAIN_S = 30.0  # a bastion that refused is not asked again meanwhile


class Bastion:
    """Who may log in at a bastion now, and what it refused last.

    Each host behind it has a connection of its own, as with OpenSSH: one connection shared by twelve hosts broke under
    load, for a cause that was not found. sshd drops some of more than ten logins under way (MaxStartups), hence the gate.
    """

    def __init__(self) -> None:
        self.gate = threading.BoundedSemaphore(LOGINS)
        self.refused: Refused | None = None
        self.refused_at = 0.0

    def check(self) -> None:
        """A refusal holds for a while, for all the hosts behind."""
        if self.refused is not None and time.monotonic() < self.refused_at + AGAIN_S:
            last = self.refused
            raise Refused(last.cause, last.message, last.hurdle, last.key, last.at)

    def refuse(self, end: Endpoint, error: Exception) -> Refused:
        cause, words = (error.cause, error.message) if isinstance(error, Refused) else ("closed", reason(error))
        prefix = "" if words.startswith("the bastion ") else f"the bastion {end.shown}: "
        told = error if isinstance(error, Refused) else Refused(cause, words)
        self.refused = Refused(cause, prefix + words, told.hurdle, told.key, told.at or end)
        self.refused_at = time.monotonic()
        return self.refused
