"""What an inventory says of `auditor_at_once` in; the groups of a host that only so many hosts may be asked of, out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from auditor.errors import Problem
from auditor.load.inventory.tree import ALL, Tree, Var
from auditor.load.yaml import Tagged
from auditor.model import Limits

KEY = "auditor_at_once"
MOST = 512


class AtOnce:
    """Each group's limit, read once. All of them hold, a parent's too, whatever a child says."""

    def __init__(self, tree: Tree, problems: list[Problem]) -> None:
        self._tree = tree
        self._problems = problems
        self._of_groups: dict[str, tuple[Limits, Var | None]] = {}

    def of(self, groups: tuple[str, ...], merged: Mapping[str, Var]) -> Limits:
        """What a host says itself, as the variables of `ansible-inventory --list` do, all hosts share that say the same."""
        said = [self._group(name) for name in (ALL, *groups)]
        limits = tuple(one for found, _ in said for one in found)
        own = merged.get(KEY)
        if own is None or any(own is var for _, var in said):
            return limits
        most = self._number(own)
        return (*limits, (f"={most}", most)) if most else limits

    def _group(self, name: str) -> tuple[Limits, Var | None]:
        """The limit of a group, and the variable that says it: the last does."""
        if name not in self._of_groups:
            said = [self._tree.groups[name].vars, *(beside("group_vars", name) for beside in self._tree.beside)]
            var = next((variables[KEY] for variables in reversed(said) if KEY in variables), None)
            most = self._number(var) if var else 0
            self._of_groups[name] = (((name, most),) if most else ()), var
        return self._of_groups[name]

    def _number(self, var: Var) -> int:
        written = var.value.text if isinstance(var.value, Tagged) else var.value
        if re.fullmatch("[0-9]{1,3}", str(written)) and 0 < int(written) <= MOST:
            return int(written)
        self._problems.append(var.problem(f"{KEY}: '{str(written)[:80]}' is no number of hosts (1 to {MOST})"))
        return 0
