"""The restic and borg repositories that a Linux host names: how old their restore points are and where they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Partial, Unknown
from auditor.probes.questions.repositories import REPOSITORIES, TOOLS
from auditor.readers import offsite, repositories
from auditor.readers.repositories import Here, Repository, Told
from auditor.readers.repository_host import addresses_of, place_of
from auditor.readers.restore_age import newest_hours

TOOLS_ASKED = frozenset({"restic", "borg", "borgmatic"})


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "tools": Command(TOOLS),
        "repositories": Command(REPOSITORIES, elevated=True, timeout_s=60, cap_bytes=1048576),
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    here = _here(answers["tools"])
    if isinstance(here, Unknown):
        return {"tools": here, "repositories": here}
    declared = offsite.declared(args)
    return {"tools": list(here.tools), "repositories": _repositories(here, answers["repositories"], declared)}


def _here(answer: Answer) -> Here | Unknown:
    return answer.unknown() if isinstance(answer, Failure) else repositories.here(answer.text)


def _repositories(here: Here, answer: Answer, declared: offsite.Declared | None) -> Fact:
    told = Told() if isinstance(answer, Failure) else repositories.read(answer.text)
    if not here.tools and not (told.repositories or told.jobs or told.used or told.untrusted):
        return Unknown("not_told", "no backup tool on this host; ask the backup server")
    if isinstance(answer, Failure):
        return answer.unknown()
    found = _once([_element(one, here, answer, declared) for one in told.repositories])
    gap = _gap(here, told)
    return Partial(tuple(found), gap) if gap else found


def _gap(here: Here, told: Told) -> Unknown | None:
    """Why there may be restore points that were not listed."""
    others = [t for t in here.tools if t not in TOOLS_ASKED]
    silent = [t for t in told.used if not any(r.tool == t for r in told.repositories)]
    why = [
        ("others than root can write: ", told.untrusted),
        ("names a repository in a way that was not read: ", told.jobs),
        ("not asked by this release: ", others),
        ("used here, but no configuration names its repository: ", silent),
    ]
    said = [text + " ".join(names) for text, names in why if names]
    if not told.complete:
        said.append("the answer stops before its end")
    return Unknown("not_told", "; ".join(said)) if said else None


def _once(found: list[dict[str, Fact]]) -> list[dict[str, Fact]]:
    """The same repository may be named by a unit and by a file: the one whose age is known stands."""
    kept: dict[tuple[Any, ...], dict[str, Fact]] = {}
    for number, one in enumerate(found):
        name = (one["tool"], one["repository"])
        key = (*name, number) if str(one["repository"]).endswith("...") else name
        if key not in kept or isinstance(kept[key]["newest_hours"], Unknown):
            kept[key] = one
    return list(kept.values())


def _element(one: Repository, here: Here, answer: Output, declared: offsite.Declared | None) -> dict[str, Fact]:
    on_this_host, host = place_of(one, here)
    return {
        "repository": one.repository,
        "tool": one.tool,
        "newest_hours": newest_hours(one, here, answer),
        "on_this_host": on_this_host,
        "host": host,
        "addresses": list(addresses_of(one)),
        "on_declared_offsite_host": offsite.holds(host, addresses_of(one), declared),
    }
