"""What is known of a configuration of rsyslog while it is read. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.readers.forwarders.target import Target

DEFAULT_RULESET = "RSYSLOG_DefaultRuleset"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the ruleset, the text, and how far into it."""

    ruleset: str
    text: int
    at: int


@dataclass(slots=True)
class Reading:
    driver: str = ""  # the default network stream driver
    mode: str = "0"  # of the legacy actions that follow
    legacy_driver: str = ""
    auth_mode: str = ""  # of the legacy actions that follow
    peers: str = ""  # of the legacy actions that follow
    fallback: bool = False  # of the legacy actions that follow
    ruleset: str = DEFAULT_RULESET  # of the legacy rules that follow
    default: str = DEFAULT_RULESET
    inside: list[tuple[str, str]] = field(default_factory=list)  # of each open brace: the ruleset, the selector
    coming: str = ""  # the ruleset whose brace comes next
    text: int = 0
    at: int = 0
    since: int = 0  # where the last statement ended
    found: list[tuple[Place, Target]] = field(default_factory=list)
    stops: list[Place] = field(default_factory=list)
    calls: list[tuple[Place, str, bool]] = field(default_factory=list)  # from, to, all messages
    inputs: list[str] = field(
        default_factory=list
    )  # the rulesets that messages of the host are given to, past the default
    seldom: bool = False  # of the legacy actions that follow
    drops: bool = False  # a queue that all messages pass drops some when there are many

    @property
    def here(self) -> str:
        return self.inside[-1][0] if self.inside else self.ruleset

    @property
    def place(self) -> Place:
        return Place(self.here, self.text, self.at)
