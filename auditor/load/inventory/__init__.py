"""Inventories as Ansible and spreadsheets have them, in; hosts with how to connect, groups and notices, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load.inventory import connection, sources
from auditor.load.inventory.at_once import AtOnce
from auditor.load.inventory.beside import beside
from auditor.load.inventory.tree import TooMany, Tree
from auditor.model import Host, Text


@dataclass(frozen=True, slots=True)
class Loaded:
    """`groups`: each group's hosts in the inventory's own order. `digests` by file."""

    hosts: tuple[Host, ...]
    groups: Mapping[str, tuple[str, ...]]
    notices: tuple[Text, ...]
    digests: Mapping[str, str]


def read(paths: Sequence[Path], wanted: Mapping[str, Any], problems: list[Problem]) -> Loaded:
    """Several sources, merged in order as Ansible merges `-i A -i B`. Every problem is added to `problems`."""
    tree = tree_of(paths, wanted, problems)
    containing = tree.containing() if tree else {}
    if tree is None or not containing:
        return Loaded((), {}, tuple(tree.notices) if tree else (), tree.digests if tree else {})
    found: list[Problem] = []
    at_once = AtOnce(tree, found)
    hosts = tuple(_host(tree, name, groups, at_once, found) for name, groups in containing.items())
    problems.extend(dict.fromkeys((*tree.problems, *found)))
    return Loaded(hosts, tree.members(), tuple(tree.notices), tree.digests)


def tree_of(paths: Sequence[Path], wanted: Mapping[str, Any], problems: list[Problem]) -> Tree | None:
    """Groups, hosts and variables before anything is read from them; None when there are problems that hide hosts."""
    tree = Tree([])
    strange: dict[Path, Path] = {}  # folder to a file in it that may be no inventory
    for path in paths:
        try:
            for file in sources.files(path, tree.notices):
                before = len(tree.problems)
                _source(tree, file, wanted, named=file == path)
                if len(tree.problems) > before and file != path and not sources.is_inventory(file):
                    strange.setdefault(path, file)
        except TooMany:
            break
        except InvalidInput as error:
            tree.problems.extend(error.problems)
        tree.beside.append(beside(path if path.is_dir() else path.parent, tree))
    for folder, file in strange.items():
        message = (
            f"every file of the folder is read, as Ansible does: if {file.name} is no inventory, move it elsewhere"
        )
        tree.problems.append(Problem(str(folder), 0, 0, message))
    if not tree.hosts and not tree.problems:
        tree.problems.append(Problem(str(paths[0]), 0, 0, "the inventory names no host"))
    if not tree.settle() or not tree.hosts:
        problems.extend(tree.problems)
        return None
    return tree


def _source(tree: Tree, file: Path, wanted: Mapping[str, Any], named: bool) -> None:
    try:
        sources.read(tree, file, wanted, named)
    except InvalidInput as error:
        tree.problems.extend(error.problems)


def _host(tree: Tree, name: str, groups: tuple[str, ...], at_once: AtOnce, problems: list[Problem]) -> Host:
    merged = tree.merged(name, groups)
    host = connection.host(name, groups, merged, problems)
    limits = at_once.of(groups, merged)
    return replace(host, at_once=limits) if limits else host
