"""Policy files and measures.yaml in; policies and measures out, or every error at once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import regex

from auditor.errors import InvalidInput, Problem
from auditor.load import folders, schema
from auditor.load.yaml import Document, KeyPath
from auditor.model import Control, Measure, Passage, Policy, Text

MEASURES = "measures.yaml"
_NO_MEASURES = f": no {MEASURES} lies beside this file or in a folder above it"
ROOTS = {
    "host": re.compile(r"host\.(address|perimeter|zone\.(addresses|vlan)|commissioned_at)"),
    "hosts": re.compile(r"hosts\.[A-Za-z0-9_-]+\.(addresses|ids)"),
    "zones": re.compile(r"zones\.addresses"),
    "registers": re.compile(r"registers\.[a-z][a-z0-9_]*(\.older_than\.([a-z][a-z0-9_]*_hours))?"),
}
_ROOT_EXAMPLES = {
    "host": "$host.zone.addresses",
    "hosts": "$hosts.log-collector.addresses",
    "zones": "$zones.addresses",
    "registers": "$registers.admins",
}


@dataclass(frozen=True, slots=True)
class Policies:
    """What was loaded. `in_force` are the measures that every perimeter owes; `digests` of the files, by path."""

    policies: tuple[Policy, ...]
    measures: Mapping[str, Measure]
    in_force: tuple[str, ...]
    digests: Mapping[str, str]

    @property
    def controls(self) -> tuple[Control, ...]:
        return tuple(c for p in self.policies for c in p.controls)


@dataclass(frozen=True, slots=True)
class Schemas:
    """The JSON Schemas that files are held against, by name; and which probes are asked of whole perimeters.

    `read`: files that had their shape; those of both sides of a change are mostly the same.
    """

    policy: Mapping[str, Any]
    measures: Mapping[str, Any]
    derived: frozenset[str] = frozenset()
    read: schema.Read = field(default_factory=dict)


def load(paths: Sequence[Path], schemas: Schemas) -> Policies:
    """Files and folders (their `*.yaml`, and below).

    A folder, or a measures.yaml named beside policies, brings all its measures in force; a policy alone those it names.

    A policy's measures stand in measures.yaml beside it, or in the nearest folder above that has one.
    """
    problems: list[Problem] = []
    files, whole = _files(paths, problems)
    measures, digests = _measures(files, schemas, problems)
    complete = not problems  # a measures.yaml that cannot be read must not make every control wrong too
    policies = []
    for file in files:
        document = schema.loaded(file, schemas.policy, problems, schemas.read)
        if document is not None:
            digests[str(file)] = document.digest
            policies.append(_policy(document, schemas.derived, measures))
            problems.extend(_meaning(document, measures, complete))
            problems.extend(_applied(document, schemas.derived))
    problems.extend(_twice(policies))
    if problems:
        raise InvalidInput(problems)
    if not policies:
        raise InvalidInput("no policy was found: give policy files or folders that hold some")
    named = {c.measure for p in policies for c in p.controls}
    in_force = tuple(m for m in measures if whole or m in named)
    return Policies(tuple(policies), measures, in_force, digests)


def _files(paths: Sequence[Path], problems: list[Problem]) -> tuple[list[Path], bool]:
    files: list[Path] = []
    whole = False
    for path in paths:
        if path.is_dir():
            whole = True
            problems.extend(folders.passed_over(path, "policy"))
            found = sorted(p for p in path.rglob("*.yaml") if p.name != MEASURES)
            found += sorted(path.rglob("*.yml"))
            if not found:
                problems.append(Problem(str(path), 0, 0, "holds no policy (*.yaml)"))
            files.extend(found)
        elif path.name == MEASURES:
            whole = True  # named beside its policies, `*.yaml`: all of it is in force
        else:
            files.append(path)
    return list(dict.fromkeys(files)), whole


def _measures(
    files: Iterable[Path], schemas: Schemas, problems: list[Problem]
) -> tuple[dict[str, Measure], dict[str, str]]:
    measures: dict[str, Measure] = {}
    digests: dict[str, str] = {}
    found = {m.resolve(): m for f in files if (m := measures_file(f))}
    for file in found.values():
        document = schema.loaded(file, schemas.measures, problems, schemas.read)
        if document is None:
            continue
        digests[str(file)] = document.digest
        for index, plain in enumerate(document.value["measures"]):
            if plain["id"] in measures:
                problems.append(
                    document.problem(("measures", index, "id"), f"the measure '{plain['id']}' is given twice")
                )
            measures[plain["id"]] = _measure(plain)
            period, known = plain.get("period"), plain.get("parameters", {})
            if period and period not in known:
                message = f"the measure has no parameter '{period}'{schema.did_you_mean(period, known)}"
                problems.append(document.problem(("measures", index, "period"), message))
    return measures, digests


def measures_file(policy: Path) -> Path | None:
    """The measures.yaml beside a policy, or in the nearest folder above it."""
    folders = (*policy.parents, *policy.absolute().parents)  # as it was named first, for messages
    return next((f for folder in folders if (f := folder / MEASURES).is_file()), None)


def _measure(plain: Mapping[str, Any]) -> Measure:
    parameters = plain.get("parameters", {})
    return Measure(
        id=plain["id"],
        title=plain["title"],
        quote=plain.get("quote", ""),
        article=plain.get("article", ""),
        force=plain.get("force", ""),
        regime=plain.get("regime", {}),
        parameters={name: p["value"] for name, p in parameters.items()},
        references={k: tuple(v) for k, v in plain.get("references", {}).items()},
        document=plain.get("document", ""),
        also=tuple(Passage(p["quote"], p["article"], p.get("document", "")) for p in plain.get("also", ())),
        owner=plain.get("owner", ""),
        role=plain.get("role", ""),
        kind=tuple(plain.get("kind", ())),
        period=plain.get("period", ""),
        sources={name: _text(p["source"]) for name, p in parameters.items()},
    )


def _text(written: str | Text) -> Text:
    """A source in each language; one that was written once stands for both."""
    return {"en": written, "fr": written} if isinstance(written, str) else written


def _policy(document: Document, derived: frozenset[str], measures: Mapping[str, Measure]) -> Policy:
    value = document.value
    controls = []
    for index, plain in enumerate(value["controls"]):
        line = document.marks[("controls", index)][0]
        control = _control(plain, value["policy"], f"{document.file}:{line}")
        control = replace(control, basis=_basis(plain, measures))
        controls.append(replace(control, of="perimeter") if control.probe in derived else control)
    return Policy(value["policy"], value["title"], tuple(controls), document.file)


def _control(plain: Mapping[str, Any], policy: str, source: str) -> Control:
    applies = plain.get("applies_to", {})
    return Control(
        id=plain["id"],
        policy=policy,
        measure=plain["measure"],
        revision=plain["revision"],
        title=plain["title"],
        severity=plain["severity"],
        probe=plain["probe"],
        expect=plain["expect"],
        why=plain["why"],
        fix=plain["fix"],
        tolerate=plain.get("tolerate", {}),
        concerns=plain.get("concerns", {}),
        arguments=plain.get("args", {}),
        platforms=tuple(applies.get("platforms", ())),
        roles=tuple(applies.get("roles", ())),
        references={k: tuple(v) for k, v in plain.get("references", {}).items()},
        source=source,
    )


def _basis(plain: Mapping[str, Any], measures: Mapping[str, Measure]) -> str:
    """A digest of all that a control judges by: what it asks, what it expects, and the parameters that it names."""
    judged = [plain["probe"], *(plain.get(part, {}) for part in ("args", "expect", "tolerate", "concerns"))]
    measure = measures.get(plain["measure"])
    parameters = measure.parameters if measure else {}
    names = {value[1:] for _, _, value in leaves(judged, ()) if isinstance(value, str) and value.startswith("$")}
    named = {name: parameters[name] for name in sorted(names & set(parameters))}
    return hashlib.sha256(json.dumps([judged, named], sort_keys=True).encode()).hexdigest()[:16]


def _meaning(document: Document, measures: Mapping[str, Measure], complete: bool) -> Iterator[Problem]:
    """What a schema cannot say: the measure exists, every $name stands for something, every pattern is one."""
    for index, plain in enumerate(document.value["controls"]):
        path: KeyPath = ("controls", index)
        measure = measures.get(plain["measure"])
        if measure is None and complete:
            hint = schema.did_you_mean(plain["measure"], measures, list_known=False) if measures else _NO_MEASURES
            yield document.problem((*path, "measure"), f"there is no measure '{plain['measure']}'{hint}")
        parameters = measure.parameters if measure else {}
        for part in ("args", "expect", "tolerate", "concerns"):
            for place, name, value in leaves(plain.get(part, {}), (*path, part)):
                message = wrong_leaf(part, name, value, parameters, measure is not None)
                if message:
                    yield document.problem(place, message)


def _applied(document: Document, whole: frozenset[str]) -> Iterator[Problem]:
    """What is asked of whole perimeters has neither a platform nor a role: choosing by these would choose nothing."""
    for index, plain in enumerate(document.value["controls"]):
        if "applies_to" in plain and plain["probe"] in whole:
            message = (
                f"the probe '{plain['probe']}' is asked of whole perimeters: applies_to chooses hosts, leave it out"
            )
            yield document.problem(("controls", index, "applies_to"), message, key=True)


def leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str, Any]]:
    """The values of an expect, each with its place and the operator that it is given to."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        name = next((str(p) for p in reversed(path) if isinstance(p, str)), "")
        yield path, name, value


