"""Who may log in over SSH, from where, with which proofs: sshd's effective settings, PAM and who is enrolled. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import enrolment, pam, passwd, ssh_ways, sshd, sudoers
from auditor.readers.ssh_ways import Host, Login
from auditor.readers.trees.nameless import nameless
from auditor.readers.undated import undated

FORWARDS = Unknown("not_told", "whether sshd forwards connections or hands out files to an account without a shell")
LISTS = ("logins", "other_logins", "root_logins")
# Asked without elevation, which would hide by which way this session came. Port 22 is 0x16, a listener is in state 0A.
SESSION = Command(
    r"""if [ -n "$SSH_CONNECTION$SSH_CLIENT" ]; then echo 'way this session came over SSH'; fi
awk '$4 == "0A" && $2 ~ /:0016$/ { print "way something listens on port 22"; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
[ -r /proc/net/tcp ] && echo end""",
    timeout_s=5,
    cap_bytes=1024,
)


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    asked = replace(sshd.EFFECTIVE, arguments=ssh_ways.tried(sources_of(args)))
    return {
        "effective": asked,
        "session": SESSION,
        "accounts": passwd.PEOPLE,
        "sudoers": sudoers.SUDOERS,
        "pam": pam.STACKS,
        "proofs": enrolment.PROOFS,
    }


def sources_of(args: Mapping[str, Any]) -> tuple[str, ...]:
    return ssh_ways.sources(str(given) for given in args.get("sources", ()))


# ---------------------------------------------------------------- answers to facts


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    effective = answers["effective"]
    if isinstance(effective, Failure):
        return untold(effective.unknown(), effective.unknown(), effective.unknown())
    asked = sshd.read(effective.text)
    if asked.path is None and not (asked.running or asked.others):
        return _nothing_serves(answers["session"])
    if asked.path is None:
        door = Unknown(
            "not_told", f"an SSH server that is not asked: {' '.join((*asked.others, *asked.running))[:120]}"
        )
        return untold(True, door, door)
    valid = _valid(asked)
    if asked.running and len(asked.started_otherwise) == len(asked.running):
        return untold(True, valid, Unknown("not_told", f"sshd runs as: {asked.started_otherwise[0][:120]}"))
    people, rules = passwd.people(answers["accounts"]), sudoers.rules(answers["sudoers"])
    if isinstance(people, Unknown):
        return untold(True, valid, people)
    if isinstance(rules, Unknown):
        rules = sudoers.Rules((), passwd.People({}, {}), gap=rules)
    everybody = replace(people, groups={**rules.groups.groups, **people.groups})
    found = passwd.privileged(everybody, rules.granting)
    proofs = enrolment.read(answers["proofs"])
    host = ssh_ways.host(asked, everybody, pam.read(answers["pam"]), proofs, sources_of(args))
    return {"installed": True, "config_valid": valid, **facts_of(host, found, rules.gap)}


def _nothing_serves(session: Answer) -> Facts:
    """No server known to us: there is none, unless somebody is served all the same."""
    if isinstance(session, Failure):
        return untold(session.unknown(), session.unknown(), session.unknown())
    lines = session.text.splitlines()
    ways = [line.removeprefix("way ") for line in lines if line.startswith("way ")]
    if ways or "end" not in lines:
        why = Unknown(
            "not_told", "no SSH server that we know, yet " + (" and ".join(ways) or "who listens is not told")
        )
        return untold(why, why, why)
    return {"installed": False, "config_valid": None, **{name: [] for name in LISTS}, "shut_out": 0}


def untold(installed: Fact, valid: Fact, why: Unknown) -> Facts:
    return {"installed": installed, "config_valid": valid, **dict.fromkeys((*LISTS, "shut_out"), why)}


def _valid(asked: sshd.Asked) -> bool | Unknown:
    if not asked.contexts:
        raise Unreadable("sshd was not asked")
    if any(c.error_of_configuration for c in asked.contexts):
        return False
    errors = [c.error for c in asked.contexts if c.error]
    return Unknown("not_told", errors[0]) if errors else True


def facts_of(host: Host, found: passwd.Privileged, rules: Unknown | None) -> Facts:
    """`rules`: why there may be more sudo rules than those that made the administrators `found`."""
    admins = passwd.expanded(found, host.people)
    logins = [login for name in admins for login in ssh_ways.logins(host, name)]
    open_to = [x for x in logins if x.two_factors is not None]
    roots = [a.name for a in host.people.accounts.values() if a.uid == 0]
    unlisted = tuple(c for c in found.collective if c != "ALL")  # groups whose members are not known
    gap = ssh_ways.gap(host, unlisted) or rules
    return {
        "logins": _list([_shown(x) for x in open_to], gap),
        "other_logins": _list([_shown(x) for x in _others(host, admins)], ssh_ways.gap(host, ()) or _beyond(host)),
        "root_logins": _list([r for name in roots for r in _root(host, name, logins)], ssh_ways.gap(host, ())),
        "shut_out": gap or len(set(admins) - {x.account for x in open_to}),
    }


def _others(host: Host, admins: Mapping[str, tuple[str, ...]]) -> Iterator[Login]:
    """The logins of whoever is no administrator, as far as the host's own files tell.

    sshd takes the password of an account without a shell as well, and may forward connections or hand out files then.
    """
    shelled = _with_shells(host)
    for account in host.people.accounts.values():
        if account.name not in admins and (account.can_log_in or shelled.people.accounts[account.name].can_log_in):
            for login in ssh_ways.logins(shelled, account.name, held=True):
                if login.two_factors is not None:
                    forwards = login.two_factors is False and not account.can_log_in
                    yield replace(login, two_factors=FORWARDS) if forwards else login


def _with_shells(host: Host) -> Host:
    """As if those had a shell that have a password and none."""
    held = host.proofs.password or {}
    bare = {n: a for n, a in host.people.accounts.items() if held.get(n) == "set" and not a.can_log_in}
    given = {name: replace(account, shell="") for name, account in bare.items()}
    return replace(host, people=replace(host.people, accounts={**host.people.accounts, **given})) if given else host


def _beyond(host: Host) -> Unknown | None:
    if host.people.directory:
        return Unknown("not_told", "whom a directory lets in")
    return host.proofs.missing


def _list(items: list[Fact], gap: Unknown | None) -> Fact:
    return Partial(tuple(items), gap) if gap else items


def _shown(login: Login) -> Fact:
    return {
        "account": login.account,
        "source": login.source,
        "outside": login.outside,
        "two_factors": login.two_factors,
        "methods": login.methods,
        "reason": login.reason,
    }


def _root(host: Host, name: str, logins: list[Login]) -> Iterator[Fact]:
    """One entry a context of an account with uid 0; `possible` false only where it surely cannot log in."""
    permits = {ssh_ways.source(host, c, a): c for c in host.asked.of(name) for a in ssh_ways.addresses(host, c)}
    for login in logins:
        if login.account == name:
            context = permits.get(login.source.removesuffix(ssh_ways.BOUND))
            permit = sshd.first(context.settings, "permitrootlogin") if context else ""
            unknown = isinstance(login.two_factors, Unknown) and not login.methods
            yield {
                "account": name,
                "source": login.source,
                "permit": permit or Unknown("not_told", context.error if context else ""),
                "possible": login.two_factors if unknown else login.two_factors is not None,
            }


# ---------------------------------------------------------------- the probe


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


_LOGINS = {
    "type": "array",
    "items": {
        "type": "object",
        "x-name": "account",
        "x-also": ["source", "reason"],
        "properties": {
            "account": _text("The login.", **{"x-person": True}),
            "source": _text("Where the connection comes from."),
            "outside": {"type": "boolean", "description": "The source stands for addresses that are of no zone."},
            "two_factors": {"type": "boolean", "description": "Every way in takes two proofs of different kinds."},
            "methods": _text("The ways in, as sshd names them."),
            "reason": _text("The weakest way, and the proofs it takes."),
        },
    },
}
FACTS = {
    "type": "object",
    "properties": {
        "installed": {"type": "boolean", "description": "An SSH server is on the host."},
        "config_valid": {
            "type": "boolean",
            "description": "sshd accepts its own configuration, for every connection asked.",
        },
        "shut_out": {"type": "integer", "description": "Administrators' accounts that cannot log in over SSH at all."},
        "logins": _LOGINS
        | {"description": "Administrators' accounts that can log in over SSH, per source that the rules tell apart."},
        "other_logins": _LOGINS
        | {"description": "The host's other accounts that have what it takes to log in over SSH, per source."},
        "root_logins": {
            "type": "array",
            "description": "Accounts with uid 0, per source that the rules tell apart.",
            "items": {
                "type": "object",
                "x-name": "account",
                "x-also": ["source", "permit"],
                "properties": {
                    "account": _text("The login.", **{"x-person": True}),
                    "source": _text("Where the connection comes from."),
                    "permit": _text("PermitRootLogin, as sshd -T prints it."),
                    "possible": {"type": "boolean", "description": "This account can log in over SSH from there."},
                },
            },
        },
    },
}


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import ssh_logins as trees

    return Dialect(trees.commands, nameless(undated(trees.parse)))


PROBE = Probe(
    title={"en": "How accounts log in over SSH", "fr": "Connexions en SSH"},
    facts=FACTS,
    dialects={"linux": Dialect(commands, undated(parse, sudoers=sudoers.nameless, effective=sshd.settled))},
    trees=Dialects(linux=_in_a_tree),
    arguments={
        "type": "object",
        "properties": {
            "sources": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Addresses that connections may come from, one a zone.",
            }
        },
        "additionalProperties": False,
    },
    privilege={
        "en": "root: sshd shows its effective settings to root only; sudoers and who is enrolled in what are closed to others",
        "fr": "root : sshd ne montre sa configuration effective qu'à root ; sudoers et les enrôlements sont fermés aux autres",
    },
)
