"""What a host tells of its sudo, doas and polkit rules in; whom they name and what they let them do out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from auditor.errors import Unreadable
from auditor.model import Answer, Failure, Unknown
from auditor.readers.passwd import REMEMBERED, read
from auditor.readers.sudoers.aliases import NEXT_ALIAS, Aliases, aliases_of, commands, item_of, of_commands, resolved
from auditor.readers.sudoers.lists import is_read, listed, subjects
from auditor.readers.sudoers.nouns import Default, Item, Rule, Rules

_PRINTED = re.compile(r"((?:^|[^\\])(?:\\\\)*)\\(?=[A-Za-z0-9_])")  # cvtsudoers prints a backslash of a name as it is
ROOTS = ("targetpw", "rootpw", "runaspw")


def rules(answer: Answer) -> Rules | Unknown:
    """The answer to SUDOERS. Raises Unreadable when it is cut or of another shape."""
    return answer.unknown() if isinstance(answer, Failure) else _told(answer.exit_code, answer.text)


def nameless(answer: Answer) -> Answer:
    """The same answer without the host's name, where no rule is of some hosts only."""
    if isinstance(answer, Failure):
        return answer
    lines = answer.stdout.split(b"\n")
    rest = b"\n".join(line for line in lines if not line.startswith(b"name "))
    return replace(answer, stdout=rest) if _of_every_host(answer.exit_code, rest) else answer


@lru_cache(maxsize=REMEMBERED)
def _of_every_host(exit_code: int, told: bytes) -> bool:
    try:
        found = _told(exit_code, told.decode("utf-8", "backslashreplace"))
    except Unreadable:
        return False
    return all(rule.hosts == ("ALL",) for rule in found.rules) and all(default.to != "@" for default in found.defaults)


@lru_cache(maxsize=REMEMBERED)
def _told(exit_code: int, text: str) -> Rules:
    """A form feed, say, in a rule begins no other line."""
    lines = text.removesuffix("\n").split("\n")
    if exit_code or len(lines) < 2 or not lines[0].startswith("sudoers ") or lines[-1] != "end":
        raise Unreadable("the sudo rules are not complete")
    if lines[0] == "sudoers expanded":
        lines = [_PRINTED.sub(r"\1\\\\", line) if line.startswith(("rule ", "default ")) else line for line in lines]
    aliases = aliases_of(lines)
    found = tuple(_rules(lines, aliases))
    defaults = tuple(_defaults(lines, aliases))
    return Rules(
        subjects=tuple(dict.fromkeys(user for rule in found for user in rule.users)),
        groups=read(line for line in lines if line.startswith("g:")),
        asks_root_password=_asks_root(defaults),
        gap=_gap(lines),
        rules=found,
        defaults=defaults,
        polkit=_rests(lines, "polkit"),
        loose=None if "unweighed" in lines else frozenset(_rests(lines, "loose")),
        names=_rests(lines, "name") or ("",),
    )


def _rests(lines: Iterable[str], word: str) -> tuple[str, ...]:
    return tuple(line[len(word) + 1 :] for line in lines if line.startswith(word + " "))


def _gap(lines: Sequence[str]) -> Unknown | None:
    """Of an alias that is defined twice sudo refuses the second."""
    if len(set(named := list(_aliases(lines)))) < len(named):
        return Unknown("unreadable", "an alias of sudoers that is defined twice")
    for line in lines:
        if line == "directory":
            return Unknown("not_told", "a directory may hold more sudo rules")
        if line.startswith("include "):
            return Unknown("not_asked", f"sudoers includes {line[8:]}")
        if line.startswith("policy "):
            return Unknown("not_told", f"sudo may follow other rules: {line[7:]}")
        if line == "odd" or not _whole(line):
            return Unknown("unreadable", "a line of sudoers")
        if line in ("refused /etc/sudoers", "refused /usr/etc/sudoers"):
            return Unknown("not_told", f"sudo refuses {line[8:]}, that others than root may write")
    return None


def _aliases(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        word, _, rest = line.partition(" ")
        if word in ("alias", "host", "runas", "cmnd"):
            heads = NEXT_ALIAS.split(rest) if word != "cmnd" else [rest.partition("\t")[0].lstrip(", ")]
            yield from ((word, head.partition("=")[0].strip(" !")) for head in heads)


def _whole(line: str) -> bool:
    """Whether the lists that a line begins with are read to their ends."""
    word, _, rest = line.partition(" ")
    head = rest.partition("\t")[0]
    if word in ("alias", "host", "runas"):
        return all(is_read(one.partition("=")[2]) for one in NEXT_ALIAS.split(rest))
    if word in ("rule", "also"):
        hosts = head[listed(head)[1] :] if word == "rule" else head.lstrip(", ")
        return is_read(hosts)
    return True


def _asks_root(defaults: Sequence[Default]) -> bool:
    """The last setting wins; what is said of some users, hosts or commands alone is not said of all."""
    if any(d.to != "-" and d.name in ROOTS and d.value != "yes" for d in defaults):
        return False
    last = {d.name: d.value == "yes" for d in defaults if d.to == "-"}
    another = any(d.name == "runas_default" for d in defaults)  # whose password `runaspw` asks for
    return any(last.get(name, False) for name in ROOTS if not (another and name == "runaspw"))


def _rules(lines: Iterable[str], aliases: Aliases) -> Iterator[Rule]:
    users: tuple[str, ...] = ()
    for line in lines:
        word, _, rest = line.partition(" ")
        head, *items = rest.split("\t")
        if word == "rule":
            named, end = listed(head)
            users = resolved(named, aliases.users)
            yield Rule(users, resolved(listed(head[end:])[0], aliases.hosts), _items(items, aliases))
        elif word == "also":
            yield Rule(users, resolved(listed(head.lstrip(", "))[0], aliases.hosts), _items(items, aliases))
        elif word == "doas":
            yield Rule((head,), ("ALL",), _items(items, aliases), "doas")


def _items(texts: Iterable[str], aliases: Aliases) -> tuple[Item, ...]:
    """In their order; of equal ones the last, which is the one that sudo takes."""
    found = [item for text in texts for item in commands(item_of(text), aliases)]
    return tuple(dict.fromkeys(found[::-1]))[::-1]


def _defaults(lines: Iterable[str], aliases: Aliases) -> Iterator[Default]:
    kinds = {":": aliases.users, "@": aliases.hosts, ">": aliases.runas}
    for line in lines:
        if line.startswith("default "):
            told = line[8:].split("\t")
            if len(told) != 4:
                raise Unreadable("a line of Defaults")
            to, among, name, value = told
            named = resolved((one for text in among.split(",") for one in subjects(text)), kinds.get(to, {}))
            if to == "!":
                named = tuple(text for name in named for text in of_commands(name, aliases))
            yield Default(to, named, name, value)
