"""How administrators and others come in by other doors than SSH, and become root: which doors are served, and the proofs
that each takes. Pure.

Console and desktops are doors for whoever stands at the machine; Cockpit, xrdp, telnet, VPNs and web terminals are remote ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Facts, Unknown
from auditor.probes import ssh_logins
from auditor.readers import doors, enrolment, listeners, pam, passwd, processes, sshd, sudoers, vpn
from auditor.readers.entering import (
    Host,
    before_it,
    by_su,
    elevations,
    host_of,
    of_admins,
    of_everybody,
    to_a_desktop,
    undecided,
    vpns,
)
from auditor.readers.entries import listed, one_factor, shown, unsure
from auditor.readers.undated import Parse, undated

PROOFS = ("effective", "session", "accounts", "sudoers", "pam", "proofs")
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


def ssh_of(parse: Parse, names: Iterable[str], answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    try:
        return parse({name: answers[name] for name in names}, args)
    except Unreadable as why:
        return dict.fromkeys(ssh_logins.LISTS, Unknown("unreadable", str(why)))


def facts_of(host: Host) -> Facts:
    served = {door.name: host.seen.served(door) for door in doors.DOORS}
    logins = [entry for door in doors.DOORS for entry in of_admins(host, door, served[door.name])]
    everybodys = [entry for door in doors.DOORS if door.remote for entry in of_everybody(host, door, served[door.name])]
    gap = host.gap or unsure(served[door.name] for door in doors.DOORS)
    unseen = gap or to_a_desktop(host)
    far = (
        host.seen.running.missing
        or host.vpn.missing
        or unsure(served[door.name] for door in doors.DOORS if door.remote)
    )
    before = {name: before_it(host, name, logins, unseen) for name in host.admins}
    remote = [shown(e) for e in (*everybodys, *vpns(host), *undecided(host))]
    by_pam = any(served[door.name] is True for door in doors.DOORS if door.remote)
    return {
        "logins": listed([shown(e) for e in logins], unseen),
        "console_one_factor": one_factor(logins, gap),
        "elevations": listed([*elevations(host, before), *by_su(host, before, everybodys)], host.gap),
        "remote_doors": listed(remote, far or (host.beyond if by_pam else None)),
        "serves_remotely": True if remote or by_pam else far or False,
    }


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
