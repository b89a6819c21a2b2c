"""Which daemon keeps a host's clock, how far it is from its reference, and which sources it asks. Pure.

A daemon's own word counts. The kernel's flag does not: any client sets it, and it stays for hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Output, Partial, Unknown
from auditor.probes.questions import clocks as asked
from auditor.probes.questions.clocks import ASKED, ASKED_ROOT, Asked
from auditor.probes.windows import time_sync as windows
from auditor.readers import processes
from auditor.readers.clocks import chrony, ntpq, openntpd, settings, timesyncd
from auditor.readers.clocks.clock import Clock, untold
from auditor.readers.processes import PROCESSES, PROCESSES_ROOT, Processes
from auditor.readers.trees import clocks as trees
from auditor.readers.trees import units
from auditor.readers.undated import reduced, undated

BUSYBOX = "busybox-ntpd"
# Daemons by the name of their process; all but the first two cannot be asked. `ntpd` is the name of three.
DAEMONS = {
    "chronyd": "chrony",
    "systemd-timesyn": "systemd-timesyncd",
    "ntp-daemon": "ntpd-rs",
    "htpdate": "htpdate",
    "tlsdated": "tlsdate",
    "phc2sys": "phc2sys",
    "connmand": "connman",
}
OURS = processes.among(*DAEMONS, "ntpd", "vmtoolsd", "VBoxService")
# What a daemon reads where its command line names nothing: the agent in the answer, and the files.
OWN_FILES = {
    "chrony": ("chrony", ("/etc/chrony/chrony.conf", "/etc/chrony.conf")),
    "ntpd": ("ntp", ("/etc/ntp.conf", "/etc/ntpsec/ntp.conf")),
    "openntpd": ("openntpd", ("/etc/openntpd/ntpd.conf", "/etc/ntpd.conf")),
    BUSYBOX: ("ntp", ("/etc/ntp.conf",)),
}
SET_CLOCK = 1 << 25  # CAP_SYS_TIME, capabilities(7)
WHOLE_RANGE = ["0", "0", "4294967295"]  # of user ids: no user namespace
State = bool | Unknown  # of a daemon that was seen: it runs, or what was seen cannot be told
Source = tuple[str, str]  # source, kind


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"asked": ASKED, "asked_root": ASKED_ROOT, "processes": PROCESSES, "processes_root": PROCESSES_ROOT}


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    plain = answers["asked"]
    told = asked.read(plain, answers["asked_root"])
    seen = processes.read(answers["processes_root"], answers["processes"])
    now = plain.host_at if isinstance(plain, Output) else None
    states = _states(seen, told)
    clocks = {d: _clock(d, told, now) for d in ("chrony", *states)}
    running = [d for d, c in clocks.items() if states.get(d) is True or not isinstance(c.synchronised, Unknown)]
    doubts = [s for d, s in states.items() if isinstance(s, Unknown) and d not in running]
    missing = next(iter(doubts), None) or told.missing or seen.missing
    keeping = [d for d in clocks if d in running or d in states]
    found = _agreed([clocks[d] for d in keeping]) if keeping else _unkept(seen, told, missing)
    return {
        "daemons": Partial(tuple(running), missing) if missing else running,
        "synchronised": found.synchronised,
        "offset_s": found.offset_s,
        "stratum": found.stratum,
        "leap": found.leap,
        "reference": found.reference,
        "sources": _sources(keeping, told, missing or (found.synchronised if not keeping else None)),
        "kernel_synchronised": _kernel(told),
        "hypervisor": _hypervisor(seen, told),
    }


# ---------------------------------------------------------------- who keeps the clock


def _states(seen: Processes, told: Asked) -> dict[str, State]:
    """The daemons of which a process was seen."""
    found = [(daemon, seen.found((process,))) for process, daemon in DAEMONS.items()]
    return {daemon: state for daemon, state in (*found, *_ntpd(seen, told)) if state is not None}


def _ntpd(seen: Processes, told: Asked) -> Iterator[tuple[str, State | None]]:
    named = [p for p in seen.seen if p.name == "ntpd"]
    if any(p.uid == 0 and p.exe.startswith(processes.ROOTS_OWN) and p.exe.endswith("/busybox") for p in named):
        yield BUSYBOX, True
        named = [p for p in named if not p.exe.endswith("/busybox")]
    state = Processes(frozenset(named), None).found(("ntpd",))
    if any("clock " in line for line in told.lines("ntpctl")):
        yield "openntpd", state
    elif "rv" in told.tools or "openntpd" not in told.files:
        yield "ntpd", state
    else:
        yield "openntpd", state


def _clock(daemon: str, told: Asked, now: float | None) -> Clock:
    if daemon == "chrony":
        clock = chrony.clock(told.lines("tracking"), told.lines("sources"))
    elif daemon == "systemd-timesyncd":
        return timesyncd.clock(told.lines("timesync"), now)
    elif daemon == "ntpd":
        return ntpq.clock(told.lines("rv"))
    elif daemon == "openntpd":
        clock = openntpd.clock(told.lines("ntpctl"))
    else:
        return untold("not_told", f"{daemon} does not tell how the clock is")
    why = clock.synchronised
    return untold(told.rootless.cause, why.detail) if isinstance(why, Unknown) and told.rootless else clock


def _agreed(clocks: Sequence[Clock]) -> Clock:
    """Several daemons: only what all of them say; the largest offset."""
    return Clock(
        _one([c.synchronised for c in clocks]),
        _largest([c.offset_s for c in clocks]),
        _largest([c.stratum for c in clocks]),
        _one([c.leap for c in clocks]),
        _one([c.reference for c in clocks]),
    )


def _one(values: Sequence[Any]) -> Any:
    unknown = next((v for v in values if isinstance(v, Unknown)), None)
    differ = any(v != values[0] for v in values)
    return unknown or (Unknown("not_told", "the daemons tell different things") if differ else values[0])


def _largest(values: Sequence[Any]) -> Any:
    return next((v for v in values if isinstance(v, Unknown)), None) or max(values)


def _unkept(seen: Processes, told: Asked, missing: Unknown | None) -> Clock:
    """No daemon was seen. The clock may be another's to keep: the host's of a container, the hypervisor's."""
    why = missing or _not_its_own(told) or _kept_otherwise(_kernel(told), _hypervisor(seen, told))
    unmeasured = Unknown("not_told", "no daemon measures the clock")
    if why:
        return Clock(why, unmeasured, unmeasured, unmeasured, why)
    return Clock(False, unmeasured, unmeasured, unmeasured, None)


