"""The words of a backup tool, and of what starts it, in; what they leave of a backup out. Only switches that are known count. Pure.

Sources: the manuals of the tools; timeout(1), nice(1), ionice(1), flock(1), env(1).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LEAST_TIMEOUT_S = 3600.0  # what may be ended sooner may never be made
_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


@dataclass(frozen=True, slots=True)
class _Switches:
    """`flags` stand alone, `valued` take a value; both leave what is backed up as it is. `excludes` take a pattern."""

    flags: frozenset[str]
    valued: frozenset[str]
    excludes: frozenset[str] = frozenset()


def _switches(flags: str, valued: str, excludes: str = "") -> _Switches:
    return _Switches(frozenset(flags.split()), frozenset(valued.split()), frozenset(excludes.split()))


_RESTIC = _switches(
    "-q --quiet -v -vv --verbose -x --one-file-system --no-cache --no-lock --json --exclude-caches --ignore-inode --ignore-ctime"
    " --with-atime -f --force --no-scan --cleanup-cache --skip-if-unchanged --use-fs-snapshot --insecure-no-password",
    "-r --repo --repository --repository-file -p --password-file --password-command -o --option --cache-dir --cacert --key-hint"
    " --pack-size --compression --retry-lock --tls-client-cert --limit-upload --limit-download --tag --host -H --read-concurrency"
    " --group-by --parent --from-repo --from-repository-file --from-password-file --from-password-command",
    "-e --exclude --iexclude",
)
_OF: Mapping[str, _Switches] = {
    "restic": _RESTIC,
    "rustic": _RESTIC,
    "borg": _switches(
        "-v --verbose --info --debug -p --progress -s --stats --list --json --show-rc -x --one-file-system --exclude-caches"
        " --numeric-ids --numeric-owner --noatime --noctime --nobirthtime --noflags --noacls --noxattrs --sparse --no-cache-sync",
        "-r --repo -C --compression --filter --comment --checkpoint-interval --chunker-params --remote-path --upload-ratelimit --rsh"
        " --umask --files-cache --lock-wait",
        "-e --exclude",
    ),
    "borgmatic": _switches(
        "--stats --progress --no-color",
        "-v --verbosity --syslog-verbosity --monitoring-verbosity --log-file --log-file-verbosity -c --config --override --repository",
    ),
    "kopia": _switches("--no-progress", "--config-file --log-dir --parallel --description"),
    "proxmox-backup-client": _switches(
        "", "--repository --ns --backup-id --backup-type --keyfile --crypt-mode", "--exclude"
    ),
    "pgbackrest": _switches("", "--stanza --type --config --repo --log-level-console --log-level-file"),
    "duplicity": _switches(
        "--no-encryption", "--encrypt-key --sign-key --full-if-older-than --volsize --name -v --verbosity", "--exclude"
    ),
    "rdiff-backup": _switches("", "-v --verbosity --terminal-verbosity", "--exclude"),
}
_NOTHING = re.compile(r"/(?:dev|proc|sys|run|tmp|var/tmp|var/run)(?:/.*)?")  # it holds nothing that is kept
_FEWEST = {"borg": 2, "duplicity": 2, "rdiff-backup": 2, "restic": 1, "rustic": 1, "proxmox-backup-client": 1}


@dataclass(frozen=True, slots=True)
class Words:
    """`bare`: without switches and their values. `known`: every switch is one that is known, and its value is there."""

    bare: tuple[str, ...]
    known: bool
    excludes: tuple[str, ...] = ()
    given: frozenset[str] = field(default_factory=frozenset)


def words(tool: str, said: Sequence[str]) -> Words:
    """Of a tool that is not known here, no switch is."""
    switches = _OF.get(tool, _Switches(frozenset(), frozenset()))
    bare: list[str] = []
    excludes: list[str] = []
    given: set[str] = set()
    known = tool in _OF and all(word.count('"') % 2 == word.count("'") % 2 == 0 for word in said)
    waiting = ""
    for word in said:
        name, value = ("", "") if waiting else _split(word, switches)
        if waiting or value:
            excludes += [value or word] if (waiting or name) in switches.excludes else []
            waiting = ""
            known = known and (not name or name in switches.valued | switches.excludes)
        elif not word.startswith("-") or word == "--":
            bare += [word] if word != "--" else []
        elif word in switches.valued | switches.excludes:
            waiting = word
        else:
            known = known and word in switches.flags
        given.add(name or word)
    return Words(tuple(bare), known and not waiting, tuple(excludes), frozenset(given))


def _split(word: str, switches: _Switches) -> tuple[str, str]:
    """`--name=value` and `-nvalue`."""
    name, equals, value = word.partition("=")
    if word.startswith("--") and equals:
        return name, value or " "
    short = re.fullmatch(r"-[qvx]*([a-zA-Z])(.+)", word)
    if short and word not in switches.flags and f"-{short[1]}" in switches.valued | switches.excludes:
        return f"-{short[1]}", short[2].removeprefix("=") or " "
    return "", ""


def sources(tool: str, told: Words) -> tuple[str, ...] | None:
    """The absolute paths that are backed up; none where the tool's own settings say them, None where it is not told."""
    if tool in ("borgmatic", "pgbackrest"):
        return () if tool == "borgmatic" or "--stanza" in told.given else None
    found = [word.strip("\"'") for word in told.bare[1:]]
    if len(found) < _FEWEST.get(tool, 1):
        return None
    if tool in {"borg", "kopia"}:
        found = found[1:]
    elif tool in ("duplicity", "rdiff-backup"):
        found = found[:-1]
    elif tool == "proxmox-backup-client":
        found = [one.partition(":")[2] for one in found]
    whole = bool(found) and all(path.startswith("/") and not _NOTHING.fullmatch(path) for path in found)
    hidden = any(_hides(pattern.strip("\"'"), path) for pattern in told.excludes for path in found)
    return None if not whole or hidden or any("$" in path or ".." in path for path in found) else tuple(found)


