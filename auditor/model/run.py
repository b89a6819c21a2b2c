"""A run as reports read it: its header, its catalogue, and how each host and each check went. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.model.comparison import Comparison
from auditor.model.decisions import ActionSeen, IdleDecision, ToDo
from auditor.model.estate import Entity, Perimeter
from auditor.model.findings import Coverage, Finding
from auditor.model.header import Header
from auditor.model.policy import Control, Measure
from auditor.model.truth import Unknown


@dataclass(frozen=True, slots=True)
class HostSeen:
    """How a host took part: `failure` is None when what it told counts.

    `identity` is what the host said it is (its own name and a digest of its machine-id), empty when it did not say.
    `evidence_at` dates the evidence of an earlier run that it was judged on; 0 when it was judged on what it said now.
    `asked` is false where no connection was tried on purpose: `connection: none`, quiet hours, fresh evidence.
    `medium` is "live", or "by_hand" where somebody ran the script there and brought the answer.
    `attested`: a record in force that names it says something of it.
    `was` is the id that it had first, where it has been renamed.
    `collector` is what answered as root: "installed SHA256", "piped" (the text of the run's own digest), "" for nothing.
    `known_as`: its address and further names, under which others may speak of it.
    """

    host: str
    failure: Unknown | None
    checks: int
    measured: int
    at: float = 0.0
    identity: str = ""
    evidence_at: float = 0.0
    asked: bool = True
    was: str = ""
    collector: str = ""
    known_as: tuple[str, ...] = ()
    medium: str = "live"
    attested: bool = False


@dataclass(frozen=True, slots=True)
class Sketch:
    """A finding, not read yet: `doc` is what `document.finding_to_plain` gives, as JSON."""

    seq: int
    fingerprint: str
    outcome: str | None
    doc: str


class Run(ABC):
    """A run as reports read it: a small header, the catalogue it was judged by, and iterators in plan order.

    The iterators may be called again; each call reads anew, so that nothing holds the whole run.
    """

    header: Header
    controls: Mapping[str, Control]
    measures: Mapping[str, Measure]
    perimeters: Mapping[str, Perimeter]
    entities: Mapping[str, Entity] = {}
    since: Comparison | None = None  # what changed since the run that it was held against

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """In plan order."""

    @abstractmethod
    def sketches(self) -> Iterator[Sketch]:
        """The findings in the order of their fingerprints, so that two runs can be laid side by side."""

    @abstractmethod
    def hosts(self) -> Iterator[HostSeen]:
        """How each host took part."""

    @abstractmethod
    def idle(self) -> Iterator[IdleDecision]:
        """What is wrong with decisions."""

    @abstractmethod
    def coverage(self) -> Iterator[Coverage]:
        """What nothing was asked of."""

    @abstractmethod
    def actions(self) -> Iterator[ActionSeen]:
        """The latest first."""

    @abstractmethod
    def to_do(self) -> Iterator[ToDo]:
        """The gravest first."""
