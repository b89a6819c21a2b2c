"""What a tree of files tells of who administrates it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes.admins import NO_SID, facts_of
from auditor.readers import sudoers
from auditor.readers.trees import people as trees
from auditor.readers.trees import sudo
from auditor.readers.trees.observable import observable


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"accounts": trees.PASSWD, "sources": trees.SOURCES, "sudoers": sudo.SUDOERS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """Root's keys are in no tree that is deployed, for all we know."""
    tree = trees.read(answers["accounts"], answers["sources"])
    no_sid = Unknown("not_observable", NO_SID.detail)
    if isinstance(tree.people, Unknown):
        return {"accounts": tree.people, "uid_zero": tree.people, "built_in_enabled": no_sid}
    try:
        rules = sudo.rules(answers["sudoers"], tree)
    except Unreadable as why:
        rules = Unknown("unreadable", str(why))
    facts: Facts = observable(facts_of(tree.people, rules, Unknown("not_observable", "authorized_keys")))
    zero = {name: tree.accounts.get(name, ()) for name in facts["uid_zero"]}
    return {**facts, "accounts": _placed(facts["accounts"], tree, rules), WHERE: {"uid_zero": zero}}


def _placed(listed: Fact, tree: trees.Tree, rules: sudoers.Rules | Unknown) -> Fact:
    """Each account with its line, those of its groups, and those of the rules that name it."""
    items = listed.items if isinstance(listed, Partial) else listed
    named = {} if isinstance(rules, Unknown) else {user: rule.where for rule in rules.rules for user in rule.users}
    placed = [{**one, WHERE: _where(one, tree, named)} for one in items]
    return Partial(tuple(placed), listed.missing) if isinstance(listed, Partial) else placed


def _where(one: Mapping[str, Any], tree: trees.Tree, named: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    groups = [w.removeprefix("group ") for w in one["because"].split(", ") if w.startswith("group ")]
    subjects = [w.removeprefix("sudo rule for ") for w in one["because"].split(", ") if w.startswith("sudo rule for ")]
    places = [place for group in groups for place in tree.groups.get(group, ())]
    places += [place for subject in (one["account"], *subjects) for place in named.get(subject, ())]
    return tuple(dict.fromkeys([*places, *tree.accounts.get(one["account"], ())]))
