"""A PAM service and an account in; whether every way through takes two proofs, and the proofs of the weakest, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers import pam
from auditor.readers.entering.host import OTHER, Host

Verdict = tuple[bool | Unknown, str]


def judge(host: Host, service: str, who: pam.Who, beside: frozenset[str] = frozenset()) -> Verdict | None:
    """None: nobody gets in there."""
    entries = host.stacks.get(service, host.stacks[OTHER])
    if isinstance(entries, Unknown):
        return entries, ""
    found = pam.paths(entries, who)
    if isinstance(found, Unknown):
        return found, ""
    if not found:
        return None
    two, proofs = pam.weakest(found, beside)
    if two is False and who.local and host.proofs.password is None:  # then it may be that nobody gets in
        two = host.proofs.missing or Unknown("not_told", f"whether {who.name} has a password")
    return two, named(proofs)


def weakest_of(found: Iterable[Verdict]) -> Verdict:
    return min(found, key=lambda v: 0 if v[0] is False else 1 if isinstance(v[0], Unknown) else 2)


def closed(host: Host, who: pam.Who, program: str) -> list[Verdict]:
    """Of a program whose services the host has no file of: where `other` lets nobody in, it may be that it asks another."""
    why = Unknown("not_told", f"whether {program} asks PAM, and which service: it has no file there")
    return [(why, "")] if judge(host, OTHER, replace(who, no_password=False)) is None else []


def named(proofs: frozenset[str]) -> str:
    return " + ".join(sorted(p.removeprefix(pam.TOLD_ELSEWHERE) for p in proofs)) or "no proof"
