"""Lines of an answer about aliases in; what names and commands stand for, without aliases, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from auditor.errors import Unreadable
from auditor.readers.sudoers.lists import subjects
from auditor.readers.sudoers.nouns import Item

_ITEM = re.compile(r'(?:\(([^)]*)\) )?((?:NO)?PASSWD: )?(WHEN: )?(!?)(\S+)((?: ""| \.\.\.\*?)?)')
NEXT_ALIAS = re.compile(r"(?<!\\):(?=\s*[A-Z][A-Z0-9_]*\s*=)")


@dataclass(frozen=True, slots=True)
class Aliases:
    """What aliases stand for, by kind; empty where cvtsudoers resolved them."""

    users: dict[str, list[str]] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    runas: dict[str, list[str]] = field(default_factory=dict)
    commands: dict[str, list[Item]] = field(default_factory=dict)


def aliases_of(lines: Iterable[str]) -> Aliases:
    """Of two of one name sudo takes the first."""
    aliases = Aliases()
    kinds = {"alias": aliases.users, "host": aliases.hosts, "runas": aliases.runas}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word in kinds:
            for one in NEXT_ALIAS.split(rest):
                name, _, members = one.partition("=")
                kinds[word].setdefault(name.strip(), subjects(members))
        elif word == "cmnd":
            name, *items = rest.split("\t")
            aliases.commands.setdefault(name.strip().lstrip(", "), [item_of(i) for i in items])
    return aliases


def item_of(text: str) -> Item:
    told = _ITEM.fullmatch(text)
    if told is None:
        raise Unreadable("a command of a sudo rule")
    users, colon, groups = (told[1] or "").partition(":")
    asks = None if told[2] is None else told[2] == "PASSWD: "
    named = None if told[1] is None else tuple(subjects(users))
    as_groups = tuple(subjects(groups)) if colon else ()
    return Item(told[5], told[6].strip(), named, as_groups, asks, bool(told[4]), bool(told[3]))


def commands(item: Item, aliases: Aliases) -> tuple[Item, ...]:
    """The commands of an alias, run as the rule says; and who that is, without aliases.

    Each alias is opened once, where it stands last: what stands last decides.
    """
    found: list[Item] = []
    opened: set[tuple[str, bool]] = set()
    waiting = [item]
    while waiting:
        one = waiting.pop()
        if one.command not in aliases.commands:
            users = None if one.users is None else resolved(one.users, aliases.runas)
            found.append(replace(one, users=users, groups=resolved(one.groups, aliases.runas)))
        elif (one.command, one.negated) not in opened:
            opened.add((one.command, one.negated))
            waiting += [_within(one, inner) for inner in aliases.commands[one.command]]
    return tuple(found[::-1])


def _within(outer: Item, inner: Item) -> Item:
    return replace(
        outer,
        command=inner.command,
        arguments=inner.arguments,
        negated=outer.negated != inner.negated,
        sometimes=outer.sometimes or inner.sometimes,
    )


def of_commands(name: str, aliases: Aliases) -> Iterator[str]:
    """With arguments, or for one digest alone, a line may be about the command: a pattern says so."""
    bare = name.lstrip("!")
    for one in commands(Item(bare, negated=(len(name) - len(bare)) % 2 == 1), aliases):
        yield f"{'!' if one.negated else ''}{one.command}{'*' if one.arguments or one.sometimes else ''}"


def resolved(names: Iterable[str], aliases: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The names without aliases, each opened once, where it stands last; all that one behind a `!` stands for is meant
    with one.
    """
    found: list[str] = []
    opened: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name.lstrip("!") not in aliases:
            found.append(name)
        elif name not in opened:
            opened.add(name)
            members = aliases[name.lstrip("!")]
            waiting += [_negated(member) for member in members] if name.startswith("!") else members
    return tuple(dict.fromkeys(found))[::-1]


def _negated(name: str) -> str:
    return name[1:] if name.startswith("!") else f"!{name}"
