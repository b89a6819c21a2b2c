"""What an entity is asked in; the form that its reply is entered with, and the recommendations, as plain data out. Pure.

The letter shows the digest of what it asks, and the form holds that of the letter: neither can be changed for the other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from auditor.document import Plain
from auditor.letters.asked import Item


@dataclass(frozen=True, slots=True)
class Letter:
    """Who is asked what, on which day. `drafted_by` is a role, or empty; `texts`, what is recommended, by control."""

    entity: str
    day: str
    items: tuple[Item, ...]
    run: str
    drafted_by: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """The digest of all that the form takes from the letter."""
        return digest({"entity": self.entity, "day": self.day, "drafted_by": self.drafted_by, "items": self.plain()})

    @property
    def id(self) -> str:
        return id_of(self.day, self.asked)

    def plain(self) -> list[Plain]:
        return [{**item_to_plain(one), "text": self.texts[one.control]} for one in self.items]


def id_of(day: str, asked: str) -> str:
    return f"{day}-{asked[:8]}"


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
    """The hosts by name; and what they have in common, as it stood for them, so that a later host is known to be new."""
    if not item.hosts:
        return {"perimeter": True}
    common: dict[str, list[str]] = {}
    for kind, name in item.common:
        common.setdefault(kind, []).append(name)
    frozen = {"frozen": {"count": len(item.in_common), "hosts": list(item.in_common)}} if common else {}
    return {"hosts": list(item.hosts), **common, **frozen}


def form(letter: Letter, document: str, sha256: str, estate: Iterable[str]) -> Plain:
    """The form; `document` is the letter's file and `estate` its paths, all seen from the form."""
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
        "items": letter.plain(),
        "replies": {},
    }


def asked_in(plain: Mapping[str, Any]) -> str:
    """The digest that the letter of this form shows, when nobody changed what it asks."""
    letter = plain["letter"]
    said = {"entity": letter["entity"], "day": letter["day"], "drafted_by": letter.get("drafted_by", "")}
    return digest({**said, "items": plain["items"]})


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


def recommendations(letter: Letter, document: str, sha256: str) -> list[Plain]:
    """A record for each item that was not recommended before; `document` is the letter, seen from the record."""
    return [
        {
            "kind": "recommendation",
            "id": item.recommendation,
            "perimeter": item.perimeter,
            "controls": [item.control],
            "text": letter.texts[item.control],
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
