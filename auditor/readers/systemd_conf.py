"""systemd configuration, a file set or the output of `systemd-analyze cat-config`, in; every assignment out. Pure.

Syntax: systemd.syntax(7). Which file wins: systemd-system.conf(5), "Configuration directories and precedence".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

ROOTS = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd")
_ENDS = re.compile("\r\n|\r|\n")  # of lines, for systemd; not the other characters that a text may hold
_FILE = re.compile(r"# (/\S+\.conf)\Z")
_SECTION = re.compile(r"\[([^\]]*)\]\Z")


def globs(name: str) -> str:
    """The files that may hold `name` ("journald.conf"), for a "read" Command: a fallback where there is no cat-config."""
    return " ".join(f"{root}/{name} {root}/{name}.d/*.conf" for root in ROOTS)


def effective(texts: Mapping[str, str], name: str) -> list[str]:
    """The texts that count, in the order in which they are applied: one main file, then drop-ins sorted by file name.

    A drop-in hides one of the same name in a directory that comes later.
    """
    main = next((texts[f"{r}/{name}"] for r in ROOTS if f"{r}/{name}" in texts), None)
    drop_ins: dict[str, str] = {}
    for root in ROOTS:
        prefix = f"{root}/{name}.d/"
        for path, text in texts.items():
            if path.startswith(prefix):
                drop_ins.setdefault(path[len(prefix) :], text)
    return ([] if main is None else [main]) + [drop_ins[n] for n in sorted(drop_ins)]


def separate(catted: str, name: str) -> list[str]:
    """The output of cat-config, cut where a file begins: a section does not reach into the next file."""
    parts: list[list[str]] = [[]]
    blank = True
    for line in catted.splitlines():
        head = _FILE.match(line)
        if head and blank and (head[1].endswith("/" + name) or f"/{name}.d/" in head[1]):
            parts.append([])
        parts[-1].append(line)
        blank = not line.strip()
    return ["\n".join(p) for p in parts]


def assignments(texts: Iterable[str], section: str, key: str) -> list[str]:
    """Every value that is given to a key of a section, in order: the last valid one wins, an empty one resets."""
    return [value for text in texts for s, k, value in _parsed(text) if s == section and k == key]


def said(texts: Iterable[str], section: str) -> list[tuple[str, str]]:
    """Every assignment of a section, in order."""
    return [(k, value) for text in texts for s, k, value in _parsed(text) if s == section]


def last_valid(values: Sequence[str], valid: Sequence[str], default: str) -> str:
    """What systemd keeps of several assignments: it ignores a value that it does not know."""
    kept = default
    for value in values:
        if not value:
            kept = default
        elif value in valid:
            kept = value
    return kept


@lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[tuple[str, str, str], ...]:
    """Section, key and value of each assignment; read once for all that is asked of a file."""
    return tuple(_assigned(text))


def _assigned(text: str) -> Iterator[tuple[str, str, str]]:
    section, pending = "", ""
    for raw in _ENDS.split(text):
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue
        if raw.endswith("\\"):
            pending += line[:-1] + " "
            continue
        line, pending = (pending + line).strip(), ""
        head = _SECTION.match(line)
        if head:
            section = head[1]
        elif "=" in line:
            key, _, value = line.partition("=")
            yield section, key.strip(), value.strip()
