"""What a tree has started and configured of doors other than SSH in; what readers of a running host would be told out. Pure.

A unit counts as running where a link has it started. Sources: systemd.unit(5), openvpn(8), wg-quick(8), and those of
readers/vpn.py and readers/doors.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auditor.model import Answer, Command, Unknown
from auditor.readers import doors, files, listeners, processes, vpn
from auditor.readers.doors import CONSOLE
from auditor.readers.files import LINKS
from auditor.readers.trees import servers, units
from auditor.readers.trees.forwarders import worst

ROOT = "/etc/systemd/system"
PROGRAMS = ("sudo", "sudo-rs", "doas", "su", "pkexec")
ELSEWHERE = ("/usr/bin", "/bin")
OPENVPN = Command("/etc/openvpn/*.conf /etc/openvpn/server/*.conf", kind="read", mask="openvpn", cap_bytes=262144)
QUESTIONS: Mapping[str, Command] = {
    "OpenVPN": OPENVPN,
    "WireGuard": Command("/etc/wireguard/*.conf", kind="read", mask="wireguard"),
    "ipsec": Command(
        "/etc/ipsec.conf /etc/ipsec.d/*.conf /etc/strongswan/ipsec.conf", kind="read", mask="ipsec", cap_bytes=131072
    ),
    "swanctl": Command(
        "/etc/swanctl/swanctl.conf /etc/swanctl/conf.d/*.conf /etc/strongswan/swanctl/swanctl.conf"
        " /etc/strongswan/swanctl/conf.d/*.conf",
        kind="read",
        mask="swanctl",
        cap_bytes=131072,
    ),
    "ocserv": Command("/etc/ocserv/ocserv.conf /etc/ocserv.conf", kind="read", mask="ocserv"),
}
# Of programs that they are there; of sockets, aliases and targets where they lead.
THERE = Command(
    " ".join(
        [
            *(f"{folder}/{program}" for folder in ELSEWHERE for program in PROGRAMS),
            *(f"{root}/sockets.target.wants/*.socket" for root in units.ROOTS[:3]),
            *(f"{ROOT}/{name}" for name in ("*.socket", "display-manager.service", "default.target")),
            f"{ROOT}/getty.target.wants/getty@*.service",
        ]
    ),
    kind="read",
    mask=LINKS,
)
LETS_IN = Command(
    "/etc/gdm/custom.conf /etc/gdm3/daemon.conf /etc/gdm3/custom.conf /etc/gdm/daemon.conf /etc/lightdm/lightdm.conf"
    " /etc/lightdm/lightdm.conf.d/*.conf /usr/share/lightdm/lightdm.conf.d/*.conf /etc/sddm.conf /etc/sddm.conf.d/*.conf"
    " /usr/lib/sddm/sddm.conf.d/*.conf /etc/lxdm/lxdm.conf /etc/sysconfig/displaymanager /etc/cockpit/cockpit.conf"
    f" {ROOT}/getty@*.service.d/*.conf",
    kind="read",
    mask="autologin",
)
# Whose setting it is, by how the path of its file begins.
_WHOSE = {
    "/etc/gdm": "GDM", "/etc/lightdm/": "LightDM", "/usr/share/lightdm/": "LightDM", "/etc/sddm.conf": "SDDM",
    "/usr/lib/sddm/": "SDDM", "/etc/lxdm/": "LXDM", "/etc/sysconfig/": "DISPLAYMANAGER", "/etc/cockpit/": "certificates",
    ROOT: CONSOLE,
}  # fmt: skip
_MARKED = {"DISPLAYMANAGER": "open GDM", "certificates": "certificates Cockpit"}
_UNITS: Mapping[str, tuple[str, ...]] = {
    "Cockpit": ("cockpit",), "xrdp": ("xrdp",), "telnet": ("telnetd",), "rlogin": ("rlogind",),
}  # fmt: skip
_SOCKETS = {"Cockpit": "cockpit", "telnet": "telnet", "rlogin": "rlogin"}
_DESKTOPS = {
    "gdm": "GDM",
    "gdm3": "GDM",
    "lightdm": "LightDM",
    "sddm": "SDDM",
    "lxdm": "LXDM",
    "xdm": "XDM",
    "greetd": "greetd",
}
# The units of what runs as daemons of another name.
_DAEMONS: Mapping[str, tuple[str, ...]] = {
    "strongSwan": ("strongswan", "strongswan-starter", "strongswan-swanctl"),
    "ocserv": ("ocserv",),
    "Shell In A Box": ("shellinabox", "shellinaboxd"),
    "ttyd": ("ttyd",),
    "GoTTY": ("gotty",),
    "WeTTY": ("wetty",),
    "Webmin": ("webmin",),
    "Guacamole": ("guacd",),
    "OpenVPN Access Server": ("openvpnas",),
    "SoftEther": ("softether-vpnserver", "vpnserver"),
    "PPTP": ("pptpd",),
    "L2TP": ("xl2tpd",),
    "accel-ppp": ("accel-ppp",),
}
_SERVER_FILE = re.compile(r"/etc/openvpn/(server/)?([^/]+)\.conf")
_WIREGUARD_FILE = re.compile(r"/etc/wireguard/([^/]+)\.conf")
UNSEEN = Unknown("not_observable", "what else lets somebody in")


@dataclass(frozen=True, slots=True)
class Told:
    """`where`: the places that tell of a door, by the name that its entries have. `gap`: why there may be more."""

    seen: doors.Seen
    vpn: vpn.Configured
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gap: Unknown = UNSEEN
    more: tuple[servers.Entry, ...] = ()


def read(answers: Mapping[str, Answer], started: units.Units) -> Told:
    found = {name: files.read(answers[name]) for name in QUESTIONS}
    there, lets_in = files.read(answers["there"]), files.read(answers["lets_in"])
    served = servers.read(answers, started, found["OpenVPN"].texts)
    gap = worst([*(f.gap for f in found.values()), there.gap, lets_in.gap, started.gap, served.gap]) or UNSEEN
    started, where = served.units, dict[str, tuple[str, ...]]()
    more = tuple(servers.entries(served))
    where |= {entry.door: (entry.place,) for entry in reversed(more)}
    by_others = [f"served {door}" for door, place, script in served.doors if door in servers.BY_PAM and not script]
    where |= {door: (place,) for door, place, script in served.doors if door in servers.BY_PAM and not script}
    marks = frozenset(
        [*by_others, *_programs(there.texts), *_served(there.texts, started, where), *_opened(lets_in.texts, where)]
    )
    names = frozenset(processes.Process(0, "", name[: processes.NAME_LENGTH]) for name in _running(started, where))
    texts = {name: _counting(name, f.texts, started, where) for name, f in found.items()}
    configured = vpn.configured([row for name, of in texts.items() for row in _rows(name, of)])
    unseen = processes.Processes(names, gap)
    return Told(doors.Seen(unseen, listeners.Listeners(frozenset(), gap), marks), configured, where, gap, more)


def _programs(texts: Mapping[str, str]) -> Iterator[str]:
    yield from (f"program {path.rpartition('/')[2]}" for path in texts if path.startswith(ELSEWHERE))


def _served(texts: Mapping[str, str], started: units.Units, where: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Each door with the link that has it served."""
    masked = {path for path, target in texts.items() if target.endswith("dev/null")}
    links = {door: _socket(texts, socket, masked) for door, socket in _SOCKETS.items()}
    links |= {door: started.place(*names) for door, names in _UNITS.items() if started.runs(*names) is True}
    display = f"{ROOT}/display-manager.service"
    desktop = _DESKTOPS.get(texts.get(display, "").rpartition("/")[2].removesuffix(".service"), "")
    if desktop and not texts.get(f"{ROOT}/default.target", "").endswith("multi-user.target"):
        links[desktop] = (display,)
    links[CONSOLE] = tuple(p for p in texts if p.startswith(f"{ROOT}/getty.target.wants/") and p not in masked)[:1]
    for door, places in links.items():
        if places:
            where[door] = places
            yield f"served {door}"


