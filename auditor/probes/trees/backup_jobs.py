"""Which backups the files of a tree schedule, how often, and whether these go to a declared off-site host. Pure.

Of a host that runs, the probe backups tells which restore points there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import offsite, schedules
from auditor.readers.trees import backup_targets, backups
from auditor.readers.trees.backups import Job, Tree
from auditor.readers.trees.forwarders import worst

DAY = 24.0  # what surely starts that often is often enough, whatever else there is
MOST_PLACES = 8
HOURS = ("every_hours", "at_best_hours", "off_site_hours", "off_site_at_best_hours")
NONE = Unknown("not_observable", "backups that no file of the tree schedules")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return backups.QUESTIONS


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    tree, declared = backups.read(answers), offsite.declared(args)
    placed = [(job, _off_site(job, tree, declared)) for job in tree.jobs]
    made = [(job, job.unsure) for job in tree.jobs if job.does == "backup"]
    away = [(job, to if isinstance(to, Unknown) else job.unsure) for job, to in placed if to is not False]
    where = [place for job in tree.jobs for place in job.where]
    to = [place for job in tree.jobs for place in (job.to or job.where)]
    unseen = (tree.gap or NONE,) * 2
    often = _hours(made, tree.gap) if made else unseen
    off_site = _hours(away, tree.gap) if tree.jobs else unseen
    return {
        "jobs": Partial(tuple(_shown(job, to) for job, to in placed), tree.gap or NONE),
        "every_hours": often[0],
        "at_best_hours": often[1],
        "off_site_hours": off_site[0],
        "off_site_at_best_hours": off_site[1],
        WHERE: {name: tuple(dict.fromkeys(to if name.startswith("off") else where))[:MOST_PLACES] for name in HOURS},
    }


def _shown(job: Job, away: bool | Unknown) -> Fact:
    hours = job.starts if isinstance(job.starts, Unknown) else schedules.longest_gap([job.starts])
    return {
        "job": job.name,
        "tool": job.tool,
        "every_hours": hours,
        "certain": job.unsure or True,
        "repositories": [Unknown("not_told", job.name) if r == "?" else r.rpartition("|")[2] for r in job.repositories],
        "off_site": away,
        WHERE: (*job.where, *job.to),
    }


def _off_site(job: Job, tree: Tree, declared: offsite.Declared | None) -> bool | Unknown:
    told = [backup_targets.off_site(repository, tree.found, declared) for repository in job.repositories]
    return True if True in told else next((t for t in told if isinstance(t, Unknown)), False)


def _hours(jobs: list[tuple[Job, Unknown | None]], gap: Unknown | None) -> tuple[Fact, Fact]:
    """The longest time between two starts: of what surely makes backups, where the rest cannot change it; and of all that may."""
    sure, possible = _gap(job for job, unsure in jobs if unsure is None), _gap(job for job, _ in jobs)
    untold = gap or next((job.starts for job, _ in jobs if isinstance(job.starts, Unknown)), None)
    settled = sure is not None and sure <= DAY
    if settled or (sure == possible and not untold):
        return sure, untold or possible
    return untold or worst(unsure for _, unsure in jobs), untold or possible


def _gap(jobs: Iterable[Job]) -> float | None:
    return schedules.longest_gap([job.starts for job in jobs if not isinstance(job.starts, Unknown)])
