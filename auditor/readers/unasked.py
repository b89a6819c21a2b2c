"""PAM stacks and who becomes somebody else by sudo or doas in; whether PAM asks them for anything at all out. Pure.

A rule that asks for a password hands the question to PAM: a stack that lets in without a proof asks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers import pam
from auditor.readers.elevation import WHICH, Elevation, Service, services
from auditor.readers.files import Files
from auditor.readers.passwd import People, named_group
from auditor.readers.sudoers import Rules

_Stack = tuple[pam.Entry, ...] | Unknown
DOAS = (Service("doas", usual=True),)
BECAUSE = "PAM"
OTHER = "other"  # asked for a service that the host has no file of
LOGIN = "sudo-i"
MOST_MEMBERS = 200  # of a group, where the stack tells one account from another
MORE = Unknown("not_asked", "a group with more members than are looked at")


def asked(found: Sequence[Elevation], texts: Files, people: People, told: Rules) -> list[Elevation]:
    """The same, those changed of which the rule asks for a password and PAM asks for none, or may not."""
    groups = people.memberships()

    def account(name: str) -> pam.Who:
        known = people.accounts.get(people.login(name))
        uid, local = (known.uid, True) if known else (None, False)
        return pam.Who(name, uid, local=local, groups=groups.get(name, frozenset()), called_by_root=False)

    def whom(who: str) -> Iterator[pam.Who]:
        """The account that a rule names; of a group each member that is known, or else anybody in it."""
        group = named_group(people, who[1:]) if who.startswith("%") else None
        members = [m for m in people.members(group) if m in people.accounts] if group else []
        yield from map(account, members)
        if who.startswith("%") and not members:
            yield pam.Who(who, None, local=False, groups=frozenset({who[1:]}), called_by_root=False)
        elif not who.startswith("%"):
            yield account(who)

    stacks: dict[tuple[Service, ...], list[tuple[_Stack, bool]]] = {}

    def judged(one: Elevation) -> Elevation:
        sudo = one.tool == "sudo"
        which = services(told, one.who, one.item, people) if sudo else DOAS
        if which not in stacks:
            stacks[which] = list(_stacks(texts, which))
        return _asked(one, stacks[which], texts, tuple(whom("root" if told.asks_root_password and sudo else one.who)))

    return [judged(e) if e.asks is True else e for e in found]


def _asked(one: Elevation, stacks: Sequence[tuple[_Stack, bool]], texts: Files, whom: tuple[pam.Who, ...]) -> Elevation:
    if texts.missing:
        return replace(one, asks=texts.missing, because=BECAUSE)
    found = [(told, surely) for stack, surely in stacks for told in _told(stack, texts.gap, whom)]
    if (True, True) in found:
        return replace(one, asks=False, because=BECAUSE)
    unsure = next((WHICH if told is True else told for told, _ in found if told is not False), None)
    return replace(one, asks=unsure, because=BECAUSE) if unsure else one


def _stacks(texts: Files, which: Sequence[Service]) -> Iterator[tuple[_Stack, bool]]:
    """Of the usual ones those that the host has a file of, for the others `other`; without any, sudo and doas were built
    without PAM. Whether `sudo -i` has a service of its own, sudo was built with.
    """
    lacking = [s for s in which if s.usual and not _is_there(texts, s.name)]
    for service in which:
        if service not in lacking:
            yield _stack(texts, service.name), service.surely
    if _is_there(texts, OTHER):
        yield from ((_stack(texts, OTHER), service.surely and service.name != LOGIN) for service in lacking)


def _is_there(texts: Files, service: str) -> bool:
    name = pam.asked_as(service)
    return pam.service_text(texts.texts, name) is not None or pam.untold(texts, name) is not None


def _stack(texts: Files, service: str) -> _Stack:
    if not service:
        return WHICH
    name = pam.asked_as(service)
    told = pam.untold(texts, name) or pam.stack(texts.texts, name)
    bare = told == () and service != OTHER and _is_there(texts, OTHER)  # of a service without a line of its own too
    return _stack(texts, OTHER) if bare else told


def _told(stack: _Stack, gap: Unknown | None, whom: tuple[pam.Who, ...]) -> Iterator[bool | Unknown]:
    """For each of these; for one of them where the stack tells nobody apart."""
    if isinstance(stack, Unknown):
        yield gap or stack
        return
    apart = any(entry.module in pam.CONDITIONS for entry in stack)
    yield from (_lets_in(stack, who) for who in whom[: MOST_MEMBERS if apart else 1])
    if apart and len(whom) > MOST_MEMBERS:
        yield MORE


def _lets_in(stack: tuple[pam.Entry, ...], who: pam.Who) -> bool | Unknown:
    paths = pam.paths(stack, who)
    if isinstance(paths, Unknown):
        return paths
    bare = [path for path in paths if not path.proofs]
    if any(not path.depends_on for path in bare):
        return True
    gate = min((path.depends_on for path in bare), default="")
    if gate:
        return Unknown("not_told", f"it depends on {gate}")
    other = min((name for path in paths if (name := _may_ask_nothing(path.proofs))), default="")
    return Unknown("not_told", f"{other[:60]} decides elsewhere what it asks for") if other else False


def _may_ask_nothing(proofs: frozenset[str]) -> str:
    """The module that alone lets in, where nobody knows whether it asks for anything; else ""."""
    names = sorted(p.removeprefix(pam.TOLD_ELSEWHERE) for p in proofs if p.startswith(pam.TOLD_ELSEWHERE))
    known = len(names) < len(proofs) or any(name in pam.ASKING for name in names)
    return "" if known else next(iter(names), "")
