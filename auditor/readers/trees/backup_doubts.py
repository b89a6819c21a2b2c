"""A backup that a tree schedules, in; why it may not be made all the same, or be one of nothing, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from auditor.model import Unknown
from auditor.readers import backup_commands
from auditor.readers.backup_commands import Run
from auditor.readers.files import Files
from auditor.readers.trees import programs, timers
from auditor.readers.trees.backup_repositories import Named, settings_of

Found = Mapping[str, Files]  # by question
PROGRAMS = programs.question(
    ("restic", "rustic", "borg", "borgmatic", "kopia", "proxmox-backup-client", "pgbackrest", "env")
)
_GONE = re.compile(r"local\|/+(?:dev|run|tmp|proc|sys|var/run|var/tmp)(?:/|\|)")


def unsure(run: Run, place: str, found: Found, whole: bool) -> Unknown | None:
    if run.tool in backup_commands.COPIERS:
        return Unknown("not_observable", f"whether what {place} copies is a backup")
    if not run.sure:
        return Unknown("not_told", f"whether {place} makes a backup: only a shell can tell")
    return (
        programs.stood_in_for(found["programs"], (run.tool, "env"))
        or _unset(run, found)
        or next((why for path in run.what if (why := _lacking(path, found, whole))), None)
    )


def variables_hidden(paths: Sequence[str], found: Found) -> Unknown | None:
    """Why a service may not find its variables: their file is not what the tree has there."""
    beside = found["variables"]
    return beside.gap if any(path not in beside.texts for path in paths) else None


def _lacking(path: str, found: Found, whole: bool) -> Unknown | None:
    """Why what is backed up may be nothing: the tree has the folder that it would lie in, and not it, or has it empty."""
    held, bare = found["places"], "/" + "/".join(part for part in path.split("/") if part)
    folder = bare.rpartition("/")[0]
    names = {one.rpartition("/")[2] for one in held.texts if one.rpartition("/")[0] == folder}
    listed = bool(names) or folder in held.empty
    depth = bare.count("/")
    if held.missing or (bare in held.empty and depth == 1):
        return held.missing or Unknown("not_observable", f"what is in {bare}: it is empty in the tree")
    told = depth == 2 or (depth == 1 and whole)
    if told and listed and bare not in held.texts and bare != "/":
        return Unknown("not_observable", f"what is in {bare}: the tree does not have it")
    return None


def _unset(run: Run, found: Found) -> Unknown | None:
    """Why a tool that goes by its own settings may make no backup."""
    if run.tool != "borgmatic":
        return None
    rows = [row for _, row in settings_of(run.config, found["borgmatic"].texts)]
    if ["doubt"] in rows:
        return Unknown("not_told", "what borgmatic does before, or leaves out")
    return None if ["sources"] in rows else Unknown("not_observable", "what borgmatic backs up")


def read_before(run: Run, found: Found) -> Unknown | None:
    """A shell ends at a file that is not there, and runs what stands in it."""
    for path in run.sources:
        text = found["variables"].texts.get(path)
        if text is None or any("else" in line.split("\r") for line in text.split("\n")):
            return Unknown("not_told", f"what {path} has the shell do")
    return None


def not_kept(repositories: Named) -> Unknown | None:
    """What lies in memory, or is cleaned away, is no backup."""
    gone = next((r for r in repositories if _GONE.match(r)), None)
    return Unknown("not_observable", f"whether {gone.rpartition('|')[2]} is kept") if gone else None


def before(service: timers.Unit, number: int) -> Unknown | None:
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
