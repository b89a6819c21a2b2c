"""Who may become somebody else by sudo, doas or polkit, and whether a password is asked first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.framing.sh import INSTALLED
from auditor.kinds import Dialect, Dialects, Probe
from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import pam, passwd, sudoers, unasked
from auditor.readers.elevation import Elevation, elevations
from auditor.readers.files import Files
from auditor.readers.trees.nameless import nameless
from auditor.readers.undated import undated

NOBODY = passwd.People({}, {}, directory=True)


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"accounts": passwd.PEOPLE, "sudoers": sudoers.SUDOERS, "pam": pam.STACKS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    told, accounts = sudoers.rules(answers["sudoers"]), passwd.people(answers["accounts"])
    return facts_of(told, accounts, pam.read(answers["pam"]))


def facts_of(told: sudoers.Rules | Unknown, accounts: passwd.People | Unknown, stacks: Files | None = None) -> Facts:
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


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import sudo_rules as trees

    return Dialect(trees.commands, nameless(undated(trees.parse)))


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
    trees=Dialects(linux=_in_a_tree),
    privilege={
        "en": "root, to read the rules of sudo, doas and polkit",
        "fr": "root, pour lire les règles de sudo, doas et polkit",
    },
)
