"""What a check came to, and a fact: what was told of a host, or why it was not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class Outcome(StrEnum):
    """What a check came to; there is no fifth."""

    PASS = "pass"
    WARN = "warn"  # the target is missed, the limit is kept
    FAIL = "fail"
    UNKNOWN = "unknown"  # it could not be told, and the cause says why


SEVERITIES = ("low", "medium", "high", "critical")
Severity = Literal["low", "medium", "high", "critical"]
Text = Mapping[str, str]  # language ("fr", "en") -> text

# Why something could not be told. The catalogues hold a sentence for each.
CAUSES = {
    "unreachable": "the host did not answer",
    "timeout": "no answer in time",
    "auth": "we could not log in",
    "host_key": "the host's key is not known, or has changed",
    "closed": "the connection closed before the answer was complete",
    "truncated": "the answer was longer than its limit",
    "framing": "the answer does not have the shape we asked for",
    "no_privilege": "the question needs a privilege that we do not have",
    "unreadable": "the answer cannot be read",
    "not_told": "the platform does not tell this",
    "not_asked": "this was not asked",
    "not_observable": "only a running host can tell this",
    "nothing_asked": "nothing asked",
    "other_platform": "the host is not of the platform that the inventory says",
    "other_host": "another host answered at this address",
    "not_measured": "another host that this depends on was not measured",
    "clock_skew": "the host's clock differs too much from ours",
    "last_seen": "no evidence of this host is recent enough",
    "no_transport": "this release has no way in to this host",
    "not_connected": "the inventory says not to connect to this host",
    "not_authorised": "no valid authorisation to audit this perimeter",
    "no_record": "no record tells this",
    "not_entitled": "whoever attests it does not answer for it, or had no mandate that day",
    "altered": "the document is missing, or is not the one that the record names",
    "not_covered": "what was attested does not cover all of this",
    "register_missing": "the register that this is compared with is missing",
    "interrupted": "the run was interrupted",
    "type_mismatch": "the values cannot be compared",
    "regex_timeout": "the pattern took too long on this text",
    "internal": "a defect of the auditor; please report it",
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that could not be told. `cause` is a key of CAUSES, `detail` free text from us or from a host."""

    cause: str
    detail: str = ""

    def __post_init__(self) -> None:
        if self.cause not in CAUSES:
            raise ValueError(f"no such cause: {self.cause}")


@dataclass(frozen=True, slots=True)
class Partial:
    """A list of which something is missing: what is there is true, what is not there proves nothing."""

    items: tuple[Any, ...]
    missing: Unknown


# A fact: None ("looked, not there"), bool, int, float, str, Unknown, a list or Partial of facts, a dict of facts.
Fact = Any

Facts = Mapping[str, Fact]
