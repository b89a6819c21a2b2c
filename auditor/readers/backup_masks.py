"""What says when and where to backups are made, in a tree, in; of each line what is judged, and no secret, out. Pure.

Every line keeps its number. Sources: crontab(5), systemd.service(5), systemd.timer(5), the manual of borgmatic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from auditor.readers import backup_commands, backup_units
from auditor.readers.backup_commands import written

_VARIABLE = r"(RESTIC_REPOSITORY|RESTIC_REPOSITORY_FILE|BORG_REPO)"
_SET = re.compile(rf"\s*(export\s+)?{_VARIABLE}\s*=\s*(.*?)\s*\Z")
_SETS_ONLY = re.compile(
    r"""\s*(?:(?:export\s+)?[A-Za-z_]\w*\s*=\s*(?:'[^']*'|"[^"`]*"|[^\s;&|`<>()'"]*)|export(?:\s+[A-Za-z_]\w*)+|set\s+[-+]a)\s*(?:#.*)?"""
)
_INLINE = re.compile(rf"(?:^|[\s\"']){_VARIABLE}=([^\"'\s]*)")
_CRON = re.compile(r"\s*(@[a-z]+|(?:[^\s#]\S*\s+){4}\S+)\s+(.*\S)\s*\Z")
_ASSIGNED = re.compile(r"\s*[A-Za-z_\"'][\w\"']*\s*=")
_SHELL = re.compile(r"\s*SHELL\s*=\s*[\"']?(?!/(usr/)?bin/(ba|da|k|z)?sh\b)")
_PATH = re.compile(
    r"\s*PATH\s*=\s*[\"']?(?!/(?:usr/|usr/local/|snap/)?s?bin/?(?::/(?:usr/|usr/local/|snap/)?s?bin/?)*[\"']?\s*\Z)"
)
_OTHER_HOST = re.compile(r"(?i)\s*(?:export\s+)?BORG_RSH\s*=.*(hostname|proxy|-F|-J)")
_TIMER = (
    "AccuracySec",
    "OnCalendar",
    "OnActiveSec",
    "OnBootSec",
    "OnStartupSec",
    "OnUnitActiveSec",
    "OnUnitInactiveSec",
    "RandomizedDelaySec",
    "Unit",
)
_SOURCES = re.compile(r"source_directories:\s*(?:#.*)?\Z|source_directories:\s*\[\s*[^\]\s]")
_DOUBTFUL = re.compile(
    r"(?:before_\w+|commands|skip_actions|patterns|patterns_from|exclude_from|exclude_if_present|working_directory)\s*:"
    r"|exclude_patterns\s*:.*[\[\s,\"'](?:/|\*+)[\],\s\"']"
)
_STARTS = ("ExecStart", "ExecStartPre", "ExecCondition")


def _each(text: bytes, told: Callable[[str], str]) -> bytes:
    lines = text.decode("utf-8", "backslashreplace").split("\n")
    return "\n".join(told(line) for line in lines).encode("utf-8", "surrogatepass")


def crontab(text: bytes) -> bytes:
    """Lines with the account that they are run as. `odd`: what cron does not read, or a last line that has no end."""
    return _each(text, lambda line: _cron(line, user=True)) + _open_end(text)


def crontab_own(text: bytes) -> bytes:
    return _each(text, lambda line: _cron(line, user=False)) + _open_end(text)


def _open_end(text: bytes) -> bytes:
    return b"\rodd" if text.rpartition(b"\n")[2].strip() else b""


def _cron(line: str, user: bool) -> str:
    if not line.strip() or line.lstrip().startswith("#"):
        return ""
    found = _CRON.match(line) if not _ASSIGNED.match(line) else None
    if not found:
        variable = _SET.match(line)
        if _SHELL.match(line) or _PATH.match(line):
            return "odd"
        return _shown(variable[2], variable[3]) if variable else "" if _ASSIGNED.match(line) else "odd"
    command = [*found[2].split(None, 1), ""][1] if user else found[2]
    cut = re.search(r"(?<!\\)%", command)
    runs = backup_commands.runs(command[: cut.start()] if cut else command, by_shell=True)
    schedule = " ".join(found[1].split())
    return "\r".join("\t".join(["job", schedule, backup_commands.shown(run)]) for run in runs) or f"job\t{schedule}"


