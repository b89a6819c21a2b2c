"""One place that logs are sent to, and which of a host's messages are. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from auditor.model import Unknown

# What an agent makes sure of before it sends: that its peer's certificate is of an authority that it trusts, and beyond
# that, that it is the one of the peer that was named (or of a known fingerprint).
NOTHING, AUTHORITY, NAME = "nothing", "authority", "name"
YES, NO = ("true", "on", "yes", "1"), ("false", "off", "no", "0")


@dataclass(frozen=True, slots=True)
class Target:
    """`tls` is Unknown where the configuration does not tell it; `verifies` is NOTHING, AUTHORITY or NAME.

    `selector`: which messages, as it is written. `partial`: whether some are left out.
    """

    to: str | Unknown
    port: int | None | Unknown
    protocol: str | Unknown
    tls: bool | Unknown
    selector: str | Unknown = "*.*"
    partial: bool | Unknown = False
    verifies: str | Unknown = NOTHING


UNREAD = Unknown("not_told", "which messages this agent reads and keeps is not read")


def untold(what: str) -> Target:
    why = Unknown("not_told", f"where {what} sends is not read")
    return Target(why, why, why, why, why, why, why)


def sent(
    place: str, default: int, protocol: str, tls: bool | Unknown, verifies: str | Unknown, partial: bool | Unknown
) -> Target:
    """A target at HOST, HOST:PORT or a URL, whose own scheme tells whether TLS is used where it is http or https."""
    to, port, scheme = address(place, default)
    if scheme in ("http", "https"):
        tls = scheme == "https"
    if isinstance(to, Unknown) and to.cause == "unreadable":
        tls = to
    how = verifies if tls is True else NOTHING if tls is False else Unknown("not_told", "whether TLS is used")
    return Target(to, port, protocol, tls, UNREAD, partial, how)


def address(place: str, default: int) -> tuple[str | Unknown, int | Unknown, str]:
    """Host, port and scheme; Unknown where a variable stands in it, or where the host kept it to itself."""
    unread = Unknown("not_told", f"the destination is not a plain text: {place[:60]}")
    if not place or re.search(r"[?$%{}\s]", place):
        return unread, unread, place.partition("://")[0].lower() if "://" in place else ""
    try:
        parts = urlsplit(place if "://" in place else "//" + place)
        host, port = parts.hostname, parts.port
    except ValueError:
        unread = Unknown("unreadable", place[:60])
        return unread, unread, ""
    return host or unread, port or default, parts.scheme.lower()


def number(text: str | None, default: int) -> int | Unknown:
    if text is None:
        return default
    return (
        int(text) if text.isascii() and text.isdigit() and len(text) < 6 else Unknown("not_told", f"port {text[:20]}")
    )


def switch(text: str | None, default: bool) -> bool | Unknown:
    if text is None:
        return default
    low = text.lower()
    return low in YES if low in YES + NO else Unknown("not_told", text[:40])


def verified(certificate: bool | Unknown, name: bool | Unknown) -> str | Unknown:
    """From whether the certificate is checked, and the name in it."""
    if isinstance(certificate, Unknown):
        return certificate
    if not certificate:
        return NOTHING
    return name if isinstance(name, Unknown) else NAME if name else AUTHORITY


# ---------------------------------------------------------------- which messages

# Where a local syslog daemon writes what the host says, and what its logins say: Debian's names and the others'.
_WHOLE = (("/var/log/syslog", "/var/log/auth.log"), ("/var/log/messages", "/var/log/secure"))
_STARS = 4


def leaves_out(journal: bool, filtered: bool, files: Iterable[str], inputs: int) -> bool | Unknown:
    """Whether messages of the host are left out, from what an agent reads.

    `journal`: it reads the whole journal; `filtered`: something on the way may drop messages; `files`: globs.
    """
    if journal:
        return Unknown("not_told", "something on the way may leave messages out") if filtered else False
    globs = list(files)
    if any("?" in g or "$" in g or g.count("*") > _STARS for g in globs):
        return Unknown("not_told", "which files it reads")
    if any(all(_read(path, globs) for path in paths) for paths in _WHOLE):
        return Unknown("not_told", "whether the files that it reads hold all messages")
    return True if inputs else Unknown("not_told", "what it reads")


def _read(path: str, globs: Iterable[str]) -> bool:
    return any(re.fullmatch(_pattern(glob), path) for glob in globs)


def _pattern(glob: str) -> str:
    parts = re.split(r"(\*+)", glob[:200])
    return "".join((".*" if len(p) > 1 else "[^/]*") if p.startswith("*") else re.escape(p) for p in parts)
