"""A run in; where each perimeter stands, bullet by bullet of the convention and measure by measure, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.article5 import BULLETS, ORDER, Bullet, bullet_of, standing, worst
from auditor.kinds import Voice
from auditor.model import Perimeter, Run
from auditor.reporters._page import parts
from auditor.reporters._page.parts import Chip, Rows
from auditor.summary import Summary


@dataclass(frozen=True, slots=True)
class Place:
    """Where one perimeter stands."""

    name: str
    about: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One bullet of the convention, or one measure beside them. `unchecked`: the measures that nothing checks or attests."""

    title: str
    quote: str
    worst: Chip
    places: tuple[Place, ...]
    more: int
    unchecked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unasked:
    """A perimeter and the titles of the measures, of no bullet, that nothing checks there."""

    name: str
    about: str
    chip: Chip
    titles: tuple[str, ...]


def blocks(run: Run, seen: Summary, voice: Voice) -> tuple[Sequence[Block], Rows, Rows]:
    """The five bullets, when a measure is quoted from one; every other measure; and those that nothing checks anywhere.

    A single one of the last stands with the others: it needs no section.
    """
    members: dict[Bullet | None, list[str]] = {}
    named = dict.fromkeys([*run.measures, *(measure for measure, _ in seen.by_place if measure)])
    for name in named:
        known = run.measures.get(name)
        members.setdefault(bullet_of(known) if known else None, []).append(name)
    rest = members.pop(None, [])
    blocks = [_block(run, seen, bullet, members.get(bullet, []), voice) for bullet in BULLETS] if members else []
    counted = [name for name in rest if name in seen.by_measure]
    bare = [name for name in counted if all(place in seen.silent for place in seen.by_place if place[0] == name)]
    bare = bare if len(bare) > 1 else []
    alone = [_alone(run, seen, name, voice) for name in counted if name not in bare]
    bound = parts.bound(parts.ROWS, voice)
    return blocks, parts.cut(alone, bound), parts.cut(_unasked(run, seen, bare, voice), bound)


def _unasked(run: Run, seen: Summary, ids: Sequence[str], voice: Voice) -> Iterable[Unasked]:
    """Each perimeter that owes some of these measures, with their titles."""
    for where in dict.fromkeys(perimeter for _, perimeter in seen.by_place):
        owed = [name for name in ids if (name, where) in seen.by_place]
        if owed:
            place = _place(run.perimeters.get(where), where, (), voice)
            titles = tuple(parts.title(run.measures.get(name), name, voice) for name in owed)
            yield Unasked(place.name, place.about, parts.chip("nothing_asked", voice, len(owed)), titles)


def _block(run: Run, seen: Summary, bullet: Bullet, ids: Sequence[str], voice: Voice) -> Block:
    places, more, state = _places(run, seen, ids, voice)
    return Block(
        voice.text(bullet.title),
        bullet.quote,
        parts.chip(state, voice),
        places,
        more,
        _unchecked(run, seen, ids, voice),
    )


def _alone(run: Run, seen: Summary, id: str, voice: Voice) -> Block:
    places, more, state = _places(run, seen, [id], voice)
    measure = run.measures.get(id)
    quote = measure.quote if measure else ""
    return Block(parts.title(measure, id, voice), quote, parts.chip(state, voice), places, more, ())


def _places(run: Run, seen: Summary, ids: Sequence[str], voice: Voice) -> tuple[tuple[Place, ...], int, str]:
    """Where each perimeter stands for some measures (the worst ones, if they are many); how many more; the worst state.

    A host without any check stands in every block of its perimeter: nobody knows how it stands.
    """
    found: list[tuple[str, Place]] = []
    for where in dict.fromkeys([*run.perimeters, *(perimeter for _, perimeter in seen.by_place)]):
        counts = standing(seen.by_place.get((measure, where), {}) for measure in (*ids, ""))
        if parts.part_only(run, seen):  # of what was left out nobody knows
            counts = {"unknown": 0, **counts}
        names = sorted(counts, key=ORDER.index) or [worst(())]
        chips = tuple(parts.chip(name, voice, counts.get(name, 0)) for name in names)
        found.append((names[0], _place(run.perimeters.get(where), where, chips, voice)))
    shown = parts.bound(parts.PLACES, voice)
    if len(found) > shown:
        found.sort(key=lambda one: ORDER.index(one[0]))
    places = tuple(place for _, place in found[:shown])
    return places, len(found) - len(places), worst(name for name, _ in found)


def _place(perimeter: Perimeter | None, id: str, chips: tuple[Chip, ...], voice: Voice) -> Place:
    if perimeter is None:
        return Place(id or voice.say("no perimeter is declared"), "", chips)
    about = ", ".join(text for text in (perimeter.owner, voice.say(parts.KINDS[perimeter.kind])) if text)
    return Place(id, about, chips)


def _unchecked(run: Run, seen: Summary, ids: Sequence[str], voice: Voice) -> tuple[str, ...]:
    """The measures that nothing checks, and where; of one that is checked nowhere, only its title."""
    lines: list[str] = []
    for name in ids:
        places = [perimeter for measure, perimeter in seen.by_place if measure == name]
        bare = [perimeter or "-" for perimeter in places if (name, perimeter) in seen.silent]
        title = parts.title(run.measures.get(name), name, voice)
        if places and len(bare) == len(places):
            lines.append(title)
        elif bare:
            lines.append(f"{title} ({', '.join(bare)})")
    return tuple(lines)
