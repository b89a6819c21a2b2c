"""The files of the daemons that keep a clock, in a tree, in; the sources that they name, each with its lines, out. Pure.

Sources: chrony.conf(5), ntp.conf(5), ntpd.conf(5) of OpenNTPD, timesyncd.conf(5).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auditor.model import Answer, Command, Unknown
from auditor.readers import files, systemd_conf
from auditor.readers.clocks import settings
from auditor.readers.trees import starts
from auditor.readers.trees.forwarders import worst
from auditor.readers.trees.included import beyond, unseen
from auditor.readers.trees.units import Units

FILES = Command(
    "/etc/chrony/chrony.conf /etc/chrony.conf /etc/chrony/conf.d/* /etc/chrony/sources.d/* /etc/chrony.d/*"
    " /etc/ntp.conf /etc/ntpsec/ntp.conf /etc/ntpsec/ntp.d/* /etc/openntpd/ntpd.conf /etc/ntpd.conf",
    kind="read",
    mask="clocks",
    cap_bytes=131072,
)
TIMESYNCD = Command(systemd_conf.globs("timesyncd.conf"), kind="read", mask="systemd")
# The files that each begins with, and the units that run it.
DAEMONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "chrony": (("/etc/chrony/chrony.conf", "/etc/chrony.conf"), ("chrony", "chronyd")),
    "ntpd": (("/etc/ntp.conf", "/etc/ntpsec/ntp.conf"), ("ntp", "ntpd", "ntpsec")),
    "openntpd": (("/etc/openntpd/ntpd.conf", "/etc/ntpd.conf"), ("openntpd",)),
    "systemd-timesyncd": ((), ("systemd-timesyncd",)),
}
DEEPEST = 3
Sourced = tuple[str, str, tuple[str, ...]]  # source, kind, where


@dataclass(slots=True)
class Clocks:
    """The daemons whose files name a source, with what they name. `gap`: why there may be more; `empty`: folders that are there."""

    named: dict[str, list[Sourced]] = field(default_factory=dict)
    gap: Unknown | None = None
    empty: frozenset[str] = frozenset()


STARTS = starts.question(dict.fromkeys(unit for _, names in DAEMONS.values() for unit in names))


def read(answer: Answer, timesyncd: Answer, units: Units, started_by: Answer) -> Clocks:
    """Of daemons that are masked, nothing counts; of several, those that a link has started."""
    found, beside = files.read(answer), files.read(timesyncd)
    clocks = Clocks(gap=found.gap or beside.gap or units.gap, empty=found.empty)
    for daemon, (mains, _) in DAEMONS.items():
        sources = list(_timesyncd(beside.texts) if not mains else _of(mains, found.texts, clocks))
        if sources:
            clocks.named[daemon] = sources
    clocks.named = {d: s for d, s in clocks.named.items() if units.runs(*DAEMONS[d][1]) is not False}
    started = [d for d in DAEMONS if units.runs(*DAEMONS[d][1]) is True]
    astray = _astray(started, starts.read(started_by))
    if len(started) > 1 or astray:
        more = astray or Unknown("not_told", f"which of {', '.join(started)} runs: all are started")
        clocks.gap = worst([more, clocks.gap])
        clocks.named = {d: s for d, s in clocks.named.items() if d in started and not astray}
    elif len(started) == 1:
        own = {d: s for d, s in clocks.named.items() if d == started[0]}
        clocks.gap = clocks.gap or (None if own else Unknown("not_observable", f"which sources {started[0]} has"))
        clocks.named = own
    elif len(clocks.named) > 1:
        clocks.gap = clocks.gap or Unknown("not_observable", f"which of {', '.join(clocks.named)} runs")
        clocks.named = {}
    return clocks


def _astray(started: list[str], how: starts.Starts) -> Unknown | None:
    """Why a daemon that is started may not go by the files that are read here."""
    every = [unit for _, names in DAEMONS.values() for unit in names]
    return worst([*(how.otherwise(DAEMONS[d][1], DAEMONS[d][0]) for d in started), how.beside(every)])


def _timesyncd(texts: Mapping[str, str]) -> Iterator[Sourced]:
    for source, kind in settings.timesyncd(texts):
        yield source, kind, _lines(texts, source)


def _of(mains: tuple[str, ...], texts: Mapping[str, str], clocks: Clocks) -> Iterator[Sourced]:
    there = [path for path in mains if path in texts]
    if len(there) > 1:
        clocks.gap = clocks.gap or Unknown("not_observable", f"which of {' '.join(there)} is read")
        return
    read: dict[str, str] = {}
    for main in there:
        _gather(main, texts, read, clocks, 0)
    for source, kind in settings.sources(line for text in read.values() for line in text.split("\n")):
        yield source, kind, _lines(read, source.partition(":")[2] if kind == "clock" else source)


def _lines(texts: Mapping[str, str], source: str) -> tuple[str, ...]:
    """The lines whose words hold a source."""
    return tuple(
        f"{path}:{number}"
        for path, text in texts.items()
        for number, line in enumerate(text.split("\n"), 1)
        if source in (word.lower().rstrip(".") for word in line.replace("=", " ").split()) or source in line.split()
    )[:4]


def _gather(path: str, texts: Mapping[str, str], read: dict[str, str], clocks: Clocks, depth: int) -> None:
    if path in read:
        return
    if depth > DEEPEST:
        clocks.gap = clocks.gap or Unknown("not_told", f"what {path} is included by")
        return
    read[path] = texts[path]
    for glob in _included(texts[path]):
        paths = sorted(p for p in texts if fnmatch.fnmatchcase(p, glob) and p.count("/") == glob.count("/"))
        folder = glob.rpartition("/")[0]
        held = folder in clocks.empty or any(p.rpartition("/")[0] == folder for p in texts)
        lacking = None if paths or ("*" in glob and held) else unseen(FILES, glob)
        clocks.gap = worst([clocks.gap, beyond(FILES, glob), lacking])
        for one in paths:
            _gather(one, texts, read, clocks, depth + 1)


def _included(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        word, *paths = line.replace('"', "").split() or [""]
        ending = {"confdir": "/*.conf", "sourcedir": "/*.sources", "include": "", "includefile": ""}.get(word)
        if ending is not None:
            yield from (_whole(p.rstrip("/")) + ending for p in paths)


def _whole(path: str) -> str:
    return path if path.startswith("/") else f"/etc/{path}"
