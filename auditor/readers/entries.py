"""One way into a host, for one account, and the proofs that it takes; several of them out as facts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model import Fact, Partial, Unknown

ANYBODY = "anybody"


@dataclass(frozen=True, slots=True)
class Entry:
    door: str
    account: str
    remote: bool
    two_factors: bool | Unknown
    reason: str


def shown(entry: Entry) -> Fact:
    return {
        "door": entry.door,
        "account": entry.account,
        "remote": entry.remote,
        "two_factors": entry.two_factors,
        "reason": entry.reason,
    }


def unsure(served: Iterable[bool | Unknown]) -> Unknown | None:
    return next((why for why in served if isinstance(why, Unknown)), None)


def listed(items: list[Fact], gap: Unknown | None) -> Fact:
    return Partial(tuple(items), gap) if gap else items


def one_factor(entries: list[Entry], gap: Unknown | None) -> Fact:
    """Who gets in at the machine itself with one factor."""
    near = [e for e in entries if not e.remote]
    names: list[Fact] = list(dict.fromkeys(e.account for e in near if e.two_factors is False))
    return listed(names, gap or unsure(e.two_factors for e in near))
