"""What sshd, PAM and the accounts of a host told in; per account and source, the ways in and the proofs they take, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from ipaddress import ip_address, ip_network

from auditor.model import Unknown
from auditor.readers import pam, passwd, sshd
from auditor.readers.enrolment import Proofs
from auditor.readers.files import Files

ANY = "any address"
MOST_SAMPLES = 32  # of AllowUsers and DenyUsers; more make the list incomplete
BOUND = ", where its keys are bound to"
OUTSIDE = "192.0.2.1"  # RFC 5737: an address that is in no zone
DEFAULT_SOURCES = (OUTSIDE, "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Host:
    """What the answers told, once all of them are readable. `sources`: the addresses of zones, if any was given.

    `groups` by account; `stacks` by PAM service.
    """

    asked: sshd.Asked
    people: passwd.People
    groups: Mapping[str, frozenset[str]]
    stacks: Mapping[str, tuple[pam.Entry, ...] | Unknown]
    proofs: Proofs
    sources: tuple[str, ...]


def host(asked: sshd.Asked, people: passwd.People, texts: Files, proofs: Proofs, given: tuple[str, ...]) -> Host:
    services = {_service(context.settings) for context in asked.contexts}
    stacks = {service: texts.missing or pam.stack(texts.texts, service) for service in services}
    told = {name: (texts.gap or one) if isinstance(one, Unknown) else one for name, one in stacks.items()}
    return Host(asked, people, people.memberships(), told, proofs, given)


def _service(settings: sshd.Settings) -> str:
    return sshd.first(settings, "pamservicename", "sshd")


@dataclass(frozen=True, slots=True)
class Login:
    """One account from one source: shut out (None), or whether two proofs are asked.

    `outside`: the source stands for addresses that are of no zone.
    """

    account: str
    source: str
    two_factors: bool | Unknown | None
    methods: str = ""
    reason: str = ""
    outside: bool = True


def sources(given: Iterable[str]) -> tuple[str, ...]:
    """The addresses given; of a network, its first. A text that is no address is no source."""
    return tuple(dict.fromkeys(a for one in given for a in _address(one)))


def tried(given: tuple[str, ...]) -> tuple[str, ...]:
    """The sources that sshd is asked about: those given and one from elsewhere."""
    return (*given, OUTSIDE) if given else DEFAULT_SOURCES


def gap(host: Host, collective: tuple[str, ...]) -> Unknown | None:
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
    if asked.named and any(sshd.first(c.settings, "usedns") == "yes" for c in asked.contexts):
        return Unknown("not_told", "the configuration depends on the name of the source: Match Host")
    if "address" in asked.vary and not host.sources:
        return Unknown("not_asked", "the configuration depends on the source address and no zone is given")
    named = [sshd.by_source(c.settings) for c in asked.contexts]
    if any(len(patterns) > MOST_SAMPLES for patterns in named):
        return Unknown("not_asked", "AllowUsers and DenyUsers name more sources than are tried")
    untried = next((p for patterns in named for p in patterns if _is_address(p) and not [*_sample(p)]), None)
    if untried:
        return Unknown("not_asked", f"AllowUsers or DenyUsers name sources that are not tried: {untried[:60]}")
    if collective:
        return Unknown("not_told", f"who is in {' '.join(collective)}")
    return None


def _is_address(pattern: str) -> bool:
    """Whether a pattern can be of addresses, and not of names alone."""
    return not re.search(r"[g-zG-Z]", pattern)


def _address(text: str) -> Iterator[str]:
    try:
        if "/" in text:
            network = ip_network(text, strict=False)
            yield str(network[1] if network.num_addresses > 1 else network[0])
        else:
            yield str(ip_address(text))
    except ValueError:
        return


def logins(host: Host, name: str, *, held: bool = False) -> Iterator[Login]:
    """`held`: leaves out the ways that take a proof which the account surely does not have (no key, a locked password)."""
    contexts = host.asked.of(name)
    account = host.people.accounts.get(name)
    if account and not account.can_log_in:
        yield Login(name, ANY, None)
        return
    if not contexts or ("user" in host.asked.vary and name in host.asked.left):
        yield Login(name, ANY, Unknown("not_asked", "more accounts than one question asks of"))
    for context in contexts:
        for address in addresses(host, context):
            yield from _logins(host, name, context, address, held)


def addresses(host: Host, context: sshd.Context) -> tuple[str, ...]:
    """The sources that a context stands for: its own, or all where only AllowUsers and DenyUsers tell them apart."""
    patterns = sshd.by_source(context.settings)
    if "address" in host.asked.vary or not patterns:
        return (context.address,)
    samples = tuple(a for p in patterns for a in _sample(p))
    return tuple(dict.fromkeys((*tried(host.sources), *samples[:MOST_SAMPLES])))


def _sample(pattern: str) -> Iterator[str]:
    """An address that a pattern of AllowUsers or DenyUsers takes in: 10.7.1.1 for 10.7.*."""
    text = re.sub(r"[*?]+", "1", pattern.partition("/")[0])
    dots = text.count(".")
    if pattern.endswith("*") and ":" not in text and dots < 3:
        text += ".1" * (3 - dots)
    elif pattern.endswith(":*"):
        text = text.removesuffix("1") + ":1"
    yield from (a for a in _address(text) if sshd.within(a, pattern))


def source(host: Host, context: sshd.Context, address: str) -> str:
    asked = host.asked
    depends = "address" in asked.vary or sshd.by_source(context.settings)
    told = [address if depends else ANY]
    told += [f"to {context.at}"] if "at" in asked.vary else []
    told += [f"port {context.port}"] if "port" in asked.vary else []
    return " ".join(told)


def _logins(host: Host, name: str, context: sshd.Context, address: str, held: bool) -> Iterator[Login]:
    """Keys that their own options bind to addresses open nothing from elsewhere."""
    keys = _keys(host, name, context.settings)
    if keys and keys.total and keys.bound == keys.total and _outside(host, context, address):
        yield _login(host, name, context, address, held, keyless=True)
        there = _login(host, name, context, address, held)
        yield replace(there, source=there.source + BOUND, outside=False)
    else:
        keyless = held and _keyless(host, name, context.settings)
        yield _login(host, name, context, address, held, keyless=keyless)


def _login(host: Host, name: str, context: sshd.Context, address: str, held: bool, *, keyless: bool = False) -> Login:
    login = Login(name, source(host, context, address), None, outside=_outside(host, context, address))
    if context.error:
        return replace(login, two_factors=Unknown("not_told", context.error))
    account = host.people.accounts.get(name)
    ways = _ways(context.settings, is_root=bool(account and account.uid == 0))
    if keyless:
        ways = tuple(way for way in ways if "publickey" not in way)
    if not ways or sshd.barred(context.settings, name, address, _groups(host, name)):
        return login
    methods = " or ".join(",".join(way) for way in ways)
    judged = [(way, *_way(host, name, context.settings, way, held)) for way in ways]
    if held:
        judged = [(way, _unless_lacking(host, name, context.settings, way, two), by) for way, two, by in judged]
    usable = [j for j in judged if j[1] is not None]
    if not usable:
        return login
    weakest = min(usable, key=lambda j: 0 if j[1] is False else 1 if isinstance(j[1], Unknown) else 2)
    reason = f"{','.join(weakest[0])}: {_named(weakest[2])}"
    return replace(login, two_factors=weakest[1], methods=methods, reason=reason)


def _unless_lacking(
    host: Host, name: str, settings: sshd.Settings, way: tuple[str, ...], two: bool | Unknown | None
) -> bool | Unknown | None:
    """One factor opens nothing to who may not hold it: False only where the account surely does."""
    if two is not False:
        return two
    keys = _keys(host, name, settings)
    if "publickey" in way and not (keys and keys.total):
        return Unknown("not_told", f"whether {name} has a key")
    if {"password", "keyboard-interactive"} & set(way) and host.proofs.password is None:
        return host.proofs.missing or Unknown("not_told", f"whether {name} has a password")
    return False


def _outside(host: Host, context: sshd.Context, address: str) -> bool:
    """Whether the source stands for addresses of no zone; a public one that a rule names may be anybody's."""
    if "address" not in host.asked.vary and not sshd.by_source(context.settings):
        return True
    return address == OUTSIDE or (address not in host.sources and _global(address))


