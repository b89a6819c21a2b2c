"""Who may log in over SSH as an administrator, from where, with which proofs: sshd's effective settings and PAM. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import pam, passwd, sshd, sudoers
from auditor.readers.files import Files
from auditor.readers.undated import undated

ANY = "any address"
MOST_SAMPLES = 32  # of AllowUsers and DenyUsers; more make the list incomplete
# Asked without elevation, which would hide by which way this session came. Port 22 is 0x16, a listener is in state 0A.
SESSION = Command(
    r"""if [ -n "$SSH_CONNECTION$SSH_CLIENT" ]; then echo 'way this session came over SSH'; fi
awk '$4 == "0A" && $2 ~ /:0016$/ { print "way something listens on port 22"; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
[ -r /proc/net/tcp ] && echo end""",
    timeout_s=5,
    cap_bytes=1024,
)
DEFAULT_SOURCES = ("192.0.2.1", "127.0.0.1")  # RFC 5737: an address from elsewhere; and the host itself


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    asked = replace(sshd.EFFECTIVE, arguments=_sources(args) or DEFAULT_SOURCES)
    return {
        "effective": asked,
        "session": SESSION,
        "accounts": passwd.PEOPLE,
        "sudoers": sudoers.SUDOERS,
        "pam": pam.STACKS,
    }


def _sources(args: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses given; of a network, its first. A text that is no address is no source."""
    return tuple(dict.fromkeys(a for given in args.get("sources", ()) for a in _address(str(given))))


def _address(text: str) -> Iterator[str]:
    try:
        if "/" in text:
            network = ip_network(text, strict=False)
            yield str(network[1] if network.num_addresses > 1 else network[0])
        else:
            yield str(ip_address(text))
    except ValueError:
        return


# ---------------------------------------------------------------- answers to facts


@dataclass(frozen=True, slots=True)
class _Host:
    """What the answers told, once all of them are readable."""

    asked: sshd.Asked
    people: passwd.People
    admins: Mapping[str, tuple[str, ...]]
    pam: Files
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Login:
    """One account from one source: shut out (None), or whether two proofs are asked."""

    account: str
    source: str
    two_factors: bool | Unknown | None
    methods: str = ""
    reason: str = ""


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    effective = answers["effective"]
    if isinstance(effective, Failure):
        return _untold(effective.unknown(), effective.unknown(), effective.unknown())
    asked = sshd.read(effective.text)
    if asked.path is None and not (asked.running or asked.others):
        return _nothing_serves(answers["session"])
    if asked.path is None:
        door = Unknown(
            "not_told", f"an SSH server that is not asked: {' '.join((*asked.others, *asked.running))[:120]}"
        )
        return _untold(True, door, door)
    valid = _valid(asked)
    if asked.running and len(asked.started_otherwise) == len(asked.running):
        return _untold(True, valid, Unknown("not_told", f"sshd runs as: {asked.started_otherwise[0][:120]}"))
    people, rules = passwd.people(answers["accounts"]), sudoers.rules(answers["sudoers"])
    if isinstance(people, Unknown):
        return _untold(True, valid, people)
    if isinstance(rules, Unknown):
        rules = sudoers.Rules((), passwd.People({}, {}), gap=rules)
    everybody = replace(people, groups={**rules.groups.groups, **people.groups})
    found = passwd.privileged(everybody, rules.granting)
    host = _Host(asked, everybody, _expanded(found, people), pam.read(answers["pam"]), _sources(args))
    unlisted = tuple(c for c in found.collective if c != "ALL")
    return {"installed": True, "config_valid": valid, **_told(host, unlisted, rules.gap)}


