"""What was typed in; what a run is made of, as the work folder or as a trusted side has it, out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.commands import inputs
from auditor.commands.asked import Asked
from auditor.commands.chosen import files_of, with_files
from auditor.commands.references import file_of
from auditor.errors import InvalidInput
from auditor.kinds import TREE
from auditor.model import Host, Trusted

if TYPE_CHECKING:
    from auditor.commands.sides import Named, Side

BESIDE_STORE = ("-journal", "-wal", "-shm")  # what SQLite takes for a part of it


def given_by(asked: Asked, side: Side | None) -> tuple[inputs.Inputs, Trusted | None]:
    """What people wrote: with a trusted side, as that has it, and what the work folder does to it."""
    if side is None:
        return inputs.load(asked.policy, asked.estate, asked.limit, asked.probes, given_trees=asked.trees), None
    from auditor.commands.trusted import judged_by

    files = files_of(asked.limit or "")
    limit = with_files(asked.limit, side.judging) if asked.limit else asked.limit

    def load(named: Named) -> inputs.Inputs:
        folder = next(iter(named.probes), None)
        return inputs.load(
            named.policies, named.estate, limit, folder, given_trees=asked.trees, work=side.here, owing=True
        )

    loaded, trusted = judged_by(side, _named(asked), load)
    _whole(side, loaded.plan.hosts)
    touched = [one for file in files for one in side.touched("file", file)]
    return loaded, replace(trusted, touched=(*trusted.touched, *touched))


def _whole(side: Side, hosts: Sequence[Host]) -> None:
    """Raises InvalidInput for trees that lack what the change has elsewhere: an empty folder would count as seen."""
    lost = side.left_out([h.tree for h in hosts if h.connection == TREE and h.tree])
    if lost:
        raise InvalidInput(
            f"{', '.join(lost[:5])}: a submodule of a tree was not checked out: run `git submodule update --init "
            "--recursive` first"
        )


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


def compared_with(
    name: str | None, side: Side | None, trusted: Trusted | None, store: str
) -> tuple[str | None, Trusted | None]:
    """The run to compare with: of a file of the repository, the trusted side's; the change may have moved its own.

    Raises InvalidInput for a run of a store that git has put in the work folder: it may come with the change.
    """
    if name is None or side is None or trusted is None:
        return name, trusted
    name, touched = side.reference(name)
    if store and not file_of(name) and any(map(side.brought, (store, *(store + more for more in BESIDE_STORE)))):
        raise InvalidInput(
            f"--against {name}: the store {store} comes with the change, which could have written it: keep it out of git"
        )
    return name, replace(trusted, touched=(*touched, *trusted.touched))
