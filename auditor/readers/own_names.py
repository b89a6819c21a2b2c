"""The names and addresses that a host answers to in; whether a name is the host's own out. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers.repositories import canonical

# The host's own names and addresses, the last with ip(8) or without, and the names that /etc/hosts gives to these.
OWN = Command(
    r"""printf 'name %s\n' "$(uname -n)"
getent hosts "$(uname -n)" | awk '{ for (i = 2; i <= NF; i++) print "name " $i }'
a=$({
  ip -o addr 2>/dev/null | awk '{ print $4 }'
  awk '$1 == "|--" { a = $2 } $1 == "/32" && /LOCAL/ { print a }' /proc/net/fib_trie 2>/dev/null
} | awk '{ sub(/\/.*/, "") } !seen[$0]++ { print "address " $0 }')
printf '%s\n' "$a"
printf '%s\n' "$a" | awk 'NR == FNR { own[$2]; next }
  { sub(/#.*/, "") }
  $1 in own || $1 ~ /^127\./ || $1 == "::1" { for (i = 2; i <= NF; i++) print "name " $i }' - /etc/hosts 2>/dev/null
echo end""",
    timeout_s=10,
    cap_bytes=65536,
)


@dataclass(frozen=True, slots=True)
class Own:
    """The host's names, in lower case, and addresses, in their one canonical form."""

    names: frozenset[str]
    addresses: frozenset[str]


def read(answer: Answer) -> Own | Unknown:
    if isinstance(answer, Failure):
        return answer.unknown()
    words = [line.partition(" ") for line in answer.text.splitlines()]
    names = frozenset(plain(rest) for word, _, rest in words if word == "name" and rest)
    addresses = frozenset(a for word, _, rest in words if word == "address" for a in canonical(rest))
    if ("end", "", "") not in words or not names:
        return Unknown("not_told", "the host's own names and addresses")
    return Own(names, addresses)


def plain(name: str) -> str:
    return name.lower().rstrip(".")


LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|::1)\Z")


def is_loopback(name: str) -> bool:
    return bool(LOOPBACK.match(name))


def is_own(name: str | Unknown, own: Own | Unknown) -> bool | Unknown:
    if isinstance(name, Unknown) or isinstance(own, Unknown):
        return name if isinstance(name, Unknown) else own if isinstance(own, Unknown) else False
    address = canonical(name)
    if address:
        return address[0] in own.addresses if own.addresses else Unknown("not_told", "the host's own addresses")
    if name in own.names:
        return True
    alike = [n for n in own.names if n.partition(".")[0] == name.partition(".")[0] and not ("." in n and "." in name)]
    return Unknown("not_told", f"whether {name} is {alike[0]}, this host") if alike else False
