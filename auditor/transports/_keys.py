"""An end of SSH in; the private keys and certificates to offer there, in order, out; each file is read once a run."""

from __future__ import annotations

import base64
import binascii
import copy
import os
import socket
import stat
import threading
import weakref
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import ssh as ssh_format

from auditor.credentials import NoSecret
from auditor.kinds import Secrets
from auditor.transports._endpoint import Endpoint, Refused
from auditor.transports._paramiko import paramiko

MAX_KEYS = 5  # OpenSSH's server refuses at six
DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
CERTIFICATE = "-cert-v01@openssh.com"
AGENT_S = 30.0  # a person may have to touch a token


class _AgentKey(paramiko.agent.AgentKey):
    """A key of the agent as the agent named it: paramiko's own would sign a certificate's login as its bare key."""

    def asbytes(self) -> bytes:
        return self.blob


class _Agent(paramiko.agent.AgentSSH):
    """An agent at a socket. Its conversation is one request at a time, whoever asks."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._turn = threading.Lock()
        connection = socket.socket(socket.AF_UNIX)
        weakref.finalize(self, connection.close)
        connection.settimeout(AGENT_S)
        connection.connect(path)
        self._connect(connection)  # type: ignore[attr-defined]  # paramiko: in the class, not in its stubs

    def _send_message(self, msg: object) -> object:
        with self._turn:
            return super()._send_message(msg)  # type: ignore[misc]  # paramiko: in the class, not in its stubs

    def keys(self) -> list[paramiko.PKey]:
        return [_AgentKey(self, key.blob, key.comment) for key in self.get_keys()]


class Keys:
    """Private keys of files and agents, for all threads."""

    def __init__(self, secrets: Secrets) -> None:
        self._lock = threading.Lock()
        self._secrets = secrets
        self._files: dict[tuple[str, str], paramiko.PKey | Refused] = {}
        self._agents: dict[str, list[paramiko.PKey]] = {}
        self._chosen: dict[tuple[object, ...], tuple[list[paramiko.PKey], str]] = {}

    def of(self, end: Endpoint) -> tuple[list[paramiko.PKey], str]:
        """The keys to offer, and why others are not. Raises Refused when the one that was asked for cannot be had."""
        wanted = (end.key_files, end.certificates, end.only_these, end.must_have, end.agent, end.passphrase)
        with self._lock:
            if wanted not in self._chosen:
                self._chosen[wanted] = self._choose(end)
            return self._chosen[wanted]

    def _choose(self, end: Endpoint) -> tuple[list[paramiko.PKey], str]:
        of_agent = self._of_agent(end.agent)
        held = {_blob(key): key for key in of_agent}
        home = Path.home() / ".ssh"
        paths = end.key_files or tuple(str(p) for name in DEFAULT_KEYS if (p := home / name).is_file())
        keys: list[paramiko.PKey] = []
        wrong: list[str] = []
        for path in paths:
            public = _public(path)
            found = held[public] if public in held else self._file(path, end.passphrase)
            if isinstance(found, Refused):
                if end.must_have:
                    raise found
                wrong.append(found.message)
                continue
            keys += [*_certified(found, (f"{path}-cert.pub", *end.certificates)), found]
        if not end.only_these:
            keys += [_with(key, file) for file in end.certificates for key in of_agent if _is_for(key, file)]
            keys += of_agent
        return list({(_blob(k), _offered(k)): k for k in keys}.values())[:MAX_KEYS], "; ".join(wrong)

    def _of_agent(self, path: str) -> list[paramiko.PKey]:
        path = path or os.environ.get("SSH_AUTH_SOCK", "")
        if not path or path.lower() == "none":
            return []
        if path.startswith("$"):
            path = os.environ.get(path.strip("${}"), "")
        if path not in self._agents:
            try:
                self._agents[path] = _Agent(path).keys()
            except (paramiko.SSHException, OSError):
                self._agents[path] = []
        return self._agents[path]

    def _file(self, path: str, passphrase: str) -> paramiko.PKey | Refused:
        if (path, passphrase) not in self._files:
            self._files[path, passphrase] = self._read(path, passphrase)
        return self._files[path, passphrase]

    def _read(self, path: str, passphrase: str) -> paramiko.PKey | Refused:
        found = _read_key(path, None)
        if not isinstance(found, _Encrypted):
            return found
        if not passphrase:
            return Refused(
                "auth", f"the key file {path} is encrypted: load it into ssh-agent, or name its passphrase", "our_key"
            )
        try:
            opened = _read_key(path, self._secrets(passphrase).reveal())
        except NoSecret as error:
            return Refused("auth", f"the passphrase of the key file {path}: {error}", "our_key")
        if isinstance(opened, paramiko.PKey):
            return opened
        return Refused("auth", f"the key file {path} does not open with the passphrase that is named for it", "our_key")


class _Encrypted(Refused):
    """A key file that asks for a passphrase."""


def _read_key(path: str, passphrase: str | None) -> paramiko.PKey | Refused:
    try:
        found = os.stat(path)
        if found.st_uid == os.getuid() and stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
            mode = found.st_mode & 0o777
            return Refused(
                "auth", f"the key file {path} can be read by others (mode {mode:04o}): chmod 600 it", "our_key"
            )
        # paramiko's annotation says text; it hands this to cryptography as it is, which takes bytes
        password: Any = passphrase.encode() if passphrase is not None else None
        key: paramiko.PKey = paramiko.PKey.from_path(path, password)
    except OSError as error:
        return Refused("auth", f"the key file {path} cannot be read: {error.strerror}", "our_key")
    except (paramiko.PasswordRequiredException, TypeError):
        return _Encrypted("auth", f"the key file {path} is encrypted", "our_key")
    except (paramiko.SSHException, UnsupportedAlgorithm, ValueError, IndexError, AssertionError):
        return Refused("auth", f"the key file {path} holds no key that we can read", "our_key")
    key.public_blob = None  # the certificate beside it is offered by itself
    return key


# ---------------------------------------------------------------- certificates


def _blob(key: paramiko.PKey) -> bytes:
    return key.asbytes()


def _offered(key: paramiko.PKey) -> bytes:
    blob = key.public_blob
    return bytes(blob.key_blob) if blob else b""


def _public(path: str) -> bytes | None:
    """The public half that lies beside a private key, or that the path itself holds."""
    for file in (f"{path}.pub", path):
        words = _words_of(file)
        if len(words) > 1 and words[0].startswith(("ssh-", "ecdsa-", "sk-")):
            try:
                return base64.b64decode(words[1], validate=True)
            except (binascii.Error, ValueError):
                continue
    return None


def _words_of(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8", errors="replace") as text:
            return text.read(65536).split(None, 3)
    except OSError:
        return []


def _is_for(key: paramiko.PKey, file: str) -> bool:
    """Whether the file holds a certificate of this key."""
    words = _words_of(file)
    if len(words) < 2 or not words[0].endswith(CERTIFICATE):
        return False
    try:
        found = ssh_format.load_ssh_public_identity(f"{words[0]} {words[1]}".encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(found, ssh_format.SSHCertificate):
        return False
    public = found.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(public.split()[1]) == _blob(key)


def _with(key: paramiko.PKey, file: str) -> paramiko.PKey:
    certified = copy.copy(key)
    words = _words_of(file)
    certified.load_certificate(f"{words[0]} {words[1]}")
    return certified


def _certified(key: paramiko.PKey, files: tuple[str, ...]) -> list[paramiko.PKey]:
    return [_with(key, file) for file in files if _is_for(key, file)]
