"""A command line of a schedule in; whether it makes backups, with which tool, and where to, out. Pure.

What only a shell can tell is never taken for sure. Sources: the manuals of the tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from auditor.readers import backup_options as options
from auditor.readers.backup_options import unwrapped
from auditor.readers.backup_places import place

# The words after which each makes a backup, and those after which it copies what was made.
_MAKES = {
    "restic": ("backup",), "rustic": ("backup",), "borg": ("create",), "borgmatic": ("create", ""), "kopia": ("snapshot", "snap"),
    "proxmox-backup-client": ("backup",), "pgbackrest": ("backup",), "autorestic": ("backup", "cron"), "resticprofile": ("backup",),
    "duplicity": ("full", "incr", "incremental", "backup"), "duply": (), "rsnapshot": (), "rdiff-backup": ("backup",),
}  # fmt: skip
# What they do stands in settings that are not read here.
_OWN_SETTINGS = ("rsnapshot", "duply", "rdiff-backup", "duplicity", "autorestic", "resticprofile")
_COPIES = {"restic": "copy", "rustic": "copy"}
_REPOSITORY = {"restic": ("-r", "--repo"), "rustic": ("-r", "--repository"), "borg": ("-r", "--repo")}
_TRIES = re.compile(r"(?:--dry-run|--list-only|--help|--version)(?:=.*)?|-h|-[a-zA-Z]*n[a-zA-Z]*")
_PLACES = re.compile(
    r"(?:/(?:usr|opt|snap|bin|sbin|nix|gnu)/.*/)?[^/]+"
)  # elsewhere anybody may have put a program of that name
_ELSEWHERE = re.compile(r"(RESTIC_REPOSITORY|BORG_REPO|BORG_RSH)\w*=|--override|--repository\b|sftp\.|rclone\.|--rsh\b")
# Commands of a tool that do not fail where all is well, and so stand in no way of a backup that follows.
_AHEAD = ("unlock", "break-lock", "forget", "prune", "compact", "check", "backup", "create", "copy")
_REDIRECTION = re.compile(r"[0-9&]?>>?(?:&[0-9]|\S*)")
NAMED = re.compile(
    r"(?i)(?<!dpkg-db-)backup|sauvegarde|restic|rustic|borg|rsnapshot|duplicity|duplicati|kopia|duply|rdiff|bacula|bareos|tarsnap|btrbk"
    r"|amdump|dirvish|syncoid|timeshift|veeam|backuppc|\bburp\b|\bbup\b"
)
# What copies, and may or may not be meant as a backup.
COPIERS = (
    "rsync",
    "rclone",
    "pg_dump",
    "pg_dumpall",
    "pg_basebackup",
    "mysqldump",
    "mariadb-dump",
    "mariabackup",
    "zfs",
)
# The words of a tool that only look, or tidy up.
_LOOKS = {
    "rsnapshot": ("configtest", "diff", "du", "help"),
    "duply": ("status", "list", "verify", "verifyPath", "fetch", "restore", "purge", "purgeFull", "purgeIncr", "cleanup", "changelog", "usage", "version", "create"),
    "duplicity": ("collection-status", "list-current-files", "verify", "cleanup", "remove-older-than", "remove-all-but-n-full", "restore"),
    "rdiff-backup": ("list", "remove", "restore", "verify", "info", "test", "server", "calculate"),
}  # fmt: skip
_ATTACHED = re.compile(r"-[hqv]*([rc])=?([^=].*)")
_PATH = re.compile(r"(?:^|[\s;&\"'])PATH=")  # other folders, where anybody may have put a program of a tool's name
_SETS = re.compile(r"[-+][eux]+|[-+]o|pipefail|errexit|nounset|xtrace")
_BENIGN = ("cd", ".", "source", "set", "export", "umask", "true", ":")
_SHELL = frozenset("`$(){}*?~!<\"'\\&|;#")


@dataclass(frozen=True, slots=True)
class Run:
    """`sure`: it is run, and does that. `does`: "backup" or "copy". `repository` "" where the line names none."""

    tool: str
    does: str
    sure: bool
    repository: str = ""
    config: str = ""
    sources: tuple[str, ...] = ()  # files of variables that are read before
    what: tuple[str, ...] = ()  # the paths that are backed up, where it is sure


def runs(line: str, by_shell: bool) -> list[Run]:
    """All that makes backups; what is named like that, and is a program of somebody's own, may."""
    elsewhere = bool(_ELSEWHERE.search(line))
    found: list[Run] = []
    sources: list[str] = []
    entered: list[str] = []
    certain, plain = not _PATH.search(line), True
    for words, joined, started in _commands(line, by_shell):
        name = words[0].rpartition("/")[2] if words else ""
        certain = certain and joined in ("", ";", "&&")
        if name in (".", "source") and len(words) == 2:
            sources.append(words[1])
        run = _run(name, words[1:])
        certain = certain and (name != "set" or all(map(_SETS.fullmatch, words[1:])))
        plain = plain and (name in _MAKES or name in _BENIGN)
        if run:
            repository = run.repository or ("?" if elsewhere else "")
            certain = certain and started and bool(_PLACES.fullmatch(words[0].strip("-:+!")))
            sure = run.sure and certain
            read_before, what = tuple(sources), (*entered, *run.what) if sure else ()
            found.append(replace(run, sure=sure, repository=repository, sources=read_before, what=what))
        entered += [w.strip("\"'") for w in words[1:2]] if name == "cd" else []
        certain = certain and (name in _BENIGN or (name in _MAKES and is_tool(" ".join(words))) or bool(run))
    copier = next((name for name in COPIERS if re.search(rf"(?:^|[\s/;&|(]){name}(?:\s|$)", line)), "")
    if not found and copier and not NAMED.search(line.replace("pg_basebackup", "").replace("mariabackup", "")):
        found = [Run(copier, "backup", sure=False)]
    elif not found and not plain and NAMED.search(line):
        found = [Run(NAMED.findall(line)[0].lower(), "backup", sure=False)]
    return found


