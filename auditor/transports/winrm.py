"""WinRM by pywinrm: one shell, one command and one script a host; certificates are always verified."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import secrets
import ssl
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winrm.transport import HAVE_KERBEROS

from auditor.credentials import NoSecret, Secrets, Trials, Withheld
from auditor.framing import ps, sh
from auditor.kinds import Ask, Settings, Transport
from auditor.model import Answer, Command, Failure, Host, Obstacle
from auditor.transports._deadlines import Deadlines
from auditor.transports._endpoint import Refused
from auditor.transports._wsman import Door, Method, NothingYet, Refusal, Talk, pause

CHUNK = 64 * 1024  # of the script in one message; the smallest limit of a host's default is 150 KiB, as base64 in XML
PIECES = 4096  # messages in which the answers may come
SPARE_BYTES = 64 * 1024
TRIAL_S = 30.0  # how long one host may think about a password while others wait for its verdict
CLEAN_S = 5.0  # beyond the host's deadline, to end what we started there
IDLE = "PT180S"  # after which the host ends a shell that we could not
BUSY = 170
PROGRAM = ("powershell.exe", ("-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-Command"))
# The ways to log in -> what the host has to offer for it.
_OFFERS: dict[Method, tuple[str, ...]] = {
    "ntlm": ("negotiate", "ntlm"),
    "kerberos": ("negotiate", "kerberos"),
    "basic": ("basic",),
    "certificate": (),
}


@dataclass(frozen=True, slots=True)
class _Run:
    """What all hosts of a run share."""

    settings: Settings
    secrets: Any
    trials: Any
    deadlines: Deadlines


def open_(settings: Settings) -> Ask:
    for name in ("urllib3", "spnego", "requests_ntlm", "winrm"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # their errors come to us as exceptions
    clock = settings.clock
    run = _Run(settings, settings.secrets or Secrets(), settings.trials or Trials(), Deadlines(clock))

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        nonce = secrets.token_hex(8)
        reader = ps.Reader(commands, nonce)
        end = clock() + deadline_s
        try:
            with _shell(run, host, end) as shell:
                start = ps.bootstrap(nonce, controller="ad-dc" in host.roles)
                failure = yield from _converse(shell, ps.script(commands).encode("ascii"), start, reader, clock)
        except TimeoutError:
            failure = Failure("timeout", "no answer before the host's deadline", clock())
        except Refused as error:
            port = host.port or (5985 if host.winrm.get("scheme") == "http" else 5986)
            obstacle = Obstacle(error.hurdle, host.address, port, host.user) if error.hurdle else None
            failure = Failure(error.cause, error.message, clock(), obstacle)
        yield from reader.finish(failure)

    return ask


# ---------------------------------------------------------------- where, and as whom


def _door(host: Host, settings: Settings) -> Door:
    """Raises Refused for a way to log in that would show the password, or that lacks what it needs."""
    said = host.winrm
    scheme = said.get("scheme") or ("http" if host.port == 5985 else "https")
    method = _method(said.get("transport") or "ntlm")
    if scheme == "http" and method in ("basic", "certificate"):
        raise Refused("no_transport", f"{method} over HTTP: take HTTPS, ansible_winrm_scheme: https")
    if not host.user and method in ("ntlm", "basic"):
        raise Refused("auth", "no user: give ansible_user")
    if not host.password and method in ("ntlm", "basic"):
        raise Refused("auth", "no password: name it in auditor_password (env:NAME, file:PATH ...)")
    login: dict[str, Any] = {
        "ca_trust_path": _authorities(said.get("ca_trust_path", "")),
        "message_encryption": "always" if scheme == "http" else said.get("message_encryption", "auto"),
    }
    if method == "certificate":
        login |= {key: _there(said.get(key, ""), f"ansible_winrm_{key}") for key in ("cert_pem", "cert_key_pem")}
        _open(login["cert_key_pem"])
    if method == "kerberos":
        _needs_kerberos()
        login |= {"service": said.get("service", "HTTP")}
        login |= {"kerberos_hostname_override": said.get("kerberos_hostname_override")}
    path = "/" + said.get("path", "wsman").lstrip("/")
    port = host.port or (5985 if scheme == "http" else 5986)
    where = f"{_literal(host.address)}:{port}"
    return Door(f"{scheme}://{where}{path}", sh.shown(where), method, host.user, login, settings.connect_timeout_s)


def _method(said: str) -> Method:
    for known in _OFFERS:
        if said == known:
            return known
    raise Refused("no_transport", f"ansible_winrm_transport: {sh.shown(said)[:40]}: write {', '.join(_OFFERS)}")


def _literal(address: str) -> str:
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(address).version == 6:
            return f"[{address}]"
    return address


def _authorities(given: str) -> str:
    """Who may sign a host's certificate: the inventory's file or folder, else what this machine trusts."""
    if given:
        return _there(given, "ansible_winrm_ca_trust_path")
    paths = ssl.get_default_verify_paths()
    found = paths.cafile or paths.capath
    if not found:
        raise Refused("host_key", "this machine trusts no authority: give ansible_winrm_ca_trust_path")
    return found


def _there(path: str, variable: str) -> str:
    if not path:
        raise Refused("no_transport", f"{variable} is needed: give the path of a file")
    if not os.access(path, os.R_OK):
        raise Refused("no_transport", f"{variable}: {sh.shown(path)} is not there, or cannot be read")
    return path


def _open(key: str) -> None:
    """TLS would ask the terminal for a passphrase, and wait."""
    try:
        text = Path(key).read_bytes()
    except OSError as error:
        raise Refused("no_transport", f"{sh.shown(key)} cannot be read: {error.strerror}") from None
    if b"ENCRYPTED" in text:
        raise Refused(
            "no_transport", f"{sh.shown(key)} has a passphrase: give a key without, which its owner alone can read"
        )


def _needs_kerberos() -> None:
    if not HAVE_KERBEROS:
        raise Refused("no_transport", "Kerberos needs the extra: pip install 'auditor[kerberos]'")


def _password(run: _Run, host: Host, door: Door) -> str:
    if door.method not in ("ntlm", "basic"):
        return ""
    text: str = run.secrets(host.password).reveal()
    if door.method == "basic" and not (text + host.user).isascii():
        raise Refused("auth", "Basic takes plain ASCII alone: take NTLM for this user or password")
    return text


# ---------------------------------------------------------------- a shell


@dataclass(slots=True)
class _Shell:
    """What was started on the host, and the conversation in which it was."""

    talk: Talk
    end: float
    id: str = ""
    command: str = ""


@contextlib.contextmanager
def _shell(run: _Run, host: Host, end: float) -> Iterator[_Shell]:
    """A shell on the host, ended whatever happens: what we cannot say in this conversation, we say in another."""
    door = _door(host, run.settings)
    try:
        password = _password(run, host, door)
    except NoSecret as error:
        raise Refused("auth", str(error)) from None
    shell = _Shell(_talk(run, door, password, end), end)
    try:
        shell.id = _logged_in(run, host, door, shell.talk, end)
        yield shell
    finally:
        if shell.id:
            _end(run, shell, door, password)
        shell.talk.wire.close()


def _talk(run: _Run, door: Door, password: str, end: float) -> Talk:
    return Talk(door, password, run.deadlines, run.settings.clock, end)


def _logged_in(run: _Run, host: Host, door: Door, talk: Talk, end: float) -> str:
    """The id of a new shell. A password is shown in one attempt, to a host that was seen to take such."""
    if door.method == "certificate":
        return _created(talk)
    offered = talk.call(talk.wire.schemes)
    if not {o.lower() for o in offered} & set(_OFFERS[door.method]):
        names = sh.shown(", ".join(offered))[:100] or "nothing"
        raise Refused("auth", f"the host takes no {door.method}, only {names}")
    if door.method == "kerberos":
        return _created(talk)  # a ticket locks nobody
    clock = run.settings.clock
    try:
        with run.trials.attempt((run.secrets(host.password).mark, host.user), max(0.0, end - clock())) as trial:
            talk.wire.ends(min(end, clock() + TRIAL_S))
            try:
                return _created(talk)
            finally:
                talk.wire.ends(end)
                if talk.wire.accepted is not None:
                    (trial.accepted if talk.wire.accepted else trial.refused)()
    except Withheld as error:
        raise Refused("auth", str(error)) from None


def _created(talk: Talk) -> str:
    try:
        return talk.call(talk.protocol.open_shell, codepage=65001, noprofile=True, idle_timeout=IDLE)
    except NothingYet:
        raise Refused("timeout", "the host opens no shell in time") from None


def _end(run: _Run, shell: _Shell, door: Door, password: str) -> None:
    """Ends the command and the shell, as far as the host lets us; it ends an idle shell by itself."""
    until = run.settings.clock() + CLEAN_S
    shell.talk.until(until)
    if shell.command:
        _say(run, shell, door, password, until, lambda talk: talk.protocol.cleanup_command(shell.id, shell.command))
    _say(run, shell, door, password, until, lambda talk: talk.protocol.close_shell(shell.id, close_session=False))


def _say(run: _Run, shell: _Shell, door: Door, password: str, until: float, message: Callable[[Talk], None]) -> None:
    """In a conversation that is in step: where it is not, a new one takes its place."""
    if not shell.talk.in_step:
        shell.talk.wire.close()
        shell.talk = _talk(run, door, password, until)
    with contextlib.suppress(Refused, NothingYet):
        shell.talk.call(message, shell.talk)


# ---------------------------------------------------------------- what is said


def _converse(
    shell: _Shell, script: bytes, start: str, reader: ps.Reader, clock: Callable[[], float]
) -> Generator[tuple[Command, Answer], None, Failure]:
    """Sends the script, then reads until all is answered or PowerShell ends; why what is left was not answered."""
    talk, end = shell.talk, shell.end
    program, arguments = PROGRAM
    words = [*arguments, f'"{start}"']
    try:
        shell.command = talk.call(
            talk.protocol.run_command, shell.id, program, words, console_mode_stdin=False, skip_cmd_shell=True
        )
    except NothingYet:
        raise Refused("timeout", "the host starts no PowerShell in time") from None
    _send(shell, script + b"\r\n", clock)
    stderr, allowance = b"", SPARE_BYTES + reader.allowance()
    for _ in range(PIECES):
        try:
            said, wrong, code, done = talk.call(talk.protocol.get_command_output_raw, shell.id, shell.command)
        except NothingYet:
            said, wrong, code, done = b"", b"", 0, False
        allowance -= len(said) + len(wrong)
        stderr = (stderr + wrong)[: 2 * sh.STDERR_CAP]
        if allowance < 0:
            return Failure("framing", "the host sends more than it was asked for", clock())
        yield from reader.feed(said, clock())
        if done or reader.done or reader.broken:
            return ps.ended(code, stderr, clock())
        if not said and not wrong:
            pause(0.5, end - clock())
    return Failure("framing", f"the answers come in more than {PIECES} pieces", clock())


def _send(shell: _Shell, script: bytes, clock: Callable[[], float]) -> None:
    """A PowerShell that ended takes no more; what it said says why."""
    talk, tries = shell.talk, 3
    for start in range(0, len(script), CHUNK):
        piece, last = script[start : start + CHUNK], start + CHUNK >= len(script)
        for attempt in range(1, tries + 1):
            try:
                talk.call(talk.protocol.send_command_input, shell.id, shell.command, piece, end=last)
                break
            except NothingYet:
                break  # it took the piece, and was too busy to say so in time
            except Refusal as error:
                if error.code != BUSY:
                    return
                if attempt == tries:
                    raise
                pause(2.0, shell.end - clock())


TRANSPORT = Transport(script=ps.script, open=open_)
