"""SSH by paramiko: one connection, one channel and one script a host; host keys are always verified."""

from __future__ import annotations

import contextlib
import errno
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from auditor.credentials import NoSecret, Secrets, Trials, Withheld
from auditor.framing import sh
from auditor.kinds import Ask, Settings, Transport, Trial
from auditor.model import Answer, Command, Failure, Host, Hurdle
from auditor.readers.ssh_config import matches
from auditor.transports import _trust
from auditor.transports._deadlines import Deadlines
from auditor.transports._endpoint import PAUSES_S, Endpoint, Refused, Route, Routes
from auditor.transports._keys import Keys
from auditor.transports._paramiko import paramiko

READ_AHEAD = 32768
READ_AT_ONCE = 2 * 1024 * 1024
ROOM = 1024 * 1024  # what may wait in a channel, whose window is twice that
WAKE_S = 5.0  # paramiko wakes ten times a second to see whether it was closed; we wake it when it is
HANDSHAKE_BYTES = 131072  # what a server may send before we know who it is
SPARE_BYTES = 2 * 1024 * 1024  # beside the answers: what the protocol itself and a login shell may add
TRIAL_S = 30.0  # how long one host may think about a password while others wait for its verdict
LOGINS = 8  # at one bastion at the same time
STATUS_S = 1.0  # an exit code may come a moment after the end of what was said
CONNECT_FAILED = 2  # RFC 4254, 5.1: the bastion tried; any other reason is its own, and says nothing of the host
AGAIN_S = 30.0  # a bastion that refused is not asked again meanwhile
MOMENT_S = 0.3  # most hosts accept a connection sooner; what takes longer holds up no other host


