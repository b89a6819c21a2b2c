"""The text of ssh_config, with its Include lines, in; its lines, and what is wrong with them, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from auditor.readers.ssh_config.keywords import LISTS, SYNONYMS, UNDERSTOOD

DEPTH = 16  # of Include, as OpenSSH
_LINE = re.compile(r"(?P<key>[^ \t\r=\"]+)(?:[ \t\r]*=[ \t\r]*|[ \t\r]+|$)(?P<rest>.*)", re.DOTALL)
ALONE = ("all", "canonical", "final")  # criteria of Match that take no value
_CRITERIA = ("exec", "host", "localnetwork", "localuser", "originalhost", "tagged", "user")


@dataclass(frozen=True, slots=True)
class Line:
    """A keyword in lower case with its words. `problem` says what is wrong with the line itself."""

    key: str
    words: tuple[str, ...]
    where: str
    problem: str = ""
    included: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """All lines, in order, of the files in order; Include lines hold those of the files that they name."""

    files: tuple[tuple[Line, ...], ...] = ()
    final: bool = False  # a `Match final` somewhere asks for a second pass


# A glob, and the file that names it -> (path, text) in order; None for a file that cannot be read or trusted, and why.
Files = Callable[[str, str], Sequence[tuple[str, str | None, str]]]


def read(paths: Sequence[str], files: Files) -> Config:
    """The configuration in the files at `paths`; `files` finds them, and what an Include names."""
    found = tuple(tuple(_included(Line("include", (path,), path), "", files, ())) for path in paths)
    return Config(found, any(_final(lines) for lines in found))


def _final(lines: Sequence[Line]) -> bool:
    return any(
        _final(line.included) or (line.key == "match" and any(w.lower().lstrip("!") == "final" for w in line.words))
        for line in lines
    )


def _lines(path: str, text: str, files: Files, above: tuple[str, ...]) -> Iterator[Line]:
    for number, raw in enumerate(text.split("\n"), 1):
        bare = raw.rstrip(" \t\r\f").lstrip(" \t\r")
        if not bare or bare.startswith("#"):
            continue
        line = _line(bare, f"{path}:{number}")
        if line.key == "include" and not line.problem:
            yield from _included(line, path, files, above)
        else:
            yield line


def _line(bare: str, where: str) -> Line:
    found = _LINE.fullmatch(bare)
    key = found["key"].lower() if found else ""
    words, problem = _words(found["rest"] if found else "")
    key = SYNONYMS.get(key, key)
    return Line(key, words, where, problem or _problem(key, words))


def _problem(key: str, words: tuple[str, ...]) -> str:
    """What is wrong with the words of a line, for which ssh refuses the file."""
    if not words:
        return "says nothing"
    if key == "match":
        return _wrong_criteria(list(words))
    several = key not in UNDERSTOOD or key in LISTS
    return "" if several or len(words) == 1 else f"'{key}' takes one value"


def _wrong_criteria(words: list[str]) -> str:
    while words:
        attribute, equals, value = words.pop(0).partition("=")
        attribute = attribute.lower().removeprefix("!")
        if attribute in ALONE:
            continue
        if attribute not in _CRITERIA:
            return f"Match knows no '{attribute}'"
        if not (value if equals else words and words.pop(0)):
            return f"Match is not told which '{attribute}'"
    return ""


def _words(text: str) -> tuple[tuple[str, ...], str]:
    """The words of a line and what is wrong; quotes join, and a word that begins with # starts a comment (argv_split)."""
    words: list[str] = []
    word: str | None = None
    quote, rest = "", iter(range(len(text)))
    for i in rest:
        c, after = text[i], text[i + 1 : i + 2]
        if word is None:
            if c in " \t":
                continue
            if c == "#":
                break
            word = ""
        if c == "\\" and after and (after in "\"'\\" or (after == " " and not quote)):
            word += after
            next(rest)
        elif c in " \t" and not quote:
            words.append(word)
            word = None
        elif c in "\"'" and quote in ("", c):
            quote = "" if quote else c
        else:
            word += c
    if quote:
        return tuple(words), "a quote is not closed"
    return (*words, word) if word is not None else tuple(words), ""


def _included(line: Line, path: str, files: Files, above: tuple[str, ...]) -> Iterator[Line]:
    if len(above) > DEPTH:
        yield Line("include", line.words, line.where, f"more than {DEPTH} files include each other")
        return
    for word in line.words:
        for inner, text, why in files(word, path):
            if text is None:
                yield Line("include", (inner,), line.where, f"{inner} {why}")
                continue
            if inner in above:
                yield Line("include", line.words, line.where, f"{inner} includes itself: {' > '.join((*above, inner))}")
                continue
            yield Line("include", (inner,), line.where, "", tuple(_lines(inner, text, files, (*above, inner))))
