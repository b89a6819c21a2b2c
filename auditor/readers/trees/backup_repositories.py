"""What a backup's command, variables and own settings say of where it goes, in a tree, in; its repositories and their lines out. Pure.

Sources: the manuals of restic, borg and borgmatic, systemd.exec(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.readers.backup_commands import Run
from auditor.readers.files import Files
from auditor.readers.trees import timers

Found = Mapping[str, Files]  # by question
Named = tuple[str, ...]
UNTOLD = {"RESTIC_REPOSITORY": "?", "BORG_REPO": "?"}


def _variables(lines: list[str], by_shell: bool) -> list[tuple[str, str]]:
    """Assignments as a mask leaves them; systemd does not know `export`."""
    rows = [row.split("\t") for line in lines for row in line.split("\r")]
    rows = [row[1:] if row[0] == "export" and by_shell else row for row in rows]
    return [(row[1], row[2]) for row in rows if len(row) == 3 and row[0] == "set"]


def _of_files(paths: Iterable[str], found: Found, by_shell: bool) -> dict[str, str]:
    """The last file counts; of one that is not there, or was not asked for, nobody knows what it sets."""
    given: dict[str, str] = {}
    for path in paths:
        text = found["variables"].texts.get(path)
        given |= UNTOLD if text is None else dict(_variables(text.split("\n"), by_shell))
    return given


def _placed(paths: Iterable[str], texts: Mapping[str, str]) -> Named:
    """The lines of these files that set something."""
    lines = ((p, n, line) for p in paths for n, line in enumerate(texts.get(p, "").split("\n"), 1))
    return tuple(f"{path}:{n}" for path, n, line in lines if line and line != "else")


def repositories(run: Run, variables: Mapping[str, str], found: Found, by_shell: bool) -> tuple[Named, Named]:
    """What the command names, else what its variables or its own configuration do, and the lines; "?" where that is not told."""
    if run.repository:
        return (run.repository,), ()
    if run.tool == "borgmatic":
        return _of_borgmatic(run.config, found["borgmatic"].texts)
    given = {**variables, **_of_files(run.sources, found, by_shell)}
    places = _placed(run.sources, found["variables"].texts)
    if ("RESTIC_REPOSITORY_FILE" in given and run.tool == "restic") or ("BORG_RSH" in given and run.tool == "borg"):
        return ("?",), places
    return (given.get({"restic": "RESTIC_REPOSITORY", "borg": "BORG_REPO"}.get(run.tool, ""), "?"),), places


def _of_borgmatic(config: str, texts: Mapping[str, str]) -> tuple[Named, Named]:
    settings = settings_of(config, texts)
    paths = tuple(dict.fromkeys(path for path, _ in settings))
    if any(row == ["elsewhere"] for _, row in settings):
        return ("?",), paths
    rows = [row for _, row in settings if row not in (["sources"], ["doubt"])]
    named = tuple(
        f"{p}:{n}" for p in paths for n, line in enumerate(texts[p].split("\n"), 1) if line.startswith(("rep", "odd"))
    )
    return tuple(row[1] if len(row) == 2 else "?" for row in rows) or ("?",), named or paths


def settings_of(config: str, texts: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """The rows of the files that borgmatic reads, each with its file."""
    default = [p for p in texts if p == "/etc/borgmatic/config.yaml" or p.startswith("/etc/borgmatic.d/")]
    paths = [config] if config in texts else [] if config else default
    return [(path, row.split("\t")) for path in paths for row in texts[path].split("\n") if row]


def of_service(run: Run, service: timers.Unit, name: str, found: Found) -> tuple[Named, Named]:
    variables = dict(
        v for value in service.values("Service", "Environment") for v in _variables([value], by_shell=False)
    )
    paths = [timers.instanced(value, name) for value in service.values("Service", "EnvironmentFile")]
    variables |= _of_files(paths, found, by_shell=False)
    named, places = repositories(run, variables, found, by_shell=False)
    return named, (*places, *_placed(paths, found["variables"].texts))
