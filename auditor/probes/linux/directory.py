"""What a Linux host answers on its name service and the clients of directories in; its directories out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.model import Answer, Command, Fact, Facts, Failure, Unknown
from auditor.readers import nsswitch, pam, processes, realmd, sssd, winbind
from auditor.readers.directories import Seen, directories_of, joined_by, listed_of

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
SSSD_PATHS = frozenset({"/etc/sssd", "/usr/sbin/sssd", "/usr/bin/sssd"})


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
