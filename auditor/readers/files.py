"""The answer to a "read" Command in; the files it shows out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Failure, Unknown

PROGRAM = "program"  # a mask: of a program of a tree only what stands in its place, a link's end or a shell
LINKS = "links"  # a mask: of a file of a tree nothing is read, what is told is where a link leads


@dataclass(frozen=True, slots=True)
class Files:
    """`texts` by path, in the order of the host's globs; `denied`: what is there and could not be read.

    `odd`: what a tree has there that is no plain file; `empty`: its folders that hold nothing of what was asked for, and are there.
    `missing` is set when nothing of it was told at all.
    """

    texts: Mapping[str, str]
    denied: tuple[str, ...] = ()
    missing: Unknown | None = None
    odd: tuple[str, ...] = ()
    empty: frozenset[str] = frozenset()

    @property
    def gap(self) -> Unknown | None:
        """Why these files may not be all: the whole answer is missing, or a part was denied."""
        if self.missing:
            return self.missing
        if self.odd:
            return Unknown("unreadable", " ".join(self.odd))
        return Unknown("no_privilege", " ".join(self.denied)) if self.denied else None


def read(answer: Answer) -> Files:
    """Raises Unreadable when the answer does not have the shape of framing.sh.READ."""
    if isinstance(answer, Failure):
        return Files({}, (), answer.unknown())
    body, place = answer.stdout, 0
    texts: dict[str, str] = {}
    denied: list[str] = []
    odd: list[str] = []
    empty: list[str] = []
    told = {b"!": denied, b"?": odd, b"E": empty}
    while place < len(body):
        end = body.find(b"\n", place)
        words = body[place:end].split(b" ", 3)
        try:
            if words[0] == b"F":
                length, name_length = int(words[1]), int(words[2])
                start = place + sum(len(w) + 1 for w in words[:3])
                name = body[start : start + name_length]
                text = body[start + name_length + 1 : start + name_length + 1 + length]
                place = start + name_length + 1 + length + 1
                if place > len(body) or len(text) != length:
                    raise ValueError
                texts[_decoded(name)] = _decoded(text)
            elif words[0] in told:
                name_length = int(words[1])
                start = place + len(words[0]) + len(words[1]) + 2
                told[words[0]].append(_decoded(body[start : start + name_length]))
                place = start + name_length + 1
            else:
                raise ValueError
        except (ValueError, IndexError):
            raise Unreadable("the answer does not list files as asked") from None
    return Files(texts, tuple(dict.fromkeys(denied)), None, tuple(dict.fromkeys(odd)), frozenset(empty))


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
