"""Whether the settings of antivirus products in a tree have them watch and learn, and what these leave out. Pure.

Of a host that runs, the probe endpoint_protection tells what is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers.trees import antivirus, units
from auditor.readers.trees.antivirus import Product
from auditor.readers.trees.forwarders import worst
from auditor.readers.undated import undated


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {**antivirus.QUESTIONS, "units": units.UNITS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    products, gap = antivirus.read(answers)
    if not products:
        return dict.fromkeys(PROBE.facts["properties"], gap or Unknown("not_observable", "settings of an antivirus"))
    listed: list[Fact] = [_shown(one) for one in products]
    left_out: list[Fact] = [
        {"exclusion": what, "product": one.name, WHERE: (place,)} for one in products for what, place in one.exclusions
    ]
    return {
        "products": _lacking(listed, gap),
        "exclusions": _lacking(left_out, worst([gap, *(p.more for p in products)])),
    }


def _shown(one: Product) -> Fact:
    return {"product": one.name, "real_time": one.real_time, "updates": one.updates, WHERE: one.where}


def _lacking(items: list[Fact], gap: Unknown | None) -> Fact:
    return Partial(tuple(items), gap) if gap else items


PROBE = Probe(
    title={"en": "Settings of antivirus products, in files", "fr": "Réglages des antivirus, dans des fichiers"},
    facts={
        "type": "object",
        "properties": {
            "products": {
                "type": "array",
                "description": "The products of which the tree has settings: ClamAV, Microsoft Defender.",
                "items": {
                    "type": "object",
                    "x-name": "product",
                    "properties": {
                        "product": {"type": "string", "description": "The product."},
                        "real_time": {
                            "type": "boolean",
                            "description": "Its settings have it watch what is opened, and block; a link has it started.",
                        },
                        "updates": {
                            "type": "boolean",
                            "description": "Its settings have it fetch signatures every day; a link has that started.",
                        },
                    },
                },
            },
            "exclusions": {
                "type": "array",
                "description": "What the settings have it leave out; /proc and /sys, which hold no files, aside.",
                "items": {
                    "type": "object",
                    "x-name": "exclusion",
                    "x-also": ["product"],
                    "properties": {
                        "exclusion": {"type": "string", "description": "A path, a pattern, or whose doings."},
                        "product": {"type": "string", "description": "The product."},
                    },
                },
            },
        },
    },
    dialects={},
    trees={"linux": Dialect(commands, undated(parse))},
    privilege={"en": "none: files are read", "fr": "aucun : des fichiers sont lus"},
)
