"""Fluent Bit's configuration, classic or YAML, in; where it sends out. Pure.

Source: the Fluent Bit manual, "Transport security" (TLS off, verification on, verification of the name off unless set),
"Routing". What stays on the host, `stdout` say, is no target; an included file is not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers.forwarders import flatten
from auditor.readers.forwarders.flatten import Node, Settings, blocks, text, told
from auditor.readers.forwarders.target import Target, leaves_out, number, sent, switch, untold, verified

LOCAL = ("stdout", "file", "null", "counter", "flowcounter", "plot", "exit", "prometheus_exporter")
# Outputs whose `tls` is off unless set; of others it is not known.
PLAIN = ("forward", "syslog", "es", "opensearch", "http", "loki", "splunk", "gelf", "tcp")
PORTS = {"forward": 24224, "syslog": 514, "es": 9200, "opensearch": 9200, "http": 80, "loki": 3100, "splunk": 8088}
PORTS |= {"gelf": 12201, "tcp": 5170}
# Filters that add or rename and leave nothing out.
KEEPING = ("record_modifier", "modify", "parser", "nest", "type_converter", "sysinfo", "kubernetes", "multiline")


def targets(files: Mapping[str, str]) -> Iterator[Target]:
    for path, flat in files.items():
        settings = flatten.read(flat)
        inside = settings.root if path.endswith(".conf") else flatten.at(settings.root, "pipeline")
        names = ("input", "filter", "output") if path.endswith(".conf") else ("inputs", "filters", "outputs")
        parts = [blocks(inside, name) for name in names]
        for output in parts[2]:
            if (text(output, "name") or "").lower() not in LOCAL:
                yield from _of(output, _partial(settings, parts[0], parts[1], output))
        if settings.odd or told(settings.root, "@include") or told(settings.root, "includes"):
            yield untold("a part of fluent-bit's configuration")


def _of(output: Node, partial: bool | Unknown) -> Iterator[Target]:
    name = (text(output, "name") or "").lower()
    tls = switch(text(output, "tls"), False)
    if tls is False and name not in PLAIN:
        tls = Unknown("not_told", f"whether fluent-bit's output {name[:40]} is under TLS")
    protocol = (text(output, "mode") or "udp").lower() if name == "syslog" else name
    verifies = verified(switch(text(output, "tls.verify"), True), switch(text(output, "tls.verify_hostname"), False))
    under = tls if name != "syslog" else protocol == "tls" or (tls if protocol == "tcp" else False)
    found = sent(text(output, "host") or "", PORTS.get(name, 0), protocol, under, verifies, partial)
    if told(output, "upstream"):
        yield untold("fluent-bit, to an upstream,")
    else:
        port = number(text(output, "port"), PORTS.get(name, 0))
        yield replace(found, port=port or Unknown("not_told", "port"), selector=text(output, "match") or found.selector)


def _partial(settings: Settings, inputs: list[Node], filters: list[Node], output: Node) -> bool | Unknown:
    journal = any(text(i, "name") == "systemd" and not told(i, "systemd_filter") for i in inputs)
    files = [p for i in inputs if text(i, "name") == "tail" for p in (text(i, "path") or "?").split(",")]
    filtered = any(text(f, "name") not in KEEPING for f in filters) or told(settings.root, "processors")
    everything = text(output, "match") in ("*", "**")
    return leaves_out(journal, filtered or not everything or bool(settings.odd), files, len(inputs))
