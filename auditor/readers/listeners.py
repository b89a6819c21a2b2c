"""The sockets of a host that wait for TCP connections in; ports, and whether others can reach them, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown

# Addresses are as proc(5) has them, in hexadecimal; 0A is the state of a listener.
LISTENERS = Command(
    r"""awk '$4 == "0A" && !s[$2]++ { print $2 }' /proc/net/tcp $([ ! -r /proc/net/tcp6 ] || echo /proc/net/tcp6) && echo end""",
    timeout_s=5,
)
_SOCKET = re.compile(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})")
_LOOPBACK = re.compile(r".{6}7F|0{24}01000000|0{16}FFFF0000.{6}7F")


@dataclass(frozen=True, slots=True)
class Listeners:
    """`ports` are those that an address other than loopback is bound to; `missing`: why there may be more."""

    ports: frozenset[int]
    missing: Unknown | None = None

    def any_of(self, ports: Iterable[int]) -> bool | Unknown:
        return True if self.ports & set(ports) else self.missing or False


def read(answer: Answer) -> Listeners:
    """Raises Unreadable when the answer is cut or of another shape."""
    if isinstance(answer, Failure):
        return Listeners(frozenset(), answer.unknown())
    return _read(answer.text)


@lru_cache(maxsize=16)
def _read(text: str) -> Listeners:
    lines = text.splitlines()
    if not lines or lines[-1] != "end":
        raise Unreadable("the list of listeners is not complete")
    found = [_SOCKET.fullmatch(line) for line in lines[:-1]]
    if None in found:
        raise Unreadable("a socket of another shape")
    return Listeners(frozenset(int(m[2], 16) for m in found if m and not _LOOPBACK.fullmatch(m[1])))
