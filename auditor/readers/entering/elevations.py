"""A host, and how its administrators came in, in; what sudo, doas, pkexec and su ask of them out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from auditor.model import Fact, Partial, Unknown
from auditor.readers import elevation, pam
from auditor.readers.elevation import Service
from auditor.readers.entering.host import ELEVATIONS, OTHER, SU, Host, who_is
from auditor.readers.entering.verdicts import Verdict, closed, judge, weakest_of
from auditor.readers.entries import ANYBODY, Entry


def before_it(host: Host, name: str, logins: list[Entry], gap: Unknown | None) -> bool | Unknown:
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


def elevations(host: Host, before: Mapping[str, bool | Unknown]) -> Iterator[Fact]:
    for program, services in ELEVATIONS.items():
        if f"program {program}" not in host.seen.marks:
            continue
        for name, because in host.admins.items():
            granted = any(why.startswith("sudo rule") for why in because)
            wheel = any(why in ("group sudo", "group wheel", "group admin") for why in because)
            account = host.people.accounts.get(name)
            if not (wheel if program == "pkexec" else granted) or (account and account.uid == 0):
                continue
            sudo = program.startswith("sudo")
            asked = "root" if host.rules.asks_root_password and sudo else name
            which = tuple(Service(s, usual=True) for s in services)
            if sudo:
                which = elevation.services(host.rules, name, elevation.ANYTHING, host.people) + _of_another(host, which)
            yield from _elevation(host, program, which, name, asked, before[name])


OF_LOGINS = ("sudo-i", "su-l")  # asked by those that were built with them


def _elevation(
    host: Host, program: str, services: tuple[Service, ...], name: str, asked: str, before: bool | Unknown
) -> Iterator[Fact]:
    found = [s for s in services if s.name in host.stacks or not s.usual]
    lacking = [s for s in services if s not in found and s.name in OF_LOGINS]
    which = [*found, *[Service(OTHER, surely=False) for _ in lacking]] if found else [Service(OTHER)]
    who = who_is(host, asked, called_by_root=False)
    open_to = [v for service in which if (v := _of_service(host, service, who))]
    open_to = open_to or ([] if found else closed(host, who, program))
    if open_to:
        two, proofs = weakest_of(open_to)
        yield {"door": program, "account": name, "two_factors": two, "after_two_factors": before, "reason": proofs}


def _of_another(host: Host, usual: tuple[Service, ...]) -> tuple[Service, ...]:
    """sudo-rs, which may also be what `sudo` starts, may not know what lines of Defaults say of PAM."""
    return tuple(replace(s, surely=False) for s in usual) if "program sudo-rs" in host.seen.marks else ()


def _of_service(host: Host, service: Service, who: pam.Who) -> Verdict | None:
    if not service.name:
        return elevation.WHICH, ""
    judged = judge(host, service.name, who)
    return (elevation.WHICH, judged[1]) if judged and judged[0] is False and not service.surely else judged


def by_su(host: Host, before: Mapping[str, bool | Unknown], everybodys: list[Entry]) -> Iterator[Fact]:
    """Whoever is in may call su: what counts is how everybody came in."""
    if "program su" in host.seen.marks:
        others = _over_ssh(host.ssh["other_logins"])
        came = _every([*before.values(), *others, *(e.two_factors for e in everybodys)])
        which = tuple(Service(s, usual=True) for s in SU)
        yield from _elevation(host, "su", which, "root", "root", came)
