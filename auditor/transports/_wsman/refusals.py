"""What the libraries raise in; out, why the host did not answer, in our words."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from xml.parsers.expat import ExpatError

import requests
import urllib3
from spnego.exceptions import SpnegoError
from urllib3.exceptions import NewConnectionError
from winrm.exceptions import InvalidCredentialsError, WinRMError, WinRMTransportError, WSManFaultError

from auditor.framing.sh import shown
from auditor.model import Hurdle
from auditor.transports._endpoint import Refused
from auditor.transports._wsman.door import READ_S, Door
from auditor.transports._wsman.tickets import TICKETS, UNPROVEN, untaken

ACCESS_DENIED = 5

# Who was refused, where it was not by a password.
_REFUSED: dict[str, str] = {
    "kerberos": "the host takes our ticket for no user of its own: may this account log in there?",
    "certificate": "the host maps our certificate to no account that may log in",
}

# What pywinrm and what it stands on let through when the conversation breaks, or an answer is not what the protocol says.
BROKEN: tuple[type[Exception], ...] = (
    OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError, StopIteration, EOFError, RecursionError,
    struct.error, ET.ParseError, ExpatError, SpnegoError, WinRMError, WinRMTransportError, requests.RequestException,
    urllib3.exceptions.HTTPError, *TICKETS,
)  # fmt: skip


class Refusal(Refused):
    """What the host itself refused, by its own number (a WSManFault)."""

    def __init__(self, cause: str, message: str, code: int) -> None:
        super().__init__(cause, message)
        self.code = code


def fault(error: WSManFaultError) -> Refusal:
    code = error.wsman_fault_code or error.wmierror_code or 0
    words = shown(error.reason)[:200]
    if code == ACCESS_DENIED:
        more = "may this user open a remote shell (Remote Management Users, and the right Execute of its root)?"
        return Refusal("auth", f"access denied: {more}", code)
    return Refusal("closed", f"WinRM fault {code}: {words}", code)


def refusal(error: BaseException, door: Door) -> Refused:
    """The library's error in our words, by its kind and never by its text, which may hold anything."""
    if isinstance(error, InvalidCredentialsError):
        return Refused(
            "auth",
            _REFUSED.get(
                door.method, "the host refuses this user: a wrong password, or an account that may not log in"
            ),
        )
    if isinstance(error, UNPROVEN):
        return Refused("host_key", "the host did not prove to be who it says it is")
    if isinstance(error, TICKETS):
        return untaken(str(error))
    if isinstance(error, WinRMTransportError):
        return Refused("framing", f"HTTP {error.code} where WinRM is expected at {door.shown}")
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return Refused("host_key", f"its certificate is not to be believed: {shown(one.verify_message)[:200]}")
        if isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Refused("closed", "the host closed the connection")
        if isinstance(one, ssl.SSLError) and door.method == "certificate" and "ALERT" in (one.reason or ""):
            return Refused("auth", f"the host refuses our certificate: {shown(one.reason)[:100]}")
        if isinstance(one, ssl.SSLError):
            return Refused("framing", f"no TLS conversation with {door.shown}: {shown(one.reason or str(one))[:100]}")
        if isinstance(one, NewConnectionError | requests.ConnectTimeout | socket.gaierror):
            return Refused("unreachable", f"{door.shown}: {_why(error)}", _hurdle(error))
    if isinstance(error, requests.Timeout):
        return Refused("timeout", f"no answer from {door.shown} within {READ_S} s")
    if isinstance(error, requests.ConnectionError | ConnectionError | EOFError):
        return Refused("closed", f"the host closed the connection ({_why(error)})")
    return Refused("framing", f"the answer is not what WS-Management says ({type(error).__name__})")


def _hurdle(error: BaseException) -> Hurdle | None:
    """What tells a host that is off, or elsewhere, from one that is there and refuses."""
    for one in _chain(error):
        if isinstance(one, socket.gaierror):
            return "name"
        if isinstance(one, requests.ConnectTimeout | TimeoutError):
            return "silent"
        if isinstance(one, OSError) and one.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
            return "silent"
    return None


def _why(error: BaseException) -> str:
    found = next((e for e in _chain(error) if isinstance(e, OSError) and e.strerror), None)
    return shown(str(found.strerror)) if found else type(list(_chain(error))[-1]).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it came from, however the libraries wrapped them."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
