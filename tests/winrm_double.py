"""A Windows host of our own, as far as WinRM goes: WS-Management over TLS or sealed, to which the real client logs in.

NTLM and Kerberos (bound to their TLS channel, messages sealed over HTTP), Basic, and certificates mapped to accounts. There is no PowerShell behind it: it reads the questions
of our script and answers from a table, in frames as framing/ps.py describes them. Envelopes follow recorded traffic of real hosts.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import ipaddress
import os
import re
import socket
import ssl
import struct
import threading
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import spnego
import spnego.channel_bindings
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auditor.framing import ps

USER, PASSWORD = "auditor", "canary-s3cret-pässword-€"
ASCII_PASSWORD = "canary-s3cret-password"
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
XFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SPACES = f'xml:lang="en-US" xmlns:s="{S}" xmlns:a="{A}" xmlns:x="{XFER}" xmlns:w="{W}" xmlns:rsp="{RSP}" xmlns:p="{W}"'
SOAP = "application/soap+xml;charset=UTF-8"
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
SEALED = "application/HTTP-SPNEGO-session-encrypted"

# ---------------------------------------------------------------- what stands in for PowerShell


@dataclass(frozen=True)
class Error:
    """How a question ends that PowerShell's error ended."""

    id: str
    hresult: str
    message: str


Told = str | Error | None  # None: it hangs
_QUESTION = re.compile(r"^Q (\d+) (\d+) @'\n(.*?)\n'@ @\(([^\n]*)\)$", re.DOTALL | re.MULTILINE)
_NONCE = re.compile(r"\)\)\) ([0-9a-f]+)\"$")
_WORD = re.compile(r"\(U '([^']*)'\)|'((?:[^']|'')*)'")


def hello(name: str = "WIN-DOUBLE", at: Callable[[], float] = time.time, user: str = "1000") -> Callable[..., str]:
    return lambda *_: f"Windows\n{name}\n{user}\n{int(at())}\n{GUID}\n"


def arguments(words: str) -> list[str]:
    return [base64.b64decode(b).decode() if b else t.replace("''", "'") for b, t in _WORD.findall(words)]


def frame(nonce: str, number: str, part: str, text: bytes, cap: int) -> bytes:
    body = base64.b64encode(text[:cap])
    return f"@{nonce} {number} {part} {len(body)}\n".encode() + body + b"\n"


@dataclass
class PowerShell:
    """Answers the questions of a script: `table` holds what a text is answered with, or what makes it of its arguments."""

    table: Mapping[str, Any] = field(default_factory=dict)
    before: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0
    thinks_s: float = 0.0
    scripts: list[str] = field(default_factory=list)

    def __call__(self, process: Process) -> int:
        if self.exit_code:
            process.write("stderr", self.stderr)
            return self.exit_code
        script = process.read_stdin().decode("ascii")
        self.scripts.append(script)
        nonce = _NONCE.search(" ".join(process.arguments))
        assert nonce
        process.write("stdout", self.before)
        process.write("stderr", self.stderr)
        for number, cap, text, words in _QUESTION.findall(script):
            known = self.table.get(text, hello() if text == ps._HELLO else "")
            told: Told = known(*arguments(words)) if callable(known) else known
            time.sleep(self.thinks_s)
            if told is None:
                process.ended.wait(60)
                return 1
            code, said = (1, "") if isinstance(told, Error) else (0, told)
            wrong = f"{told.id} {told.hresult} {told.message}" if isinstance(told, Error) else ""
            body = f"{said}\n{nonce[1]} {code}.".encode()
            frames = frame(nonce[1], number, "o", body, int(cap)) + frame(nonce[1], number, "e", wrong.encode(), 2048)
            process.write("stdout", frames)
        return 0


