"""SSH by paramiko: one connection, one channel and one script a host; host keys are always verified."""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import getpass
import hashlib
import hmac
import logging
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from auditor.framing import sh
from auditor.kinds import Ask, Settings, Transport
from auditor.model import Answer, Command, Failure, Host

MAX_KEYS = 5  # OpenSSH's server refuses at six
READ_AHEAD = 32768
WAKE_S = 5.0  # paramiko wakes ten times a second to see whether it was closed; we wake it when it is
HANDSHAKE_BYTES = 131072  # what a server may send before we know who it is
SPARE_BYTES = 2 * 1024 * 1024  # beside the answers: what the protocol itself and a login shell may add
DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")

# A host key type of known_hosts -> the signature algorithms it is proved with.
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


class Refused(Exception):
    """The conversation cannot go on, and why: a Failure without its date."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause, self.message = cause, message


# ---------------------------------------------------------------- host keys


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """known_hosts read once: paramiko's own reader is quadratic. Hashed names are tried when the plain ones miss."""

    plain: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)  # type, key
    hashed: list[tuple[bytes, bytes, str, bytes]] = field(default_factory=list)  # salt, digest, type, key
    revoked: set[bytes] = field(default_factory=set)

    def keys_of(self, name: str) -> list[tuple[str, bytes]]:
        """The keys known for `host` or `[host]:port`, each with its type."""
        known = self.plain.get(name)
        if known:
            return known
        return [(t, key) for salt, digest, t, key in self.hashed if hmac.digest(salt, name.encode(), "sha1") == digest]


