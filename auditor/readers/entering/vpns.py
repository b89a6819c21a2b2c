"""A host in; its VPN servers, and the doors that decide themselves whom they let in, out. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model import Unknown
from auditor.readers import doors, pam, vpn
from auditor.readers.entering.host import Host, who_is
from auditor.readers.entering.logins import grouped
from auditor.readers.entering.verdicts import judge, named
from auditor.readers.entries import ANYBODY, Entry


def vpns(host: Host) -> Iterator[Entry]:
    for product, names in doors.VPNS.items():
        if host.seen.runs(names) is not True and product != "OpenVPN":  # OpenVPN is seen by its processes
            continue
        missing = host.vpn.missing is not None or product not in host.vpn.seen
        if (missing and host.seen.runs(names) is True) or product in host.vpn.more:
            why = host.vpn.missing or Unknown("not_told", f"how {product} is configured")
            yield Entry(product, ANYBODY, remote=True, two_factors=why, reason="")
        for server in host.vpn.of(product):
            yield from _vpn(host, server)
    for server in host.vpn.of("WireGuard"):
        yield from _vpn(host, server)


def _vpn(host: Host, server: vpn.Server) -> Iterator[Entry]:
    door = f"{server.product} {server.name}"
    if server.why:
        yield Entry(door, ANYBODY, remote=True, two_factors=server.why, reason="")
    elif not server.service:
        two, proofs = pam.weakest(frozenset({pam.Path(frozenset())}), server.proofs)
        yield Entry(door, ANYBODY, remote=True, two_factors=two, reason=named(proofs))
    else:
        held = [a.name for a in host.people.accounts.values() if not host.proofs.locked(a.name)]
        entries = list(grouped(door, held, lambda name: _through_pam(host, server, name)))
        if not entries or host.people.directory:
            beyond = Unknown("not_told", "whom a directory lets in") if host.people.directory else None
            yield Entry(door, ANYBODY, True, beyond or _nobody(server), named(server.proofs))
        yield from entries


def _nobody(server: vpn.Server) -> Unknown:
    return Unknown("not_told", f"whom the PAM service {server.service} lets in")


def _through_pam(host: Host, server: vpn.Server, name: str) -> list[Entry]:
    judged = judge(host, server.service, who_is(host, name), server.proofs)
    return [Entry("", name, True, *judged)] if judged else []


def undecided(host: Host) -> Iterator[Entry]:
    for product in doors.UNTOLD:
        if host.seen.untold(product):
            yield Entry(product, ANYBODY, remote=True, two_factors=_itself(product), reason="")


def to_a_desktop(host: Host) -> Unknown | None:
    """Why administrators may come in by a door that is not theirs alone."""
    return next((_itself(product) for product in doors.DESKTOPS if host.seen.untold(product)), None)


def _itself(product: str) -> Unknown:
    return Unknown("not_told", f"{product} decides itself whom it lets in")