def _global(address: str) -> bool:
    """What is no address may be anybody's."""
    try:
        return ip_address(address).is_global
    except ValueError:
        return True


def _named(proofs: frozenset[str]) -> str:
    return " + ".join(sorted(p.removeprefix(pam.TOLD_ELSEWHERE) for p in proofs)) or "no proof"


def _groups(host: Host, name: str) -> frozenset[str] | None:
    """None: a directory may put it in other groups."""
    if name not in host.people.accounts or (host.people.directory and name != "root"):
        return None
    return host.groups.get(name, frozenset())


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


def _way(host: Host, name: str, settings: sshd.Settings, way: tuple[str, ...], held: bool) -> _Judged:
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
    found = _pam_paths(host, name, settings, held) if through_pam else frozenset({pam.Path(frozenset())})
    if isinstance(found, Unknown):
        return found, frozenset(beside)
    if not found:
        return None, frozenset(beside)
    return pam.weakest(found, frozenset(beside))


def _pam_paths(host: Host, name: str, settings: sshd.Settings, held: bool) -> frozenset[pam.Path] | Unknown:
    """Key logins never come here: sshd asks no `auth` module for them."""
    entries = host.stacks[_service(settings)]
    if isinstance(entries, Unknown):
        return entries
    account = host.people.accounts.get(name)
    who = pam.Who(
        name,
        account.uid if account else None,
        local=account is not None,
        groups=host.groups.get(name, frozenset()),
        empty_password_allowed=sshd.first(settings, "permitemptypasswords") == "yes",
        no_password=held and host.proofs.locked(name),
        has=host.proofs.has(name),
        lacks=host.proofs.lacks(name),
    )
    return pam.paths(entries, who)


