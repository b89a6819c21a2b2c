"""How administrators and others come into a Windows host, and with what proofs: its screen, Remote Desktop, WinRM, VPNs. Pure.

An account of a domain may be required to have a smart card, by the domain: the host does not tell. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Facts, Unknown
from auditor.probes.windows import admins
from auditor.probes.windows.admins import Member
from auditor.readers import windows_logon, windows_registry, windows_remote
from auditor.readers.entries import ANYBODY, Entry, listed, one_factor, shown, unsure
from auditor.readers.windows_logon import Logon
from auditor.readers.windows_remote import Remote

NO_ELEVATION = Unknown("not_told", "on Windows, whoever is in as an administrator is asked by UAC alone")
BY_DOMAIN = Unknown("not_told", "whether its domain requires a smart card of it")
BY_UAC = Unknown("not_told", "whether a local administrator gets in over the network")
# Services that let people in by rules that are kept elsewhere, and ports on which the like of them do.
ELSEWHERE: Mapping[str, tuple[str, tuple[int, ...], str]] = {
    "RD Gateway": ("tsgateway", (), "its policies (NPS) decide"),
    "Routing and Remote Access": ("remoteaccess", (), "its policies (NPS, RADIUS) decide"),
    "OpenSSH": ("sshd", (22,), "the settings of servers of SSH on Windows are not read"),
    "Telnet": ("tlntsvr", (23,), "the settings of Telnet are not read"),
}
SHELLS = ("OpenSSH", "Telnet")  # those of them by which administrators log in


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {**admins.commands(args), **windows_logon.COMMANDS, **windows_remote.COMMANDS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    logon, remote = windows_logon.read(answers), windows_remote.read(answers)
    members = _members(answers["members"])
    known = [] if isinstance(members, Unknown) else members
    gap = members if isinstance(members, Unknown) else None
    entries = list(_logins(known, logon, remote))
    doubt = unsure((remote.rdp, remote.winrm, *_elsewhere(remote).values()))
    logins = listed([shown(e) for e in entries], gap or doubt)
    doors = [shown(e) for e in _remote_doors(entries, logon, remote, gap)]
    return {
        "logins": logins,
        "console_one_factor": one_factor(entries, gap),
        "elevations": NO_ELEVATION,
        "serves_remotely": True if doors else doubt or False,
        "remote_doors": listed(doors, doubt),
    }


def _members(answer: Answer) -> list[Member] | Unknown:
    try:
        return admins.members(answer)
    except Unreadable as why:
        return Unknown("unreadable", str(why))


def _elsewhere(remote: Remote) -> Mapping[str, bool | Unknown]:
    """Whether each of these services runs, or another listens in its place."""
    return {
        door: True if remote.ports.any(*ports) is True else windows_remote.running(remote.services, name)
        for door, (name, ports, _) in ELSEWHERE.items()
    }


# ---------------------------------------------------------------- administrators


def _logins(members: list[Member], logon: Logon, remote: Remote) -> Iterator[Entry]:
    for member in members:
        if member.enabled is False:
            continue
        two, proofs = _at_screen(member, logon.two_factors)
        yield Entry("console", member.account, remote=False, two_factors=two, reason=proofs)
        if remote.rdp is True:
            two, proofs = _at_screen(member, logon.over_rdp)
            yield Entry("RDP", member.account, remote=True, two_factors=two, reason=proofs)
        if remote.winrm is True:
            over = _over_network(member, logon)
            yield Entry("WinRM", member.account, True, over, "password" if over is False else "")
    served = _elsewhere(remote)
    for door in SHELLS:
        if members and served[door] is True:
            yield Entry(door, ANYBODY, True, Unknown("not_told", ELSEWHERE[door][2]), "")


def _at_screen(member: Member, asked: tuple[bool | Unknown, str]) -> tuple[bool | Unknown, str]:
    two, proofs = asked
    if two is not False:
        return two, proofs
    own = _own(member)
    return own, "" if isinstance(own, Unknown) else proofs


def _own(member: Member) -> bool | Unknown:
    """False for an account of the host that is known to be enabled: a password is all that it has."""
    if not member.local:
        return BY_DOMAIN
    return member.enabled if isinstance(member.enabled, Unknown) else False


def _over_network(member: Member, logon: Logon) -> bool | Unknown:
    """A card that the machine's policy requires is asked for at the screen alone. All but the built-in one may be kept out."""
    own = _own(member)
    if own is not False or member.built_in:
        return own
    filtered = windows_registry.number(logon.policy, "LocalAccountTokenFilterPolicy")
    return False if filtered == 1 else filtered if isinstance(filtered, Unknown) else BY_UAC


# ---------------------------------------------------------------- everybody


def _remote_doors(entries: list[Entry], logon: Logon, remote: Remote, gap: Unknown | None) -> Iterator[Entry]:
    """By whoever gets through most easily; whom else they let in is not listed."""
    if remote.rdp is True:
        yield _weakest("RDP", entries) or _unlisted("RDP", logon.over_rdp, gap)
    if remote.winrm is True:
        yield _weakest("WinRM", entries) or _unlisted("WinRM", (False, ""), gap)
    for door, served in _elsewhere(remote).items():
        if served is True:
            yield Entry(door, ANYBODY, True, Unknown("not_told", ELSEWHERE[door][2]), "")


def _weakest(door: str, entries: list[Entry]) -> Entry | None:
    return next((e for e in entries if e.door == door and e.two_factors is False), None)


def _unlisted(door: str, judged: tuple[bool | Unknown, str], gap: Unknown | None) -> Entry:
    two, proofs = judged
    if two is False:
        two = gap or Unknown("not_told", "whom else it lets in, and what their domain asks of them")
    return Entry(door, ANYBODY, True, two, proofs if two is True else "")
