"""NXLog's configuration in; where it sends out: only outputs that a route leads to. Pure.

Source: the NXLog reference manual, om_ssl: the certificate is verified unless AllowUntrusted, its name is not known to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.readers.forwarders import flatten
from auditor.readers.forwarders.flatten import Node, blocks, text, told
from auditor.readers.forwarders.target import (
    AUTHORITY,
    NOTHING,
    UNREAD,
    Target,
    address,
    number,
    sent,
    switch,
    untold,
)

LOCAL = ("om_file", "om_null", "om_uds", "om_blocker")
SENDING = {"om_tcp": "tcp", "om_udp": "udp", "om_ssl": "tcp"}


def targets(files: Mapping[str, str]) -> Iterator[Target]:
    for flat in files.values():
        settings = flatten.read(flat)
        paths = [text(route, "path") or "?" for route in blocks(settings.root, "route")]
        for output in blocks(settings.root, "output"):
            name = text(output, "@arg") or "?"
            routed = [p for p in paths if "?" in p or name in re.split(r"[\s,=>]+", p.partition("=>")[2])]
            if routed and text(output, "module") not in LOCAL:
                yield _of(output)
        if settings.odd or told(settings.root, "include"):
            yield untold("a part of nxlog's configuration")


def _of(output: Node) -> Target:
    module = text(output, "module") or ""
    if module not in SENDING:
        return untold(f"nxlog's output {module[:40]}")
    insecure = switch(text(output, "allowuntrusted"), False)
    how = insecure if not isinstance(insecure, bool) else NOTHING if insecure else AUTHORITY
    place = text(output, "host") or ""
    found = sent(place, 514, SENDING[module], module == "om_ssl", how, UNREAD)
    named = address(place, 0)[1]
    return found if named else replace(found, port=number(text(output, "port"), 514))
