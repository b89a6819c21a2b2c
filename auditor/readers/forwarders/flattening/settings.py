"""The settings of a configuration, one by one, in; those that are asked for, made safe, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from auditor.readers.forwarders import flatten

ADDRESS, _WORD, _MARK = (re.compile(text) for text in re.findall(r"[AWM]='(.*)'", flatten.KEYS))
_OUTPUTS = re.compile(r"(?:pipeline[.])?(?:outputs?|sinks|match|label|clients?|loki%write|tcpout|httpout|syslog)[^a-z]")
_INDEX = re.compile(r"(?:\[[0-9]+\])+\Z")
_SAFE = re.compile(r"[A-Za-z0-9_./*:,+$ {}()>=-]*")
_SCHEME = re.compile(r"(?:[a-z0-9+]+://)?")
_HOST = re.compile(r"[]A-Za-z0-9_.:,\[${} -]*")
_LIST = re.compile(r"\[[^][{}]*\][ \t]*")
_DOUBLE, _SINGLE = re.compile(r'"((?:[^"\\]|\\.)*+)"'), re.compile(r"'([^']*)'")
DEEPEST = 60
UNCLOSED = "\n"  # no value of one line


@dataclass(slots=True)
class _Level:
    path: str
    indent: int
    item: bool = False


@dataclass(slots=True)
class Flat:
    """Where in the settings a line stands; `told` is what of them leaves."""

    number: int = 0
    levels: list[_Level] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return self.levels[-1].path if self.levels else ""

    def below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.levels else name

    def put(self, key: str, value: str) -> None:
        self.told.append(f"{self.number}|{key}\t{value}")

    def odd(self) -> None:
        self.put("?", self.path)

    def enter(self, indent: int, name: str, listed: bool, item: bool = False) -> None:
        name = re.sub("[^a-z0-9_@/:%-]", "%", name.lower())
        if len(self.levels) >= DEEPEST:
            self.odd()
            return
        above = self.path
        if listed:
            count = self.counts.get(f"{above}.{name}", 0)
            self.counts[f"{above}.{name}"] = count + 1
            name = f"{name}[{count}]"
        joint = "" if not above or name.startswith("[") else "."
        self.levels.append(_Level(f"{above}{joint}{name}"[:400], indent, item))

    def leave(self, count: int) -> None:
        del self.levels[max(0, len(self.levels) - count) :]

    def say(self, key: str, value: str) -> None:
        last = _INDEX.sub("", key).rpartition(".")[2]
        if ADDRESS.match(last):
            if not _OUTPUTS.match(key):
                return
            value = place(value)
        elif _WORD.match(last):
            value = value if len(value) <= 160 and _SAFE.fullmatch(value) else "?"
        elif _MARK.match(last) or "drop_event" in key or ".script." in key:
            value = "set"
        else:
            return
        self.put(key, value)

    def value(self, key: str, value: str) -> None:
        if value.startswith(('"', "'")):
            value = unquoted(value)
            if value == UNCLOSED:
                self.odd()
                return
        else:
            value = re.sub(r"[ \t]+#.*", "", value, count=1)
            if value.startswith("["):
                self.listed(key, value)
                return
        self.say(key, value)

    def listed(self, key: str, value: str) -> None:
        if not _LIST.fullmatch(value):
            self.odd()
            return
        for number, one in enumerate(value.strip(" \t")[1:-1].split(",")):
            if one.strip(" \t"):
                self.say(f"{key}[{number}]", unquoted(one.strip(" \t")))


def place(value: str) -> str:
    """An address without credentials, path and query; `?` where it cannot be made safe."""
    scheme, separator, rest = value.partition("://")
    scheme, rest = (scheme.lower() + "://", rest) if separator else ("", value)
    end = re.search(r"[/?#]", rest)
    at = rest.find("@")
    if at >= 0:
        if (end and end.start() < at) or "@" in rest[at + 1 :]:
            return "?"
        rest = rest[at + 1 :]
        end = re.search(r"[/?#]", rest)
    rest = rest[: end.start()] if end else rest
    return scheme + rest if _SCHEME.fullmatch(scheme) and _HOST.fullmatch(rest) and len(rest) < 200 else "?"


def unquoted(value: str) -> str:
    """The text between quotes, UNCLOSED where they do not end on the line; other texts as they are."""
    if value.startswith(('"', "'")):
        found = (_DOUBLE if value[0] == '"' else _SINGLE).match(value)
        return found[1] if found else UNCLOSED
    return value


def flattened(text: bytes, lines: Callable[[Flat, Iterator[str]], None]) -> bytes:
    """A syntax's `lines` puts into a Flat what it reads; gives what that told."""
    flat = Flat()
    lines(flat, _numbered(flat, text.decode("latin-1")))
    return "\n".join(flat.told).encode("latin-1")


def _numbered(flat: Flat, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        flat.number = number
        yield line.removesuffix("\r")