def _not_its_own(told: Asked) -> Unknown | None:
    """A system in which nobody may set the clock, root neither, has the clock of another."""
    words = {tuple(w[:2]): w[2:] for w in told.system}
    may = words.get(("K", "cap"), [])
    if len(may) != 1 or len(may[0]) > 16 or not set(may[0]) <= set("0123456789abcdef"):
        return Unknown("not_told", "whether this system may set its clock")
    if not int(may[0], 16) & SET_CLOCK or words.get(("K", "ids")) != WHOLE_RANGE:
        return Unknown("not_told", "a container has the clock of its host")
    return None


def _kept_otherwise(kernel: Fact, hypervisor: Fact) -> Unknown | None:
    if kernel is True:
        return Unknown("not_told", "the kernel says that something keeps the clock")
    return Unknown("not_told", "the hypervisor may set this clock") if hypervisor else None


def _kernel(told: Asked) -> bool | Unknown:
    said = " ".join(told.lines("kernel"))
    for yes, no in (("NTPSynchronized=yes", "NTPSynchronized=no"), ("return value: 0", "return value: 5")):
        if said.startswith((yes, no)):
            return said.startswith(yes)
    return told.missing or Unknown("not_told", said[:100] or "the kernel's flag")


def _hypervisor(seen: Processes, told: Asked) -> Fact:
    """What may set the clock from outside."""
    found = ["hyper-v"] if ["H", "hyper-v"] in told.system else []
    missing = told.missing or seen.missing
    states = {"vmware": seen.found(("vmtoolsd",)), "virtualbox": seen.found(("VBoxService",))}
    said = " ".join(told.lines("vmware")).strip()
    for name, state in states.items():
        if state is True and (name == "virtualbox" or said == "Enabled"):
            found.append(name)
        elif state is not None and (name == "virtualbox" or said != "Disabled"):
            missing = missing or Unknown("not_told", f"whether {name} sets the clock")
    return Partial(tuple(found), missing) if missing else found


# ---------------------------------------------------------------- sources


def _sources(keeping: Sequence[str], told: Asked, why: bool | Unknown | None) -> Fact:
    """`why`: why it is not known that nothing keeps the clock."""
    named: dict[str, str] = {}
    gaps = [why] if isinstance(why, Unknown) and not keeping else []
    for daemon in keeping:
        found, gap = _of_timesyncd(told) if daemon == "systemd-timesyncd" else _of_files(daemon, told)
        for source, kind in found:
            named.setdefault(source, kind)
        gaps += [gap] if gap else []
    listed = [{"source": source, "kind": kind} for source, kind in named.items()]
    return Partial(tuple(listed), gaps[0]) if gaps else listed


def _of_timesyncd(told: Asked) -> tuple[list[Source], Unknown | None]:
    """Those of a link, from DHCP say, stand in no file that we read."""
    servers = timesyncd.servers(told.lines("timesync"))
    if isinstance(servers, Unknown):
        return settings.timesyncd(told.files.get("timesyncd", {})), servers
    return [(server, "server") for server in servers], None


def _of_files(daemon: str, told: Asked) -> tuple[list[Source], Unknown | None]:
    if daemon not in OWN_FILES:
        return [], Unknown("not_told", f"the sources of {daemon}")
    started = _started(daemon, told)
    given = [" ".join(words[1:]) for words in started if words[0] in "dp"]
    files = [words[1] for words in started if words[0] not in "dp"]
    found, gap = _given(daemon, given) if given else _written(daemon, told, files)
    return [*found, *_in_effect(daemon, told)], gap