class Process:
    """One command in a shell: its input comes in pieces, its output waits to be received."""

    def __init__(self, words: list[str], program: Callable[[Process], int]) -> None:
        self.id, self.arguments = str(uuid.uuid4()).upper(), words
        self.changed, self.ended = threading.Condition(), threading.Event()
        self.stdin, self.whole = bytearray(), False
        self.out: list[list[Any]] = []
        self.code: int | None = None
        self.error = ""
        threading.Thread(target=self._run, args=(program,), daemon=True).start()

    def _run(self, program: Callable[[Process], int]) -> None:
        code = program(self)
        with self.changed:
            self.code = code
            self.changed.notify_all()

    def feed(self, data: bytes, end: bool) -> None:
        with self.changed:
            self.stdin += data
            self.whole |= end
            self.changed.notify_all()

    def read_stdin(self) -> bytes:
        with self.changed:
            self.changed.wait_for(lambda: self.whole or self.ended.is_set(), 30)
            return bytes(self.stdin)

    def write(self, stream: str, data: bytes) -> None:
        with self.changed:
            if data:
                self.out.append([stream, data])
                self.changed.notify_all()


# ---------------------------------------------------------------- WS-Management


class Fault(Exception):
    def __init__(self, code: int, subcode: str, text: str) -> None:
        super().__init__(text)
        self.code, self.subcode, self.text = code, subcode, text


