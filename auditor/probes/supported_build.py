"""Whether Windows' maker still mends the release that a host runs: build and edition in, days that are left out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Facts, Failure, Unknown
from auditor.readers import windows_release
from auditor.readers.windows_release import Release

DAY = 86400.0
SKEW_S = 86400.0


def _commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"version": windows_release.VERSION}


def _parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    release = windows_release.read(answers["version"])
    if isinstance(release, Unknown):
        return {"build": release, "edition": release, "support_days": release}
    revision = "" if release.revision is None else f".{release.revision}"
    edition = release.edition or Unknown("not_told", "EditionID")
    given = [str(row) for row in args.get("ends", ())]
    return {
        "build": f"{release.build}{revision}",
        "edition": edition,
        "support_days": _left(release, answers["version"], given),
    }


def _left(release: Release, answer: Answer, given: list[str]) -> float | Unknown:
    """Days until the end of the last day, by the host's clock; negative after it."""
    if isinstance(release.kind, Unknown):
        return release.kind
    until = {**windows_release.KNOWN, **windows_release.ends(given)}.get((release.build, release.kind))
    if until is None:
        return Unknown("not_told", f"until when {release.build} {release.kind} is mended is not in the table")
    if isinstance(answer, Failure) or answer.host_at is None:
        return Unknown("not_told", "the host's clock")
    if abs(answer.host_at - answer.at) > SKEW_S:
        return Unknown("clock_skew")
    end = datetime(until.year, until.month, until.day, tzinfo=UTC).timestamp() + DAY
    return round((end - answer.host_at) / DAY, 1)


PROBE = Probe(
    title={"en": "Release of the operating system", "fr": "Version du système d'exploitation"},
    facts={
        "type": "object",
        "properties": {
            "build": {
                "type": "string",
                "description": "The build, and its revision, which each monthly update raises.",
            },
            "edition": {"type": "string", "description": "The edition, as the registry names it (EditionID)."},
            "support_days": {
                "type": "number",
                "description": "Days until the maker's last update for this release and edition, bought extensions aside; negative after it.",
            },
        },
    },
    dialects={"windows": Dialect(_commands, _parse)},
    arguments={
        "type": "object",
        "properties": {
            "ends": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Rows `BUILD KIND LAST-DAY` that stand above those of the shipped table, e.g. `19045 work 2028-10-10` "
                "for hosts with bought updates; KIND is server, annual, home, work, ltsc or iot-ltsc.",
            }
        },
        "additionalProperties": False,
    },
    privilege={"en": "An ordinary account.", "fr": "Un compte ordinaire."},
)
