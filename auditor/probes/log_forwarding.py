"""Where a host sends its logs: what is left of its agents' configuration once masked in, targets out. Pure.

What an agent's configuration was not read for, or tells in a way that is not read, is Unknown: it is no proof that logs leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.probes.questions import forwarders as asked
from auditor.probes.questions.forwarders import CONFIG, CONFIG_ROOT, Config
from auditor.probes.windows import log_forwarding as windows
from auditor.readers import own_names, processes, rsyslog, syslog_ng
from auditor.readers.forwarders import (
    beats,
    fluent_bit,
    fluentd,
    grafana,
    journal_upload,
    nxlog,
    sockets,
    splunk,
    vector,
    wazuh,
)
from auditor.readers.forwarders.sockets import SOCKETS, Connections
from auditor.readers.forwarders.target import Target, untold
from auditor.readers.own_names import OWN, Own, plain
from auditor.readers.processes import PROCESSES, PROCESSES_ROOT, Processes
from auditor.readers.repositories import canonical
from auditor.readers.trees import forwarders as trees
from auditor.readers.trees import starts, units
from auditor.readers.trees.places import naming
from auditor.readers.undated import undated

# Cut at 15 characters, systemd-journal-upload has the name of systemd-journald: its unit tells them apart.
UPLOAD = Command("systemctl is-active systemd-journal-upload.service", timeout_s=10, cap_bytes=1024)

# How each agent's files are read, in the order of the report.
READERS: Mapping[str, Callable[[Mapping[str, str]], Iterable[Target]]] = {
    "rsyslog": lambda files: rsyslog.targets(list(files.values())),
    "syslog-ng": lambda files: syslog_ng.targets(list(files.values())),
    "journal-upload": journal_upload.targets,
    "fluent-bit": fluent_bit.targets,
    "fluentd": fluentd.targets,
    "vector": vector.targets,
    "wazuh": wazuh.targets,
    "filebeat": beats.filebeat,
    "elastic-agent": beats.elastic_agent,
    "promtail": grafana.promtail,
    "alloy": grafana.alloy,
    "nxlog": nxlog.targets,
    "splunk": splunk.targets,
}
# The processes of each, and the folders that are its own.
DAEMONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "rsyslog": (("rsyslogd",), ()),
    "syslog-ng": (("syslog-ng",), ()),
    "fluent-bit": (("fluent-bit", "td-agent-bit"), ()),
    "fluentd": (("fluentd", "td-agent"), ("/opt/td-agent", "/opt/fluent")),
    "vector": (("vector",), ()),
    "wazuh": (("wazuh-agentd", "ossec-agentd"), ()),
    "filebeat": (("filebeat",), ()),
    "elastic-agent": (("elastic-agent",), ("/opt/Elastic",)),
    "promtail": (("promtail",), ()),
    "alloy": (("alloy",), ()),
    "nxlog": (("nxlog",), ()),
    "splunk": (("splunkd",), ()),
}
SENDERS = tuple(DAEMONS)[2:]  # they run to send: where no file of theirs was read, they send all the same
OTHERS = {"otelcol": "otelcol", "otelcol-contrib": "otelcol", "otelcol-contri": "otelcol"}
OURS = processes.among(*OTHERS, *(name for names, _ in DAEMONS.values() for name in names))
LASTING = ("tcp", "relp")  # protocols whose connection stays open; others open one when there is something to send


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "config": CONFIG,
        "config_root": CONFIG_ROOT,
        "processes": PROCESSES,
        "processes_root": PROCESSES_ROOT,
        "upload": UPLOAD,
        "own": OWN,
        "sockets": SOCKETS,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    config, seen, targets = _set_up(*(answers[name] for name in SET_UP))
    own, open_ones = (own_names.read(answers["own"]), sockets.read(answers["sockets"])) if targets else NO_MATTER
    found = [
        {**_element(agent, t, active, own), **_connection(agent, t, config, open_ones)} for agent, t, active in targets
    ]
    found += _others(seen)
    missing = config.missing or seen.missing or next(iter(config.otherwise.values()), None)
    return {"targets": Partial(tuple(found), missing) if missing else found, "waiting": config.waiting}


SET_UP = ("config_root", "config", "processes_root", "processes", "upload")
NO_MATTER = (Unknown("not_asked"), Connections({}))  # the host's names and connections, where nothing is sent


@lru_cache(maxsize=32)
def _set_up(
    config_root: Answer, config: Answer, rooted: Answer, plain: Answer, upload: Answer
) -> tuple[Config, Processes, tuple[_Sending, ...]]:
    """What hosts have in common, that are told to send to one place."""
    told, seen = asked.read(config_root, config), processes.read(rooted, plain)
    return told, seen, tuple(_joined(list(_targets(told, seen, _active(upload)))))


def parse_windows(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    told = windows.read(answers)
    found = [
        {**_element(s.agent, s.target, s.active, told.own), "connected": s.connected, "link": s.connected}
        for s in told.sending
    ]
    return {"targets": Partial(tuple(found), told.missing) if told.missing else found, "waiting": windows.NO_QUEUE}


def _active(unit: Answer) -> bool | Unknown:
    if isinstance(unit, Failure):
        return unit.unknown()
    state = unit.text.strip()
    if state in ("active", "inactive", "failed", "unknown", "activating", "deactivating"):
        return state == "active"
    return Unknown("not_told", "systemd does not tell its units here")


_Sending = tuple[str, Target, bool | Unknown]  # agent, where to, whether it runs


def _targets(config: Config, seen: Processes, upload: bool | Unknown) -> Iterator[_Sending]:
    for agent, read in READERS.items():
        files = config.texts.get(agent, {})
        active = seen.runs(*DAEMONS[agent]) if agent in DAEMONS else upload
        for target in read(files):
            yield agent, _waited(agent, target, config), config.otherwise.get(agent, active)
        if not files and agent in SENDERS and active is True:
            yield agent, untold(agent), True


def _waited(agent: str, target: Target, config: Config) -> Target:
    """What waits on disk has not been sent, nor has what never came."""
    if agent in config.deaf:
        return replace(target, partial=config.deaf[agent] or True)
    if agent == "rsyslog" and config.waiting is True and target.partial is False:
        return replace(target, partial=Unknown("not_told", "messages wait on disk to be sent"))
    return target


def _joined(targets: list[_Sending]) -> Iterator[_Sending]:
    """Two that each send a part to one place may send it all together."""
    parts = [(agent, t.to) for agent, t, _ in targets if t.partial is True]
    for agent, target, active in targets:
        if target.partial is True and parts.count((agent, target.to)) > 1:
            target = replace(target, partial=Unknown("not_told", "several parts go to one place"))
        yield agent, target, active


def _others(seen: Processes) -> Iterator[dict[str, Fact]]:
    for agent in sorted({OTHERS[p.name] for p in seen.seen if p.name in OTHERS}):
        why = Unknown("not_told", f"where {agent} sends is not read")
        yield {**_element(agent, untold(agent), True, why), "connected": why, "link": why}


def _connected(agent: str, target: Target, config: Config, open_ones: Connections) -> bool | Unknown:
    """Whether a connection to the target is open now; the agent's own word where it gives it."""
    if agent == "wazuh":
        said = wazuh.connected(config.texts.get(agent, {}))
        return Unknown("not_told", "wazuh-agentd does not tell its state") if said is None else said
    if isinstance(target.to, Unknown) or not isinstance(target.port, int):
        return target.to if isinstance(target.to, Unknown) else Unknown("not_told", "the port")
    if target.protocol == "udp":
        return Unknown("not_told", "UDP has no connections")
    found = open_ones.to(next(iter(canonical(target.to)), None), target.port)
    if found is False and target.protocol not in LASTING:
        return Unknown("not_told", "it connects when there is something to send")
    return found


