"""Blocks, sections and lines of one setting each in; their settings, flattened, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.readers.forwarders.flattening.settings import Flat, flattened, unquoted


def blocks(text: bytes) -> bytes:
    """`<block argument>`, `[section]` and lines `key value`."""
    return flattened(text, lambda flat, lines: _blocks(flat, lines, re.compile(r"[ \t]+")))


def assigned(text: bytes) -> bytes:
    """The same with lines `key = value`."""
    return flattened(text, lambda flat, lines: _blocks(flat, lines, re.compile(r"[ \t]*=[ \t]*")))


def _blocks(flat: Flat, lines: Iterator[str], between: re.Pattern[str]) -> None:
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


def _setting(flat: Flat, line: str, between: re.Pattern[str]) -> None:
    found = between.search(line)
    if not found:
        return
    key, value = line[: found.start()].lower(), line[found.end() :]
    value = unquoted(value) if value.startswith(('"', "'")) else re.sub(r"[ \t]+#(?:[^{].*)?$", "", value)
    flat.say(flat.below(key), value)
