"""A line of sudoers in; whether the next one is a part of it, and what stands before its comment, out. Pure.

Source: the lexer of sudo. A comment takes the rest of its line, a backslash at its end too; `#` before a number is an id,
and none before a lone `-`. A backslash behind another one is a character.
"""

from __future__ import annotations

import re

_KEPT = re.compile(r'"[^"]*"|\\.')
_COMMENT = re.compile(r"#(?!-?[0-9]|-$)")
_BEFORE = re.compile(r'(?:"[^"]*"|\\.|#(?=-?[0-9]|-$)|[^#\\])*', re.DOTALL)
_BACKSLASH = re.compile(r"(?<!\\)((?:\\\\)*)\\[ \t]*$")


def goes_on(line: str) -> bool:
    return bool(_BACKSLASH.search(line)) and not _COMMENT.search(_KEPT.sub("", bare(line)))


def bare(line: str) -> str:
    """Without the backslash at its end, and what blanks follow it."""
    return _BACKSLASH.sub(r"\1", line)


def uncommented(text: str) -> str:
    found = _BEFORE.match(text)
    end = found.end() if found else 0
    return text[:end] if text.startswith("#", end) else text
