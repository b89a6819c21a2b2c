"""A reference to a secret in, the secret out, at the last moment and once a run."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping

from auditor.credentials.command import of_command, words_of
from auditor.credentials.hidden import Secret, fetched
from auditor.credentials.sources import NoSecret, of_environment, of_file, of_keyring, of_systemd

FORMS = 'env:NAME, file:PATH, cmd:["program", "argument"], systemd:NAME or keyring:SERVICE/USER'

_FORMS: Mapping[str, Callable[[str], str]] = {
    "env": of_environment,
    "file": of_file,
    "cmd": of_command,
    "systemd": of_systemd,
    "keyring": of_keyring,
}


def problem(reference: str) -> str:
    """What is wrong with how a reference is written, "" for nothing; never repeats it, it may be a secret itself."""
    form, colon, rest = reference.partition(":")
    if not colon or form not in _FORMS or not rest.strip():
        return f"is no reference to a secret: write {FORMS}"
    if form == "cmd":
        try:
            words_of(rest)
        except NoSecret as error:
            return str(error)
    if form == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", rest):
        return "env: is followed by the name of a variable"
    if form == "systemd" and ("/" in rest or rest in (".", "..")):
        return "systemd: is followed by the name of a credential, without a folder"
    if form == "keyring" and not all(rest.partition("/")):
        return "keyring: is followed by SERVICE/USER"
    return ""


def secret(reference: str) -> Secret:
    """The secret that a reference names. Raises NoSecret, whose words name the reference and never the secret."""
    wrong = problem(reference)
    if wrong:
        raise NoSecret(f"the credential {wrong}")
    form, _, rest = reference.partition(":")
    text = _FORMS[form](rest)
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of the environment, or a keyring's
        raise NoSecret(f"{form}:{'' if form == 'cmd' else rest}: holds bytes that are no UTF-8 text") from None
    return fetched(text)


class Secrets:
    """Secrets by reference, each fetched once a run, when it is first needed; one that cannot be had is not asked again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, Secret | NoSecret] = {}

    def __call__(self, reference: str) -> Secret:
        with self._lock:
            lock = self._locks.setdefault(reference, threading.Lock())
        with lock:
            if reference not in self._known:
                try:
                    self._known[reference] = secret(reference)
                except NoSecret as error:
                    self._known[reference] = error
            found = self._known[reference]
        if isinstance(found, NoSecret):
            raise NoSecret(str(found))
        return found
