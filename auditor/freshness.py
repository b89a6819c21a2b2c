"""A host, its answers and moments in; whether to ask it, what earlier evidence is worth, and who answered, out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from auditor.framing.sh import HELLO
from auditor.kinds import TREE
from auditor.model import UNNAMED, Answer, Command, Estate, Failure, Host, Output

# What proves silence: no such name, no packet back, or a bastion that could not connect. Whoever refuses the port, drops us
# before or while we talk, or lets us wait, is there; and a bastion's own trouble says nothing of the hosts behind it.
AWAY = ("name", "silent", "relay")
# A question that ended so has no answer that a second attempt could not better.
UNFINISHED = ("closed", "framing", "interrupted", "internal", "timeout", "not_asked", "unreadable")
SKEW_S = 300.0  # evidence may come from a run whose clock was that much ahead

# Details in our own words; sentences.DETAILS translates them.
NEVER_SEEN = "never seen"
NEVER_SEEN_AND_AWAY = "never seen; now: {why}"
HOURS_AGO = "last seen {count} hours ago"
DAYS_AGO = "last seen {count} days ago"
LOST_SINCE = "asked in vain since it was last seen"
OTHER_HOST = "it shows the machine-id {new}, known is {old}; if it was reinstalled, give reinstalled_at in estate.yaml"

_MACHINE_ID = re.compile(r"(?!0+$)[0-9a-f]{16,64}")


def whose(host: Host, estate: Estate) -> str:
    """What tells hosts of one id apart: the perimeter and its owner; where nobody named them, also where the estate lies.

    Not the path alone, which a checkout changes; nor all entities and perimeters, which change as an estate grows.
    """
    perimeter = estate.perimeters.get(host.perimeter)
    told = [host.perimeter, perimeter.owner if perimeter else ""]
    if host.connection == TREE:  # what files tell is no earlier evidence of the host itself
        return json.dumps([*told, estate.place, TREE, host.tree], ensure_ascii=False, separators=(",", ":"))
    return json.dumps(
        [*told, estate.place] if told == [UNNAMED] * 2 else told, ensure_ascii=False, separators=(",", ":")
    )


def machine_of(hello: Answer | None) -> str | None:
    """The machine-id that a host proves itself with; "" when it shows none, None when it did not answer."""
    if not isinstance(hello, Output):
        return None
    lines = hello.text.split("\n")
    shown = lines[4].strip().lower().replace("-", "") if len(lines) > 4 else ""
    return shown if _MACHINE_ID.fullmatch(shown) else ""


def away(answers: Mapping[Command, Answer]) -> bool:
    """Nothing came from the host, not even a refusal: it is off, or elsewhere."""
    hello = answers.get(HELLO)
    if not isinstance(hello, Failure) or hello.cause != "unreachable" or hello.obstacle is None:
        return False
    silent = hello.obstacle.hurdle in AWAY and not hello.obstacle.bastion
    return silent and not any(isinstance(a, Output) for a in answers.values())


def quiet(host: Host, now: datetime) -> bool:
    """Whether no connection may be opened at this moment, a civil one of France. The first minute counts, the last not."""
    if host.quiet_hours_s is None:
        return False
    begin, end = host.quiet_hours_s
    at = now.hour * 3600 + now.minute * 60 + now.second
    return begin <= at < end if begin < end else at >= begin or at < end


def of_this_system(host: Host, at: float, now: float, civil: Callable[[float], datetime]) -> bool:
    """Whether evidence of `at` is of the system that the host is today; a day to come has changed nothing yet."""
    day = host.reinstalled_at
    if not day or day > civil(now).date().isoformat():
        return True
    return civil(at).date().isoformat() > day


def whole(commands: Iterable[Command], answers: Mapping[Command, Answer]) -> bool:
    """Every one of these questions was asked and came to an end."""
    for command in commands:
        answer = answers.get(command)
        if answer is None or (isinstance(answer, Failure) and answer.cause in UNFINISHED):
            return False
    return isinstance(answers.get(HELLO), Output)


def last_seen(age_s: float) -> str:
    """How long ago, as a detail of the cause `last_seen`."""
    hours = max(0, int(age_s // 3600))
    return HOURS_AGO.format(count=hours) if hours < 48 else DAYS_AGO.format(count=hours // 24)


def stranger(new: str, old: str) -> str:
    """Two machine-ids, shortened, and what to do, as a detail of the cause `other_host`."""
    return OTHER_HOST.format(new=new[:8], old=old[:8])
