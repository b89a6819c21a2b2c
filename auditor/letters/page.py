"""A letter in; one self-contained accessible French page to print, sign and send back, out. Pure.

Every text passes `clean` and then the template's escaping; nothing of it runs or is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor import pages
from auditor.letters.asked import Asked, Item
from auditor.letters.form import Letter
from auditor.model import Control, Measure

TEMPLATES = "auditor.letters"
SEVERITIES = {"low": "faible", "medium": "moyenne", "high": "élevée", "critical": "critique"}
LEVELS = {
    "gravité": ("G1 mineure", "G2 significative", "G3 grave", "G4 critique"),
    "vraisemblance": ("V1 peu vraisemblable", "V2 vraisemblable", "V3 très vraisemblable", "V4 quasi certaine"),
}
KINDS = {"roles": "rôle", "groups": "groupe", "zones": "zone"}
LIABILITY = "gov-residual-risk"  # the measure whose words say what an acceptance does


@dataclass(frozen=True, slots=True)
class About:
    """What the page says beside the items: full names by entity, the catalogue, what was counted, when the audit was."""

    names: Mapping[str, str]
    controls: Mapping[str, Control]
    measures: Mapping[str, Measure]
    asked: Asked
    audited_on: str
    partial: bool
    logos: tuple[tuple[str, pages.Picture], ...] = ()
    unchecked: int = 0  # measures and hosts of the same perimeters that nothing is asked of


def page(letter: Letter, about: About) -> str:
    """The whole page as text."""
    return pages.environment(TEMPLATES).get_template("letter.html").render(
        letter=letter,
        style_digest=pages.style_digest(TEMPLATES, "letter.css"),
        day=french(letter.day),
        audited_on=french(about.audited_on),
        to=_named(letter.entity, about.names),
        advisers=[_named(one, about.names) for one in dict.fromkeys(item.adviser for item in letter.items)],
        items=[_shown(item, about) for item in letter.items],
        liability=liability(about.measures),
        counts=about.asked,
        partial=about.partial,
        logos=about.logos,
        unchecked=about.unchecked,
        levels=LEVELS,
    )  # fmt: skip


def liability(measures: Mapping[str, Measure]) -> tuple[str, ...]:
    """The exact words of article 5.2 on what an acceptance does; none where the policies do not hold them."""
    measure = measures.get(LIABILITY)
    return (measure.quote, *(passage.quote for passage in measure.also)) if measure else ()


def french(iso: str) -> str:
    return "/".join(reversed(iso.split("-")))


def _named(entity: str, names: Mapping[str, str]) -> str:
    name = names.get(entity, "")
    return f"{name} ({entity})" if name and name != entity else entity


def _shown(item: Item, about: About) -> Mapping[str, Any]:
    control = about.controls[item.control]
    measure = about.measures.get(control.measure)
    return {
        "item": item,
        "title": _french(control.title),
        "why": _french(control.why),
        "fix": _french(control.fix),
        "severity": SEVERITIES[item.severity],
        "quote": measure.quote if measure else "",
        "article": measure.article if measure else "",
        "recommended": french(item.recommended_at) if item.recommended_at else "",
        "hosts": list(item.hosts),
        "common": ", ".join(f"{KINDS[kind]} {name}" for kind, name in item.common),
    }


def _french(texts: Mapping[str, str]) -> str:
    return texts.get("fr") or texts.get("en", "")


def texts(items: Sequence[Item], controls: Mapping[str, Control]) -> Mapping[str, str]:
    """What is recommended, in French, by control."""
    return {item.control: _french(controls[item.control].fix) or item.control for item in items}
