"""What the clients of directories on a host told in; each directory that it takes identities from out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from auditor.model import Fact, Partial, Unknown
from auditor.readers import nsswitch, processes, realmd, sssd, winbind
from auditor.readers.files import Files
from auditor.readers.pam.asked import asks, has_option

MODULES = {"sss": "pam_sss", "winbind": "pam_winbind", "ldap": "pam_ldap"}
DAEMONS = {"sss": ("sssd",), "winbind": ("winbindd",), "ldap": ("nslcd",), "nis": ("ypbind",)}
OURS = processes.among(*(name for names in DAEMONS.values() for name in names))
CLIENTS = {"sss": "sssd"}
CACHE = "pam_ccreds"  # keeps passwords for modules that keep none, without limit


@dataclass(frozen=True, slots=True)
class Seen:
    """What all answers together told."""

    sources: nsswitch.Sources
    domains: tuple[sssd.Domain, ...] | Unknown
    status: Mapping[str, bool | Unknown] | bool | Unknown
    realms: tuple[realmd.Realm, ...] | Unknown
    winbind: winbind.Winbind | Unknown
    stacks: Files
    running: processes.Processes


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory, as the facts show it; the fields are described there."""

    directory: str
    client: str
    provider: Fact
    identities: Fact
    logins: Fact
    active: Fact
    online: Fact
    access: Fact
    allowed: Fact
    caches_logins: Fact
    cached_login_hours: Fact


def directories_of(seen: Seen) -> Fact:
    """Every directory; Partial where there may be another."""
    found = [_of_sssd(domain, seen) for domain in seen.domains] if isinstance(seen.domains, tuple) else []
    gaps = [seen.domains] if isinstance(seen.domains, Unknown) else []
    sources = seen.sources.directories
    if isinstance(sources, Unknown):
        gaps.append(sources)
    else:
        found += [_of_source(source, seen) for source in sources if source != "sss"]
    if gaps and isinstance(seen.realms, tuple):
        known = {one.directory.lower() for one in found}
        found += [_of_realm(realm, seen, gaps[0]) for realm in seen.realms if _new(realm, known, found)]
    items = tuple({name: getattr(one, name) for name in Directory.__dataclass_fields__} for one in found)
    return Partial(items, gaps[0]) if gaps else list(items)


def _new(realm: realmd.Realm, known: set[str], found: Iterable[Directory]) -> bool:
    """Whether this is not what another answer told already."""
    return realm.name.lower() not in known and not any(
        one.client == "winbind" and realm.client == "winbind" for one in found
    )


def joined_by(directories: Fact) -> Fact:
    """Whether there is a directory; unknown where none was seen and one may have been missed."""
    items = directories.items if isinstance(directories, Partial) else directories
    return True if items else directories.missing if isinstance(directories, Partial) else False


def _of_sssd(domain: sssd.Domain, seen: Seen) -> Directory:
    active = _active("sss", seen)
    return Directory(
        domain.name,
        "sssd",
        domain.provider,
        _identities("sss", seen),
        _both(domain.logins, _logins("sss", seen)),
        active,
        _online(domain.name, active, seen),
        domain.access,
        listed_of(domain.allowed),
        domain.caches,
        domain.hours,
    )


def _of_realm(realm: realmd.Realm, seen: Seen, why: Unknown) -> Directory:
    source = "winbind" if realm.client == "winbind" else "sss"
    active = _active(source, seen)
    online = _online(realm.name, active, seen) if source == "sss" else _winbind_online(seen)
    return Directory(
        realm.name,
        realm.client or "?",
        realm.server or Unknown("not_told", realm.name),
        _identities(source, seen),
        _logins(source, seen),
        active,
        online,
        realm.access,
        list(realm.allowed),
        why,
        why,
    )


def _of_source(source: str, seen: Seen) -> Directory:
    """A directory of which only its name service module is known, or winbind."""
    untold = Unknown("not_told", f"of {source[:40]} on this host")
    plain = Directory(
        source,
        CLIENTS.get(source, source),
        untold,
        True,
        _logins(source, seen) if source in MODULES else untold,
        _active(source, seen),
        untold,
        untold,
        untold,
        untold,
        untold,
    )
    if source == "winbind":
        return _of_winbind(plain, seen)
    return replace(plain, **_ccreds(seen)) if source == "ldap" else plain


def _of_winbind(plain: Directory, seen: Seen) -> Directory:
    if isinstance(seen.winbind, Unknown):
        return plain
    hint = has_option("pam_winbind", "cached_login", seen.stacks)
    cached = True if seen.winbind.cached_login is True or hint is True else seen.winbind.cached_login or hint
    return replace(
        plain,
        directory=seen.winbind.name or plain.directory,
        provider="samba",
        online=_winbind_online(seen),
        caches_logins=_both(seen.winbind.offline_logon, cached),
        cached_login_hours=None,
    )


def _winbind_online(seen: Seen) -> bool | Unknown:
    if _active("winbind", seen) is False:
        return False
    return seen.winbind if isinstance(seen.winbind, Unknown) else seen.winbind.online


def _ccreds(seen: Seen) -> dict[str, Fact]:
    """nslcd keeps no passwords; a module of its own may."""
    return {"caches_logins": asks(CACHE, seen.stacks), "cached_login_hours": None}


def _online(name: str, active: bool | Unknown, seen: Seen) -> bool | Unknown:
    if active is False or seen.status is False:
        return False
    if isinstance(seen.status, Mapping):
        return seen.status.get(name.lower(), Unknown("not_told", f"whether {name[:80]} answers"))
    return seen.status if isinstance(seen.status, Unknown) else Unknown("not_told", name[:80])


def _identities(source: str, seen: Seen) -> bool | Unknown:
    sources = seen.sources.directories
    return sources if isinstance(sources, Unknown) else source in sources


def _active(source: str, seen: Seen) -> bool | Unknown:
    names = DAEMONS.get(source)
    if names is None:
        return Unknown("not_told", f"which program serves {source[:40]}")
    runs = seen.running.runs(names)
    if source == "ldap" and runs is False and "/etc/nslcd.conf" not in seen.sources.seen:
        return Unknown("not_told", "ldap may be served without a daemon")
    return runs


def _logins(source: str, seen: Seen) -> bool | Unknown:
    return asks(MODULES[source], seen.stacks)


def _both(one: bool | Unknown, other: bool | Unknown) -> bool | Unknown:
    if one is False or other is False:
        return False
    return one if isinstance(one, Unknown) else other


def listed_of(fact: tuple[str, ...] | Unknown) -> Fact:
    """The texts as a fact."""
    return fact if isinstance(fact, Unknown) else list(fact)
