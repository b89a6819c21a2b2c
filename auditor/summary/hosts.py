"""A run in; out, which hosts took no part though they ought to, and which nobody needs to ask. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator

from auditor.kinds import TREE
from auditor.model import Finding, HostSeen, Outcome, Run


def away(run: Run) -> Iterator[HostSeen]:
    """The hosts that took no part and ought to; without an estate, one that nothing was asked of does not count."""
    spoken_for, exempt = witnessed(run), exempted_hosts(run)
    for host in run.hosts():
        if host.host in spoken_for or rightly_unasked(host, exempt):
            continue
        if host.failure and (run.header.declared or host.failure.cause != "nothing_asked"):
            yield host


def witnessed(run: Run) -> frozenset[str]:
    """The hosts that nobody connects to, and that a witness told of: their ids."""
    mute = {host.host for host in run.hosts() if host.failure and host.failure.cause == "not_connected"}
    if not mute:
        return frozenset()
    told = (f.subject for f in run.findings() if f.outcome not in (None, Outcome.UNKNOWN))
    return frozenset(subject.id for subject in told if subject.kind == "host" and subject.id in mute)


def attested(host: HostSeen) -> bool:
    """Nobody connects to it, and a record in force names it."""
    return host.attested and host.failure is not None and host.failure.cause == "not_connected"


def exempted_hosts(run: Run) -> frozenset[str]:
    """The hosts without any check of which an exemption says that this is right."""
    return frozenset(gap.subject.id for gap in run.coverage() if gap.decision and not gap.measure)


def rightly_unasked(host: HostSeen, exempt: Container[str]) -> bool:
    """An exemption says that nothing needs to be asked of it, and nothing was."""
    unasked = host.failure is not None and host.failure.cause in ("nothing_asked", "not_connected")
    return unasked and host.host in exempt


class Dark:
    """What `blind` says, told finding by finding."""

    def __init__(self) -> None:
        self._told: dict[str, bool] = {}

    def see(self, finding: Finding) -> None:
        if finding.medium == TREE and finding.subject.kind == "host":
            told = finding.outcome is not Outcome.UNKNOWN
            self._told[finding.subject.id] = self._told.get(finding.subject.id, False) or told

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(name for name, told in self._told.items() if not told)


def blind(run: Run) -> tuple[str, ...]:
    """The hosts that files stood for, and of which these told nothing at all: that no cause gates makes none of it good."""
    dark = Dark()
    for finding in run.findings():
        dark.see(finding)
    return dark.hosts