def _connection(agent: str, target: Target, config: Config, open_ones: Connections) -> dict[str, Fact]:
    connected = _connected(agent, target, config, open_ones)
    return {"connected": connected, "link": _link(agent, target, connected, open_ones)}


def _link(agent: str, target: Target, connected: bool | Unknown, open_ones: Connections) -> bool | Unknown | None:
    """Of a target that is named, a connection to its port may be the one; without any there is none."""
    if agent == "wazuh" or isinstance(connected, bool) or isinstance(target.protocol, Unknown):
        return connected
    if target.protocol not in LASTING:
        return None
    if isinstance(target.to, Unknown) or not isinstance(target.port, int) or open_ones.missing:
        return connected
    return any(target.port in ports for ports in open_ones.ports.values())


def _element(agent: str, target: Target, active: bool | Unknown, own: Own | Unknown) -> dict[str, Fact]:
    name = target.to if isinstance(target.to, Unknown) else plain(target.to)
    loopback = name if isinstance(name, Unknown) else own_names.is_loopback(name)
    return {
        "to": name,
        "port": target.port,
        "protocol": target.protocol,
        "tls": target.tls,
        "verifies": target.verifies,
        "agent": agent,
        "active": active,
        "loopback": loopback,
        "to_itself": loopback if loopback is True else own_names.is_own(name, own),
        "selector": target.selector,
        "partial": target.partial,
    }


# ---------------------------------------------------------------- a tree of files

# The units that run each.
UNITS: Mapping[str, tuple[str, ...]] = {
    **{agent: (agent,) for agent in READERS},
    "journal-upload": ("systemd-journal-upload",),
    "fluent-bit": ("fluent-bit", "td-agent-bit"),
    "fluentd": ("fluentd", "td-agent"),
    "wazuh": ("wazuh-agent",),
    "splunk": ("SplunkForwarder", "splunk"),
}


STARTS = starts.question(dict.fromkeys(name for names in UNITS.values() for name in names))


def tree_commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {**trees.QUESTIONS, "names": trees.NAMES, "units": units.UNITS, "starts": STARTS}


