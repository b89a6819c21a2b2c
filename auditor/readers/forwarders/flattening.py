"""The configuration of a forwarder in a tree in; `LINE|path<TAB>value` of the settings that are asked for out. Pure.

What flatten.py has a host do in awk, for files that are read here: the same settings, and `?` for the same places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from auditor.readers.forwarders import flatten

_ADDRESS, _WORD, _MARK = (re.compile(text) for text in re.findall(r"[AWM]='(.*)'", flatten.KEYS))
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
class _Flat:
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
        if _ADDRESS.match(last):
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
            value = _unquoted(value)
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
                self.say(f"{key}[{number}]", _unquoted(one.strip(" \t")))


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


def _unquoted(value: str) -> str:
    if value.startswith(('"', "'")):
        found = (_DOUBLE if value[0] == '"' else _SINGLE).match(value)
        return found[1] if found else UNCLOSED
    return value


def _flattened(text: bytes, lines: Callable[[_Flat, Iterator[str]], None]) -> bytes:
    flat = _Flat()
    lines(flat, _numbered(flat, text.decode("latin-1")))
    return "\n".join(flat.told).encode("latin-1")


def _numbered(flat: _Flat, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        flat.number = number
        yield line.removesuffix("\r")


# ---------------------------------------------------------------- YAML

_KEY = re.compile(r"(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_.@*/$-]+)[ \t]*:(?:[ \t]|\Z)")


def yaml(text: bytes) -> bytes:
    return _flattened(text, _yaml)


def _yaml(flat: _Flat, lines: Iterator[str]) -> None:
    block = -1  # how far a text of several lines is set in from
    for line in lines:
        rest = line.lstrip(" ")
        indent = len(line) - len(rest)
        if not line.strip(" \t") or (block >= 0 and indent > block):
            continue
        block = -1
        if rest.startswith(("---", "...")):
            flat.odd() if flat.levels else None
        elif rest.startswith("\t"):
            flat.odd()
        elif not rest.startswith(("#", "%")):
            block = _yaml_line(flat, indent, rest)


def _yaml_line(flat: _Flat, indent: int, rest: str) -> int:
    """Gives how far a text of several lines is set in that begins here, else -1."""
    named = False
    while re.match(r"-(?:[ \t]|\Z)", rest):
        named = True
        _pop(flat, indent, True)
        flat.enter(indent, "", True, True)
        bare = rest[1:].lstrip(" \t")
        indent += len(rest) - len(bare)
        rest = bare
        if not rest or rest.startswith("#"):
            return -1
    key = _KEY.match(rest)
    if key:
        named = True
        rest = rest[key.end() :].lstrip(" \t")
        _pop(flat, indent, False)
        name = _unquoted(key[1])
        for part in name.split(".") if name else ():
            flat.enter(indent, part, False)
        if not rest or rest.startswith("#"):
            flat.put(f"{flat.path}.@set", "set") if key[1].lower() == "journal" else None
            return -1
    if rest.startswith(("|", ">")):
        return flat.levels[-1].indent if flat.levels else 0
    if not re.match(r"\{[ \t]*\}|\[[ \t]*\]", rest):
        understood = named and flat.levels and not rest.startswith(("&", "*", "!", "{"))
        flat.value(flat.path, rest) if understood else flat.odd()
    return -1


def _pop(flat: _Flat, indent: int, item: bool) -> None:
    while flat.levels:
        top = flat.levels[-1]
        if not (top.indent > indent or (top.indent == indent and (not item or (top.path.endswith("]") and top.item)))):
            return
        flat.levels.pop()


# ---------------------------------------------------------------- TOML

_TOML_KEY = re.compile(r"([A-Za-z0-9_.\"'-]+)[ \t]*=[ \t]*")


def toml(text: bytes) -> bytes:
    return _flattened(text, _toml)


def _toml(flat: _Flat, lines: Iterator[str]) -> None:
    until, begun, entered = "", "", 0
    for line in (one.lstrip(" \t") for one in lines):
        key = _TOML_KEY.match(line)
        if until:
            until = "" if until in line else until
        elif begun:
            bare = re.sub(r"[ \t]*#.*", "", line, count=1)
            begun = f"{begun} {bare}"
            if bare.rstrip(" \t").endswith("]"):
                flat.listed(flat.path, begun)
                flat.leave(entered)
                begun = ""
        elif line.startswith("["):
            _toml_table(flat, line)
        elif key:
            parts = key[1].translate({34: None, 39: None}).split(".")
            value, entered = line[key.end() :], len(flat.levels)
            for part in parts:
                flat.enter(0, part, False)
            entered = len(flat.levels) - entered
            until, begun = _toml_value(flat, value)
            flat.leave(0 if begun else entered)
        elif line and not line.startswith("#"):
            flat.odd()
    flat.odd() if until or begun else None


def _toml_table(flat: _Flat, line: str) -> None:
    parts = re.sub(r"^\[+[ \t]*|[ \t]*\]+.*$", "", line).split(".")
    flat.levels.clear()
    for number, part in enumerate(parts, 1):
        flat.enter(0, re.sub(r"[\"' \t]", "", part), line.startswith("[[") and number == len(parts))


def _toml_value(flat: _Flat, value: str) -> tuple[str, str]:
    """What ends a text of several lines that begins here, and the beginning of such a list."""
    if value.startswith(('"""', "'''")):
        return ("" if value[:3] in value[3:] else value[:3]), ""
    if re.match(r"\{[ \t]*\}", value):
        return "", ""
    if value.startswith("{"):
        flat.odd()
    elif value.startswith("[") and "]" not in value:
        return "", re.sub(r"[ \t]*#.*", "", value, count=1)
    else:
        flat.value(flat.path, value)
    return "", ""


