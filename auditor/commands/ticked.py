"""A form and the options of `auditor acceptances sign` in; the reply to each item out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.commands import inputs
from auditor.errors import InvalidInput
from auditor.letters.reply import Decided, Reply
from auditor.load.schema import did_you_mean

RATING = re.compile(r"(?P<gravite>G[1-4])(?P<vraisemblance>V[1-4])")


@dataclass(frozen=True, slots=True)
class Ticked:
    """The options that say what was ticked, as they were typed."""

    accept: tuple[str, ...] = ()
    adopt: tuple[str, ...] = ()
    arbitrate: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    personal_data: str | None = None
    because: str = ""
    responsible: str = ""


def replies(form: Mapping[str, Any], ticked: Ticked) -> dict[int, Reply]:
    """What the form says of each item, with the options over it.

    Where no option and nothing in the form says what is accepted, all that may be and is neither adopted nor arbitrated is.
    """
    items = form["items"]
    written = {int(number): Reply(**one) for number, one in form.get("replies", {}).items()}
    found = {item["number"]: written.get(item["number"], Reply()) for item in items}
    said: dict[int, str] = {}
    for decision, name, day in tuple(_decided(ticked)):  # all are read before one is looked up
        option = f"--{decision}"
        by = inputs.day_of(option, day) if day else ""
        for number in _numbers(items, [name], option):
            _once(said, number, option)
            found[number] = replace(found[number], decision=decision, by=by)
    if not ticked.accept and not any(one.decision == "accept" for one in written.values()):
        may = {item["number"]: item["acceptable"] for item in items}
        found = {n: replace(r, decision="accept") if may[n] and not r.decision else r for n, r in found.items()}
    return _rated(items, found, ticked)


def _decided(ticked: Ticked) -> Iterator[tuple[Decided, str, str]]:
    """Each decision, of which item, and by when if that is said."""
    for one in _split(ticked.accept):
        yield "accept", one, ""
    for one in _split(ticked.arbitrate):
        yield "arbitrate", *(_pair(one, "--arbitrate") if "=" in one else (one, ""))
    for one in _split(ticked.adopt):
        yield "adopt", *_pair(one, "--adopt")


def _rated(items: Sequence[Mapping[str, Any]], replies: dict[int, Reply], ticked: Ticked) -> dict[int, Reply]:
    """With the ratings, the personal data, the reason and who adopts."""
    for given in _split(ticked.risk):
        name, _, rating = given.rpartition("=")
        found = RATING.fullmatch(rating)
        if found is None:
            raise InvalidInput(f"--risk {given}: write severity and likelihood as G2V3, or 4=G2V3 for item 4 alone")
        for number in _numbers(items, [name], "--risk") if name else replies:
            replies[number] = replace(replies[number], gravite=found["gravite"], vraisemblance=found["vraisemblance"])
    if ticked.personal_data is not None:
        concerned = _concerned(items, ticked.personal_data)
        replies = {n: replace(one, personal_data=n in concerned) for n, one in replies.items()}
    return {
        n: replace(one, because=ticked.because or one.because, responsible=ticked.responsible or one.responsible)
        for n, one in replies.items()
    }


def _concerned(items: Sequence[Mapping[str, Any]], given: str) -> set[int]:
    if given in ("none", "all"):
        return {item["number"] for item in items} if given == "all" else set()
    return set(_numbers(items, _split((given,)), "--personal-data"))


def _split(given: Iterable[str]) -> list[str]:
    return [part.strip() for one in given for part in one.split(",") if part.strip()]


def _pair(given: str, option: str) -> tuple[str, str]:
    name, sign_, value = given.rpartition("=")
    if not (sign_ and name and value):
        raise InvalidInput(f"{option} {given}: say which item and by when, 2=2027-03-01")
    return name, value


def _numbers(items: Sequence[Mapping[str, Any]], names: Iterable[str], option: str) -> Iterator[int]:
    """The items that a number of the letter names, or a control: all those about it."""
    known = {str(item["number"]) for item in items} | {item["control"] for item in items}
    for name in names:
        if name not in known:
            raise InvalidInput(f"{option}: the letter has no item '{name}'{did_you_mean(name, sorted(known))}")
        yield from (item["number"] for item in items if name in (str(item["number"]), item["control"]))


def _once(said: dict[int, str], number: int, option: str) -> None:
    if said.setdefault(number, option) != option:
        raise InvalidInput(f"item {number} is given to {said[number]} and to {option}: one reply an item")
