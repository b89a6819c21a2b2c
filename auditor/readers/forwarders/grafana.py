"""Promtail's and Grafana Alloy's configuration in; where they send out. Pure.

Sources: the Promtail and the Alloy reference, `clients`, `loki.write`. Their stages may leave messages out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor.model import Unknown
from auditor.readers.forwarders import flatten
from auditor.readers.forwarders.flatten import Node, blocks, text, told
from auditor.readers.forwarders.target import NAME, NOTHING, UNREAD, Target, leaves_out, sent, switch, untold


def promtail(files: Mapping[str, str]) -> Iterator[Target]:
    for flat in files.values():
        settings = flatten.read(flat)
        jobs = blocks(settings.root, "scrape_configs")
        paths = [str(p) for job in jobs for p in _leaves(job, "__path__")]
        partial = leaves_out(any(told(j, "journal") for j in jobs), True, paths, len(jobs))
        clients = [*blocks(settings.root, "clients"), flatten.at(settings.root, "client")]
        for client in clients:
            if client:
                yield _of(client, text(client, "tls_config.insecure_skip_verify"), partial)
        if settings.odd:
            yield untold("a part of promtail's configuration")


def alloy(files: Mapping[str, str]) -> Iterator[Target]:
    for flat in files.values():
        settings = flatten.read(flat)
        for write in blocks(settings.root, "loki%write"):
            for endpoint in blocks(write, "endpoint"):
                told_tls = [text(t, "insecure_skip_verify") for t in blocks(endpoint, "tls_config")]
                yield _of(endpoint, told_tls[-1] if told_tls else None, UNREAD)
        if settings.odd or any(k.startswith(("otelcol%exporter", "remote%", "import%")) for k in settings.root):
            yield untold("a part of alloy's configuration")


def _of(client: Node, insecure: str | None, partial: bool | Unknown) -> Target:
    skipped = switch(insecure, False)
    how = skipped if isinstance(skipped, Unknown) else NOTHING if skipped else NAME
    place = text(client, "url") or ""
    return sent(place, 443 if place.startswith("https:") else 80, "loki", False, how, partial)


def _leaves(node: Node, name: str) -> Iterator[str]:
    for key, inner in node.items():
        if isinstance(inner, dict):
            yield from _leaves(inner, name)
        elif key == name:
            yield inner
