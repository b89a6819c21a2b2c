"""logrotate configuration in; how many days each pattern of files is kept out. Pure.

Syntax: logrotate(8). A size alone says nothing of time; `maxsize` leaves the period as an upper bound only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache, reduce

from auditor.model import Unknown

PERIODS = {"hourly": 1 / 24, "daily": 1.0, "weekly": 7.0, "monthly": 30.4, "yearly": 365.0}
_WORD = re.compile(r'"([^"]*)"|\'([^\']*)\'|(\S+)')
_EQUALS = re.compile(r"\A([a-z]+)\s*=\s*")
_SCRIPTS = ("prerotate", "postrotate", "firstaction", "lastaction", "preremove")


@dataclass(frozen=True, slots=True)
class _Settings:
    """What logrotate starts with: rotation at one megabyte, and no old file kept."""

    period: float | None = None  # None: by size
    sized: bool = False
    count: int = 0
    max_age: float | None = None


def kept_days(texts: Mapping[str, str], path: str) -> float | Unknown | None:
    """How long logrotate keeps what is written to a path, at least; None when no block speaks of it.

    `texts`: the main file first, then the included ones, whose own global words stay in them.
    """
    kept = [days for pattern, days in _kept(tuple(texts.values())) if fnmatchcase(path, pattern)]
    return kept[-1] if kept else None


def kept_below(texts: Mapping[str, str], directory: str) -> float | Unknown | None:
    """The shortest time that logrotate keeps files below a directory; None when no block speaks of them."""
    kept = [days for pattern, days in _kept(tuple(texts.values())) if pattern.startswith(directory + "/")]
    unknown = next((k for k in kept if isinstance(k, Unknown)), None)
    return unknown or min((k for k in kept if not isinstance(k, Unknown)), default=None)


@lru_cache(maxsize=64)
def _kept(texts: tuple[str, ...]) -> tuple[tuple[str, float | Unknown], ...]:
    """How long each pattern's files are kept: several paths are asked about, and a fleet shares its packages' files."""
    found: list[tuple[str, float | Unknown]] = []
    settings = _Settings()
    for number, text in enumerate(texts):
        outer = settings
        for patterns, lines in _blocks(text):
            if patterns:
                days = _days(reduce(_applied, lines, outer))
                found.extend((pattern, days) for pattern in patterns)
            else:
                outer = reduce(_applied, lines, outer)
        if number == 0:
            settings = outer
    return tuple(found)


def _days(settings: _Settings) -> float | Unknown:
    if settings.period is None or settings.sized:
        return Unknown("not_told", "rotated by size, not by time")
    kept = settings.period * settings.count
    if settings.max_age is not None:
        kept = min(kept, settings.max_age)
    return round(kept, 1)


def _applied(settings: _Settings, line: list[str]) -> _Settings:
    word, value = line[0], (line[1] if len(line) > 1 else "")
    if word in PERIODS:
        return replace(settings, period=PERIODS[word])
    if word == "size":
        return replace(settings, period=None)
    if word in ("minsize", "maxsize"):
        return replace(settings, sized=True)
    if not (value.isascii() and value.isdigit() and len(value) < 7):
        return settings
    if word == "rotate":
        return replace(settings, count=int(value))
    if word == "maxage":
        return replace(settings, max_age=float(value))
    return settings


def _blocks(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """(patterns, the words of each line); a global line has no patterns."""
    patterns: list[str] = []
    inside: list[list[str]] | None = None
    script = False
    for words in _lines(text):
        if script:
            script = words[0] != "endscript"
        elif inside is not None:
            if words[0] == "}":
                yield patterns, inside
                patterns, inside = [], None
            elif words[0] in _SCRIPTS:
                script = True
            else:
                inside.append(words)
        elif words[0].startswith("/") or words[0] == "{":
            patterns += [w for w in words if w.startswith("/")]
            inside = [] if "{" in words else None
        else:
            yield [], [words]


def _lines(text: str) -> Iterator[list[str]]:
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        words = [a or b or c for a, b, c in _WORD.findall(_EQUALS.sub(r"\1 ", line.replace("{", " { ")))]
        if words:
            yield words
