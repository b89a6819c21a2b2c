"""A text of rsyslog in; what stands in it that bears on where messages go, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model import Unknown

LONGEST = 200  # of a selector; a longer one is no plain one
EVERYTHING = frozenset({"*.*", "*.debug", "*.info"})  # what debugging says is no log to keep
_PRIORITIES = re.compile(r"[a-z0-9*,]+\.[!=]{0,2}[a-z0-9*]+(;[a-z0-9*,]+\.[!=]{0,2}[a-z0-9*]+)*;?\Z", re.ASCII)
_QUOTED = r'"(?:[^"\\]|\\[\s\S]|\\\Z)*+(?:"|\Z)'  # to the end where it is not closed: no text takes long to read
_COMPARED = (
    r"[=!]=|[<>]=?|contains(?:_i)?|startswith(?:_i)?|and|or|then"  # a property begins the line, and no directive
)
PIECE = re.compile(
    rf"""(?P<quoted>{_QUOTED})
    | ^[ \t]*\$(?P<directive>\w++)(?![ \t]+(?:{_COMPARED})(?:[ \t"]|$))(?:[ \t]+(?P<value>[^\n]*))?
    | \bcall[ \t]+(?P<call>[\w.-]+)
    | :omrelp:(?P<relp>[^;\s]+)
    | :(?P<module>om\w+):
    | (?P<stop>\bstop\b|(?<=\s)~(?!\S))
    | (?<=\s)\^(?P<program>/[^;\s]*)
    | (?P<at>@@?)(?:\([^)\n]*\))?(?P<host>\[[0-9A-Fa-f:.%]+\]|[\w.-]+)(?::(?P<port>\w+))?
    | \b(?P<object>[A-Za-z_]\w*)[ \t]*\((?P<inner>(?:[^"()]|{_QUOTED}|\([^()]*\))*)\)
    | (?P<brace>[{{}}])""",
    re.VERBOSE | re.MULTILINE,
)
OPEN = re.compile(r"(?<![^\s;{}])if\b(?!(?:[^\n]|\n)*\bthen\b)")  # a condition that goes on
_PAIR = re.compile(rf"(?<![A-Za-z_.])([A-Za-z_.]+)\s*=\s*(\[[^\]]*\]|{_QUOTED})")
_STRING = re.compile(_QUOTED)
_GOES_ON = re.compile(r"\\\r?\n[ \t]*")
COMMENT = re.compile(rf"({_QUOTED})|#[^\n]*|(?<!\S)/\*.*?(?:\*/|\Z)", re.DOTALL)


def joined(text: str) -> str:
    """Without the ends of lines that go on, as rsyslog has them: comments do too, and blanks at the next one's begin go."""
    return _GOES_ON.sub("", text)


def selector_of(before: str) -> str:
    """What stands before an action or a brace: a selector, or the end of a condition, which may be a line above."""
    *above, line = before.split("\n")
    if line.strip():
        return line.strip()[:LONGEST]
    last = next((x.strip() for x in reversed(above) if x.strip()), "")
    return last[-LONGEST:] if re.search(r"\b(then|else)\Z", last) or OPEN.search(before) else ""


def leaves_out(selector: str) -> bool | Unknown:
    """Whether a selector leaves messages out."""
    if not selector:
        return False
    if not _PRIORITIES.match(selector):
        return Unknown("not_told", f"which messages: {selector[:80]}")
    parts = selector.strip(";").split(";")
    return not EVERYTHING & set(parts) or any(p.endswith(".none") or "!" in p for p in parts)


def objects(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for piece in PIECE.finditer(text):
        if piece["object"]:
            yield piece["object"].lower(), pairs(piece["inner"])


def pairs(inner: str) -> dict[str, str]:
    """Names in lower case; the values of a list are joined by line feeds."""
    return {k.lower(): "\n".join(s[1:-1] for s in _STRING.findall(v)) for k, v in _PAIR.findall(inner)}
