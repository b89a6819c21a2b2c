"""Who may become somebody else by sudo, doas or polkit, and whether a password is asked first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auditor.framing.sh import INSTALLED
from auditor.kinds import Dialect, Probe
from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import elevation, pam, passwd, sudoers, unasked
from auditor.readers.elevation import Elevation, elevations
from auditor.readers.files import Files
from auditor.readers.trees import people, sudo
from auditor.readers.trees import stacks as trees_pam
from auditor.readers.trees.forwarders import worst
from auditor.readers.trees.nameless import nameless
from auditor.readers.trees.observable import observable
from auditor.readers.undated import undated

NOBODY = passwd.People({}, {}, directory=True)


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"accounts": passwd.PEOPLE, "sudoers": sudoers.SUDOERS, "pam": pam.STACKS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    told, accounts = sudoers.rules(answers["sudoers"]), passwd.people(answers["accounts"])
    return _facts(told, accounts, pam.read(answers["pam"]))


def tree_commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "accounts": people.PASSWD,
        "sources": people.SOURCES,
        "sudoers": sudo.SUDOERS,
        "polkit": sudo.POLKIT,
        "pam": trees_pam.PAM,
    }


def tree_parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """Without the files of PAM, a rule is taken at its word."""
    tree = people.read(answers["accounts"], answers["sources"])
    told, (polkit, gap) = sudo.rules(answers["sudoers"], tree), sudo.polkit(answers["polkit"])
    stacks = trees_pam.read(answers["pam"])
    if not isinstance(told, Unknown):
        told = replace(told, polkit=tuple(polkit), gap=worst([told.gap, gap]))
    there = None if stacks.missing and stacks.missing.cause == "not_observable" else stacks
    facts = observable(_facts(told, tree.people, there))
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


def _facts(told: sudoers.Rules | Unknown, accounts: passwd.People | Unknown, stacks: Files | None = None) -> Facts:
    """`stacks` None: what PAM asks cannot be told here."""
    if isinstance(told, Unknown):
        return {"rules": told, "without_password": told}
    known = NOBODY if isinstance(accounts, Unknown) else accounts
    everybody = passwd.People(known.accounts, {**told.groups.groups, **known.groups}, known.directory)
    bare = any(not rule.items for rule in told.rules)
    gap = told.gap or (Unknown("unreadable", "a rule without commands") if bare else None)
    found = elevations(told, everybody)
    if stacks is not None:
        found = unasked.asked(found, stacks, everybody, told)
    shown: list[Fact] = [_shown(e, told.loose) for e in found]
    shown += [_polkit(file) for file in told.polkit]
    return {"rules": Partial(tuple(shown), gap) if gap else shown, "without_password": _without(shown, gap)}


def _without(shown: list[Fact], gap: Unknown | None) -> Fact:
    """Those that ask nothing, but for the rule of this program; where of one that is not told, the list may lack it."""
    others = [r for r in shown if r["auditor"] is not True]
    gap = gap or next((r["asks"] for r in others if isinstance(r["asks"], Unknown)), None)
    found = [r for r in others if r["asks"] is False]
    return Partial(tuple(found), gap) if gap else found


def _shown(one: Elevation, loose: frozenset[str] | None) -> Fact:
    replaceable = _replaceable(one.item.command, loose)
    return {
        **({WHERE: one.where} if one.where else {}),
        "rule": one.text,
        "asks": one.asks,
        "because": one.because,
        "everything_as_root": one.everything_as_root,
        "replaceable": replaceable,
        "auditor": _is_ours(one) and replaceable is False,
    }


def _polkit(file: str) -> Fact:
    return {
        "rule": f"polkit {file}",
        "asks": False,
        "because": "polkit.Result.YES",
        "everything_as_root": False,
        "replaceable": False,
        "auditor": False,
    }


def _is_ours(one: Elevation) -> bool:
    """The one line of docs/least-privilege.md: that program, as root, for one login by its name."""
    by_name = one.who[:1] not in ("%", "+", "#", "") and one.who != "ALL" and "?" not in one.who
    return one.tool == "sudo" and by_name and one.runs_as == "root" and one.item.command == INSTALLED


def _replaceable(command: str, loose: frozenset[str] | None) -> bool | Unknown:
    """Whether others than root may put another program in its place."""
    if command in ("ALL", "sudoedit"):
        return False
    if loose is None or set(command) & set("*?[^") or not command.startswith("/"):
        return Unknown("not_told", "which program that is")
    path = command.rstrip("/")
    while path:
        if path in loose:
            return True
        path = path.rpartition("/")[0]
    return False


RULE: dict[str, Any] = {
    "type": "object",
    "x-name": "rule",
    "x-also": ["because"],
    "properties": {
        "rule": {
            "type": "string",
            "x-person": True,
            "description": "Who (as whom) command: `deploy (root) /usr/bin/systemctl ...`. Arguments are not shown: "
            '`...` are some, `...*` some with a wildcard, `""` none, and nothing any; `polkit FILE`.',
        },
        "asks": {"type": "boolean", "description": "A password is asked first."},
        "because": {"type": "string", "description": "What decides it."},
        "everything_as_root": {
            "type": "boolean",
            "description": "It gives all of root: every command, a shell, or another program that starts or writes what the caller chooses.",
        },
        "replaceable": {
            "type": "boolean",
            "description": "Others than root may write the program, or a folder above it.",
        },
        "auditor": {
            "type": "boolean",
            "description": "It is the one rule that this program asks for, and gives no more: its installed "
            "text, as root, to one login.",
        },
    },
}

PROBE = Probe(
    title={"en": "Elevation of privileges", "fr": "Élévation de privilèges"},
    facts={
        "type": "object",
        "properties": {
            "rules": {
                "type": "array",
                "description": "What the rules of sudo and doas let others than root do on this host, each command for each of whom "
                "a rule names; and the files of polkit rules, made on the host, that say yes to somebody.",
                "items": RULE,
            },
            "without_password": {
                "type": "array",
                "description": "Those of them that ask no password, but for the one that this program asks for.",
                "items": RULE,
            },
        },
    },
    dialects={"linux": Dialect(commands, undated(parse, sudoers=sudoers.nameless))},
    trees={"linux": Dialect(tree_commands, nameless(undated(tree_parse)))},
    privilege={
        "en": "root, to read the rules of sudo, doas and polkit",
        "fr": "root, pour lire les règles de sudo, doas et polkit",
    },
)
