"""The units of daemons in a tree, and the variables that these are given, masked, in; why one may not go by its own files, out. Pure.

Sources: systemd.service(5), systemd.unit(5); rsyslogd(8), chronyd(8), ntpd(8) and those of the agents for their switches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.model import Answer, Command, Unknown
from auditor.readers import files
from auditor.readers.trees import units
from auditor.readers.trees.timers import dropped_in

# Of which a program of another name is another program.
_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "rsyslog": ("rsyslogd",),
    "syslog-ng": ("syslog-ng",),
    "systemd-journal-upload": ("systemd-journal-upload",),
    "chrony": ("chronyd", "chronyd-starter.sh"),
    "chronyd": ("chronyd", "chronyd-starter.sh"),
    "ntp": ("ntpd", "ntp-systemd-wrapper"),
    "ntpd": ("ntpd",),
    "ntpsec": ("ntpd", "ntp-systemd-wrapper"),
    "openntpd": ("ntpd",),
    "systemd-timesyncd": ("systemd-timesyncd",),
    "fluent-bit": ("fluent-bit",),
    "vector": ("vector",),
    "filebeat": ("filebeat",),
    "promtail": ("promtail",),
    "alloy": ("alloy",),
}


def question(names: Iterable[str]) -> Command:
    """What starts units of these names, without `.service`."""
    listed = list(names)
    return Command(
        " ".join(
            [
                *(f"/etc/{folder}/{name}" for folder in ("default", "sysconfig") for name in listed),
                *(f"{root}/{name}.service" for root in units.ROOTS for name in listed),
                *(f"{root}/{name}.service.d/*.conf" for root in units.ROOTS for name in listed),
                *(f"{root}/service.d/*.conf" for root in units.ROOTS),
                f"{units.ROOTS[0]}/*.service",
            ]
        ),
        kind="read",
        mask="daemon",
        cap_bytes=131072,
    )


@dataclass(frozen=True, slots=True)
class Starts:
    """`texts` by path, masked; `gap`: why there may be more."""

    texts: Mapping[str, str] = field(default_factory=dict)
    gap: Unknown | None = None

    def otherwise(self, names: Sequence[str], own: Iterable[str]) -> Unknown | None:
        """Why a daemon of these units may not be started, or with other settings than `own` files."""
        known = set(own)
        for name in names:
            for place, path, row in self._rows(name):
                if row[0] == "settings" and row[1] not in known and row[1].rstrip("/") not in known:
                    return Unknown("not_told", f"{name} is started with other settings: {place}")
                programs = _PROGRAMS.get(name)
                if row[0] == "odd" or (row[0] == "start" and programs and row[1] not in programs):
                    return Unknown("not_told", f"{name} is started as something else: {place}")
                if row[0] == "held" and path.startswith(units.ROOTS[:2]):
                    return Unknown("not_told", f"what {name} waits for: {place}")
        return self.gap

    def beside(self, names: Iterable[str]) -> Unknown | None:
        """Why a unit of another name may start one of these daemons too."""
        names = list(names)
        known = {f"{name}.service" for name in names}
        programs = {program for name in names for program in _PROGRAMS.get(name, ())}
        for path, text in self.texts.items():
            if path.endswith(".service") and path.rpartition("/")[2] not in known:
                for number, line in enumerate(text.split("\n"), 1):
                    started = {
                        row.partition("\t")[2] for row in line.split("\r") if row.startswith(("start\t", "also\t"))
                    }
                    if started & programs:
                        return Unknown("not_told", f"another unit starts it too: {path}:{number}")
        return None

    def _rows(self, name: str) -> Iterator[tuple[str, str, list[str]]]:
        """Of a unit that is in several places the first, and all that is dropped in."""
        folders = [f"{unit}.d" for unit in dropped_in([f"{name}.service"])]
        first = next((p for root in units.ROOTS if (p := f"{root}/{name}.service") in self.texts), "")
        for path, text in self.texts.items():
            folder, _, last = path.rpartition("/")
            given = folder in ("/etc/default", "/etc/sysconfig") and last == name
            if path == first or given or folder.rpartition("/")[2] in folders:
                for number, line in enumerate(text.split("\n"), 1):
                    yield from ((f"{path}:{number}", path, row.split("\t")) for row in line.split("\r") if row)


def read(answer: Answer) -> Starts:
    found = files.read(answer)
    return Starts(found.texts, units.gap_of(found))
