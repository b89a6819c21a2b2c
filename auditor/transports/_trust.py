"""What an end of SSH showed and what known_hosts says in; nothing when it is to be believed, else Refused."""

from __future__ import annotations

import base64
import hashlib
import shlex

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization.ssh import (
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
)

from auditor.framing.sh import shown
from auditor.readers.known_hosts import KnownHosts, known_name
from auditor.readers.ssh_config import matches
from auditor.transports._endpoint import Endpoint, Refused
from auditor.transports._paramiko import paramiko

CERTIFICATE = "-cert-v01@openssh.com"
# A host key type of known_hosts -> the signature algorithms it is proved with.
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


def wanted_types(end: Endpoint, known: KnownHosts, offered: tuple[str, ...]) -> list[str]:
    """The host key algorithms to ask for first: those of which we can judge the key, as OpenSSH does."""
    plain = [t for t in offered if not t.endswith(CERTIFICATE)]
    certified = [t + CERTIFICATE for t in plain] if known.authorities_of(end.known_as, end.known_port) else []
    kinds = dict.fromkeys(kind for kind, _ in known.keys_of(end.known_as, end.known_port))
    ours = [a for kind in kinds for a in _ALGORITHMS.get(kind, (kind,)) if a in plain]
    return [*certified, *ours, *(t for t in plain if t not in ours)]


def verify(key: paramiko.PKey, end: Endpoint, known: KnownHosts, now: float) -> None:
    """Raises Refused unless known_hosts has this key, or an authority that signed it for this name, and revokes neither."""
    blob = key.asbytes()
    shows = (key.get_name(), blob)
    name = f"{key.get_name()} SHA256:{_fingerprint(blob)}"
    revoked = known.revoked(end.known_as, end.known_port)
    if blob in revoked:
        raise Refused(
            "host_key", f"the host shows a key that known_hosts marks as revoked: {name}", "key_revoked", shows
        )
    ours = [k for _, k in known.keys_of(end.known_as, end.known_port)]
    if blob in ours:
        return
    certificate = key.public_blob
    authorities = {k for _, k in known.authorities_of(end.known_as, end.known_port)}
    if certificate is not None and authorities:
        wrong = _wrong(certificate.key_type, certificate.key_blob, end, authorities, revoked, now)
        if not wrong:
            return
        words = f"the host's certificate is not to be believed: {wrong}; its key is {name}"
        raise Refused("host_key", words, "certificate", shows)
    if ours:
        named = shlex.quote(known_name(shown(end.known_as), end.known_port))
        remove = f"ssh-keygen -f {_path(end.known_files)} -R {named}"
        words = f"the host's key has CHANGED; it shows {name}. If it was reinstalled: {remove}; then {_pin(end)}"
        raise Refused("host_key", words, "key_changed", shows)
    if authorities:
        words = f"the host shows no certificate of the authorities that known_hosts trusts, but {name}"
        raise Refused("host_key", words, "certificate", shows)
    words = f"this host's key is not known; it shows {name}. Compare it on the host's console, then pin it: {_pin(end)}"
    raise Refused("host_key", words, "key_unknown", shows)


def _wrong(kind: str, blob: bytes, end: Endpoint, authorities: set[bytes], revoked: set[bytes], now: float) -> str:
    """What is wrong with a host certificate, "" for nothing. Source: PROTOCOL.certkeys of OpenSSH."""
    try:
        found = load_ssh_public_identity(kind.encode() + b" " + base64.b64encode(blob))
        if not isinstance(found, SSHCertificate):
            return "it is no certificate"
        authority = _authority(found)
        if authority in revoked:
            return "known_hosts marks its authority as revoked"
        if authority not in authorities:
            return f"its authority SHA256:{_fingerprint(authority)} is none that known_hosts trusts for this name"
        found.verify_cert_signature()
    except InvalidSignature:
        return "its signature is false"
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"it cannot be read: {shown(str(error))[:100]}"
    return _unfit(found, end, now)


def _unfit(found: SSHCertificate, end: Endpoint, now: float) -> str:
    if found.type is not SSHCertificateType.HOST:
        return "it is a user's, not a host's"
    if now < found.valid_after:
        return "it is not valid yet"
    if now >= found.valid_before:
        return "it has expired"
    principals = [p.decode("utf-8", "replace") for p in found.valid_principals]
    if not principals:
        return "it names no host"
    if not any(matches(end.known_as.lower(), [p.lower()]) for p in principals):
        return f"it is for {shown(', '.join(principals))[:200]}, not for {shown(end.known_as)}"
    if found.critical_options:
        return "it holds options that we do not know"
    return ""


def _authority(found: SSHCertificate) -> bytes:
    public = found.signature_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(public.split()[1])


def _fingerprint(blob: bytes) -> str:
    return base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _pin(end: Endpoint) -> str:
    """The command that pins what the end shows, where it was looked for, under the name that it was looked for by."""
    scan = f"ssh-keyscan -p {end.port} {shlex.quote(shown(end.address))}"
    if end.behind:
        host, _, port = end.behind.rpartition(":")
        scan = f"ssh -p {port} {shlex.quote(host)} {scan}"
    if end.aliased:
        scan += " | sed " + shlex.quote(f"s/^[^# ][^ ]*/{shown(end.known_as)}/")
    return f"{scan} >> {_path(end.known_files)}"


def _path(files: tuple[str, ...]) -> str:
    file = shown(files[0]) if files else "~/.ssh/known_hosts"
    return "~/" + shlex.quote(file[2:]) if file.startswith("~/") else shlex.quote(file)
