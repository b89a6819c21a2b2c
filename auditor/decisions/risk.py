"""R-LEVEL, R-DPO, R-COMP: the risk is what its matrix says, who must be heard was, what was promised is there. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.decisions.context import Context, Found, lateness
from auditor.model import Outcome
from auditor.records import LEVELS, Decision, Exemption, Level, Risk


def level(one: Decision, at: Context) -> Found:
    """Each level is that of the matrix, the residual one is not above the initial one, a high one was deliberated."""
    risk = one.risk or Risk()
    matrix = at.estate.matrices.get(risk.matrix)
    if risk.matrix and matrix is None:
        yield "R-LEVEL", risk.matrix
    for name, given in (("initial", risk.initial), ("residual", risk.residual)):
        if given.gravite and given.vraisemblance and not risk.matrix:
            yield "R-LEVEL", f"{name}: {given.gravite} {given.vraisemblance}, matrix: -"  # nobody can tell its level
        computed = _computed(given, matrix)
        if computed and given.niveau and computed != given.niveau:
            yield "R-LEVEL", f"{name}: {given.niveau} / {computed}"
    initial, residual = (_rank(given.niveau or _computed(given, matrix)) for given in (risk.initial, risk.residual))
    yield from _exempted(initial, residual) if isinstance(one, Exemption) else _accepted(one, initial, residual)


def _exempted(initial: int, residual: int) -> Found:
    """An exemption is for what is no risk to speak of, and says so."""
    highest = max(initial, residual)
    if highest:
        yield "R-LEVEL", LEVELS[highest] if highest > 0 else "-"


def _accepted(one: Decision, initial: int, residual: int) -> Found:
    if 0 <= initial < residual:
        yield "R-LEVEL", f"{LEVELS[residual]} > {LEVELS[initial]}"
    if residual == LEVELS.index("eleve") and not one.deliberation:
        yield "R-LEVEL", LEVELS[residual]


def is_high(one: Decision, at: Context) -> bool:
    """The residual level is `eleve`, as the record says it or as its matrix gives it."""
    risk = one.risk or Risk()
    return LEVELS[-1] in (risk.residual.niveau, _computed(risk.residual, at.estate.matrices.get(risk.matrix)))


def _computed(given: Level, matrix: Sequence[Sequence[str]] | None) -> str:
    if not (matrix and given.gravite and given.vraisemblance):
        return ""
    return matrix[int(given.gravite[1]) - 1][int(given.vraisemblance[1]) - 1]


def _rank(level: str) -> int:
    """-1 where no level is given."""
    return LEVELS.index(level) if level in LEVELS else -1


def dpo(one: Decision) -> Found:
    if one.risk is not None and one.risk.personal_data and not (one.dpo_at and one.dpo_at <= one.signature.signed_at):
        yield "R-DPO", one.dpo_at


def compensated(one: Decision, at: Context) -> Found:
    """What is to pass instead exists, and where it is to pass: it could never hold otherwise, and nobody would see why."""
    for place in one.compensated_by:
        if place.control not in at.controls:
            yield "R-COMP", f"control {place.control}"
        if place.on and place.on not in at.places.hosts and place.on not in at.estate.perimeters:
            yield "R-COMP", f"{place.control}: {place.on}"


def promised(one: Decision, at: Context, judged: Outcome) -> Found:
    """The planned compensating measures that are so late."""
    for measure in one.measures:
        if not measure.in_place and lateness(measure.due, at.as_of, at.estate.rules.grace_days) is judged:
            yield "R-COMP", f"{measure.due}: {measure.text}"
