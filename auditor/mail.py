"""A message and a server in; the message handed over through verified TLS, or NotSent with the reason.

Nothing goes out in clear: neither the password nor the message, however the server answers.
"""

from __future__ import annotations

import queue
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from auditor import credentials
from auditor.errors import AuditorError, InvalidInput
from auditor.sentences import clean

STEP_S = 20.0  # how long the server may be silent
WHOLE_S = 60.0  # how long all of it may take: a server that answers a byte now and then is ended too
FORM = "smtp://[USER@]HOST[:PORT] (STARTTLS, 587) or smtps://[USER@]HOST[:PORT] (TLS, 465)"
_PORTS = {"smtp": 587, "smtps": 465}
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


class NotSent(AuditorError):
    """The server did not take the message, and why."""


@dataclass(frozen=True, slots=True)
class Server:
    """`implicit`: TLS from the first byte; else STARTTLS. `password` is a reference to a secret, "" for no login."""

    host: str
    port: int
    implicit: bool
    user: str = ""
    password: str = ""


def server(url: str, password: str) -> Server:
    """The server that a URL names. Raises InvalidInput, which never repeats what may hold a secret."""
    try:
        parts = urlsplit(url)
        port, user, inline = parts.port, unquote(parts.username or ""), parts.password
    except ValueError:
        raise InvalidInput(f"AUDITOR_SMTP: is no URL: write {FORM}") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidInput(f"AUDITOR_SMTP: write {FORM}")
    if inline is not None:
        raise InvalidInput("AUDITOR_SMTP: holds a password; name where it is kept in AUDITOR_SMTP_PASSWORD instead")
    wrong = credentials.problem(password) if password else ""
    if wrong:
        raise InvalidInput(f"AUDITOR_SMTP_PASSWORD: {wrong}")
    if bool(user) != bool(password):
        raise InvalidInput("AUDITOR_SMTP: a user and AUDITOR_SMTP_PASSWORD go together; give both, or neither")
    return Server(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password)


def address(text: str, named: str) -> str:
    """A plain mail address. Raises InvalidInput."""
    if not _ADDRESS.fullmatch(text):
        raise InvalidInput(f"{named}: '{clean(text)}' is no mail address: write name@example.org")
    return text


def message(sender: str, to: Sequence[str], subject: str, lines: Sequence[str]) -> EmailMessage:
    """Plain text in UTF-8; no header of it can be broken by what a text holds."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, ", ".join(to), clean(subject, 150)
    made["Date"], made["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("\n".join(clean(line, 0) for line in lines) + "\n", cte="quoted-printable")
    return made


def send(to: Server, what: EmailMessage, step_s: float = STEP_S, whole_s: float = WHOLE_S) -> None:
    """Hands the message over. Raises NotSent, whose words hold no secret; gives up after `whole_s` whatever the server does."""
    at = f"{to.host}:{to.port}"
    came: queue.Queue[NotSent | None] = queue.Queue()

    def work() -> None:
        told: NotSent | None = NotSent(f"{at}: a defect of the auditor, told above")  # the thread shows its traceback
        try:
            _deliver(to, what, step_s)
            told = None
        except NotSent as error:
            told = error
        except (smtplib.SMTPException, OSError, credentials.NoSecret, UnicodeError) as error:
            told = NotSent(f"{at}: {credentials.redacted(clean(_why(error), 300))}")
        finally:
            came.put(told)

    threading.Thread(target=work, daemon=True, name="mail").start()
    try:
        told = came.get(timeout=whole_s)
    except queue.Empty:
        raise NotSent(f"{at} did not end within {whole_s:g} s") from None
    if told is not None:
        raise told


def _deliver(to: Server, what: EmailMessage, step_s: float) -> None:
    context = ssl.create_default_context()
    if to.implicit:
        opened: smtplib.SMTP = smtplib.SMTP_SSL(to.host, to.port, timeout=step_s, context=context)
    else:
        opened = smtplib.SMTP(to.host, to.port, timeout=step_s)
    with opened as smtp:
        if not to.implicit:
            _begin_tls(smtp, context)
        if to.user:
            _log_in(smtp, to.user, credentials.secret(to.password))
        refused = smtp.send_message(what)
    if refused:
        raise NotSent(f"{to.host} took the mail, but not for {', '.join(sorted(refused))}")


def _begin_tls(smtp: smtplib.SMTP, context: ssl.SSLContext) -> None:
    smtp.ehlo_or_helo_if_needed()
    if not smtp.has_extn("starttls"):
        raise smtplib.SMTPNotSupportedError("it offers no TLS (STARTTLS), so nothing was sent")
    code, said = smtp.starttls(context=context)
    if code != 220:
        raise smtplib.SMTPResponseException(code, said)


def _log_in(smtp: smtplib.SMTP, user: str, password: credentials.Secret) -> None:
    """One attempt: smtplib's own login tries a wrong password in each way that is offered, which may lock the account."""
    smtp.ehlo_or_helo_if_needed()
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    smtp.user, smtp.password = user, password.reveal()
    if "PLAIN" in offered:
        smtp.auth("PLAIN", smtp.auth_plain)
    elif "LOGIN" in offered:
        smtp.auth("LOGIN", smtp.auth_login)
    else:
        raise smtplib.SMTPNotSupportedError("it offers no login (AUTH PLAIN or LOGIN)")


def _why(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return f"no recipient was taken: {code} {said.decode('utf-8', 'replace')}"
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return f"{error.smtp_code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}"
    if isinstance(error, socket.gaierror):
        return f"this name is not known: {error.strerror}"
    if isinstance(error, UnicodeError):  # its own words would show a part of what it could not write
        return "the user or the password holds more than ASCII characters, which no login takes everywhere"
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "it did not answer in time"
    return str(error) or type(error).__name__
