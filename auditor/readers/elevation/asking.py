"""A rule of sudo or doas in; whether it has a password asked, and what decides it, out. Pure."""

from __future__ import annotations

import re

from auditor.model import Unknown
from auditor.readers.elevation.defaults import Lines
from auditor.readers.elevation.hosts import names_host
from auditor.readers.elevation.names import Truth, same
from auditor.readers.passwd import People
from auditor.readers.sudoers import Item, Rule, Rules

MAYBE = Unknown("not_told", "whom a line of Defaults is about")
PASSWORD = "asks a password"


def asked(told: Rules, rule: Rule, who: str, item: Item, people: People) -> tuple[bool | Unknown, str]:
    if rule.tool == "doas":
        return item.asks is not False, "NOPASSWD" if item.asks is False else PASSWORD
    if names_host(rule.hosts, told.names) is None:
        return Unknown("not_told", "the rule names hosts by address or group, or by another name of this one"), "hosts"
    if item.asks is False:
        return False, "NOPASSWD"
    lines = Lines(told, who, item, people)
    off = lines.truth("authenticate", _says_no) if item.asks is None else False  # a tag stands above every line
    ways = [
        (off, "!authenticate"),
        (lines.truth("exempt_group", lambda v: same("%" + v, who, people) if v else False), "exempt_group"),
        (lines.truth("timestamp_timeout", _never_again), "timestamp_timeout below 0"),
    ]
    for unasked, because in ways:
        if unasked is True:
            return False, because
    for unasked, because in ways:
        if unasked is None:
            return MAYBE, because
    return True, "asks root's password" if told.asks_root_password else PASSWORD


def _says_no(value: str) -> Truth:
    return value != "yes"


def _never_again(value: str) -> Truth:
    """A negative timeout: the password is asked once, and then never until the next boot. -0 is 0 to sudo: each time."""
    return (
        value.startswith("-") and not re.fullmatch(r"-0*\.?0+", value)
        if re.fullmatch(r"-?[0-9.]{0,20}", value)
        else None
    )
