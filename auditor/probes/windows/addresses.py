"""The interfaces of a Windows host, their addresses and VLAN tags, as the network stack and the registry tell them. Pure.

A tag that Hyper-V, NIC teaming or a vendor's driver puts on an interface of its own is not told by either: such an interface
is of kind "other". Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json
from auditor.readers.ip_addr import Interface

INTERFACES = Command(
    r"""$i = @([System.Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces() | ForEach-Object {
    $p = $_.GetIPProperties()
    $a = @($p.UnicastAddresses | ForEach-Object { $_.Address.ToString() })
    $g = @($p.GatewayAddresses | ForEach-Object { $_.Address.ToString() })
    [ordered]@{ name = $_.Name; id = $_.Id; type = [int]$_.NetworkInterfaceType; addresses = $a; gateways = $g }
})
ConvertTo-Json -InputObject ([ordered]@{ interfaces = $i }) -Depth 4 -Compress""",
    cap_bytes=262144,
)
# The class of network adapters. `VlanID` is the keyword that drivers share for the tag of a whole adapter.
ADAPTERS = Command(
    r"""$k = 'HKLM:\SYSTEM\CurrentControlSet\Control\Class\{4D36E972-E325-11CE-BFC1-08002BE10318}'
$i = @((Get-Item -LiteralPath $k -ErrorAction Stop).GetSubKeyNames() | ForEach-Object {
    if ($_ -match '^[0-9]+$') {
        $r = Get-Item -LiteralPath ($k + '\' + $_) -ErrorAction Stop
        $v = [string]$r.GetValue('VlanID')
        [ordered]@{ id = [string]$r.GetValue('NetCfgInstanceId'); traits = $r.GetValue('Characteristics'); vlan = $v }
    }
})
ConvertTo-Json -InputObject ([ordered]@{ adapters = $i }) -Depth 3 -Compress""",
    cap_bytes=262144,
)
# Of NetworkInterfaceType; 53 is a driver's own virtual one, as VPN clients have. No frame on the air has a VLAN tag.
KINDS = {24: "loopback", 23: "tun", 53: "tun", 131: "tun", 71: "wireless"}
PHYSICAL = 0x4  # of Characteristics


@dataclass(frozen=True, slots=True)
class Seen:
    """The interfaces; the names of those that carry the network, and of those that may join guests of this host only."""

    interfaces: tuple[Interface, ...]
    carrying: frozenset[str]
    doubtful: frozenset[str]


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"interfaces": INTERFACES, "adapters": ADAPTERS}


def seen(answers: Mapping[str, Answer]) -> Seen | Unknown:
    told = ps_json.read(answers["interfaces"])
    if isinstance(told, Unknown):
        return told
    adapters = _adapters(answers["adapters"])
    rows = ps_json.rows(told, "interfaces")
    interfaces = tuple(_interface(row, adapters) for row in rows)
    if not interfaces:
        raise Unreadable("no interface is shown")  # not even the loopback: it did not look
    routed = {i.name for i, row in zip(interfaces, rows, strict=True) if _leads(row)}
    return Seen(
        interfaces,
        frozenset(i.name for i in interfaces if i.kind != "loopback"),
        frozenset(i.name for i in interfaces if i.kind == "other" and i.name not in routed),
    )


_Adapters = Mapping[str, tuple[bool, int | None]]  # by id: a physical port?, its tag


def _adapters(answer: Answer) -> _Adapters:
    """None of them where they were not told: then each interface is of a kind that was not told."""
    try:
        told = ps_json.read(answer)
        rows = [] if isinstance(told, Unknown) else ps_json.rows(told, "adapters")
        return {_text(row, "id").lower(): (_physical(row), _tag(row)) for row in rows}
    except Unreadable:
        return {}


def _interface(row: Mapping[str, Any], adapters: _Adapters) -> Interface:
    kind, vlan = _kind(row, adapters)
    addresses = ps_json.texts(row.get("addresses"))
    return Interface(_text(row, "name"), kind, vlan=vlan, addresses=tuple(a.partition("%")[0] for a in addresses))


def _kind(row: Mapping[str, Any], adapters: _Adapters) -> tuple[str, int | None]:
    number = ps_json.number(row.get("type"), "NetworkInterfaceType")
    if not isinstance(number, Unknown) and number in KINDS:
        return KINDS[int(number)], None
    physical, tag = adapters.get(_text(row, "id").lower(), (False, None))
    if tag:
        return "vlan", tag if tag > 0 else None
    return ("physical" if physical else "other"), None


def _leads(row: Mapping[str, Any]) -> bool:
    """Whether it has a gateway."""
    return any(g not in ("0.0.0.0", "::") for g in ps_json.texts(row.get("gateways")))  # noqa: S104 - compared, not bound


def _physical(row: Mapping[str, Any]) -> bool:
    traits = ps_json.number(row.get("traits"), "Characteristics")
    return not isinstance(traits, Unknown) and bool(int(traits) & PHYSICAL)


def _tag(row: Mapping[str, Any]) -> int | None:
    """The tag; None when there is none, -1 when there is one that cannot be read."""
    text = _text(row, "vlan").strip()
    if text in ("", "0"):
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and int(text) < 4095 else -1


def _text(row: Mapping[str, Any], name: str) -> str:
    (text,) = ps_json.texts([row.get(name)])
    return text
