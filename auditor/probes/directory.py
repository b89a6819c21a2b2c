"""Whether a host takes its identities from a directory: which one, whether it answers, how long its cache lets in. Pure.

A directory counts when the host's name service asks for it, or when sssd is set up for it. What realmd lists counts where the
host's own configuration could not be read; that it lists nothing proves nothing, since it does not know every directory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import nsswitch, pam, processes, realmd, sssd, winbind
from auditor.readers.files import Files
from auditor.readers.undated import undated

# Principals only; the keys stay in the keytab.
KEYTAB = Command(
    r"""[ -s /etc/krb5.keytab ] || { echo absent; exit; }
command -v klist >/dev/null || { echo untold; exit; }
klist -k /etc/krb5.keytab | awk 'on { print "p:" $2 } /^-+ -+/ { on = 1 }'
echo end
""",
    elevated=True,
    cap_bytes=16384,
)

# The services that let people in; what their stacks ask is what a password is checked against.
DOORS = ("sshd", "login", "su", "sudo", "cockpit", "gdm-password", "lightdm", "sddm", "xrdp-sesman")
MODULES = {"sss": "pam_sss", "winbind": "pam_winbind", "ldap": "pam_ldap"}
DAEMONS = {"sss": ("sssd",), "winbind": ("winbindd",), "ldap": ("nslcd",), "nis": ("ypbind",)}
OURS = processes.among(*(name for names in DAEMONS.values() for name in names))
CLIENTS = {"sss": "sssd"}
CACHE = "pam_ccreds"  # keeps passwords for modules that keep none, without limit
SSSD_PATHS = frozenset({"/etc/sssd", "/usr/sbin/sssd", "/usr/bin/sssd"})


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


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "nss": nsswitch.NSS,
        "sssd": sssd.CONFIG,
        "status": sssd.STATUS,
        "realm": realmd.REALM,
        "winbind": winbind.WINBIND,
        "pam": pam.STACKS,
        "keytab": KEYTAB,
        "processes_root": processes.PROCESSES_ROOT,
        "processes": processes.PROCESSES,
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    sources = nsswitch.read(answers["nss"])
    keytab = _keytab(answers["keytab"])
    if isinstance(sources, Unknown):
        names = ("joined", "directories", "passwd_sources", "group_sources", "sudoers_sources")
        return {**dict.fromkeys(names, sources), "keytab": keytab}
    directories = directories_of(_seen(answers, sources))
    return {
        "joined": joined_by(directories),
        "directories": directories,
        "passwd_sources": listed_of(sources.passwd),
        "group_sources": listed_of(sources.group),
        "sudoers_sources": listed_of(sources.sudoers),
        "keytab": keytab,
    }


def _seen(answers: Mapping[str, Answer], sources: nsswitch.Sources) -> Seen:
    domains = sssd.domains(answers["sssd"])
    if isinstance(domains, Unknown) and not SSSD_PATHS & sources.seen:
        domains = ()  # nobody needs a privilege to see that sssd is not there
    return Seen(
        sources,
        domains,
        sssd.online(answers["status"]),
        realmd.realms(answers["realm"]),
        winbind.read(answers["winbind"]),
        pam.read(answers["pam"]),
        processes.read(answers["processes_root"], answers["processes"]),
    )


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
    hint = _option("pam_winbind", "cached_login", seen.stacks)
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
    return {"caches_logins": _asked(CACHE, seen.stacks), "cached_login_hours": None}


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
    return _asked(MODULES[source], seen.stacks)


def _asked(module: str, stacks: Files) -> bool | Unknown:
    """Whether a service that lets people in asks this module."""
    return _any(
        any(entry.module == module for entry in stack) if isinstance(stack, tuple) else stack
        for stack in _stacks(stacks)
    )


def _option(module: str, option: str, stacks: Files) -> bool | Unknown:
    return _any(
        any(e.module == module and option in {o.partition("=")[0] for o in e.options} for e in stack)
        if isinstance(stack, tuple)
        else stack
        for stack in _stacks(stacks)
    )


def _stacks(stacks: Files) -> Iterable[tuple[pam.Entry, ...] | Unknown]:
    yield from (pam.stack(stacks.texts, d) for d in DOORS if pam.service_text(stacks.texts, d) is not None)
    if stacks.gap:
        yield stacks.gap


def _any(told: Iterable[bool | Unknown]) -> bool | Unknown:
    """True on one true, else unknown on one unknown."""
    seen = list(told)
    return True if True in seen else next((one for one in seen if isinstance(one, Unknown)), False)


def _both(one: bool | Unknown, other: bool | Unknown) -> bool | Unknown:
    if one is False or other is False:
        return False
    return one if isinstance(one, Unknown) else other


def listed_of(fact: tuple[str, ...] | Unknown) -> Fact:
    return fact if isinstance(fact, Unknown) else list(fact)


def _keytab(answer: Answer) -> Fact:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if lines == ["absent"]:
        return None
    if lines == ["untold"]:
        return Unknown("not_told", "there is a keytab, and no klist to read it")
    if not lines or lines[-1] != "end" or any(not line.startswith("p:") for line in lines[:-1]):
        return Unknown("unreadable", "the list of principals is not complete")
    names = list(dict.fromkeys(line[2:] for line in lines[:-1] if line != "p:"))
    return names or Unknown("unreadable", (answer.error_text.strip() or "a keytab without principals")[:200])


def _text(says: str, kind: str = "string") -> Mapping[str, Any]:
    return {"type": kind, "description": says}


def _texts(says: str, item: str) -> Mapping[str, Any]:
    return {**_text(says, "array"), "items": _text(item)}


def _on_windows() -> Dialect:
    from auditor.probes.windows import directory as windows

    return Dialect(windows.commands, windows.parse)


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import directory as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Directory that identities come from", "fr": "Annuaire d'où viennent les identités"},
    facts={
        "type": "object",
        "properties": {
            "joined": _text(
                "Whether a directory is set up on the host: sssd, winbind, an LDAP or another name service.", "boolean"
            ),
            "directories": {
                **_text("The directories that are set up.", "array"),
                "items": {
                    "type": "object",
                    "x-name": "directory",
                    "x-also": ["client"],
                    "properties": {
                        "directory": _text("The name of the domain, or of the name service that asks it."),
                        "client": _text(
                            "What asks it on the host: sssd, winbind, ldap ...; on Windows: domain member, domain controller, entra."
                        ),
                        "provider": _text("What kind of directory it is: ad, ipa, ldap ..."),
                        "identities": _text("Whether the name service asks it for accounts.", "boolean"),
                        "logins": _text(
                            "Whether a service that lets people in checks passwords with it (PAM).", "boolean"
                        ),
                        "active": _text("Whether the client's daemon runs.", "boolean"),
                        "online": _text("Whether it answers, as the client says.", "boolean"),
                        "access": _text(
                            "Whom of it the host lets in: everybody, listed, others (all but some), directory (its own rules), nobody."
                        ),
                        "allowed": {
                            **_text("Those whom the host's own list lets in; groups with a percent sign.", "array"),
                            "items": {**_text("A login, or %group."), "x-person": True},
                        },
                        "caches_logins": _text(
                            "Whether a login is taken from a cache when the directory does not answer.", "boolean"
                        ),
                        "cached_login_hours": _text(
                            "How long after its last yes; null where there is no limit.", "number"
                        ),
                    },
                },
            },
            "passwd_sources": _texts("Where accounts come from (nsswitch.conf).", "A source."),
            "group_sources": _texts("Where groups come from (nsswitch.conf).", "A source."),
            "sudoers_sources": _texts("Where sudo rules come from (nsswitch.conf).", "A source."),
            "keytab": _texts("The principals of /etc/krb5.keytab; null when there is none.", "A principal."),
        },
    },
    dialects=Dialects(
        linux=Dialect(commands, undated(parse, processes=OURS, processes_root=OURS)),
        windows=_on_windows,
    ),
    trees=Dialects(linux=_in_a_tree),
    privilege={
        "en": "Root reads sssd.conf (allowed keys only, no password), asks sssctl whether the directory answers and lists the keytab's principals.",
        "fr": "root lit sssd.conf (seulement des clés choisies, aucun mot de passe), demande à sssctl si l'annuaire répond et liste les principaux du keytab.",
    },
)
