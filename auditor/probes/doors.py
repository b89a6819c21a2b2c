"""How administrators and others come in by other doors than SSH, and become root: which doors are served, and the proofs
that each takes. Pure.

Console and desktops are doors for whoever stands at the machine; Cockpit, xrdp, telnet, VPNs and web terminals are remote ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes import ssh_logins
from auditor.readers import doors, elevation, enrolment, listeners, pam, passwd, processes, sshd, sudoers, vpn
from auditor.readers.elevation import Service
from auditor.readers.entries import ANYBODY, Entry, listed, one_factor, shown, unsure
from auditor.readers.files import Files
from auditor.readers.undated import Parse, undated

PROOFS = ("effective", "session", "accounts", "sudoers", "pam", "proofs")


# Who is asked, and for what: sudo and doas ask the caller, su asks for root's own password.
ELEVATIONS = {"sudo": ("sudo", "sudo-i"), "sudo-rs": ("sudo", "sudo-i"), "doas": ("doas",), "pkexec": ("polkit-1",)}
SU = ("su", "su-l")
CERTIFICATES = "pam_cockpit_cert"
OURS = processes.among(*doors.PROCESSES)


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        **ssh_logins.commands(args),
        "processes": processes.PROCESSES,
        "processes_root": processes.PROCESSES_ROOT,
        "listeners": listeners.LISTENERS,
        "marks": doors.MARKS,
        "vpn": vpn.VPN,
    }


# ---------------------------------------------------------------- answers to facts


@dataclass(frozen=True, slots=True)
class _Host:
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


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    people = passwd.people(answers["accounts"])
    marks = doors.marks(answers["marks"])
    why = people if isinstance(people, Unknown) else marks
    if isinstance(people, Unknown) or isinstance(marks, Unknown):
        return dict.fromkeys(FACTS["properties"], why)
    rules = sudoers.rules(answers["sudoers"])
    if isinstance(rules, Unknown):
        rules = sudoers.Rules((), passwd.People({}, {}), gap=rules)
    everybody = replace(people, groups={**rules.groups.groups, **people.groups})
    seen = doors.Seen(
        processes.read(answers["processes_root"], answers["processes"]), listeners.read(answers["listeners"]), marks
    )
    proofs, asked = enrolment.read(answers["proofs"]), pam.read(answers["pam"])
    ssh = ssh_of(ssh_logins.parse, PROOFS, answers, args)
    return facts_of(host_of(everybody, rules, asked, proofs, seen, vpn.read(answers["vpn"]), ssh))


def host_of(
    people: passwd.People,
    rules: sudoers.Rules,
    files: Files,
    proofs: enrolment.Proofs,
    seen: doors.Seen,
    configured: vpn.Configured,
    ssh: Facts,
) -> _Host:
    found = passwd.privileged(people, rules.granting)
    return _Host(
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
    """`other` always; nothing else where the files were not told."""
    ours = (s for door in doors.DOORS for group in door.services for s in group)
    also = (s for services in (*ELEVATIONS.values(), SU) for s in services)
    found: dict[str, tuple[pam.Entry, ...] | Unknown] = {}
    for service in (*ours, *also, *more, "other"):
        if (unread := pam.untold(files, service)) is not None:
            found[service] = unread
        elif service == "other" or pam.service_text(files.texts, service) is not None:
            told = files.missing or pam.stack(files.texts, service)
            if isinstance(told, Unknown):
                found[service] = files.gap or told
            else:
                found[service] = tuple(e for e in told if certificates or e.module != CERTIFICATES)
    return found


def ssh_of(parse: Parse, names: Iterable[str], answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    try:
        return parse({name: answers[name] for name in names}, args)
    except Unreadable as why:
        return dict.fromkeys(ssh_logins.LISTS, Unknown("unreadable", str(why)))


def facts_of(host: _Host) -> Facts:
    served = {door.name: host.seen.served(door) for door in doors.DOORS}
    logins = [entry for door in doors.DOORS for entry in _of_admins(host, door, served[door.name])]
    everybodys = [
        entry for door in doors.DOORS if door.remote for entry in _of_everybody(host, door, served[door.name])
    ]
    gap = host.gap or unsure(served[door.name] for door in doors.DOORS)
    far = (
        host.seen.running.missing
        or host.vpn.missing
        or unsure(served[door.name] for door in doors.DOORS if door.remote)
    )
    before = {name: _before(host, name, logins, gap) for name in host.admins}
    remote = [shown(e) for e in (*everybodys, *_vpns(host), *_untold(host))]
    by_pam = any(served[door.name] is True for door in doors.DOORS if door.remote)
    return {
        "logins": listed([shown(e) for e in logins], gap),
        "console_one_factor": one_factor(logins, gap),
        "elevations": listed([*_elevations(host, before), *_su(host, before, everybodys)], host.gap),
        "remote_doors": listed(remote, far or (host.beyond if by_pam else None)),
        "serves_remotely": True if remote or by_pam else far or False,
    }


# ---------------------------------------------------------------- doors that PAM decides on


def _of_admins(host: _Host, door: doors.Door, served: bool | Unknown) -> Iterator[Entry]:
    if served is not True:
        return
    if f"open {door.name}" in host.seen.marks:
        yield Entry(door.name, ANYBODY, door.remote, two_factors=False, reason="it logs somebody in by itself")
    for name in host.admins:
        yield from _at(host, door, name)


def _at(host: _Host, door: doors.Door, name: str) -> Iterator[Entry]:
    account = host.people.accounts.get(name)
    if (account and not account.can_log_in) or (door.name == "Cockpit" and f"barred {name}" in host.seen.marks):
        return
    if f"other {door.name}" in host.seen.marks:
        other = Unknown("not_told", "another program than login asks there")
        yield Entry(door.name, name, door.remote, other, "")
        return
    judged = [j for s in _services(host, door) if (j := _judged(host, s, _who(host, name)))]
    if judged:
        two, proofs = min(judged, key=lambda j: 0 if j[0] is False else 1 if isinstance(j[0], Unknown) else 2)
        yield Entry(door.name, name, door.remote, two, proofs)


def _services(host: _Host, door: doors.Door) -> tuple[str, ...]:
    for group in door.services:
        found = tuple(s for s in group if s in host.stacks)
        if found:
            return found
    return ("other",)


def _who(host: _Host, name: str, *, called_by_root: bool = True) -> pam.Who:
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


_Verdict = tuple[bool | Unknown, str]


def _judged(host: _Host, service: str, who: pam.Who, beside: frozenset[str] = frozenset()) -> _Verdict | None:
    """None: nobody gets in there."""
    entries = host.stacks.get(service, host.stacks["other"])
    if isinstance(entries, Unknown):
        return entries, ""
    found = pam.paths(entries, who)
    if isinstance(found, Unknown):
        return found, ""
    if not found:
        return None
    two, proofs = pam.weakest(found, beside)
    if two is False and who.local and host.proofs.password is None:  # then it may be that nobody gets in
        two = host.proofs.missing or Unknown("not_told", f"whether {who.name} has a password")
    return two, _named(proofs)


def _named(proofs: frozenset[str]) -> str:
    return " + ".join(sorted(p.removeprefix(pam.TOLD_ELSEWHERE) for p in proofs)) or "no proof"


# ---------------------------------------------------------------- from root's own rights


def _before(host: _Host, name: str, logins: list[Entry], gap: Unknown | None) -> bool | Unknown:
    """Whether every login of an account, here and over SSH, took two factors."""
    here = [e.two_factors for e in logins if e.account in (name, ANYBODY)]
    return _every([*here, *_over_ssh(host.ssh["logins"], name), *([gap] if gap else [])])


def _over_ssh(logins: Fact, name: str = "") -> Iterator[Fact]:
    if isinstance(logins, Unknown):
        yield logins
        return
    if isinstance(logins, Partial):
        yield logins.missing
    for login in logins.items if isinstance(logins, Partial) else logins:
        if name in ("", login["account"]):
            yield login["two_factors"]


def _every(truths: Iterable[Fact]) -> bool | Unknown:
    told = list(truths)
    return False if any(t is False for t in told) else next((t for t in told if isinstance(t, Unknown)), True)


def _elevations(host: _Host, before: Mapping[str, bool | Unknown]) -> Iterator[Fact]:
    for program, services in ELEVATIONS.items():
        if f"program {program}" not in host.seen.marks:
            continue
        for name, because in host.admins.items():
            granted = any(why.startswith("sudo rule") for why in because)
            wheel = any(why in ("group sudo", "group wheel", "group admin") for why in because)
            account = host.people.accounts.get(name)
            if not (wheel if program == "pkexec" else granted) or (account and account.uid == 0):
                continue
            sudo = program.startswith("sudo")
            asked = "root" if host.rules.asks_root_password and sudo else name
            which = tuple(Service(s, usual=True) for s in services)
            if sudo:
                which = elevation.services(host.rules, name, elevation.ANYTHING, host.people) + _of_another(host, which)
            yield from _elevation(host, program, which, name, asked, before[name])


def _elevation(
    host: _Host, program: str, services: tuple[Service, ...], name: str, asked: str, before: bool | Unknown
) -> Iterator[Fact]:
    found = [s for s in services if s.name in host.stacks or not s.usual] or [Service("other")]
    who = _who(host, asked, called_by_root=False)
    open_to = [j for service in found if (j := _of_service(host, service, who))]
    if open_to:
        two, proofs = min(open_to, key=lambda j: 0 if j[0] is False else 1 if isinstance(j[0], Unknown) else 2)
        yield {"door": program, "account": name, "two_factors": two, "after_two_factors": before, "reason": proofs}


def _of_another(host: _Host, usual: tuple[Service, ...]) -> tuple[Service, ...]:
    """sudo-rs, which may also be what `sudo` starts, may not know what lines of Defaults say of PAM."""
    return tuple(replace(s, surely=False) for s in usual) if "program sudo-rs" in host.seen.marks else ()


def _of_service(host: _Host, service: Service, who: pam.Who) -> _Verdict | None:
    if not service.name:
        return elevation.WHICH, ""
    judged = _judged(host, service.name, who)
    return (elevation.WHICH, judged[1]) if judged and judged[0] is False and not service.surely else judged


def _su(host: _Host, before: Mapping[str, bool | Unknown], everybodys: list[Entry]) -> Iterator[Fact]:
    """Whoever is in may call su: what counts is how everybody came in."""
    if "program su" in host.seen.marks:
        others = _over_ssh(host.ssh["other_logins"])
        came = _every([*before.values(), *others, *(e.two_factors for e in everybodys)])
        which = tuple(Service(s, usual=True) for s in SU)
        yield from _elevation(host, "su", which, "root", "root", came)


# ---------------------------------------------------------------- doors for everybody


def _of_everybody(host: _Host, door: doors.Door, served: bool | Unknown) -> Iterator[Entry]:
    if served is True:
        names = [a.name for a in host.people.accounts.values() if a.can_log_in]
        yield from _grouped(door.name, names, lambda name: _at(host, door, name))


def _grouped(door: str, names: Iterable[str], at: Callable[[str], Iterable[Entry]]) -> Iterator[Entry]:
    """One entry for all accounts of one verdict, under the first one's name."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for name in names:
        for entry in at(name):
            found.setdefault((repr(entry.two_factors), entry.reason), []).append(entry)
    for (_, reason), entries in found.items():
        more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
        yield replace(entries[0], door=door, reason=reason + more)


