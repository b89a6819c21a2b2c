"""TOML in; its settings, flattened, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.readers.forwarders.flattening.settings import Flat, flattened

_TOML_KEY = re.compile(r"([A-Za-z0-9_.\"'-]+)[ \t]*=[ \t]*")


def toml(text: bytes) -> bytes:
    return flattened(text, _toml)


def _toml(flat: Flat, lines: Iterator[str]) -> None:
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


def _toml_table(flat: Flat, line: str) -> None:
    parts = re.sub(r"^\[+[ \t]*|[ \t]*\]+.*$", "", line).split(".")
    flat.levels.clear()
    for number, part in enumerate(parts, 1):
        flat.enter(0, re.sub(r"[\"' \t]", "", part), line.startswith("[[") and number == len(parts))


def _toml_value(flat: Flat, value: str) -> tuple[str, str]:
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
