"""What an entity is asked in; the form that its reply is entered with, and the recommendations, as plain data out. Pure.

The letter shows the digest of what it asks, and the form holds that of the letter: neither can be changed for the other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from auditor.letters.asked import Item

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """Who is asked what, on which day. `names` are full names by entity; `drafted_by` is a role, or empty."""

    entity: str
    day: str
    items: tuple[Item, ...]
    run: str
    drafted_by: str = ""

    @property
    def asked(self) -> str:
        """The digest of all that the form takes from the letter."""
        return digest({"entity": self.entity, "day": self.day, "drafted_by": self.drafted_by, "items": self.plain()})

    @property
    def id(self) -> str:
        return f"{self.day}-{self.asked[:8]}"

    def plain(self) -> list[Plain]:
        return [item_to_plain(one) for one in self.items]


def digest(plain: Any) -> str:
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def item_to_plain(item: Item) -> Plain:
    """What the form says of an item; without hosts it is about the perimeter as a whole."""
    plain: Plain = {
        "number": item.number,
        "control": item.control,
        "perimeter": item.perimeter,
        "revision": item.revision,
        "recommendation": item.recommendation,
        "acceptable": item.acceptable,
        "scope": scope_of(item),
    }
    return {**plain, "supersedes": item.supersedes} if item.supersedes else plain


def scope_of(item: Item) -> Plain:
    return {"hosts": list(item.hosts)} if item.hosts else {"perimeter": True}


def form(letter: Letter, document: str, sha256: str, estate: Iterable[str], texts: Mapping[str, str]) -> Plain:
    """The form; `document` is the letter's file and `estate` its paths, all seen from the form; `texts` by control."""
    return {
        "kind": "form",
        "letter": {
            "id": letter.id,
            "entity": letter.entity,
            "day": letter.day,
            "drafted_by": letter.drafted_by,
            "document": document,
            "sha256": sha256,
        },
        "estate": list(estate),
        "items": [
            {**plain, "text": texts[item.control]} for plain, item in zip(letter.plain(), letter.items, strict=True)
        ],
        "replies": {},
    }


def asked_in(plain: Mapping[str, Any]) -> str:
    """The digest that the letter of this form shows, when nobody changed what it asks."""
    letter = plain["letter"]
    items = [{k: v for k, v in item.items() if k != "text"} for item in plain["items"]]
    return digest(
        {"entity": letter["entity"], "day": letter["day"], "drafted_by": letter.get("drafted_by", ""), "items": items}
    )


# ---------------------------------------------------------------- recommendations


def following(prefix: str, day: str, taken: Iterable[str]) -> Iterable[str]:
    """Ids that follow those that are taken: REC-2026-015, REC-2026-016 ..."""
    stem = f"{prefix}-{day[:4]}-"
    numbers = [int(one[len(stem) :]) for one in taken if re.fullmatch(re.escape(stem) + r"[0-9]{1,9}", one)]
    number = max(numbers, default=0)
    while True:
        number += 1
        yield f"{stem}{number:03d}"


def numbered(items: Iterable[Item], day: str, taken: Iterable[str]) -> tuple[Item, ...]:
    """Each with a recommendation: those that have none yet are given the next ids."""
    ids = iter(following("REC", day, taken))
    return tuple(one if one.recommendation else replace(one, recommendation=next(ids)) for one in items)


def recommendations(letter: Letter, document: str, sha256: str, texts: Mapping[str, str]) -> list[Plain]:
    """A record for each item that was not recommended before; `document` is the letter, seen from the record."""
    return [
        {
            "kind": "recommendation",
            "id": item.recommendation,
            "perimeter": item.perimeter,
            "controls": [item.control],
            "text": texts[item.control],
            "issued_by": item.adviser,
            "issued_at": letter.day,
            "communicated_at": letter.day,
            "communicated_to": letter.entity,
            "channel": "letter",
            **({"frozen": {"count": len(item.hosts), "hosts": list(item.hosts)}} if item.hosts else {}),
            "document": document,
            "sha256": sha256,
        }
        for item in letter.items
        if not item.recommended_at
    ]
