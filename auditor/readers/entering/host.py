"""What a host told of its people, its PAM files and its doors in; one noun that holds it all out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditor.model import Facts, Unknown
from auditor.readers import doors, elevation, enrolment, pam, passwd, sudoers, vpn
from auditor.readers.files import Files

# Who is asked, and for what: sudo and doas ask the caller, su asks for root's own password.
ELEVATIONS = {"sudo": ("sudo", "sudo-i"), "sudo-rs": ("sudo", "sudo-i"), "doas": ("doas",), "pkexec": ("polkit-1",)}
SU = ("su", "su-l")
OTHER = "other"  # asked for a service that the host has no file of
CERTIFICATES = "pam_cockpit_cert"


@dataclass(frozen=True, slots=True)
class Host:
    """What the answers told. `collective`: groups of administrators whose members are not known.

    `groups` by account; `stacks` by PAM service, for the services that the host has a file of.
    """

    people: passwd.People
    admins: Mapping[str, tuple[str, ...]]
    collective: tuple[str, ...]
    rules: sudoers.Rules
    groups: Mapping[str, frozenset[str]]
    stacks: Mapping[str, tuple[pam.Entry, ...] | Unknown]
    proofs: enrolment.Proofs
    seen: doors.Seen
    vpn: vpn.Configured
    ssh: Facts

    @property
    def gap(self) -> Unknown | None:
        """Why there may be more administrators, or other proofs, than those seen."""
        if self.collective:
            return Unknown("not_told", f"who is in {' '.join(self.collective)}")
        return self.rules.gap or self.proofs.missing

    @property
    def beyond(self) -> Unknown | None:
        if self.people.directory:
            return Unknown("not_told", "whom a directory lets in")
        return self.proofs.missing


def host_of(
    people: passwd.People,
    rules: sudoers.Rules,
    files: Files,
    proofs: enrolment.Proofs,
    seen: doors.Seen,
    configured: vpn.Configured,
    ssh: Facts,
) -> Host:
    found = passwd.privileged(people, rules.granting)
    return Host(
        people=people,
        admins=passwd.expanded(found, people),
        collective=tuple(c for c in found.collective if c != "ALL"),
        rules=rules,
        groups=people.memberships(),
        stacks=_stacks(
            files,
            (*(server.service for server in configured.servers), *elevation.named(rules)),
            certificates="certificates Cockpit" in seen.marks,
        ),
        proofs=proofs,
        seen=seen,
        vpn=configured,
        ssh=ssh,
    )


def _stacks(files: Files, more: Iterable[str], *, certificates: bool) -> Mapping[str, tuple[pam.Entry, ...] | Unknown]:
    """`other` always; nothing else where the files were not told. It decides for a service without a line of its own too."""
    ours = (s for door in doors.DOORS for group in door.services for s in group)
    also = (s for services in (*ELEVATIONS.values(), SU) for s in services)
    found: dict[str, tuple[pam.Entry, ...] | Unknown] = {}
    for service in (*ours, *also, *more, OTHER):
        name = pam.asked_as(service)
        if service == OTHER or pam.untold(files, name) or pam.service_text(files.texts, name) is not None:
            told = _stack(files, name)
            kept = told if isinstance(told, Unknown) else [e for e in told if certificates or e.module != CERTIFICATES]
            found[service] = kept if isinstance(kept, Unknown) else tuple(kept)
    return found


def _stack(files: Files, name: str) -> tuple[pam.Entry, ...] | Unknown:
    told = pam.untold(files, name) or files.missing or pam.stack(files.texts, name)
    if told == () and name != OTHER:
        return _stack(files, OTHER)
    return (files.gap or told) if isinstance(told, Unknown) else told


def who_is(host: Host, name: str, *, called_by_root: bool = True) -> pam.Who:
    account = host.people.accounts.get(name)
    return pam.Who(
        name,
        account.uid if account else None,
        local=account is not None,
        groups=host.groups.get(name, frozenset()),
        empty_password_allowed=host.proofs.empty(name),
        no_password=host.proofs.locked(name),
        called_by_root=called_by_root,
        has=host.proofs.has(name),
        lacks=host.proofs.lacks(name),
    )
