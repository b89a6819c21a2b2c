"""`auditor plan --privileges`: per hosts that are asked the same as root, each such question, why, and by which controls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from auditor.framing.collector import version
from auditor.kinds import Probe, Voice
from auditor.model import Command
from auditor.plan import Plan
from auditor.sentences import clean
from auditor.summary import folded


@dataclass(frozen=True, slots=True)
class _Way:
    """How the questions of a host get their privilege; their names by probe."""

    become: bool
    windows: bool
    asked: tuple[tuple[str, tuple[str, ...]], ...]


def show(plan: Plan, catalogue: tuple[Command, ...], voice: Voice) -> None:
    for line in lines(plan, catalogue, voice):
        click.echo(line)


def lines(plan: Plan, catalogue: tuple[Command, ...], voice: Voice) -> Iterator[str]:
    """What is printed: the hosts, equal ones together, with the probes that need a privilege there; then why, probe by probe."""
    hosts: dict[_Way, list[str]] = {}
    controls: dict[str, dict[str, None]] = {}
    for index, host in enumerate(plan.hosts):
        way = _Way(host.become, host.platform == "windows", _asked(plan, index))
        hosts.setdefault(way, []).append(clean(host.id))
        for probe, control in _controls(plan, index):
            controls.setdefault(probe, {})[control] = None
    for way, names in hosts.items():
        yield f"{folded(names)}: {_title(way, catalogue, voice)}"
        for probe, questions in way.asked:
            yield f"  {probe}: {', '.join(questions)}"
    for name in dict.fromkeys(probe for way in hosts for probe, _ in way.asked):
        asking = plan.probes[name]
        assert isinstance(asking, Probe)
        yield ""
        yield f"{name}: {voice.text(asking.title)}"
        yield f"  {voice.say('why')}: {voice.text(asking.privilege)}"
        yield f"  {voice.say('asked for')}: {', '.join(controls.get(name, ()))}"


def _title(way: _Way, catalogue: tuple[Command, ...], voice: Voice) -> str:
    say = voice.say
    if not way.asked:
        return say("nothing that needs a privilege")
    count = sum(len(questions) for _, questions in way.asked)
    if way.windows:
        return say("questions that need a privilege of the account: {count}").format(count=count)
    if not way.become:
        return say("questions that need root: {count}; not measured, ansible_become is false").format(count=count)
    form = say("questions asked as root: {count}, by collector {version} and nothing else")
    return form.format(count=count, version=version(catalogue))


def _asked(plan: Plan, index: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The questions that need a privilege, by probe, in the plan's order; also those of a derived probe alone."""
    found: dict[str, dict[str, None]] = {}
    for question in plan.questions_of(index):
        names = [name for name, command in question.commands.items() if command.elevated]
        if names:
            found.setdefault(question.probe, {}).update(dict.fromkeys(names))
    return tuple((probe, tuple(names)) for probe, names in found.items())


def _controls(plan: Plan, index: int) -> Iterator[tuple[str, str]]:
    """Each probe with a control that judges what it tells of this host; those of a perimeter too."""
    for check in plan.checks_of(index):
        if check.unasked is None:
            yield check.control.probe, check.control.id
    for _, control, derived in plan.derived:
        yield derived.over, control.id
