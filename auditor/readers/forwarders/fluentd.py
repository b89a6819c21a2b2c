"""Fluentd's configuration (td-agent, fluent-package) in; where it sends out. Pure.

Source: the Fluentd documentation, "forward output": `transport tls`, verified with its name unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers.forwarders import flatten
from auditor.readers.forwarders.flatten import Node, Settings, blocks, text, told
from auditor.readers.forwarders.target import Target, leaves_out, number, sent, switch, untold, verified

LOCAL = ("stdout", "file", "null", "relabel", "copy", "roundrobin", "rewrite_tag_filter", "exec_filter", "buffer")
KEEPING = ("record_transformer", "parser", "stdout")  # filters that leave nothing out


def targets(files: Mapping[str, str]) -> Iterator[Target]:
    for flat in files.values():
        settings = flatten.read(flat)
        for group, labelled in [(settings.root, False), *((label, True) for label in blocks(settings.root, "label"))]:
            for match in blocks(group, "match"):
                partial = _partial(settings, group, match, labelled)
                for output in (match, *blocks(match, "store")):
                    yield from _of(output, match, partial)
        if settings.odd or told(settings.root, "@include"):
            yield untold("a part of fluentd's configuration")


def _of(output: Node, match: Node, partial: bool | Unknown) -> Iterator[Target]:
    kind = text(output, "@type") or text(output, "type") or ""
    if kind == "forward":
        tls = text(output, "transport") == "tls"
        certificate = switch(text(output, "tls_insecure_mode"), False)
        name = switch(text(output, "tls_verify_hostname"), True)
        how = verified(certificate if isinstance(certificate, Unknown) else not certificate, name)
        for server in blocks(output, "server"):
            found = sent(text(server, "host") or "", 24224, kind, tls, how, partial)
            yield replace(
                found, port=number(text(server, "port"), 24224), selector=text(match, "@arg") or found.selector
            )
    elif kind not in LOCAL:
        yield untold(f"fluentd's output {kind[:40]}")


def _partial(settings: Settings, group: Node, match: Node, labelled: bool) -> bool | Unknown:
    sources = [s for s in blocks(settings.root, "source") if labelled or not told(s, "@label")]
    kinds = [(text(s, "@type") or "", s) for s in sources]
    journal = any(kind in ("systemd", "systemd_journal") and not told(s, "matches") for kind, s in kinds)
    files = [p for kind, s in kinds if kind == "tail" for p in (text(s, "path") or "?").split(",")]
    dropping = any(text(f, "@type") not in KEEPING for f in blocks(group, "filter"))
    first = blocks(group, "match")[:1] == [match] and text(match, "@arg") == "**"
    return leaves_out(journal, dropping or labelled or not first or bool(settings.odd), files, len(sources))