class Left:
    """The seconds until the host's deadline; raises TimeoutError at its end. `later` puts the end off."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self.end = clock() + seconds

    def __call__(self) -> float:
        remaining = self.end - self._clock()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def later(self, seconds: float) -> None:
        self.end += seconds

    def over(self, seconds: float = 0.05) -> bool:
        """Whether no more than that is left: our own timer may come a little early."""
        return self.end - self._clock() <= seconds


class Cut(Refused):
    """The connection was refused, or ended before anybody logged in: it may be tried again, no account is touched."""


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


class Relayed:
    """A channel through a bastion in the place of a connection, metered alike."""

    allowance = HANDSHAKE_BYTES

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def recv(self, size: int) -> bytes:
        if self.allowance <= 0:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the host sends more than it was asked for")
        got = self._channel.recv(size)
        self.allowance -= len(got)
        return got

    def hang_up(self) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()

    def __getattr__(self, name: str) -> Any:  # send, settimeout, fileno, getpeername ...
        return getattr(self._channel, name)


Connection = Metered | Relayed


# ---------------------------------------------------------------- one host


@dataclass(frozen=True, slots=True)
class _Run:
    """What all hosts of a run share."""

    settings: Settings
    routes: Routes
    keys: Keys
    secrets: Any
    trials: Any
    deadlines: Deadlines
    bastions: dict[Route, _Bastion] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def open_(settings: Settings) -> Ask:
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # its errors come to us as exceptions
    fetch = settings.secrets or Secrets()
    run = _Run(settings, Routes(settings), Keys(fetch), fetch, settings.trials or Trials(), Deadlines(settings.clock))

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        clock = settings.clock
        left = Left(clock, deadline_s)
        nonce = sh.nonce(secrets.token_hex(8), settings.timed is not None)
        reader = sh.Reader(commands, nonce, host.become, host.id, settings.timed)
        script = sh.script(commands, settings.elevated, host.become)
        expected = SPARE_BYTES + sum(c.cap_bytes + sh.STDERR_CAP for c in commands)
        failure: Failure | None = None
        route: Route = ()
        try:
            route = run.routes.of(host)
            with _session(run, route, left, expected) as (channel, connection):
                yield from _converse(
                    channel, connection, f"exec sh -s -- {nonce}", script.encode(), reader, clock=clock, end=left.end
                )
        except Refused as error:
            failure = error.failure(clock(), route)
        except (paramiko.SSHException, EOFError, OSError) as error:
            failure = None if left.over() else Failure("closed", _words(error), clock())
        yield from reader.finish(failure or _stopped(clock(), left))

    return ask


def _stopped(now: float, left: Left) -> Failure:
    """Why what was not answered was not, when nobody said so."""
    if left.over():
        return Failure("timeout", "no answer before the host's deadline", now)
    return Failure("closed", "the host closed the connection", now)


def _words(error: BaseException) -> str:
    return sh.shown(str(getattr(error, "strerror", None) or error or type(error).__name__))[:200]


@contextlib.contextmanager
def _session(run: _Run, route: Route, left: Left, expected: int) -> Iterator[tuple[paramiko.Channel, Connection]]:
    """A channel at the end of a route, that may send so many bytes."""
    with contextlib.ExitStack() as stack:
        via = stack.enter_context(_through(run, route[:-1], left, expected)) if len(route) > 1 else None
        try:
            transport, connection = stack.enter_context(_logged_in(run, route[-1], left, via))
            connection.allowance = expected
            yield transport.open_session(timeout=left()), connection
            if via is not None and not transport.is_active():
                raise EOFError
        except (paramiko.SSHException, EOFError, OSError, Refused):
            if via is not None and _gone(via) and not left.over():
                raise Refused("closed", f"the bastion {route[-1].behind} closed its connection") from None
            raise


def _gone(via: paramiko.Transport) -> bool:
    """Whether the bastion went; its channels close a moment before it says so."""
    via.join(0.25)
    return not via.is_active()


@contextlib.contextmanager
def _logged_in(
    run: _Run, endpoint: Endpoint, left: Left, via: paramiko.Transport | None
) -> Iterator[tuple[paramiko.Transport, Connection]]:
    """A conversation in which both sides know who the other is; it ends, at the latest, with the host's deadline.

    What is cut before we log in is tried again; from then on nothing is, lest an account be locked.
    """
    with contextlib.ExitStack() as stack:
        for pause_s in (*PAUSES_S, 0.0):
            try:
                transport, connection = stack.enter_context(_met(run, endpoint, left, via))
                break
            except Cut:
                if not pause_s or left.over(pause_s):
                    raise
                with _connecting(run, left, 0.0):
                    time.sleep(pause_s)
        _log_in(run, transport, endpoint, left)
        yield transport, connection


@contextlib.contextmanager
def _met(
    run: _Run, endpoint: Endpoint, left: Left, via: paramiko.Transport | None
) -> Iterator[tuple[paramiko.Transport, Connection]]:
    """A conversation with a host that has proved who it is."""
    connection = _dial(endpoint, run, left, via)
    transport: paramiko.Transport | None = None
    try:
        run.deadlines.add(connection, lambda: left.end)
        transport = paramiko.Transport(connection)  # type: ignore[arg-type]  # whatever sends and receives does; its stubs want a socket
        transport.packetizer.start_handshake = lambda timeout: None  # type: ignore[method-assign]  # see Deadlines
        connection.settimeout(WAKE_S)
        _handshake(run, transport, connection, endpoint, left)
        yield transport, connection
    finally:
        run.deadlines.remove(connection)
        connection.hang_up()
        if transport is not None:
            transport.close()
        connection.close()


@contextlib.contextmanager
def _connecting(run: _Run, left: Left, moment_s: float = MOMENT_S) -> Iterator[None]:
    """While we wait for a connection another host may be asked; until it is our turn again the deadline waits."""
    there: float | None = None
    try:
        with run.settings.connecting(moment_s):
            try:
                yield
            finally:
                there = run.settings.clock()
    finally:
        if there is not None:
            left.later(run.settings.clock() - there)


def _dial(endpoint: Endpoint, run: _Run, left: Left, via: paramiko.Transport | None) -> Connection:
    with _connecting(run, left):
        timeout = min(endpoint.timeout_s, left())
        if via is not None:
            return _relay(endpoint, timeout, via)
        try:
            connection = _connect(endpoint, timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a third of the latency of a short talk
        except ConnectionError as error:
            raise Cut("unreachable", f"{endpoint.shown}: {_words(error)}", _hurdle(error)) from None
        except (OSError, UnicodeError) as error:  # a silent host is not tried again: the kernel has, several times
            raise Refused("unreachable", f"{endpoint.shown}: {_words(error)}", _hurdle(error)) from None
        return Metered(fileno=connection.detach())


def _hurdle(error: OSError | UnicodeError) -> Hurdle | None:
    """What a connection ran into, where the system's error tells."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return "name"
    if isinstance(error, ConnectionRefusedError):
        return "port"
    away = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)
    return "silent" if isinstance(error, TimeoutError) or error.errno in away else None