def _vpns(host: _Host) -> Iterator[Entry]:
    for product, names in doors.VPNS.items():
        if host.seen.runs(names) is not True and product != "OpenVPN":  # OpenVPN is seen by its processes
            continue
        missing = host.vpn.missing is not None or product not in host.vpn.seen
        if (missing and host.seen.runs(names) is True) or product in host.vpn.more:
            why = host.vpn.missing or Unknown("not_told", f"how {product} is configured")
            yield Entry(product, ANYBODY, remote=True, two_factors=why, reason="")
        for server in host.vpn.of(product):
            yield from _vpn(host, server)
    for server in host.vpn.of("WireGuard"):
        yield from _vpn(host, server)


def _vpn(host: _Host, server: vpn.Server) -> Iterator[Entry]:
    door = f"{server.product} {server.name}"
    if server.why:
        yield Entry(door, ANYBODY, remote=True, two_factors=server.why, reason="")
    elif not server.service:
        two, proofs = pam.weakest(frozenset({pam.Path(frozenset())}), server.proofs)
        yield Entry(door, ANYBODY, remote=True, two_factors=two, reason=_named(proofs))
    else:
        held = [a.name for a in host.people.accounts.values() if not host.proofs.locked(a.name)]
        entries = list(_grouped(door, held, lambda name: _through_pam(host, server, name)))
        if not entries or host.people.directory:
            beyond = Unknown("not_told", "whom a directory lets in") if host.people.directory else None
            yield Entry(door, ANYBODY, True, beyond or _nobody(server), _named(server.proofs))
        yield from entries


