"""A stack and an account in, every way through it that lets the account in out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model import Unknown
from auditor.readers.pam.results import Who, results
from auditor.readers.pam.stacks import Entry

STATES = 4096


@dataclass(frozen=True, slots=True)
class Path:
    """One way to be let in: the proofs given, and the condition that this depends on, if any."""

    proofs: frozenset[str]
    depends_on: str = ""


_State = tuple[int, str, frozenset[str], str]  # place, impression (none, yes, no), proofs, condition


def paths(entries: tuple[Entry, ...], who: Who) -> frozenset[Path] | Unknown:
    """Every way through the stack that lets `who` in."""
    waiting: list[_State] = [(0, "none", frozenset(), "")]
    seen: set[_State] = set(waiting)
    found: set[Path] = set()
    while waiting:
        state = waiting.pop()
        if state[0] >= len(entries):
            if state[1] == "yes":
                found.add(Path(state[2], state[3]))
            continue
        for after in _step(entries, state, who):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
        if len(seen) > STATES:
            return Unknown("unreadable", "a PAM stack with too many paths")
    return frozenset(found)


def _step(entries: tuple[Entry, ...], state: _State, who: Who) -> Iterator[_State]:
    place, impression, proofs, condition = state
    entry = entries[place]
    if not entry.module:
        yield (place + 1, impression, proofs, condition)
        return
    for result, proof, gate in results(entry, who):
        action = entry.actions.get(result, entry.actions.get("default", "bad"))
        given = proofs | {proof} if proof else proofs
        yield _acted(entries, place, (place, impression, given, condition or gate), action)


def _acted(entries: tuple[Entry, ...], place: int, state: _State, action: str) -> _State:
    _, impression, proofs, condition = state
    following = place + 1
    if action in ("ok", "done"):
        impression = "yes" if impression == "none" else impression
        if action == "done" and impression == "yes":
            following = _after_level(entries, place)
    elif action in ("bad", "die"):
        impression = "no"
        if action == "die":
            following = _after_level(entries, place)
    elif action == "reset":
        impression = "none"
    elif action.isdigit() and len(action) < 4:
        following = _jumped(entries, place, int(action))
    return (following, impression, proofs, condition)


def _after_level(entries: tuple[Entry, ...], place: int) -> int:
    level = entries[place].level
    return next((i for i in range(place + 1, len(entries)) if entries[i].level < level), len(entries))


def _jumped(entries: tuple[Entry, ...], place: int, count: int) -> int:
    """Past `count` modules of this level; a substack counts as one. A level that ends stops the jump."""
    level = entries[place].level
    at = place + 1
    while count and at < len(entries) and entries[at].level >= level:
        at += 1
        while at < len(entries) and entries[at].level > level:
            at += 1
        count -= 1
    return at
