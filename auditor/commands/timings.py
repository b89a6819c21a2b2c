"""How long a run's hosts took: measured around each transport, printed as two short tables on stderr. Nothing of it is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from auditor.kinds import Ask, Voice
from auditor.model import Answer, Command, Host, Output
from auditor.plan import Plan
from auditor.sentences import clean

SLOWEST = 10


@dataclass(frozen=True, slots=True)
class Took:
    """One host, in seconds: until its first answer, and from there to the last; `answers_s` is None when it gave none."""

    host: str
    connect_s: float
    answers_s: float | None


class Timings:
    """Some ten numbers a host, kept until they are printed. `question` is told what hosts say that each question took."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._index = {host.id: index for index, host in enumerate(plan.hosts)}
        self._questions: dict[str, dict[Command, float]] = {}
        self._probes: dict[str, list[tuple[float, str]]] = {}
        self._hosts: list[Took] = []
        self._lock = threading.Lock()

    def question(self, host: str, command: Command, seconds: float) -> None:
        with self._lock:
            self._questions.setdefault(host, {})[command] = seconds

    def around(self, ask: Ask) -> Ask:
        """The same transport, timed by our own clock; a deadline's moment is not enough to tell how long it was."""

        def timed(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
            begun = time.monotonic()
            first: float | None = None
            for command, answer in ask(host, commands, deadline_s):
                if first is None and isinstance(answer, Output):
                    first = time.monotonic()
                yield command, answer
            ended = time.monotonic()
            self._done(Took(host.id, (first or ended) - begun, None if first is None else ended - first))

        return timed

    def _done(self, took: Took) -> None:
        asked = self._plan.questions_of(self._index[took.host])
        with self._lock:
            self._hosts.append(took)
            told = self._questions.pop(took.host, {})
            by_probe: dict[str, set[Command]] = {}
            for question in asked:
                by_probe.setdefault(question.probe, set()).update(c for c in question.commands.values() if c in told)
            for probe, commands in by_probe.items():
                if commands:
                    self._probes.setdefault(probe, []).append((sum(told[c] for c in commands), took.host))

    def lines(self, voice: Voice) -> Iterator[str]:
        """What is printed: the probes from the slowest on, the slowest hosts, and how many did not answer."""
        say = voice.say
        if self._probes:
            yield _row(say("Time on the hosts"), say("median"), say("worst"), say("slowest on"))
        worst = {probe: max(times) for probe, times in self._probes.items()}
        for probe in sorted(worst, key=lambda p: (-worst[p][0], p)):
            middle = median(seconds for seconds, _ in self._probes[probe])
            yield _row(f"  {probe}", _seconds(middle, voice), _seconds(worst[probe][0], voice), worst[probe][1])
        answered = sorted(self._hosts, key=lambda t: (-(t.connect_s + (t.answers_s or 0.0)), t.host))
        slowest = [t for t in answered if t.answers_s is not None]
        if slowest:
            yield _row(say("Slowest hosts"), say("connection"), say("answers"))
        for took in slowest[:SLOWEST]:
            yield _row(f"  {took.host}", _seconds(took.connect_s, voice), _seconds(took.answers_s or 0.0, voice))
        silent = [t.connect_s for t in answered if t.answers_s is None]
        if silent:
            sentence = say("Hosts that did not answer: {count}, after {seconds} at most")
            yield sentence.format(count=len(silent), seconds=_seconds(max(silent), voice))
        if slowest and not self._probes:
            yield say("No host tells how long its questions took: it has no /proc/uptime.")


def _seconds(seconds: float, voice: Voice) -> str:
    text = f"{seconds:.2f} s"
    return text.replace(".", ",") if voice.lang == "fr" else text


def _row(first: str, *cells: str) -> str:
    return (f"{clean(first):32}" + "".join(f"{clean(cell):>12}" for cell in cells[:2])).rstrip() + "".join(
        f"  {clean(cell)}" for cell in cells[2:]
    )
