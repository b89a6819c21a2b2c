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
    | (?P<at>@@?)(?:\([^)\n]*\))?(?P<host>\[[0-9A-Fa-f:.%]+\]|[\w.-]+)(?::(?P<port>\w+))?(?P<rest>[^\n]*)
    | (?P<count>\bPreprocFileLineNumber\([0-9]+\))
    | \b(?P<object>[A-Za-z_]\w*)[ \t]*\((?P<inner>(?:[^"()]|{_QUOTED}|\([^()]*\))*)\)
    | (?P<brace>[{{}}])""",
    re.VERBOSE | re.MULTILINE,
)
OPEN = re.compile(r"(?<![^\s;{}])if\b(?!(?:[^\n]|\n)*\bthen\b)")  # a condition that goes on
_PAIR = re.compile(rf"(?<![A-Za-z_.])([A-Za-z_.]+)\s*=\s*(\[[^\]]*\]|{_QUOTED})")
_COUNT = re.compile(r"\bPreprocFileLineNumber\([0-9]+\)")
_STRING = re.compile(_QUOTED)
# What an action of old does is the rest of its line: no comment but one of a hash begins there.
COMMENT = re.compile(rf"({_QUOTED}|(?<!\S)(?:@|[-|?^>]*/[^*\s])[^\n#]*)|#[^\n]*|(?<!\S)/\*.*?(?:\*/|\Z)", re.DOTALL)
_SELECTS = re.compile(r"[ \t]*[*A-Za-z][*A-Za-z0-7]*[.,][*A-Za-z0-7.,;!=]")
_SET = re.compile(r"(?<![^\s;{}])(?:re|un)?set\b[^;]*\Z")  # a statement that ends with a semicolon, and goes on
_LIST = re.compile(
    r"\b(?:action|constant|dyn_stats|global|include|input|lookup_table|main_queue|module|parser|property|ruleset|template"
    r"|timezone)[ \t]*\((?:[^()]|\([^()]*\))*\Z"
)
_REST = re.compile(r"[^\s;#]*\s*(?:;\s*[\w.-]*(?=[\s#]|\Z)|#|\Z)")  # what may follow a target: a template


def refused(piece: re.Match[str]) -> bool:
    """Whether rsyslog does not take the line that a target stands in."""
    return bool(piece["at"]) and not _REST.match(piece["rest"])


def is_open(before: str) -> bool:
    """Whether a parameter list is."""
    return bool(_LIST.search(_STRING.sub("", before)))


def ends_all(piece: re.Match[str], before: str) -> bool:
    """Whether rsyslog reads nothing after it: it, or a line that only counts, stands where a parameter list or a condition is
    still open; or it is an action of old, of which a brace is no more than text.
    """
    if is_open(before) or (piece["object"] and _COUNT.search(_STRING.sub("", piece["inner"]))):
        return True
    if piece["count"]:
        return bool(OPEN.search(before) or _SET.search(before))
    return "{" in (piece["rest"] or "") or "}" in (piece["rest"] or "")


def is_late(text: str, since: int, at: int) -> bool:
    """Whether a selector stands before it that does not begin its line, and so is none: rsyslog takes the line for junk."""
    return text.rfind("\n", 0, at) < since and bool(since and _SELECTS.match(text, since, at))


def selector_of(before: str) -> str:
    """What stands before an action or a brace: a selector, or the end of a condition, which may be a line above."""
    *above, line = _COUNT.sub("", before).split("\n")
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
