"""Where a network device sends its logs, whom it asks for the time, and which VLANs its ports are in. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import devices
from auditor.readers.devices import Device

NO_PORTS = Unknown("not_told", "VLANs of the ports of a switch that it manages")


def ios_commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"device": devices.question("cisco_ios")}


def fortios_commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"device": devices.question("fortios")}


def _list(items: list[Fact], gap: Unknown | None) -> Fact:
    return Partial(tuple(items), gap) if gap else items


def _to(address: str, encrypted: bool, place: str) -> dict[str, Any]:
    return {"address": address, "encrypted": encrypted, WHERE: (place,)}


# ---------------------------------------------------------------- Cisco IOS


def parse_ios(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    device = devices.cisco_ios(answers["device"])
    if device.missing:
        return dict.fromkeys(("log_targets", "time_sources", "ports"), device.missing)
    off = any(s.text == "no logging on" for s in device.settings)
    logs = [] if off else list(_logging(device))
    times = [
        _to(_address(s.words[2:]), "key" in s.words, s.place)
        for s in device.settings
        if s.text.startswith(("ntp server ", "ntp peer ")) and not s.section
    ]
    found = [_port(device, path[0], place) for path, place in device.sections if path[0].startswith("interface ")]
    return {
        "log_targets": _list([*logs], device.gap),
        "time_sources": _list([*times], device.gap),
        "ports": _list([p for p in found if p], device.gap),
    }


def _logging(device: Device) -> Iterator[dict[str, Any]]:
    for setting in device.settings:
        words = setting.words
        if words[:1] == ("logging",) and not setting.section and len(words) > 1 and words[1] not in ("trap", "on"):
            rest = words[2:] if words[1] == "host" else words[1:]
            yield _to(_address(rest), "tls" in rest, setting.place)


def _address(words: tuple[str, ...]) -> str:
    """Behind what may stand before it."""
    left = list(words)
    while left and left[0] in ("vrf", "ip", "ipv6"):
        left = left[2:] if left[0] == "vrf" else left[1:]
    return left[0] if left else "?"


def _port(device: Device, section: str, place: str) -> Fact:
    """None for what is no port of a VLAN: routed, virtual, or shut down."""
    said = [s.text for s in device.of(section)]
    name = section.removeprefix("interface ")
    if "shutdown" in said or "no switchport" in said or name.lower().startswith(("vlan", "loopback", "tunnel", "null")):
        return None
    if not any(t.startswith("switchport") for t in said):
        if any(t.startswith("ip address") for t in said):
            return None
        return {"port": name, "mode": Unknown("not_told", "a port without a line of switchport"), "untagged": _UNSAID,
                "carries_all": _UNSAID, WHERE: (place,)}  # fmt: skip
    mode = next((t.split()[2] for t in said if t.startswith("switchport mode ")), "")
    return {
        "port": name,
        "mode": mode or Unknown("not_told", "switchport mode: the default of the model"),
        "untagged": _number(said, "switchport trunk native vlan " if mode == "trunk" else "switchport access vlan "),
        "carries_all": mode == "trunk" and not any(t.startswith("switchport trunk allowed vlan ") for t in said),
        WHERE: (place,),
    }


_UNSAID = Unknown("not_told", "a port without a line of switchport")


def _number(said: list[str], words: str) -> int | Unknown:
    """VLAN 1 is the default of both (Cisco IOS Interface Command Reference)."""
    value = next((t.removeprefix(words) for t in said if t.startswith(words)), "1")
    known = value.isascii() and value.isdigit() and len(value) <= 4
    return int(value) if known else Unknown("not_told", f"the number of VLAN {value[:40]}")


# ---------------------------------------------------------------- FortiOS


def parse_fortios(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    device = devices.fortios(answers["device"])
    if device.missing:
        return dict.fromkeys(("log_targets", "time_sources", "ports"), device.missing)
    return {
        "log_targets": _list([*_syslog(device)], device.gap),
        "time_sources": _times(device),
        "ports": NO_PORTS,
    }


def _syslog(device: Device) -> Iterator[dict[str, Any]]:
    """Off unless it says otherwise; in clear unless an algorithm is set (FortiOS CLI Reference)."""
    for path, place in device.sections:
        name = path[-1].removeprefix("config log ").removesuffix(" setting")
        if name in ("syslogd", "syslogd2", "syslogd3", "syslogd4") and path[-1].startswith("config log "):
            said = {s.words[1]: s.words[2:] for s in device.settings if s.section == path and len(s.words) > 2}
            if said.get("status") == ("enable",) and said.get("server"):
                strong = said.get("enc-algorithm", ("disable",)) != ("disable",)
                yield _to(said["server"][0], strong, place)


def _times(device: Device) -> Fact:
    """Which servers it asks by itself is not in the configuration."""
    said = {s.words[1]: s.words[2:] for s in device.of("config system ntp") if len(s.words) > 2}
    if said.get("ntpsync") == ("disable",):
        return _list([], device.gap)
    if said.get("ntpsync") != ("enable",) or said.get("type") != ("custom",):
        return device.gap or Unknown("not_told", "ntp servers: the default of the release")
    found: list[Fact] = [
        _to(s.words[2], False, s.place)
        for s in device.settings
        if s.section[-2:-1] == ("config ntpserver",) and s.words[:2] == ("set", "server") and len(s.words) > 2
    ]
    return _list(found, device.gap)
