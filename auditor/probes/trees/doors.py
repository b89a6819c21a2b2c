"""What a tree of files tells of the doors other than SSH, and of who becomes root. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes import ssh_logins
from auditor.probes.doors import FACTS, facts_of, ssh_of
from auditor.probes.trees import ssh_logins as logins
from auditor.readers import doors, enrolment, passwd, sudoers
from auditor.readers.entering import ELEVATIONS, SU, host_of
from auditor.readers.entries import ANYBODY, Entry, shown
from auditor.readers.trees import doors as trees
from auditor.readers.trees import passwords as secrets
from auditor.readers.trees import people as tree_people
from auditor.readers.trees import servers, stacks, sudo, units
from auditor.readers.trees.observable import observable


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        **logins.commands(args),
        **trees.QUESTIONS,
        "shadow": secrets.SHADOW,
        "units": units.UNITS,
        "there": trees.THERE,
        "lets_in": trees.LETS_IN,
        **servers.QUESTIONS,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    """Of the doors that a link has started; that nothing else is open, and who is enrolled in what, only the host can tell."""
    tree = tree_people.read(answers["accounts"], answers["sources"])
    if isinstance(tree.people, Unknown) and tree.people.cause != "not_observable":
        return dict.fromkeys(FACTS["properties"], tree.people)
    told, rules = sudo.rules(answers["sudoers"], tree), sudoers.Rules((), passwd.People({}, {}))
    rules = replace(rules, gap=told) if isinstance(told, Unknown) else told
    known = logins.UNNAMED if isinstance(tree.people, Unknown) else tree.people
    ways = trees.read(answers, units.read(answers["units"]))
    proofs = _proofs(known, secrets.read(answers["accounts"], answers["shadow"]))
    over_ssh = ssh_logins.PROBE.trees["linux"]  # asked of every tree already, and so known
    asked, ssh = stacks.read(answers["pam"]), ssh_of(over_ssh.parse, over_ssh.commands(args), answers, args)
    facts = _with(facts_of(host_of(known, rules, asked, proofs, ways.seen, ways.vpn, ssh)), ways.more)
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
