"""How administrators and others come in by other doors than SSH, and become root: which doors are served, and the proofs
that each takes. Pure.

Console and desktops are doors for whoever stands at the machine; Cockpit, xrdp, telnet, VPNs and web terminals are remote ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Probe
from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes import ssh_logins
from auditor.probes.windows import doors as windows
from auditor.readers import doors, enrolment, listeners, pam, passwd, processes, sshd, sudoers, vpn
from auditor.readers.entries import ANYBODY, Entry, listed, one_factor, shown, unsure
from auditor.readers.files import Files
from auditor.readers.trees import doors as trees
from auditor.readers.trees import passwords as secrets
from auditor.readers.trees import people as tree_people
from auditor.readers.trees import servers, stacks, sudo, units
from auditor.readers.trees.observable import observable
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
    roots_password: bool
    rules: Unknown | None
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
        return self.rules or self.proofs.missing

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
    ssh = _ssh(ssh_logins.parse, PROOFS, answers, args)
    return _told(_host(everybody, rules, asked, proofs, seen, vpn.read(answers["vpn"]), ssh))


def _host(
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
        roots_password=rules.asks_root_password,
        rules=rules.gap,
        groups=people.memberships(),
        stacks=_stacks(files, configured, certificates="certificates Cockpit" in seen.marks),
        proofs=proofs,
        seen=seen,
        vpn=configured,
        ssh=ssh,
    )


def _stacks(
    files: Files, configured: vpn.Configured, *, certificates: bool
) -> Mapping[str, tuple[pam.Entry, ...] | Unknown]:
    """`other` always; nothing else where the files were not told."""
    ours = (s for door in doors.DOORS for group in door.services for s in group)
    also = (s for services in (*ELEVATIONS.values(), SU) for s in services)
    found: dict[str, tuple[pam.Entry, ...] | Unknown] = {}
    unread = {path.partition(" ")[0].rpartition("/")[2] for path in (*files.denied, *files.odd)}
    for service in (*ours, *also, *(server.service for server in configured.servers), "other"):
        if files.gap and service and unread & {service, "*"}:  # it is there: `other` does not stand for it
            found[service] = files.gap
        elif service == "other" or pam.service_text(files.texts, service) is not None:
            told = files.missing or pam.stack(files.texts, service)
            if isinstance(told, Unknown):
                found[service] = files.gap or told
            else:
                found[service] = tuple(e for e in told if certificates or e.module != CERTIFICATES)
    return found


def _ssh(parse: Parse, names: Iterable[str], answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    try:
        return parse({name: answers[name] for name in names}, args)
    except Unreadable as why:
        return dict.fromkeys(ssh_logins.LISTS, Unknown("unreadable", str(why)))


def _told(host: _Host) -> Facts:
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
            asked = "root" if host.roots_password and program.startswith("sudo") else name
            yield from _elevation(host, program, services, name, asked, before[name])


def _elevation(
    host: _Host, program: str, services: tuple[str, ...], name: str, asked: str, before: bool | Unknown
) -> Iterator[Fact]:
    found = [s for s in services if s in host.stacks] or ["other"]
    who = _who(host, asked, called_by_root=False)
    judged: list[_Verdict | None] = [_judged(host, service, who) for service in found]
    if host.vpn.sudo_service and program.startswith("sudo"):
        judged = [(Unknown("not_told", "sudo is told to ask another PAM service"), "")]
    open_to = [j for j in judged if j]
    if open_to:
        two, proofs = min(open_to, key=lambda j: 0 if j[0] is False else 1 if isinstance(j[0], Unknown) else 2)
        yield {"door": program, "account": name, "two_factors": two, "after_two_factors": before, "reason": proofs}


def _su(host: _Host, before: Mapping[str, bool | Unknown], everybodys: list[Entry]) -> Iterator[Fact]:
    """Whoever is in may call su: what counts is how everybody came in."""
    if "program su" in host.seen.marks:
        others = _over_ssh(host.ssh["other_logins"])
        came = _every([*before.values(), *others, *(e.two_factors for e in everybodys)])
        yield from _elevation(host, "su", SU, "root", "root", came)


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


# ---------------------------------------------------------------- a tree of files


def tree_commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        **ssh_logins.tree_commands(args),
        **trees.QUESTIONS,
        "shadow": secrets.SHADOW,
        "units": units.UNITS,
        "there": trees.THERE,
        "lets_in": trees.LETS_IN,
        **servers.QUESTIONS,
    }


def tree_parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    """Of the doors that a link has started; that nothing else is open, and who is enrolled in what, only the host can tell."""
    tree = tree_people.read(answers["accounts"], answers["sources"])
    if isinstance(tree.people, Unknown) and tree.people.cause != "not_observable":
        return dict.fromkeys(FACTS["properties"], tree.people)
    told, rules = sudo.rules(answers["sudoers"], tree), sudoers.Rules((), passwd.People({}, {}))
    rules = replace(rules, gap=told) if isinstance(told, Unknown) else told
    known = ssh_logins.UNNAMED if isinstance(tree.people, Unknown) else tree.people
    ways = trees.read(answers, units.read(answers["units"]), sudo.another_service(answers["sudoers"]))
    proofs = _proofs(known, secrets.read(answers["accounts"], answers["shadow"]))
    over_ssh = ssh_logins.PROBE.trees["linux"]  # asked of every tree already, and so known
    asked, ssh = stacks.read(answers["pam"]), _ssh(over_ssh.parse, over_ssh.commands(args), answers, args)
    facts = _with(_told(_host(known, rules, asked, proofs, ways.seen, ways.vpn, ssh)), ways.more)
    decide: dict[str, tuple[str, ...]] = {f"pam {p.rpartition('/')[2]}": (p,) for p in [*asked.texts][::-1]}
    decide |= {f"pam OpenVPN {s.name}": decide.get(f"pam {s.service}", ()) for s in ways.vpn.of("OpenVPN")}
    return {name: _placed(fact, {**decide, **ways.where}) for name, fact in observable(facts).items()}


def _with(facts: Facts, more: Sequence[servers.Entry]) -> Facts:
    """With doors that decide themselves whom they let in."""
    remote, known = facts["remote_doors"], {entry.door: entry.why for entry in reversed(more)}
    beside = [shown(Entry(door, ANYBODY, remote=True, two_factors=why, reason="")) for door, why in known.items()]
    if not beside or isinstance(remote, Unknown):
        return facts
    told = Partial((*remote.items, *beside), remote.missing) if isinstance(remote, Partial) else [*remote, *beside]
    served = True if any(entry.sure for entry in more) else facts["serves_remotely"]
    return {**facts, "remote_doors": told, "serves_remotely": served}


def _proofs(people: passwd.People, told: secrets.Passwords) -> enrolment.Proofs:
    """Passwords, where the files tell that of every account; keys and tokens are in homes."""
    whole = people.accounts.keys() <= told.of.keys()
    unseen = Unknown("not_observable", "whether who is asked for a token has one")
    nobody: frozenset[str] = frozenset()
    states = {name: state.password for name, state in told.of.items() if state.password != "locked"}
    return enrolment.Proofs(
        states if whole else None, nobody, {}, frozenset(), nobody, nobody, unseen if whole else told.untold
    )


def _placed(fact: Fact, where: Mapping[str, tuple[str, ...]]) -> Fact:
    """Each door with what has it served, its settings, and the PAM files that decide on it."""
    items = fact.items if isinstance(fact, Partial) else fact
    if not isinstance(items, list | tuple):
        return fact
    placed = [{**i, WHERE: _places(i["door"], where)} if isinstance(i, Mapping) else i for i in items]
    return Partial(tuple(placed), fact.missing) if isinstance(fact, Partial) else placed


def _places(name: str, where: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    own = where.get(name) or where.get(name.partition(" ")[0], ())
    asked = [name, *(s for door in doors.DOORS if door.name == name for group in door.services for s in group)]
    asked += SU if name == "su" else ELEVATIONS.get(name, ())
    files = [p for s in asked for p in where.get(f"pam {s}", ())]
    return tuple(dict.fromkeys([*where.get(f"open {name}", ()), *own, *files]))[:MOST_PLACES]


MOST_PLACES = 6

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

PROBE = Probe(
    title={"en": "Second factor at other doors than SSH", "fr": "Second facteur aux autres portes que SSH"},
    facts=FACTS,
    dialects={
        "linux": Dialect(
            commands,
            undated(parse, sudoers=sudoers.nameless, effective=sshd.settled, processes=OURS, processes_root=OURS),
        ),
        "windows": Dialect(windows.commands, undated(windows.parse)),
    },
    trees={"linux": Dialect(tree_commands, undated(tree_parse))},
    arguments=ssh_logins.PROBE.arguments,
    privilege={
        "en": "root, to read sudoers, who is enrolled in what, and the settings of VPN servers",
        "fr": "root, pour lire sudoers, les enrôlements et les réglages des serveurs VPN",
    },
)