def _given(daemon: str, given: Sequence[str]) -> tuple[list[Source], Unknown | None]:
    """Sources on the command line, in the place of the file."""
    lines = [f"server {g}" for g in given] if daemon == BUSYBOX else given
    others = any(len(line.split()) < 2 for line in lines)
    return settings.sources(lines), Unknown("not_told", "directives on the command line") if others else None


def _written(daemon: str, told: Asked, named: Sequence[str]) -> tuple[list[Source], Unknown | None]:
    """Sources of the files; of two that the daemon may read, of the one that it was started with."""
    agent, own = OWN_FILES[daemon]
    texts = told.files.get(agent, {})
    other = next((file for file in named if file not in own), None)
    if other:
        return [], Unknown("not_told", f"{daemon} reads another file: {other[:100]}")
    read = [text for path, text in texts.items() if path not in own or not named or path in named]
    gap = told.gaps.get(agent)
    if not texts or (not named and len([path for path in texts if path in own]) > 1):
        gap = gap or Unknown("not_told", f"which file {daemon} reads")
    return settings.sources(line for text in read for line in text.splitlines()), gap


def _started(daemon: str, told: Asked) -> list[Sequence[str]]:
    """Option and value: `ntpd` is the name of three daemons, of which -c, -f and -p each say another thing."""
    process, options = {
        "chrony": ("chronyd", "fd"), "ntpd": ("ntpd", "c"), "openntpd": ("ntpd", "f"), BUSYBOX: ("ntpd", "p"),
    }[daemon]  # fmt: skip
    return [w[1:] for w in told.started if len(w) > 2 and w[0] == process and w[1] in tuple(options)]


def _in_effect(daemon: str, told: Asked) -> list[Source]:
    """What chronyd has from DHCP, or was told while it runs; older releases do not give the names."""
    names = chrony.names(told.lines("names")) if daemon == "chrony" else []
    return [] if isinstance(names, Unknown) else [(name, "server") for name in names]


# ---------------------------------------------------------------- a tree of files


def tree_commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"files": trees.FILES, "timesyncd": trees.TIMESYNCD, "units": units.UNITS, "starts": trees.STARTS}


def tree_parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """The sources that files name. A network gives others, by DHCP say, and what a daemon was built with is in no file."""
    told = trees.read(answers["files"], answers["timesyncd"], units.read(answers["units"]), answers["starts"])
    listed = [
        {"source": source, "kind": kind, WHERE: where}
        for sources in told.named.values()
        for source, kind, where in sources
    ]
    unseen = Unknown("not_observable")
    more = told.gap or Unknown("not_observable", "sources that are in no file")
    return {**dict.fromkeys(PROBE.facts["properties"], unseen), "sources": Partial(tuple(listed), more)}


PROBE = Probe(
    title={"en": "Time synchronisation", "fr": "Synchronisation de l'heure"},
    privilege={
        "en": "Anybody may ask most daemons; OpenNTPD, and chrony without a command port, answer root alone. On Windows, whoever may ask the Windows Time service.",
        "fr": "Chacun peut interroger la plupart des services ; OpenNTPD, et chrony sans port de commande, ne répondent qu'à root. Sous Windows, quiconque peut interroger le service de temps.",
    },
    facts={
        "type": "object",
        "properties": {
            "daemons": {
                "type": "array",
                "description": "The daemons that run and keep the clock.",
                "items": {"type": "string"},
            },
            "synchronised": {
                "type": "boolean",
                "description": "Whether a daemon says that it follows a source that answers, other than the host's own clock.",
            },
            "offset_s": {
                "type": "number",
                "description": "How far the clock is from its reference by the daemon's last word, in seconds, without a sign.",
            },
            "stratum": {"type": "integer", "description": "Distance from a reference clock; 16: unsynchronised."},
            "leap": {"type": "string", "description": "normal, insert, delete (of a leap second) or unsynchronised."},
            "reference": {"type": "string", "description": "What the clock follows now."},
            "sources": {
                "type": "array",
                "description": "Each time source that the daemons are set to ask.",
                "items": {
                    "type": "object",
                    "x-name": "source",
                    "x-also": ["kind"],
                    "properties": {
                        "source": {"type": "string", "description": "Name or address as it is written, in lower case."},
                        "kind": {
                            "type": "string",
                            "description": "server, pool, peer, domain for that of a Windows host, or clock for an attached one.",
                        },
                    },
                },
            },
            "kernel_synchronised": {
                "type": "boolean",
                "description": "The kernel's own flag: weak evidence, which any client sets and which lasts for hours.",
            },
            "hypervisor": {
                "type": "array",
                "description": "What may set the clock from outside: vmware, hyper-v, virtualbox.",
                "items": {"type": "string"},
            },
        },
    },
    dialects={
        "linux": Dialect(commands, reduced(parse, processes=OURS, processes_root=OURS)),
        "windows": Dialect(windows.commands, windows.parse),
    },
    trees={"linux": Dialect(tree_commands, undated(tree_parse))},
)
