"""Who comes from where in; whether AllowUsers, DenyUsers, AllowGroups or DenyGroups surely bar them, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from auditor.readers.sshd.settings import Settings, first


def by_source(settings: Settings) -> tuple[str, ...]:
    """The hosts that AllowUsers and DenyUsers name, or leave out: where there are some, it depends on the source."""
    users = (*_listed(settings, "allowusers"), *_listed(settings, "denyusers"))
    return tuple(one.lstrip("!") for p in users if "@" in p for one in p.rpartition("@")[2].split(","))


def _listed(settings: Settings, word: str) -> tuple[str, ...]:
    """`none` is sshd's word for an empty list."""
    return tuple(p for value in settings.get(word, ()) for p in value.split() if p != "none")


def barred(settings: Settings, user: str, address: str, groups: frozenset[str] | None) -> bool:
    """Whether the four lists surely refuse this user from this address; `groups` None: they are not known."""
    names = first(settings, "usedns") == "yes"
    denied = [_user(p, user, address, names) for p in _listed(settings, "denyusers")]
    allowed = [_user(p, user, address, names) for p in _listed(settings, "allowusers")]
    if any(d is True for d in denied) or (allowed and all(a is False for a in allowed)):
        return True
    if groups is None:
        return False
    allow = _listed(settings, "allowgroups")
    return _any_group(_listed(settings, "denygroups"), groups) or (bool(allow) and not _any_group(allow, groups))


def _any_group(patterns: Iterable[str], groups: frozenset[str]) -> bool:
    return any(glob(p, g) for p in patterns for g in groups)


def _user(pattern: str, user: str, address: str, names: bool) -> bool | None:
    """None: it depends on the name of the source, which only its resolver knows."""
    if "@" not in pattern:
        return glob(pattern, user)
    name, _, host = pattern.rpartition("@")
    if not glob(name, user):
        return False
    if names and re.search(r"[g-zG-Z]", host) and ("!" in host or not within(address, host)):
        return None
    return within(address, host)


def within(address: str, patterns: str) -> bool:
    """Of a list, with commas, one that begins with ! leaves out what another one takes in (addr_match_list)."""
    ones = patterns.split(",")
    out = any(_within(address, one[1:]) for one in ones if one.startswith("!"))
    return not out and any(_within(address, one) for one in ones if not one.startswith("!"))


def _within(address: str, pattern: str) -> bool:
    if "/" in pattern:
        try:
            return ip_address(address) in ip_network(pattern, strict=False)
        except ValueError:
            return False
    return glob(pattern, address)


def glob(pattern: str, text: str) -> bool:
    """`*` and `?` as sshd reads them, in time that is at most pattern times text, since both come from a host."""
    at = star = 0
    place, back = 0, -1
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            back, star, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            place, at = place + 1, at + 1
        elif back >= 0:
            star += 1
            place, at = back + 1, star
        else:
            return False
    return not pattern[place:].strip("*")
