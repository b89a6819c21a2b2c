"""Merged machines in; the inventory file that the import owns, and what changed in it since the last import, out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import InvalidInput, Problem
from auditor.load import yaml
from auditor.load.inventory.merge import Merged
from auditor.load.inventory.table import variables

_HEADER = """\
# Made by `auditor inventory import`, which writes it anew each time: do not edit.
# What you add or change goes into hosts.yaml, or host_vars/NAME.yaml, beside it: both win over this file.
"""
_MARK = "# content: "

ESTATE_YAML = """\
# Who owns what (docs/estate.md). One entity and one perimeter to begin with: name yours.
entities:
  - {id: estate}
perimeters:
  - {id: estate, owner: estate, kind: exclusive}
zones: []
hosts:
  all: {perimeter: estate}
"""

Hosts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Changes:
    """`changed`: host to variable to (before, after); an empty text is an absence."""

    added: tuple[str, ...]
    gone: tuple[str, ...]
    changed: Mapping[str, Mapping[str, tuple[str, str]]]


def hosts(machines: Sequence[Merged]) -> dict[str, dict[str, str]]:
    found = {m.machine.name: {**variables(m.machine), "asset_sources": ", ".join(m.sources)} for m in machines}
    return dict(sorted(found.items()))


def text(hosts: Hosts) -> str:
    """The file; quoted as JSON, so that no value is taken for a number, a tag or a template."""
    body = "".join(_lines(hosts))
    return f"{_HEADER}{_MARK}{_digest(body)}\n{body}"


def _lines(hosts: Hosts) -> Iterator[str]:
    yield "all:\n  hosts:\n"
    for name, told in hosts.items():
        yield f"    {_quoted(name)}:" + ("\n" if told else " {}\n")
        for key, value in told.items():
            yield (
                f"      {key}: "
                + (f"!unsafe {_quoted(value)}" if "{{" in value or "{%" in value else _quoted(value))
                + "\n"
            )


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def before(file: Path) -> dict[str, dict[str, str]]:
    """What the last import wrote; nothing when there was none. Raises InvalidInput when the file was edited since."""
    if not file.exists():
        return {}
    data = yaml.read(file)
    _, mark, rest = data.decode("utf-8", "replace").partition(_MARK)
    digest, _, body = rest.partition("\n")
    if not mark or digest != _digest(body):
        message = "was changed by hand: move what you changed to hosts.yaml, delete this file, and import again"
        raise InvalidInput([Problem(str(file), 0, 0, message)])
    value = yaml.parse(data, str(file), frozenset({"!unsafe"})).value
    return {
        name: {k: v.text if isinstance(v, yaml.Tagged) else str(v) for k, v in (told or {}).items()}
        for name, told in (value["all"]["hosts"] or {}).items()
    }


def changes(old: Hosts, new: Hosts) -> Changes:
    differing: dict[str, dict[str, tuple[str, str]]] = {}
    for name in new:
        if name in old and old[name] != new[name]:
            keys = dict.fromkeys((*old[name], *new[name]))
            pairs = {k: (old[name].get(k, ""), new[name].get(k, "")) for k in keys}
            differing[name] = {k: pair for k, pair in pairs.items() if pair[0] != pair[1]}
    return Changes(tuple(n for n in new if n not in old), tuple(n for n in old if n not in new), differing)
