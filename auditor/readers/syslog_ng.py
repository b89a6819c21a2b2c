"""syslog-ng's configuration in; where it sends out. Pure.

A destination counts only when a log path uses it. Source: the syslog-ng administration guide, "network", "syslog", "log".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from auditor.model import Unknown
from auditor.readers.forwarders.target import AUTHORITY, NAME, NOTHING, Target

_QUOTED = r'"(?:[^"\\]|\\[\s\S]|\\\Z)*+(?:"|\Z)'  # to the end where it is not closed: no text takes long to read
_COMMENT = re.compile(rf"({_QUOTED}|'[^']*(?:'|\Z))|#[^\n]*")
_TOKEN = re.compile(rf"{_QUOTED}|'[^']*(?:'|\Z)|[(){{}};]|[^\s(){{}};\"']+")
_DRIVERS = {"network": (514, "tcp"), "syslog": (601, "tcp"), "tcp": (514, "tcp"), "tcp6": (514, "tcp")}
_DRIVERS |= {"udp": (514, "udp"), "udp6": (514, "udp")}
PEER_VERIFY = {"required-trusted": NAME, "yes": NAME, "required-untrusted": NOTHING, "no": NOTHING}
PEER_VERIFY |= {"optional-untrusted": NOTHING}
_CLOSING = {"(": ")", "{": "}"}
DEPTH = 20


# Drivers whose messages stay on the host; any other sends them away, or gives them to a program that may.
_LOCAL = frozenset(
    ["file", "pipe", "unix-stream", "unix-dgram", "usertty", "console", "stdout", "fifo", "logstore", "pseudofile"]
)
_OF_THE_HOST = frozenset(["system", "systemd-journal", "systemd-syslog"])
_SOCKETS = frozenset(["unix-dgram", "unix-stream"])
_LOG_SOCKETS = frozenset(["/dev/log", "/run/systemd/journal/syslog"])
_CHOOSING = frozenset(["matches", "namespace"])  # options of systemd-journal()
_WHOLE = frozenset({"source", "destination", "flags"})  # what a log path may hold and still pass all on


@dataclass(frozen=True, slots=True)
class _Group:
    """`name(...)` or `name label {...}`: what stands before it, and what is in it."""

    name: str
    label: str
    inside: tuple[str | _Group, ...]


def targets(texts: Sequence[str]) -> list[Target]:
    """The network destinations of every log path, inline ones too."""
    tokens: list[str] = []
    for text in texts:
        tokens += [*_TOKEN.findall(_COMMENT.sub(lambda m: m[1] or " ", text)), ";"]
    top, _ = _tree(tokens, 0, "", 0)
    named: dict[str, list[Target]] = {}
    sources: set[str] = set()
    used: list[Target] = []
    for group in _groups(top):
        if group.name == "destination" and group.label:
            named[group.label] = list(_drivers(group.inside))
        elif group.name == "source" and _of_the_host(group):
            sources.add(group.label)
    paths = [group for group in _groups(top) if group.name == "log"]
    final = any("final" in _flags(path) for path in paths)
    for path in paths:
        partial = _partial(path, sources, final)
        used += [replace(t, selector="log path", partial=partial) for t in _of_path(path, named)]
    return used


def _flags(path: _Group) -> str:
    return " ".join(
        _plain(i) for g in _groups(path.inside) if g.name == "flags" for i in g.inside if isinstance(i, str)
    )


def _partial(path: _Group, sources: set[str], final: bool) -> bool | Unknown:
    """Whether a log path leaves messages of the host out; `final`: a path may keep others from messages."""
    inside = list(_groups(path.inside))
    read = {_plain(i) for g in inside if g.name == "source" for i in g.inside if isinstance(i, str)}
    if not (read & sources or any(_of_the_host(g) for g in inside if g.name == "source")):
        return Unknown("not_told", "whether its sources are the host's own messages")
    if final or "fallback" in _flags(path) or any(g.name not in _WHOLE for g in inside):
        return Unknown("not_told", "a filter or another log path may leave messages out")
    return False


def _of_the_host(source: _Group) -> bool:
    """Whether a source reads all that programs of the host say."""
    drivers = [(g.name.replace("_", "-"), g) for g in _groups(source.inside)]
    whole = any(n in _OF_THE_HOST and not _CHOOSING & {o.name for o in _groups(g.inside)} for n, g in drivers)
    words = {_plain(i) for n, g in drivers if n in _SOCKETS for i in g.inside if isinstance(i, str)}
    return whole or bool(words & _LOG_SOCKETS)


def _tree(tokens: Sequence[str], at: int, closing: str, depth: int) -> tuple[tuple[str | _Group, ...], int]:
    """Items up to the closing bracket; nesting deeper than DEPTH is left flat."""
    items: list[str | _Group] = []
    words: list[str] = []
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token == closing:
            break
        if token in _CLOSING and depth < DEPTH:
            inside, at = _tree(tokens, at, _CLOSING[token], depth + 1)
            name, label = (words[-1] if words else ""), ""
            if token == "{" and len(words) > 1:
                name, label = words[-2], _plain(words[-1])
            items.append(_Group(name, label, inside))
            words = []
        else:
            items.append(token)
            words = [] if token == ";" else [*words[-1:], token]
    return tuple(items), at


def _groups(items: Sequence[str | _Group]) -> Iterator[_Group]:
    return (i for i in items if isinstance(i, _Group))


def _of_path(path: _Group, named: dict[str, list[Target]]) -> Iterator[Target]:
    for group in _groups(path.inside):
        if group.name == "destination" and not group.label:
            words = [_plain(i) for i in group.inside if isinstance(i, str)]
            yield from (t for w in words for t in named.get(w, ()))
            yield from _drivers(group.inside)
        elif group.name in ("log", "junction", "channel", "if", "elif", "else", ""):
            yield from _of_path(group, named)


def _drivers(items: Sequence[str | _Group]) -> Iterator[Target]:
    for group in _groups(items):
        if group.name in _DRIVERS:
            yield _target(group)
        elif group.name in ("channel", "junction", "destination", ""):
            yield from _drivers(group.inside)
        elif group.name.replace("_", "-") not in _LOCAL:
            untold = Unknown("not_told", f"where the driver {group.name[:40]} sends is not read")
            yield Target(untold, untold, group.name[:40], untold, verifies=untold)


def _target(group: _Group) -> Target:
    port, transport = _DRIVERS[group.name]
    options = {
        g.name.replace("_", "-"): next((_plain(i) for i in g.inside if isinstance(i, str)), "")
        for g in _groups(group.inside)
    }
    to = next((_plain(i) for i in group.inside if isinstance(i, str)), "")
    how = (options.get("transport") or transport).lower()
    tls = "tls" in how
    if tls and group.name == "syslog":
        port = 6514
    told = options.get("port") or options.get("destport")
    known = bool(to) and "`" not in to
    return Target(
        to.strip("[]") if known else Unknown("not_told", "the destination is not a plain text"),
        _port(told, port),
        "udp" if how == "udp" else "tcp",
        tls,
        verifies=_verifies(group) if tls else NOTHING,
    )


def _verifies(driver: _Group) -> str | Unknown:
    """`peer-verify()` in `tls()`, which is required-trusted where it is left out: the peer's name is then compared."""
    inside = [g for t in _groups(driver.inside) if t.name == "tls" for g in _groups(t.inside)]
    told = [i for g in inside if g.name.replace("_", "-") == "peer-verify" for i in g.inside if isinstance(i, str)]
    options = {
        _plain(i) for g in inside if g.name.replace("_", "-") == "ssl-options" for i in g.inside if isinstance(i, str)
    }
    mode = _plain(told[-1]).lower().replace("_", "-") if told else "required-trusted"
    found = PEER_VERIFY.get(mode, Unknown("not_told", f"peer-verify({mode[:40]})"))
    return AUTHORITY if found == NAME and "ignore-hostname-mismatch" in options else found


def _plain(token: str) -> str:
    return token[1:-1] if token[:1] in ('"', "'") else token


def _port(text: str | None, default: int) -> int | Unknown:
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 5:
        return int(text)
    return Unknown("not_told", text[:40])
