"""A host that is not asked, or did not answer, in; what it told in an earlier run, judged, out. Who answers is compared too.

All answers come from the newest run in which the host itself told something: one moment, never a mixture. For the thread
that opened the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from auditor import freshness
from auditor.evaluate import Judged, evaluate, identity
from auditor.kinds import TREE
from auditor.model import Answer, Command, Failure, Host
from auditor.plan import Plan
from auditor.store import ASKED, Packed, Presence, Sighting, Store, packed

DigestOf = Callable[[Command], bytes]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one host came to: its answers as the store keeps them, and how it took part.

    `absent` says why nothing of it is there: it is `away`, or it has `quiet` hours.
    """

    index: int
    evidence: Mapping[Command, Packed]
    judged: Judged
    presence: Presence = ASKED
    absent: Literal["", "away", "quiet"] = ""


def judged(plan: Plan, index: int, told: Mapping[Command, Answer]) -> Judged:
    return evaluate(plan.subjects[index], plan.checks_of(index), plan.questions_of(index), told, plan.probes)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Earlier evidence of a run's hosts. `run` is the number of that run; `civil` turns a moment into one of France."""

    plan: Plan
    store: Store
    run: int
    clock: Callable[[], float]
    civil: Callable[[float], datetime]
    digest_of: DigestOf

    def fresh(self, index: int) -> Seen | None:
        """The host judged without asking it, when young evidence answers every question; else None."""
        host, commands = self.plan.hosts[index], self.plan.commands_of(index)
        found = self._sighting(host) if commands else None
        if found is None or self._age(found) > host.evidence_max_age_s or self._lost_since(host, found):
            return None
        told = self.store.answers_of(found.run, found.seq)
        return self._on(index, found, told, False) if freshness.whole(commands, told) else None

    def settled(self, seen: Seen) -> Seen:
        """The host as it counts: on earlier evidence when it may be, unknown when another one answered for it."""
        host = self.plan.hosts[seen.index]
        if seen.absent == "quiet" or (seen.absent == "away" and host.availability != "always"):
            return self._instead(seen, host)
        return self._identified(seen, host) if seen.presence.machine else seen

    def left_out(self) -> dict[str, list[str]]:
        """The hosts that the run leaves out and that can be asked, by what each said last that it is."""
        chosen = {host.id for host in self.plan.hosts}
        found: dict[str, list[str]] = {}
        for host in self.plan.estate.hosts:
            if host.id not in chosen and not host.barred and host.connection not in ("none", TREE):
                whose = freshness.whose(host, self.plan.estate)
                hello = self.store.last_hello(host.id, whose, self.run, self.clock() + freshness.SKEW_S)
                if hello and freshness.of_this_system(host, hello.at, self.clock(), self.civil):
                    found.setdefault(identity(hello), []).append(host.id)
        return found

    def _instead(self, seen: Seen, host: Host) -> Seen:
        found = self._sighting(host)
        if found is None:
            why = seen.judged.failure.detail if seen.judged.failure else ""
            detail = freshness.NEVER_SEEN_AND_AWAY.format(why=why) if why else freshness.NEVER_SEEN
        elif self._age(found) > host.evidence_max_age_s:
            detail = freshness.last_seen(self._age(found))
        elif host.availability == "always" and self._lost_since(host, found):
            detail = freshness.LOST_SINCE  # what is always on and did not answer is an outage, also in quiet hours
        else:
            told = self.store.answers_of(found.run, found.seq)
            return self._on(seen.index, found, told, seen.presence.asked)
        failure = Failure("last_seen", detail, self.clock())
        return self._as(seen.index, dict.fromkeys(self.plan.commands_of(seen.index), failure), seen.presence)

    def _identified(self, seen: Seen, host: Host) -> Seen:
        """Unknown, all of it, when the machine that answered is not the one that proved itself last."""
        known = self._last(host, proved=True)
        machine = seen.presence.machine
        if not self.plan.estate.declared or not machine or known is None or known.machine == machine:
            return seen
        if not freshness.of_this_system(host, known.at, self.clock(), self.civil):
            return seen
        failure = Failure("other_host", freshness.stranger(machine, known.machine), seen.judged.at)
        told = dict.fromkeys(self.plan.commands_of(seen.index), failure)
        return self._as(seen.index, told, replace(seen.presence, machine=None))

    def _sighting(self, host: Host) -> Sighting | None:
        found = self._last(host)
        if found is None or not freshness.of_this_system(host, found.at, self.clock(), self.civil):
            return None
        return found

    def _last(self, host: Host, proved: bool = False) -> Sighting | None:
        until = self.clock() + freshness.SKEW_S
        return self.store.last_sighting(host.id, freshness.whose(host, self.plan.estate), self.run, until, proved)

    def _lost_since(self, host: Host, found: Sighting) -> bool:
        return self.store.lost_since(host.id, freshness.whose(host, self.plan.estate), found.run)

    def _age(self, found: Sighting) -> float:
        return self.clock() - found.at

    def _on(self, index: int, found: Sighting, answers: Mapping[Command, Answer], asked: bool) -> Seen:
        unasked = Failure("not_asked", "", found.at)
        told = {c: answers.get(c, unasked) for c in self.plan.commands_of(index)}
        return self._as(index, told, Presence(asked, found.at, medium=found.medium))

    def _as(self, index: int, told: Mapping[Command, Answer], presence: Presence) -> Seen:
        return Seen(index, packed(told, self.digest_of), judged(self.plan, index, told), presence)
