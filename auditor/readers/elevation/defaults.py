"""Lines of Defaults in; how they bear on what a rule lets somebody do, on all of it or on some, out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from auditor.readers.elevation.everything import name_of
from auditor.readers.elevation.hosts import names_host
from auditor.readers.elevation.names import Truth, both, either, members_of, opposite, same, whom
from auditor.readers.passwd import People
from auditor.readers.sudoers import Default, Item, Rules

Bearing = tuple[Truth, Truth]  # on all that a rule lets somebody do, and on some of it


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of Defaults, as they bear on one command that somebody may run."""

    told: Rules
    who: str
    item: Item
    people: People

    def truth(self, name: str, test: Callable[[str], Truth]) -> Truth:
        """Whether a test holds for something that the rule lets somebody do, after each line in turn."""
        state: Truth = False
        for line in self.of(name):
            state = after(state, test(line.value), *self.bearing(line))
        return state

    def of(self, name: str) -> list[Default]:
        """The lines of one setting as sudo takes them: those for commands after all others, wherever they stand."""
        named = [line for line in self.told.defaults if line.name == name]
        return sorted(named, key=lambda line: line.to == "!")

    def bearing(self, line: Default) -> Bearing:
        if line.to == "-":
            return True, True
        if line.to == "@":
            here = names_host(line.among, self.told.names)
            return here, here
        if line.to == ":":
            return self._of(line, self.who)
        if line.to == ">":
            return of_all(self._of(line, user) for user in whom(self.item) if not user.startswith("!"))
        return listed(line.among, lambda name: command_named(name, self.item.command))

    def _of(self, line: Default, who: str) -> Bearing:
        return listed(line.among, lambda name: user(name, who, self.people))


def after(state: Truth, value: Truth, whole: Truth, part: Truth) -> Truth:
    """What holds for something, once a line says it of these: a line about a part takes nothing from the rest."""
    if part is False:
        return state
    if whole is True:
        return value
    if value is True:
        return True if part is True or state is True else None
    if value is False and state is False:
        return False
    return state if whole is False and (value is False or state is True) else None


def listed(names: Iterable[str], bears: Callable[[str], Bearing]) -> Bearing:
    """The last element that matches decides: what is named with a `!` is taken out."""
    whole: Truth = False
    part: Truth = False
    for name in names:
        all_of, some_of = bears(name.lstrip("!"))
        if name.startswith("!"):
            whole, part = both((whole, opposite(some_of))), both((part, opposite(all_of)))
        else:
            whole, part = either((whole, all_of)), either((part, some_of))
    return whole, part


def of_all(found: Iterable[Bearing]) -> Bearing:
    seen = list(found)
    return both(whole for whole, _ in seen), either(part for _, part in seen)


def user(name: str, who: str, people: People) -> Bearing:
    """Whether a name of sudo stands for all of whom another stands for, and for some of them."""
    some_of = same(name, who, people)
    if name in (who, "ALL"):
        return True, True
    if who == "ALL" or who.startswith("%"):
        members = None if who == "ALL" else members_of(who, people)
        if members is None or people.directory:
            return (False if some_of is False or name[:1] not in ("%", "+", "?") else None), some_of
        return both(same(name, member, people) for member in members), some_of
    return some_of, some_of


def command_named(named: str, command: str) -> Bearing:
    """The same of commands. sudo compares files, not paths: those of one name in two folders may be one."""
    if named in ("ALL", command):
        return True, True
    if command == "ALL":
        return False, True
    if set("*?[^") & set(named + command):
        return None, None
    if command.endswith("/"):
        within = named.rpartition("/")[0] + "/" == command
        return False, True if within else None
    folder, _, name = command.rpartition("/")
    if named.endswith("/"):
        inside = True if folder + "/" == named else None
        return inside, inside
    found = None if name_of(named) == name else False
    return found, found