@dataclass
class Trouble:
    """What goes wrong at a message: `how` is drop, lost (done, but not answered), stall, fault or answer; `times` it does."""

    how: str
    times: int = 1
    fault: Fault | None = None
    status: int = 200
    body: bytes = b""
    kind: str = SOAP
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Double:
    """`troubles` by message: Hello (the first, without a credential), Login, Create, Command, Send, Receive, Signal, Delete.

    `realm` is that its Kerberos acceptor stands in, as HTTP/localhost, with the keytab that the environment names. `clients` is the
    authority that signs certificates of accounts, `mapped` the account of each such certificate, by its common name.
    """

    program: Callable[[Process], int] = field(default_factory=PowerShell)
    users: Mapping[str, str] = field(default_factory=lambda: {USER: PASSWORD})
    tls: Tls | None = None
    realm: str = ""
    clients: str = ""
    mapped: Mapping[str, str] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)
    schemes: tuple[str, ...] = ("Negotiate",)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    piece: int = 32768
    address: str = ""
    shells: dict[str, dict[str, Process]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    refused: int = 0
    options: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    requests: int = 0
    opened: int = 0
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def trouble(self, verb: str) -> Trouble | None:
        found = self.troubles.get(verb)
        if found is None or found.times <= 0:
            return None
        found.times -= 1
        return found

    # each message

    def soap(self, verb: str, root: ET.Element) -> tuple[int, bytes]:
        head, body = root.find(f"{{{S}}}Header"), root.find(f"{{{S}}}Body")
        assert head is not None
        assert body is not None
        relates = head.findtext(f"{{{A}}}MessageID") or ""
        self.log.append(verb)
        try:
            trouble = self.trouble(f"{verb} fault")
            if trouble and trouble.fault:
                raise trouble.fault
            told = getattr(self, f"do_{verb.lower()}")(head, body)
            return 200, envelope(f"{head.findtext(f'{{{A}}}Action')}Response", relates, told)
        except Fault as fault:
            reason = escape(fault.text)
            return 500, envelope(
                f"{W}/fault",
                relates,
                f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
                f'<s:Reason><s:Text xml:lang="en-US">{reason} </s:Text></s:Reason><s:Detail><f:WSManFault '
                f'xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{fault.code}" Machine="127.0.0.1">'
                f"<f:Message>{reason} </f:Message></f:WSManFault></s:Detail></s:Fault>",
            )

    def shell(self, head: ET.Element) -> dict[str, Process]:
        number = head.findtext(f"{{{W}}}SelectorSet/{{{W}}}Selector") or ""
        if number not in self.shells:
            raise Fault(2150858843, "w:InvalidSelectors", f"the shell {number} was not found on the server.")
        return self.shells[number]

    def command(self, head: ET.Element, number: str | None) -> Process:
        found = self.shell(head).get(number or "")
        if found is None:
            raise Fault(2150858843, "w:InvalidSelectors", "a command identifier that does not exist.")
        return found

    def do_create(self, head: ET.Element, body: ET.Element) -> str:
        number = str(uuid.uuid4()).upper()
        self.shells[number] = {}
        self.opened += 1
        self.options.append({o.get("Name", ""): o.text or "" for o in head.findall(f"{{{W}}}OptionSet/{{{W}}}Option")})
        self.options[-1]["idle"] = body.findtext(f"{{{RSP}}}Shell/{{{RSP}}}IdleTimeOut") or ""
        return (
            f"<x:ResourceCreated><a:Address>here</a:Address><a:ReferenceParameters><w:ResourceURI>{RSP}/cmd</w:ResourceURI>"
            f'<w:SelectorSet><w:Selector Name="ShellId">{number}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f'</x:ResourceCreated><rsp:Shell xmlns:rsp="{RSP}"><rsp:ShellId>{number}</rsp:ShellId></rsp:Shell>'
        )

    def do_command(self, head: ET.Element, body: ET.Element) -> str:
        line = body.find(f"{{{RSP}}}CommandLine")
        assert line is not None
        words = [line.findtext(f"{{{RSP}}}Command") or "", *(a.text or "" for a in line.findall(f"{{{RSP}}}Arguments"))]
        process = Process(words, self.program)
        self.shell(head)[process.id] = process
        return f"<rsp:CommandResponse><rsp:CommandId>{process.id}</rsp:CommandId></rsp:CommandResponse>"

    def do_send(self, head: ET.Element, body: ET.Element) -> str:
        for stream in body.findall(f"{{{RSP}}}Send/{{{RSP}}}Stream"):
            process = self.command(head, stream.get("CommandId"))
            if process.code is not None:
                raise Fault(232, "w:InternalError", "The pipe is being closed.")
            process.feed(base64.b64decode(stream.text or ""), (stream.get("End") or "").lower() == "true")
        return "<rsp:SendResponse></rsp:SendResponse>"

    def do_receive(self, head: ET.Element, body: ET.Element) -> str:
        wanted = body.find(f"{{{RSP}}}Receive/{{{RSP}}}DesiredStream")
        assert wanted is not None
        number, limit = wanted.get("CommandId"), float((head.findtext(f"{{{W}}}OperationTimeout") or "PT20S")[2:-1])
        process = self.command(head, number)
        parts, room = [], 100_000
        with process.changed:
            if not process.changed.wait_for(lambda: process.out or process.code is not None, limit):
                raise Fault(2150858793, "w:TimedOut", "The operation cannot be completed within OperationTimeout.")
            while process.out and room > 0:
                stream, data = process.out[0]
                taken = data[: self.piece]
                room -= len(taken) * 4 // 3 + 100
                process.out[0][1] = data[len(taken) :]
                if not process.out[0][1]:
                    process.out.pop(0)
                text = base64.b64encode(taken).decode()
                parts.append(f'<rsp:Stream Name="{stream}" CommandId="{number}">{text}</rsp:Stream>')
                if self.piece < 1000:
                    break
            state, code = "Running", ""
            if process.code is not None and not process.out:
                parts += [
                    f'<rsp:Stream Name="{n}" CommandId="{number}" End="true"></rsp:Stream>'
                    for n in ("stdout", "stderr")
                ]
                state, code = "Done", f"<rsp:ExitCode>{process.code}</rsp:ExitCode>"
        parts.append(
            f'<rsp:CommandState CommandId="{number}" State="{RSP}/CommandState/{state}">{code}</rsp:CommandState>'
        )
        return f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"

    def do_signal(self, head: ET.Element, body: ET.Element) -> str:
        signal = body.find(f"{{{RSP}}}Signal")
        assert signal is not None
        self.command(head, signal.get("CommandId")).ended.set()
        self.shell(head).pop(signal.get("CommandId", ""))
        return "<rsp:SignalResponse/>"

    def do_delete(self, head: ET.Element, body: ET.Element) -> str:
        for process in self.shell(head).values():
            process.ended.set()
        del self.shells[head.findtext(f"{{{W}}}SelectorSet/{{{W}}}Selector") or ""]
        return ""


def envelope(action: str, relates: str, body: str) -> bytes:
    return (
        f"<s:Envelope {SPACES}><s:Header><a:Action>{action}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{A}/role/anonymous</a:To><a:RelatesTo>{relates}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


class Handler(BaseHTTPRequestHandler):
    """One connection: NTLM is a property of it."""

    protocol_version, server_version, sys_version = "HTTP/1.1", "Microsoft-HTTPAPI/2.0", ""
    disable_nagle_algorithm = True
    double: Double

    def setup(self) -> None:
        super().setup()
        self.context: Any = None
        self.who = ""
        self.double.connections += 1

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def answer(self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def troubled(self, verb: str) -> bool:
        """Does what goes wrong at this message, in the place of an answer."""
        trouble = self.double.trouble(verb)
        if trouble is None:
            return False
        if trouble.how == "stall":
            self.double.released.wait(60)
        if trouble.how == "answer":
            self.answer(trouble.status, trouble.body, (("Content-Type", trouble.kind), *trouble.headers))
        else:
            self.hang_up()
        return True

    def do_POST(self) -> None:
        double = self.double
        double.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if self.path != "/wsman":
            return self.answer(404)
        if self.troubled("Login" if token else "" if self.who else "Hello"):
            return None
        said = self.logged_in(scheme, token)
        if said is None:
            return None
        if not body:
            return self.answer(200, b"", said)
        sealed = self.headers.get("Content-Type", "").startswith("multipart/encrypted")
        if sealed:
            try:
                body = self.opened(body)
            except spnego.exceptions.SpnegoError:
                return self.answer(400)  # sealed with the keys of another connection
        elif double.tls is None:
            return self.answer(500)  # AllowUnencrypted is false
        root = ET.fromstring(body)
        verb = (root.findtext(f"{{{S}}}Header/{{{A}}}Action") or "").rsplit("/", 1)[1]
        lost = double.troubles.get(verb)
        if not (lost and lost.how == "lost") and self.troubled(verb):
            return None
        status, told = double.soap(verb, root)
        if lost and lost.how == "lost" and self.troubled(verb):
            return None
        kind = SOAP
        if sealed:
            told = self.closed(told)
            kind = f'multipart/encrypted;protocol="{SEALED}";boundary="Encrypted Boundary"'
        return self.answer(status, told, (*said, ("Content-Type", kind)))

    def logged_in(self, scheme: str, token: str) -> tuple[tuple[str, str], ...] | None:
        """The headers to answer with, or None when it was answered already."""
        double = self.double
        if scheme == "Basic" and "Basic" in double.schemes:
            user, _, password = base64.b64decode(token).decode("latin-1").partition(":")
            self.who = user if double.users.get(user) == password else ""
            double.refused += not self.who
        elif scheme in ("Negotiate", "NTLM") and scheme in double.schemes:
            return self.negotiated(scheme, base64.b64decode(token))
        elif scheme == MUTUAL and double.clients:
            self.who = self.certified()
            double.refused += not self.who
        if self.who:
            return ()
        self.answer(
            401, b"", tuple(("WWW-Authenticate", 'Basic realm="WSMAN"' if s == "Basic" else s) for s in double.schemes)
        )
        return None

    def certified(self) -> str:
        """The account of the certificate that the other end showed."""
        shown = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        names = dict(pair for part in (shown or {}).get("subject", ()) for pair in part)
        return self.double.mapped.get(names.get("commonName", ""), "")

    def acceptor(self, token: bytes) -> Any:
        """pywinrm sends bare NTLM, pypsrp SPNEGO around it; a ticket comes in SPNEGO too."""
        bound = {"channel_bindings": self.binding()}
        if token.startswith(b"NTLMSSP\0"):
            return spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm, **bound)
        if self.double.realm:
            return spnego.server(hostname="localhost", service="HTTP", protocol="kerberos", **bound)
        return spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate, **bound)

    def negotiated(self, scheme: str, token: bytes) -> tuple[tuple[str, str], ...] | None:
        if self.context is None or self.context.complete:
            self.context, self.who = self.acceptor(token), ""
        try:
            out = self.context.step(token)
        except (
            spnego.exceptions.SpnegoError,
            AttributeError,
        ):  # pyspnego reads flags of a context that GSSAPI refused to make
            self.context = None
            self.double.refused += 1
            self.answer(401, b"", (("WWW-Authenticate", scheme),))
            return None
        said = (("WWW-Authenticate", f"{scheme} {base64.b64encode(out or b'').decode()}"),)
        if not self.context.complete:
            self.answer(401, b"", said)
            return None
        self.who = self.context.client_principal
        self.double.logins.append(self.who)
        return said if out else ()

    def binding(self) -> Any:
        if self.double.tls is None:
            return None
        data = b"tls-server-end-point:" + self.double.tls.digest
        return spnego.channel_bindings.GssChannelBindings(application_data=data)

    def opened(self, body: bytes) -> bytes:
        payload = body.split(b"--Encrypted Boundary\r\n")[2].split(b"octet-stream\r\n", 1)[1]
        payload = payload.removesuffix(b"--Encrypted Boundary--\r\n")
        size = struct.unpack("<i", payload[:4])[0]
        if self.context is None:
            raise spnego.exceptions.BadMICError
        found: bytes = self.context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])
        return found

    def closed(self, told: bytes) -> bytes:
        one = self.context.wrap_winrm(told)
        head = f"\tContent-Type: {SEALED}\r\n\tOriginalContent: type={SOAP};Length={len(told) + one.padding_length}\r\n"
        return (
            b"--Encrypted Boundary\r\n" + head.encode() + b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<i", len(one.header)) + one.header + one.data + b"--Encrypted Boundary--\r\n"
        )  # fmt: skip


