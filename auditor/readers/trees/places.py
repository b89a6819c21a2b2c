"""The files of a tree and a word in; the lines that the word stands in out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

MOST = 4  # of places: a finding points at where to look, a word may be anywhere
LONGEST = 200


def naming(texts: Mapping[str, str], word: str) -> tuple[str, ...]:
    """`path:line` of the first lines that hold a word as a whole, whatever its case."""
    return tuple(islice(_found(texts, word[:LONGEST].lower()), MOST)) if word else ()


def setting(texts: Mapping[str, str], name: str) -> tuple[str, ...]:
    """`path:line` of each `name = value`."""
    line = re.compile(rf"[ \t]*{re.escape(name)}[ \t]*=")
    return tuple(
        f"{path}:{number}"
        for path, text in texts.items()
        for number, one in enumerate(text.split("\n"), 1)
        if line.match(one)
    )


def _found(texts: Mapping[str, str], word: str) -> Iterator[str]:
    whole = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\w)")
    for path, text in texts.items():
        low = text.lower()
        if word in low:
            yield from (f"{path}:{number}" for number, line in enumerate(low.split("\n"), 1) if whole.search(line))
