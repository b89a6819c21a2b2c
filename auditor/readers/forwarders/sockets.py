"""The TCP connections that a host opened, as /proc/net/tcp lists them, in; whether one leads to a place out. Pure.

Source: proc_net_tcp in the kernel's documentation: addresses are words in the byte order of the machine, here little-endian.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from auditor.model import Answer, Command, Failure, Unknown

# `REMOTE` of each established connection, but for those to a port on which this host listens.
SOCKETS = Command(
    r"""cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '
  { l = $2; sub(/.*:/, "", l) }
  $4 == "0A" { open[l] = 1 }
  $4 == "01" { n++; port[n] = l; far[n] = $3 }
  END { for (i = 1; i <= n; i++) if (!(port[i] in open) && !seen[far[i]]++) print far[i]; if (NR) print "end" }'""",
    timeout_s=10,
    cap_bytes=262144,
)
_HEX = re.compile(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Connections:
    """Ports by the address that they are at."""

    ports: Mapping[str, frozenset[int]]
    missing: Unknown | None = None

    def to(self, address: str | None, port: int) -> bool | Unknown:
        """`address` is in its canonical form, None where only a name is known."""
        if address is not None:
            found = port in self.ports.get(address, frozenset())
            return found or self.missing or False
        if any(port in ports for ports in self.ports.values()):
            return Unknown("not_told", f"a connection to port {port} is open, to which name is not told")
        return self.missing or False


def read(answer: Answer) -> Connections:
    if isinstance(answer, Failure):
        return Connections({}, answer.unknown())
    lines = answer.text.splitlines()
    found: dict[str, set[int]] = {}
    for line in lines:
        seen = _HEX.match(line)
        if seen:
            found.setdefault(_address(seen[1]), set()).add(int(seen[2], 16))
    missing = None if lines and lines[-1] == "end" else Unknown("not_told", "the host's connections")
    return Connections({a: frozenset(p) for a, p in found.items()}, missing)


def _address(word: str) -> str:
    raw = b"".join(bytes.fromhex(word[i : i + 8])[::-1] for i in range(0, len(word), 8))
    if len(raw) == 4:
        return str(IPv4Address(raw))
    six = IPv6Address(raw)
    return str(six.ipv4_mapped or six)
