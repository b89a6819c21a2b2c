"""The schedules of a tree in; the backups that these start, how often, and whether they go to a declared host, out. Pure.

That a backup was made, and can be restored, no file tells. Sources: crontab(5), the manuals of restic, borg and borgmatic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auditor.model import Answer, Command, Unknown
from auditor.readers import backup_commands, files, schedules
from auditor.readers.backup_commands import Run
from auditor.readers.files import LINKS, Files
from auditor.readers.schedules import Starts
from auditor.readers.trees import backup_doubts as doubts
from auditor.readers.trees import forwarders, timers, units
from auditor.readers.trees.backup_repositories import of_service, repositories
from auditor.readers.trees.forwarders import worst

_FOLDERS = {"hourly": 1.0, "daily": 24.0, "weekly": 168.0, "monthly": 744.0}
QUESTIONS: Mapping[str, Command] = {
    "cron": Command("/etc/crontab /etc/cron.d/*", kind="read", mask="backup_crontab"),
    "cron_own": Command(
        "/var/spool/cron/crontabs/root /var/spool/cron/root /var/spool/cron/tabs/root /etc/crontabs/root",
        kind="read",
        mask="backup_crontab_own",
    ),
    "cron_folders": Command(
        " ".join(f"/etc/cron.{often}/*" for often in _FOLDERS), kind="read", mask="backup_script", cap_bytes=262144
    ),
    "timers": timers.TIMERS,
    "services": timers.SERVICES,
    "timer_links": timers.LINKED,
    "variables": Command(
        "/etc/restic/* /etc/restic.env /etc/default/restic* /etc/sysconfig/restic* /etc/borg/* /etc/borgbackup/* /etc/backup/*"
        " /etc/default/borg* /etc/sysconfig/borg* /etc/default/backup* /etc/sysconfig/backup* /root/.config/restic/*",
        kind="read",
        mask="backup_variables",
        cap_bytes=131072,
    ),
    "borgmatic": Command("/etc/borgmatic/*.yaml /etc/borgmatic.d/*.yaml", kind="read", mask="borgmatic"),
    "mounts": Command("/etc/fstab", kind="read", mask="backup_mounts"),
    "ssh_names": Command(
        "/root/.ssh/config /etc/ssh/ssh_config /etc/ssh/ssh_config.d/*.conf", kind="read", mask="backup_ssh_names"
    ),
    "programs": doubts.PROGRAMS,
    "names": forwarders.NAMES,
    "units": units.UNITS,
    "places": Command("/* /srv/* /var/* /opt/* /etc/*", kind="read", mask=LINKS, cap_bytes=524288),
}
CRON = ("cron", "crond", "cronie")
# The units of clients that a server of theirs has back up.
AGENTS: Mapping[str, tuple[str, ...]] = {
    "UrBackup": ("urbackupclientbackend", "urbackupclient"),
    "Bacula": ("bacula-fd",),
    "Bareos": ("bareos-fd", "bareos-filedaemon"),
    "Veeam": ("veeamservice",),
    "Burp": ("burp",),
    "Duplicati": ("duplicati",),
    "CrashPlan": ("crashplan", "code42"),
    "Acronis": ("acronis_mms",),
}
_CRON_NAME = re.compile(r"[A-Za-z0-9_-]+")  # others cron may pass over, as Debian's does
MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Job:
    """`starts`: when, at best; `unsure`: why it may not start, or make no backup. `repositories`: as backup_commands writes them."""

    name: str
    tool: str
    does: str
    starts: Starts | Unknown
    unsure: Unknown | None
    repositories: tuple[str, ...]
    where: tuple[str, ...]
    to: tuple[str, ...] = ()  # the lines that name the repositories


@dataclass(slots=True)
class Tree:
    """The texts by question. `gap`: what could be known of them and is not."""

    found: Mapping[str, Files]
    units: units.Units
    gap: Unknown | None = None
    jobs: list[Job] = field(default_factory=list)


def read(answers: Mapping[str, Answer]) -> Tree:
    found = {name: files.read(answers[name]) for name in QUESTIONS if name != "units"}
    running = units.read(answers["units"])
    tree = Tree(
        found, running, worst([running.gap, *(units.gap_of(f) for name, f in found.items() if name != "places")])
    )
    tree.jobs = [*_of_cron(tree), *_of_folders(tree), *_of_timers(tree), *_of_agents(tree)]
    return tree


def _of_agents(tree: Tree) -> Iterator[Job]:
    """What a link has started, and a server has back up when it says so."""
    for tool, names in AGENTS.items():
        if tree.units.runs(*names) is True:
            untold = Unknown("not_told", f"when the server of {tool} has it make a backup")
            yield Job(names[0], tool, "backup", untold, untold, ("?",), tree.units.place(*names))


# ---------------------------------------------------------------- cron


def _of_cron(tree: Tree) -> Iterator[Job]:
    for name in ("cron", "cron_own"):
        for path, text in tree.found[name].texts.items():
            yield from _of_crontab(path, text, tree)


def _of_crontab(path: str, text: str, tree: Tree) -> Iterator[Job]:
    rows = [
        (row.split("\t"), f"{path}:{n}")
        for n, line in enumerate(text.split("\n"), 1)
        for row in line.split("\r")
        if row
    ]
    odd = next(
        (place for row, place in rows if row == ["odd"] or (row[0] == "job" and schedules.cron(row[1]) is None)), ""
    )
    variables: dict[str, str] = {}
    for row, place in rows:
        if row[0] == "set":
            variables[row[1]] = row[2]
        run = backup_commands.read("\t".join(row[2:])) if row[0] == "job" else None
        if run:
            unsure = (
                Unknown("not_told", f"whether cron takes {odd}")
                if odd
                else doubts.unsure(run, place, tree.found, tree.units.whole)
            )
            unsure = unsure or _passed_over(path) or doubts.read_before(run, tree.found) or _cron_unstarted(tree)
            starts = schedules.cron(row[1]) or ()
            off = any({n, units.template(n)} & tree.units.masked.keys() for n in CRON)
            named, to = repositories(run, variables, tree.found, by_shell=True)
            unsure = unsure or doubts.not_kept(named)
            yield Job(place, run.tool, run.does, () if off else starts, unsure, named, (place,), to)


def _cron_unstarted(tree: Tree) -> Unknown | None:
    """Of a tree that has all units, whether no link has cron started."""
    runs = tree.units.runs(*CRON)
    return runs if tree.units.whole and isinstance(runs, Unknown) else None


def _passed_over(path: str) -> Unknown | None:
    folder, _, name = path.rpartition("/")
    passed = folder == "/etc/cron.d" and not _CRON_NAME.fullmatch(name)
    return Unknown("not_observable", f"whether cron reads {path}") if passed else None


def _of_folders(tree: Tree) -> Iterator[Job]:
    for path, text in tree.found["cron_folders"].texts.items():
        line = next((n for n, told in enumerate(text.split("\n"), 1) if told), 0)
        often = path.split("/")[2].partition(".")[2]
        if line:
            unsure = Unknown("not_told", f"whether {path} makes a backup: only a shell can tell")
            starts = schedules.every(_FOLDERS[often] * 3600)
            yield Job(path, "script", "backup", starts, unsure, ("?",), (f"{path}:{line}",))


# ---------------------------------------------------------------- timers


def _of_timers(tree: Tree) -> Iterator[Job]:
    for name in timers.named(tree.found["timers"].texts, tree.found["timer_links"]):
        timer = timers.unit(name, tree.found["timers"].texts)
        of = timers.service_of(name, timer)
        service = timers.unit(of, tree.found["services"].texts)
        commands = [backup_commands.read(c.removeprefix("-")) for c in service.values("Service", "ExecStart")]
        runs = [(run, n) for n, run in enumerate(commands) if run] or _by_name(name, service)
        for run, number in runs:
            yield _of_timer(name, timer, of, service, run, doubts.before(service, number), tree)


def _of_timer(
    name: str, timer: timers.Unit, of: str, service: timers.Unit, run: Run, before: Unknown | None, tree: Tree
) -> Job:
    begun, link = timers.started(name, tree.found["timer_links"], tree.units)
    begun = False if isinstance(begun, Unknown) and tree.units.whole and not link else begun
    stem = of.rpartition(".")[0]
    never = begun is False or bool({stem, units.template(stem)} & tree.units.masked.keys())
    lacking = None if service.texts else Unknown("not_observable", of)
    unsure = (
        (begun if isinstance(begun, Unknown) else None)
        or lacking
        or doubts.unsure(run, of, tree.found, tree.units.whole)
        or before
    )
    where = (*timer.places("OnCalendar", "OnUnitActiveSec"), *link, *service.places("ExecStart"))[:MOST_PLACES]
    named, to = of_service(run, service, of, tree.found)
    paths = [timers.instanced(value, of) for value in service.values("Service", "EnvironmentFile")]
    unsure = unsure or doubts.not_kept(named) or doubts.variables_hidden(paths, tree.found)
    starts = () if never else timers.starts(timer)
    return Job(name, run.tool, run.does, starts, unsure, named, where or tuple(timer.texts), to)


def _by_name(name: str, service: timers.Unit) -> list[tuple[Run, int]]:
    """A service that a package brings is not in the tree: its timer may be of a backup, as it is called."""
    there = any(
        path.endswith(".service") and text for path, text in service.texts.items()
    )  # one that is masked is empty
    called = None if there or service.values("Service", "ExecStart") else backup_commands.NAMED.search(name)
    return [(Run(called[0].lower(), "backup", sure=False), 0)] if called else []
