"""An Ansible INI inventory in; its groups, hosts and variables in the tree."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.load.inventory.tree import UNGROUPED, Tree, Var
from auditor.load.schema import did_you_mean

LONGEST_VALUE = 100_000  # a longer literal is text: reading it costs more than it can say
_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_GROUP = re.compile(r"([^:\]\s]+)\s*(?:#.*)?")
# A name, or an address: never a Python literal, and most values are one of them.
_TEXT = re.compile(r"(?!(?:True|False|None)\Z)[A-Za-z_][A-Za-z0-9_.-]*|[0-9]+(?:\.[0-9]+){2,}")
_PARTS = ("hosts", "children", "vars")


@dataclass(slots=True)
class _State:
    tree: Tree
    file: str
    line: int = 0
    group: str = UNGROUPED
    part: str = "hosts"
    declared: set[str] = field(default_factory=set)
    waiting: list[tuple[int, str, str]] = field(default_factory=list)  # line, what needs it, group
    parents: dict[str, list[str]] = field(default_factory=dict)  # of groups that are named before they are defined

    def wrong(self, message: str, line: int = 0) -> None:
        self.tree.problems.append(Problem(self.file, line or self.line, 1, message))

    def var(self, text: str) -> Var:
        return Var(value(text), self.file, self.line, 1)


def read(tree: Tree, data: bytes, file: str) -> None:
    """Raises InvalidInput for what is no text; other problems are noted in the tree, each with its line."""
    state = _State(tree, file, declared=set(tree.groups))
    for number, line in enumerate(_lines(data, file), 1):
        state.line = number
        text = line.strip()
        if text and text[0] not in "#;":
            _line(state, text)
    for number, needs, group in state.waiting:
        if group not in state.declared:
            state.wrong(
                f"{needs} the group '{group}', which is not defined{did_you_mean(group, state.declared, False)}", number
            )


def _lines(data: bytes, file: str) -> list[str]:
    """Comments may hold any bytes, as in Ansible; all else is UTF-8."""
    if b"\0" in data:
        raise InvalidInput(
            [Problem(file, data[: data.index(b"\0")].count(b"\n") + 1, 1, "holds a NUL byte: it is no text")]
        )
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        pass
    found: list[str] = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            found.append("" if line.lstrip()[:1] in (b"#", b";") else line.decode("utf-8"))
        except UnicodeDecodeError:
            raise InvalidInput([Problem(file, number, 1, "not UTF-8 text")]) from None
    return found


def _line(state: _State, text: str) -> None:
    section = _SECTION.fullmatch(text)
    if section:
        _section(state, section[1], section[2] or "hosts")
    elif text.startswith("[") and text.endswith("]"):
        state.wrong(f"'{text[:80]}' is no section: write [group], [group:children] or [group:vars], without spaces")
    else:
        readers: dict[str, Callable[[_State, str], None]] = {"hosts": _hosts, "children": _child, "vars": _variable}
        readers[state.part](state, text)


def _section(state: _State, group: str, part: str) -> None:
    if part not in _PARTS:
        state.wrong(f"[{group}:{part}] is of no known kind{did_you_mean(part, _PARTS)}")
        part = "vars" if "=" in part else "hosts"
    state.group, state.part = group, part
    state.tree.add_group(group)
    if part == "vars":
        state.waiting.append((state.line, f"[{group}:vars] is about", group))
        return
    state.declared.add(group)
    for parent in state.parents.pop(group, ()):
        state.tree.add_child(parent, group)


def _child(state: _State, text: str) -> None:
    match = _GROUP.fullmatch(text)
    if match is None:
        state.wrong(f"'{text[:80]}' is no group's name")
        return
    state.waiting.append((state.line, f"[{state.group}:children] includes", match[1]))
    if match[1] in state.tree.groups:
        state.tree.add_child(state.group, match[1])
    else:  # as Ansible: it becomes a child where it is defined, which decides the order of hosts
        state.parents.setdefault(match[1], []).append(state.group)


def _variable(state: _State, text: str) -> None:
    key, equals, written = text.partition("=")
    if not equals:
        state.wrong("a variable is written key=value")
        return
    state.tree.set_group(state.group, key.strip(), state.var(written.strip()))


def _hosts(state: _State, text: str) -> None:
    try:
        words = shlex.split(text, comments=True)
    except ValueError as error:
        state.wrong(f"the line cannot be split into words: {error}")
        return
    if words[0].endswith(":"):
        state.wrong(f"'{words[0][:80]}' ends with a colon, which is for a port" + "; is this a YAML file?")
        return
    given: list[tuple[str, Var]] = []
    for word in words[1:]:
        key, equals, written = word.partition("=")
        if not equals:
            state.wrong(_no_pair(word, given))
            return
        given.append((key, state.var(written)))
    for host in state.tree.add_hosts(words[0], state.group, Problem(state.file, state.line, 1, "")):
        for key, var in given:
            state.tree.set_host(host, key, var)


def _no_pair(word: str, given: list[tuple[str, Var]]) -> str:
    """What follows a value is not shown: it may be the rest of a password."""
    if given:
        return f"what stands after {given[-1][0][:80]}= is split by a blank: write such a value in quotes"
    return f"'{word[:80]}': after the host's name stand key=value words"


def value(text: str) -> Any:
    """As Ansible: a Python literal where it is one, else the text; tuples and sets become lists, bytes text."""
    if len(text) > LONGEST_VALUE or _TEXT.fullmatch(text):
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | set):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {_plain(k): _plain(v) for k, v in value.items()}
    if value is ...:
        return "..."
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value) if isinstance(value, complex) else value
