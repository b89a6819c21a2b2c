"""Vector's configuration, TOML or YAML, in; where it sends out. Pure.

Source: vector.dev, "Sinks": TLS is off unless `tls.enabled`, or as the URL says; certificate and name are verified unless
told otherwise. All files make one configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor.model import Unknown
from auditor.readers.forwarders import flatten
from auditor.readers.forwarders.flatten import Node, at, below, text, texts, told
from auditor.readers.forwarders.target import Target, address, leaves_out, sent, switch, untold, verified

LOCAL = ("console", "file", "blackhole", "prometheus_exporter", "prometheus_remote_write", "statsd")
PORTS = {"vector": 6000, "loki": 3100, "elasticsearch": 9200, "splunk_hec_logs": 8088}
_CHOOSING: tuple[str, ...] = ("include_units", "exclude_units", "include_matches", "exclude_matches", "units")
_CHOOSING += ("journal_namespace", "journal_directory")


def targets(files: Mapping[str, str]) -> Iterator[Target]:
    read = [flatten.read(flat) for flat in files.values()]
    sources = {name: s for settings in read for name, s in below(at(settings.root, "sources"))}
    for settings in read:
        for _, sink in below(at(settings.root, "sinks")):
            if text(sink, "type") not in LOCAL:
                yield from _of(sink, _partial(sink, sources))
    if any(settings.odd for settings in read) or any(path.endswith(".json") for path in files):
        yield untold("a part of vector's configuration")


def _of(sink: Node, partial: bool | Unknown) -> Iterator[Target]:
    kind = text(sink, "type") or ""
    places = [p for key in ("address", "endpoint", "endpoints", "uri") for p in texts(sink, key)]
    if not places:
        yield untold(f"vector's sink {kind[:40]}")
    mode = text(sink, "mode") or kind
    if len(places) > 1 and partial is False:
        partial = Unknown("not_told", "messages are shared out among several targets")
    tls = switch(text(sink, "tls.enabled"), False)
    how = verified(switch(text(sink, "tls.verify_certificate"), True), switch(text(sink, "tls.verify_hostname"), True))
    for place in places:
        scheme = address(place, 0)[2]
        port = {"https": 443, "http": 80}.get(scheme, 514)
        yield sent(place, PORTS.get(kind, port), mode, tls, how, partial)


def _partial(sink: Node, sources: Mapping[str, Node]) -> bool | Unknown:
    inputs = texts(sink, "inputs")
    read = [sources[i.lower()] for i in inputs if i.lower() in sources]
    journal = any(text(s, "type") == "journald" and not any(told(s, c) for c in _CHOOSING) for s in read)
    files = [p for s in read if text(s, "type") == "file" for p in texts(s, "include")]
    if len(read) < len(inputs) and not journal:
        return Unknown("not_told", "what its transforms let pass")
    return leaves_out(journal, False, files, len(read))
