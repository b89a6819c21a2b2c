"""What a Windows host printed of its forwarders' configuration, every other value left out on the host; where they send out. Pure.

The host prints lines of which a setting is asked for, in the file's own syntax, and `?` in the place of a value that could not
be made safe. Subscriptions of Windows Event Forwarding: by policy where to, by events (of the provider Microsoft-Windows-
Forwarding) what they select and whether the collector answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from auditor.model import Unknown
from auditor.readers.forwarders import beats, flatten, fluent_bit, nxlog, splunk, wazuh
from auditor.readers.forwarders.flatten import blocks, text, told
from auditor.readers.forwarders.target import NAME, UNREAD, Target, address

LOGS = frozenset({"security", "system", "application"})
FILTERED = Unknown("not_told", "something on the way may leave messages out")
SEALED = Unknown("not_told", "Windows seals these messages with Kerberos or NTLM, which is no TLS and is not judged")
_CHOOSING = ("event_id", "level", "provider", "xml_query", "drop_event", "script")

# ---------------------------------------------------------------- syntaxes

_YAML = re.compile(r"( *)((?:- +)*)(?:([A-Za-z0-9_.@-]{1,80}) *:(?: +(.*))?|(.*))", re.ASCII)
_DEPTH = 20


def yaml(lines: Iterable[str]) -> str:
    """Block mappings and lists as flatten.py has them: a path and a value in a line."""
    stack: list[tuple[int, str]] = []  # how far a part is indented, and its path
    counts: dict[str, int] = {}
    found: list[str] = []
    for line in lines:
        if line.strip() == "?":
            found.append("?\t")
        m = _YAML.fullmatch(line.rstrip()[:400])
        if not m or not line.strip():
            continue
        indent, dashes = len(m[1]), m[2].count("-")
        while stack and (stack[-1][0] > indent or (stack[-1][0] == indent and not (dashes and _names_list(stack[-1])))):
            stack.pop()
        for _ in range(dashes):
            path = stack[-1][1] if stack else ""
            counts[path] = counts.get(path, -1) + 1
            stack.append((indent + 1, f"{path}[{counts[path]}]"))
        above = stack[-1][1] if stack else ""
        if m[3]:
            path = f"{above}.{m[3].lower()}".lstrip(".")
            stack = [*stack, (indent + 2 * dashes, path)][-_DEPTH:]
            found += _values(path, m[4] or "")
            found += [f"{path}\t@set"] if m[3].lower() in _CHOOSING and not m[4] else []
        elif dashes:
            found += _values(above, m[5] or "")
    return "\n".join(found)


def _names_list(part: tuple[int, str]) -> bool:
    """A list may stand as far to the left as the key whose value it is."""
    return not part[1].endswith("]")


def _values(path: str, value: str) -> Iterator[str]:
    value = value.strip()
    if value.startswith("[") and value.endswith("]"):
        for i, one in enumerate(filter(None, (v.strip() for v in value[1:-1].split(",")))):
            yield f"{path}[{i}]\t{_bare(one)}"
    elif value[:1] in ("{", "&", "*", "!"):
        yield f"?\t{path}"
    elif value:
        yield f"{path}\t{_bare(value)}"


def _bare(value: str) -> str:
    if value[:1] in ("'", '"'):
        return value[1:].partition(value[0])[0]
    return re.sub(r"\s+#.*", "", value).replace("\t", " ")


_EQUALS = re.compile(r"([A-Za-z0-9_.@-]{1,80}) *= *(\S.*)", re.ASCII)
_SPACE = re.compile(r"([A-Za-z0-9_.@-]{1,80})\s+(\S.*)", re.ASCII)


def sections(lines: Iterable[str], equals: bool) -> str:
    """`[section]`, `<block argument>` and lines `key value`, or `key = value`."""
    found: list[str] = []
    path: list[str] = []
    counts: dict[str, int] = {}
    for line in (line.strip()[:400] for line in lines):
        if line.startswith("["):
            name = line.strip("[] ").lower()
            path = [_counted(name, counts)]
            found += [f"{path[0]}.url\t{name}"] if equals else []
        elif line.startswith("</"):
            path = path[:-1]
        elif line.startswith("<"):
            name, _, argument = line.strip("<> ").partition(" ")
            path = [*path, _counted(name.lower(), counts)][-_DEPTH:]
            found += [f"{'.'.join(path)}.@arg\t{argument.strip()}"] if argument else []
        elif m := (_EQUALS if equals else _SPACE).fullmatch(line):
            found.append(f"{'.'.join([*path, m[1].lower()])}\t{_bare(m[2])}")
    return "\n".join(found)


def _counted(name: str, counts: dict[str, int]) -> str:
    name = re.sub(r"[^a-z0-9_@/:%-]", "%", name)
    counts[name] = counts.get(name, -1) + 1
    return f"{name}[{counts[name]}]"


# ---------------------------------------------------------------- agents


def _winlogbeat(files: Mapping[str, str]) -> Iterator[Target]:
    for flat in files.values():
        settings = flatten.read(flat)
        yield from beats.outputs("winlogbeat", settings, _of_event_logs(settings))


def _of_event_logs(settings: flatten.Settings) -> bool | Unknown:
    """Whether it leaves out a log that every host has; conditions on what it reads are not judged."""
    logs = blocks(settings.root, "winlogbeat.event_logs")
    whole = {(text(log, "name") or "").lower() for log in logs if not _chooses(log)}
    if settings.odd or not logs:
        return UNREAD
    if not {(text(log, "name") or "?").lower() for log in logs} >= LOGS:
        return UNREAD if any("?" in (text(log, "name") or "?") for log in logs) else True
    return False if whole >= LOGS and not _drops(settings.root) else FILTERED


def _chooses(log: flatten.Node) -> bool:
    return _drops(log) or any(told(log, condition) for condition in _CHOOSING)


def _drops(node: flatten.Node) -> bool:
    """Whether a processor may drop something; those that stand in one line are not told apart."""
    return told(node, "drop_event") or told(node, "script") or text(node, "processors") == "set"


def _wazuh(files: Mapping[str, str]) -> Iterator[Target]:
    logs = _channels("\n".join(t for path, t in files.items() if path.endswith(".conf")))
    partial: bool | Unknown = FILTERED if logs.keys() >= LOGS else UNREAD if "?" in logs else True
    partial = False if {name for name, whole in logs.items() if whole} >= LOGS else partial
    return (replace(t, partial=partial) for t in wazuh.targets({p: t for p, t in files.items() if p.endswith(".conf")}))


def _channels(printed: str) -> dict[str, bool]:
    """The event logs that it reads, and whether without a query."""
    found: dict[str, bool] = {}
    for block in printed.split("\nend"):
        name = re.search(r"^<location>(.*)$", block, re.MULTILINE)
        if name and "<log_format>" in block:
            known = name[1].strip().lower()
            found[known] = found.get(known, False) or "<query>" not in block
    return found


def _unread(read: Callable[[Mapping[str, str]], Iterable[Target]]) -> Callable[[Mapping[str, str]], Iterator[Target]]:
    """For agents whose inputs are read for Linux alone."""
    return lambda files: (replace(t, partial=UNREAD) for t in read(files))


@dataclass(frozen=True, slots=True)
class Agent:
    """`services`: its names, the first the one whose settings are looked at; `paths` in the order in which they are told."""

    services: tuple[str, ...]
    paths: tuple[str, ...]
    flat: Callable[[Iterable[str]], str]
    read: Callable[[Mapping[str, str]], Iterable[Target]]


def _blocks(lines: Iterable[str]) -> str:
    return sections(lines, equals=False)


def _ini(lines: Iterable[str]) -> str:
    return sections(lines, equals=True)


_PF, _DATA = "C:\\Program Files", "C:\\ProgramData"
_SPLUNK = f"{_PF}\\SplunkUniversalForwarder\\etc"
AGENTS: Mapping[str, Agent] = {
    "winlogbeat": Agent(
        ("winlogbeat",),
        (f"{_DATA}\\Elastic\\Beats\\winlogbeat\\winlogbeat.yml", f"{_PF}\\Winlogbeat\\winlogbeat.yml"),
        yaml,
        _winlogbeat,
    ),
    "elastic-agent": Agent(
        ("Elastic Agent",), (f"{_PF}\\Elastic\\Agent\\elastic-agent.yml",), yaml, _unread(beats.elastic_agent)
    ),
    "nxlog": Agent(
        ("nxlog",),
        (f"{_PF}\\nxlog\\conf\\nxlog.conf", f"{_PF} (x86)\\nxlog\\conf\\nxlog.conf"),
        _blocks,
        nxlog.targets,
    ),
    "wazuh": Agent(
        ("WazuhSvc", "OssecSvc"),
        (f"{_PF} (x86)\\ossec-agent\\ossec.conf", f"{_PF} (x86)\\ossec-agent\\wazuh-agent.state"),
        "\n".join,
        _wazuh,
    ),
    "splunk": Agent(("SplunkForwarder",), (f"{_SPLUNK}\\system\\local\\outputs.conf",), _ini, splunk.targets),
    "fluent-bit": Agent(
        ("fluent-bit",),
        (f"{_PF}\\fluent-bit\\conf\\fluent-bit.conf", "C:\\fluent-bit\\conf\\fluent-bit.conf"),
        _blocks,
        _unread(fluent_bit.targets),
    ),
}
# Services that run to send, and of which no file is read: what Azure, Fleet or a console tells them.
OTHERS: Mapping[str, tuple[str, ...]] = {
    "azure-monitor": ("AzureMonitorAgent", "AMAExtHealthMonitor", "HealthService"),
    "filebeat": ("filebeat",),
    "fluentd": ("fluentdwinsvc", "td-agent"),
    "vector": ("vector",),
    "otelcol": ("otelcol*", "opentelemetry-collector*"),
    "alloy": ("Alloy", "Grafana Agent*"),
    "snare": ("Snare*",),
    "wincollect": ("WinCollect*",),
}

# ---------------------------------------------------------------- Windows Event Forwarding

_SELECT = re.compile(r'<Select\s+Path="([^"<]{1,200})"\s*>([^<]{0,4000})</Select>', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Event:
    """Of a kind, about a manager's address or a subscription, with its query; the newest of each first."""

    id: int
    about: str
    query: str


