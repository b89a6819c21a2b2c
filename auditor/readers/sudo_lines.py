"""A line of sudoers in; whether the next one is a part of it, out. Pure.

Source: the lexer of sudo. A comment takes the rest of its line, a backslash at its end too; `#` before a number is an id.
"""

from __future__ import annotations

import re

_KEPT = re.compile(r'"[^"]*"|\\.')
_COMMENT = re.compile(r"#(?!-?[0-9])")


def goes_on(line: str) -> bool:
    return line.endswith("\\") and not _COMMENT.search(_KEPT.sub("", line[:-1]))