def _shown(name: str, value: str) -> str:
    tool = "borg" if name == "BORG_REPO" else "restic"
    bare = value.strip("\"'") if value[:1] in ("'", '"') else (value.split() or [""])[0]
    return "\t".join(["set", name, "?" if name.endswith("_FILE") else written(tool, bare)])


def variables(text: bytes) -> bytes:
    """A file of assignments, of a shell's or of systemd's; `export` is for a shell alone.

    Behind a quote that a line does not close, nobody knows what is one.
    """
    goes_on = open_ended = False

    def told(line: str) -> str:
        nonlocal goes_on, open_ended
        line = line.rstrip("\r")
        comment = line.lstrip().startswith(("#", ";"))
        continued, goes_on = goes_on, line.endswith("\\") and not comment
        open_ended = open_ended or (not comment and any(line.count(q) % 2 for q in "\"'"))
        row = "" if comment or continued or not line.strip() else _variable(line)
        return (
            "\r".join(f"set\t{name}\t?" for name in ("RESTIC_REPOSITORY", "BORG_REPO")) if open_ended and row else row
        )

    return _each(text, told)


def _variable(line: str) -> str:
    """`else`: what a shell that reads the file would run, and may end at."""
    if _OTHER_HOST.match(line):
        return "set\tBORG_RSH\t?"
    found = _SET.match(line)
    told = [("export\t" if found[1] else "") + _shown(found[2], found[3])] if found else []
    return "\r".join([*told, *([] if _SETS_ONLY.fullmatch(line) else ["else"])])


def timer(text: bytes) -> bytes:
    """Its times, and on what they depend."""
    return b"\n".join(_logical(text, _timed))


def _timed(key: str, value: str) -> Iterator[str]:
    if key in _TIMER or key.startswith(("Condition", "Assert")):
        yield f"{key}={value if key in _TIMER else ''}"
    elif backup_units.holds_back(key, value):
        yield f"Condition{key}="


def service(text: bytes) -> bytes:
    """What it starts, and with which variables."""
    return b"\n".join(_logical(text, _served))


def _served(key: str, value: str) -> Iterator[str]:
    if key in _STARTS:
        yield f"{key}={_command(value)}"
    elif key.startswith(("Condition", "Assert")) or backup_units.holds_back(key, value):
        yield f"Condition{key}="
    elif key == "Type":
        yield f"Type={value}"
    elif key == "UnsetEnvironment":
        yield from (f"Environment=set\t{name}\t?" for name in ("RESTIC_REPOSITORY", "BORG_REPO"))
    elif key == "EnvironmentFile":
        yield f"{key}={value.lstrip('-')}"
    if key == "Environment":
        yield from (f"Environment={_shown(name, said)}" for name, said in _INLINE.findall(value))


def _command(value: str) -> str:
    """Whether it may fail (`-`), and what it runs: a backup, another command of such a tool, something else."""
    bare = value.lstrip("-@:+!")
    if not bare:
        return ""
    may_fail = "-" if "-" in value[: len(value) - len(bare)] else ""
    runs = backup_commands.runs(bare, by_shell=False)
    if "@" in value[: len(value) - len(bare)]:  # its first word is a name alone, and the tool has the others
        runs = [replace(run, sure=False, what=()) for run in runs] or [
            backup_commands.Run("other", "backup", sure=False)
        ]
    known = backup_commands.is_tool(bare)
    return may_fail + (backup_commands.shown(runs[0]) if runs else "known" if known else "other")


