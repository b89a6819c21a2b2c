"""A finished run and the environment in; what mends it when hosts were not reached, as sentences, out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from auditor.kinds import Voice
from auditor.model import HostSeen
from auditor.operators import N_
from auditor.sentences import clean

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
_DOCTOR = N_("Hosts that could not be asked: {count}. What ails each, and the command that mends it: {command}")
_MENDED = ("unreachable", "timeout", "auth", "host_key", "closed", "framing", "other_platform", "other_host")


def doctored(hosts: Iterable[HostSeen], estate: Iterable[str], limit: str | None, voice: Voice) -> Iterator[str]:
    """The command line of `auditor doctor` for an estate of which hosts were asked in vain; nothing where none was."""
    lost = [h for h in hosts if h.failure and h.asked and not h.evidence_at and h.failure.cause in _MENDED]
    given = [word for place in estate for word in ("-i", place)]
    if lost and given:
        command = shlex.join(["auditor", "doctor", *given, *(("--limit", limit) if limit else ())])
        yield voice.say(_DOCTOR).format(count=len(lost), command=clean(command, 0))


def hints(hosts: Iterable[HostSeen], environment: Mapping[str, str], voice: Voice) -> Iterator[str]:
    """One sentence a cause, none when it is not there; a proxy's address may hold a password and is never shown."""
    names = [name for name in environment if name.lower() in _PROXIES and environment[name]]
    lost = [h.failure.detail for h in hosts if h.failure is not None and h.failure.cause == "unreachable"]
    unnamed = sum(1 for detail in lost if _NO_NAME.search(detail))
    if unnamed:
        yield voice.say(_NAMES).format(count=unnamed)
    if names and lost:
        yield voice.say(_PROXY).format(count=len(lost), names=", ".join(sorted(names)))
