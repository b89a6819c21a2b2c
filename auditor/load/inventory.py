"""An Ansible YAML inventory in (groups, children, vars, ranges, group_vars/, host_vars/); hosts with their variables out.

Variables merge as Ansible merges them (docs.ansible.com, "Understanding variable precedence" and "How variables are
merged"): what the file says of groups, all first and parents before children; then `group_vars/`, in the same order; then
what the file says of the host; then `host_vars/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load import schema, yaml
from auditor.load.yaml import Document, KeyPath, Tagged
from auditor.model import Host

MAX_HOSTS = 100_000
LONGEST_NAME = 253  # of a host in DNS
_SUFFIXES = (".yml", ".yaml", ".json")
_TAGS = frozenset({"!vault", "!unsafe"})
_RANGE = re.compile(r"\[(?P<first>[0-9]{1,9}|[a-zA-Z]):(?P<last>[0-9]{1,9}|[a-zA-Z])(?::(?P<step>[0-9]{1,9}))?\]")
_CONNECTIONS = {"ssh": "ssh", "smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh", "local": "local", "winrm": "winrm"}
# Variables of Ansible that say nothing about how we connect.
_HARMLESS = re.compile(
    r"ansible_(python_interpreter|.*_interpreter|shell_type|shell_executable|remote_tmp|group_priority|"
    r"become_exe|become_flags|become_password|become_pass|network_os|facts.*|ssh_pipelining|pipelining)"
)
# Variables that we read; any other ansible_* changes how to connect in a way that we do not know.
_READ = ("host", "port", "user", "connection", "ssh_private_key_file", "private_key_file", "become", "become_method",
         "become_user", "ssh_host", "ssh_port", "ssh_user")  # fmt: skip


@dataclass(slots=True)
class Group:
    """A group while the file is read. `vars` and `beside` hold (value, where) by name."""

    name: str
    children: dict[str, None] = field(default_factory=dict)
    parents: dict[str, None] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    vars: dict[str, Var] = field(default_factory=dict)
    beside: dict[str, Var] = field(default_factory=dict)  # from group_vars/


@dataclass(frozen=True, slots=True)
class Var:
    """A variable's value and the place where it was written."""

    value: Any
    document: Document
    path: KeyPath

    def problem(self, message: str) -> Problem:
        return self.document.problem(self.path, message, key=True)


@dataclass(slots=True)
class Inventory:
    groups: dict[str, Group] = field(default_factory=dict)
    hosts: dict[str, dict[str, Var]] = field(default_factory=dict)
    places: dict[str, Problem] = field(default_factory=dict)  # where each host is first named

    def group(self, name: str) -> Group:
        return self.groups.setdefault(name, Group(name))


def read(file: Path, wanted: Mapping[str, Any], problems: list[Problem]) -> list[Host]:
    """Every problem is added to `problems`; the hosts are in the file's order."""
    document = yaml.load(file, _TAGS)
    if document.value is None:
        problems.append(Problem(str(file), 0, 0, "the inventory is empty"))
        return []
    wrong = schema.problems(document, wanted)
    if wrong:
        problems.extend(wrong)
        return []
    inventory = Inventory()
    for name in document.value:
        _group(inventory, document, (name,), name, problems)
    if len(inventory.hosts) > MAX_HOSTS:
        return []
    _beside(inventory, file.parent, problems)
    if not _acyclic(inventory, file, problems):
        return []
    if not inventory.hosts:
        problems.append(Problem(str(file), 0, 0, "the inventory names no host"))
    groups = _containing(inventory)
    return [_host(inventory, name, groups[name], file.parent, problems) for name in inventory.hosts]


def _group(inventory: Inventory, document: Document, path: KeyPath, name: str, problems: list[Problem]) -> None:
    group = inventory.group(name)
    value = document.value
    for step in path:
        value = value[step]
    value = value or {}
    for key in value.get("vars") or {}:
        group.vars[key] = Var(value["vars"][key], document, (*path, "vars", key))
    for pattern, given in (value.get("hosts") or {}).items():
        place = (*path, "hosts", pattern)
        for host in _expanded(pattern, document, place, problems):
            variables = inventory.hosts.setdefault(host, {})
            inventory.places.setdefault(host, document.problem(place, "", key=True))
            group.hosts[host] = None
            for key, inner in (given or {}).items():
                variables[key] = Var(inner, document, (*place, key))
            if len(inventory.hosts) > MAX_HOSTS:
                problems.append(document.problem(place, f"more than {MAX_HOSTS} hosts", key=True))
                return
    for child in value.get("children") or {}:
        group.children[child] = None
        inventory.group(child).parents[name] = None
        _group(inventory, document, (*path, "children", child), child, problems)


