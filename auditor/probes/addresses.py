"""Which addresses and VLAN tags a host has on the network, against those of its declared zone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import ip_addr
from auditor.readers.ip_addr import Interface
from auditor.readers.undated import undated

# An iproute2 older than 4.15 has no JSON for addresses, busybox has no details: sysfs then says what is a port.
_ADDRESSES = r"""o=$(ip -d -j addr 2>/dev/null) || o=$(ip -d addr 2>/dev/null) || {
  ip addr || exit
  for d in /sys/class/net/*/device; do [ ! -e "$d" ] || printf '%s\n' "$d"; done
  grep -s '^DEVTYPE=' /sys/class/net/*/uevent
  exit 0
}
printf '%s\n' "$o"
"""

# The interfaces of default routes. The kernel's own unreachable routes go by lo.
_ROUTES = r"""awk '$2 == "00000000" && $8 == "00000000" { print $1 }' /proc/net/route || exit
[ ! -r /proc/net/ipv6_route ] || awk '$2 == "00" && $1 ~ /^0+$/ && $10 != "lo" { print $10 }' /proc/net/ipv6_route
"""

# What only this host itself sees, unless something of the network is joined to it.
_LOCAL_KINDS = frozenset({"loopback", "dummy", "ifb", "nlmon", "vcan"})
# Ports that join a bridge to machines inside this host only.
_GUEST_KINDS = frozenset({"veth", "tun", "tap"}) | _LOCAL_KINDS
# Interfaces that lie on another, their `link`.
_UPPER_KINDS = frozenset({"vlan", "macvlan", "macvtap", "ipvlan"})

Network = IPv4Network | IPv6Network


def _commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "addresses": Command(_ADDRESSES, cap_bytes=1048576),  # a host of containers has hundreds of interfaces
        "routes": Command(_ROUTES),
    }


def _parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    interfaces = _interfaces(answers["addresses"])
    if isinstance(interfaces, Unknown):
        return dict.fromkeys(_FACTS["properties"], interfaces)
    return _told(interfaces, _carrying(interfaces, _default_routes(answers["routes"])), frozenset(), args)


def _parse_windows(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    from auditor.probes.windows import addresses as windows

    seen = windows.seen(answers)
    if isinstance(seen, Unknown):
        return dict.fromkeys(_FACTS["properties"], seen)
    return _told(seen.interfaces, seen.carrying, seen.doubtful, args)


def _told(
    interfaces: Sequence[Interface], carrying: frozenset[str], doubtful: frozenset[str], args: Mapping[str, Any]
) -> Facts:
    """`doubtful` interfaces may join the host to its own guests only: an address of theirs elsewhere tells nothing."""
    networks = _networks(args.get("networks"))
    tagged = [_tag(i, interfaces, args.get("vlan")) for i in interfaces if i.kind == "vlan"]
    unsure = _unsure(interfaces)
    return {
        "addresses": [
            {
                "address": str(a),
                "interface": i.name,
                "kind": i.kind,
                "in_zone": _in_zone(a, networks) or (_doubt(i) if i.name in doubtful else False),
            }
            for i in interfaces
            if i.name in carrying
            for a in _judged(i)
        ],
        "local_addresses": [
            {"address": str(a), "interface": i.name, "kind": i.kind}
            for i in interfaces
            if i.name not in carrying
            for a in _judged(i)
        ],
        "tagged": Partial(tuple(tagged), unsure) if unsure else tagged,
        "has_tagged": True if tagged else unsure or False,
    }


def _doubt(interface: Interface) -> Unknown:
    return Unknown("not_told", f"whether {interface.name} joins a network or the host's own guests")


def _interfaces(answer: Answer) -> tuple[Interface, ...] | Unknown:
    if isinstance(answer, Failure):
        return answer.unknown()
    if answer.exit_code != 0:
        return Unknown("not_told", answer.error_text.strip() or f"ip addr: exit code {answer.exit_code}")
    return ip_addr.read(answer.text)


def _default_routes(answer: Answer) -> frozenset[str] | None:
    """The interfaces that a default route leaves by; None when that was not told."""
    if isinstance(answer, Failure) or answer.exit_code != 0:
        return None
    return frozenset(answer.text.split())


def _carrying(interfaces: Sequence[Interface], routes: frozenset[str] | None) -> frozenset[str]:
    """Names of the interfaces that carry the network; one that could be either counts as carrying, so that it is judged.

    A bridge does when a port other than a guest's does, or when the default route leaves by it. A veth does when no port
    is in sight, as inside a container, or when the default route leaves by it.
    """
    inside_container = not any(i.kind in ("physical", *_UPPER_KINDS) for i in interfaces)
    masters = {i.master for i in interfaces if i.kind not in _GUEST_KINDS}

    def carries(one: Interface) -> bool:
        if one.kind in _LOCAL_KINDS:
            return False
        if one.kind not in ("bridge", "veth") or routes is None or one.name in routes:
            return True
        return one.name in masters if one.kind == "bridge" else inside_container and not one.master

    return frozenset(i.name for i in interfaces if carries(i))


def _judged(interface: Interface) -> list[IPv4Address | IPv6Address]:
    """Its addresses that others can reach, whatever scope the host's administrator gave them."""
    addresses = [_address(text) for text in interface.addresses]
    return [a for a in addresses if not (a.is_link_local or a.is_loopback or a.is_multicast or a.is_unspecified)]


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        raise Unreadable("something that is no address is shown as one") from None


