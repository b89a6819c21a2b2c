"""By which doors a network device is administered, from where, and with what proofs, by its configuration. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import devices
from auditor.readers.devices import Device, Setting

LISTS = ("cleartext", "from_anywhere", "administrators")
CLEARTEXT = ("telnet", "http")
ALL_OF_IPV4 = "0.0.0.0"  # noqa: S104 - as a mask, of addresses that may connect
DOORS = ("ssh", "https", "telnet", "http")


def ios_commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"device": devices.question("cisco_ios")}


def fortios_commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"device": devices.question("fortios")}


def _untold(why: Unknown) -> Facts:
    return {**dict.fromkeys(LISTS, why), "by_name": why}


def _list(items: list[Fact], *gaps: Unknown | None) -> Fact:
    gap = next((g for g in gaps if g), None)
    return Partial(tuple(items), gap) if gap else items


def _door(service: str, on: str, place: str) -> dict[str, Any]:
    return {"service": service, "on": on, WHERE: (place,)}


# ---------------------------------------------------------------- Cisco IOS


def parse_ios(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    device = devices.cisco_ios(answers["device"])
    if device.missing:
        return _untold(device.missing)
    lines = [(s[0], place) for s, place in device.sections if s[0].startswith("line vty")]
    vty = [_Vty(device, name, place) for name, place in lines]
    absent = None if lines else Unknown("not_told", "no line vty in the configuration")
    silent = next((v.silent for v in vty if v.silent), absent)
    web = next((s for s in device.settings if s.text in ("ip http server", "no ip http server")), None)
    unsaid = None if web else Unknown("not_told", "ip http server: the default of the release")
    clear = [_door(w, v.name, v.place) for v in vty for w in v.doors if w == "telnet"]
    clear += [_door("http", "ip http server", web.place)] if web and web.words[0] != "no" else []
    snmp = [s for s in device.settings if s.text.startswith("snmp-server community ")]
    clear += [_door("snmp v1/v2c", f"community {n}", s.place) for n, s in enumerate(snmp, 1)]
    anywhere = [_door("vty", v.name, v.place) for v in vty if v.doors and not v.restricted]
    anywhere += [_door("snmp", f"community {n}", s.place) for n, s in enumerate(snmp, 1) if _open(s)]
    anywhere += list(_web(device))
    return {
        "cleartext": _list(clear, device.gap, silent, unsaid),
        "from_anywhere": _list(anywhere, device.gap, silent, unsaid),
        "administrators": Unknown("not_told", "who may log in is for its AAA servers to say"),
        "by_name": _by_name(device, vty),
    }


def _open(community: Setting) -> bool:
    """No access list stands at its end."""
    return community.words[-1].lower() in ("***", "ro", "rw")


def _web(device: Device) -> Iterator[Fact]:
    bound = any(s.text.startswith("ip http access-class") for s in device.settings)
    for setting in device.settings:
        if setting.text in ("ip http server", "ip http secure-server") and not bound:
            yield _door("web", setting.text, setting.place)


class _Vty:
    """One `line vty` section. Without `transport input`, which doors it opens is the default of its release."""

    def __init__(self, device: Device, name: str, place: str) -> None:
        self.name = name
        settings = list(device.of(name))
        inputs = [s for s in settings if s.text.startswith("transport input ")]
        said = inputs[-1].words[2:] if inputs else ()
        self.place = inputs[-1].place if inputs else place
        self.doors = ("ssh", "telnet") if "all" in said else tuple(w for w in said if w in DOORS)
        self.silent = None if inputs else Unknown("not_told", f"{name}: transport input is the default of the release")
        self.restricted = any(s.text.startswith("access-class ") and s.words[-1] != "out" for s in settings)
        self.login = next((s for s in settings if s.text.startswith(("login", "no login"))), None)


def _by_name(device: Device, vty: list[_Vty]) -> Fact:
    """False where a line lets in with no name: a password of its own, or nothing."""
    aaa = [s.text for s in device.settings if s.text.endswith("aaa new-model")]
    if aaa and not aaa[-1].startswith("no "):
        methods = [s for s in device.settings if s.text.startswith("aaa authentication login ")]
        weak = any(w in s.words[4:] for s in methods for w in ("none", "line", "enable"))
        return Unknown("not_told", "a way in that asks no name, when its servers are away") if weak else True
    if not vty or any(v.login is None for v in vty):
        return device.gap or Unknown("not_told", "login of a line: the default of the release")
    return all(v.login is not None and v.login.text == "login local" for v in vty)


# ---------------------------------------------------------------- FortiOS


def parse_fortios(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    device = devices.fortios(answers["device"])
    if device.missing:
        return _untold(device.missing)
    clear: list[Fact] = [
        _door(word, s.section[-1].removeprefix("edit "), s.place)
        for s in device.settings
        if s.section[-2:-1] == ("config system interface",) and s.words[:2] == ("set", "allowaccess")
        for word in s.words[2:]
        if word in CLEARTEXT
    ]
    clear += list(_communities(device))
    admins = [_admin(device, path, place) for path, place in device.sections if path[-2:-1] == ("config system admin",)]
    none = None if admins else Unknown("not_told", "no administrator in the configuration")
    return {
        "cleartext": _list(clear, device.gap),
        "from_anywhere": _list(list(_anywhere(admins)), device.gap, none),
        "administrators": _list([*admins], device.gap, none),
        "by_name": True,
    }


def _communities(device: Device) -> Iterator[Fact]:
    """Queries of v1 and v2c are on unless the community says otherwise (FortiOS CLI Reference)."""
    for path, place in device.sections:
        if path[-2:-1] == ("config system snmp community",):
            said = _said(device, path)
            queries = [said.get(f"query-{v}-status", ("enable",)) for v in ("v1", "v2c")]
            if said.get("status") != ("disable",) and ("enable",) in queries:
                yield _door("snmp v1/v2c", path[-1].replace("edit", "community"), place)


def _said(device: Device, path: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {s.words[1]: s.words[2:] for s in _under(device, path) if s.words[0] == "set" and len(s.words) > 1}


def _under(device: Device, path: tuple[str, ...]) -> Iterator[Setting]:
    return (s for s in device.settings if s.section == path)


def _admin(device: Device, path: tuple[str, ...], place: str) -> dict[str, Any]:
    """Trusted hosts are all, and no second factor is asked, unless said otherwise (FortiOS CLI Reference)."""
    said = _said(device, path)
    hosts = [v for n, v in said.items() if n.startswith(("trusthost", "ip6-trusthost"))]
    anybody = any(v[-1:] == (ALL_OF_IPV4,) or v[:1] in (("::/0",), (f"{ALL_OF_IPV4}/0",)) for v in hosts)
    elsewhere = said.get("remote-auth") == ("enable",) or said.get("wildcard") == ("enable",)
    second: Fact = said.get("two-factor", ("disable",)) != ("disable",)
    return {
        "account": path[-1].removeprefix("edit "),
        "two_factors": Unknown("not_told", "a server that authenticates it says")
        if elsewhere and not second
        else second,
        "bound": bool(hosts) and not anybody,
        WHERE: (place,),
    }


def _anywhere(admins: list[dict[str, Any]]) -> Iterator[Fact]:
    """Without their names: the line says whose it is."""
    return (_door("admin", f"account {n}", a[WHERE][0]) for n, a in enumerate(admins, 1) if not a["bound"])
