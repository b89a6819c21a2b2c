"""A host that we know in; we, known to it, out: by keys, and at most one attempt with a password."""

from __future__ import annotations

import threading
from typing import Any

from auditor.credentials import NoSecret, Withheld
from auditor.framing import sh
from auditor.kinds import Trial
from auditor.transports._endpoint import Endpoint, Refused
from auditor.transports._keys import MAX_KEYS
from auditor.transports._paramiko import paramiko
from auditor.transports._ssh.left import Left
from auditor.transports._ssh.shared import Run

TRIAL_S = 30.0  # how long one host may think about a password while others wait for its verdict
BEFORE_A_PASSWORD = MAX_KEYS - 2  # keys that leave the server room for what we ask first, and for the password


def log_in(run: Run, transport: paramiko.Transport, endpoint: Endpoint, left: Left) -> None:
    keys, wrong = run.keys.of(endpoint) if "publickey" in endpoint.methods else ([], "")
    if not keys and not endpoint.password:
        raise Refused(
            "auth", wrong or "no key: give ansible_ssh_private_key_file, or load one into ssh-agent", "our_key"
        )
    allowed: list[str] | None = None
    if endpoint.password:
        allowed = _asked_for(transport, endpoint, left)
    if allowed is None or "publickey" in allowed:
        allowed = _by_key(transport, endpoint, keys[:BEFORE_A_PASSWORD] if endpoint.password else keys, left) or allowed
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
            more = _offered(transport, user, key, left)
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


def _offered(transport: paramiko.Transport, user: str, key: paramiko.PKey, left: Left) -> list[str]:
    """What the host asks for beside a key; paramiko's own wait for its verdict looks ten times a second."""
    decided = threading.Event()
    transport.auth_publickey(user, key, event=decided)
    decided.wait(left())
    assert transport.auth_handler is not None
    return list(transport.auth_handler.wait_for_response(decided))


def _ended(transport: paramiko.Transport, error: paramiko.AuthenticationException) -> None:
    """Raises for a login that ended with the connection or the time, which is no refusal."""
    if "timeout" in str(error).lower():
        raise TimeoutError from None
    if not transport.is_active():
        raise paramiko.SSHException("the host closed the connection while we logged in") from None


def _by_password(run: Run, transport: paramiko.Transport, endpoint: Endpoint, allowed: list[str], left: Left) -> None:
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