def _expanded(pattern: str, document: Document, path: KeyPath, problems: list[Problem]) -> Iterator[str]:
    """`web[01:03].x` to web01.x, web02.x, web03.x; several ranges multiply."""
    if len(pattern) > LONGEST_NAME:
        problems.append(document.problem(path, f"a host's name is longer than {LONGEST_NAME} characters", key=True))
        return
    match = _RANGE.search(pattern)
    if match is None:
        if "[" in pattern or "]" in pattern:
            problems.append(document.problem(path, f"'{pattern}' is no range; write web[01:20]", key=True))
            return
        yield pattern
        return
    for one in _range(match, pattern, document, path, problems):
        yield from _expanded(pattern[: match.start()] + one + pattern[match.end() :], document, path, problems)


def _range(
    match: re.Match[str], pattern: str, document: Document, path: KeyPath, problems: list[Problem]
) -> Iterable[str]:
    first, last, step = match["first"], match["last"], int(match["step"] or 1)
    numeric = first.isdigit() and last.isdigit()
    low, high = (int(first), int(last)) if numeric else (ord(first[0]), ord(last[0]))
    if first.isdigit() != last.isdigit() or low > high or not step or (high - low) // step >= MAX_HOSTS:
        problems.append(document.problem(path, f"the range in '{pattern}' is not from low to high", key=True))
        return []
    if numeric:
        width = len(first) if first.startswith("0") else 0
        return [str(n).zfill(width) for n in range(low, high + 1, step)]
    return [chr(n) for n in range(low, high + 1, step)]


def _beside(inventory: Inventory, folder: Path, problems: list[Problem]) -> None:
    """group_vars/ and host_vars/ beside the inventory; `all` may be said there and nowhere else."""
    inventory.group("all")
    for name, group in inventory.groups.items():
        group.beside.update(_vars_files(folder / "group_vars", name, problems))
    for name, variables in inventory.hosts.items():
        variables.update(_vars_files(folder / "host_vars", name, problems))


def _vars_files(folder: Path, name: str, problems: list[Problem]) -> Iterator[tuple[str, Var]]:
    """As Ansible looks: the first that is there of NAME (a file, or a folder of them), NAME.yml, NAME.yaml, NAME.json."""
    if "/" in name or not folder.is_dir():
        return
    try:
        first = next((f for suffix in ("", *_SUFFIXES) if (f := folder / (name + suffix)).exists()), None)
        files = [] if first is None else _inside(first)
    except OSError as error:
        problems.append(Problem(str(folder / name), 0, 0, f"cannot be read: {error.strerror}"))
        return
    for file in files:
        try:
            document = yaml.load(file, _TAGS)
        except InvalidInput as error:
            problems.extend(error.problems)
            continue
        if document.value is None:
            continue
        if not isinstance(document.value, dict):
            problems.append(Problem(str(file), 1, 1, "must be a mapping of variables"))
            continue
        for key, value in document.value.items():
            yield key, Var(value, document, (key,))


