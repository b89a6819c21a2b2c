"""What people wrote in; what a run is made of, as the work folder or as a trusted side has it, out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.commands import inputs
from auditor.model import Trusted

if TYPE_CHECKING:
    from auditor.commands.sides import Side


def given_by(
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    limit: str | None,
    probes: str | None,
    trees: tuple[str, ...],
    side: Side | None,
) -> tuple[inputs.Inputs, Trusted | None]:
    """What people wrote: with a trusted side, as that has it, and what the work folder does to it."""
    if side is None:
        return inputs.load(policy, estate, limit, probes, given_trees=trees), None
    from auditor.commands.sides import Named
    from auditor.commands.trusted import judged_by

    def load(named: Named) -> inputs.Inputs:
        folder = next(iter(named.probes), None)
        return inputs.load(named.policies, named.estate, limit, folder, given_trees=trees, work=side.here, owing=True)

    return judged_by(side, Named(policy, estate, (probes,) if probes else ()), load)


def trusted_side(
    ref: str | None,
    held: ExitStack,
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    probes: str | None,
    against: str | None,
    trees: tuple[str, ...],
) -> Side | None:
    """The side that a change is judged by, held as long as the run is; None where none was named."""
    if ref is None:
        return None
    from auditor.commands.sides import Named, opened

    named = Named(policy, estate, (probes,) if probes else ())
    return held.enter_context(opened(ref, named, against, [given.partition("=")[2] for given in trees]))


def compared_with(name: str | None, side: Side | None, trusted: Trusted | None) -> tuple[str | None, Trusted | None]:
    """The run to compare with: of a file of the repository, the trusted side's; the change may have moved its own."""
    if name is None or side is None or trusted is None:
        return name, trusted
    name, touched = side.reference(name)
    return name, replace(trusted, touched=(*touched, *trusted.touched))
