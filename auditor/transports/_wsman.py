"""One end of WinRM: pywinrm's requests to it, each bounded in time and size, to that end and to no other."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import ssl
import struct
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Literal, TypeVar
from xml.parsers.expat import ExpatError

import requests
import urllib3
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from requests.adapters import HTTPAdapter
from spnego.exceptions import SpnegoError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol
from winrm.transport import HAVE_KERBEROS, Transport

from auditor.framing.sh import shown
from auditor.model import Hurdle
from auditor.transports._deadlines import Deadlines
from auditor.transports._endpoint import Refused

MESSAGE_BYTES = 1024 * 1024  # of one response, of which pywinrm asks for 150 KiB at most
OPERATION_S = 20  # how long the host may wait before it says that there is nothing yet; it allows 60 at most
READ_S = OPERATION_S + 10
ACCESS_DENIED = 5
SEALED = 'protocol="application/HTTP-SPNEGO-session-encrypted"'

# Who was refused, where it was not by a password.
_REFUSED: dict[str, str] = {
    "kerberos": "the host takes our ticket for no user of its own: may this account log in there?",
    "certificate": "the host maps our certificate to no account that may log in",
}
Result = TypeVar("Result")
Method = Literal["ntlm", "kerberos", "basic", "certificate"]
NothingYet = WinRMOperationTimeoutError  # the host is well, and has nothing to say yet

# What pywinrm and what it stands on let through when the conversation breaks, or an answer is not what the protocol says.
_BROKEN: tuple[type[Exception], ...] = (
    OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError, StopIteration, EOFError, RecursionError,
    struct.error, ET.ParseError, ExpatError, SpnegoError, WinRMError, WinRMTransportError, requests.RequestException,
    urllib3.exceptions.HTTPError,
)  # fmt: skip
KERBEROS_SKEW_S = 300.0  # RFC 4120, 1.6: five minutes, which Windows keeps as its default
if HAVE_KERBEROS:
    import kerberos
    from winrm.vendor.requests_kerberos.exceptions import KerberosExchangeError, MutualAuthenticationError

    _BROKEN += (kerberos.KrbError,)
    _TICKETS: tuple[type[Exception], ...] = (KerberosExchangeError, kerberos.KrbError)
    _UNPROVEN: tuple[type[Exception], ...] = (MutualAuthenticationError,)
else:
    _TICKETS, _UNPROVEN = (), ()
# What libkrb5 refused by, by its own numbers (krb5/krb5.h): the same in every language.
_KRB5 = {
    -1765328383: ("auth", "the account has expired"),
    -1765328377: (
        "auth",
        "the domain knows no service of that name: name the host as the domain does, or give kerberos_hostname_override",
    ),
    -1765328378: ("auth", "the domain does not know this account"),
    -1765328366: ("auth", "the account is disabled or locked"),
    -1765328352: ("auth", "the ticket has expired: kinit"),
    -1765328347: ("clock_skew", "our clock and the domain's differ by more than Kerberos lets pass"),
    -1765328243: ("auth", "no ticket for this account: kinit"),
    -1765328189: ("auth", "no ticket: kinit"),
    -1765328228: ("auth", "no server of the domain answers for a ticket"),
    -1765328230: ("auth", "no server of the domain is known for that name: see krb5.conf"),
    -1765328164: ("auth", "the name of a server of the domain does not resolve: see krb5.conf"),
}
# Entities and other encodings have no place in SOAP, and make a small text a large one.
_NO_SOAP = re.compile(
    rb"<!(DOCTYPE|ENTITY)|\0|\A[^<]{0,16}<\?xml[^>]{0,200}encoding\s{0,9}=\s{0,9}[\"'](?!(utf-8|us-ascii)[\"'])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Door:
    """Where a host is asked, and how one logs in there. `login` holds pywinrm's own arguments, the password aside."""

    url: str
    shown: str
    method: Method
    user: str
    login: dict[str, Any] = field(default_factory=dict)
    connect_s: float = 10.0


class Refusal(Refused):
    """What the host itself refused, by its own number (a WSManFault)."""

    def __init__(self, cause: str, message: str, code: int) -> None:
        super().__init__(cause, message)
        self.code = code


# ---------------------------------------------------------------- connections