def _logical(text: bytes, told: Callable[[str, str], Iterator[str]]) -> Iterator[bytes]:
    """Lines as systemd joins them, at the place of the first."""
    whole, waiting = "", 0
    for line in text.decode("utf-8", "backslashreplace").split("\n"):
        line = line.rstrip("\r")
        if whole and line.lstrip().startswith(("#", ";")):
            waiting += 1
            continue
        if line.endswith("\\") and not line.lstrip().startswith(("#", ";")):
            whole, waiting = whole + line[:-1] + " ", waiting + 1
            continue
        yield _unit_line(whole + line, told)
        yield from [b""] * waiting
        whole, waiting = "", 0
    if waiting:
        yield _unit_line(whole, told)


def _unit_line(line: str, told: Callable[[str, str], Iterator[str]]) -> bytes:
    line = line.strip()
    if line.startswith("["):
        return line.encode("utf-8", "surrogatepass")
    key, equals, value = line.partition("=")
    rows = told(key.strip(), value.strip()) if equals and not line.startswith(("#", ";")) else iter(())
    return "\r".join(rows).encode("utf-8", "surrogatepass")


def script(text: bytes) -> bytes:
    """Only that a line may make a backup: what a script does, only a shell can tell."""
    return _each(
        text,
        lambda line: "maybe" if not line.lstrip().startswith("#") and _made(line) else "",
    )


def _made(line: str) -> bool:
    """What only copies, many scripts do for other ends."""
    return any(run.tool not in backup_commands.COPIERS for run in backup_commands.runs(line, by_shell=True))


def borgmatic(text: bytes) -> bytes:
    """The items of `repositories`; `odd` is what is more than plain YAML, `doubt` what may keep it from a backup, or leave all out of it."""
    inside = at = -1
    excluding = False

    def told(line: str) -> str:
        nonlocal inside, at, excluding
        bare = line.strip()
        if not bare or bare.startswith("#"):
            return ""
        depth = len(line) - len(line.lstrip(" "))
        if re.search(r"<<|!include|\$\{", line) and (inside >= 0 or "<<" in line or "!include" in line):
            return "odd"
        if inside >= 0 and (depth > at or (depth == at and bare.startswith("-"))):
            return _repository(bare)
        inside = -1
        if _SOURCES.match(bare):
            return "sources"
        if _DOUBTFUL.match(bare) or (re.match(r"-\s*[\"']?(?:/|\*+)[\"']?\s*\Z", bare) and excluding):
            return "doubt"
        excluding = bare.startswith("exclude_patterns:") or (excluding and bare.startswith("-"))
        if bare.startswith("ssh_command:"):
            return "elsewhere" if re.search(r"(?i)hostname|proxy|-F|-J", bare) else ""
        if bare.startswith("repositories:"):
            inside, at = 0, depth
            return "" if re.fullmatch(r"repositories:\s*(#.*)?", bare) else "odd"
        return ""

    return _each(text, told)


def _repository(bare: str) -> str:
    item = re.sub(r"\A-\s*", "", bare)
    if re.match(r"(label|encryption|append_only|storage_quota|make_parent_dirs)\s*:", item):
        return ""
    item = re.sub(r"\Apath\s*:\s*", "", item)
    quoted = re.fullmatch(r"([\"'])([^\"'\\]*)\1\s*(?:#.*)?", item)
    plain = re.sub(r"\s+#.*\Z", "", item)
    if not quoted and re.match(r"[\[\]&*!|>%@`\"'{]", plain):
        return "odd"
    text = quoted[2] if quoted else plain
    return "odd" if "{" in text else f"repository\t{written('borg', text)}"


def mounts(text: bytes) -> bytes:
    """Of fstab the device, the place and the kind."""
    return _each(text, _mount)


def _mount(line: str) -> str:
    words = line.split()
    if len(words) < 3 or words[0].startswith("#"):
        return ""
    return " ".join([words[0].rpartition("@")[2], *words[1:3]])


def ssh_names(text: bytes) -> bytes:
    """Under which conditions another name is meant."""
    return _each(
        text,
        lambda line: (
            line if re.match(r"(?i)\s*(host|hostname|match|include|proxycommand|proxyjump)[\s=]", line) else ""
        ),
    )
