"""Whether the settings of antivirus products in a tree have them watch and learn, and what these leave out. Pure.

Of a host that runs, the probe endpoint_protection tells what is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes.antivirus_settings import PROBE
from auditor.readers.trees import antivirus, units
from auditor.readers.trees.antivirus import Product
from auditor.readers.trees.forwarders import worst


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
