"""A list of sudoers in, its elements and where it ends out. Pure."""

from __future__ import annotations

import re

_SUBJECT = re.compile(r'\s*((?:!\s*)*)("[^"]*"|(?:\\.|[^\s,"\\!])(?:\\.|[^\s,"\\])*)\s*(,?)')
_ESCAPED = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)")


def subjects(text: str) -> list[str]:
    """The list that a rule begins with: it ends at the first element that no comma follows."""
    return listed(text)[0]


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1][1:], 16)) if len(found[1]) > 1 else found[1]


def listed(text: str) -> tuple[list[str], int]:
    """The same, and where it ends. Some versions of cvtsudoers print `!%ops` as `%!ops`."""
    found: list[str] = []
    place = 0
    while match := _SUBJECT.match(text, place):
        name = _ESCAPED.sub(_unescaped, match[2].replace('"', ""))
        misplaced = name.startswith(("%!", "%:!"))
        no = (match[1].count("!") + misplaced) % 2
        found.append("!" * no + (name.replace("!", "", 1) if misplaced else name))
        place = match.end()
        if not match[3]:
            break
    return found, place


def is_read(text: str) -> bool:
    return not text[listed(text)[1] :].strip()
