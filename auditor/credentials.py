"""A reference to a secret in, the secret out, at the last moment; and who may try it when it can lock an account."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import selectors
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from auditor.errors import AuditorError

COMMAND_S = 30.0
SECRET_CAP = 65536
REFUSALS = (
    2  # in a run, after which a credential is withheld; and as many attempts under way, so that there are no more
)
_SALT = os.urandom(32)
_SHORTEST = 4  # characters of a secret that is sought in other texts
FORMS = 'env:NAME, file:PATH, cmd:["program", "argument"], systemd:NAME or keyring:SERVICE/USER'


class NoSecret(AuditorError):
    """A reference whose secret cannot be had, and why; the words never hold a secret."""


class Withheld(AuditorError):
    """A credential that must not be tried again in this run."""


class Secret:
    """A secret's text. Nothing shows it but `reveal`: not repr, not a format, not a pickle, not a comparison."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    @property
    def mark(self) -> str:
        """The same for equal secrets, however they are named, in this process; tells nothing of the secret."""
        return hashlib.sha256(_SALT + self._text.encode()).hexdigest()

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


# ---------------------------------------------------------------- references


def problem(reference: str) -> str:
    """What is wrong with how a reference is written, "" for nothing; never repeats it, it may be a secret itself."""
    form, colon, rest = reference.partition(":")
    if not colon or form not in _FORMS or not rest.strip():
        return f"is no reference to a secret: write {FORMS}"
    if form == "cmd":
        try:
            _argv(rest)
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
    _FETCHED.add(text)
    return Secret(text)


_FETCHED: set[str] = set()  # so that no log shows one
_OF_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")


def redacted(text: str) -> str:
    """A text for a log: without any secret that was fetched, as it is, quoted or encoded, nor what stands before @ in a URL."""
    for known in sorted((s for s in tuple(_FETCHED) if len(s) >= _SHORTEST), key=len, reverse=True):
        for form in _written(known):
            text = text.replace(form, "[secret]")
    return _OF_URL.sub("[secret]", text)


def _written(known: str) -> tuple[str, ...]:
    raw = known.encode("utf-8", "surrogateescape")
    return (
        known,
        json.dumps(known)[1:-1],
        json.dumps(known, ensure_ascii=False)[1:-1],
        repr(known)[1:-1],
        quote(known),
        quote(known, safe=""),
        base64.b64encode(raw).decode("ascii"),
        raw.hex(),
    )


def _of_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise NoSecret(f"env:{name}: the variable is {'empty' if value == '' else 'not set'}")
    return value


def _of_file(path: str) -> str:
    return _only_line(_private(Path(os.path.expanduser(path)), f"file:{path}"), f"file:{path}")


def _of_systemd(name: str) -> str:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise NoSecret(f"systemd:{name}: $CREDENTIALS_DIRECTORY is not set: run from a unit with LoadCredential=")
    return _only_line(_private(Path(folder) / name, f"systemd:{name}"), f"systemd:{name}")


