"""`auditor lint`: every problem of policies, measures, estates and decisions, as file:line:column or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from auditor.commands import inputs
from auditor.commands.roles import misspelt
from auditor.errors import InvalidInput, Problem
from auditor.load import decisions, declared, recommendations, schema, yaml
from auditor.load.inventory import sources
from auditor.load.policies import Policies
from auditor.model import Estate, Text

GROUP_KEYS = {"hosts", "children", "vars"}  # what tells a group of an Ansible inventory


def lint(path: tuple[str, ...], format_: str, probes: str | None) -> int:
    """0 when all is well, 2 otherwise. A folder with an inventory is an estate; one named decisions holds decisions."""
    known, _ = inputs.all_probes(probes)
    problems: list[Problem] = []
    policies: list[Policies] = []
    estates: list[Estate] = []
    for one in path:
        try:
            found = _lint(Path(one), known)
        except InvalidInput as error:
            problems.extend(error.problems)
            continue
        policies.extend([found] if isinstance(found, Policies) else [])
        estates.extend([found] if isinstance(found, Estate) else [])
    problems.extend(_unmeasured(estates, policies, known))
    problems = sorted(set(problems))
    if format_ == "json":
        keys = ("file", "line", "column", "message")
        click.echo(json.dumps([{k: getattr(p, k) for k in keys} for p in problems], indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(str(problem))
        for role in _misspelt(estates, policies, known):
            click.echo(role["en"], err=True)
        click.echo(f"{len(problems)} error(s)" if problems else "no error", err=True)
    return 2 if problems else 0


def _unmeasured(estates: list[Estate], policies: list[Policies], known: inputs.Probes) -> Iterator[Problem]:
    """Attestations of measures that neither the policies beside them name nor the shipped ones."""
    attesting = [one for one in estates if one.attestations]
    shipped = inputs.load_policies((), known).measures if attesting else {}
    for one in attesting:
        yield from declared.unmeasured(one, {*shipped, *(name for these in policies for name in these.measures)})


def _misspelt(estates: list[Estate], policies: list[Policies], known: inputs.Probes) -> Iterator[Text]:
    """Roles of hosts that are no error, and most likely another's that the policies beside them or the shipped ones name."""
    saying = [one for one in estates if one.roles_at]
    shipped = (inputs.load_policies((), known),) if saying else ()
    for one in saying:
        yield from misspelt(one, (c for these in (*policies, *shipped) for c in these.controls), known)


def _lint(path: Path, known: inputs.Probes) -> Estate | Policies | None:
    """What it is, where something else may be held against it."""
    if path.is_dir() and path.name == "decisions":
        decisions.load(path, inputs.decision_schemas(), _expects(known))
    elif path.is_dir() and path.name == "recommendations":
        _recommendations(path)
    elif _is_estate(path):
        path = path.parent if path.name in ("estate.yaml", "estate.yml") else path
        town, _ = inputs.load_estate([str(path)])
        inputs.load_decisions([str(path)], lambda: _expects(known))
        return town
    elif path.is_dir():
        if not any(path.iterdir()):
            raise InvalidInput(
                [Problem(str(path), 0, 0, "is empty: no policy (*.yaml), no inventory (hosts.yaml ...)")]
            )
        return inputs.load_policies((str(path),), known)
    else:
        return _file(path, known)
    return None


def _is_estate(path: Path) -> bool:
    if path.is_dir():
        return sources.is_estate(path)
    return sources.is_inventory(path) or path.name in ("estate.yaml", "estate.yml")


def _file(path: Path, known: inputs.Probes) -> Estate | Policies | None:
    """One file, as what its keys say it is, whatever its name; a policy when they say nothing."""
    document = yaml.load(path)
    keys = document.value if isinstance(document.value, dict) else {}
    if "register" in keys or keys.get("kind") == "attestation":
        _declared(path)
    elif keys.get("kind") == "recommendation":
        _recommendations(path)
    elif "kind" in keys:
        decisions.load(path, inputs.decision_schemas(), _expects(known))
    elif "measures" in keys:
        wrong = schema.problems(document, inputs.static_schema("measures"))
        if wrong:
            raise InvalidInput(wrong)
    elif keys and all(isinstance(v, dict) and GROUP_KEYS & set(v) for v in keys.values()):
        return inputs.load_estate([str(path)])[0]
    else:
        return inputs.load_policies((str(path),), known)
    return None


def _expects(known: inputs.Probes) -> decisions.Expects:
    return inputs.expects(known, inputs.load_policies((), known))


def _declared(path: Path) -> None:
    problems: list[Problem] = []
    declared.load(path, inputs.static_schema("register"), inputs.static_schema("attestation"), problems, {})
    if problems:
        raise InvalidInput(problems)


def _recommendations(path: Path) -> None:
    problems: list[Problem] = []
    recommendations.load(path, inputs.static_schema("recommendation"), problems, {})
    if problems:
        raise InvalidInput(problems)
