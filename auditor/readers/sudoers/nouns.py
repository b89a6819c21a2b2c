"""What sudo rules are told as: rules, their commands, lines of Defaults. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model import Unknown
from auditor.readers.passwd import People

UNASKING = ("exempt_group", "timestamp_timeout")


@dataclass(frozen=True, slots=True)
class Item:
    """One command that a rule allows (or, `negated`, forbids). `asks` None: the rule itself does not say.

    `users` and `groups` are those that it runs as, None where the rule names neither. `arguments`: "" any, '""' none,
    "..." some that are not shown, "...*" some with a wildcard. `sometimes`: between two dates, or for one digest of the file.
    """

    command: str
    arguments: str = ""
    users: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    asks: bool | None = None
    negated: bool = False
    sometimes: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """`items` in their order; empty where the host did not tell them. `tool`: sudo or doas. `where`: in a tree."""

    users: tuple[str, ...]
    hosts: tuple[str, ...]
    items: tuple[Item, ...]
    tool: str = "sudo"
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Default:
    """A line of Defaults: `to` "-" everybody, "@" hosts, ":" users, ">" whom is run as, "!" commands, `among` which."""

    to: str
    among: tuple[str, ...]
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Rules:
    """`subjects` as sudo writes them: a login, %group, #uid, +netgroup, ALL. `gap`: why they may not be all.

    `asks_root_password`: the rules ask everybody for root's password, so a rule for ALL that asks gives nobody anything.
    `names`: those that the host goes by.
    `loose`: programs, and folders above them, that others than root may change, None when not told. `polkit`: files that say yes unasked.
    """

    subjects: tuple[str, ...]
    groups: People
    asks_root_password: bool = False
    gap: Unknown | None = None
    rules: tuple[Rule, ...] = ()
    defaults: tuple[Default, ...] = ()
    polkit: tuple[str, ...] = ()
    loose: frozenset[str] | None = frozenset()
    names: tuple[str, ...] = ("",)

    @property
    def granting(self) -> tuple[str, ...]:
        return tuple(s for s in self.subjects if not (s == "ALL" and self._asks_all()))

    def _asks_all(self) -> bool:
        asking = not any(d.name in UNASKING or (d.name == "authenticate" and d.value != "yes") for d in self.defaults)
        of_all = [item for rule in self.rules if "ALL" in rule.users for item in rule.items]
        return self.asks_root_password and asking and not any(item.asks is False for item in of_all)