def tree_parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """A forwarder that a link has started counts as one that runs; that it takes its configuration, only itself can tell."""
    told, started, own = trees.read(answers), units.read(answers["units"]), trees.own(answers["names"])
    elsewhere = None if started.whole else Unknown("not_observable", "forwarders of which this tree has no file")
    how = starts.read(answers["starts"])
    active = {agent: _goes(agent, told, started, how) for agent in UNITS}
    found = [_in_tree(agent, target, told, started, own, active[agent]) for agent, target in _set(told, started)]
    astray = (why for why in active.values() if isinstance(why, Unknown) and why.cause != "not_observable")
    missing = trees.worst(
        [told.gap, started.gap, elsewhere, *astray, how.beside(n for names in UNITS.values() for n in names)]
    )
    return {
        "targets": Partial(tuple(found), missing) if missing else found,
        "waiting": Unknown("not_observable"),
        WHERE: {"targets": tuple(path for files in told.shown.values() for path in list(files)[:1])},
    }


def _goes(agent: str, told: trees.Forwarders, started: units.Units, how: starts.Starts) -> bool | Unknown:
    """Whether it is started, with the files that are read here."""
    runs = started.runs(*UNITS[agent])
    own = [trees.MAIN[agent][1]] if agent in trees.MAIN else told.shown.get(agent, ())
    return (how.otherwise(UNITS[agent], own) if runs is True else None) or runs


def _set(told: trees.Forwarders, started: units.Units) -> Iterator[tuple[str, Target]]:
    for agent, read in READERS.items():
        files = told.texts.get(agent, {})
        for target in read(files):
            vague = agent in told.bare and target.tls is False and target.protocol != "udp"
            yield agent, replace(target, tls=NO_MAIN, verifies=NO_MAIN) if vague else target
        if not files and agent in (*SENDERS, "journal-upload") and started.runs(*UNITS[agent]) is True:
            yield agent, Target(*[Unknown("not_observable", f"where {agent} sends")] * 7)


NO_MAIN = Unknown("not_observable", "the file that the forwarder begins with")


def _in_tree(
    agent: str,
    target: Target,
    told: trees.Forwarders,
    started: units.Units,
    own: Own | Unknown,
    active: bool | Unknown,
) -> dict[str, Fact]:
    untaken = Unknown("not_observable", f"whether {agent} takes this configuration")
    shown = told.shown.get(agent, {})
    unseen = Unknown("not_observable", "connections")
    shown_as = replace(target, partial=untaken if target.partial is False else target.partial)
    one = {**_element(agent, shown_as, active, own), "connected": unseen, "link": unseen}
    name = one["to"]
    itself = one["loopback"] if one["loopback"] is True else trees.is_own(name, own)
    named = naming(shown, name) if isinstance(name, str) else ()
    return {**one, "to_itself": itself, WHERE: named or tuple(shown)[:1] or started.place(*UNITS[agent])}


PROBE = Probe(
    title={"en": "Log forwarding", "fr": "Envoi des journaux"},
    privilege={
        "en": "Root reads what only root may read of the forwarders' configuration; secrets are masked on the host.",
        "fr": "root lit ce que lui seul peut lire de la configuration des agents d'envoi ; les secrets sont masqués sur l'hôte.",
    },
    facts={
        "type": "object",
        "properties": {
            "targets": {
                "type": "array",
                "description": "Each place that a forwarder is set to send logs to.",
                "items": {
                    "type": "object",
                    "x-name": "to",
                    "x-also": ["agent"],
                    "properties": {
                        "to": {"type": "string", "description": "Name or address, in lower case."},
                        "port": {"type": "integer", "description": "Port."},
                        "protocol": {"type": "string", "description": "Protocol, as the agent calls it."},
                        "tls": {"type": "boolean", "description": "Whether the transfer is under TLS."},
                        "verifies": {
                            "type": "string",
                            "description": "What it verifies of its peer before it sends: nothing, authority (any certificate of an"
                            " authority that it trusts) or name (the certificate of the peer that was named).",
                        },
                        "agent": {"type": "string", "description": "The forwarder."},
                        "active": {"type": "boolean", "description": "Whether the forwarder runs."},
                        "connected": {
                            "type": "boolean",
                            "description": "Whether a connection to the target is open now.",
                        },
                        "link": {
                            "type": "boolean",
                            "description": "Whether a connection that may be the one to the target is open now: to its address and"
                            " port, or to its port where it is named; absent where its protocol keeps none open.",
                        },
                        "loopback": {"type": "boolean", "description": "Whether the target is a loopback address."},
                        "to_itself": {
                            "type": "boolean",
                            "description": "Whether the target is the host itself, by its own name or address.",
                        },
                        "selector": {"type": "string", "description": "Which messages it is told to send."},
                        "partial": {
                            "type": "boolean",
                            "description": "Whether it leaves messages out, debugging ones aside.",
                        },
                    },
                },
            },
            "waiting": {
                "type": "boolean",
                "description": "Whether messages wait on disk, in a queue of rsyslog, to be sent.",
            },
        },
    },
    dialects={
        "linux": Dialect(commands, undated(parse, processes=OURS, processes_root=OURS)),
        "windows": Dialect(windows.commands, undated(parse_windows)),
    },
    trees={"linux": Dialect(tree_commands, undated(tree_parse))},
)
