"""The language of Grafana's Alloy in; its settings, flattened, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.readers.forwarders.flattening.settings import ADDRESS, Flat, flattened


def river(text: bytes) -> bytes:
    """Blocks `name "label" {` and lines `key = value`."""
    return flattened(text, _river)


def _river(flat: Flat, lines: Iterator[str]) -> None:
    for line in (one.strip(" \t") for one in lines):
        found = re.match(r"([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*", line)
        if not line or line.startswith("//"):
            continue
        if re.match(r"[A-Za-z_].*\{$", line):
            flat.enter(0, line.split()[0], True)
        elif line.startswith("}"):
            flat.leave(1)
        elif found:
            value = line[found.end() :].removesuffix(",")
            if value.endswith(("[", "(", "{")) or value.startswith("`"):
                flat.odd() if ADDRESS.match(found[1]) else None
            else:
                flat.value(flat.below(found[1].lower()), value)
        elif re.search(r"\{.*\}", line):
            flat.odd()
