"""The name of a variable, a file, a systemd credential or an entry of a keyring in, the one line that it holds out."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from auditor.errors import AuditorError

SECRET_CAP = 65536


class NoSecret(AuditorError):
    """A reference whose secret cannot be had, and why; the words never hold a secret."""


def of_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise NoSecret(f"env:{name}: the variable is {'empty' if value == '' else 'not set'}")
    return value


def of_file(path: str) -> str:
    return only_line(_private(Path(os.path.expanduser(path)), f"file:{path}"), f"file:{path}")


def of_systemd(name: str) -> str:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise NoSecret(f"systemd:{name}: $CREDENTIALS_DIRECTORY is not set: run from a unit with LoadCredential=")
    return only_line(_private(Path(folder) / name, f"systemd:{name}"), f"systemd:{name}")


def of_keyring(text: str) -> str:
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


def only_line(text: bytes, named: str) -> str:
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
