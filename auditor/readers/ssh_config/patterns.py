"""Names and the patterns of ssh_config in; whether they match out. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=65536)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in text), re.DOTALL)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """OpenSSH's match: `*` and `?`; one that begins with `!` and matches wins over all others."""
    matched = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if _pattern(pattern[1:]).fullmatch(name):
                return False
        elif not matched:
            matched = pattern == name or (
                ("*" in pattern or "?" in pattern) and bool(_pattern(pattern).fullmatch(name))
            )
    return matched
