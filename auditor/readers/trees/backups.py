"""The schedules of a tree in; the backups that these start, how often, and whether they go to a declared host, out. Pure.

That a backup was made, and can be restored, no file tells. Sources: crontab(5), the manuals of restic, borg and borgmatic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from auditor.model import Answer, Command, Unknown
from auditor.readers import backup_commands, files, schedules
from auditor.readers.backup_commands import Run
from auditor.readers.files import LINKS, Files
from auditor.readers.schedules import Starts
from auditor.readers.trees import forwarders, timers, units
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
_GONE = re.compile(r"local\|/+(?:dev|run|tmp|proc|sys|var/run|var/tmp)(?:/|\|)")
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
            unsure = Unknown("not_told", f"whether cron takes {odd}") if odd else _unsure(run, place, tree)
            unsure = unsure or _passed_over(path) or _read_before(run, tree) or _cron_unstarted(tree)
            starts = schedules.cron(row[1]) or ()
            off = any({n, units.template(n)} & tree.units.masked.keys() for n in CRON)
            named, to = _repositories(run, variables, tree, by_shell=True)
            unsure = unsure or _not_kept(named)
            yield Job(place, run.tool, run.does, () if off else starts, unsure, named, (place,), to)


def _unsure(run: Run, place: str, tree: Tree) -> Unknown | None:
    if run.tool in backup_commands.COPIERS:
        return Unknown("not_observable", f"whether what {place} copies is a backup")
    if not run.sure:
        return Unknown("not_told", f"whether {place} makes a backup: only a shell can tell")
    return _unset(run, tree) or next((why for path in run.what if (why := _lacking(path, tree))), None)


def _lacking(path: str, tree: Tree) -> Unknown | None:
    """Why what is backed up may be nothing: the tree has the folder that it would lie in, and not it, or has it empty."""
    found, bare = tree.found["places"], "/" + "/".join(part for part in path.split("/") if part)
    folder = bare.rpartition("/")[0]
    names = {one.rpartition("/")[2] for one in found.texts if one.rpartition("/")[0] == folder}
    listed = bool(names) or folder in found.empty
    depth = bare.count("/")
    if found.missing or (bare in found.empty and depth == 1):
        return found.missing or Unknown("not_observable", f"what is in {bare}: it is empty in the tree")
    told = depth == 2 or (depth == 1 and tree.units.whole)
    if told and listed and bare not in found.texts and bare != "/":
        return Unknown("not_observable", f"what is in {bare}: the tree does not have it")
    return None


def _unset(run: Run, tree: Tree) -> Unknown | None:
    """Why a tool that goes by its own settings may make no backup."""
    if run.tool != "borgmatic":
        return None
    rows = [row for _, row in _settings_of(run.config, tree.found["borgmatic"].texts)]
    if ["doubt"] in rows:
        return Unknown("not_told", "what borgmatic does before, or leaves out")
    return None if ["sources"] in rows else Unknown("not_observable", "what borgmatic backs up")


def _read_before(run: Run, tree: Tree) -> Unknown | None:
    """A shell ends at a file that is not there, and runs what stands in it."""
    for path in run.sources:
        text = tree.found["variables"].texts.get(path)
        if text is None or any("else" in line.split("\r") for line in text.split("\n")):
            return Unknown("not_told", f"what {path} has the shell do")
    return None


def _not_kept(repositories: Named) -> Unknown | None:
    """What lies in memory, or is cleaned away, is no backup."""
    gone = next((r for r in repositories if _GONE.match(r)), None)
    return Unknown("not_observable", f"whether {gone.rpartition('|')[2]} is kept") if gone else None


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
            yield _of_timer(name, timer, of, service, run, _before(service, number), tree)


def _of_timer(
    name: str, timer: timers.Unit, of: str, service: timers.Unit, run: Run, before: Unknown | None, tree: Tree
) -> Job:
    begun, link = timers.started(name, tree.found["timer_links"], tree.units)
    begun = False if isinstance(begun, Unknown) and tree.units.whole and not link else begun
    stem = of.rpartition(".")[0]
    never = begun is False or bool({stem, units.template(stem)} & tree.units.masked.keys())
    lacking = None if service.texts else Unknown("not_observable", of)
    unsure = (begun if isinstance(begun, Unknown) else None) or lacking or _unsure(run, of, tree) or before
    where = (*timer.places("OnCalendar", "OnUnitActiveSec"), *link, *service.places("ExecStart"))[:MOST_PLACES]
    named, to = _of_service(run, service, of, tree)
    unsure = unsure or _not_kept(named)
    starts = () if never else timers.starts(timer)
    return Job(name, run.tool, run.does, starts, unsure, named, where or tuple(timer.texts), to)


def _by_name(name: str, service: timers.Unit) -> list[tuple[Run, int]]:
    """A service that a package brings is not in the tree: its timer may be of a backup, as it is called."""
    there = any(
        path.endswith(".service") and text for path, text in service.texts.items()
    )  # one that is masked is empty
    called = None if there or service.values("Service", "ExecStart") else backup_commands.NAMED.search(name)
    return [(Run(called[0].lower(), "backup", sure=False), 0)] if called else []


def _before(service: timers.Unit, number: int) -> Unknown | None:
    """What a backup waits for: conditions, and commands that may fail before it."""
    ahead = [*service.values("Service", "ExecStartPre"), *service.values("Service", "ExecStart")[:number]]
    other = any(c == "other" for c in ahead)
    kinds = service.values("Service", "Type")
    other = other or (
        len(service.values("Service", "ExecStart")) > 1 and kinds[-1:] != ["oneshot"]
    )  # systemd refuses it
    if service.conditional or service.values("Service", "ExecCondition") or other:
        return Unknown("not_observable", "what the backup waits for")
    return None


def _of_service(run: Run, service: timers.Unit, name: str, tree: Tree) -> tuple[Named, Named]:
    variables = dict(
        v for value in service.values("Service", "Environment") for v in _variables([value], by_shell=False)
    )
    paths = [timers.instanced(value, name) for value in service.values("Service", "EnvironmentFile")]
    variables |= _of_files(paths, tree, by_shell=False)
    repositories, places = _repositories(run, variables, tree, by_shell=False)
    return repositories, (*places, *_placed(paths, tree.found["variables"].texts))


# ---------------------------------------------------------------- where to

Named = tuple[str, ...]
UNTOLD = {"RESTIC_REPOSITORY": "?", "BORG_REPO": "?"}


def _variables(lines: list[str], by_shell: bool) -> list[tuple[str, str]]:
    """Assignments as a mask leaves them; systemd does not know `export`."""
    rows = [row.split("\t") for line in lines for row in line.split("\r")]
    rows = [row[1:] if row[0] == "export" and by_shell else row for row in rows]
    return [(row[1], row[2]) for row in rows if len(row) == 3 and row[0] == "set"]


def _of_files(paths: Iterable[str], tree: Tree, by_shell: bool) -> dict[str, str]:
    """The last file counts; of one that is not there, or was not asked for, nobody knows what it sets."""
    given: dict[str, str] = {}
    for path in paths:
        text = tree.found["variables"].texts.get(path)
        given |= UNTOLD if text is None else dict(_variables(text.split("\n"), by_shell))
    return given


def _placed(paths: Iterable[str], texts: Mapping[str, str]) -> Named:
    """The lines of these files that set something."""
    lines = ((p, n, line) for p in paths for n, line in enumerate(texts.get(p, "").split("\n"), 1))
    return tuple(f"{path}:{n}" for path, n, line in lines if line and line != "else")


def _repositories(run: Run, variables: Mapping[str, str], tree: Tree, by_shell: bool) -> tuple[Named, Named]:
    """What the command names, else what its variables or its own configuration do, and the lines; "?" where that is not told."""
    if run.repository:
        return (run.repository,), ()
    if run.tool == "borgmatic":
        return _of_borgmatic(run.config, tree.found["borgmatic"].texts)
    given = {**variables, **_of_files(run.sources, tree, by_shell)}
    places = _placed(run.sources, tree.found["variables"].texts)
    if ("RESTIC_REPOSITORY_FILE" in given and run.tool == "restic") or ("BORG_RSH" in given and run.tool == "borg"):
        return ("?",), places
    return (given.get({"restic": "RESTIC_REPOSITORY", "borg": "BORG_REPO"}.get(run.tool, ""), "?"),), places


def _of_borgmatic(config: str, texts: Mapping[str, str]) -> tuple[Named, Named]:
    settings = _settings_of(config, texts)
    paths = tuple(dict.fromkeys(path for path, _ in settings))
    if any(row == ["elsewhere"] for _, row in settings):
        return ("?",), paths
    rows = [row for _, row in settings if row not in (["sources"], ["doubt"])]
    named = tuple(
        f"{p}:{n}" for p in paths for n, line in enumerate(texts[p].split("\n"), 1) if line.startswith(("rep", "odd"))
    )
    return tuple(row[1] if len(row) == 2 else "?" for row in rows) or ("?",), named or paths


def _settings_of(config: str, texts: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """The rows of the files that borgmatic reads, each with its file."""
    default = [p for p in texts if p == "/etc/borgmatic/config.yaml" or p.startswith("/etc/borgmatic.d/")]
    paths = [config] if config in texts else [] if config else default
    return [(path, row.split("\t")) for path in paths for row in texts[path].split("\n") if row]
