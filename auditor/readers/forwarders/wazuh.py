"""What a host printed of Wazuh's ossec.conf and of its agent's state in; where it sends out. Pure.

Source: the Wazuh reference, `client`, `localfile`, wazuh-agentd.state. Wazuh encrypts with a key of the agent's own, which is
no TLS and which we do not judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor.model import Unknown
from auditor.readers.forwarders.target import UNREAD, Target, address, leaves_out, number

STATE = "wazuh-agentd.state"
CIPHER = Unknown("not_told", "Wazuh has an encryption of its own")


def targets(files: Mapping[str, str]) -> Iterator[Target]:
    found = [_block(text) for path, text in files.items() if not path.endswith(STATE)]
    logs = [b for blocks in found for b in blocks if "location" in b or "log_format" in b]
    journal = any(b.get("log_format") == "journald" and "filter" not in b for b in logs)
    read = [b["location"] for b in logs if b.get("log_format") != "journald" and "location" in b]
    partial = leaves_out(journal, False, read, len(logs))
    for block in (b for blocks in found for b in blocks):
        place = block.get("address") or block.get("server-hostname") or block.get("server-ip")
        if place:
            to, _, _ = address(place, 0)
            port = number(block.get("port"), 1514)
            yield Target(to, port, block.get("protocol", "tcp").lower(), CIPHER, UNREAD, partial, CIPHER)


def connected(files: Mapping[str, str]) -> bool | None:
    """What the agent says of its connection; None where it says nothing."""
    said = next((text.strip() for path, text in files.items() if path.endswith(STATE)), "")
    return said == "status=connected" if said.startswith("status=") else None


def _block(text: str) -> list[dict[str, str]]:
    """Lines `<name>value`, and `end` after each server and each log."""
    found: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        if line == "end":
            found.append({})
        else:
            name, _, value = line.lstrip("<").partition(">")
            found[-1][name] = value.strip()
    return found