# ---------------------------------------------------------------- blocks


def blocks(text: bytes) -> bytes:
    """`<block argument>`, `[section]` and lines `key value`."""
    return _flattened(text, lambda flat, lines: _blocks(flat, lines, re.compile(r"[ \t]+")))


def assigned(text: bytes) -> bytes:
    """The same with lines `key = value`."""
    return _flattened(text, lambda flat, lines: _blocks(flat, lines, re.compile(r"[ \t]*=[ \t]*")))


def _blocks(flat: _Flat, lines: Iterator[str], between: re.Pattern[str]) -> None:
    for line in (one.strip(" \t") for one in lines):
        if line.startswith("["):
            name = re.sub(r"^\[[ \t]*|[ \t]*\].*$", "", line)
            flat.levels.clear()
            flat.enter(0, name, True)
            flat.say(f"{flat.path}.url", name) if "=" in between.pattern else None
        elif line.startswith("</"):
            flat.leave(1)
        elif re.match("<[A-Za-z]", line):
            name, _, argument = re.sub(r"^<|>.*$", "", line).replace("\t", " ").partition(" ")
            flat.enter(0, name, True)
            flat.say(f"{flat.path}.@arg", argument.lstrip(" ")) if argument.strip(" ") else None
        elif line and not line.startswith(("#", ";")):
            _setting(flat, line, between)


def _setting(flat: _Flat, line: str, between: re.Pattern[str]) -> None:
    found = between.search(line)
    if not found:
        return
    key, value = line[: found.start()].lower(), line[found.end() :]
    value = _unquoted(value) if value.startswith(('"', "'")) else re.sub(r"[ \t]+#(?:[^{].*)?$", "", value)
    flat.say(flat.below(key), value)


# ---------------------------------------------------------------- Alloy


def river(text: bytes) -> bytes:
    """Blocks `name "label" {` and lines `key = value`."""
    return _flattened(text, _river)


def _river(flat: _Flat, lines: Iterator[str]) -> None:
    for line in (one.strip(" \t") for one in lines):
        found = re.match(r"([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*", line)
        if not line or line.startswith("//"):
            continue
        if re.match(r"[A-Za-z_].*\{$", line):
            flat.enter(0, line.split()[0], True)
        elif line.startswith("}"):
            flat.leave(1)
        elif found:
            value = line[found.end() :].removesuffix(",")
            if value.endswith(("[", "(", "{")) or value.startswith("`"):
                flat.odd() if _ADDRESS.match(found[1]) else None
            else:
                flat.value(flat.below(found[1].lower()), value)
        elif re.search(r"\{.*\}", line):
            flat.odd()
