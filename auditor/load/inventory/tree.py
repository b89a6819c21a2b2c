"""Groups, hosts and variables as several sources add to them; the order in which Ansible merges them, and the result.

Variables merge as Ansible merges them (docs.ansible.com, "Understanding variable precedence" and "How variables are
merged"): what the sources say of groups, `all` first and parents before children; then `group_vars/`, source by source and
in the same order; then what the sources say of the host; then `host_vars/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.errors import Problem
from auditor.load.inventory import names
from auditor.model import Text

if TYPE_CHECKING:  # table.py adds to the tree
    from auditor.load.inventory.table import Machine

MAX_HOSTS = 100_000
ALL, UNGROUPED = "all", "ungrouped"


@dataclass(frozen=True, slots=True)
class Var:
    """A variable's value and the place where it was written (0 where the format has no lines)."""

    value: Any
    file: str
    line: int = 0
    column: int = 0

    def problem(self, message: str) -> Problem:
        return Problem(self.file, self.line, self.column, message)


Vars = dict[str, Var]
Beside = Callable[[str, str], Mapping[str, Var]]  # ("group_vars" or "host_vars", name) -> what the files say


@dataclass(slots=True)
class Group:
    name: str
    children: dict[str, None] = field(default_factory=dict)
    parents: dict[str, None] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    vars: Vars = field(default_factory=dict)
    priority: int = 1


class TooMany(Exception):
    """More hosts than we read; the problem is noted."""