def _verified(host: Host, name: str, settings: sshd.Settings) -> bool:
    """Whether a key login surely takes a FIDO key with its PIN: by the settings, or by every key of the account."""
    required = "verify-required" in sshd.first(settings, "pubkeyauthoptions").split(",")
    if required and sshd.first(settings, "pubkeyacceptedalgorithms") == "sk":
        return True
    keys = _keys(host, name, settings)
    if not keys or not keys.total:
        return False
    return keys.pin == keys.total or (required and keys.fido == keys.total)


def _keys(host: Host, name: str, settings: sshd.Settings) -> sshd.Keys | None:
    """The account's keys; None where some may lie elsewhere."""
    elsewhere = [sshd.first(settings, word, "?") for word in ("authorizedkeyscommand", "trustedusercakeys")]
    files = set(" ".join(settings.get("authorizedkeysfile", ("?",))).split())
    account = host.people.accounts.get(name)
    if elsewhere != ["none", "none"] or not files <= {".ssh/authorized_keys", ".ssh/authorized_keys2"} or not account:
        return None
    each = [host.asked.keys.get(f"{account.home}/{file}", sshd.Keys()) for file in files]
    return sshd.Keys(*(sum(counts) for counts in zip(*(astuple(k) for k in each), strict=True)))


def _keyless(host: Host, name: str, settings: sshd.Settings) -> bool:
    """Whether the account surely has no key: its home was looked into, as all were."""
    account = host.people.accounts.get(name)
    if host.asked.left or not account or account.home in host.asked.dark:
        return False
    keys = _keys(host, name, settings)
    return keys is not None and keys.total == 0
