"""The text of known_hosts files in; which keys, certificate authorities and revocations concern a name out. Pure.

Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

Key = tuple[str, bytes]  # type, blob
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))  # the pads of RFC 2104


@dataclass(frozen=True, slots=True)
class _Names:
    """Keys by the names that a file gives them. Plain names are looked up, patterns and hashes tried one by one."""

    plain: dict[str, list[Key]] = field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], re.Pattern[str] | None, Key]] = field(
        default_factory=list
    )  # and what excludes
    hashed: list[tuple[bytes, bytes, bytes, Key]] = field(default_factory=list)  # salt padded twice, digest
    unhashed: dict[str, list[Key]] = field(default_factory=dict)  # what was already looked for among the hashes

    def add(self, names: str, key: Key) -> None:
        words = [n.lower() for n in names.split(",") if not n.startswith("|1|")]
        if any(c in word for word in words for c in "*?!"):
            yes = [w for w in words if not w.startswith("!")]
            no = [w[1:] for w in words if w.startswith("!")]
            if yes:
                self.patterns.append((_any_of(yes), _any_of(no) if no else None, key))
        else:
            for word in words:
                self.plain.setdefault(word, []).append(key)
        for name in names.split(","):
            if name.startswith("|1|"):
                parts = name.split("|")
                with contextlib.suppress(binascii.Error, ValueError, IndexError):
                    self.hashed.append((*_padded(base64.b64decode(parts[2])), base64.b64decode(parts[3]), key))

    def of(self, name: str) -> list[Key]:
        found = [*self.plain.get(name, ())]
        found += [key for yes, no, key in self.patterns if yes.fullmatch(name) and not (no and no.fullmatch(name))]
        if self.hashed:  # always, or a hashed revocation would be missed beside a plain line
            if name not in self.unhashed:
                self.unhashed[name] = self._unhashed(name.encode())
            found += self.unhashed[name]
        return found

    def _unhashed(self, name: bytes) -> list[Key]:
        """HMAC-SHA1, with what depends on the salt alone done before: asked of every line, for every host."""
        sha1 = hashlib.sha1
        return [
            key
            for inner, outer, digest, key in self.hashed
            if sha1(outer + sha1(inner + name).digest()).digest() == digest
        ]


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """known_hosts read once: paramiko's own reader is quadratic."""

    hosts: _Names = field(default_factory=_Names)
    authorities: _Names = field(default_factory=_Names)
    revocations: _Names = field(default_factory=_Names)

    def keys_of(self, name: str, port: int) -> list[Key]:
        """The keys known for exactly this name and port, each with its type."""
        return self.hosts.of(known_name(name, port))

    def authorities_of(self, name: str, port: int) -> list[Key]:
        """The authorities trusted for this name; as OpenSSH, one given for the bare name speaks for its other ports."""
        found = self.authorities.of(known_name(name, port))
        return found if found or port == 22 else self.authorities.of(name.lower())

    def revoked(self, name: str, port: int) -> set[bytes]:
        """The keys and authorities that must not be believed for this name, at whatever port."""
        names = {name.lower(), known_name(name, port)}
        return {blob for n in names for _, blob in self.revocations.of(n)}


def known_name(name: str, port: int) -> str:
    """How known_hosts writes a name and port."""
    return name.lower() if port == 22 else f"[{name.lower()}]:{port}"


def read(texts: Sequence[str]) -> KnownHosts:
    """Lines that cannot be read are passed over: they prove nothing."""
    known = KnownHosts()
    shelves = {"": known.hosts, "@cert-authority": known.authorities, "@revoked": known.revocations}
    for line in (line for text in texts for line in text.split("\n")):
        words = _words(line)
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in shelves:
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        shelves[marker].add(words[0], (words[1], blob))
    return known


def _words(line: str) -> list[str]:
    """As OpenSSH parts them: by blanks and tabs alone. Any other space of Unicode is a character like another."""
    return [w for w in line.rstrip("\r").replace("\t", " ").split(" ") if w]


def _padded(salt: bytes) -> tuple[bytes, bytes]:
    """A salt as HMAC mixes it in before the name, and before the digest of that (RFC 2104)."""
    if len(salt) > 64:
        salt = hashlib.sha1(salt).digest()  # noqa: S324 - the file's format says so
    block = salt.ljust(64, b"\0")
    return block.translate(_INNER), block.translate(_OUTER)


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join("".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in p) for p in patterns))
