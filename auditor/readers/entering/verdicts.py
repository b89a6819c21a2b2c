"""A PAM service and an account in; whether every way through takes two proofs, and the proofs of the weakest, out. Pure."""

from __future__ import annotations

from auditor.model import Unknown
from auditor.readers import pam
from auditor.readers.entering.host import Host

Verdict = tuple[bool | Unknown, str]


def judge(host: Host, service: str, who: pam.Who, beside: frozenset[str] = frozenset()) -> Verdict | None:
    """None: nobody gets in there."""
    entries = host.stacks.get(service, host.stacks["other"])
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


def named(proofs: frozenset[str]) -> str:
    return " + ".join(sorted(p.removeprefix(pam.TOLD_ELSEWHERE) for p in proofs)) or "no proof"