def _networks(texts: Any) -> list[Network] | Unknown:
    if not isinstance(texts, list | tuple) or not texts:
        return Unknown("nothing_asked", "the host's zone declares no addresses")
    try:
        return [ip_network(text, strict=False) for text in texts]
    except (ValueError, TypeError):
        return Unknown("type_mismatch", "the addresses of the host's zone are no networks")


def _in_zone(address: IPv4Address | IPv6Address, networks: list[Network] | Unknown) -> bool | Unknown:
    return networks if isinstance(networks, Unknown) else any(address in n for n in networks)


def _unsure(interfaces: Sequence[Interface]) -> Unknown | None:
    """Why there may be tagged interfaces that were not told as such."""
    names = [i.name for i in interfaces if i.kind == "other"]
    if names:
        return Unknown("not_told", "the kind of " + " ".join(names))
    switched = [i.name for i in interfaces if i.filters and _judged(i)]
    return Unknown("not_told", "the VLANs of " + " ".join(switched)) if switched else None


def _tag(one: Interface, interfaces: Sequence[Interface], vlan: Any) -> dict[str, Fact]:
    tag: Fact = Unknown("not_told", "the VLAN of " + one.name) if one.vlan is None else one.vlan
    if isinstance(vlan, bool) or not isinstance(vlan, int):
        same: Fact = Unknown("nothing_asked", "the host's zone declares no VLAN")
    else:
        same = tag if isinstance(tag, Unknown) else tag == vlan
    on_it = _above(one, interfaces)
    addressed = any(_judged(i) for i in interfaces if i.name in on_it)
    return {"interface": one.name, "vlan": tag, "in_zone_vlan": same, "addressed": addressed}


def _above(one: Interface, interfaces: Sequence[Interface]) -> frozenset[str]:
    """The interface, the bridges and bonds that it is a port of, and what lies upon these."""
    names = {one.name}
    while True:
        more = {i.master for i in interfaces if i.name in names and i.master}
        more |= {i.name for i in interfaces if i.link in names and i.kind in _UPPER_KINDS - {"vlan"}}
        if more <= names:
            return frozenset(names)
        names |= more


def _field(kind: str, says: str) -> dict[str, str]:
    return {"type": kind, "description": says}


_ADDRESS_FIELDS = {
    "address": _field("string", "The address."),
    "interface": _field("string", "The interface that has it."),
    "kind": _field("string", "What the interface is: physical, vlan, bridge, bond, veth, tun, other (not told) ..."),
}

_FACTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "addresses": {
            "type": "array",
            "description": "Addresses on interfaces that carry the network, tunnels among them; no link-local ones.",
            "items": {
                "type": "object",
                "x-name": "address",
                "x-also": ["interface"],
                "properties": {
                    **_ADDRESS_FIELDS,
                    "in_zone": _field("boolean", "Whether a network of the host's declared zone holds the address."),
                },
            },
        },
        "local_addresses": {
            "type": "array",
            "description": "Addresses on interfaces that join this host to nothing but its own guests and containers.",
            "items": {"type": "object", "x-name": "address", "x-also": ["interface"], "properties": _ADDRESS_FIELDS},
        },
        "tagged": {
            "type": "array",
            "description": "Interfaces with a VLAN tag.",
            "items": {
                "type": "object",
                "x-name": "interface",
                "x-also": ["vlan"],
                "properties": {
                    "interface": _field("string", "The interface."),
                    "vlan": _field("integer", "Its VLAN tag."),
                    "in_zone_vlan": _field("boolean", "Whether that is the VLAN of the host's declared zone."),
                    "addressed": _field(
                        "boolean", "Whether the host has an address on it, or on a bridge it is a port of."
                    ),
                },
            },
        },
        "has_tagged": _field("boolean", "Whether the host has an interface with a VLAN tag."),
    },
}


def _on_windows() -> Dialect:
    from auditor.probes.windows import addresses as windows

    return Dialect(windows.commands, undated(_parse_windows))


PROBE = Probe(
    title={"en": "Addresses and VLAN tags of a host", "fr": "Adresses et étiquettes VLAN d'un hôte"},
    facts=_FACTS,
    dialects=Dialects(
        linux=Dialect(_commands, undated(_parse)),
        windows=_on_windows,
    ),
    arguments={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "networks": {
                "type": "array",
                "description": "Networks (CIDR) of the host's declared zone.",
                "items": {"type": "string"},
            },
            "vlan": _field("integer", "VLAN of the host's declared zone."),
        },
    },
    privilege={
        "en": "None. Sees the network namespace that it is asked in, not those of containers or routers inside the host.",
        "fr": "Aucun. Voit l'espace réseau où la question est posée, pas ceux des conteneurs ou routeurs de l'hôte.",
    },
)
