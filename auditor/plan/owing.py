"""A measure and a perimeter in; whether it is owed there, and whether an exemption spares what people declare of it, out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from auditor.model import Control, Estate, Measure
from auditor.owed import owed_on

DECLARES = ("measure", "register")  # arguments that name what people declare
Recorded = Callable[[str, str, str], bool]


@dataclass(frozen=True, slots=True)
class Owing:
    """`exempted` and `recorded` as the plan has them."""

    estate: Estate
    measures: Mapping[str, Measure]
    perimeters: tuple[str, ...]
    exempted: frozenset[tuple[str, str]]
    recorded: Recorded | None

    def owner(self, measure: str) -> str:
        """Who owes a measure; "" where the measure is not known."""
        known = self.measures.get(measure)
        return known.owner if known else ""

    def spared(self, control: Control, perimeter: str) -> bool:
        """An exemption says that nothing is asked, and nobody declared anything of it: what is there is judged as ever."""
        if (perimeter, control.measure) not in self.exempted:
            return False
        named = [(what, str(control.arguments[what])) for what in DECLARES if what in control.arguments]
        recorded = self.recorded or self._of_estate
        return bool(named) and not any(recorded(what, name, perimeter) for what, name in named)

    def _of_estate(self, what: str, name: str, perimeter: str) -> bool:
        if what == "register":
            return any(r.id == name and r.perimeter in ("", perimeter) for r in self.estate.registers)
        return any((a.measure, a.perimeter) == (name, perimeter) for a in self.estate.attestations)

    def owes(self, control: Control, perimeter: str) -> bool:
        """Whether somebody on this perimeter owes the measure of a control."""
        return perimeter in self.perimeters_of(control.measure)

    def perimeters_of(self, measure: str) -> tuple[str, ...]:
        """The perimeters on which somebody owes a measure."""
        return owed_on(self.owner(measure), self.perimeters, self.estate.perimeters)