def _inside(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    kept = (p for p in sorted(path.iterdir()) if not p.name.startswith(".") and not p.name.endswith("~"))
    return [f for p in kept if p.is_dir() or p.suffix in ("", *_SUFFIXES) for f in _inside(p)]


def _acyclic(inventory: Inventory, file: Path, problems: list[Problem]) -> bool:
    """No group is inside itself."""
    state: dict[str, int] = {}
    for start in inventory.groups:
        stack = [(start, iter(inventory.groups[start].children))]
        state.setdefault(start, 1)
        while stack:
            name, children = stack[-1]
            child = next(children, None)
            if child is None:
                state[name] = 2
                stack.pop()
            elif state.get(child) == 1 and any(child == n for n, _ in stack):
                loop = " > ".join([*(n for n, _ in stack), child])
                problems.append(Problem(str(file), 0, 0, f"the groups go in a circle: {loop}"))
                return False
            elif child not in state:
                state[child] = 1
                stack.append((child, iter(inventory.groups[child].children)))
    return True


def _ranks(inventory: Inventory) -> dict[str, tuple[int, int, str]]:
    """Where each group's variables merge: by depth below `all` (the longest way), then its priority, then its name."""
    depth = dict.fromkeys(inventory.groups, 1)
    waiting = {name: len(group.parents) for name, group in inventory.groups.items()}
    ready = [name for name, count in waiting.items() if not count]
    while ready:  # parents before children, without recursion: a chain may be as long as the file
        name = ready.pop()
        for child in inventory.groups[name].children:
            depth[child] = max(depth[child], (0 if name == "all" else depth[name]) + 1)
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    return {name: (depth[name], _priority(group), name) for name, group in inventory.groups.items()}


def _priority(group: Group) -> int:
    """As Ansible: it is read from the inventory file alone, and is 1 when not given."""
    var = group.vars.get("ansible_group_priority")
    return var.value if var and isinstance(var.value, int) else 1


def _containing(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """The groups that hold each host, themselves or through their children, in the order that they merge; without `all`."""
    rank = _ranks(inventory)
    direct: dict[str, list[str]] = {}
    for group in inventory.groups.values():
        for host in group.hosts:
            direct.setdefault(host, []).append(group.name)
    above: dict[tuple[str, ...], tuple[str, ...]] = {}
    for names in {tuple(n) for n in direct.values()}:
        found = dict.fromkeys(names)
        left = list(names)
        while left:
            parents = [p for p in inventory.groups[left.pop()].parents if p not in found]
            found.update(dict.fromkeys(parents))
            left.extend(parents)
        above[names] = tuple(sorted((n for n in found if n != "all"), key=rank.__getitem__))
    return {host: above[tuple(names)] for host, names in direct.items()}


def _merged(inventory: Inventory, host: str, groups: tuple[str, ...]) -> dict[str, Var]:
    """All that the inventory file says of groups, then all that group_vars/ says, then the host's own."""
    chain = [inventory.groups[name] for name in ("all", *groups) if name in inventory.groups]
    merged: dict[str, Var] = {}
    for variables in (*(g.vars for g in chain), *(g.beside for g in chain), inventory.hosts[host]):
        merged.update(variables)
    return merged


def _host(inventory: Inventory, name: str, groups: tuple[str, ...], folder: Path, problems: list[Problem]) -> Host:
    variables = _merged(inventory, name, groups)
    for key, var in variables.items():
        short = key.removeprefix("ansible_")
        if key.startswith("ansible_") and short not in _READ and not _HARMLESS.fullmatch(key):
            problems.append(var.problem(f"{key} changes how to connect and is not read by this release: remove it for '{name}'"))
    connection = _text(variables, "connection", "ssh", problems)
    if connection not in _CONNECTIONS:
        hint = schema.did_you_mean(connection, _CONNECTIONS)
        problems.append(variables["ansible_connection"].problem(f"the connection '{connection}' is not read{hint}"))
    if _text(variables, "become_user", "root", problems) != "root":
        problems.append(variables["ansible_become_user"].problem("only root is read: the elevated questions need it"))
    if _text(variables, "become_method", "sudo", problems) != "sudo":
        problems.append(variables["ansible_become_method"].problem("only sudo is read"))
    key_file = _text(variables, "ssh_private_key_file", "", problems) or _text(variables, "private_key_file", "", problems)
    return Host(
        id=name,
        address=_text(variables, "host", "", problems) or _text(variables, "ssh_host", "", problems) or name,
        connection=_CONNECTIONS.get(connection, "ssh"),
        port=_port(variables, problems),
        user=_text(variables, "user", "", problems) or _text(variables, "ssh_user", "", problems),
        key_file=_path(key_file, folder),
        become=_become(variables, problems),
        platform="windows" if connection == "winrm" else "linux",
        groups=groups,
    )


def _path(text: str, folder: Path) -> str:
    if not text:
        return ""
    path = Path(text).expanduser()
    return str(path if path.is_absolute() else folder / path)


def _value(variables: Mapping[str, Var], short: str, problems: list[Problem]) -> Any:
    var = variables.get(f"ansible_{short}")
    if var is None:
        return None
    if isinstance(var.value, Tagged) and var.value.tag == "!vault":
        problems.append(var.problem(f"ansible_{short} is encrypted with ansible-vault: write it in clear, it is no secret"))
        return None
    value = var.value.text if isinstance(var.value, Tagged) else var.value
    if isinstance(value, str) and ("{{" in value or "{%" in value) and not isinstance(var.value, Tagged):
        problems.append(var.problem(f"ansible_{short} is a template ({{{{ }}}}): templates are not evaluated, write the value"))
        return None
    return value


def _text(variables: Mapping[str, Var], short: str, default: str, problems: list[Problem]) -> str:
    value = _value(variables, short, problems)
    if value is None:
        return default
    if isinstance(value, bool | dict | list):
        problems.append(variables[f"ansible_{short}"].problem(f"ansible_{short} must be text"))
        return default
    return str(value)


def _port(variables: Mapping[str, Var], problems: list[Problem]) -> int:
    for short in ("port", "ssh_port"):
        value = _value(variables, short, problems)
        if value is None:
            continue
        if re.fullmatch("[0-9]{1,5}", str(value)) and 0 < int(value) < 65536:
            return int(value)
        problems.append(variables[f"ansible_{short}"].problem(f"'{value}' is no port (1 to 65535)"))
    return 22


def _become(variables: Mapping[str, Var], problems: list[Problem]) -> bool:
    value = _value(variables, "become", problems)
    words = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
    if value is None or isinstance(value, bool):
        return True if value is None else value
    if str(value).lower() not in words:
        problems.append(variables["ansible_become"].problem(f"'{value}' is neither true nor false"))
        return False
    return words[str(value).lower()]
