"""A host's name as an inventory writes it, with ranges and a port, in; names and the port out. Pure."""

from __future__ import annotations

import ipaddress
import re
import string
from collections.abc import Iterator, Sequence

LONGEST_NAME = 253  # of a host in DNS
_BRACKETED = re.compile(r"\[(.+)\]:([0-9]{1,5})")
_WITH_PORT = re.compile(r"((?:[^:\[\]]|\[[^\]]*\])+):([0-9]{1,5})")
_RANGE = re.compile(r"\[([0-9]{0,18}|[a-zA-Z]?):([0-9]{1,18}|[a-zA-Z])(?::([0-9]{1,18}))?\]")
_HOSTNAME = re.compile(
    r"(?:\w|\[[^\]]*\])(?:[\w-]|\[[^\]]*\])*(?<![_-])(?:\.(?:\w|\[[^\]]*\])(?:[\w-]|\[[^\]]*\])*(?<![_-]))*"
)


class BadName(Exception):
    """The text is no host's name, and no range of them."""


def expanded(pattern: str, most: int) -> tuple[Iterator[str], int | None]:
    """`web[01:03].x:2222` to web01.x, web02.x, web03.x and 2222; several ranges multiply. Raises BadName, also on the way."""
    if not pattern:
        raise BadName("a host's name is empty")
    if pattern.strip() == "---":
        raise BadName("'---' is no host's name: is this a YAML file?")
    name, port = with_port(pattern)
    return _names(name, pattern, most), port


def with_port(pattern: str) -> tuple[str, int | None]:
    """`web:2222` to web and 2222. A bare IPv6 address has no port; what is no address keeps its colons."""
    match = _BRACKETED.fullmatch(pattern) or _WITH_PORT.fullmatch(pattern)
    if match and is_address(match[1]):
        return match[1], int(match[2])
    return pattern, None


def is_address(text: str) -> bool:
    """A host's name with or without ranges, or an IP address."""
    if _HOSTNAME.fullmatch(text):
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _names(name: str, pattern: str, most: int) -> Iterator[str]:
    if len(name) > LONGEST_NAME:
        raise BadName(f"a host's name is longer than {LONGEST_NAME} characters")
    match = _RANGE.search(name)
    if match is None:
        if "[" in name or "]" in name:
            raise BadName(f"'{pattern}' is no range; write web[01:20], or [NAME] for a group")
        yield name
        return
    for one in _range(match, pattern, most):
        yield from _names(name[: match.start()] + one + name[match.end() :], pattern, most)


def _range(match: re.Match[str], pattern: str, most: int) -> Sequence[str]:
    first, last, step = match[1] or "0", match[2], int(match[3] or 1)
    numeric = first.isdigit() and last.isdigit()
    letters = string.ascii_letters
    low, high = (int(first), int(last)) if numeric else (letters.find(first), letters.find(last))
    if first.isdigit() != last.isdigit() or low > high or not step:
        raise BadName(f"the range in '{pattern}' is not from low to high")
    if (high - low) // step >= most:
        raise BadName(f"the range in '{pattern}' is too large: more than {most} hosts")
    if not numeric:
        return letters[low : high + 1 : step]
    padded = len(first) > 1 and first.startswith("0")
    if padded and len(first) != len(last):
        raise BadName(f"the range in '{pattern}' begins with a zero: both ends need as many digits")
    width = len(first) if padded else 0
    return [str(n).zfill(width) for n in range(low, high + 1, step)]
