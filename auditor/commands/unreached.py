"""A finished run and the environment in; what to set when hosts were not reached from behind a proxy, as sentences, out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from auditor.kinds import Voice
from auditor.model import HostSeen
from auditor.operators import N_

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_NO_NAME = re.compile(
    r"name or service not known|name resolution|no address associated|could not resolve|nodename nor servname",
    re.IGNORECASE,
)
_PROXY = N_(
    "Hosts not reached: {count}. {names} is set here, but SSH does not go through HTTP proxies: for these hosts set "
    "`ProxyJump BASTION` in ~/.ssh/config, or `ansible_connection: openssh` and there "
    "`ProxyCommand nc -X connect -x PROXY:PORT %h %p`."
)
_NAMES = N_(
    "Names that are not known here: {count}. If a bastion knows them, set `ProxyJump BASTION` for them in ~/.ssh/config; else "
    "give ansible_host."
)


def hints(hosts: Iterable[HostSeen], environment: Mapping[str, str], voice: Voice) -> Iterator[str]:
    """One sentence a cause, none when it is not there; a proxy's address may hold a password and is never shown."""
    names = [name for name in environment if name.lower() in _PROXIES and environment[name]]
    lost = [h.failure.detail for h in hosts if h.failure is not None and h.failure.cause == "unreachable"]
    unnamed = sum(1 for detail in lost if _NO_NAME.search(detail))
    if unnamed:
        yield voice.say(_NAMES).format(count=unnamed)
    if names and lost:
        yield voice.say(_PROXY).format(count=len(lost), names=", ".join(sorted(names)))