def _nothing_serves(session: Answer) -> Facts:
    """No server known to us: there is none, unless somebody is served all the same."""
    if isinstance(session, Failure):
        return _untold(session.unknown(), session.unknown(), session.unknown())
    lines = session.text.splitlines()
    ways = [line.removeprefix("way ") for line in lines if line.startswith("way ")]
    if ways or "end" not in lines:
        why = Unknown(
            "not_told", "no SSH server that we know, yet " + (" and ".join(ways) or "who listens is not told")
        )
        return _untold(why, why, why)
    return {"installed": False, "config_valid": None, "logins": [], "root_logins": [], "shut_out": 0}


def _untold(installed: Fact, valid: Fact, why: Unknown) -> Facts:
    return {"installed": installed, "config_valid": valid, "logins": why, "root_logins": why, "shut_out": why}


def _valid(asked: sshd.Asked) -> bool | Unknown:
    if not asked.contexts:
        raise Unreadable("sshd was not asked")
    if any(c.error_of_configuration for c in asked.contexts):
        return False
    errors = [c.error for c in asked.contexts if c.error]
    return Unknown("not_told", errors[0]) if errors else True


def _told(host: _Host, unlisted: tuple[str, ...], rules: Unknown | None) -> Facts:
    """`unlisted`: groups whose members are not known; `rules`: why there may be more sudo rules."""
    logins = [login for name in host.admins for login in _logins(host, name)]
    open_to = [x for x in logins if x.two_factors is not None]
    roots = [a.name for a in host.people.accounts.values() if a.uid == 0]
    gap = _gap(host, unlisted) or rules
    return {
        "logins": _list([_shown(x) for x in open_to], gap),
        "root_logins": _list([r for name in roots for r in _root(host, name, logins)], _gap(host, ())),
        "shut_out": gap or len(set(host.admins) - {x.account for x in open_to}),
    }


def _expanded(found: passwd.Privileged, people: passwd.People) -> Mapping[str, tuple[str, ...]]:
    """A rule for ALL makes an administrator of everybody with a shell."""
    own = {n: why for n, why in found.because.items() if n not in found.collective}
    if "ALL" in found.collective:
        for account in people.accounts.values():
            if account.can_log_in:
                own.setdefault(account.name, ("sudo rule for ALL",))
    return own


def _list(items: list[Fact], gap: Unknown | None) -> Fact:
    return Partial(tuple(items), gap) if gap else items


def _gap(host: _Host, collective: tuple[str, ...]) -> Unknown | None:
    """Why the logins shown may not be all, or not be what the running sshd asks for."""
    asked = host.asked
    if asked.newer:
        return Unknown("not_told", f"{asked.newer[0]} changed after sshd started")
    if asked.undated:
        return Unknown("not_told", "when the sshd that runs read its configuration")
    beside = (*asked.others, *asked.started_otherwise)
    if beside:
        return Unknown("not_told", f"another way in: {' '.join(beside)[:120]}")
    if asked.odd:
        return Unknown("not_told", f"the configuration depends on: {' '.join(asked.odd)}")
    if "address" in asked.vary and not host.sources:
        return Unknown("not_asked", "the configuration depends on the source address and no zone is given")
    if any(len(sshd.by_source(c.settings)) > MOST_SAMPLES for c in asked.contexts):
        return Unknown("not_asked", "AllowUsers and DenyUsers name more sources than are tried")
    if collective:
        return Unknown("not_told", f"who is in {' '.join(collective)}")
    return None


def _shown(login: _Login) -> Fact:
    return {
        "account": login.account,
        "source": login.source,
        "two_factors": login.two_factors,
        "methods": login.methods,
        "reason": login.reason,
    }


def _root(host: _Host, name: str, logins: list[_Login]) -> Iterator[Fact]:
    """One entry a context of an account with uid 0; `possible` false only where it surely cannot log in."""
    permits = {_source(host, c, a): c for c in host.asked.of(name) for a in _addresses(host, c)}
    for login in logins:
        if login.account == name:
            context = permits.get(login.source)
            permit = sshd.first(context.settings, "permitrootlogin") if context else ""
            unknown = isinstance(login.two_factors, Unknown) and not login.methods
            yield {
                "account": name,
                "source": login.source,
                "permit": permit or Unknown("not_told", context.error if context else ""),
                "possible": login.two_factors if unknown else login.two_factors is not None,
            }


