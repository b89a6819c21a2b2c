"""What a rule lets somebody run in; whether it gives all of root, every command or what starts any, out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model import Unknown
from auditor.readers.elevation.names import Truth, either, same, whom
from auditor.readers.passwd import People
from auditor.readers.sshd import glob
from auditor.readers.sudoers import Item

# With any argument of the caller's choice these are a shell of whom they run as: shells, what starts another program,
# interpreters (python3.11 is a python), editors and pagers that start one, and what writes any file.
SHELLS = frozenset(
    {"sh", "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "ksh93", "mksh", "rbash", "tcsh", "toybox", "zsh",
     "at", "chroot", "doas", "docker", "env", "expect", "find", "flock", "gdb", "ionice", "nice", "nohup", "nsenter",
     "parallel", "pkexec", "podman", "run-parts",
     "screen", "script", "setarch", "setpriv", "setsid", "ssh-agent", "start-stop-daemon", "stdbuf", "strace",
     "sudo", "systemd-run", "taskset", "time",
     "timeout", "tmux", "unshare", "watch", "xargs",
     "awk", "gawk", "mawk", "nawk", "irb", "lua", "node", "perl", "php", "python", "ruby", "tclsh",
     "ed", "emacs", "ex", "less", "man", "more", "nano", "pico", "rview", "rvim", "vi", "view", "vim", "vim.basic",
     "vim.tiny", "vimdiff",
     "chmod", "chown", "cp", "dd", "install", "ln", "mv", "rsync", "sed", "tar", "tee"}
)  # fmt: skip
BECOMING = frozenset({"su", "runuser", "visudo"})  # so are these, whatever their arguments
OTHER_ZERO = "\0"  # the name of no account, and of none that a list can name
# Where these stand; a rule for such a folder, or a pattern in it, allows them.
FOLDERS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/")


def everything_as_root(item: Item, people: People) -> bool | Unknown:
    root, everything = _as_root(whom(item), people), _everything(item)
    if root is False or everything is False:
        return False
    if root is None:
        return Unknown("not_told", f"whether {','.join(whom(item))[:80]} is root")
    return everything or Unknown("not_told", "which commands a pattern allows")


def _as_root(named: Sequence[str], people: People) -> Truth:
    """Whether a rule lets somebody run as an account with uid 0: root, another of the host's, or one that it does not know."""
    zero = [account.name for account in people.accounts.values() if account.uid == 0] or ["root"]
    others = [OTHER_ZERO] if people.directory and any(name.startswith("!") for name in named) else []
    found = either(_allowed(named, one, people) for one in zero)
    unknown = any(_allowed(named, one, people) is not False for one in others)
    return None if found is False and unknown else found


def _allowed(named: Sequence[str], zero: str, people: People) -> Truth:
    """Of a list with exceptions the last element that matches decides."""
    state: Truth = False
    for name in named:
        match, value = _is(name.removeprefix("!"), zero, people), not name.startswith("!")
        state = value if match is True else state if match is False or state == value else None
    return state


def _is(name: str, zero: str, people: People) -> Truth:
    """Whether an element of a list, without its `!`, stands for an account with uid 0. sudo tells two of them apart by name."""
    if name.startswith("#"):
        return name[1:].isdigit() and not name[1:].strip("0")
    return bool(name) and same(name, zero, people)


def _everything(item: Item) -> Truth:
    command, free = item.command, item.arguments in ("", "...*")
    if command == "ALL" or name_of(command) in BECOMING:
        return True
    if command.startswith("^"):
        return None
    if command == "sudoedit":  # without arguments any file, sudoers too
        return True if not item.arguments else None if item.arguments == "...*" else False
    if "[" in command:
        return None if free else False
    if command.endswith("/"):
        return command in FOLDERS or None
    if set("*?") & set(command):
        wide = SHELLS | BECOMING if free else BECOMING
        return any(_fits(command, folder + name) for folder in FOLDERS for name in wide)
    return free and bool({name_of(command), name_of(command).rstrip("0123456789.")} & SHELLS)


def name_of(command: str) -> str:
    return command.rpartition("/")[2]


def _fits(pattern: str, path: str) -> bool:
    """No star of sudo's stands for a slash."""
    return pattern.count("/") == path.count("/") and glob(pattern, path)
