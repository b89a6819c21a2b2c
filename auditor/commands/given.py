"""What was typed in; what a run is made of, as the work folder or as a trusted side has it, out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.commands import inputs
from auditor.commands.asked import Asked
from auditor.model import Trusted

if TYPE_CHECKING:
    from auditor.commands.sides import Named, Side


def given_by(asked: Asked, side: Side | None) -> tuple[inputs.Inputs, Trusted | None]:
    """What people wrote: with a trusted side, as that has it, and what the work folder does to it."""
    if side is None:
        return inputs.load(asked.policy, asked.estate, asked.limit, asked.probes, given_trees=asked.trees), None
    from auditor.commands.trusted import judged_by

    def load(named: Named) -> inputs.Inputs:
        folder = next(iter(named.probes), None)
        return inputs.load(
            named.policies, named.estate, asked.limit, folder, given_trees=asked.trees, work=side.here, owing=True
        )

    return judged_by(side, _named(asked), load)


def trusted_side(asked: Asked, held: ExitStack) -> Side | None:
    """The side that a change is judged by, held as long as the run is; None where none was named."""
    if asked.trusted is None:
        return None
    from auditor.commands.sides import opened

    trees = [given.partition("=")[2] for given in asked.trees]
    return held.enter_context(opened(asked.trusted, _named(asked), asked.against, trees))


def _named(asked: Asked) -> Named:
    from auditor.commands.sides import Named

    return Named(asked.policy, asked.estate, (asked.probes,) if asked.probes else ())


def compared_with(name: str | None, side: Side | None, trusted: Trusted | None) -> tuple[str | None, Trusted | None]:
    """The run to compare with: of a file of the repository, the trusted side's; the change may have moved its own."""
    if name is None or side is None or trusted is None:
        return name, trusted
    name, touched = side.reference(name)
    return name, replace(trusted, touched=(*touched, *trusted.touched))
