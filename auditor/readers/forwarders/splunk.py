"""The Splunk universal forwarder's outputs.conf in; where it sends out. Pure.

Source: the specification of outputs.conf: a group, or one server, in a stanza of `tcpout`; TLS where `useSSL` says so, or,
left to itself, where there is a client certificate; the server's certificate is not verified unless told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from auditor.model import Unknown
from auditor.readers.forwarders import flatten
from auditor.readers.forwarders.flatten import Node, blocks, text, told
from auditor.readers.forwarders.target import UNREAD, Target, sent, switch, untold, verified


def targets(files: Mapping[str, str]) -> Iterator[Target]:
    """Which file wins over which is not told by the files: where several hold a target, all are given."""
    read = [flatten.read(flat) for flat in files.values()]
    overall = next((b for settings in read for b in blocks(settings.root, "tcpout")), {})
    for settings in read:
        for name in settings.root:
            for stanza in blocks(settings.root, name):
                yield from _of(stanza, overall)
        if settings.odd:
            yield untold("a part of splunk's configuration")


def _of(stanza: Node, overall: Node) -> Iterator[Target]:
    name = text(stanza, "url") or "?"
    if _told(stanza, overall, "disabled") in ("true", "1"):
        return
    if name.startswith(("httpout", "syslog", "tcpout-server", "?")):
        yield untold(f"splunk's {name[:40]}")
    elif name.startswith("tcpout"):
        for place in filter(None, re.split(r"[\s,]+", text(stanza, "server") or "")):
            yield sent(place, 9997, "s2s", _tls(stanza, overall), _verifies(stanza, overall), UNREAD)


def _told(stanza: Node, overall: Node, name: str) -> str | None:
    return text(stanza, name) or text(overall, name)


def _tls(stanza: Node, overall: Node) -> bool | Unknown:
    said = _told(stanza, overall, "usessl")
    if said is None or said == "legacy":
        return told(stanza, "clientcert") or told(overall, "clientcert")
    return switch(said, False)


def _verifies(stanza: Node, overall: Node) -> str | Unknown:
    named = any(told(s, k) for s in (stanza, overall) for k in ("sslcommonnametocheck", "sslaltnametocheck"))
    name = named or switch(_told(stanza, overall, "sslverifyservername"), False)
    return verified(switch(_told(stanza, overall, "sslverifyservercert"), False), name)
