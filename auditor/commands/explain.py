"""`auditor explain`: one control or one probe, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from auditor.commands import inputs
from auditor.errors import InvalidInput
from auditor.kinds import DerivedProbe, Probe, Voice
from auditor.load.schema import did_you_mean
from auditor.model import Control, Measure


def explain(name: str, probes: str | None, lang: str | None) -> int:
    known, _ = inputs.all_probes(probes)
    loaded = inputs.load_policies((), known)
    speaking = inputs.voice(lang)
    controls = {c.id: c for c in loaded.controls}
    if name in controls:
        lines = _control(controls[name], loaded.measures[controls[name].measure], speaking)
    elif name in known:
        lines = _probe(name, known[name], speaking)
    else:
        raise InvalidInput(f"there is no control or probe '{name}'{did_you_mean(name, [*controls, *known], False)}")
    for line in lines:
        click.echo(line)
    return 0


def _control(control: Control, measure: Measure, voice: Voice) -> Iterator[str]:
    say, text = voice.say, voice.text
    yield f"{control.id}: {text(control.title)}"
    yield f"{say('severity')}: {control.severity}    {say('policy')}: {control.source}"
    yield f"{say('measure')}: {measure.id}: {text(measure.title)}"
    if measure.quote:
        yield f"  « {measure.quote} » ({measure.article})"
    yield f"{say('why')}: {text(control.why)}"
    yield f"{say('fix')}: {text(control.fix)}"
    yield f"{say('probe')}: {control.probe}"
    for part in ("concerns", "expect", "tolerate"):
        value = getattr(control, part)
        if value:
            yield f"{part}: {json.dumps(value, ensure_ascii=False)}"
    for name, value in measure.parameters.items():
        yield f"  ${name} = {value}"
    for name, items in control.references.items():
        yield f"{name}: {', '.join(items)}"


def _probe(name: str, probe: Probe | DerivedProbe, voice: Voice) -> Iterator[str]:
    yield f"{name}: {voice.text(probe.title)}"
    if isinstance(probe, DerivedProbe):
        yield f"over: {probe.over}" + (f" ({', '.join(probe.roles)})" if probe.roles else "")
    else:
        if probe.privilege:
            yield f"{voice.say('privilege')}: {voice.text(probe.privilege)}"
        for platform, dialect in probe.dialects.items():
            for command_name, command in dialect.commands({}).items():
                root = " (root)" if command.elevated else ""
                yield f"{platform}: {command_name}{root}: {command.kind} {command.text.strip()}"
    for part, schema in (("args", probe.arguments), ("facts", probe.facts)):
        for line in _properties(schema, "  "):
            yield f"{part}:{line}"


def _properties(schema: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, one in schema.get("properties", {}).items():
        kind = one.get("type", "")
        yield f"{indent}{name} ({kind if isinstance(kind, str) else '|'.join(kind)}): {one.get('description', '')}"
        yield from _properties(one.get("items", {}), indent + "  ")