def _connect(endpoint: Endpoint, timeout: float) -> socket.socket:
    source = (endpoint.source, 0) if endpoint.source else None
    if endpoint.family not in ("inet", "inet6"):
        return socket.create_connection((endpoint.address, endpoint.port), timeout, source)
    family = socket.AF_INET6 if endpoint.family == "inet6" else socket.AF_INET
    found = socket.getaddrinfo(endpoint.address, endpoint.port, family, socket.SOCK_STREAM)
    return socket.create_connection((str(found[0][4][0]), endpoint.port), timeout, source)


def _relay(endpoint: Endpoint, timeout: float, via: paramiko.Transport) -> Relayed:
    try:
        there = (endpoint.address, endpoint.port)
        channel = via.open_channel("direct-tcpip", there, ("127.0.0.1", 0), timeout=timeout)
    except paramiko.SSHException as error:
        if not via.is_active():
            raise
        words = f"{endpoint.shown}, through the bastion {endpoint.behind}: {_words(error)}"
        tried = isinstance(error, paramiko.ChannelException) and error.code == CONNECT_FAILED
        raise Refused("unreachable" if tried else "closed", words, "relay") from None
    return Relayed(channel)


def _handshake(
    run: _Run, transport: paramiko.Transport, connection: Connection, endpoint: Endpoint, left: Left
) -> None:
    known = run.routes.known(endpoint.known_files)
    options = transport.get_security_options()
    # Ciphers that authenticate first: paramiko compares the code of every other packet byte by byte, in Python.
    options.ciphers = sorted(options.ciphers, key=lambda name: "gcm" not in name)
    said = dict(endpoint.algorithms)
    for attribute, key in (("kex", "kexalgorithms"), ("ciphers", "ciphers"), ("digests", "macs")):
        if key in said:
            setattr(options, attribute, _restricted(key, getattr(options, attribute), said[key]))
    wanted = _trust.wanted_types(endpoint, known, tuple(options.key_types))
    options.key_types = _restricted("hostkeyalgorithms", wanted, said.get("hostkeyalgorithms", ""))
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = left()
    try:
        transport.start_client(timeout=left())
    except (paramiko.SSHException, EOFError, OSError) as error:
        words = f"no SSH conversation with {endpoint.shown}: {_words(error)}"
        hurdle: Hurdle = "no_ssh"
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            hurdle = "algorithms"
            words += ": if it only knows outdated algorithms, take the system's ssh, `ansible_connection: openssh`"
        raise (Cut if _was_cut(error, connection) else Refused)("unreachable", words, hurdle) from None
    if not transport.initial_kex_done:  # start_client says nothing of its own time limit
        raise TimeoutError
    _trust.verify(transport.get_remote_server_key(), endpoint, known, run.settings.clock())


def _was_cut(error: BaseException, connection: Connection) -> bool:
    """Whether the host hung up, as sshd does when too many log in (MaxStartups), and not that we did not understand it."""
    ended = isinstance(error, (EOFError, ConnectionError)) or str(error).startswith("Error reading SSH protocol banner")
    return ended and connection.allowance > 0


def _restricted(key: str, ours: Any, said: str) -> list[str]:
    """Our algorithms as ssh_config restricts them. Raises Refused for one to be added, and when none is left."""
    names = [n.strip() for n in said.lstrip("+-^").split(",")]
    names += [f"{n}@libssh.org" for n in names if n.startswith("curve25519-") and "@" not in n]  # one method, two names
    if not said:
        return list(ours)
    if said.startswith("-"):
        kept = [a for a in ours if not matches(a, names)]
    elif said.startswith("+"):
        kept = (
            []
            if any(not any(a.partition("@")[0] == n.partition("@")[0] or matches(a, [n]) for a in ours) for n in names)
            else list(ours)
        )
    elif said.startswith("^"):
        kept = [*(a for n in names for a in ours if a == n), *(a for a in ours if a not in names)]
    else:
        kept = [a for n in names for a in ours if matches(a, [n])]
    if not kept:
        raise Refused(
            "no_transport",
            f"ssh_config: '{key} {sh.shown(said)}' asks for algorithms that are not here: take the system's ssh for this "
            "host, `ansible_connection: openssh`",
        )
    return list(dict.fromkeys(kept))


