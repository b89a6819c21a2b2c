"""Texts, cells and names of outcomes in, lines of the voice's width and their styles out. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from auditor.decision_words import DECIDED_WORDS
from auditor.kinds import Voice
from auditor.sentences import OUTCOME_WORDS, clean
from auditor.summary import plain

COLOURS = {"fail": "31", "warn": "33", "unknown": "35", "pass": "32", "bold": "1", "dim": "2"}

Span = tuple[str, str]  # a style (a key of COLOURS, or none) and its text
Line = tuple[Span, ...]
EMPTY: Line = ()


def painted(span: Span, voice: Voice) -> str:
    style, text = span
    inert = clean(text, 0)
    return f"\x1b[{COLOURS[style]}m{inert}\x1b[0m" if voice.colour and style and inert else inert


def wrapped(text: str, voice: Voice, indent: int, style: str = "") -> list[Line]:
    """A text on lines of at most the width; French punctuation stays with its word."""
    whole = clean(text, 0)
    for mark in ":;?!»":
        whole = whole.replace(f" {mark}", f"\u00a0{mark}")
    width = max(voice.width - indent, 24)
    return [
        (("", " " * indent), (style, line.replace("\u00a0", " ")))
        for line in textwrap.wrap(whole.replace("« ", "«\u00a0"), width, break_on_hyphens=False)
    ]


def hung(text: str, voice: Voice, indent: int) -> list[Line]:
    """Wrapped lines of which the first stands behind a label."""
    first, *rest = wrapped(text, voice, indent) or [EMPTY]
    return [first[1:], *rest]


def clipped(text: str, room: int) -> str:
    """A text on one line; what does not fit ends in an ellipsis."""
    inert = clean(text, 0)
    return inert if len(inert) <= room else inert[: max(room - 1, 0)].rstrip(" ,") + "…"


def section_title(text: str) -> Line:
    return (("bold", text[:1].upper() + text[1:]),)


def rule(name: str, voice: Voice) -> Line:
    inert = clean(name)
    return ("bold", f"── {inert} "), ("dim", "─" * max(voice.width - len(inert) - 4, 4))


def aligned(heads: Sequence[str], rows: Iterable[Sequence[str]], voice: Voice) -> list[Line]:
    """Aligned columns, numbers to the right; the last column is cut at the width unless everything is told."""
    body = [[clean(cell, 0) for cell in row] for row in rows]
    if not body:
        return []
    last = len(heads) - 1
    widths = [max(len(row[i]) for row in [list(heads), *body]) for i in range(last)]
    right = [all(row[i].isdigit() for row in body) for i in range(last)]

    def line(row: Sequence[str]) -> Iterator[str]:
        for i in range(last):
            yield row[i].rjust(widths[i]) if right[i] else row[i].ljust(widths[i])

    indent = 4 + sum(widths) + 2 * (last - 1)
    lines: list[Line] = [(("dim", "  " + "  ".join([*line(heads), heads[last]])),)] if any(heads) else []
    for row in body:
        start = "  " + "  ".join(line(row)) + "  "
        if voice.details:
            end = textwrap.wrap(row[last], max(voice.width - indent, 24), break_on_hyphens=False) or [""]
            lines += [(("", start + end[0]),), *((("", " " * indent + more),) for more in end[1:])]
        else:
            lines.append((("", clipped(start + row[last], max(voice.width, 60))),))
    return lines


def titled(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], voice: Voice) -> list[Line]:
    table = aligned(heads, rows, voice)
    return [section_title(title), *table] if table else []


def outcome_word(name: str, voice: Voice) -> str:
    if name == "exempted_gap":
        return voice.say(DECIDED_WORDS["exempted"])
    return voice.say(OUTCOME_WORDS[name.rpartition("_")[2] if plain(name) in DECIDED_WORDS else name])


def outcome_style(name: str) -> str:
    return name if name in COLOURS else "dim"
