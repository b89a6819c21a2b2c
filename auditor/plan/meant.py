"""A control, or the probe that it asks with, and a host in; whether the host is meant by it out. Pure."""

from __future__ import annotations

from auditor.kinds import TREE, DerivedProbe, Probe
from auditor.model import Control, Host, Subject


def subject_of(host: Host) -> Subject:
    """What a finding on this host is about."""
    return Subject("host", host.id, host.perimeter, host.was)


def applies(control: Control, probe: Probe, host: Host) -> bool:
    """Whether a control is asked of a host: `applies_to` names it, and the probe knows its platform."""
    return knows(probe, host) and meant(control, host)


def fileless(host: Host) -> bool:
    """Whether files should stand for it, and none were given."""
    return host.connection == TREE and not host.tree


def knows(probe: Probe, host: Host) -> bool:
    """Of a tree, also what would be asked if the host ran."""
    return host.platform in probe.dialects or host.platform in probe.of(host)


def meant(control: Control, host: Host) -> bool:
    """Whether `applies_to` names the host."""
    if control.platforms and host.platform not in control.platforms:
        return False
    return not control.roles or bool(set(control.roles) & set(host.roles))


def heard(probe: DerivedProbe, host: Host) -> bool:
    """Whether a derived probe reads what this host tells."""
    return probe.of == "perimeter" or bool(set(probe.roles) & set(host.roles))
