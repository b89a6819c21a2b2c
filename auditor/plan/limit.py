"""An estate and a `--limit` in; the hosts that it selects out, and its parts that name nothing. Pure."""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Callable, Sequence

from auditor.errors import InvalidInput
from auditor.model import Estate, Host


def limited(estate: Estate, pattern: str) -> tuple[Host, ...]:
    """The hosts that a `--limit` selects, in the estate's order; patterns as Ansible has them, roles count as groups.

    `a:b` or `a,b`, `!x`, `&y`, wildcards, `~regex`, `group[0]`, `group[1:3]` (docs.ansible.com, "Patterns").
    """
    names = _Names(estate)
    chosen: set[str] = set()
    for part in _ordered(pattern):
        matching = names.matching(part.lstrip("!&") if part[0] in "!&" else part)
        if part[0] == "!":
            chosen -= matching
        elif part[0] == "&":
            chosen &= matching
        else:
            chosen |= matching
    return tuple(h for h in estate.hosts if h.id in chosen)


def unmatched(estate: Estate, pattern: str) -> Sequence[str]:
    """The parts of a `--limit` that name nothing."""
    names = _Names(estate)
    bare = [part[1:] if part[0] in "!&" else part for part in _parts(pattern)]
    return [part for part in bare if not part or not names.matching(part)]


def _parts(pattern: str) -> list[str]:
    """Split at commas; without any, at colons, but for those of an IPv6 address or of a range in brackets.

    Raises InvalidInput for half a pair of brackets: what is left of the word could name other hosts, or all.
    """
    if "," in pattern:
        parts = pattern.split(",")
    elif _is_address(pattern):
        parts = [pattern]
    else:
        if re.search(r"[\[\]]", re.sub(r"\[[^\]]*\]", "", pattern)):
            raise InvalidInput(f"--limit: '{pattern}' is no pattern: a bracket is not closed, or not opened")
        parts = re.findall(r"(?:[^\s:\[\]]|\[[^\]]*\])+", pattern)
    return [p.strip() for p in parts if p.strip()]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _ordered(pattern: str) -> list[str]:
    """What adds, then what must also hold (&), then what is left out (!); with nothing that adds, from all."""
    parts = _parts(pattern)
    adding = [p for p in parts if p[0] not in "!&"]
    rest = [p for p in parts if p[0] == "&"] + [p for p in parts if p[0] == "!"]
    return [*(adding or (["all"] if rest else [])), *rest]


class _Names:
    """What the words of a pattern stand for. Groups are in the inventory's own order, for subscripts."""

    def __init__(self, estate: Estate) -> None:
        self.hosts = {h.id: None for h in estate.hosts}
        self.groups = estate.groups
        self.others: dict[str, list[str]] = {} if estate.groups else {"all": list(self.hosts)}
        for host in estate.hosts:
            for name in (() if estate.groups else host.groups) + host.roles:
                self.others.setdefault(name, []).append(host.id)

    def matching(self, word: str) -> set[str]:
        if word in self.hosts:
            return {word}
        subscript = (
            None
            if word.startswith("~")
            else re.fullmatch(r"(.+)\[(?:(-?[0-9]{1,9})|([0-9]{1,9})[:-]([0-9]{0,9}))\]", word)
        )
        if subscript is None:
            return set(self._matching(word))
        found = self._matching(subscript[1])
        if subscript[2]:
            place = int(subscript[2])
            return set(found[place:][:1]) if -len(found) <= place < len(found) else set()
        return set(found[int(subscript[3]) : int(subscript[4]) + 1 if subscript[4] else None])

    def _matching(self, word: str) -> list[str]:
        """The hosts of the groups that match; hosts by their own name too, unless a plain word names a group."""
        matches = _matcher(word)
        groups = [name for name in dict.fromkeys((*self.groups, *self.others)) if matches(name)]
        found = [host for name in groups for host in (*self.groups.get(name, ()), *self.others.get(name, ()))]
        if not groups or word.startswith("~") or any(c in word for c in ".?*["):
            found.extend(host for host in self.hosts if matches(host))
        return list(dict.fromkeys(found))


def _matcher(word: str) -> Callable[[str], object]:
    """A wildcard, or after `~` a regular expression that the name begins with. Raises InvalidInput."""
    if word == "~":  # the empty one: every host
        raise InvalidInput("--limit: '~' is no pattern: nothing stands after it")
    try:
        return re.compile(word[1:] if word.startswith("~") else fnmatch.translate(word)).match
    except re.error as error:
        raise InvalidInput(f"--limit: '{word}' is no pattern: {error}") from None
