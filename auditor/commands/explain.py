"""`auditor explain`: one control, one measure or one probe, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from auditor.commands import inputs
from auditor.errors import InvalidInput
from auditor.kinds import DerivedProbe, Probe, Voice
from auditor.load.schema import did_you_mean
from auditor.model import Control, Measure
from auditor.operators import N_
from auditor.sentences import SEVERITY_WORDS, listed

# What the words of measures.yaml mean; schemas/measures.schema.json says it at length.
WORDS = {
    "document": {"convention": N_("partnership convention"), "purchasing-group": N_("purchasing group")},
    "force": {
        "target": N_("a level to aim at"),
        "approximate": N_("an approximate level"),
        "indicative": N_("a level given as an indication"),
        "floor": N_("a least level"),
        "principle": N_("a level that holds in principle"),
        "hard": N_("a limit without exception"),
        "statutory": N_("a limit that the law sets"),
        "deadline": N_("once, by a day"),
        "qualitative": N_("asked without a number"),
        "optional": N_("possible, nobody has to"),
        "theme": N_("a subject that the text names without asking for it"),
        "plain": N_("asked without a qualifier"),
        "derived": N_("ours: it follows from the quote"),
    },
    "owner": {
        "perimeter": N_("the owner of each perimeter"),
        "operator": N_("whoever runs the shared infrastructure"),
        "operator-everywhere": N_("whoever runs the shared infrastructure, for every perimeter"),
        "beneficiary": N_("each entity that uses the shared infrastructure"),
        "both": N_("whoever runs the shared infrastructure, and each entity that uses it"),
        "member": N_("each member of the purchasing group"),
    },
    "role": {
        "ssi-lead": N_("the lead of information security"),
        "rssi": N_("the security officer in charge of incidents"),
        "dpo": N_("the data protection officer"),
        "local-referent": N_("the local security referent"),
        "rgpd-correspondent": N_("the GDPR correspondent"),
        "ssi-rgpd-committee": N_("the committee for security and personal data"),
    },
    "regime": {
        "adaptation": N_("the target may be adapted, after notice"),
        "acceptance": N_("the owner may accept the residual risk"),
        "none": N_("no decision can stand beside a failure"),
        "statutory": N_("no decision can stand beside a failure: the law asks it"),
    },
    "kind": {
        "host": N_("the hosts"),
        "net": N_("the network"),
        "dir": N_("the directory"),
        "attest": N_("a dated statement"),
        "reg": N_("a register"),
    },
}
_PERIMETERS = {"shared": N_("on a shared perimeter"), "exclusive": N_("on an exclusive perimeter")}


def explain(name: str, probes: str | None, lang: str | None) -> int:
    known, _ = inputs.all_probes(probes)
    loaded = inputs.load_policies((), known)
    speaking = inputs.voice(lang)
    controls = {c.id: c for c in loaded.controls}
    if name in controls:
        lines = _control(controls[name], loaded.measures[controls[name].measure], speaking)
    elif name in loaded.measures:
        checked_by = [c.id for c in loaded.controls if c.measure == name]
        lines = _measure(loaded.measures[name], checked_by, speaking)
    elif name in known:
        lines = _probe(name, known[name], speaking)
    else:
        names = [*controls, *loaded.measures, *known]
        raise InvalidInput(f"there is no control, measure or probe '{name}'{did_you_mean(name, names, False)}")
    for line in lines:
        click.echo(line)
    return 0


def _control(control: Control, measure: Measure, voice: Voice) -> Iterator[str]:
    say, text = voice.say, voice.text
    yield f"{control.id}: {text(control.title)}"
    yield f"{say('severity')}{say(': ')}{say(SEVERITY_WORDS[control.severity])}    {say('policy')}{say(': ')}{control.source}"
    yield f"{say('measure')}{say(': ')}{measure.id}: {text(measure.title)}"
    if measure.quote:
        yield _quoted(measure.quote, measure.article, measure.document, voice)
    for line in _terms(measure, voice):
        yield f"  {line}"
    yield f"{say('why')}{say(': ')}{text(control.why)}"
    yield f"{say('fix')}{say(': ')}{text(control.fix)}"
    yield f"{say('probe')}{say(': ')}{control.probe}"
    for part in ("concerns", "expect", "tolerate"):
        value = getattr(control, part)
        if value:
            yield f"{part}: {json.dumps(value, ensure_ascii=False)}"
    yield from _parameters(measure, voice)
    yield from _references(control.references)


# ---------------------------------------------------------------- a measure


def _measure(measure: Measure, checked_by: Sequence[str], voice: Voice) -> Iterator[str]:
    yield f"{measure.id}: {voice.text(measure.title)}"
    if measure.quote:
        yield _quoted(measure.quote, measure.article, measure.document, voice)
    for passage in measure.also:
        yield _quoted(passage.quote, passage.article, passage.document, voice)
    yield from _terms(measure, voice)
    yield f"{voice.say('controls')}{voice.say(': ')}{', '.join(checked_by) or voice.say('no control checks it')}"
    yield from _parameters(measure, voice)
    yield from _references(measure.references)


def _quoted(quote: str, article: str, document: str, voice: Voice) -> str:
    where = ", ".join(part for part in (article, _word("document", document, voice)) if part)
    return f"  « {quote} » ({where})" if where else f"  « {quote} »"


def _word(field: str, value: str, voice: Voice) -> str:
    return voice.say(WORDS[field][value]) if value else ""


def _terms(measure: Measure, voice: Voice) -> Iterator[str]:
    """How binding it is, who answers for it, which decision may stand beside it, and what can tell it."""
    say = voice.say
    if measure.force:
        yield f"{say('force')}{say(': ')}{measure.force} ({_word('force', measure.force, voice)})"
    if measure.owner:
        people = [_word("owner", measure.owner, voice), _word("role", measure.role, voice)]
        yield f"{say('who answers for it')}{say(': ')}{', '.join(filter(None, people))}"
    for kind, regime in measure.regime.items():
        yield f"{say(_PERIMETERS[kind])}{say(': ')}{_word('regime', regime, voice)}"
    if measure.kind:
        yield f"{say('told by')}{say(': ')}{listed([_word('kind', kind, voice) for kind in measure.kind], voice)}"
    if measure.period:
        yield f"{say('renewed within')}{say(': ')}${measure.period} = {measure.parameters[measure.period]}"


def _parameters(measure: Measure, voice: Voice) -> Iterator[str]:
    for name, value in measure.parameters.items():
        source = voice.text(measure.sources[name]) if name in measure.sources else ""
        yield f"  ${name} = {value}" + (f"  ({source})" if source else "")


def _references(references: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, items in references.items():
        yield f"{name}: {', '.join(items)}"


# ---------------------------------------------------------------- a probe


def _probe(name: str, probe: Probe | DerivedProbe, voice: Voice) -> Iterator[str]:
    yield f"{name}: {voice.text(probe.title)}"
    if isinstance(probe, DerivedProbe):
        yield f"over: {probe.over}" + (f" ({', '.join(probe.roles)})" if probe.roles else "")
    else:
        if probe.privilege:
            yield f"{voice.say('privilege')}{voice.say(': ')}{voice.text(probe.privilege)}"
        named = [*probe.dialects.items(), *((f"{platform} (tree)", d) for platform, d in probe.trees.items())]
        for platform, dialect in named:
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
