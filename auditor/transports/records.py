"""What people declared of a perimeter: answers from the records that were loaded, and opens no connection.

Each answer is JSON: a list of records, or of hosts. They were read, with the digests of their documents, before anything was
asked, so that all of a run is judged by one state of the files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from auditor.decisions.who import attests
from auditor.framing.sh import HELLO
from auditor.kinds import RECORDS, Ask, Settings, Transport
from auditor.model import Answer, Command, Estate, Failure, Host, Output
from auditor.shape import plain

Listed = list[Mapping[str, Any]]


def open_(settings: Settings) -> Ask:
    clock, estate = settings.clock, settings.estate

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        for command in commands:
            yield command, _answer(estate, host.perimeter, command, clock())

    return ask


def script(commands: tuple[Command, ...], elevated: tuple[Command, ...], become: bool) -> str:
    """What is looked up: no script."""
    return "".join(f"# read {c.text}\n" for c in commands if c != HELLO)


def _answer(estate: Estate | None, perimeter: str, command: Command, at: float) -> Answer:
    if command == HELLO:
        return Output(0, f"{RECORDS}\n{perimeter}\n0\n\n\nnone\n".encode(), b"", at)
    listed = _LISTS.get(command.text)
    if estate is None or listed is None:
        return Failure("not_observable", "", at)
    return Output(0, json.dumps(listed(estate, perimeter), sort_keys=True).encode(), b"", at)


def _attestations(estate: Estate, perimeter: str) -> Listed:
    """Each with whose word it is; the mandates are those of now, as the documents are."""
    of_perimeter = (one for one in estate.attestations if one.perimeter == perimeter)
    return [{**plain(one), "attests": attests(one, estate)} for one in of_perimeter]


def _registers(estate: Estate, perimeter: str) -> Listed:
    """The estate's and the perimeter's own; of their entries only how many there are."""
    return [
        {"id": one.id, "perimeter": one.perimeter, "reviewed_at": one.reviewed_at, "entries": len(one.entries)}
        for one in estate.registers
        if one.perimeter in ("", perimeter)
    ]


def _hosts(estate: Estate, perimeter: str) -> Listed:
    """What a scope may name them by."""
    return [
        {"id": host.id, "zone": host.zone, "roles": list(host.roles), "groups": list(host.groups)}
        for host in estate.hosts
        if host.perimeter == perimeter
    ]


_LISTS: Mapping[str, Callable[[Estate, str], Listed]] = {
    "attestations": _attestations,
    "registers": _registers,
    "hosts": _hosts,
}

TRANSPORT = Transport(script=script, open=open_)