def _nobody(server: vpn.Server) -> Unknown:
    return Unknown("not_told", f"whom the PAM service {server.service} lets in")


def _through_pam(host: _Host, server: vpn.Server, name: str) -> list[Entry]:
    judged = _judged(host, server.service, _who(host, name), server.proofs)
    return [Entry("", name, True, *judged)] if judged else []


def _untold(host: _Host) -> Iterator[Entry]:
    for product, names in doors.UNTOLD.items():
        if host.seen.runs(names) is True:
            why = Unknown("not_told", f"{product} decides itself whom it lets in")
            yield Entry(product, ANYBODY, remote=True, two_factors=why, reason="")


# ---------------------------------------------------------------- the probe


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _entries(description: str, **more: Any) -> dict[str, Any]:
    fields = {
        "door": _text("The door."),
        "account": _text(
            "The login, or the first of several; 'anybody' where no account is told.", **{"x-person": True}
        ),
        "two_factors": {"type": "boolean", "description": "Every way through it takes two proofs of different kinds."},
        "reason": _text("The proofs that the weakest way takes."),
        **more,
    }
    items = {"type": "object", "x-name": "door", "x-also": ["account", "reason"], "properties": fields}
    return {"type": "array", "description": description, "items": items}


_REMOTE = {"remote": {"type": "boolean", "description": "It is reached over a network."}}
FACTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "logins": _entries("Doors other than SSH that are served, for each administrator who gets through.", **_REMOTE),
        "console_one_factor": {
            "type": "array",
            "description": "Administrators' accounts that get in at the console or a desktop with one factor.",
            "items": _text("The login.", **{"x-person": True}),
        },
        "elevations": _entries(
            "What sudo, doas, pkexec and su ask of each administrator, where they ask.",
            after_two_factors={
                "type": "boolean",
                "description": "Every login that comes before it, SSH among them, took two factors.",
            },
        ),
        "serves_remotely": {"type": "boolean", "description": "The host serves a remote door other than SSH."},
        "remote_doors": _entries(
            "Remote doors other than SSH that are served, for everybody: VPNs, Cockpit, xrdp ...", **_REMOTE
        ),
    },
}


def _on_windows() -> Dialect:
    from auditor.probes.windows import doors as windows

    return Dialect(windows.commands, undated(windows.parse))


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import doors as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Second factor at other doors than SSH", "fr": "Second facteur aux autres portes que SSH"},
    facts=FACTS,
    dialects=Dialects(
        linux=Dialect(
            commands,
            undated(parse, sudoers=sudoers.nameless, effective=sshd.settled, processes=OURS, processes_root=OURS),
        ),
        windows=_on_windows,
    ),
    trees=Dialects(linux=_in_a_tree),
    arguments=ssh_logins.PROBE.arguments,
    privilege={
        "en": "root, to read sudoers, who is enrolled in what, and the settings of VPN servers",
        "fr": "root, pour lire sudoers, les enrôlements et les réglages des serveurs VPN",
    },
)