def is_tool(line: str) -> bool:
    """Whether it is a command of one of the tools that fails only where something is wrong."""
    words, started = unwrapped(line.split())
    name = words[0].rpartition("/")[2] if words else ""
    bare = options.words(name, words[1:]).bare
    return started and name in _MAKES and (bare[:1] == () or bare[0] in _AHEAD)


def _commands(line: str, by_shell: bool) -> Iterator[tuple[list[str], str, bool]]:
    """Each command's words, without what wraps it, what joins it to the one before, and whether what wraps it surely runs it."""
    joined = ""
    parts = re.split(r"(&&|\|\||;|\||&(?![>0-9]))", line) if by_shell else [line]
    for part in parts:
        if part in ("&&", "||", ";", "|", "&"):
            joined = part
        elif joined != "|" and part.strip():
            words, started = _bare(part.split())
            yield words, joined, started


def _bare(words: list[str]) -> tuple[list[str], bool]:
    return unwrapped([w for n, w in enumerate(words) if not _redirects(words, n)])


def _redirects(words: Sequence[str], number: int) -> bool:
    before = words[number - 1] if number else ""
    return bool(_REDIRECTION.fullmatch(words[number])) or bool(re.fullmatch(r"[0-9&]?>>?", before))


def _run(name: str, words: list[str]) -> Run | None:
    """None for what makes no backup: another command of the tool, or one that only tries."""
    if name not in _MAKES:
        return None
    told = options.words(name, words)
    bare = list(told.bare)
    if {word.strip("\"'") for word in bare[:2]} & set(_LOOKS.get(name, ())):
        return None
    action = bare[0] if bare else ""
    if any(_TRIES.fullmatch(w) and not (w == "-n" and name == "resticprofile") for w in words):
        return None
    does = "copy" if action == _COPIES.get(name, "?") else "backup"
    if does == "backup" and not _makes(name, action, bare):
        maybe = name in _OWN_SETTINGS or not told.known
        named = name in _OWN_SETTINGS or any(word in _MAKES[name] for word in words)
        return Run(name, "backup", sure=False) if maybe and named and bare else None
    what = () if does == "copy" else options.sources(name, told)
    sure = _plain(words) and told.known and what is not None and name not in _OWN_SETTINGS
    return Run(
        name,
        does,
        sure,
        _repository(name, words, bare),
        _after(words, ("-c", "--config")),
        what=(what or ()) if sure else (),
    )


def _makes(name: str, action: str, bare: list[str]) -> bool:
    if name == "kopia":
        return action in _MAKES[name] and bare[1:2] == ["create"]
    if name == "resticprofile":
        return action.rpartition(".")[2] == "backup"
    if name == "borgmatic":
        return not bare or ("create" in bare and set(bare) <= set(_AHEAD))
    return action in _MAKES[name]


def _plain(words: list[str]) -> bool:
    """Whether no shell could make something else of it."""
    return not any(_SHELL & set(re.sub(r"\$\{?[A-Z_]+\}?|\\%|\{[a-z]+(?::[^{}]*)?\}|[\"']", "", w)) for w in words)


def _after(words: Sequence[str], options: tuple[str, ...]) -> str:
    for number, word in enumerate(words):
        if word in options and number + 1 < len(words):
            return words[number + 1].strip("\"'")
        option, equals, value = word.partition("=")
        attached = _ATTACHED.fullmatch(word)
        if attached and f"-{attached[1]}" in options:
            return attached[2].strip("\"'")
        if equals and option in options:
            return value.strip("\"'")
    return ""


def _repository(name: str, words: list[str], bare: list[str]) -> str:
    """As it is shown, behind the kind and the place that it is: `kind|at|shown`; `?` where a variable stands for it."""
    said = _after(words, _REPOSITORY.get(name, ()))
    if name == "borg" and not said:
        said = next((w.strip("\"'").partition("::")[0] for w in bare[1:] if "::" in w), "")
    return written(name, said)


def written(tool: str, text: str) -> str:
    if not text:
        return ""
    if re.fullmatch(r"\$\{?(RESTIC_REPOSITORY|BORG_REPO)\}?", text):
        return ""
    if "$" in text or "`" in text:
        return "?"
    found = place(tool, text)
    return "|".join(p.replace("|", " ").replace("\t", " ") for p in (found.kind, found.at, found.shown))


_END = "."  # whoever reads a line may strip it


def shown(run: Run) -> str:
    """One column after the other, for a line of a masked file."""
    files, what = (":".join(t.replace("\t", " ") for t in paths) for paths in (run.sources, run.what))
    sure = "sure" if run.sure else "maybe"
    return "\t".join([run.tool, run.does, sure, run.repository, run.config.replace("\t", " "), files, what, _END])


def read(text: str) -> Run | None:
    columns = text.split("\t")
    if len(columns) != 8:
        return None
    tool, does, sure, repository, config, *paths, _ = columns
    sources, what = (tuple(s for s in path.split(":") if s) for path in paths)
    return Run(tool, does, sure == "sure", repository, config, sources, what)
