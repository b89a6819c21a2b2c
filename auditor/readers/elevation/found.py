"""The rules of sudo and doas in; who becomes whom, by which command, and whether a password is asked, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from auditor.model import Unknown
from auditor.readers.elevation.asking import asked
from auditor.readers.elevation.everything import everything_as_root
from auditor.readers.elevation.hosts import names_host
from auditor.readers.elevation.names import same, whom
from auditor.readers.passwd import People
from auditor.readers.sudoers import Default, Item, Rule, Rules

COVERS_KEPT = 64  # later rules for everything, kept in mind while looking for those that they stand above


@dataclass(frozen=True, slots=True)
class Elevation:
    """`who` may run `item`; `asks`: they are asked for a password first. `because` says what decides it.

    `everything_as_root`: it gives all of root, every command or what starts any.
    """

    who: str
    tool: str
    item: Item
    asks: bool | Unknown
    because: str
    everything_as_root: bool | Unknown = False
    where: tuple[str, ...] = ()

    @property
    def runs_as(self) -> str:
        users = ",".join(whom(self.item))
        return f"{users}:{','.join(self.item.groups)}" if self.item.groups else users

    @property
    def text(self) -> str:
        """As a register of exceptions writes it: `deploy (root) /usr/bin/systemctl ...`."""
        parts = ("doas" if self.tool == "doas" else "", self.who, f"({self.runs_as})", self.item.command)
        return " ".join(p for p in (*parts, self.item.arguments) if p)


def elevations(told: Rules, people: People) -> list[Elevation]:
    """In the order of the rules, each command once for each of whom a rule names; without those that are root already.

    A rule for another host is none here. sudo takes the last rule that matches: one that a later rule for everything
    stands above is never taken.
    """
    found: list[Elevation] = []
    above: list[tuple[str, Item]] = []
    implicit = _implicit(told.defaults)
    for rule in reversed(told.rules):
        if names_host(rule.hosts, told.names) is False:
            continue
        for item in (_run_by(i, implicit) if rule.tool == "sudo" else i for i in reversed(rule.items)):
            for who in reversed(rule.users):
                if not _counts(who, item, people) or (rule.tool == "sudo" and _stands_above(above, who, item, people)):
                    continue
                asks, because = asked(told, rule, who, item, people)
                found.append(
                    Elevation(who, rule.tool, item, asks, because, everything_as_root(item, people), rule.where)
                )
            if len(above) < COVERS_KEPT and _is_all(rule, item, told.names):
                above += [(who, item) for who in rule.users]
    return found[::-1]


def _counts(who: str, item: Item, people: People) -> bool:
    account = people.accounts.get(who)
    root = who in ("root", "#0") or (account is not None and account.uid == 0)
    return not (root or who.startswith("!") or item.negated or item.command == "list")


def _implicit(defaults: Iterable[Default]) -> str:
    """Whom a rule runs as that names nobody; "?" where it is not the same for all."""
    named = [line for line in defaults if line.name == "runas_default"]
    everybodys = all(line.to == "-" for line in named)
    return (named[-1].value if everybodys else "?") if named else "root"


def _run_by(item: Item, implicit: str) -> Item:
    return item if item.users or item.groups or implicit == "root" else replace(item, users=(implicit,))


def _is_all(rule: Rule, item: Item, names: Sequence[str]) -> bool:
    """Everything, always, and for all of whom it names."""
    if rule.tool != "sudo" or item.command != "ALL" or item.sometimes or names_host(rule.hosts, names) is not True:
        return False
    return not any(name.startswith("!") for name in (*rule.users, *whom(item), *item.groups))


def _stands_above(above: Sequence[tuple[str, Item]], who: str, item: Item, people: People) -> bool:
    return any(_wider(one, item) and same(later, who, people) is True and _not_less(later, who) for later, one in above)


def _not_less(later: str, who: str) -> bool:
    """A rule for one member stands above no rule for the group."""
    return later in (who, "ALL") or not (who.startswith("%") or who == "ALL")


def _wider(later: Item, item: Item) -> bool:
    users = "ALL" in whom(later) or set(whom(item)) <= set(whom(later))
    return users and ("ALL" in later.groups or set(item.groups) <= set(later.groups))
