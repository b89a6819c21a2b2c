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
        self._of_groups: dict[str, Limits] = {}

    def of(self, host: str, groups: tuple[str, ...]) -> Limits:
        """What a host says itself, as the variables of `ansible-inventory --list` do, all hosts share that say the same."""
        limits = [one for group in (ALL, *groups) for one in self._group(group)]
        own = [self._tree.hosts[host], *(beside("host_vars", host) for beside in self._tree.beside)]
        most = self._number(own)
        return (*limits, *([(f"={most}", most)] if most else []))

    def _group(self, name: str) -> Limits:
        if name not in self._of_groups:
            said = [self._tree.groups[name].vars, *(beside("group_vars", name) for beside in self._tree.beside)]
            most = self._number(said)
            self._of_groups[name] = ((name, most),) if most else ()
        return self._of_groups[name]

    def _number(self, said: list[Mapping[str, Var]]) -> int:
        """Of the last that says it; 0 where none does."""
        var = next((variables[KEY] for variables in reversed(said) if KEY in variables), None)
        if var is None:
            return 0
        written = var.value.text if isinstance(var.value, Tagged) else var.value
        if re.fullmatch("[0-9]{1,3}", str(written)) and 0 < int(written) <= MOST:
            return int(written)
        self._problems.append(var.problem(f"{KEY}: '{str(written)[:80]}' is no number of hosts (1 to {MOST})"))
        return 0
