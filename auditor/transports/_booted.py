"""A tree of files and what a start of the system does to it: which of its paths are not, on the host, what they are here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from auditor.readers.boot import accounts, commands, kernel, mounts, tmpfiles
from auditor.readers.boot.change import UNIT_ROOTS, Change, units
from auditor.transports._folder import WILD, Odd, Root, TooMuch, in_lines

_OWN, _STARTED, _READ = "own", "started", "read"  # why a file is looked at
MOST_BYTES = 1048576
MOST_RUN = 2000  # files that those which are run name in turn
# What makes units when the system starts, gives them variables, or writes what a unit of systemd's own takes from it.
_MAKERS = tuple(
    f"{root}/{kind}/*"
    for root in ("/etc/systemd", "/usr/local/lib/systemd", "/run/systemd")
    for kind in ("system-generators", "system-environment-generators")
)
_CREDENTIALS = tuple(
    f"{root}/credstore{kind}/{name}.*"
    for root in ("/etc", "/usr/local/lib", "/usr/lib")
    for kind in ("", ".encrypted")
    for name in ("tmpfiles", "sysusers", "passwd", "ssh", "firstboot", "fstab", "systemd")
)
# Images and folders that are laid over /etc, or over /usr and /opt.
_LAID_OVER = {
    "/etc": ("/var/lib/confexts/*", "/usr/lib/confexts/*", "/usr/local/lib/confexts/*"),
    "/usr": ("/var/lib/extensions/*", "/etc/extensions/*"),
    "/opt": ("/var/lib/extensions/*", "/etc/extensions/*"),
}
_MOUNTS = (*UNIT_ROOTS, "/run/systemd/system", "/etc/systemd/system.control", "/etc/systemd/system.attached")
_FIRST_START = (b"", b"uninitialized")


@dataclass(frozen=True, slots=True)
class Booted:
    """`changes`: as they are written, and where their paths lead in the tree."""

    root: Root
    changes: tuple[Change, ...] = ()

    def hides(self, path: str) -> bool:
        """Whether something else may be at a path of the tree."""
        if not self.changes:
            return False
        written, real = _parts(path), _parts(self.root.real(path))
        return any(change.meets(written) or change.meets(real) for change in self.changes)

    def hiding(self, asked: Iterable[str]) -> Iterator[bytes]:
        """Why not all that these patterns stand for can be told, in the words of a file that cannot be read: each reason once."""
        said: dict[str, str] = {}
        for glob in asked if self.changes else ():
            written, real = _parts(glob), _parts(self._real(glob))
            for change in self.changes:
                if change.meets(written) or change.meets(real):
                    said.setdefault(change.why, _named(change, glob))
        yield from (os.fsencode(f"{path} ({why})") for why, path in said.items())

    def _real(self, glob: str) -> str:
        return _real(self.root, glob)


def _named(change: Change, glob: str) -> str:
    """The one file that is changed, else the pattern: of a folder that cannot be listed it is the same."""
    one = not change.below and len(change.parts) == len(_parts(glob)) and not WILD.intersection(change.path)
    return change.path if one else glob


def booted(root: Root) -> Booted:
    """Of the one file of a device nothing."""
    if root.name:
        return Booted(root)
    try:
        found = dict.fromkeys(_changes(root))
    except TooMuch:
        found = {Change("/", "what is done when the system starts is too much to read"): None}
    led = [Change(_real(root, change.path), change.why, change.below) for change in found]
    return Booted(root, tuple(dict.fromkeys([*found, *led])))


def _real(root: Root, glob: str) -> str:
    """Of a pattern the part before what may be anything."""
    parts = _parts(glob)
    plain = next((n for n, part in enumerate(parts) if WILD.intersection(part)), len(parts))
    return "/".join([root.real("/".join(parts[:plain])).rstrip("/"), *parts[plain:]]) or "/"


@lru_cache(maxsize=4096)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _changes(root: Root) -> Iterator[Change]:
    gaps: list[Change] = []
    for path, text in _texts(root, "/etc/fstab", gaps).items():
        yield from mounts.of_fstab(path, text)
    for path, text in _texts(root, " ".join(f"{r}/*.mount" for r in _MOUNTS), gaps).items():
        yield from mounts.of_unit(path, text)
    temporary = _texts(root, " ".join(f"{folder}/*.conf" for folder in tmpfiles.ROOTS), gaps)
    yield from tmpfiles.changes(temporary, lambda path: _there(root, path))
    for path, text in _texts(root, accounts.FILES, gaps).items():
        yield from accounts.changes(path, text)
    for path, text in _texts(root, kernel.FILES, gaps).items():
        yield from kernel.changes(path, text)
    yield from _programs(root)
    yield from _made(root)
    yield from gaps


def _texts(root: Root, globs: str, gaps: list[Change]) -> Mapping[str, str]:
    """The files by their paths; of one that cannot be read, anything may come."""
    found = {}
    for path in _paths(root, globs.split()):
        try:
            found[path] = in_lines(root, path, MOST_BYTES).decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            continue
        except (OSError, Odd, TooMuch) as error:
            if not (isinstance(error, Odd) and error.astray):
                gaps.append(Change("/", f"what {path} has done when the system starts cannot be read"))
    return found


def _paths(root: Root, globs: Iterable[str]) -> Iterator[str]:
    for glob in globs:
        if WILD.intersection(glob):
            yield from root.matching(_parts(glob))
        elif not root.lacks(glob):
            yield glob


def _there(root: Root, path: str) -> bool:
    try:
        root.leads(path)
    except (OSError, Odd):
        return False
    return True


def _programs(root: Root) -> Iterator[Change]:
    """What is run then, or by a schedule, and what that runs."""
    own = list(_paths(root, commands.SCRIPTS.split()))
    waiting, known = [(path, _OWN) for path in own], set[tuple[str, str]]()
    while waiting and len(known) < len(own) + MOST_RUN:
        path, how = waiting.pop(0)
        if (path, how) not in known:
            known.add((path, how))
            run = _run(root, path, how)
            yield from run.changes
            waiting += [*((p, _STARTED) for p in run.started), *((p, _READ) for p in run.read)]
    if not known.issuperset(waiting):
        yield Change("/", "more is run when the system starts than is followed")


def _run(root: Root, path: str, how: str) -> commands.Run:
    """Of a program that is no script, nothing."""
    try:
        first = root.begins(path, 512) if how != _OWN else b""
        if (how == _STARTED and first[:2] != b"#!") or (how == _READ and b"\0" in first):
            return commands.Run()
        text = root.text(path, MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return commands.Run()
    except (OSError, Odd, TooMuch) as error:
        lost = isinstance(error, Odd) and (how != _OWN or error.astray)
        return commands.Run(() if lost else (Change("/", f"what {path} runs cannot be read"),))
    return commands.read(path, text.decode("utf-8", "backslashreplace"))


def _made(root: Root) -> Iterator[Change]:
    for path in _held(root, _MAKERS):
        yield from units(f"{path} makes units when the system starts")
    for path in _held(root, _CREDENTIALS):
        yield Change("/etc", f"{path} has it changed when the system starts")
    for over, globs in _LAID_OVER.items():
        yield from (Change(over, f"{path} is laid over it", below=True) for path in _paths(root, globs))
    for path in _held(root, ["/etc/ld.so.preload"]):
        yield Change("/", f"{path} has every program run another one's code")
    presets = list(_held(root, ["/etc/systemd/system-preset/*.preset"]))
    if presets and any(_content(root, "/etc/machine-id") == first for first in _FIRST_START):
        yield from units(f"{presets[0]} says at the first start which of them are started")


def _held(root: Root, globs: Iterable[str]) -> Iterator[str]:
    """The files that are not empty, nor links to /dev/null."""
    yield from (path for path in _paths(root, globs) if _content(root, path))


def _content(root: Root, path: str) -> bytes | None:
    """None for what is not there; what cannot be read may hold anything."""
    try:
        return root.begins(path, 80).strip()
    except FileNotFoundError:
        return None
    except (OSError, Odd) as error:
        return None if isinstance(error, Odd) and error.astray else b"?"
