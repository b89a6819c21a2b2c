"""The address of a restic or borg repository in; where it is, without what is before an @, out. Pure.

The same as the question of the probe backups prints of it on a host. Sources: the manuals of restic and borg.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["local", "ssh", "url", "service", "rclone", "odd"]
_BRACKETS = re.compile(r"\[[0-9A-Fa-f:.]+](:[0-9]*)?")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Place:
    """`at` is the path of a local one, else the name of the host; "" where that is not told."""

    kind: Kind
    at: str
    shown: str


ODD = Place("odd", "", "...")


def place(tool: str, text: str) -> Place:
    if tool in ("restic", "rustic"):
        text = text.removeprefix("local:")
    elif tool.startswith("borg"):
        text = text.removeprefix("file://")
    if text.startswith("/"):
        return Place("local", text, text)
    for kind, scheme in (("ssh", "sftp://"), ("ssh", "ssh://")):
        if text.startswith(scheme):
            return _url("ssh" if kind == "ssh" else "url", scheme, text.removeprefix(scheme))
    if tool.startswith("borg") and re.match(r"[^/]*:", text) and "://" not in text:
        return _colon(text, "")
    return _restic(tool, text)


def _restic(tool: str, text: str) -> Place:
    if tool in ("restic", "rustic") and text.startswith("sftp:"):
        return _colon(text.removeprefix("sftp:"), "sftp:")
    if re.match(r"(rest|s3):https?://", text):
        scheme, _, rest = text.partition("://")
        return _url("url", scheme + "://", rest)
    if text.startswith("s3:"):
        return _url("url", "s3:", text.removeprefix("s3:"))
    for begin, host in (("b2:", "api.backblazeb2.com"), ("gs:", "storage.googleapis.com"), ("azure:", "")):
        if text.startswith(begin) and "@" not in text:
            return Place("service", host, text)
    if re.fullmatch(r"rclone:[A-Za-z0-9_. -]+:[^@]*", text):
        return Place("rclone", "", text)
    return ODD


def _host(authority: str) -> str:
    authority = authority.rpartition("@")[2]
    if _BRACKETS.fullmatch(authority):
        return authority.partition("]")[0][1:]
    name = re.sub(r":[0-9]*\Z", "", authority)
    return name if _HOST.fullmatch(name) else ""


def _url(kind: Kind, scheme: str, rest: str) -> Place:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    path = rest[len(authority) :]
    if "@" in path or not _host(authority):
        return Place("odd", "", scheme + "...")
    return Place(kind, _host(authority), scheme + authority.rpartition("@")[2] + re.split(r"[?#]", path, maxsplit=1)[0])


def _colon(rest: str, begin: str) -> Place:
    """`user@host:path`."""
    authority = rest.partition("/")[0]
    if re.match(r"[^/]*\[[^]/]*]:", rest):
        authority = re.sub(r"]:.*\Z", "]", rest, flags=re.DOTALL)
    else:
        authority = re.sub(r":[^@]*\Z", "", authority)
    path, authority = rest[len(authority) :], authority.rpartition("@")[2]
    return Place("ssh", _host(authority), begin + authority + path) if _host(authority) else ODD
