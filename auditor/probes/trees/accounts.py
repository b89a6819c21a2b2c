"""What a tree of files tells of its local accounts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes.accounts import admins_of, kind_of, usable_now, usable_of, ways_of
from auditor.readers import parts, passwd
from auditor.readers.logins import State
from auditor.readers.trees import passwords as secrets
from auditor.readers.trees import people as trees
from auditor.readers.trees import sudo
from auditor.readers.trees.observable import observable


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "accounts": trees.PASSWD,
        "sources": trees.SOURCES,
        "sudoers": sudo.SUDOERS,
        "shadow": secrets.SHADOW,
        "beside": secrets.BESIDE,
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """Who is there, of those whose password the files tell. Keys are in homes; when somebody last came is on the host."""
    tree = trees.read(answers["accounts"], answers["sources"])
    if isinstance(tree.people, Unknown):
        return {"accounts": tree.people, "usable": tree.people, "without_shell": tree.people}
    told = secrets.read(answers["accounts"], answers["shadow"])
    admins, more = admins_of(tree.people, parts.told(lambda answer: sudo.rules(answer, tree), answers["sudoers"]))
    shells = [a for a in tree.people.accounts.values() if a.can_log_in]
    items: list[Fact] = [
        {**_in_tree(a, told.of[a.name], admins, observable(more)), WHERE: _places(a.name, told, tree)}
        for a in shells
        if a.name in told.of
    ]
    gap = secrets.beside(answers["beside"]) or (told.untold if len(items) < len(shells) else None)
    return {
        "accounts": Partial(tuple(items), gap) if gap else items,
        "usable": usable_of(items, gap),
        "without_shell": len(tree.people.accounts) - len(shells),
    }


def _in_tree(
    account: passwd.Account, state: State, admins: frozenset[str], more_admins: Unknown | None
) -> dict[str, Fact]:
    password, expired = state.password, _day_matters(state)
    unseen = Unknown("not_observable")
    return {
        "account": account.name,
        "uid": account.uid,
        "kind": kind_of(account.uid),
        "password": password,
        "keys": KEYS_UNSEEN,
        "expired": expired,
        "usable": usable_now(password, KEYS_UNSEEN, expired),
        "ways": ", ".join(ways_of(password, KEYS_UNSEEN)) or "none seen",
        "administrator": True if account.name in admins else more_admins or False,
        "last_used_days": unseen,
        "unused_days": unseen,
        "unused_days_exact": unseen,
    }


KEYS_UNSEEN = Unknown("not_observable", "keys in homes")


def _day_matters(state: State) -> bool | Unknown:
    """Whether it has expired depends on the day on which the files are used, unless they name none."""
    ends = state.expires or (state.longest is not None and state.inactive is not None)
    return Unknown("not_observable", "the day") if ends else False


def _places(name: str, told: secrets.Passwords, tree: trees.Tree) -> tuple[str, ...]:
    decides = (told.where[name],) if name in told.where else ()
    return tuple(dict.fromkeys((*decides, *tree.accounts.get(name, ()))))
