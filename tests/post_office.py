"""Real SMTP servers on loopback with certificates of their own, and one that misbehaves as it is told."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Box:
    """What a server took, and what it was asked. `refuses` gives an answer of its own to a command."""

    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    refuses: Mapping[str, str] = field(default_factory=dict)
    password: bytes = b""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if "RCPT" in self.refuses and self.refuses["RCPT"].split()[0] in address:
            return self.refuses["RCPT"].partition(" ")[2]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.refuses:
            return self.refuses["DATA"]
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == self.password, handled=False)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def server(box: Box, certificate: Path | None, implicit: bool = False, login: bool = False) -> Iterator[int]:
    """The port of a server; without a certificate it offers no TLS."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    tls: dict[str, Any] = {"ssl_context": context} if implicit else {"tls_context": context}
    if context and not implicit:
        tls["require_starttls"] = True
    if login:
        tls |= {"authenticator": box.authenticate, "auth_required": not implicit, "auth_require_tls": not implicit}
    running = Controller(box, hostname="127.0.0.1", port=free_port(), **tls)
    running.start()
    try:
        yield running.port
    finally:
        running.stop()


@contextmanager
def talker(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does with its one caller what `talk` does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def serve() -> None:
            with listening.accept()[0] as caller:
                try:
                    talk(caller)
                except OSError:
                    pass
                ended.wait(10)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            ended.set()
            thread.join(10)


def certificates(folder: Path) -> dict[str, Path]:
    """Of one authority (`ca`): a good one of localhost, one of another name, one that expired; and one of nobody's."""
    ca_key, own_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Test CA", ca_key, "Test CA", ca_key, (), 1)
    made = {
        "good": (_certificate("localhost", own_key, "Test CA", ca_key, ("localhost",), 1), own_key),
        "other": (_certificate("mail.invalid", own_key, "Test CA", ca_key, ("mail.invalid",), 1), own_key),
        "expired": (_certificate("localhost", own_key, "Test CA", ca_key, ("localhost",), -1), own_key),
        "own": (_certificate("localhost", own_key, "localhost", own_key, ("localhost",), 1), own_key),
    }
    paths = {"ca": folder / "ca.pem"}
    paths["ca"].write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    for name, (certificate, key) in made.items():
        paths[name] = folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        paths[name].write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return paths


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signed_with: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
    days: int,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    called = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer)]
    builder = x509.CertificateBuilder(called[1], called[0], key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=2))
    builder = builder.not_valid_after(now + dt.timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    return builder.sign(signed_with, hashes.SHA256())