def wrong_leaf(part: str, operator: str, value: Any, parameters: Mapping[str, Any], known: bool) -> str:
    """What is wrong with a value of an expect: a pattern that is none, a $name that stands for nothing; empty if nothing."""
    if not isinstance(value, str):
        return ""
    if operator == "matches" and not value.startswith("$"):
        try:
            regex.compile(value)
        except regex.error as error:
            return f"the pattern is not one: {error}"
        except (RecursionError, OverflowError):
            return "the pattern is not one: it is nested too deep, or counts too far"
    if not value.startswith("$"):
        return ""
    name = value[1:]
    root = name.partition(".")[0]
    if root in ROOTS:
        if root == "registers" and part == "args":
            return f"{value}: registers stand only in expect, tolerate and concerns"
        told = ROOTS[root].fullmatch(name)
        if told is None:
            return f"{value} stands for nothing, for example {_ROOT_EXAMPLES[root]}"
        name = (told[2] or "") if root == "registers" else ""
        return _no_parameter(name, parameters) if name and known else ""
    if part == "args":
        return f"{value}: args take literals and names of the estate ({', '.join(_ROOT_EXAMPLES.values())})"
    return _no_parameter(name, parameters) if known else ""


def _no_parameter(name: str, parameters: Mapping[str, Any]) -> str:
    if name in parameters:
        return ""
    return f"the measure has no parameter '{name}'{schema.did_you_mean(name, parameters)}"


def _twice(policies: Sequence[Policy]) -> Iterator[Problem]:
    seen: dict[str, Control] = {}
    for policy in policies:
        for control in policy.controls:
            first = seen.setdefault(control.id, control)
            if first is not control:
                file, _, line = control.source.rpartition(":")
                yield Problem(
                    file, int(line), 1, f"the control '{control.id}' is given twice (first in {first.source})"
                )
