"""logrotate configuration in; how many days each pattern of files is kept out. Pure.

Syntax: logrotate(8). A size alone says nothing of time; `maxsize` leaves the period as an upper bound only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
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


# Endings that an inclusion of a folder leaves out, as long as no `tabooext` says otherwise; logrotate(8).
TABOO = (",v", ".bak", ".cfsaved", ".disabled", ".dpkg-bak", ".dpkg-del", ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".dpkg-tmp",
         ".rpmnew", ".rpmorig", ".rpmsave", ".swp", ".ucf-dist", ".ucf-new", ".ucf-old", "~")  # fmt: skip


def kept_days(texts: Mapping[str, str], path: str) -> float | Unknown | None:
    """How long logrotate keeps what is written to a path, at least; None when no block speaks of it.

    `texts`: the main file first, then those that it may include. Of several blocks the first counts, as logrotate has it.
    """
    return next((days for pattern, days in _kept(tuple(texts.items())) if fnmatchcase(path, pattern)), None)


def kept_below(texts: Mapping[str, str], directory: str) -> float | Unknown | None:
    """The shortest time that logrotate keeps files below a directory; None when no block speaks of them."""
    kept = [days for pattern, days in _kept(tuple(texts.items())) if pattern.startswith(directory + "/")]
    unknown = next((k for k in kept if isinstance(k, Unknown)), None)
    return unknown or min((k for k in kept if not isinstance(k, Unknown)), default=None)


def included(text: str) -> list[str]:
    """The files and folders that a text includes."""
    lines = (lines[0] for patterns, lines in _blocks(text) if not patterns)
    return [line[1].rstrip("/") for line in lines if line[0] == "include" and len(line) > 1]


@dataclass(slots=True)
class _Reading:
    """Files in, each read where it is included; the settings reach behind it. `found`: how long what is kept."""

    texts: Mapping[str, str]
    settings: _Settings = _Settings()
    taboo: tuple[str, ...] = TABOO
    read: set[str] = field(default_factory=set)
    found: list[tuple[str, float | Unknown]] = field(default_factory=list)

    def file(self, path: str) -> None:
        self.read.add(path)
        for patterns, lines in _blocks(self.texts[path]):
            if patterns:
                days = _days(reduce(_applied, lines, self.settings))
                self.found.extend((pattern, days) for pattern in patterns)
            else:
                self._word(lines[0])

    def _word(self, line: list[str]) -> None:
        if line[0] == "include":
            for path in self._below(line[1].rstrip("/") if len(line) > 1 else ""):
                self.file(path)
        elif line[0] == "tabooext":
            more = tuple(part for word in line[1:] for part in word.split(",") if part != "+")
            self.taboo = (*self.taboo, *more) if "+" in line else more
        else:
            self.settings = _applied(self.settings, line)

    def _below(self, path: str) -> list[str]:
        """The file, or the files of the folder; on SUSE those of /usr/etc too, of which the folder of /etc does not hold others."""
        if path in self.texts:
            return [path] if path not in self.read else []
        beside = (path, f"/usr{path}") if path.startswith("/etc/") else (path,)
        return [p for p in sorted(self.texts) if p.rpartition("/")[0] in beside and self._counts(p)]

    def _counts(self, path: str) -> bool:
        return path not in self.read and not path.endswith(self.taboo)


@lru_cache(maxsize=64)
def _kept(files: tuple[tuple[str, str], ...]) -> tuple[tuple[str, float | Unknown], ...]:
    """How long each pattern's files are kept: several paths are asked about, and a fleet shares its packages' files."""
    reading = _Reading(dict(files))
    if files:
        reading.file(files[0][0])
    return tuple(reading.found)


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
            patterns += [w for w in (words[: words.index("{")] if "{" in words else words) if w.startswith("/")]
            behind = words[words.index("{") + 1 :] if "{" in words else []
            inside = [behind] * bool(behind) if "{" in words else None
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