def _socket(texts: Mapping[str, str], name: str, masked: set[str]) -> tuple[str, ...]:
    wanted = (f"{root}/sockets.target.wants/{name}.socket" for root in units.ROOTS)
    if f"{ROOT}/{name}.socket" in masked:
        return ()
    return next(((path,) for path in wanted if path in texts and path not in masked), ())


def _opened(texts: Mapping[str, str], where: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for path, text in texts.items():
        whose = next(name for begin, name in _WHOSE.items() if path.startswith(begin))
        number = next((n for n, line in enumerate(text.split("\n"), 1) if whose in line.split("\r")), 0)
        if number:
            where.setdefault(f"open {whose}", (f"{path}:{number}",))
            yield _MARKED.get(whose, f"open {whose}")
            if whose == CONSOLE:
                yield f"served {CONSOLE}"


def _running(started: units.Units, where: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """The processes of daemons that a link has started."""
    for product, names in _DAEMONS.items():
        if started.runs(*names) is True:
            where[product] = started.place(*names)
            yield (doors.VPNS.get(product) or doors.UNTOLD[product])[0]


# ---------------------------------------------------------------- VPNs


def _counting(
    name: str, texts: Mapping[str, str], started: units.Units, where: dict[str, tuple[str, ...]]
) -> Mapping[str, str]:
    """The files of servers of which each has a unit of its own, where that is started; of the others all."""
    kept = {}
    for path, text in texts.items():
        unit = _unit(path)
        if not unit or started.runs(unit) is True:
            kept[path] = text
            lines = [f"{path}:{n}" for n, line in enumerate(text.split("\n"), 1) if line]
            door = _door(name, path)
            where[door] = (*where.get(door, ()), *lines, *(started.place(unit) if unit else ()))
    return kept


def _unit(path: str) -> str:
    openvpn, wireguard = _SERVER_FILE.fullmatch(path), _WIREGUARD_FILE.fullmatch(path)
    if openvpn:
        return f"openvpn-server@{openvpn[2]}" if openvpn[1] else f"openvpn@{openvpn[2]}"
    return f"wg-quick@{wireguard[1]}" if wireguard else ""


def _door(name: str, path: str) -> str:
    """As the entries of the file's servers are named; those of strongSwan by their product, since files share connections."""
    wireguard = _WIREGUARD_FILE.fullmatch(path)
    if wireguard:
        return f"WireGuard {wireguard[1]}"
    return f"OpenVPN {path}" if name == "OpenVPN" else {"ocserv": "ocserv"}.get(name, "strongSwan")


def _rows(name: str, texts: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for path, text in texts.items():
        rows = [tuple(row.split("\t")) for line in text.split("\n") for row in line.split("\r") if row]
        if name == "OpenVPN":
            yield ("openvpn", path)
            yield from rows
        elif name == "WireGuard":
            peers, endpoints = (sum(row == (word,) for row in rows) for word in ("peer", "endpoint"))
            yield ("wireguard", _door(name, path).partition(" ")[2], str(peers), str(endpoints))
        else:
            yield (name,)
            yield from rows
