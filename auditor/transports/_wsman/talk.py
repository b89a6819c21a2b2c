"""Messages to one end in, their answers out, or why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError
from winrm.protocol import Protocol

from auditor.transports._deadlines import Deadlines
from auditor.transports._endpoint import Refused
from auditor.transports._wsman.door import OPERATION_S, READ_S, Door
from auditor.transports._wsman.refusals import BROKEN, fault, refusal
from auditor.transports._wsman.tickets import SKEW_S
from auditor.transports._wsman.wire import Wire

Result = TypeVar("Result")
NothingYet = WinRMOperationTimeoutError  # the host is well, and has nothing to say yet


class Talk:
    """A conversation with one end. `in_step` is false once a message got lost: sealing counts them, and would not open."""

    def __init__(self, door: Door, password: str, deadlines: Deadlines, clock: Callable[[], float], end: float) -> None:
        self.in_step = True
        self.wire = Wire(door, password, deadlines, clock, end)
        self._door, self._clock, self._end = door, clock, end
        self.protocol = Protocol(
            door.url, door.method, door.user, password, read_timeout_sec=READ_S, operation_timeout_sec=OPERATION_S,
            proxy=None, **door.login,
        )  # fmt: skip
        self.protocol.transport = self.wire

    def until(self, end: float) -> None:
        """Gives the conversation another end."""
        self._end = end
        self.wire.ends(end)

    def call(self, message: Callable[..., Result], *args: Any, **rest: Any) -> Result:
        """One message and its answer. Raises Refused, and NothingYet."""
        left = self._end - self._clock()
        if left <= 0:
            raise Refused("timeout", "no answer before the host's deadline")
        self.protocol.operation_timeout_sec = max(1, min(OPERATION_S, int(left)))
        try:
            return message(*args, **rest)
        except NothingYet:
            raise
        except WSManFaultError as error:
            raise fault(error) from None
        except Refused:
            self.in_step = False
            raise
        except BROKEN as error:
            self.in_step = False
            raise self._refusal(error) from None

    def _refusal(self, error: BaseException) -> Refused:
        """Why there is no answer; time, clocks and what the host has said so far tell more than the error alone."""
        if self._clock() >= self._end - 0.05:
            return Refused("timeout", "no answer before the host's deadline")
        refused = refusal(error, self._door)
        if self._door.method == "kerberos" and refused.cause == "auth" and self.wire.skew_s > SKEW_S:
            minutes = int(self.wire.skew_s // 60)
            return Refused("clock_skew", f"its clock is {minutes} minutes off ours, and Kerberos lets five pass")
        if self._door.method == "certificate" and refused.cause == "closed" and self.wire.accepted is None:
            return Refused("closed", f"{refused.message}: does it take our certificate?")
        return refused


def pause(seconds: float, left: float) -> None:
    """A host that says at once that it has nothing to say is not asked again at once."""
    time.sleep(max(0.0, min(seconds, left)))
