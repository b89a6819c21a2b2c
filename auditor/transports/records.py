"""What people declared of a perimeter: answers from the records that were loaded, and opens no connection.

Each answer is JSON: a list of records, or of hosts. They were read, with the digests of their documents, before anything was
asked, so that all of a run is judged by one state of the files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.decisions import proof
from auditor.decisions.who import attests, well_signed
from auditor.framing.sh import HELLO
from auditor.kinds import RECORDS, Ask, Settings, Transport
from auditor.model import Answer, Command, Estate, Failure, Host, Output
from auditor.records import Acceptance, Action, Adaptation, Recommendation, Record
from auditor.shape import plain

Listed = list[Mapping[str, Any]]
GIVEN = "given"
DATED_REGISTERS = ("incidents", "workstations")  # the entries of others stay where they are


def open_(settings: Settings) -> Ask:
    clock, estate, decided = settings.clock, settings.estate, settings.records

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        for command in commands:
            yield command, _answer(estate, decided, host.perimeter, command, clock())

    return ask


def script(commands: tuple[Command, ...], elevated: tuple[Command, ...], become: bool) -> str:
    """What is looked up: no script."""
    return "".join(f"# read {c.text}\n" for c in commands if c != HELLO)


def _answer(estate: Estate | None, decided: tuple[Record, ...], perimeter: str, command: Command, at: float) -> Answer:
    if command == HELLO:
        return Output(0, f"{RECORDS}\n{perimeter}\n0\n\n\nnone\n".encode(), b"", at)
    listed, judged = _LISTS.get(command.text), _DECIDED.get(command.text)
    if estate is None or not (listed or judged):
        return Failure("not_observable", "", at)
    found = judged(estate, perimeter, decided) if judged else listed(estate, perimeter) if listed else []
    return Output(0, json.dumps(found, sort_keys=True).encode(), b"", at)


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


def _dated(estate: Estate, perimeter: str) -> Listed:
    """The entries, with their dates, of registers whose entries name nobody: the estate's and the perimeter's own.

    Of a reason not to notify, which may name persons, only that there is one.
    """
    elsewhere = {host.id for host in estate.hosts if host.perimeter != perimeter}
    return [
        plain(replace(one, no_notification=GIVEN if one.no_notification else "", elsewhere=one.id in elsewhere))
        for one in estate.dated
        if one.perimeter in ("", perimeter) and one.register in DATED_REGISTERS
    ]


def _adaptations(estate: Estate, perimeter: str, decided: tuple[Record, ...]) -> Listed:
    """Each with those who are to be told of it: whoever benefits from the perimeter now."""
    known = estate.perimeters.get(perimeter)
    return [
        {
            "id": one.id,
            "effective_from": one.signature.effective_from,
            "expires": one.expires,
            "active": one.status == "active",
            "informed": plain(one.informed),
            "beneficiaries": list(known.beneficiaries) if known else [],
        }
        for one in decided
        if isinstance(one, Adaptation) and one.perimeter == perimeter
    ]


def _recommendations(estate: Estate, perimeter: str, decided: tuple[Record, ...]) -> Listed:
    """Each with the acceptances that decline it, and the actions that its owner promised for it."""
    return [
        {
            "id": one.id,
            "communicated_at": one.communicated_at,
            "reply": one.reply,
            "replied_on": one.replied_on,
            "controls": list(one.controls),
            "altered": one.proof.document if one.proof and not one.proof.holds else "",
            "declined": [
                _acceptance(d, estate)
                for d in decided
                if isinstance(d, Acceptance) and (d.recommendation, d.perimeter) == (one.id, one.perimeter)
            ],
            "adopted": [
                {"id": d.id, "controls": list(d.controls)} for d in decided if isinstance(d, Action) and _adopts(d, one)
            ],
        }
        for one in estate.recommendations.values()
        if one.perimeter == perimeter
    ]


def _adopts(one: Action, recommendation: Recommendation) -> bool:
    there = (one.raised_by, one.perimeter) == (recommendation.id, recommendation.perimeter)
    return there and one.status != "abandoned" and not one.awaits


def _acceptance(one: Acceptance, estate: Estate) -> Mapping[str, Any]:
    """Whether it was formalised: by whoever decides there, with a mandate of that day, and its document as it was."""
    return {
        "id": one.id,
        "controls": list(one.controls),
        "signed_at": one.signature.signed_at,
        "expires": one.expires,
        "active": one.status == "active",
        "supersedes": one.supersedes,
        "formalised": well_signed(one, estate) and not any(proof.evidence(one)),
    }


_LISTS: Mapping[str, Callable[[Estate, str], Listed]] = {
    "attestations": _attestations,
    "registers": _registers,
    "hosts": _hosts,
    "dated": _dated,
}
_DECIDED: Mapping[str, Callable[[Estate, str, tuple[Record, ...]], Listed]] = {
    "adaptations": _adaptations,
    "recommendations": _recommendations,
}

TRANSPORT = Transport(script=script, open=open_)