def _hides(pattern: str, path: str) -> bool:
    """Whether a pattern leaves out a path as a whole, or all that is in it."""
    bare = re.sub(r"\A(?:fm|sh|pp|pf|re):", "", pattern)
    bare = re.sub(r"(?:/\*{0,2})+\Z", "", bare)
    if not bare.strip("*/."):
        return True
    parts = [part for part in path.split("/") if part]
    above = ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]
    tried = above if bare.startswith("/") else [*parts, *(a.lstrip("/") for a in above)]
    return any(fnmatch.fnmatchcase(one.lower(), bare.lower()) for one in tried)


# ---------------------------------------------------------------- what starts it

_NUMBER = r"-?[0-9]+"
# Of each the switches that stand alone, and those that take the next word.
_WRAPPERS: Mapping[str, tuple[str, str]] = {
    "nice": (rf"-n?{_NUMBER}|--adjustment={_NUMBER}", "-n|--adjustment"),
    "ionice": (r"-[cn][0-7]|-t|--class=\S+|--classdata=[0-7]|--ignore", "-c|-n|--class|--classdata"),
    "timeout": (
        r"-k\S+|-s\S+|--kill-after=\S+|--signal=\S+|--foreground|--preserve-status|-v|--verbose",
        "-k|-s|--kill-after|--signal",
    ),
    "flock": (r"-[nxesoFv]+|--(?:nonblock|exclusive|shared|close|no-fork|verbose)|-w[0-9]+", "-w|-E|--wait|--timeout"),
    "chronic": ("-v", "$^"),
    "env": ("$^", "$^"),
    "systemd-cat": (r"--(?:identifier|priority)=\S+", "-t|-p"),
    "systemd-inhibit": (r"--(?:what|who|why|mode)=\S+", "$^"),
    "setpriv": ("$^", "$^"),
}
_LOCK = re.compile(r"/(?:run|var/run|var/lock|run/lock|tmp|var/tmp)/[\w.@-]+")  # of folders that every system has


def unwrapped(said: Sequence[str]) -> tuple[list[str], bool]:
    """The words without what sets a priority, a lock or a variable before them; whether that surely has them run."""
    left, surely = list(said), True
    while left:
        name = left[0].rpartition("/")[2]
        if _ASSIGNMENT.match(left[0]):
            left.pop(0)
        elif name in _WRAPPERS:
            left.pop(0)
            surely = _wrapped(name, left) and surely
        else:
            break
    return left, surely


def _wrapped(name: str, left: list[str]) -> bool:
    """Takes a wrapper's own words from the front."""
    alone, valued = _WRAPPERS[name]
    surely = True
    while left and left[0].startswith("-"):
        word = left.pop(0)
        if re.fullmatch(valued, word):
            surely = bool(left) and not left.pop(0).startswith("--") and surely
        else:
            surely = bool(re.fullmatch(alone, word)) and surely
    if name == "timeout":
        return bool(left) and _long(left.pop(0)) and surely
    if name == "flock":
        return bool(left) and bool(_LOCK.fullmatch(left.pop(0))) and surely and not (left and left[0].startswith("-"))
    return surely


def _long(text: str) -> bool:
    """A duration of timeout(1), of which 0 is none."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd]?)", text)
    seconds = float(found[1]) * _UNITS_S[found[2]] if found else 1.0
    return seconds == 0 or seconds >= LEAST_TIMEOUT_S
