"""What a run was judged by, to plain values and back: controls, measures, perimeters and entities. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from auditor.document.plain import Plain
from auditor.model import Control, Entity, Measure, Perimeter


def control_to_plain(control: Control) -> Plain:
    """What reports say of a control; how it judges stays with the policy."""
    return {
        "id": control.id,
        "policy": control.policy,
        "measure": control.measure,
        "revision": control.revision,
        "title": dict(control.title),
        "severity": control.severity,
        "probe": control.probe,
        "why": dict(control.why),
        "fix": dict(control.fix),
        "references": {k: list(v) for k, v in control.references.items()},
        "source": control.source,
        "of": control.of,
        "basis": control.basis,
    }


def control_from_plain(plain: Mapping[str, Any]) -> Control:
    return Control(
        **{k: plain[k] for k in plain if k != "references"},
        expect={},
        references={k: tuple(v) for k, v in plain["references"].items()},
    )


def measure_to_plain(measure: Measure) -> Plain:
    return {
        "id": measure.id,
        "title": dict(measure.title),
        "quote": measure.quote,
        "article": measure.article,
    }


def measure_from_plain(plain: Mapping[str, Any]) -> Measure:
    return Measure(plain["id"], plain["title"], plain["quote"], plain["article"])


def perimeter_to_plain(perimeter: Perimeter) -> Plain:
    return {
        "id": perimeter.id,
        "owner": perimeter.owner,
        "kind": perimeter.kind,
        "beneficiaries": list(perimeter.beneficiaries),
        "operated_by": perimeter.operated_by,
        "advised_by": perimeter.advised_by,
        "means": dict(perimeter.means),
    }


def perimeter_from_plain(plain: Mapping[str, Any]) -> Perimeter:
    """Also of a run that was kept before others than the owner were named."""
    more = {name: plain[name] for name in ("operated_by", "advised_by", "means") if name in plain}
    return Perimeter(plain["id"], plain["owner"], plain["kind"], tuple(plain["beneficiaries"]), **more)


def entity_to_plain(entity: Entity) -> Plain:
    return asdict(entity)


def entity_from_plain(plain: Mapping[str, Any]) -> Entity:
    return Entity(**plain)
