"""A list of hosts and the names of one in; whether it is about that one out. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor.readers.elevation.names import Truth
from auditor.readers.sshd import glob


def names_host(hosts: Sequence[str], names: Sequence[str]) -> Truth:
    """Whether a list of hosts names this one; None: it names addresses or groups, or this host's domain is not told.

    Also where the names that the host goes by do not agree: which of them sudo takes depends on its setting `fqdn`.
    """
    found = {_called(hosts, name) for name in names}
    return found.pop() if len(found) == 1 else None


def _called(hosts: Sequence[str], name: str) -> Truth:
    state: Truth = False
    for host in hosts:
        match, value = _is_here(host.lstrip("!"), name), not host.startswith("!")
        state = value if match is True else state if match is False or state == value else None
    return state


def _is_here(host: str, name: str) -> Truth:
    short = name.partition(".")[0]
    if host == "ALL" or host.lower() in (name.lower(), short.lower()):
        return True
    if not name or re.fullmatch(r"[0-9a-fA-F.:/]*[.:/][0-9a-fA-F.:/]*|\+.*|.*[\[?].*", host):
        return None
    if "*" in host:
        fits = glob(host.lower(), name.lower()) or glob(host.lower(), short.lower())
        return fits or (None if "." in host and "." not in name else False)
    domain_unknown = "." in host and "." not in name and host.partition(".")[0].lower() == short.lower()
    return None if domain_unknown else False
