"""The time sources that the daemons' configuration names in; the sources out, as they are written. Pure.

Sources: chrony.conf(5), ntp.conf(5), ntpd.conf(5) of OpenNTPD, timesyncd.conf(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.readers import systemd_conf

KINDS = {"server": "server", "servers": "pool", "pool": "pool", "peer": "peer", "refclock": "clock", "sensor": "clock"}
_OWN_CLOCK = "127.127."  # ntpd's way to name a clock that is attached to the host


def sources(lines: Iterable[str]) -> list[tuple[str, str]]:
    """(source, kind) of each directive; a clock that is attached to the host is `DRIVER:PARAMETER`."""
    found = []
    for line in lines:
        words = line.split()
        kind = KINDS.get(words[0].lower()) if words else None
        named = [w for w in words[1:] if not w.startswith("-")]  # ntpd: -4, -6
        if kind and named:
            found.append(_source(kind, words[0].lower(), named))
    return list(dict.fromkeys(found))


def timesyncd(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """The servers that the files of systemd-timesyncd name; a later empty value takes the earlier away."""
    kept: dict[str, list[str]] = {"NTP": [], "FallbackNTP": []}
    effective = systemd_conf.effective(texts, "timesyncd.conf")
    for key, names in kept.items():
        for value in systemd_conf.assignments(effective, "Time", key):
            names[:] = [*names, *value.split()] if value else []
    return [(name.lower().rstrip("."), "server") for name in dict.fromkeys(kept["NTP"] or kept["FallbackNTP"])]


def _source(kind: str, directive: str, named: list[str]) -> tuple[str, str]:
    if directive == "refclock":
        return ":".join(named[:2]), kind
    if named[0].startswith(_OWN_CLOCK):
        return named[0], "clock"
    return named[0].lower().rstrip("."), kind
