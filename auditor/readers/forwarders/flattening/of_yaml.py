"""YAML in; its settings, flattened, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.readers.forwarders.flattening.settings import Flat, flattened, unquoted

_KEY = re.compile(r"(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_.@*/$-]+)[ \t]*:(?:[ \t]|\Z)")


def yaml(text: bytes) -> bytes:
    return flattened(text, _yaml)


def _yaml(flat: Flat, lines: Iterator[str]) -> None:
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


def _yaml_line(flat: Flat, indent: int, rest: str) -> int:
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
        name = unquoted(key[1])
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


def _pop(flat: Flat, indent: int, item: bool) -> None:
    while flat.levels:
        top = flat.levels[-1]
        if not (top.indent > indent or (top.indent == indent and (not item or (top.path.endswith("]") and top.item)))):
            return
        flat.levels.pop()
