"""A repository's listing in; how long ago this host's newest restore point in it was made out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.errors import Unreadable
from auditor.model import Fact, Output, Unknown
from auditor.readers import offsite, snapshots
from auditor.readers.repositories import Here, Repository
from auditor.readers.snapshots import RestorePoint

SKEW_S = 86400  # beyond this the host's own clock is not believed for ages
FUTURE_S = 300

_WHY_NOT = {
    "shell": "only a shell can tell what this configuration sets",
    "late": "left out: the repositories before it took too long",
    "tool": "its tool is not there, or others than root can change it",
    "password": "its password was refused or not found",
    "unreachable": "it could not be reached",
    "denied": "access to it was denied",
    "absent": "there is no repository at this place",
    "timeout": "no answer in time",
}


def newest_hours(one: Repository, here: Here, answer: Output) -> Fact:
    """Hours since the newest restore point of this host; None when the repository holds no restore point at all."""
    if one.listing is None:
        cause = "timeout" if one.said in ("late", "timeout") else "not_told"
        return Unknown(cause, f"{one.source}: {_WHY_NOT.get(one.said, 'its restore points could not be listed')}")
    try:
        points = snapshots.restic(one.listing) if one.tool == "restic" else snapshots.borg(one.listing)
    except Unreadable as error:
        return Unknown("unreadable", str(error))
    return _age(points, here, answer) if points else None


def _age(points: Sequence[RestorePoint], here: Here, answer: Output) -> Fact:
    if answer.host_at is None:
        return Unknown("not_told", "the host's clock")
    if abs(answer.host_at - answer.at) > SKEW_S:
        return Unknown("clock_skew", "the host's clock")
    own = _own(points, here.name)
    if isinstance(own, Unknown):
        return own
    past = [at for at in own if at <= answer.host_at + FUTURE_S]
    if not past:
        return Unknown("clock_skew", "its restore points are dated in the future")
    return round(max(0.0, answer.host_at - max(past)) / 3600, 1)


def _own(points: Sequence[RestorePoint], name: str) -> list[float] | Unknown:
    """When this host's restore points were made; only a whole name, or a short one that is nobody else's, tells whose."""
    mine = offsite.plain(name)
    named = {p.host: offsite.plain(p.host) for p in points}
    alike = {n for n in named.values() if _short(n) == _short(mine)}
    if _short(mine) in ("", "localhost"):
        return Unknown("not_told", f"this host calls itself {name}, as others may")
    if not alike:
        names = sorted(n or "?" for n in named)[:5]
        return Unknown("not_told", "restore points of other names only: " + " ".join(names))
    if mine not in alike and all("." in n for n in (mine, *alike)):
        return Unknown("not_told", "restore points of another host of that name only: " + " ".join(sorted(alike)[:5]))
    counted = {mine} if "." in mine and mine in alike else alike
    if len(alike) > 1 and counted != {mine}:
        return Unknown("not_told", "several names may be this host's: " + " ".join(sorted(alike)[:5]))
    return [p.at for p in points if named[p.host] in counted]


def _short(name: str) -> str:
    return name.partition(".")[0]
