"""A register's file, its entries with the dates that they bear, in; the entries that say more than their name, and what is wrong, out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from auditor.errors import Problem
from auditor.load.yaml import Document
from auditor.records import Dated, Moment

MOMENTS = ("detected_at", "declared_at", "breach_at", "dpo_alerted_at", "cnil_notified_at")
DAYS = ("qualified_on", "report_sent_on", "purchased_on")
COUNTED = "incidents"  # the register of which somebody counts the entries


def read(document: Document, problems: list[Problem]) -> tuple[Dated, ...]:
    """All entries of a register of the right shape, in its order; moments and days that cannot be go to `problems`."""
    value = document.value
    found: list[Dated] = []
    for index, entry in enumerate(value["entries"]):
        said = {"entry": entry} if isinstance(entry, str) else entry
        moments = dict(_moments(document, index, said, problems))
        problems.extend(_disordered(document, index, said, moments))
        problems.extend(_contradicting(document, index, said))
        if value["register"] == COUNTED and any(one.id == said["entry"] for one in found):
            problems.append(document.problem(("entries", index), f"the entry '{said['entry']}' is given twice"))
        found.append(_dated(value, said, moments))
    return tuple(found)


def _dated(register: Mapping[str, Any], said: Mapping[str, Any], moments: Mapping[str, Moment | None]) -> Dated:
    return Dated(
        register["register"],
        register.get("perimeter", ""),
        said["entry"],
        moments,
        {name: said[name] for name in DAYS if name in said},
        said.get("personal_data", ""),
        said.get("major"),
        said.get("no_notification", ""),
    )


def _moments(
    document: Document, index: int, said: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, Moment | None]]:
    for name in MOMENTS:
        if name in said:
            try:
                yield name, None if said[name] is None else _moment(said[name])
            except (ValueError, OverflowError):
                problems.append(document.problem(("entries", index, name), f"{said[name]} is no moment"))


def _moment(written: str) -> Moment:
    at = dt.datetime.fromisoformat(written)
    return Moment(at.timestamp(), at.astimezone(ZoneInfo("Europe/Paris")).date().isoformat())


def _disordered(
    document: Document, index: int, said: Mapping[str, Any], moments: Mapping[str, Moment | None]
) -> Iterator[Problem]:
    """What came before the incident was noticed. Who is alerted of what may be a breach is so before it is known to be one."""
    first = moments.get("detected_at")
    for name, moment in moments.items():
        if first and moment and moment.at < first.at:
            yield document.problem(
                ("entries", index, name), f"{said[name]} is before detected_at, {said['detected_at']}"
            )
    qualified, sent = said.get("qualified_on"), said.get("report_sent_on")
    known = qualified or (first.on if first else "")
    if sent and sent < known:
        yield document.problem(("entries", index, "report_sent_on"), f"{sent} is before {known}")
    if qualified and first and qualified < first.on:
        yield document.problem(("entries", index, "qualified_on"), f"{qualified} is before {first.on}")


def _contradicting(document: Document, index: int, said: Mapping[str, Any]) -> Iterator[Problem]:
    """A date of what the same entry says is not so: which of both holds nobody can tell."""
    for date, name, denied in (("breach_at", "personal_data", "none"), ("qualified_on", "major", False)):
        if date in said and said.get(name) == denied:
            yield document.problem(
                ("entries", index, date), f"'{date}' is given, and '{name}' says that there is nothing to date"
            )