# ---------------------------------------------------------------- who we are


def _log_in(run: _Run, transport: paramiko.Transport, endpoint: Endpoint, left: Left) -> None:
    keys, wrong = run.keys.of(endpoint) if "publickey" in endpoint.methods else ([], "")
    if not keys and not endpoint.password:
        raise Refused(
            "auth", wrong or "no key: give ansible_ssh_private_key_file, or load one into ssh-agent", "our_key"
        )
    allowed: list[str] | None = None
    if endpoint.password:
        allowed = _asked_for(transport, endpoint, left)
    if allowed is None or "publickey" in allowed:
        allowed = _by_key(transport, endpoint, keys[: -2 or None] if endpoint.password else keys, left) or allowed
    if transport.is_authenticated():
        return
    if not endpoint.password:
        raise Refused("auth", "the host refuses our key for this user", "login")
    _by_password(run, transport, endpoint, allowed or [], left)


def _asked_for(transport: paramiko.Transport, endpoint: Endpoint, left: Left) -> list[str]:
    """The ways in that the host offers, before we try one."""
    transport.auth_timeout = left()
    try:
        transport.auth_none(endpoint.user)
    except paramiko.BadAuthenticationType as error:
        return list(error.allowed_types)
    except paramiko.AuthenticationException as error:
        _ended(transport, error)
    return []


def _by_key(
    transport: paramiko.Transport, endpoint: Endpoint, keys: list[paramiko.PKey], left: Left
) -> list[str] | None:
    """Offers the keys; what the host asks for beside one that it took. Raises Refused when that cannot be given."""
    user = endpoint.user
    for key in keys:
        transport.auth_timeout = left()
        try:
            more = transport.auth_publickey(user, key)
        except paramiko.BadAuthenticationType as error:
            if endpoint.password:
                return list(error.allowed_types)
            raise Refused(
                "auth", f"the host takes only {sh.shown(', '.join(error.allowed_types))}", "more_factors"
            ) from None
        except paramiko.AuthenticationException as error:
            _ended(transport, error)
            continue
        if transport.is_authenticated():
            return None
        if not endpoint.password:
            raise Refused(
                "auth", f"the key is not enough: the host also asks for {sh.shown(', '.join(more))}", "more_factors"
            )
        return list(more)
    return None


def _ended(transport: paramiko.Transport, error: paramiko.AuthenticationException) -> None:
    """Raises for a login that ended with the connection or the time, which is no refusal."""
    if "timeout" in str(error).lower():
        raise TimeoutError from None
    if not transport.is_active():
        raise paramiko.SSHException("the host closed the connection while we logged in") from None


def _by_password(run: _Run, transport: paramiko.Transport, endpoint: Endpoint, allowed: list[str], left: Left) -> None:
    """One attempt, by the one way that the host offers: a second way would be a second attempt."""
    user = endpoint.user
    ways = [w for w in ("password", "keyboard-interactive") if w in allowed and w in endpoint.methods]
    if not ways:
        raise Refused("auth", f"the host takes no password, only {sh.shown(', '.join(allowed)) or 'nothing'}", "login")
    try:
        secret = run.secrets(endpoint.password)
        with run.trials.attempt((secret.mark, user), left()) as trial:
            transport.auth_timeout = min(left(), TRIAL_S)
            answer = _Answer(secret)
            more = _tried(transport, user, ways[0], answer, trial)
    except NoSecret as error:
        raise Refused("auth", str(error), "our_key") from None
    except Withheld as error:
        raise Refused("auth", str(error), "password") from None
    if transport.is_authenticated():
        return
    words = f"the host also asks for {sh.shown(', '.join(more))}" if more else answer.words
    raise Refused("auth", f"the password is not enough: {words}", "more_factors")


def _tried(transport: paramiko.Transport, user: str, way: str, answer: _Answer, trial: Trial) -> list[str]:
    try:
        if way == "password":
            more = transport.auth_password(user, answer.secret.reveal(), fallback=False)
        else:
            more = transport.auth_interactive(user, answer)
    except paramiko.AuthenticationException as error:
        _ended(transport, error)
        trial.refused()
        told = f": {answer.words}" if answer.words else ""
        raise Refused("auth", f"the host refuses the password of this user{told}", "password") from None
    trial.accepted()
    return list(more)