def _private(path: Path, named: str) -> bytes:
    """The bytes of a file that only its owner can read, the owner being us or root; checked on the opened file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise NoSecret(f"{named}: cannot be read: {error.strerror}") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NoSecret(f"{named}: is no file")
        if found.st_uid not in (os.geteuid(), 0):
            raise NoSecret(f"{named}: belongs to another user: chown it")
        if found.st_mode & 0o077:
            raise NoSecret(f"{named}: others can read it (mode {found.st_mode & 0o777:04o}): chmod 600")
        return os.read(descriptor, SECRET_CAP + 1)
    except OSError as error:
        raise NoSecret(f"{named}: cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _only_line(text: bytes, named: str) -> str:
    """The one line that there must be; its end of line is no part of the secret."""
    lines = text.removesuffix(b"\n").removesuffix(b"\r").split(b"\n")
    if len(text) > SECRET_CAP:
        raise NoSecret(f"{named}: gives more than {SECRET_CAP} bytes")
    if len(lines) > 1:
        raise NoSecret(f"{named}: gives {len(lines)} lines; a secret is exactly one")
    if not lines[0]:
        raise NoSecret(f"{named}: gives nothing; a secret is exactly one line")
    try:
        return lines[0].decode("utf-8")
    except UnicodeDecodeError:
        raise NoSecret(f"{named}: gives bytes that are no UTF-8 text") from None


def _argv(text: str) -> list[str]:
    try:
        argv = json.loads(text)
    except ValueError:
        argv = None
    if (
        not isinstance(argv, list)
        or not argv
        or not all(isinstance(w, str) and "\0" not in w for w in argv)
        or not argv[0]
    ):
        raise NoSecret('cmd: is followed by a JSON list of texts, as cmd:["pass", "show", "audit"]')
    return argv


def _of_command(text: str) -> str:
    argv = _argv(text)
    named = f"cmd: {argv[0]}"  # its arguments may say more than a log should
    try:
        process = subprocess.Popen(
            argv, bufsize=0, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise NoSecret(f"{named}: cannot be run: {error.strerror}") from None
    told = _within(process, COMMAND_S)
    if told is None:
        raise NoSecret(f"{named}: did not end within {COMMAND_S:g} s")
    if process.returncode and len(told) <= SECRET_CAP:
        raise NoSecret(f"{named}: ended with code {process.returncode}")
    return _only_line(told, named)


def _within(process: subprocess.Popen[bytes], limit_s: float) -> bytes | None:
    """What it prints, or None when it has to be ended. It is done when it ended, even if a child keeps its output open."""
    assert process.stdout
    kept, end = b"", time.monotonic() + limit_s
    os.set_blocking(process.stdout.fileno(), False)
    with process.stdout as output, selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while time.monotonic() < end and len(kept) <= SECRET_CAP:
            ended = process.poll() is not None
            if selector.select(0.02):
                piece = output.read(SECRET_CAP)
                kept += piece or b""
                if not piece and _ends(process, end):
                    return kept
            elif ended:
                return kept
    _kill(process)
    return kept if len(kept) > SECRET_CAP else None


def _ends(process: subprocess.Popen[bytes], end: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, end - time.monotonic()))
    return process.returncode is not None


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, 9)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def _of_keyring(text: str) -> str:
    service, _, user = text.partition("/")
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise NoSecret(f"keyring:{text}: needs the extra: pip install 'auditor[keyring]'") from None
    try:
        value = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise NoSecret(f"keyring:{text}: {type(error).__name__}") from None
    if not value:
        raise NoSecret(f"keyring:{text}: holds no such entry")
    return str(value)


_FORMS: Mapping[str, Callable[[str], str]] = {
    "env": _of_environment,
    "file": _of_file,
    "cmd": _of_command,
    "systemd": _of_systemd,
    "keyring": _of_keyring,
}


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


# ---------------------------------------------------------------- who may try


class _Tried:
    """What is known of one credential in this run."""

    def __init__(self) -> None:
        self.turn = threading.Condition()
        self.under_way = self.refusals = 0
        self.proven = False

    @property
    def withheld(self) -> bool:
        return self.refusals >= REFUSALS

    @property
    def sure(self) -> bool:
        """It opened a door, and none refused it."""
        return self.proven and not self.refusals

    @property
    def free(self) -> bool:
        """Whether one more may try: alone while we are not sure, and never more than could be refused."""
        return self.under_way < (REFUSALS if self.sure else 1)


class Trial:
    """One attempt. Without a word, an attempt with a credential of which we are not sure counts as refused: the host may
    have counted."""

    def __init__(self) -> None:
        self.verdict: bool | None = None

    def accepted(self) -> None:
        self.verdict = True

    def refused(self) -> None:
        self.verdict = False


class Trials:
    """One host at a time until the credential was accepted once, and again once it was refused; two at a time in between;
    nobody once it was refused twice. So that nothing is refused more than twice, however many hosts wait.

    A credential is (a secret's mark, a user); the case of the user does not count, as accounts of Windows have none.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tried: dict[tuple[str, str], _Tried] = {}

    @contextmanager
    def attempt(self, credential: tuple[str, str], patience_s: float) -> Iterator[Trial]:
        """Waits for its turn, at most so long (then TimeoutError). Raises Withheld when it must not be tried."""
        with self._lock:
            known = self._tried.setdefault((credential[0], credential[1].casefold()), _Tried())
        with known.turn:
            if not known.turn.wait_for(lambda: known.withheld or known.free, patience_s):
                raise TimeoutError
            if known.withheld:
                raise Withheld("withheld: refused twice in this run")
            known.under_way += 1
        trial = Trial()
        try:
            yield trial
        finally:
            with known.turn:
                known.under_way -= 1
                known.proven = known.proven or trial.verdict is True
                known.refusals += trial.verdict is False or (trial.verdict is None and not known.sure)
                known.turn.notify_all()