def forwarding(managers: Iterable[str], events: Iterable[Event] | Unknown) -> Iterator[tuple[Target, bool | Unknown]]:
    """Each subscription manager, and whether the host reached it the last time."""
    listed = list(managers)
    known = events if isinstance(events, Unknown) else list(events)
    partial = _selected(known) if len(listed) == 1 else Unknown("not_told", "which collector selects what")
    for place in listed:
        to, port, scheme = address(place, 0)
        tls: bool | Unknown = (
            True if scheme == "https" else SEALED if scheme == "http" else Unknown("not_told", "how it sends")
        )
        how: str | Unknown = tls if isinstance(tls, Unknown) else NAME
        known_port = port if isinstance(port, Unknown) else port or Unknown("not_told", "the port")
        yield Target(to, known_port, "wsman", tls, UNREAD, partial, how), _reached(place, known)


def _reached(place: str, events: list[Event] | Unknown) -> bool | Unknown:
    if isinstance(events, Unknown):
        return events
    host = address(place, 0)[0]
    said = [e.id for e in events if e.id in (104, 105) and address(e.about.partition(",")[0], 0)[0] == host]
    return said[0] == 104 if said else Unknown("not_told", "whether the collector was reached")


def _selected(events: list[Event] | Unknown) -> bool | Unknown:
    """False where subscriptions that are known take the three logs whole. Others may be older than the log."""
    if isinstance(events, Unknown):
        return events
    newest: dict[str, Event] = {}
    for event in (e for e in events if e.id in (100, 101, 102, 103)):
        newest.setdefault(event.about, event)
    taken: set[str] = set()
    for event in newest.values():
        if event.id == 100 and "<suppress" not in event.query.lower():
            taken |= {path.lower() for path, what in _SELECT.findall(event.query) if what.strip() == "*"}
    return (
        False
        if taken >= LOGS
        else Unknown("not_told", "whether the collector's subscriptions take the three logs whole")
    )
