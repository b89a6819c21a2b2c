"""What a store holds beside the findings: catalogues, hosts as runs keep them, sightings, printed scripts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor import document
from auditor.model import (
    ActionSeen,
    Command,
    Control,
    Coverage,
    Entity,
    Failure,
    Finding,
    HostSeen,
    IdleDecision,
    Measure,
    Output,
    Perimeter,
    ToDo,
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a run was judged by, as its reports need it."""

    controls: Mapping[str, Control]
    measures: Mapping[str, Measure]
    perimeters: Mapping[str, Perimeter]
    entities: Mapping[str, Entity] = field(default_factory=dict)

    def plain(self) -> document.Plain:
        return {
            "controls": [document.control_to_plain(c) for c in self.controls.values()],
            "measures": [document.measure_to_plain(m) for m in self.measures.values()],
            "perimeters": [document.perimeter_to_plain(p) for p in self.perimeters.values()],
            "entities": [document.entity_to_plain(e) for e in self.entities.values()],
        }

    @classmethod
    def from_plain(cls, plain: document.Plain) -> Catalogue:
        return cls(
            {c["id"]: document.control_from_plain(c) for c in plain["controls"]},
            {m["id"]: document.measure_from_plain(m) for m in plain["measures"]},
            {p["id"]: document.perimeter_from_plain(p) for p in plain["perimeters"]},
            {e["id"]: document.entity_from_plain(e) for e in plain.get("entities", ())},
        )


@dataclass(frozen=True, slots=True)
class Presence:
    """How a host took part. `machine` is what it proved to be, "" when nothing proves it.

    `machine` None: this run holds nothing of the host itself that a later run may be judged on.
    `evidence_at`, `asked` and `medium` are those of HostSeen.
    """

    asked: bool = True
    evidence_at: float = 0.0
    machine: str | None = None
    medium: str = "live"


ASKED = Presence()


@dataclass(frozen=True, slots=True)
class HostKept:
    """A host as a run keeps it, by its place there; `answers`: digests of the command and of its evidence, and their dates."""

    seq: int
    seen: HostSeen
    answers: tuple[tuple[bytes, bytes, float, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a host told something, and where that is kept: the number of the run, and the host's place in it."""

    run: int
    seq: int
    at: float
    machine: str
    medium: str = "live"


@dataclass(frozen=True, slots=True)
class Printed:
    """A script that was printed to be run by hand: on which host, of which estate (freshness.whose), when, and what it asks.

    `run` is the number of the run that judged its answer, 0 while none did.
    """

    nonce: str
    host: str
    estate: str
    at: float
    platform: str
    become: bool
    commands: tuple[Command, ...]
    run: int = 0


# A part of a run that is only a document.
Noted = IdleDecision | Coverage | ActionSeen | ToDo
# What a run is made of, part by part; each place stands in the order of the parts of its kind.
Kept = Finding | HostKept | Command | Output | Failure | Noted
