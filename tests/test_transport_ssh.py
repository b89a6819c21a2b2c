"""Hostile and broken SSH servers: each costs itself alone, in bounded time and memory, and never looks like an answer."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_DATA, cMSG_CHANNEL_EXTENDED_DATA, cMSG_CHANNEL_WINDOW_ADJUST, cMSG_IGNORE
from sshd import Sshd, new_key

from auditor.collect import Places, each
from auditor.framing.sh import HELLO
from auditor.kinds import Settings
from auditor.model import Answer, Command, Failure, Host, Output
from auditor.transports import ssh

DEADLINE_S = 2.0
ENOUGH = 16 * 1024 * 1024  # what a server can push into our buffers and the kernel's; it tries to send a gigabyte
GIGABYTE = 1024**3
ASKED = (HELLO, Command("echo a"), Command("id -u", elevated=True))
HOST_KEY = paramiko.ECDSAKey.generate()

Told = dict[Command, Answer]
Talk = Callable[["Hostile", paramiko.Channel, bytes], None]


# ---------------------------------------------------------------- a server that we write ourselves


@dataclass
class Hostile(paramiko.ServerInterface):
    """What one server does: `raw` with the bare connection, or `talk` once a command was asked for."""

    talk: Talk | None = None
    raw: Callable[[Hostile, socket.socket], None] | None = None
    accept: int = paramiko.AUTH_SUCCESSFUL
    allowed: str = "publickey"
    opens: bool = True
    replies: bool = True
    window: int | None = None
    on_auth: Callable[[Hostile], None] | None = None
    port: int = 0
    sent: int = 0
    transports: list[paramiko.Transport] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def get_allowed_auths(self, username: str) -> str:
        return self.allowed

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        if self.on_auth:
            self.on_auth(self)
        return self.accept

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if not self.opens:
            self.over.wait()
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        nonce = command.split()[-1]
        threading.Thread(target=self._talk, args=(channel, nonce), daemon=True).start()
        if not self.replies:
            self.over.wait()
        return True

    def _talk(self, channel: paramiko.Channel, nonce: bytes) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            if self.talk:
                self.talk(self, channel, nonce)

    def serve(self, connection: socket.socket) -> None:
        self.connections.append(connection)
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            if self.raw:
                self.raw(self, connection)
                return
            transport = paramiko.Transport(connection)
            self.transports.append(transport)
            if self.window is not None:
                transport._sanitize_window_size = lambda size: self.window  # type: ignore[method-assign]
            transport.add_server_key(HOST_KEY)
            transport.start_server(server=self, event=threading.Event())

    def flood(self, send: Callable[[], int]) -> None:
        """Sends until nobody takes it, or a gigabyte."""
        while self.sent < GIGABYTE and not self.over.is_set():
            self.sent += send()


@pytest.fixture
def serve() -> Iterator[Callable[..., Hostile]]:
    """`serve(talk=...)`: that server, listening on loopback; all are ended with the test."""
    listeners: list[socket.socket] = []
    running: list[Hostile] = []

    def start(**behaviour: Any) -> Hostile:
        server = Hostile(**behaviour)
        listener = socket.create_server(("127.0.0.1", 0))
        server.port = listener.getsockname()[1]
        listeners.append(listener)
        running.append(server)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.serve(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        return server

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for server in running:
        server.over.set()
        for ended in (*server.transports, *server.connections):
            ended.close()


# ---------------------------------------------------------------- asking it, beside a good host


@dataclass
class Asked:
    told: Told
    took_s: float

    @property
    def causes(self) -> set[str]:
        return {a.cause if isinstance(a, Failure) else "answered" for a in self.told.values()}

    @property
    def message(self) -> str:
        return next(a.message for a in self.told.values() if isinstance(a, Failure))


def line(port: int, key: str, marker: str = "") -> str:
    return f"{marker}[127.0.0.1]:{port} {key}\n"


def public(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


Ask = Callable[..., Asked]


@pytest.fixture
def ask(sshd: Sshd, tmp_path: Path) -> Ask:
    """`ask(server)`: what it answers to ASKED, while a good host beside it answers all."""

    def asking(
        server: Hostile | Sshd, known: str | None = None, key_file: str | None = None, deadline_s: float | None = None
    ) -> Asked:
        deadline_s = deadline_s or (20.0 if isinstance(server, Sshd) else DEADLINE_S)  # a real one is only slow
        file = tmp_path / "known_hosts"
        known = line(server.port, public(HOST_KEY)) if known is None else known
        file.write_text(known + (sshd.known_hosts(["127.0.0.2"])))
        opened = ssh.TRANSPORT.open(Settings(time.time, (ASKED[2],), (str(file),)))
        key = sshd.key_file if key_file is None else key_file
        bad = Host("bad", "127.0.0.1", port=server.port, user=sshd.user, key_file=key)
        good = Host("good", "127.0.0.2", port=sshd.port, user=sshd.user, key_file=sshd.key_file)

        def work(host: Host) -> tuple[str, Asked]:
            begun = time.monotonic()
            told = list(opened(host, ASKED, deadline_s if host is bad else 30.0))
            assert len(told) == len(ASKED) == len(dict(told)), "each question has exactly one answer"
            return host.id, Asked(dict(told), time.monotonic() - begun)

        def broken(host: Host, error: Exception) -> tuple[str, Asked]:
            raise AssertionError(host.id) from error

        results = dict(each([bad, good], work, broken, Places(2)))
        assert isinstance(results["good"].told[HELLO], Output)
        assert isinstance(results["good"].told[ASKED[1]], Output)
        assert results["bad"].took_s < deadline_s + 2
        return results["bad"]

    return asking


def drained(channel: paramiko.Channel) -> bytes:
    """The whole script, until its end."""
    parts = []
    while part := channel.recv(65536):
        parts.append(part)
    return b"".join(parts)


def frame(nonce: bytes, identity: bytes, part: bytes, body: bytes) -> bytes:
    return b"@%s %s %s %d\n%s\n" % (nonce, identity, part, len(body), body)


def answered(nonce: bytes, identity: bytes, text: bytes, code: int = 0) -> bytes:
    return frame(nonce, identity, b"o", b"%s\n%s %d." % (text, nonce, code)) + frame(nonce, identity, b"e", b"")


HELLO_TEXT = b"Linux\nbad\n0\n1795000000\nabc\n"


# ---------------------------------------------------------------- its key


def test_an_unknown_host_key_says_how_to_pin_it(serve: Callable[..., Hostile], ask: Ask) -> None:
    server = serve()
    got = ask(server, known="")
    assert got.causes == {"host_key"}
    fingerprint = base64.b64encode(hashlib.sha256(HOST_KEY.asbytes()).digest()).decode().rstrip("=")
    assert f"SHA256:{fingerprint}" in got.message
    assert f"ssh-keyscan -p {server.port} 127.0.0.1" in got.message


def test_a_changed_host_key_is_said_loudly(serve: Callable[..., Hostile], ask: Ask) -> None:
    server = serve()
    for other in (paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048)):
        got = ask(server, known=line(server.port, public(other)))
        assert got.causes == {"host_key"}
        assert "CHANGED" in got.message


def test_a_revoked_host_key_is_refused_even_when_it_is_known(serve: Callable[..., Hostile], ask: Ask) -> None:
    server = serve()
    known = line(server.port, public(HOST_KEY)) + f"@revoked * {public(HOST_KEY)}\n"
    got = ask(server, known=known)
    assert got.causes == {"host_key"}
    assert "revoked" in got.message


def test_no_question_is_sent_before_the_key_is_verified(serve: Callable[..., Hostile], ask: Ask) -> None:
    logins: list[Hostile] = []
    ask(serve(on_auth=logins.append), known="")
    assert logins == []


def hashed(name: str) -> str:
    salt = os.urandom(20)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def test_known_hosts_as_people_have_them(sshd: Sshd, ask: Ask) -> None:
    """Hashed names, several names a line, comments, rubbish, an older key of the same type beside the true one."""
    name = f"[127.0.0.1]:{sshd.port}"
    other = public(paramiko.ECDSAKey.generate())
    for known in (
        f"{hashed('[127.0.0.9]:1')} {sshd.host_key}\n{hashed(name)} {sshd.host_key} comment\n",
        f"web,{name},10.0.0.1 {sshd.host_key}\n",
        f"# {name} {other}\n\n|1|x|y {other}\n{name}\n{name} ssh-ed25519 ???\n{name} {sshd.host_key}\n",
        f"{name} {sshd.host_key}\n{name} ssh-ed25519 {base64.b64encode(b'an older key').decode()}\n",
        f"{name} {other}\n{name} {sshd.host_key}\n",
    ):
        assert "answered" in ask(sshd, known=known).causes, known


@pytest.mark.parametrize(
    "pattern", ["127.0.0.*", "*,![127.0.0.1]:*", "!127.0.0.1", "@cert-authority *", "127.0.0.1", "[127.0.0.1]:22"]
)
def test_a_line_that_does_not_name_this_host_and_port_proves_nothing(pattern: str, sshd: Sshd, ask: Ask) -> None:
    assert ask(sshd, known=f"{pattern} {sshd.host_key}\n").causes == {"host_key"}


# ---------------------------------------------------------------- our key


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe garbage",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIA==\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    ],
)
def test_a_key_file_that_holds_no_key(text: bytes, sshd: Sshd, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(text)
    (tmp_path / "key").chmod(0o600)
    got = ask(sshd, known=sshd.known_hosts(), key_file=str(tmp_path / "key"))
    assert got.causes == {"auth"}
    assert str(tmp_path / "key") in got.message


def test_a_key_file_that_cannot_be_read(sshd: Sshd, ask: Ask, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / "missing" / "key"):
        got = ask(sshd, known=sshd.known_hosts(), key_file=str(path))
        assert got.causes == {"auth"}
        assert "cannot be read" in got.message


@pytest.mark.parametrize(
    "options",
    [("-t", "ed25519", "-N", "secret"), ("-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "secret"),
     ("-t", "ecdsa", "-m", "PKCS8", "-N", "secret")],
    ids=lambda o: "-".join(o[:5]),
)  # fmt: skip
def test_an_encrypted_key_is_for_the_agent(options: tuple[str, ...], sshd: Sshd, ask: Ask, tmp_path: Path) -> None:
    new_key(tmp_path / "key", "ssh-keygen", *options)
    got = ask(sshd, known=sshd.known_hosts(), key_file=str(tmp_path / "key"))
    assert got.causes == {"auth"}
    assert "ssh-agent" in got.message


@pytest.mark.parametrize(
    "options", [("-t", "rsa", "-b", "2048"), ("-t", "ecdsa"), ("-t", "ed25519")], ids=lambda o: o[1]
)
def test_a_key_that_the_host_does_not_know(options: tuple[str, ...], sshd: Sshd, ask: Ask, tmp_path: Path) -> None:
    new_key(tmp_path / "key", "ssh-keygen", *options, "-N", "")
    got = ask(sshd, known=sshd.known_hosts(), key_file=str(tmp_path / "key"))
    assert got.causes == {"auth"}
    assert "refuses our key" in got.message


def test_no_key_at_all(sshd: Sshd, ask: Ask) -> None:
    got = ask(sshd, known=sshd.known_hosts(), key_file="")
    assert got.causes == {"auth"}
    assert "no key" in got.message


def test_the_keys_of_the_home_are_offered(sshd: Sshd, ask: Ask, tripwires: Path) -> None:
    folder = tripwires / ".ssh"
    folder.mkdir()
    (folder / "id_rsa").write_text("garbage")
    (folder / "id_ecdsa").write_bytes(Path(sshd.key_file).read_bytes())
    (folder / "id_ecdsa").chmod(0o600)
    assert "answered" in ask(sshd, known=sshd.known_hosts(), key_file="", deadline_s=20).causes


def test_more_than_a_key_is_asked_for(serve: Callable[..., Hostile], ask: Ask) -> None:
    got = ask(serve(accept=paramiko.AUTH_PARTIALLY_SUCCESSFUL, allowed="publickey,keyboard-interactive"))
    assert got.causes == {"auth"}
    assert "keyboard-interactive" in got.message


def test_keys_are_not_taken_at_all(serve: Callable[..., Hostile], ask: Ask) -> None:
    got = ask(serve(accept=paramiko.AUTH_FAILED, allowed="password"))
    assert got.causes == {"auth"}
    assert "password" in got.message


def test_a_host_that_hangs_up_while_we_log_in_did_not_refuse_our_key(serve: Callable[..., Hostile], ask: Ask) -> None:
    assert ask(serve(on_auth=lambda server: server.connections[0].shutdown(socket.SHUT_RDWR))).causes == {"closed"}


def test_a_login_that_never_ends(serve: Callable[..., Hostile], ask: Ask) -> None:
    assert ask(serve(on_auth=lambda server: server.over.wait())).causes == {"timeout"}


# ---------------------------------------------------------------- it speaks no SSH


def test_nobody_listens(ask: Ask, sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    got = ask(Hostile(port=port))
    assert got.causes == {"unreachable"}
    assert f"127.0.0.1:{port}" in got.message


@pytest.mark.parametrize(
    ("raw", "causes"),
    [
        (lambda server, c: server.over.wait(), {"timeout", "unreachable"}),
        (lambda server, c: c.close(), {"unreachable"}),
        (lambda server, c: (c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), c.close()), {"unreachable"}),
        (lambda server, c: (c.sendall(b"SSH-2.0-x\r\n"), c.close()), {"unreachable"}),
        (lambda server, c: (c.sendall(b"SSH-2.0-x\r\n"), server.over.wait()), {"timeout", "unreachable"}),
        (lambda server, c: (c.sendall(b"SSH-1.5-x\r\n"), server.over.wait()), {"unreachable"}),
        (
            lambda server, c: (c.sendall(b"SSH-2.0-x\r\n" + b"\xff" * 4096), server.over.wait()),
            {"timeout", "unreachable"},
        ),
        (
            lambda server, c: (c.sendall(b"SSH-2.0-x\r\n" + os.urandom(4096)), server.over.wait()),
            {"timeout", "unreachable"},
        ),
        (lambda server, c: (c.sendall(b"SSH-2.0-x\r\n\0\0\0\x0c\x0a\x14"), c.close()), {"unreachable"}),
    ],
    ids=[
        "mute",
        "closes",
        "http",
        "closes after banner",
        "mute after banner",
        "ssh 1",
        "ff",
        "random",
        "half a packet",
    ],
)
def test_no_conversation(raw: Any, causes: set[str], serve: Callable[..., Hostile], ask: Ask) -> None:
    got = ask(serve(raw=raw))
    assert len(got.causes) == 1
    assert got.causes <= causes


@pytest.mark.parametrize("piece", [b"x" * 65536, b"x\n" * 32768, b"SSH" * 20000], ids=["no line", "lines", "almost"])
def test_an_endless_banner(piece: bytes, serve: Callable[..., Hostile], ask: Ask) -> None:
    server = serve(raw=lambda server, c: server.flood(lambda: c.send(piece)))
    got = ask(server)
    assert got.causes <= {"unreachable", "timeout"}
    assert got.took_s < DEADLINE_S
    assert server.sent < ENOUGH


# ---------------------------------------------------------------- it stops


def test_it_never_opens_the_channel(serve: Callable[..., Hostile], ask: Ask) -> None:
    assert ask(serve(opens=False)).causes == {"timeout"}


def test_it_never_says_yes_to_the_command(serve: Callable[..., Hostile], ask: Ask) -> None:
    assert ask(serve(replies=False)).causes == {"timeout"}


def test_it_never_opens_its_window(serve: Callable[..., Hostile], ask: Ask) -> None:
    assert ask(serve(window=0)).causes == {"timeout"}


def test_it_opens_its_window_byte_by_byte(serve: Callable[..., Hostile], ask: Ask) -> None:
    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        while not server.over.wait(0.02):
            server.transports[0]._send_user_message(message(cMSG_CHANNEL_WINDOW_ADJUST, channel, 1))

    assert ask(serve(window=0, talk=talk)).causes == {"timeout"}


def test_it_never_reads(serve: Callable[..., Hostile], ask: Ask) -> None:
    assert ask(serve(talk=lambda server, channel, nonce: server.over.wait())).causes == {"timeout"}


def test_it_never_answers(serve: Callable[..., Hostile], ask: Ask) -> None:
    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        drained(channel)
        server.over.wait()

    assert ask(serve(talk=talk)).causes == {"timeout"}


def test_it_dribbles(serve: Callable[..., Hostile], ask: Ask) -> None:
    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        drained(channel)
        while not server.over.wait(0.005):
            channel.sendall(b"x")

    assert ask(serve(talk=talk)).causes == {"timeout"}


def test_it_closes_in_the_middle_of_the_script(serve: Callable[..., Hostile], ask: Ask) -> None:
    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        channel.recv(100)
        server.transports[0].close()

    got = ask(serve(talk=talk))
    assert got.causes == {"closed"}
    assert got.took_s < DEADLINE_S


def test_it_closes_the_channel_unasked(serve: Callable[..., Hostile], ask: Ask) -> None:
    got = ask(serve(talk=lambda server, channel, nonce: channel.close()))
    assert got.causes == {"closed"}
    assert got.took_s < DEADLINE_S


def test_what_was_answered_before_it_closed_counts(serve: Callable[..., Hostile], ask: Ask) -> None:
    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        drained(channel)
        channel.sendall(answered(nonce, b"0", HELLO_TEXT) + answered(nonce, b"1", b"a\n")[:-3])
        channel.close()

    got = ask(serve(talk=talk))
    assert isinstance(got.told[HELLO], Output)
    assert got.told[ASKED[1]].cause == "closed"


@pytest.mark.parametrize("status", [True, False])
def test_it_leaves_the_channel_open_after_all_was_answered(
    status: bool, serve: Callable[..., Hostile], ask: Ask
) -> None:
    """What a login leaves running holds the channel open: that costs no deadline."""

    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        drained(channel)
        channel.sendall(answered(nonce, b"0", HELLO_TEXT))
        time.sleep(0.2)
        channel.sendall(answered(nonce, b"1", b"a\n") + answered(nonce, b"2", b"0\n"))
        if status:
            channel.send_exit_status(0)
        server.over.wait()

    server = serve(talk=talk)
    got = ask(server, deadline_s=20.0)
    assert got.causes == {"answered"}
    assert got.took_s < 10


def test_what_has_no_words_of_its_own_is_named(serve: Callable[..., Hostile], ask: Ask) -> None:
    def raw(server: Hostile, connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-x\r\n")
        connection.recv(4096)
        connection.close()

    got = ask(serve(raw=raw))
    assert got.causes == {"unreachable"}
    assert not got.message.endswith(": ")


# ---------------------------------------------------------------- it floods


def message(kind: bytes, channel: paramiko.Channel, *parts: int | bytes) -> paramiko.Message:
    made = paramiko.Message()
    made.add_byte(kind)
    made.add_int(channel.remote_chanid)
    for part in parts:
        made.add_int(part) if isinstance(part, int) else made.add_string(part)
    return made


def ignoring_the_window(kind: bytes, *parts: int | bytes) -> Talk:
    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        def send() -> int:
            if not server.transports[0].is_active():
                raise EOFError
            server.transports[0]._send_user_message(message(kind, channel, *parts))
            return 32768

        server.flood(send)

    return talk


def polite(send: Callable[[paramiko.Channel, bytes], int]) -> Talk:
    """Floods within the window, after reading the script."""

    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        drained(channel)
        server.flood(lambda: send(channel, nonce))

    return talk


JUNK = b"x" * 32768
FLOODS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "stdout": ({"talk": polite(lambda c, n: c.send(JUNK))}, {"framing"}),
    "stderr": ({"talk": polite(lambda c, n: c.send_stderr(JUNK))}, {"timeout"}),
    "an endless answer": ({"talk": polite(lambda c, n: c.send(b"@%s 1 o 999999999\n" % n + JUNK))}, {"framing"}),
    "ends of the elevated part": (
        {"talk": polite(lambda c, n: c.send(frame(n, b"x", b"e", JUNK[:2000])))},
        {"framing", "no_privilege"},
    ),
    "the same half answer": ({"talk": polite(lambda c, n: c.send(frame(n, b"1", b"o", JUNK)))}, {"framing"}),
    "stdout against the window": ({"talk": ignoring_the_window(cMSG_CHANNEL_DATA, JUNK)}, {"framing", "closed"}),
    "stderr against the window": ({"talk": ignoring_the_window(cMSG_CHANNEL_EXTENDED_DATA, 1, JUNK)}, {"closed"}),
    "stdout before it says yes": (
        {"talk": ignoring_the_window(cMSG_CHANNEL_DATA, JUNK), "replies": False},
        {"closed", "framing"},
    ),
    "messages to be ignored": ({"talk": ignoring_the_window(cMSG_IGNORE, JUNK)}, {"closed"}),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_stopped_early(name: str, serve: Callable[..., Hostile], ask: Ask) -> None:
    behaviour, causes = FLOODS[name]
    server = serve(**behaviour)
    got = ask(server)
    assert got.causes <= causes
    assert server.sent < ENOUGH


# ---------------------------------------------------------------- it lies


def says(*parts: Callable[[bytes], bytes] | bytes) -> Talk:
    def talk(server: Hostile, channel: paramiko.Channel, nonce: bytes) -> None:
        drained(channel)
        for part in parts:
            channel.sendall(part if isinstance(part, bytes) else part(nonce))
        channel.shutdown_write()
        channel.close()

    return talk


def hello(nonce: bytes) -> bytes:
    return answered(nonce, b"0", HELLO_TEXT)


def both(nonce: bytes) -> bytes:
    return hello(nonce) + answered(nonce, b"1", b"a\n")


LIES: dict[str, tuple[Talk, list[str]]] = {
    "nothing": (says(), ["closed", "closed"]),
    "a small banner": (says(b"Welcome!\r\n\x1b[2J@@@ 0 o 5\n", both), ["answered", "answered"]),
    "a large banner": (says(b"x" * 1024 * 1024, both), ["framing", "framing"]),
    "stderr first": (says(both), ["answered", "answered"]),
    "another nonce": (says(hello, lambda n: answered(b"feedfeedfeedfeed", b"1", b"a\n")), ["answered", "closed"]),
    "an enormous length": (says(hello, lambda n: b"@%s 1 o 99999999999\n" % n), ["answered", "framing"]),
    "a length beyond the cap": (says(hello, lambda n: b"@%s 1 o 65600\n" % n), ["answered", "framing"]),
    "not a number": (says(hello, lambda n: b"@%s \xb2 o 5\nabcde\n" % n), ["answered", "framing"]),
    "not asked": (says(hello, lambda n: answered(n, b"7", b"a\n")), ["answered", "framing"]),
    "twice": (says(hello, hello, lambda n: answered(n, b"1", b"a\n")), ["answered", "framing"]),
    "no end": (
        says(hello, lambda n: frame(n, b"1", b"o", b"a") + frame(n, b"1", b"e", b"")),
        ["answered", "truncated"],
    ),
    "an endless exit code": (
        says(hello, lambda n: frame(n, b"1", b"o", b"a\n" + n + b" " + b"9" * 6000) + frame(n, b"1", b"e", b"")),
        ["answered", "truncated"],
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_lies(name: str, serve: Callable[..., Hostile], ask: Ask) -> None:
    talk, wanted = LIES[name]
    got = ask(serve(talk=talk))
    assert [getattr(got.told[c], "cause", "answered") for c in ASKED[:2]] == wanted
    assert not isinstance(got.told[ASKED[2]], Output)


def test_bytes_of_a_hostile_answer_come_whole_and_can_be_shown(serve: Callable[..., Hostile], ask: Ask) -> None:
    text = b"\xff\xfe\x00\x1b[31m\x1b]0;title\x07\r\n@0123456789abcdef 1 e 0\n\n\xe2\x80\xae"

    def forged(nonce: bytes) -> bytes:
        return answered(nonce, b"1", text + answered(nonce, b"2", b"0\n"))

    got = ask(serve(talk=says(hello, forged)))
    found = got.told[ASKED[1]]
    assert isinstance(found, Output)
    assert found.stdout.startswith(text)
    found.text.encode("utf-8")
    assert not isinstance(got.told[ASKED[2]], Output), "a frame inside an answer is text"


def test_a_clock_beyond_reason_is_no_clock(serve: Callable[..., Hostile], ask: Ask) -> None:
    def strange(nonce: bytes) -> bytes:
        return answered(nonce, b"0", b"Linux\nbad\n0\n" + b"9" * 400 + b"\nabc\n")

    found = ask(serve(talk=says(strange))).told[HELLO]
    assert isinstance(found, Output)
    assert found.host_at is None


# ---------------------------------------------------------------- what we say of it


def test_no_message_of_ours_holds_terminal_controls(serve: Callable[..., Hostile], ask: Ask) -> None:
    got = ask(serve(talk=says(lambda n: frame(n, b"x", b"e", b"sudo: \x1b[2J no\x07"))))
    shown = got.told[ASKED[2]]
    assert isinstance(shown, Failure)
    assert shown.cause == "no_privilege"
    assert shown.message == "sudo: \\x1b[2J no\\x07"


def test_many_hosts_at_once(sshd: Sshd, tmp_path: Path) -> None:
    """Threads share one `ask`: nine addresses, eight times each, sixteen at a time."""
    addresses = [f"127.0.0.{n}" for n in range(1, 10)]
    opened = ssh.TRANSPORT.open(Settings(time.time, (), (sshd.known_hosts_file(addresses),)))
    hosts = [
        Host(f"h{i}", a, port=sshd.port, user=sshd.user, key_file=sshd.key_file) for i, a in enumerate(addresses * 8)
    ]

    def work(host: Host) -> list[Answer]:
        return [a for _, a in opened(host, (HELLO, Command("echo $SSH_CONNECTION")), 60.0)]

    def broken(host: Host, error: Exception) -> list[Answer]:
        raise AssertionError(host.id) from error

    told = list(each(hosts, work, broken, Places(16)))
    assert len(told) == len(hosts)
    assert all(isinstance(a, Output) for answers in told for a in answers)