class _Answer:
    """Answers keyboard-interactive: the password, once, to a single question that is not echoed; nothing to any other."""

    def __init__(self, secret: Any) -> None:
        self.secret = secret
        self.words = ""
        self._given = False

    def __call__(self, _title: str, _instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        if not prompts:
            return []
        if self._given or len(prompts) != 1 or prompts[0][1]:
            self.words = f"it asks something else: {sh.shown(' '.join(str(p) for p, _ in prompts))[:100]}"
            return [""] * len(prompts)
        self._given = True
        return [self.secret.reveal()]


# ---------------------------------------------------------------- bastions


class _Bastion:
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
        cause, words = (error.cause, error.message) if isinstance(error, Refused) else ("closed", _words(error))
        prefix = "" if words.startswith("the bastion ") else f"the bastion {end.shown}: "
        told = error if isinstance(error, Refused) else Refused(cause, words)
        self.refused = Refused(cause, prefix + words, told.hurdle, told.key, told.at or end)
        self.refused_at = time.monotonic()
        return self.refused


@contextlib.contextmanager
def _through(run: _Run, route: Route, left: Left, expected: int) -> Iterator[paramiko.Transport]:
    """A conversation with the last bastion of a route, which must let so many bytes pass."""
    with run.lock:
        bastion = run.bastions.setdefault(route, _Bastion())
    with contextlib.ExitStack() as stack:
        via = stack.enter_context(_through(run, route[:-1], left, expected)) if len(route) > 1 else None
        with _connecting(run, left):
            entered = bastion.gate.acquire(timeout=left())
        if not entered:
            raise TimeoutError
        try:
            bastion.check()
            transport, connection = stack.enter_context(_logged_in(run, route[-1], left, via))
        except TimeoutError:
            raise
        except (Refused, paramiko.SSHException, EOFError, OSError) as error:
            raise bastion.refuse(route[-1], error) from None
        finally:
            bastion.gate.release()
        connection.allowance += 2 * (HANDSHAKE_BYTES + expected)
        yield transport


# ---------------------------------------------------------------- what is said


class _Whole(threading.Event):
    """Told of every packet, it wakes its waiter when all has come, or enough to make room for more.

    Each wake costs more than the reading of a packet, and a host's answers are some ten packets.
    """

    def __init__(self, channel: paramiko.Channel, connection: Connection) -> None:
        super().__init__()
        self._channel, self._connection = channel, connection
        self._until = connection.allowance - ROOM
        for stream in (channel.in_buffer, channel.in_stderr_buffer):
            stream.set_event(self)

    def set(self) -> None:
        channel = self._channel
        if channel.eof_received or channel.closed or self._connection.allowance <= self._until:
            self._until = self._connection.allowance - ROOM
            super().set()


def _converse(
    channel: paramiko.Channel,
    connection: Connection,
    command: str,
    script: bytes,
    reader: sh.Reader,
    *,
    clock: Callable[[], float],
    end: float,
) -> Iterator[tuple[Command, Answer]]:
    """Sends the script, then reads until all is answered, the host closes or time is up. Both streams are drained.

    The first answer, what the host is and what its clock says, is read when it comes; the others when all are there.
    """
    channel.settimeout(max(0.001, end - clock()))
    channel.exec_command(command)
    try:
        while script and clock() < end:
            script = script[channel.send(script) :]
        channel.shutdown_write()
    except OSError:
        if not channel.closed:  # what it said before it closed is still to be read
            raise
    whole: _Whole | None = None
    while not reader.done and not reader.broken and clock() < end:
        if whole is not None:
            whole.wait(max(0.001, end - clock()))
        while channel.recv_stderr_ready():
            channel.recv_stderr(READ_AT_ONCE)
        if whole is not None and not (channel.recv_ready() or channel.eof_received or channel.closed):
            continue
        data = channel.recv(READ_AT_ONCE)
        if not data:
            _check_shell(channel, reader)
            return
        yield from reader.feed(data, clock())
        whole = whole or _Whole(channel, connection)


def _check_shell(channel: paramiko.Channel, reader: sh.Reader) -> None:
    """Raises Refused when the login shell ended before any answer, and not the connection under it."""
    channel.status_event.wait(STATUS_S)
    if not reader.begun and channel.exit_status >= 0:
        raise Refused("closed", sh.unanswered(channel.exit_status, reader.said), "shell")


TRANSPORT = Transport(script=sh.script, open=open_)
