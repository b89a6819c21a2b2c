"""The rules of sudo and who calls it for what in; the PAM services that it asks then, out. Pure.

Source: sudoers(5): pam_service, pam_login_service (`sudo -i`), pam_askpass_service (`sudo -A`, else like the other two).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.model import Unknown
from auditor.readers.elevation.defaults import Lines
from auditor.readers.passwd import People
from auditor.readers.sudoers import Item, Rules

USUAL = {"pam_service": "sudo", "pam_login_service": "sudo-i", "pam_askpass_service": ""}
ANYTHING = Item("ALL", users=("ALL",), groups=("ALL",))
WHICH = Unknown("not_told", "which PAM service sudo asks")
_NAME = re.compile(r"[A-Za-z0-9_.+-]+")


@dataclass(frozen=True, slots=True)
class Service:
    """One that sudo asks, `surely` or perhaps. `name` "" where it is not told; `usual`: no line of Defaults names it."""

    name: str
    surely: bool = True
    usual: bool = False


def services(told: Rules, who: str, item: Item, people: People) -> tuple[Service, ...]:
    lines = Lines(told, who, item, people)
    found = (service for setting in USUAL for service in _asked(lines, setting))
    return tuple(dict.fromkeys(service for service in found if service.name or not service.usual))


def named(told: Rules) -> tuple[str, ...]:
    """Those that lines of Defaults name."""
    return tuple(dict.fromkeys(_name(line.value) for line in told.defaults if line.name in USUAL))


def _asked(lines: Lines, setting: str) -> Sequence[Service]:
    """A line about a part leaves the rest to what stands before it."""
    state = [Service(USUAL[setting], usual=True)]
    for line in lines.of(setting):
        whole, part = lines.bearing(line)
        if part is not False:
            rest = [] if whole is True else state if whole is False else _perhaps(state)
            state = [*rest, Service(_name(line.value), surely=part is True)]
    return state


def _perhaps(found: Iterable[Service]) -> list[Service]:
    return [Service(one.name, False, one.usual) for one in found]


def _name(value: str) -> str:
    return value if _NAME.fullmatch(value) else ""