class _Line:
    """A connection with a second handle of its socket, by which it can be hung up, also during a handshake."""

    def __init__(self, connection: HTTPConnection, opened: socket.socket) -> None:
        self._connection, self._handle = connection, opened.dup()

    @property
    def certificate(self) -> bytes | None:
        """What the other end showed (DER)."""
        return getattr(self._connection, "shown", None)

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Also one that its pool lost, in the middle of an answer."""
        self._handle.close()
        self._connection.close()


Opened = Callable[[HTTPConnection, socket.socket], None]


class _Plain(HTTPConnection):
    def __init__(self, *args: Any, opened: Opened, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._opened = opened

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self._opened(self, opened)
        return opened


class _Secure(HTTPSConnection):
    def __init__(self, *args: Any, opened: Opened, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self.shown = self.sock.getpeercert(True) if isinstance(self.sock, ssl.SSLSocket) else None

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self._opened(self, opened)
        return opened


class _Adapter(HTTPAdapter):
    """No proxy, no redirection, no answer larger than a message. `date` is what the host said last of its clock."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(max_retries=0)
        self._opened = opened
        self.date = ""

    def get_connection_with_tls_context(self, *args: Any, **rest: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **rest)
        kind = _Secure if pool.scheme == "https" else _Plain
        pool.ConnectionCls = partial(kind, opened=self._opened)  # type: ignore[attr-defined]  # urllib3: a class, any maker serves
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        self.date = response.headers.get("Date", "")
        if 300 <= response.status_code < 400:
            raise Refused("framing", f"HTTP {response.status_code}: it sends us elsewhere, which WinRM does not")
        response.iter_content = partial(_bounded, response.iter_content)  # type: ignore[method-assign]  # requests reads through it, unbounded
        return response


def _bounded(read: Callable[..., Iterator[bytes]], *args: Any, **rest: Any) -> Iterator[bytes]:
    size = 0
    for piece in read(*args, **rest):
        size += len(piece)
        if size > MESSAGE_BYTES:
            raise Refused("framing", "the host sends more than it was asked for")
        yield piece


# ---------------------------------------------------------------- requests