# ---------------------------------------------------------------- certificates, and the server


@dataclass(frozen=True)
class Tls:
    """A host's certificate with its key, and the authority that signed it."""

    chain: str
    authority: str
    digest: bytes


def certified(folder: Path, *names: str, days: int = 30, common: str = "host") -> Tls:
    """For these names or addresses; expired where `days` is negative."""
    now = dt.datetime.now(dt.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]

    def made(name: str, issuer: str, key: Any, signer: Any) -> x509.CertificateBuilder:
        subject, by = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (name, issuer))
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(60)).not_valid_after(now + dt.timedelta(days))
        )  # fmt: skip

    authority = made("Authority", "Authority", keys[0], keys[0]).add_extension(x509.BasicConstraints(True, None), True)
    root = authority.sign(keys[0], hashes.SHA256())
    alternatives: list[Any] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    leaf = made(common, "Authority", keys[1], keys[0]).add_extension(x509.SubjectAlternativeName(alternatives), False)
    signed = leaf.sign(keys[0], hashes.SHA256())
    folder.mkdir(parents=True, exist_ok=True)
    pem = serialization.Encoding.PEM
    private = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "host.pem").write_bytes(signed.public_bytes(pem) + private)
    (folder / "authority.pem").write_bytes(root.public_bytes(pem))
    digest = hashlib.sha256(signed.public_bytes(serialization.Encoding.DER)).digest()
    return Tls(str(folder / "host.pem"), str(folder / "authority.pem"), digest)


class _Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that refuses our certificate is no news."""


class _Server6(_Server):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def listening(folder: Path, **rest: Any) -> Iterator[Double]:
    """A double on all of loopback. What it takes for NTLM stands in a file that the environment names: one set of users a process."""
    double = Double(**rest)
    users = folder / "ntlm-users"
    users.write_text("".join(f":{user}:{password}\n" for user, password in double.users.items()), "utf-8")
    before = os.environ.get("NTLM_USER_FILE")
    os.environ["NTLM_USER_FILE"] = str(users)
    handler = type("Here", (Handler,), {"double": double})
    server = (_Server6 if ":" in double.address else _Server)((double.address or "0.0.0.0", 0), handler)
    if double.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(double.tls.chain)
        if double.clients:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(double.clients)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    double.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield double
    finally:
        double.released.set()
        server.shutdown()
        server.server_close()
        if before is None:
            del os.environ["NTLM_USER_FILE"]
        else:
            os.environ["NTLM_USER_FILE"] = before
