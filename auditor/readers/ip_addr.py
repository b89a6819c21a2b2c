"""The text of `ip addr` (JSON, detailed or plain) in; the interfaces it shows out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable

# DEVTYPE of /sys/class/net/*/uevent -> the kind that iproute2 would say
_DEVTYPES = {"vlan": "vlan", "bridge": "bridge", "bond": "bond", "vxlan": "vxlan", "wireguard": "wireguard"}
_SWITCHES = ("openvswitch",)
_HEAD = re.compile(r"^\d+: (?P<name>[^@:\s]+)(?:@(?P<link>[^:\s]+))?: <[^>]*>(?P<rest>.*)$")
_VLAN_ID = re.compile(r"\bprotocol \S+ id (\d{1,4})\b")


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. `kind` is iproute2's (vlan, bridge, veth ...), "physical" for a port, "other" when not told.

    `vlan` is None when the kind is not vlan, and when the tag was not told. `link` and `master` name other interfaces.
    `filters`: a switch that puts its ports into VLANs, itself among them, by a table of its own.
    """

    name: str
    kind: str
    link: str = ""
    master: str = ""
    vlan: int | None = None
    addresses: tuple[str, ...] = ()
    filters: bool = False


def read(text: str) -> tuple[Interface, ...]:
    """Raises Unreadable when the text is neither JSON nor the text of iproute2 or busybox."""
    text = text.strip()
    found = _from_json(text) if text.startswith("[") else _from_text(text)
    if not found:
        raise Unreadable("ip addr shows no interface")  # not even lo: it did not look
    return found


def _from_json(text: str) -> tuple[Interface, ...]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("ip -j addr is not JSON") from None
    return tuple(_interface(e) for e in entries if e)  # some releases leave `{}` where a filter dropped an entry


def _interface(entry: Any) -> Interface:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("ifname"), str):
        raise Unreadable("ip -j addr does not name an interface")
    details = _mapping(entry.get("linkinfo"))
    kind = details.get("info_kind")
    vlan = _mapping(details.get("info_data")).get("id") if kind == "vlan" else None
    addresses = entry.get("addr_info", [])
    if not isinstance(addresses, list):
        raise Unreadable("ip -j addr does not list addresses")
    return Interface(
        entry["ifname"],
        kind if isinstance(kind, str) else _plain_kind(str(entry.get("link_type", ""))),
        str(entry.get("link", "")),
        str(entry.get("master", "")),
        vlan if isinstance(vlan, int) and not isinstance(vlan, bool) else None,
        tuple(_local(a) for a in addresses if a),
        kind in _SWITCHES or _mapping(details.get("info_data")).get("vlan_filtering") == 1,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _local(address: Any) -> str:
    local = address.get("local") if isinstance(address, Mapping) else None
    if not isinstance(local, str):
        raise Unreadable("ip -j addr shows an address without its text")
    return local


def _plain_kind(link_type: str) -> str:
    if link_type in ("ether", "infiniband"):
        return "physical"
    return link_type or "other"


def _from_text(text: str) -> tuple[Interface, ...]:
    lines = text.splitlines()
    said = [line for line in lines if not line.startswith("/sys/")]
    sysfs = _sysfs(lines)
    return tuple(_block(block, sysfs) for block in _blocks(said))


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line and not line[0].isspace():
            if block:
                yield block
            block = []
        if line.strip():
            block.append(line)
    if block:
        yield block


def _sysfs(lines: list[str]) -> dict[str, str]:
    """`/sys/class/net/NAME/device` for ports, `/sys/class/net/NAME/uevent:DEVTYPE=TYPE` for others -> kind by name."""
    kinds: dict[str, str] = {}
    for line in lines:
        parts = line.split("/", 5)
        if line.startswith("/sys/class/net/") and len(parts) == 6:
            if parts[5] == "device":
                kinds.setdefault(parts[4], "physical")
            elif parts[5].startswith("uevent:DEVTYPE="):
                kinds[parts[4]] = _DEVTYPES.get(parts[5].partition("=")[2], kinds.get(parts[4], "other"))
    return kinds


def _block(block: list[str], sysfs: Mapping[str, str]) -> Interface:
    head = _HEAD.match(block[0])
    if not head:
        raise Unreadable("ip addr does not have the shape of iproute2 or busybox")
    name, link = head["name"], head["link"] or ""
    words = head["rest"].split()
    link_line = next((line.split() for line in block if line.strip().startswith("link/")), ["link/"])
    details = block[2:3] if "promiscuity" in link_line else []
    kind, vlan = _text_kind(link_line[0].removeprefix("link/"), details, "promiscuity" in link_line)
    if kind == "other":
        kind = sysfs.get(name) or ("veth" if link.startswith("if") and link[2:].isdigit() else "other")
    master = words[words.index("master") + 1] if "master" in words[:-1] else ""
    filters = kind in _SWITCHES or any(" vlan_filtering 1 " in f" {line} " for line in details)
    return Interface(name, kind, link, master, vlan, tuple(_text_addresses(block)), filters)


def _text_kind(link_type: str, details: list[str], detailed: bool) -> tuple[str, int | None]:
    if link_type == "loopback":
        return "loopback", None
    word = details[0].split()[0] if details else ""
    if word and not word.startswith(("inet", "valid_lft")) and not word.endswith("_slave"):
        found = _VLAN_ID.search(details[0]) if word == "vlan" else None
        return word, int(found[1]) if found else None
    return (_plain_kind(link_type) if detailed else "other"), None


def _text_addresses(block: list[str]) -> Iterator[str]:
    for line in block[1:]:
        words = line.split()
        if words[0] in ("inet", "inet6"):
            if len(words) < 2:
                raise Unreadable("ip addr shows an address without its text")
            yield words[1].partition("/")[0]


__all__ = ["Interface", "read"]