class Tree:
    """One inventory while its sources are read. `places` says where each host is first named."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.notices: list[Text] = []
        self.digests: dict[str, str] = {}
        self.groups: dict[str, Group] = {ALL: Group(ALL), UNGROUPED: Group(UNGROUPED)}
        self.hosts: dict[str, Vars] = {}
        self.places: dict[str, Problem] = {}
        self.rows: dict[str, Machine] = {}  # of tables: the first row of each name, case folded
        self.beside: list[Beside] = []  # one a source, in order
        self.add_child(ALL, UNGROUPED)
        self._merged: dict[tuple[str, ...], Vars] = {}

    # ------------------------------------------------------------ what readers add

    def add_group(self, name: str) -> Group:
        return self.groups.setdefault(name, Group(name))

    def add_child(self, parent: str, child: str) -> None:
        self.add_group(parent).children[child] = None
        self.add_group(child).parents[parent] = None

    def add_hosts(self, pattern: str, group: str, place: Problem) -> list[str]:
        """The hosts that a name, or a range, stands for; they are in the group then."""
        found: list[str] = []
        try:
            hosts, port = names.expanded(pattern, MAX_HOSTS)
            for host in hosts:
                self._add_host(host, group, port, place)
                found.append(host)
        except names.BadName as error:
            self.problems.append(Problem(place.file, place.line, place.column, str(error)))
        return found

    def add_named(self, host: str, group: str, place: Problem) -> None:
        """A host by its very name: no range, no port."""
        self._add_host(host, group, None, place)

    def _add_host(self, host: str, group: str, port: int | None, place: Problem) -> None:
        if host not in self.hosts:
            if len(self.hosts) >= MAX_HOSTS:
                self.problems.append(Problem(place.file, place.line, place.column, f"more than {MAX_HOSTS} hosts"))
                raise TooMany
            self.hosts[host] = {}
            self.places[host] = place
            if port:  # as Ansible: of the first mention alone
                self.hosts[host]["ansible_port"] = Var(port, place.file, place.line, place.column)
        self.add_group(group).hosts[host] = None

    def set_host(self, host: str, key: str, var: Var) -> None:
        """As Ansible: where a group has the host's name, the variable is the group's."""
        if host in self.groups:
            self.set_group(host, key, var)
        else:
            self.hosts[host][key] = var

    def set_group(self, group: str, key: str, var: Var) -> None:
        if key != "ansible_group_priority":
            self.add_group(group).vars[key] = var
            return
        try:
            self.add_group(group).priority = int(var.value)
        except (TypeError, ValueError, OverflowError):
            self.problems.append(var.problem("ansible_group_priority must be a whole number"))

    # ------------------------------------------------------------ when all sources are in

    def settle(self) -> bool:
        """Every group is under `all`, every host in a group; false when groups go in a circle."""
        if not self._acyclic():
            return False
        for group in self.groups.values():
            if group.name != ALL and not group.parents:
                self.add_child(ALL, group.name)
        if not self._acyclic():
            return False
        grouped = {h for g in self.groups.values() if g.name not in (ALL, UNGROUPED) for h in g.hosts}
        loose = self.groups[UNGROUPED].hosts
        for host in self.hosts:
            if host in grouped:
                loose.pop(host, None)
            else:
                loose.setdefault(host)
        return True

    def _acyclic(self) -> bool:
        state: dict[str, int] = {}
        for start in self.groups:
            if start in state:
                continue
            trail: dict[str, None] = {start: None}
            stack = [(start, iter(self.groups[start].children))]
            while stack:
                name, children = stack[-1]
                child = next(children, None)
                if child is None:
                    state[name] = 1
                    stack.pop()
                    trail.pop(name)
                elif child in trail:
                    circle = list(trail)
                    loop = " > ".join([*circle[circle.index(child) :], child])
                    self.problems.append(Problem(self._file(), 0, 0, f"the groups go in a circle: {loop}"))
                    return False
                elif child not in state:
                    trail[child] = None
                    stack.append((child, iter(self.groups[child].children)))
        return True

    def _file(self) -> str:
        return next((p.file for p in self.places.values()), next(iter(self.digests), "inventory"))

    def _ranks(self) -> dict[str, tuple[int, int, str]]:
        """Where each group's variables merge: by depth below `all` (the longest way), then priority, then name."""
        depth = dict.fromkeys(self.groups, 0)
        waiting = {name: len(group.parents) for name, group in self.groups.items()}
        ready = [name for name, count in waiting.items() if not count]
        while ready:  # parents before children, without recursion: a chain may be as long as the file
            name = ready.pop()
            for child in self.groups[name].children:
                depth[child] = max(depth[child], depth[name] + 1)
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        return {name: (depth[name], group.priority, name) for name, group in self.groups.items()}

    def containing(self) -> dict[str, tuple[str, ...]]:
        """The groups that hold each host, themselves or through children, in the order that they merge; without `all`."""
        rank = self._ranks()
        direct: dict[str, list[str]] = {host: [] for host in self.hosts}
        for group in self.groups.values():
            for host in group.hosts:
                direct[host].append(group.name)
        above = {names: self._above(names, rank) for names in {tuple(n) for n in direct.values()}}
        return {host: above[tuple(names)] for host, names in direct.items()}

    def _above(self, direct: tuple[str, ...], rank: Mapping[str, tuple[int, int, str]]) -> tuple[str, ...]:
        found = dict.fromkeys(direct)
        left = list(direct)
        while left:
            parents = [p for p in self.groups[left.pop()].parents if p not in found]
            found.update(dict.fromkeys(parents))
            left.extend(parents)
        return tuple(sorted((n for n in found if n != ALL), key=rank.__getitem__))

    def members(self) -> Mapping[str, tuple[str, ...]]:
        """Each group's hosts, its own before its children's, level by level: what `group[0]` counts. Told when asked."""
        return _Members(self.groups)

    def merged(self, host: str, groups: tuple[str, ...]) -> Vars:
        """All variables of a host, given the groups that contain it in their order."""
        if groups not in self._merged:
            self._merged[groups] = self._of_groups(groups)
        merged = {**self._merged[groups], **self.hosts[host]}
        for beside in self.beside:
            merged.update(beside("host_vars", host))
        return merged

    def _of_groups(self, groups: tuple[str, ...]) -> Vars:
        merged = _together(self.groups[name].vars for name in (ALL, *groups))
        for beside in self.beside:
            merged.update(beside("group_vars", ALL))
        for beside in self.beside:
            merged.update(_together(beside("group_vars", name) for name in groups))
        return merged


def _together(several: Iterable[Mapping[str, Var]]) -> Vars:
    merged: Vars = {}
    for one in several:
        merged.update(one)
    return merged


class _Members(Mapping[str, tuple[str, ...]]):
    """Walked only for the groups that a pattern names: all of them at once cost the square of a long chain."""

    def __init__(self, groups: Mapping[str, Group]) -> None:
        self._groups = groups

    def __getitem__(self, name: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        level, seen = [self._groups[name]], {name}
        while level:
            found.update(dict.fromkeys(host for group in level for host in group.hosts))
            below = dict.fromkeys(child for group in level for child in group.children if child not in seen)
            seen.update(below)
            level = [self._groups[child] for child in below]
        return tuple(found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)