class Wire(Transport):
    """pywinrm's transport whose requests end with the host's time, and whose answers are looked at before they are read.

    `accepted` says whether the host took the credential: None until it said.
    """

    def __init__(self, door: Door, password: str, deadlines: Deadlines, clock: Callable[[], float], end: float) -> None:
        super().__init__(
            endpoint=door.url, auth_method=door.method, username=door.user, password=password, proxy=None, **door.login
        )
        self.accepted: bool | None = None
        self._door, self._deadlines, self._clock, self._end = door, deadlines, clock, end
        self._lines: list[_Line] = []
        self._adapter = _Adapter(self._opened)

    def ends(self, end: float) -> None:
        """The time by which every request has to end."""
        self._end = end
        for line in self._lines:
            self._deadlines.add(line, lambda: end)

    @property
    def skew_s(self) -> float:
        """How far the host's clock is from ours, as it said last; 0 where it did not."""
        told = moment(self._adapter.date)
        return 0.0 if told is None else abs(told - self._clock())

    def build_session(self) -> requests.Session:
        """Kerberos is bound to the certificate that the host showed, from the first message."""
        fresh = self.session is None
        session = super().build_session()
        shown = next((c for line in self._lines if (c := line.certificate)), None)
        if fresh and self.auth_method == "kerberos" and shown:
            application_data = b"tls-server-end-point:" + _end_point(shown)
            binding: Any = session.auth  # of a class that pywinrm brings, without types
            binding.cbt_struct = kerberos.channelBindings(application_data=application_data)
            binding.cbt_binding_tried = True
        return session

    def close(self) -> None:
        self.close_session()
        self._adapter.close()
        for line in self._lines:
            self._deadlines.remove(line)
            line.close()
        self._lines = []

    def schemes(self) -> list[str]:
        """The ways to log in that the host offers, before we try one."""
        request = requests.Request("POST", self.endpoint, headers=self.default_headers).prepare()
        response = self._adapter.send(request, timeout=self._timeouts(), verify=self.ca_trust_path, proxies={})
        status = response.status_code
        _ = response.content  # read, the connection serves again
        if status != 401:
            raise Refused(
                "framing", f"HTTP {status} where WinRM is expected at {self._door.shown}: a proxy, or another service?"
            )
        return re.findall(r"(?:^|,)\s*([A-Za-z]+)", response.headers.get("WWW-Authenticate", ""))

    def _opened(self, connection: HTTPConnection, opened: socket.socket) -> None:
        line = _Line(connection, opened)
        self._lines.append(line)
        self._deadlines.add(line, lambda: self._end)

    def _timeouts(self) -> tuple[float, float]:
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError
        return min(self._door.connect_s, left), min(READ_S, left)

    def _send_message_request(
        self, session: requests.Session, prepared_request: requests.PreparedRequest
    ) -> requests.Response:
        session.trust_env = False  # neither proxies nor ~/.netrc
        session.mount(self._door.url.partition("/")[0] + "//", self._adapter)
        prepared_request.headers["Accept-Encoding"] = "identity"
        self.read_timeout_sec = self._timeouts()  # type: ignore[assignment]  # requests takes both
        try:
            response = super()._send_message_request(session, prepared_request)
        except InvalidCredentialsError:
            self.accepted = False
            raise
        except WinRMTransportError as error:
            if error.code == 500:  # a fault: who says it knows us
                self._accept(session)
            raise
        self._accept(session)
        return response

    def _accept(self, session: requests.Session) -> None:
        if getattr(session.auth, "session_security", self) is not None:  # NTLM: both sides proved themselves
            self.accepted = True

    def _get_message_response_text(self, response: requests.Response) -> bytes:
        if self.encryption and SEALED not in response.headers.get("Content-Type", ""):
            raise Refused("framing", f"HTTP {response.status_code}: an answer in clear where it has to be sealed")
        text = super()._get_message_response_text(response)
        if _NO_SOAP.search(text):
            raise Refused("framing", "an answer that is no SOAP message")
        return text


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
            raise _fault(error) from None
        except Refused:
            self.in_step = False
            raise
        except _BROKEN as error:
            self.in_step = False
            if self._clock() >= self._end - 0.05:
                raise Refused("timeout", "no answer before the host's deadline") from None
            refused = _refused(error, self._door)
            if self._door.method == "kerberos" and refused.cause == "auth" and self.wire.skew_s > KERBEROS_SKEW_S:
                minutes = int(self.wire.skew_s // 60)
                raise Refused(
                    "clock_skew", f"its clock is {minutes} minutes off ours, and Kerberos lets five pass"
                ) from None
            if self._door.method == "certificate" and refused.cause == "closed" and self.wire.accepted is None:
                raise Refused("closed", f"{refused.message}: does it take our certificate?") from None
            raise refused from None


def pause(seconds: float, left: float) -> None:
    """A host that says at once that it has nothing to say is not asked again at once."""
    time.sleep(max(0.0, min(seconds, left)))


# ---------------------------------------------------------------- what went wrong


def _fault(error: WSManFaultError) -> Refusal:
    code = error.wsman_fault_code or error.wmierror_code or 0
    words = shown(error.reason)[:200]
    if code == ACCESS_DENIED:
        more = "may this user open a remote shell (Remote Management Users, and the right Execute of its root)?"
        return Refusal("auth", f"access denied: {more}", code)
    return Refusal("closed", f"WinRM fault {code}: {words}", code)


def _refused(error: BaseException, door: Door) -> Refused:
    """The library's error in our words, by its kind and never by its text, which may hold anything."""
    if isinstance(error, InvalidCredentialsError):
        return Refused(
            "auth",
            _REFUSED.get(
                door.method, "the host refuses this user: a wrong password, or an account that may not log in"
            ),
        )
    if isinstance(error, _UNPROVEN):
        return Refused("host_key", "the host did not prove to be who it says it is")
    if isinstance(error, _TICKETS):
        return _untaken(str(error))
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


def _untaken(words: str) -> Refused:
    """Why no ticket was to be had, or none that serves; by the number, as its words may be in any language."""
    numbers = [int(n) for n in re.findall(r"-17653[0-9]{5}", words)]
    known = next((_KRB5[n] for n in numbers if n in _KRB5), None)
    return (
        Refused(*known)
        if known
        else Refused("auth", f"no ticket: Kerberos says {numbers[-1] if numbers else 'no number'}")
    )


def _end_point(certificate: bytes) -> bytes:
    """The hash of a certificate that a login is bound to (RFC 5929, 4.1)."""
    found = x509.load_der_x509_certificate(certificate)
    try:
        signed_by = found.signature_hash_algorithm
    except UnsupportedAlgorithm:
        signed_by = None
    weak = signed_by is None or signed_by.name in ("md5", "sha1")
    return found.fingerprint(hashes.SHA256() if weak or signed_by is None else signed_by)


def moment(date: str) -> float | None:
    """A Date header as seconds since 1970; None where it tells no moment."""
    try:
        return parsedate_to_datetime(date[:64]).timestamp()
    except (ValueError, TypeError, OverflowError, LookupError):
        return None


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
