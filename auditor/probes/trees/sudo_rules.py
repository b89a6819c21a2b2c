"""What a tree of files tells of who may become somebody else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes.sudo_rules import facts_of
from auditor.readers import elevation, unasked
from auditor.readers.trees import people, sudo
from auditor.readers.trees import stacks as trees_pam
from auditor.readers.trees.forwarders import worst
from auditor.readers.trees.observable import observable


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "accounts": people.PASSWD,
        "sources": people.SOURCES,
        "sudoers": sudo.SUDOERS,
        "polkit": sudo.POLKIT,
        "pam": trees_pam.PAM,
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """Without the files of PAM, a rule is taken at its word."""
    tree = people.read(answers["accounts"], answers["sources"])
    told, (polkit, gap) = sudo.rules(answers["sudoers"], tree), sudo.polkit(answers["polkit"])
    stacks = trees_pam.read(answers["pam"])
    if not isinstance(told, Unknown):
        told = replace(told, polkit=tuple(polkit), gap=worst([told.gap, gap]))
    there = None if stacks.missing and stacks.missing.cause == "not_observable" else stacks
    facts = observable(facts_of(told, tree.people, there))
    services = ("sudo", "sudo-i") if isinstance(told, Unknown) else ("sudo", "sudo-i", *elevation.named(told))
    asked = tuple(p for p in stacks.texts if p.rpartition("/")[2] in services)
    return {name: _placed(fact, polkit, asked) for name, fact in facts.items()}


def _placed(fact: Fact, polkit: Mapping[str, str], asked: tuple[str, ...]) -> Fact:
    """What sudoers does not decide, with the files that do."""
    items = fact.items if isinstance(fact, Partial) else fact
    if not isinstance(items, list | tuple):
        return fact
    placed = []
    for one in items:
        said = polkit.get(one["rule"].removeprefix("polkit "))
        more = (said,) if said else asked if one["because"] == unasked.BECAUSE else ()
        placed.append({**one, WHERE: (*more, *one.get(WHERE, ()))} if more else one)
    return Partial(tuple(placed), fact.missing) if isinstance(fact, Partial) else placed
