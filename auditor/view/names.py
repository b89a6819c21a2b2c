"""Names that are not to be told, and whose they are, in; texts without them out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from auditor.sentences import WITHHELD

FIRST, LONG = 4, 7  # letters that a name within a longer word is looked up by, and more than an everyday word has
_PIECE = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")


@dataclass(slots=True)
class Names:
    """Another's names, each with whose it is; `own` are told wherever they stand.

    `unmistakable`: the lengths of those that are known also within a longer word, by their first letters.
    """

    others: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    longest: int = 1  # pieces of a name
    unmistakable: dict[str, set[int]] = field(default_factory=dict)

    def hide(self, owner: str, *names: str) -> None:
        for name in names:
            pieces = list(_PIECE.finditer(name))
            if pieces:
                key = _key(name, pieces)
                if _unmistakable(key):
                    self.unmistakable.setdefault(key[:FIRST], set()).add(len(key))
                self.others.setdefault(key, owner)
                self.longest = max(self.longest, len(pieces))
            if len(pieces) > 1 and "." in name and not _ADDRESS.fullmatch(name):
                self.hide(owner, name.partition(".")[0])  # a host is also called by the first part of its name

    def show(self, *names: str) -> None:
        self.own.update(_key(name, pieces) for name in names if (pieces := list(_PIECE.finditer(name))))

    def within(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where a text names another's, and whose that is."""
        last = 0
        for start, end, owner in self._named(text) if self.others else ():
            yield from self._embedded(text, last, start)
            if owner is not None:
                yield start, end, owner
            last = end
        yield from self._embedded(text, last, len(text))

    def _named(self, text: str) -> Iterator[tuple[int, int, str | None]]:
        """Names that stand by themselves, the longest one from each place on; one's own have no owner."""
        pieces = list(_PIECE.finditer(text))
        place = 0
        while place < len(pieces):
            for end in range(min(place + self.longest, len(pieces)), place, -1):
                key = text[pieces[place].start() : pieces[end - 1].end()].casefold()
                if key in self.own or key in self.others:
                    yield pieces[place].start(), pieces[end - 1].end(), None if key in self.own else self.others[key]
                    place = end - 1
                    break
            place += 1

    def _embedded(self, text: str, place: int, end: int) -> Iterator[tuple[int, int, str]]:
        """Names that stand within longer words, between two places."""
        if not self.unmistakable or end - place < FIRST:
            return
        folded = text.casefold()
        if len(folded) != len(text):  # a letter that folds to several would move the places
            folded = "".join(letter.casefold()[:1] for letter in text)
        at = place
        for start in range(place, end - FIRST + 1):
            lengths = self.unmistakable.get(folded[start : start + FIRST])
            if lengths is not None and start >= at and (found := self._longest(folded, start, end, lengths)):
                at = start + found
                yield start, at, self.others[folded[start:at]]

    def _longest(self, text: str, start: int, end: int, lengths: Iterable[int]) -> int:
        """How long the longest name is that stands there; 0 for none."""
        fitting = (n for n in lengths if start + n <= end and _stands(text, start, start + n))
        return max((n for n in fitting if text[start : start + n] in self.others), default=0)

    def told(self, text: str) -> str:
        """What a host said: as it is, or in its place whose it tells of."""
        found = next(self.within(text), None)
        return text if found is None else WITHHELD.format(owner=found[2] or "?")

    def written(self, text: str) -> str:
        """What people wrote, with another's names replaced by whose they are."""
        parts, last = [], 0
        for start, end, owner in self.within(text):
            parts += [text[last:start], f"[{owner or '?'}]"]
            last = end
        return "".join([*parts, text[last:]])


def _unmistakable(key: str) -> bool:
    """Nobody says it by chance: `nas` stands in many words, `nas-01` in none that tells of something else."""
    mixed = any(map(str.isdigit, key)) and any(map(str.isalpha, key))
    return len(key) >= FIRST and (mixed or len(key) > LONG or not key.isalnum())


def _stands(text: str, start: int, end: int) -> bool:
    """`nas-01` stands in `mynas-01x`, and not in `nas-010`, which is another number."""
    cut_before = text[start].isdigit() and text[start - 1 : start].isdigit()
    return not cut_before and not (text[end - 1].isdigit() and text[end : end + 1].isdigit())


def _key(name: str, pieces: list[re.Match[str]]) -> str:
    return name[pieces[0].start() : pieces[-1].end()].casefold()