# ---------------------------------------------------------------- one account


def _logins(host: _Host, name: str) -> Iterator[_Login]:
    contexts = host.asked.of(name)
    account = host.people.accounts.get(name)
    if account and not account.can_log_in:
        yield _Login(name, ANY, None)
        return
    if not contexts or ("user" in host.asked.vary and name in host.asked.left):
        yield _Login(name, ANY, Unknown("not_asked", "more accounts than one question asks of"))
    for context in contexts:
        for address in _addresses(host, context):
            yield _login(host, name, context, address)


def _addresses(host: _Host, context: sshd.Context) -> tuple[str, ...]:
    """The sources that a context stands for: its own, or all where only AllowUsers and DenyUsers tell them apart."""
    patterns = sshd.by_source(context.settings)
    if "address" in host.asked.vary or not patterns:
        return (context.address,)
    samples = tuple(a for p in patterns for a in _address(p.replace("*", "1").partition("/")[0]))
    return tuple(dict.fromkeys((*(host.sources or DEFAULT_SOURCES), *samples[:MOST_SAMPLES])))


def _source(host: _Host, context: sshd.Context, address: str) -> str:
    asked = host.asked
    depends = "address" in asked.vary or sshd.by_source(context.settings)
    told = [address if depends else ANY]
    told += [f"to {context.at}"] if "at" in asked.vary else []
    told += [f"port {context.port}"] if "port" in asked.vary else []
    return " ".join(told)


def _login(host: _Host, name: str, context: sshd.Context, address: str) -> _Login:
    source = _source(host, context, address)
    if context.error:
        return _Login(name, source, Unknown("not_told", context.error))
    account = host.people.accounts.get(name)
    ways = _ways(context.settings, is_root=bool(account and account.uid == 0))
    if not ways or sshd.barred(context.settings, name, address, _groups(host, name)):
        return _Login(name, source, None)
    methods = " or ".join(",".join(way) for way in ways)
    judged = [(way, *_way(host, name, context.settings, way)) for way in ways]
    usable = [j for j in judged if j[1] is not None]
    if not usable:
        return _Login(name, source, None)
    weakest = min(usable, key=lambda j: 0 if j[1] is False else 1 if isinstance(j[1], Unknown) else 2)
    return _Login(name, source, weakest[1], methods, f"{','.join(weakest[0])}: {_named(weakest[2])}")


def _named(proofs: frozenset[str]) -> str:
    return " + ".join(sorted(p.removeprefix(pam.TOLD_ELSEWHERE) for p in proofs)) or "no proof"


def _groups(host: _Host, name: str) -> frozenset[str] | None:
    """None: a directory may put it in other groups."""
    if name not in host.people.accounts or (host.people.directory and name != "root"):
        return None
    return host.people.groups_of(name)


def _ways(settings: sshd.Settings, is_root: bool) -> tuple[tuple[str, ...], ...]:
    """What is left to root is what PermitRootLogin leaves (sshd's auth_root_allowed)."""
    ways = sshd.alternatives(settings)
    if not is_root:
        return ways
    permit = sshd.first(settings, "permitrootlogin")
    if permit == "no":
        return ()
    if permit == "forced-commands-only":
        return tuple(w for w in ways if set(w) == {"publickey"})
    if permit in ("without-password", "prohibit-password"):
        return tuple(w for w in ways if not {"password", "keyboard-interactive"} & set(w))
    return ways


_Judged = tuple[bool | Unknown | None, frozenset[str]]