def read_known_hosts(texts: Sequence[str]) -> KnownHosts:
    """Lines that cannot be read are passed over: they prove nothing. Patterns with `*` are not read as names."""
    known = KnownHosts()
    for line in (line for text in texts for line in text.splitlines()):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#"):
            continue
        try:
            key = base64.b64decode(words[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        if marker == "@revoked":
            known.revoked.add(key)
        elif not marker:
            _name(known, words[0], words[1], key)
    return known


def _name(known: KnownHosts, names: str, kind: str, key: bytes) -> None:
    for name in names.split(","):
        if name.startswith("|1|"):
            parts = name.split("|")
            with contextlib.suppress(binascii.Error, ValueError, IndexError):
                known.hashed.append((base64.b64decode(parts[2]), base64.b64decode(parts[3]), kind, key))
        else:
            known.plain.setdefault(name, []).append((kind, key))


def _known_name(host: Host) -> str:
    return host.address if host.port == 22 else f"[{host.address}]:{host.port}"


def _pin(host: Host) -> str:
    return f"ssh-keyscan -p {host.port} {host.address} >> ~/.ssh/known_hosts"


def _verify(key: paramiko.PKey, host: Host, known: list[tuple[str, bytes]], revoked: set[bytes]) -> None:
    blob = key.asbytes()
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    shown = f"{key.get_name()} {fingerprint}"
    if blob in revoked:
        raise Refused("host_key", f"the host shows a key that known_hosts marks as revoked: {shown}")
    if not known:
        raise Refused(
            "host_key",
            f"this host's key is not known; it shows {shown}. Compare it on the host's console, then pin it: {_pin(host)}",
        )
    if blob not in (k for _, k in known):
        remove = f"ssh-keygen -R '{_known_name(host)}'"
        raise Refused(
            "host_key",
            f"the host's key has CHANGED; it shows {shown}. If it was reinstalled: {remove}; then {_pin(host)}",
        )


# ---------------------------------------------------------------- what a server may send


class Metered(socket.socket):
    """A connection that ends when more bytes come than we can have asked for: paramiko bounds neither the banner nor
    what a server sends against its window, and would keep all of it in memory.

    It reads ahead: paramiko reads each packet in two small pieces, each a system call and a turn of the lock.
    """

    allowance = HANDSHAKE_BYTES
    _ahead = b""

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if not self._ahead:
            if self.allowance <= 0:
                raise ConnectionAbortedError(errno.ECONNABORTED, "the host sends more than it was asked for")
            self._ahead = super().recv(max(size, READ_AHEAD), flags)
            self.allowance -= len(self._ahead)
        got, self._ahead = self._ahead[:size], self._ahead[size:]
        return got

    def hang_up(self) -> None:
        """Wakes whoever waits for this connection, in whichever thread."""
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)


# ---------------------------------------------------------------- our keys


class Keys:
    """Private keys, each file read once for all threads; then those of ssh-agent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, paramiko.PKey | Refused] = {}
        self._agent: tuple[paramiko.PKey, ...] | None = None

    def of(self, host: Host) -> list[paramiko.PKey]:
        """The keys to offer, in order. Raises Refused when there is none."""
        with self._lock:
            if host.key_file:
                key = self._file(host.key_file)
                if isinstance(key, Refused):
                    raise key
                return [key]
            found = [self._file(str(path)) for name in DEFAULT_KEYS if (path := Path.home() / ".ssh" / name).is_file()]
            keys = [k for k in found if isinstance(k, paramiko.PKey)]
            keys += self._of_agent()
            if not keys:
                why = "; ".join(k.message for k in found if isinstance(k, Refused))
                raise Refused("auth", why or "no key: give ansible_ssh_private_key_file, or load one into ssh-agent")
            return keys[:MAX_KEYS]

    def _of_agent(self) -> tuple[paramiko.PKey, ...]:
        if self._agent is None:
            try:
                self._agent = tuple(paramiko.Agent().get_keys())
            except paramiko.SSHException:
                self._agent = ()
        return self._agent

    def _file(self, path: str) -> paramiko.PKey | Refused:
        if path not in self._files:
            self._files[path] = _read_key(path)
        return self._files[path]


def _read_key(path: str) -> paramiko.PKey | Refused:
    try:
        return paramiko.PKey.from_path(path)
    except OSError as error:
        return Refused("auth", f"the key file {path} cannot be read: {error.strerror}")
    except (paramiko.PasswordRequiredException, TypeError):
        return Refused("auth", f"the key file {path} is encrypted: load it into ssh-agent")
    except (paramiko.SSHException, ValueError):
        return Refused("auth", f"the key file {path} holds no key that we can read")


# ---------------------------------------------------------------- one host


def open_(settings: Settings) -> Ask:
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # its errors come to us as exceptions
    known = read_known_hosts([_text(p) for p in settings.known_hosts or KNOWN_HOSTS])
    keys = Keys()

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        clock = settings.clock
        end = clock() + deadline_s
        nonce = secrets.token_hex(8)
        reader = sh.Reader(commands, nonce, host.become)
        script = sh.script(commands, settings.elevated, host.become)
        failure: Failure | None = None
        try:
            with _connected(host, known, keys, settings, end) as (connection, channel):
                connection.allowance = SPARE_BYTES + sum(c.cap_bytes + sh.STDERR_CAP for c in commands)
                yield from _converse(channel, f"exec sh -s -- {nonce}", script.encode(), reader, clock=clock, end=end)
        except Refused as error:
            failure = Failure(error.cause, error.message, clock())
        except (paramiko.SSHException, EOFError, OSError) as error:
            failure = None if clock() >= end - 0.05 else Failure("closed", _words(error), clock())
        yield from reader.finish(failure or _stopped(clock(), end))

    return ask


def _stopped(now: float, end: float) -> Failure:
    """Why what was not answered was not, when nobody said so."""
    if now >= end - 0.05:  # our own timer may come a little early
        return Failure("timeout", "no answer before the host's deadline", now)
    return Failure("closed", "the host closed the connection", now)


def _text(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8", "replace")
    except OSError:
        return ""


def _words(error: BaseException) -> str:
    return sh.shown(str(getattr(error, "strerror", None) or error or type(error).__name__))[:200]


@contextlib.contextmanager
def _connected(
    host: Host, known: KnownHosts, keys: Keys, settings: Settings, end: float
) -> Iterator[tuple[Metered, paramiko.Channel]]:
    def left() -> float:
        remaining = end - settings.clock()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    connection = _dial(host, min(settings.connect_timeout_s, left()))
    transport: paramiko.Transport | None = None
    alarm: threading.Timer | None = None
    try:
        transport = paramiko.Transport(connection)
        alarm = threading.Timer(left(), connection.hang_up)  # some waits of paramiko have no limit of their own
        alarm.daemon = True
        alarm.start()
        _handshake(transport, host, known, left)
        _log_in(transport, host, keys, left)
        connection.settimeout(WAKE_S)
        yield connection, transport.open_session(timeout=left())
    finally:
        if alarm is not None:
            alarm.cancel()
        connection.hang_up()
        if transport is not None:
            transport.close()
        connection.close()


def _dial(host: Host, timeout: float) -> Metered:
    try:
        connection = socket.create_connection((host.address, host.port), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a third of the latency of a short talk
    except OSError as error:
        raise Refused("unreachable", f"{host.address}:{host.port}: {_words(error)}") from None
    return Metered(fileno=connection.detach())


def _handshake(transport: paramiko.Transport, host: Host, known: KnownHosts, left: Callable[[], float]) -> None:
    ours = known.keys_of(_known_name(host))
    options = transport.get_security_options()
    # Ciphers that authenticate first: paramiko compares the code of every other packet byte by byte, in Python.
    options.ciphers = sorted(options.ciphers, key=lambda name: "gcm" not in name)
    kinds = dict.fromkeys(kind for kind, _ in ours)
    wanted = [a for kind in kinds for a in _ALGORITHMS.get(kind, (kind,)) if a in options.key_types]
    if wanted:  # ask for a key that we can compare, as OpenSSH does
        options.key_types = [*wanted, *(t for t in options.key_types if t not in wanted)]
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = left()
    try:
        transport.start_client(timeout=left())
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Refused("unreachable", f"no SSH conversation with {host.address}:{host.port}: {_words(error)}") from None
    if not transport.initial_kex_done:  # start_client says nothing of its own time limit
        raise TimeoutError
    _verify(transport.get_remote_server_key(), host, ours, known.revoked)


def _log_in(transport: paramiko.Transport, host: Host, keys: Keys, left: Callable[[], float]) -> None:
    user = host.user or getpass.getuser()
    for key in keys.of(host):
        transport.auth_timeout = left()
        try:
            more = transport.auth_publickey(user, key)
        except paramiko.BadAuthenticationType as error:
            raise Refused("auth", f"the host takes only {sh.shown(', '.join(error.allowed_types))}") from None
        except paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                raise TimeoutError from None
            if not transport.is_active():
                raise paramiko.SSHException("the host closed the connection while we logged in") from None
            continue
        if transport.is_authenticated():
            return
        raise Refused("auth", f"the key is not enough: the host also asks for {sh.shown(', '.join(more))}")
    raise Refused("auth", "the host refuses our key for this user")


def _converse(
    channel: paramiko.Channel,
    command: str,
    script: bytes,
    reader: sh.Reader,
    *,
    clock: Callable[[], float],
    end: float,
) -> Iterator[tuple[Command, Answer]]:
    """Sends the script, then reads until all is answered, the host closes or time is up. Both streams are drained."""
    channel.settimeout(max(0.001, end - clock()))
    channel.exec_command(command)
    while script and clock() < end:
        script = script[channel.send(script) :]
    channel.shutdown_write()
    while not reader.done and not reader.broken and clock() < end:
        data = channel.recv(65536)
        if not data:
            return
        while channel.recv_stderr_ready():
            channel.recv_stderr(65536)
        yield from reader.feed(data, clock())


TRANSPORT = Transport(script=sh.script, open=open_)
