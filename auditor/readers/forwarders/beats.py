"""Filebeat's and Elastic Agent's configuration in; where they send out. Pure.

Source: the Filebeat reference, "Configure the output", "SSL": `verification_mode` is full (certificate and name) unless
set. A module, or files, is a part of what a host says; so is what an agent that Fleet manages sends, wherever that goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers.forwarders import flatten
from auditor.readers.forwarders.flatten import Node, Settings, at, below, blocks, text, texts, told
from auditor.readers.forwarders.target import AUTHORITY, NAME, NOTHING, UNREAD, Target, leaves_out, sent, switch, untold

LOCAL = ("console", "file", "discard")
PORTS = {"logstash": 5044, "elasticsearch": 9200, "kafka": 9092, "redis": 6379}
MODES = {"full": NAME, "strict": NAME, "certificate": AUTHORITY, "none": NOTHING}
_CHOOSING: tuple[str, ...] = (
    "include_matches",
    "units",
    "syslog_identifiers",
    "include_lines",
    "exclude_lines",
    "facilities",
    "transports",
)
_CHOOSING += ("paths",)  # other journals than the host's own
_DROPPING = ("drop_event", "script")  # a script may cancel an event
_LOGINS = ("system",)  # the module that reads syslog and the logins


def filebeat(files: Mapping[str, str]) -> Iterator[Target]:
    main = {path: flatten.read(flat) for path, flat in files.items() if path.endswith("filebeat.yml")}
    others = [flatten.read(flat) for path, flat in files.items() if path not in main]
    for settings in main.values():
        yield from outputs("filebeat", settings, _partial(settings, others))


def outputs(agent: str, settings: Settings, partial: bool | Unknown) -> Iterator[Target]:
    """Of any of the Beats."""
    for name, output in below(at(settings.root, "output")):
        yield from _of(name, output, partial)
    yield from _gap(agent, settings)


def elastic_agent(files: Mapping[str, str]) -> Iterator[Target]:
    for flat in files.values():
        settings = flatten.read(flat)
        if text(settings.root, "fleet.enabled") == "true":
            yield untold("elastic-agent, which Fleet manages,")
        else:
            for _, output in below(at(settings.root, "outputs")):
                yield from _of(text(output, "type") or "", output, UNREAD)
        yield from _gap("elastic-agent", settings)


def _gap(agent: str, settings: Settings) -> Iterator[Target]:
    if settings.odd or told(settings.root, "cloud"):
        yield untold(f"a part of {agent}'s configuration")


def _of(name: str, output: Node, partial: bool | Unknown) -> Iterator[Target]:
    if name in LOCAL or switch(text(output, "enabled"), True) is False:
        return
    ssl = at(output, "ssl")
    tls: bool | Unknown = switch(text(ssl, "enabled"), bool(ssl) or text(output, "protocol") == "https")
    mode = text(ssl, "verification_mode") or "full"
    how = MODES.get(mode.lower(), Unknown("not_told", f"verification_mode {mode[:40]}"))
    places = texts(output, "hosts")
    if not places:
        yield untold(f"the output {name[:40]}")
    if len(places) > 1 and partial is False:
        partial = Unknown("not_told", "messages are shared out among several targets, or go to one of them")
    for place in places:
        yield replace(sent(place, PORTS.get(name, 0), name, tls, how, partial), protocol=name)


def _partial(settings: Settings, others: list[Settings]) -> bool | Unknown:
    root = settings.root
    inputs = [i for i in blocks(root, "filebeat.inputs") if switch(text(i, "enabled"), True) is not False]
    inputs += [i for o in others for i in _listed(o.root) if text(i, "type") and text(i, "enabled") != "false"]
    modules = [m for o in (settings, *others) for m in _modules(o.root)]
    journal = any(text(i, "type") == "journald" and not any(told(i, c) for c in _CHOOSING) for i in inputs)
    files = [p for i in inputs if text(i, "type") != "journald" for p in texts(i, "paths")]
    odd = any(o.odd for o in (settings, *others))
    if any(text(m, "module") in _LOGINS for m in modules) or (odd and not journal):
        return UNREAD
    filtered = odd or any(told(o.root, word) for o in (settings, *others) for word in _DROPPING)
    return leaves_out(journal, filtered, files, max(1, len(inputs) + len(modules)))


def _modules(root: Node) -> list[Node]:
    found = [*blocks(root, "filebeat.modules"), *_listed(root)]
    return [m for m in found if text(m, "module") and text(m, "enabled") != "false"]


def _listed(root: Node) -> list[Node]:
    """A file that is a list itself."""
    return [v for k, v in root.items() if k.startswith("[") and isinstance(v, dict)]