def _way(host: _Host, name: str, settings: sshd.Settings, way: tuple[str, ...]) -> _Judged:
    """Whether one way takes two proofs of different kinds; None: nobody can go it."""
    beside: set[str] = set()
    for method in way:
        if method == "publickey":
            beside |= {"key", "pin"} if _verified(host, name, settings) else {"key"}
        elif method == "password" and sshd.first(settings, "usepam") != "yes":
            beside.add("password")
        elif method not in ("password", "keyboard-interactive", "hostbased"):
            beside.add(pam.TOLD_ELSEWHERE + method)
    through_pam = sshd.first(settings, "usepam") == "yes" and {"password", "keyboard-interactive"} & set(way)
    found = _pam_paths(host, name, settings) if through_pam else frozenset({pam.Path(frozenset())})
    if isinstance(found, Unknown):
        return found, frozenset(beside)
    if not found:
        return None, frozenset(beside)
    return pam.weakest(found, frozenset(beside))


def _pam_paths(host: _Host, name: str, settings: sshd.Settings) -> frozenset[pam.Path] | Unknown:
    """Key logins never come here: sshd asks no `auth` module for them."""
    if host.pam.missing:
        return host.pam.missing
    service = sshd.first(settings, "pamservicename", "sshd")
    entries = pam.stack(host.pam.texts, service)
    if isinstance(entries, Unknown):
        return host.pam.gap or entries
    account = host.people.accounts.get(name)
    who = pam.Who(
        name,
        account.uid if account else None,
        local=account is not None,
        groups=host.people.groups_of(name),
        empty_password_allowed=sshd.first(settings, "permitemptypasswords") == "yes",
    )
    return pam.paths(entries, who)


def _verified(host: _Host, name: str, settings: sshd.Settings) -> bool:
    """Whether a key login surely takes a FIDO key with its PIN: by the settings, or by every key of the account."""
    required = "verify-required" in sshd.first(settings, "pubkeyauthoptions").split(",")
    if required and sshd.first(settings, "pubkeyacceptedalgorithms") == "sk":
        return True
    elsewhere = [sshd.first(settings, word, "?") for word in ("authorizedkeyscommand", "trustedusercakeys")]
    files = set(" ".join(settings.get("authorizedkeysfile", ("?",))).split())
    account = host.people.accounts.get(name)
    if elsewhere != ["none", "none"] or not files <= {".ssh/authorized_keys", ".ssh/authorized_keys2"} or not account:
        return False
    counts = [host.asked.keys.get(f"{account.home}/{file}", (0, 0, 0)) for file in files]
    total, fido, pin = (sum(c[i] for c in counts) for i in range(3))
    return total > 0 and (pin == total or (required and fido == total))


# ---------------------------------------------------------------- the probe


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


FACTS = {
    "type": "object",
    "properties": {
        "installed": {"type": "boolean", "description": "An SSH server is on the host."},
        "config_valid": {
            "type": "boolean",
            "description": "sshd accepts its own configuration, for every connection asked.",
        },
        "shut_out": {"type": "integer", "description": "Administrators' accounts that cannot log in over SSH at all."},
        "logins": {
            "type": "array",
            "description": "Administrators' accounts that can log in over SSH, per source that the rules tell apart.",
            "items": {
                "type": "object",
                "x-name": "account",
                "x-also": ["source", "reason"],
                "properties": {
                    "account": _text("The login.", **{"x-person": True}),
                    "source": _text("Where the connection comes from."),
                    "two_factors": {
                        "type": "boolean",
                        "description": "Every way in takes two proofs of different kinds.",
                    },
                    "methods": _text("The ways in, as sshd names them."),
                    "reason": _text("The weakest way, and the proofs it takes."),
                },
            },
        },
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

PROBE = Probe(
    title={"en": "How administrators log in over SSH", "fr": "Connexion SSH des administrateurs"},
    facts=FACTS,
    dialects={"linux": Dialect(commands, undated(parse))},
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
        "en": "root: sshd shows its effective settings to root only, and sudoers is closed to others",
        "fr": "root : sshd ne montre sa configuration effective qu'à root, et sudoers est fermé aux autres",
    },
)
