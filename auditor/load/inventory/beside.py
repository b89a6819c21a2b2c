"""A folder in; what its `group_vars/` and `host_vars/` say of a group or a host, out. Each file is read once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from auditor.errors import InvalidInput, Problem
from auditor.load import yaml
from auditor.load.inventory.groups_yaml import TAGS
from auditor.load.inventory.tree import Beside, Tree, Var
from auditor.model import Text

_SUFFIXES = (".yml", ".yaml", ".json")
_VAULT = b"$ANSIBLE_VAULT;"


def beside(folder: Path, tree: Tree) -> Beside:
    """As Ansible looks: the first that is there of NAME (a file, or a folder of them), NAME.yml, NAME.yaml, NAME.json."""

    @cache
    def names(kind: str) -> frozenset[str]:
        try:
            return frozenset(os.listdir(folder / kind))
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()
        except OSError as error:
            tree.problems.append(Problem(str(folder / kind), 0, 0, f"cannot be read: {error.strerror}"))
            return frozenset()

    @cache
    def of_group(name: str) -> Mapping[str, Var]:
        return said("group_vars", name)

    def said(kind: str, name: str) -> Mapping[str, Var]:
        if "/" in name:
            return {}
        first = next((name + s for s in ("", *_SUFFIXES) if name + s in names(kind)), None)
        return {} if first is None else _said(folder / kind / first, tree)

    return lambda kind, name: of_group(name) if kind == "group_vars" else said(kind, name)


def _said(path: Path, tree: Tree) -> Mapping[str, Var]:
    found: dict[str, Var] = {}
    try:
        files = _inside(path)
    except OSError as error:
        tree.problems.append(Problem(str(path), 0, 0, f"cannot be read: {error.strerror}"))
        return found
    for file in files:
        try:
            found.update(_file(file, tree))
        except InvalidInput as error:
            tree.problems.extend(error.problems)
    return found


def _file(file: Path, tree: Tree) -> Mapping[str, Var]:
    data = yaml.read(file)
    tree.digests[str(file)] = hashlib.sha256(data).hexdigest()
    if data.startswith(_VAULT):
        tree.notices.append(_encrypted(file))
        return {}
    document = yaml.parse(data, str(file), TAGS, ansible=True)
    if document.value is None:
        return {}
    if not isinstance(document.value, dict):
        raise InvalidInput([Problem(str(file), 1, 1, "must be a mapping of variables")])
    found: dict[str, Var] = {}
    for key, value in document.value.items():
        place = document.problem((key,), "", key=True)
        found[key] = Var(value, place.file, place.line, place.column)
    return found


def _inside(path: Path) -> list[Path]:
    """A file, or the files of a folder as Ansible takes them: hidden ones, backups and other endings are passed over."""
    if not path.is_dir():
        return [path]
    kept = (p for p in sorted(path.iterdir()) if not p.name.startswith(".") and not p.name.endswith("~"))
    return [f for p in kept if p.suffix in (("",) if p.is_dir() else ("", *_SUFFIXES)) for f in _inside(p)]


def _encrypted(file: Path) -> Text:
    return {
        "en": f"{file}: encrypted with ansible-vault, not read: how to connect must be said elsewhere, in clear",
        "fr": f"{file} : chiffré par ansible-vault, non lu : la façon de se connecter doit être dite ailleurs, en clair",
    }
