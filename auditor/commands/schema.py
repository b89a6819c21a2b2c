"""`auditor schema`: the JSON Schema of a kind of file, for editors."""

from __future__ import annotations

import json

import click

from auditor.commands import inputs
from auditor.errors import InvalidInput
from auditor.load.policy_schema import policy_schema
from auditor.load.schema import did_you_mean


def schema(name: str | None, probes: str | None) -> int:
    names = inputs.SCHEMAS
    if name is None:
        click.echo("\n".join(names))
        return 0
    if name not in names:
        raise InvalidInput(f"there is no schema '{name}'{did_you_mean(name, names)}")
    value = policy_schema(inputs.all_probes(probes)[0]) if name == "policy" else inputs.static_schema(name)
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
    return 0
