"""What was read of all files in; which rulesets get messages of the host, and which messages come to a target, out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers.forwarders.target import Target
from auditor.readers.rsyslog.nouns import Place, Reading


def arriving(reading: Reading, place: Place, target: Target, whole: bool) -> Target:
    """A target, with what is known only when all was read: whether messages are taken away before they come to it."""
    if target.partial is not False:
        return target
    if not whole:
        return replace(target, partial=Unknown("not_told", f"which messages come to {place.ruleset}"))
    before = called(reading, place)  # what is stopped there does not come back
    stopped = any(
        s.ruleset in before or (s.ruleset == place.ruleset and (s.text != place.text or s.at < place.at))
        for s in reading.stops
    )
    return replace(target, partial=Unknown("not_told", "some messages are stopped before")) if stopped else target


def called(reading: Reading, place: Place) -> frozenset[str]:
    """The rulesets that a target's own may have called before it, and those that these call."""
    found = {
        to for at, to, _ in reading.calls if at.ruleset == place.ruleset and (at.text, at.at) < (place.text, place.at)
    }
    found |= {to for at, to, _ in reading.calls if at.ruleset == place.ruleset and at.text != place.text}
    while more := {to for at, to, _ in reading.calls if at.ruleset in found} - found:
        found |= more
    return frozenset(found - {place.ruleset})


def reached(reading: Reading) -> Mapping[str, bool]:
    """The rulesets that messages of the host come to, and whether all of them do."""
    reached = {**dict.fromkeys(reading.inputs, False), reading.default: not reading.inputs}
    while True:
        more = dict(reached)
        for origin, to, whole in reading.calls:
            if origin.ruleset in reached:
                more[to] = more.get(to, False) or (whole and reached[origin.ruleset])
        if more == reached:
            return reached
        reached = more
