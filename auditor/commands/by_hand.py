"""Scripts that are run by hand: `plan --script` prints one and remembers its nonce, `ingest` judges the answer it is given."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import click

from auditor.commands import inputs
from auditor.commands.asked import Asked
from auditor.commands.run import run
from auditor.commands.store_place import store_path
from auditor.errors import InvalidInput
from auditor.evaluate import machine_name
from auditor.framing import by_hand
from auditor.framing.sh import HELLO
from auditor.freshness import SKEW_S, whose
from auditor.kinds import Ask
from auditor.model import BY_HAND, Answer, Command, Failure, Host, Output
from auditor.plan import Plan
from auditor.sentences import clean
from auditor.store import Printed, Store

FILE_BYTES = 64 * 1024 * 1024
_PLATFORMS = ("linux", "windows")


# ---------------------------------------------------------------- plan --script


def show(
    policy: tuple[str, ...], estate: tuple[str, ...], name: str, probes: str | None, lang: str | None, store: str | None
) -> int:
    """Prints the script of one host; its answer is known by its nonce, which the store keeps."""
    if store == "none":
        raise InvalidInput("--script: the store remembers what was asked; --store none cannot")
    given = inputs.load(policy, estate, name, probes)
    plan = given.plan
    if len(plan.hosts) != 1:
        raise InvalidInput(f"--script: '{name}' names {len(plan.hosts)} hosts; a script is for one")
    plan = _by_hand(plan)
    host, commands = plan.hosts[0], plan.commands_of(0)
    if not commands:
        raise InvalidInput(f"--script: nothing is asked of {host.id}: {_why_nothing(host)}")
    nonce = secrets.token_hex(by_hand.NONCE_BYTES)
    text = by_hand.script(host.id, host.platform, commands, inputs.elevated(plan.probes), host.become, nonce)
    keeping = Store(store_path(store))
    try:
        at, estate_of = time.time(), whose(plan.hosts[0], plan.estate)
        keeping.keep_printed(Printed(nonce, host.id, estate_of, at, host.platform, host.become, commands))
    finally:
        keeping.close()
    click.echo(text, nl=False)
    say = inputs.voice(lang).say
    click.echo(say("there: {command}").format(command=by_hand.how(host.id, host.platform)), err=True)
    click.echo(say("then here: auditor ingest {file}, once").format(file=by_hand.file_name(host.id)), err=True)
    return 0


def _by_hand(plan: Plan) -> Plan:
    """The plan of its one host as one that is not connected to. Raises InvalidInput where nobody may look at all."""
    host = plan.hosts[0]
    if host.barred:
        raise InvalidInput(f"{host.id}: {clean(host.barred)}")
    if host.connection == "none":
        raise InvalidInput(
            f"{host.id}: the inventory says not to look at it ({clean(host.why)}); for a script by hand, estate.yaml says "
            "connection: by_hand"
        )
    return replace(plan, hosts=(replace(host, connection=BY_HAND, quiet_hours_s=None),))


def _why_nothing(host: Host) -> str:
    known = host.platform in _PLATFORMS
    return "no control applies to it" if known else f"no script is written for the platform {host.platform}"


# ---------------------------------------------------------------- ingest


def ingest(file: BinaryIO, estate: tuple[str, ...], store: str | None, **rest: Any) -> int:
    """Judges an answer, as a run of its one host. The exit code of that run."""
    if store == "none":
        raise InvalidInput("the store knows which script this answers; --store none does not")
    brought = _brought(file, store)
    return run(Asked(estate=estate, limit=brought.printed.host, store=store, **rest), brought)


@dataclass(frozen=True, slots=True)
class Brought:
    """The answer to a script that was printed here; `digest` is of the file."""

    file: str
    digest: str
    printed: Printed
    text: bytes

    def plan(self, plan: Plan, keeping: Store, now: float) -> Plan:
        """The plan of a run that asks this file. Raises InvalidInput for one that does not prove to be of this host, of now."""
        plan = _by_hand(plan)
        host = plan.hosts[0]
        if whose(host, plan.estate) != self.printed.estate:
            raise self._wrong(f"it answers a script that was printed for {host.id} of another estate or perimeter")
        hello = self._answers(now).get(HELLO)
        if not isinstance(hello, Output):
            why = hello.message if hello else "it was not asked"
            raise self._wrong(f"it does not say which host it is of: {why}; run the whole script")
        _named(host, machine_name(hello), self)
        self._dated(host, hello.host_at, keeping, whose(host, plan.estate), now)
        return plan

    def asks(self, now: float) -> dict[str, Ask]:
        """What stands in for a connection: nothing is opened."""
        hello = self._answers(now)[HELLO]
        taken_at = hello.host_at if isinstance(hello, Output) and hello.host_at else now
        told = self._answers(taken_at)

        def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
            unasked = Failure("not_asked", "", taken_at)
            return ((c, told.get(c, unasked)) for c in commands)

        return {BY_HAND: ask}

    def _answers(self, at: float) -> dict[Command, Answer]:
        it = self.printed
        return dict(by_hand.answers(self.text, it.commands, it.nonce, it.platform, it.become, at))

    def _dated(self, host: Host, at: float | None, keeping: Store, estate: str, now: float) -> None:
        """By the host's own clock: after the script was printed, before now, young enough, and newer than what is known."""
        if at is None:
            raise self._wrong("the host did not say what time it is")
        if not self.printed.at - SKEW_S <= at <= now + SKEW_S:
            printed, said = (inputs.civil(t).isoformat(" ", "minutes") for t in (self.printed.at, at))
            raise self._wrong(
                f"by the host's clock it is of {said}, and the script was printed at {printed}: that clock is off"
            )
        if now - at > host.evidence_max_age_s:
            days = int((now - at) // 86400)
            raise self._wrong(f"it is {days} days old, more than the evidence_max_age of {host.id}: print a new script")
        known = keeping.last_sighting(host.id, estate, 0, now + SKEW_S)
        if known and known.at > at:
            raise self._wrong(f"newer evidence of {host.id} is in run {known.run}")

    def _wrong(self, why: str) -> InvalidInput:
        return InvalidInput(f"{self.file}: {why}")


def _brought(file: BinaryIO, store: str | None) -> Brought:
    name = clean(getattr(file, "name", "-"))
    text = file.read(FILE_BYTES + 1)
    if len(text) > FILE_BYTES:
        raise InvalidInput(f"{name}: more than {FILE_BYTES} bytes: no answer is that long")
    nonce = by_hand.nonce_of(text)
    if not nonce:
        raise InvalidInput(
            f"{name}: no answer to a script of `auditor plan --script`; what it wrote is brought as it is"
        )
    keeping = Store(store_path(store), create=False)
    try:
        printed = keeping.printed(nonce)
    finally:
        keeping.close()
    if printed is None:
        raise InvalidInput(f"{name}: it answers a script that this store did not print; --store names another one")
    if printed.run:
        raise InvalidInput(
            f"{name}: this script's answer was judged in run {printed.run}, and counts once: print a new script"
        )
    return Brought(name, hashlib.sha256(text).hexdigest(), printed, text)


def _named(host: Host, own: str, brought: Brought) -> None:
    """The script runs wherever somebody carries it: the host's own name has to be one that the inventory knows it by."""
    known = {_short(n) for n in (host.id, host.was, host.address, *host.aliases) if n}
    if _short(own) not in known:
        raise InvalidInput(
            f"{brought.file}: it was run on '{clean(own)}' and is for {host.id}; if that is its name, give it in "
            f"estate.yaml: aliases: [{clean(own)}]"
        )


def _short(name: str) -> str:
    """A name without its domain; an address whole."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.strip().casefold().partition(".")[0]
