"""What a tree of files tells of who may log in over SSH. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.probes.ssh_logins import facts_of, sources_of, untold
from auditor.readers import enrolment, passwd, ssh_ways, sshd, sudoers
from auditor.readers.ssh_ways import Host
from auditor.readers.trees import people, ssh, stacks, sudo
from auditor.readers.trees.observable import observable

ANYBODY = "any administrator"  # stands for those whom a tree without /etc/passwd does not name
UNNAMED = passwd.People(
    {"root": passwd.Account("root", 0, 0), ANYBODY: passwd.Account(ANYBODY, 1000, 1000)},
    {"sudo": passwd.Group("sudo", 27, (ANYBODY,))},
    directory=True,
)
NOT_OBSERVABLE = Failure("not_observable")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "config": ssh.CONFIG,
        "started": ssh.STARTED,
        "accounts": people.PASSWD,
        "sources": people.SOURCES,
        "sudoers": sudo.SUDOERS,
        "pam": stacks.PAM,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    """Of the connections that the files tell of; that sshd accepts them, only sshd can tell."""
    config, tree = ssh.read(answers["config"], answers["started"]), people.read(answers["accounts"], answers["sources"])
    valid = Unknown("not_observable", "sshd -t")
    if not config.main:
        why = config.gap or Unknown("not_observable")
        return untold(why, why, why)
    if isinstance(tree.people, Unknown) and tree.people.cause != "not_observable":
        return untold(True, valid, tree.people)
    told, rules = sudo.rules(answers["sudoers"], tree), sudoers.Rules((), passwd.People({}, {}))
    rules = replace(rules, gap=told) if isinstance(told, Unknown) else told
    known = UNNAMED if isinstance(tree.people, Unknown) else tree.people
    found = passwd.privileged(known, rules.granting)
    names = tuple(dict.fromkeys((*known.accounts, *passwd.expanded(found, known))))
    asked = _asked_tree(config, known, names, sources_of(args))
    host = ssh_ways.host(asked, known, stacks.read(answers["pam"]), enrolment.read(NOT_OBSERVABLE), sources_of(args))
    gap = config.gap or (tree.people if isinstance(tree.people, Unknown) else rules.gap)
    facts = facts_of(host, found, gap)
    if config.gap:
        facts = {name: _lacking(fact, config.gap) for name, fact in facts.items()}
    facts = {name: _placed(name, fact, config, host) for name, fact in facts.items()}
    facts = {"installed": True, "config_valid": valid, **facts}
    return {**observable(facts), WHERE: {"installed": (config.main,), "config_valid": (config.main,)}}


def _asked_tree(
    config: ssh.Config, known: passwd.People, names: tuple[str, ...], sources: tuple[str, ...]
) -> sshd.Asked:
    users = names if "user" in config.vary else names[:1]
    addresses = (*ssh_ways.tried(sources), *ssh.addresses(config)) if "address" in config.vary else (ssh_ways.OUTSIDE,)
    callers = [_who(known, user, address) for user in users for address in dict.fromkeys(addresses)]
    asked = ssh.asked(config, callers[:MOST_CONTEXTS])
    left = tuple(dict.fromkeys(who.user for who in callers[MOST_CONTEXTS:]))
    return replace(asked, left=left, dark=frozenset(a.home for a in known.accounts.values()))


MOST_CONTEXTS = 4000


def _who(known: passwd.People, user: str, address: str) -> ssh.Who:
    told = user in known.accounts and user != ANYBODY and (user == "root" or not known.directory)
    return ssh.Who(user, address, known.groups_of(user) if told else None)


def _lacking(fact: Fact, gap: Unknown) -> Fact:
    return Partial(tuple(fact), gap) if isinstance(fact, list) else fact


def _placed(name: str, fact: Fact, config: ssh.Config, host: Host) -> Fact:
    """Each login with the lines that decide it."""
    words = ("permitrootlogin",) if name == "root_logins" else ssh.OF_LOGINS
    items = fact.items if isinstance(fact, Partial) else fact
    if not isinstance(items, list | tuple):
        return fact
    placed = [{**i, WHERE: ssh.places(config, _of(i, host), words)} for i in items]
    return Partial(tuple(placed), fact.missing) if isinstance(fact, Partial) else placed


def _of(item: Mapping[str, Any], host: Host) -> ssh.Who:
    source = item["source"].partition(" ")[0]
    return _who(host.people, item["account"], ssh_ways.OUTSIDE if source == "any" else source)
