"""A path in; the inventory files that it stands for, and each of them into the tree, whatever its format."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load import yaml
from auditor.load.inventory import groups_ini, groups_yaml, listing, program, table
from auditor.load.inventory.tree import Tree
from auditor.load.yaml import Tagged
from auditor.model import Text

MAX_FILES = 1000  # of a folder, with its folders
MAX_DEPTH = 40
IMPORTED = "00-imported.yaml"  # what `auditor inventory import` owns; first, so that all else wins over it
_YAML = (".yaml", ".yml")
STEMS = ("hosts", "inventory")
_NAMED = ("", ".yaml", ".yml", ".json", ".ini", ".csv")
_OURS = frozenset(
    {"estate.yaml", "estate.yml", "records", "recommendations", "decisions", "documents", "letters"}
)  # beside the inventory, at the top alone
_NO_INVENTORY = frozenset({"group_vars", "host_vars", "vars_plugins"})  # Ansible's, as are the endings
BESIDE = _OURS | _NO_INVENTORY  # looked at where an inventory lies
_IGNORED = (".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry")


def is_inventory(file: Path) -> bool:
    """By its name."""
    return file.name == IMPORTED or (file.stem in STEMS and file.suffix in _NAMED)


def is_estate(folder: Path) -> bool:
    """A folder that holds an inventory, or what stands beside one."""
    beside = ("estate.yaml", "estate.yml", "group_vars", "host_vars")
    return any(is_inventory(f) and f.is_file() for f in folder.iterdir()) or any((folder / n).exists() for n in beside)


def files(path: Path, notices: list[Text]) -> list[Path]:
    """The file itself; of a folder every file, as Ansible takes them. What is passed over for another reason is a notice."""
    if not path.is_dir():
        return [path]
    inside = [f for f in _listed(path) if f.name not in _OURS]
    walked = list(islice(_as_ansible(inside, (path.resolve(),)), MAX_FILES + 1))
    if len(walked) > MAX_FILES:
        raise InvalidInput([Problem(str(path), 0, 0, f"holds more than {MAX_FILES} files: this is no inventory")])
    found = [f for f in walked if not f.is_dir()]
    if any(f.parent == path and f.name == IMPORTED for f in found):
        notices.extend(_exported(f) for f in found if _is_table(f))
        found = [f for f in found if not _is_table(f)]
    if not found:
        message = f"holds no inventory (hosts or inventory, as {', '.join(s for s in _NAMED if s)})"
        raise InvalidInput([Problem(str(path), 0, 0, message)])
    return found


def _as_ansible(inside: list[Path], above: tuple[Path, ...]) -> Iterator[Path]:
    """Files and folders. `above`: the folders that we are in, where they really are."""
    for path in inside:
        if path.name.startswith(".") or path.name in _NO_INVENTORY or path.name.endswith(_IGNORED):
            continue
        yield path
        if not path.is_dir():
            continue
        here = path.resolve()
        if here in above or len(above) > MAX_DEPTH:
            words = (
                "the link leads in a circle: remove it" if here in above else f"lies more than {MAX_DEPTH} folders deep"
            )
            raise InvalidInput([Problem(str(path), 0, 0, words)])
        yield from _as_ansible(_listed(path), (*above, here))


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InvalidInput([Problem(str(folder), 0, 0, f"cannot be read: {error.strerror}")]) from None


def _exported(file: Path) -> Text:
    return {
        "en": f"{file}: not read: {IMPORTED} stands for the tables; `auditor inventory import` adds this one to it",
        "fr": f"{file} : non lu : {IMPORTED} tient lieu des tableaux ; `auditor inventory import` y ajoute celui-ci",
    }


def read(tree: Tree, file: Path, wanted: Mapping[str, Any], named: bool = True) -> None:
    """Raises InvalidInput when the file cannot be read at all; other problems are noted in the tree.

    `named` false: the file was found in a folder. A program is run only when it was named: a folder may come from a merge
    request, and checking it must not run what is in it.
    """
    data = _bytes(file)
    if program.is_program(file, data) and not named:
        words = f"is a program: it is run only when it is named, -i {file}; else remove its x bit"
        raise InvalidInput([Problem(str(file), 0, 0, words)])
    if program.is_program(file, data):
        data = program.listing(file)
        tree.digests[str(file)] = hashlib.sha256(data).hexdigest()
        listing.read(tree, listing.parsed(data, f"{file} --list"), str(file))
        return
    tree.digests[str(file)] = hashlib.sha256(data).hexdigest()
    if data.startswith(b"$ANSIBLE_VAULT;"):
        message = "is encrypted with ansible-vault: give the output of `ansible-inventory --list` instead"
        raise InvalidInput([Problem(str(file), 1, 1, message)])
    if file.suffix.lower() == ".toml":
        message = "is TOML, which is not read: give the output of `ansible-inventory --list` instead"
        raise InvalidInput([Problem(str(file), 0, 0, message)])
    if _is_table(file):
        table.into(tree, table.parsed(data, str(file)))
    elif _is_json(file, data):
        value = listing.parsed(data, str(file))
        if listing.looks_like(value):
            listing.read(tree, value, str(file))
        else:
            groups_yaml.read(tree, data, str(file), wanted)
    elif file.suffix in _YAML or (file.suffix != ".ini" and _like_yaml(data[:4096])):
        if len(data) > yaml.MAX_BYTES:
            raise InvalidInput([Problem(str(file), 0, 0, f"larger than {yaml.MAX_BYTES // 2**20} MiB: split it")])
        groups_yaml.read(tree, data, str(file), wanted)
    else:
        groups_ini.read(tree, data, str(file))


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:  # a pipe or a device tells no size: no more than the limit is ever read
            data = stream.read(program.MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput([Problem(str(file), 0, 0, f"cannot be read: {error.strerror}")]) from None
    if len(data) > program.MAX_BYTES:
        raise InvalidInput([Problem(str(file), 0, 0, f"larger than {program.MAX_BYTES // 2**20} MiB: split it")])
    return data


def _is_table(file: Path) -> bool:
    return file.suffix.lower() in (".csv", ".tsv")


def _is_json(file: Path, data: bytes) -> bool:
    begins = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    return file.suffix == ".json" or (file.suffix not in (*_YAML, ".ini") and begins)


def _like_yaml(begin: bytes) -> bool:
    """Without an ending that says so: the first line that is no comment looks like YAML and not like INI."""
    for line in begin.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if text and text[0] not in "#;":
            return text == "---" or re.match(r"[^\s=\[]+:(\s|$)", text) is not None
    return True


def shown(value: Any) -> Any:
    """A variable's value as Ansible's listing shows it."""
    return {"__ansible_vault": value.text} if isinstance(value, Tagged) and value.tag != "!unsafe" else value
