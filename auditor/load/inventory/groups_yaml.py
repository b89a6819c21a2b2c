"""An Ansible YAML inventory in; its groups, hosts and variables in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.errors import Problem
from auditor.load import schema, yaml
from auditor.load.inventory.tree import Tree, Var
from auditor.load.yaml import Document, KeyPath

TAGS = frozenset({"!vault", "!vault-encrypted", "!unsafe"})


def read(tree: Tree, data: bytes, file: str, wanted: Mapping[str, Any]) -> None:
    """Raises InvalidInput for what is no YAML; other problems are noted in the tree."""
    document = yaml.parse(data, file, TAGS, ansible=True)
    if document.value is None:
        tree.problems.append(Problem(file, 0, 0, "the inventory is empty"))
        return
    if isinstance(document.value, dict) and isinstance(document.value.get("plugin"), str):
        message = "configures an inventory plugin of Ansible: give the output of `ansible-inventory --list` instead"
        tree.problems.append(document.problem(("plugin",), message, key=True))
        return
    wrong = schema.problems(document, wanted)
    tree.problems.extend(wrong)
    if not wrong:
        for name, value in document.value.items():
            _group(tree, document, (name,), name, value)


def _group(tree: Tree, document: Document, path: KeyPath, name: str, value: Any) -> None:
    group = tree.add_group(name)
    for part, inner in (value or {}).items():
        given = {inner: None} if isinstance(inner, str) else inner or {}
        here = (*path, part)
        if part == "vars":
            for key, one in given.items():
                tree.set_group(name, key, _var(document, (*here, key), one))
        elif part == "hosts":
            for pattern, variables in given.items():
                _hosts(tree, document, (*here, pattern), name, pattern, variables or {})
        else:
            for child, inside in given.items():
                _group(tree, document, (*here, child), child, inside)
                tree.add_child(group.name, child)


def _hosts(
    tree: Tree, document: Document, path: KeyPath, group: str, pattern: str, variables: Mapping[str, Any]
) -> None:
    found = tree.add_hosts(pattern, group, document.problem(path, "", key=True))
    given = [(key, _var(document, (*path, key), value)) for key, value in variables.items()]
    for host in found:
        for key, var in given:
            tree.set_host(host, key, var)


def _var(document: Document, path: KeyPath, value: Any) -> Var:
    place = document.problem(path, "", key=True)
    return Var(value, place.file, place.line, place.column)
