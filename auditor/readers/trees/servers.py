"""What inetd, xinetd, System V's links, rc.local and openvpn's own list start in a tree, in; the units and doors of it out. Pure.

Sources: systemd-sysv-generator(8), systemd-rc-local-generator(8), openvpn's generator for Debian, inetd.conf(5), xinetd.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from auditor.model import Answer, Command, Unknown
from auditor.readers import files
from auditor.readers.files import LINKS
from auditor.readers.trees.forwarders import worst
from auditor.readers.trees.units import Units, template

QUESTIONS: Mapping[str, Command] = {
    "rc_links": Command(
        "/etc/rc[2-5].d/S* /etc/rc.d/rc[2-5].d/S* /etc/runlevels/default/*", kind="read", mask=LINKS, cap_bytes=131072
    ),
    "rc_local": Command("/etc/rc.local /etc/rc.d/rc.local /etc/local.d/*.start", kind="read", mask="rc_local"),
    "inetd": Command("/etc/inetd.conf /etc/inetd.d/* /etc/xinetd.conf /etc/xinetd.d/*", kind="read", mask="inetd"),
    "autostart": Command("/etc/default/openvpn", kind="read", mask="autostart"),
}
INETD = ("inetd", "openbsd-inetd", "inetutils-inetd", "rlinetd")
XINETD = ("xinetd",)
# The units of doors that a host's other questions do not know.
OWN_UNITS: Mapping[str, tuple[str, ...]] = {
    "FTP": ("vsftpd", "vsftpd@", "proftpd", "pure-ftpd", "pureftpd"),
    "Dropbear": ("dropbear", "dropbear@"),
}
_LINK = re.compile(r".*/(?:S[0-9]{2}|runlevels/default/)([^/]+)")
_CONF = re.compile(r"/etc/openvpn/([^/]+)\.conf")
BY_PAM = ("telnet", "rlogin")


@dataclass(frozen=True, slots=True)
class Servers:
    """`units`: those that more than a link in a target's folder has started too. `doors`: each with the place that opens it.

    `script`: of a door, whether it is only named by a script, of which nobody knows what it does. `gap`: why there may be more.
    """

    units: Units
    doors: tuple[tuple[str, str, bool], ...]
    gap: Unknown | None


def read(answers: Mapping[str, Answer], started: Units, openvpn: Mapping[str, str]) -> Servers:
    """`openvpn`: the files of OpenVPN, by their paths."""
    found = {name: files.read(answers[name]) for name in QUESTIONS}
    linked = {name: path for name, path in _linked(found["rc_links"].texts) if not _own(name, started)}
    whole = replace(started, starts={**linked, **started.starts})
    starts = dict(_autostarted(found["autostart"].texts, whole, openvpn))
    whole = replace(whole, starts={**starts, **whole.starts})
    opened = [*_super(found["inetd"].texts, whole), *_scripted(found["rc_local"].texts), *_daemons(whole)]
    return Servers(whole, tuple(opened), worst([f.gap for f in found.values()]))


def _linked(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path, target in texts.items():
        link = _LINK.fullmatch(path)
        if link and target != "/dev/null":
            yield link[1], path


def _own(name: str, started: Units) -> bool:
    """Whether systemd goes by a unit of that name, and not by the script."""
    return name in started.there or name in started.masked


def _autostarted(texts: Mapping[str, str], started: Units, openvpn: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The units that openvpn.service starts: all of /etc/openvpn, unless a list says which."""
    lists = [
        (row[1].split(), f"{path}:{n}")
        for path, text in texts.items()
        for n, line in enumerate(text.split("\n"), 1)
        if len(row := line.split("\t")) == 2
    ]
    if "openvpn" in started.masked or not (lists or started.runs("openvpn") is True):
        return
    names, place = lists[-1] if lists else (["all"], next(iter(started.place("openvpn")), ""))
    for path in openvpn:
        conf = _CONF.fullmatch(path)
        unit = f"openvpn@{conf[1]}" if conf else ""
        if conf and {"all", conf[1]} & set(names) and not {unit, template(unit)} & started.masked.keys():
            yield unit, place


def _super(texts: Mapping[str, str], started: Units) -> Iterator[tuple[str, str, bool]]:
    lists = [row for text in texts.values() for line in text.split("\n") if len(row := line.split("\t")) == 2]
    never = {name for word, names in lists if word == "disabled" for name in names.split()}
    only = {name for word, names in lists if word == "enabled" for name in names.split()}
    for path, text in texts.items():
        names = XINETD if "/xinetd" in path else INETD
        if started.runs(*names) is True:
            yield from ((door, place, False) for door, place in _served(path, text, never, only))


def _served(path: str, text: str, never: set[str], only: set[str]) -> Iterator[tuple[str, str]]:
    """Of inetd each line; of xinetd each block that is not off, by itself or by the lists of names."""
    blocks: list[_Block] = []
    for number, line in enumerate(text.split("\n"), 1):
        word, door, name, *_ = [*line.split("\t"), "", ""]
        place = f"{path}:{number}"
        if word == "door" and door:
            yield door, place
        elif word == "service":
            blocks.append(_Block(name, [(door, place)] if door else []))
        elif blocks and word == "block":
            blocks[-1].doors.append((door, place))
        elif blocks and word == "id":
            blocks[-1].name = door
        elif blocks and word == "off":
            blocks[-1].off = True
    for block in blocks:
        unlisted = block.name in never or (only and block.name not in only)
        yield from () if block.off or unlisted else block.doors[:1]


@dataclass(slots=True)
class _Block:
    """`name`: by which lists mean it."""

    name: str
    doors: list[tuple[str, str]]
    off: bool = False


def _scripted(texts: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    for path, text in texts.items():
        for number, line in enumerate(text.split("\n"), 1):
            word, _, door = line.partition("\t")
            if word == "door":
                yield door, f"{path}:{number}", True


def _daemons(started: Units) -> Iterator[tuple[str, str, bool]]:
    for door, names in OWN_UNITS.items():
        for unit, path in started.starts.items():
            if unit in names or template(unit) in names:
                yield door, path, False


@dataclass(frozen=True, slots=True)
class Entry:
    """A door that decides itself whom it lets in. `sure`: it is served; else a script names it. `why` its factors are not told."""

    door: str
    why: Unknown
    place: str
    sure: bool


def entries(servers: Servers) -> Iterator[Entry]:
    """Of doors that no other question judges."""
    for door, place, script in servers.doors:
        if script:
            why = Unknown("not_told", f"{place} names {door}: only a shell can tell what it does")
            yield Entry(door, why, place, sure=False)
        elif door not in BY_PAM:
            yield Entry(door, Unknown("not_told", f"{door} decides itself whom it lets in"), place, sure=True)
