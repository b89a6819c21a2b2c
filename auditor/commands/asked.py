"""What was typed of an audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auditor.errors import InvalidInput
from auditor.kinds import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The arguments and options of `auditor run`, by their names there; what may lack is what `auditor ingest` has not."""

    policy: tuple[str, ...]
    estate: tuple[str, ...]
    formats: tuple[str, ...]
    fail_on: str
    fail_on_warn: bool
    store: str | None
    as_of: str | None
    probes: str | None
    lang: str | None
    details: bool
    audience: Audience
    limit: str | None = None
    missing: bool = False
    jobs: int = 1
    deadline: int = 60
    timings: bool = False
    against: str | None = None
    sarif_accepted: Literal["suppress", "omit"] = "suppress"
    mail: tuple[str, ...] = ()
    mail_detail: bool = False
    trees: tuple[str, ...] = ()
    trusted: str | None = None

    @property
    def typed(self) -> tuple[str, ...]:
        """The places that were named."""
        return (*self.policy, *self.estate, self.probes or "")

    def check(self) -> None:
        """Raises InvalidInput for options that contradict each other."""
        if self.missing and self.store == "none":
            raise InvalidInput("--missing: with --store none there is no earlier evidence; leave one of them out")
        if self.trees and (self.missing or (self.limit and not self.trusted)):
            raise InvalidInput(
                "--tree judges the hosts that it names: leave out --missing, and --limit without --trusted"
            )
