"""A host of a plan and a stored run in; the host judged on what that run holds of it, out, as the one path takes it.

Nobody is asked, and no clock but the run's own counts: evidence is as old as it was then. For the thread that opened the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from auditor.earlier import DigestOf, Seen, judged
from auditor.framing.sh import HELLO
from auditor.model import Answer, Command, Failure, Header, HostSeen, Output, ReplayOf
from auditor.plan import Plan
from auditor.readers.declared import ATTESTATIONS, REGISTERS
from auditor.store import ASKED, HELLOS_BEFORE, Presence, StoredRun, packed

# Details in our own words; sentences.DETAILS translates them.
NOT_THEN = "not in that run"
NOT_KEPT = "its evidence is not kept any more"
UNTRIED = ("nothing_asked", "not_connected")  # failures of a host that no question was put to


@dataclass(frozen=True, slots=True)
class Recall:
    """`places` says where the run holds each host, by name (StoredRun.places)."""

    plan: Plan
    run: StoredRun
    places: Mapping[str, int]
    digest_of: DigestOf

    def seen(self, index: int) -> Seen:
        """What stands at this place of the plan; a question that was not put to it then is unknown."""
        host = self.plan.subjects[index]
        commands = self.plan.commands_of(index)
        place = self.places.get(host.id, self.places.get(host.was, -1))
        if place < 0:
            return Seen(index, {}, judged(self.plan, index, dict.fromkeys(commands, _never(self.run.header))), ASKED)
        then = self.run.host_at(place).seen
        answers = self.run.answers(place)
        known = self._in_todays_words(answers)
        untold = Failure("not_asked", NOT_THEN, then.at) if answers else _silent(then)
        told = {c: known.get(c, untold) for c in commands}
        if self.run.header.limit and then.failure and then.failure.cause == "other_host":
            told = dict.fromkeys(commands, _silent(then))  # also for a host that it left out, of which it holds nothing
        presence = Presence(then.asked, then.evidence_at, medium=then.medium)
        return Seen(index, packed(answers, self.digest_of), judged(self.plan, index, told), presence)

    def _in_todays_words(self, answers: Mapping[Command, Answer]) -> Mapping[Command, Answer]:
        """What the host is, it was asked in other words by earlier releases: the same lines, and fewer."""
        before = next((a for c, a in answers.items() if self.digest_of(c) in HELLOS_BEFORE), None)
        return answers if before is None else {HELLO: before, **answers}


def _never(header: Header) -> Failure:
    """A host that the run does not hold: it had not come to it when it ended, or nobody asked for it."""
    return Failure("interrupted") if header.state == "open" else Failure("not_asked", NOT_THEN)


def _silent(then: HostSeen) -> Failure:
    """Why a host has no answers in the run."""
    if then.failure is None:
        return Failure("unreadable", NOT_KEPT, then.at)
    if then.failure.cause in UNTRIED:
        return Failure("not_asked", NOT_THEN, then.at)
    return Failure(then.failure.cause, then.failure.detail, then.at)


def recorded_in(run: StoredRun) -> Callable[[str, str, str], bool]:
    """What people had declared of a perimeter when the run was, a measure attested or a register kept; see Plan."""
    places = run.places()

    @cache
    def named(what: str, perimeter: str) -> frozenset[str] | None:
        """None where no evidence tells: then something may have been declared."""
        place = places.get(f"perimeter:{perimeter}", -1)
        answers = run.answers(place) if place >= 0 else {}
        answer = answers.get(REGISTERS if what == "register" else ATTESTATIONS)
        if not isinstance(answer, Output):
            return None
        try:
            return frozenset(str(one["id" if what == "register" else "measure"]) for one in json.loads(answer.stdout))
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def recorded(what: str, name: str, perimeter: str) -> bool:
        found = named(what, perimeter)
        return found is None or name in found

    return recorded


def moment(run: StoredRun) -> float:
    """When the run was judged; of one that was killed, when its last host answered."""
    header = run.header
    return header.finished_at or max((h.at for h in run.hosts()), default=0.0) or header.started_at


def replay_of(header: Header) -> ReplayOf:
    """The run that was asked; of a replay, the one that it is of."""
    return header.replay or ReplayOf(header.number, header.id, header.state, header.started_at)
