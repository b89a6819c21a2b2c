"""What the sections of the page are made of: chips, rows that are cut, names of hosts and measures. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.decision_words import DECIDED_WORDS
from auditor.kinds import Voice
from auditor.model import Measure, Run
from auditor.operators import N_
from auditor.sentences import OUTCOME_WORDS
from auditor.summary import Summary, folded

NAMES = 160  # characters of a list of hosts
TOP = 6  # fixes that it names
ROWS = 40  # rows of a table
ANNEX = 4  # controls of the appendix, what is open first
DECIDED = 4  # decisions, actions, and what is to be decided: four pages hold them, --details and JSON all of them
PLACES = 12  # perimeters under one bullet
FINDINGS = 8  # different findings of one control


SYMBOLS = {
    "fail": "✗",
    "warn": "▲",
    "accepted": "◐",
    "adapted": "◑",
    "exempted": "◌",
    "unknown": "?",
    "nothing_asked": "?",
    "pass": "✓",
    "not_concerned": "–",
}


WORDS = {**OUTCOME_WORDS, **DECIDED_WORDS}


KINDS = {"shared": N_("shared"), "exclusive": N_("exclusive")}


@dataclass(frozen=True, slots=True)
class Chip:
    """A state in words: its kind colours it, its symbol and word say it, `count` is empty where none is known."""

    kind: str
    symbol: str
    word: str
    count: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table's rows that are shown, and how many are not."""

    shown: Sequence[Any]
    more: int


def cut(rows: Iterable[Any], shown: int) -> Rows:
    whole = list(rows)
    return Rows(whole[:shown], max(0, len(whole) - shown))


def bound(shown: int, voice: Voice) -> int:
    """How much is shown; with details, all of it."""
    return sys.maxsize if voice.details else shown


def chip(name: str, voice: Voice, count: int = 0) -> Chip:
    return Chip(name, SYMBOLS[name], voice.say(WORDS[name]), str(count) if count else "")


def names(subjects: Sequence[str], voice: Voice) -> str:
    """The hosts, folded; a list that is too long is cut, and says of how many it is."""
    names = folded(subjects)
    if voice.details or len(names) <= NAMES:
        return names
    return voice.say("{names}… ({count} in all)").format(names=names[:NAMES].rstrip(" ,"), count=len(set(subjects)))


def on(subjects: Sequence[str], voice: Voice) -> str:
    return counted(subjects) if voice.audience == "elus" else names(subjects, voice)


def counted(subjects: Iterable[str]) -> str:
    """How many hosts there are among them; a dash for what was asked of perimeters alone."""
    return str(len({name for name in subjects if not name.startswith("perimeter:")}) or "-")


def title(measure: Measure | None, id: str, voice: Voice) -> str:
    return voice.text(measure.title) if measure else id or voice.say("(the host as a whole)")


def measure_of(run: Run, control: str) -> str:
    known = run.controls.get(control)
    return known.measure if known else ""


def lost(seen: Summary) -> int:
    """Checks that were planned and that no result came for."""
    return max(0, seen.checks_planned - seen.checks_told)


def part_only(run: Run, seen: Summary) -> bool:
    """Not all that was planned came, or not all of the estate or of the policies was planned."""
    header = run.header
    return bool(header.limit or header.policies or not seen.complete or seen.checks_told < seen.checks_planned)
