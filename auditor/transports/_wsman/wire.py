"""A door and its password in; pywinrm's requests to that end out, each bounded in time, sealed answers alone."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from urllib3.connection import HTTPConnection
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError
from winrm.transport import Transport

from auditor.transports._deadlines import Deadlines
from auditor.transports._endpoint import Refused
from auditor.transports._wsman.door import READ_S, Door
from auditor.transports._wsman.lines import Adapter, Line
from auditor.transports._wsman.tickets import binding

SEALED = 'protocol="application/HTTP-SPNEGO-session-encrypted"'

# Entities and other encodings have no place in SOAP, and make a small text a large one.
_NO_SOAP = re.compile(
    rb"<!(DOCTYPE|ENTITY)|\0|\A[^<]{0,16}<\?xml[^>]{0,200}encoding\s{0,9}=\s{0,9}[\"'](?!(utf-8|us-ascii)[\"'])",
    re.IGNORECASE,
)


class Wire(Transport):
    """pywinrm's transport whose requests end with the host's time, and whose answers are looked at before they are read.

    `accepted` says whether the host took the credential: None until it said.
    """

    read_timeout_sec: (
        Any  # pywinrm means one time; requests, which gets it as it is, takes that of connecting and of reading
    )

    def __init__(self, door: Door, password: str, deadlines: Deadlines, clock: Callable[[], float], end: float) -> None:
        super().__init__(
            endpoint=door.url, auth_method=door.method, username=door.user, password=password, proxy=None, **door.login
        )
        self.accepted: bool | None = None
        self._door, self._deadlines, self._clock, self._end = door, deadlines, clock, end
        self._lines: list[Line] = []
        self._adapter = Adapter(self._opened)

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
            login: Any = session.auth  # of a class that pywinrm brings, without types
            login.cbt_struct = binding(shown)
            login.cbt_binding_tried = True
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
        line = Line(connection, opened)
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
        self.read_timeout_sec = self._timeouts()
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


def moment(date: str) -> float | None:
    """A Date header as seconds since 1970; None where it tells no moment."""
    try:
        return parsedate_to_datetime(date[:64]).timestamp()
    except (ValueError, TypeError, OverflowError, LookupError):
        return None
