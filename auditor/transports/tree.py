"""Files in the place of a host: a folder as its root, or the one file of a device; nothing of it is executed.

Links are followed as a chroot would, and so never leave the tree. What is no plain file is never opened.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache

from auditor.framing.sh import HELLO
from auditor.kinds import Ask, Settings, Transport
from auditor.model import Answer, Command, Failure, Host, Output
from auditor.readers.files import LINKS
from auditor.readers.masks import MASKS

MOST_LINKS = 40  # as Linux has it
MOST_NAMES = 5000  # of one folder
NOWHERE = ["dev", "null"]  # a link there is how a file is said to be none: it reads as empty, and is not opened
NOTHING_HERE = "no file of this tree is one that is asked for"
_WILD = frozenset("*?[")
# What ends a line for one program and not for the next: systemd takes a lone carriage return and NUL for an end, sshd joins
# what stands before NUL to the line that follows.
_BREAKS = re.compile(rb"[\0\v\f\x1c-\x1e]|\r(?!\r*(?:\n|\Z))|\xc2\x85|\xe2\x80[\xa8\xa9]")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


Names = dict[tuple[int, int], dict[str, str]]  # by folder, what is in it, by its name without case


class _TooMuch(ValueError):
    """More than a question may answer."""


class _Emptied(Exception):
    """A link leads to /dev/null."""


class _Odd(ValueError):
    """Something is there that is no plain file; its message says what."""


def open_(settings: Settings) -> Ask:
    clock = settings.clock

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        end = clock() + deadline_s
        try:
            single = not stat.S_ISDIR(os.stat(host.tree).st_mode)
            folder, name = os.path.split(host.tree) if single else (host.tree, "")
            root = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            yield from ((c, Failure("unreachable", str(error.strerror), clock())) for c in commands)
            return
        try:
            yield from _told(_Root(root, name), host, commands, lambda: clock() < end, clock)
        finally:
            os.close(root)

    return ask


def _told(
    root: _Root, host: Host, commands: tuple[Command, ...], in_time: Callable[[], bool], clock: Callable[[], float]
) -> Iterator[tuple[Command, Answer]]:
    """What the tree is, it says last: one in which nothing is found that is asked for is no tree of this host."""
    found = False
    for command in commands:
        if command == HELLO or not in_time():
            continue
        answer = _answer(root, command, clock())
        found = found or not isinstance(answer, Output) or answer.stdout[:1] not in (b"", b"E")
        yield command, answer
    hello = f"{host.platform}\n{host.id}\n0\n\n\nnone\n".encode()
    yield HELLO, Output(0, hello, b"", clock()) if found else Failure("unreadable", NOTHING_HERE, clock())


def script(commands: tuple[Command, ...], elevated: tuple[Command, ...], become: bool) -> str:
    """What would be read: no script."""
    return "".join(f"# read {c.text}\n" for c in commands if c.kind == "read")


def _answer(root: _Root, command: Command, at: float) -> Answer:
    if command.kind != "read":
        return Failure("not_observable", "", at)
    try:
        return Output(0, b"".join(_shown(root, command)), b"", at)
    except _TooMuch:
        return Failure("truncated", f"more than {command.cap_bytes} bytes", at)
    except OSError as error:
        return Failure("unreadable", str(error.strerror), at)


def _shown(root: _Root, command: Command) -> Iterator[bytes]:
    """The files of the globs, in the form that readers/files.py reads, without their secrets; then the folders without any."""
    left = command.cap_bytes
    matching: dict[tuple[str, ...], list[str]] = (
        {(): [""]} if root.name else {glob: root.matching(glob) for glob in _globs(command.text)}
    )
    paths = dict.fromkeys(path for found in matching.values() for path in found)
    for path in paths:
        if root.lacks(path):
            continue
        name = os.fsencode(path)
        try:
            text = root.leads(path) if command.mask == LINKS else MASKS[command.mask](_in_lines(root, path, left))
        except FileNotFoundError:
            continue
        except PermissionError:
            yield b"! %d %b\n" % (len(name), name)
        except _Odd as odd:
            said = name + b" " + str(odd).encode()
            yield b"? %d %b\n" % (len(said), said)
        else:
            left -= len(text)
            yield b"F %d %d %b\n%b\n" % (len(text), len(name), name, text)
    for empty in dict.fromkeys(root.empty(glob) for glob, found in matching.items() if not found):
        yield b"E %d %b\n" % (len(empty), empty) if empty else b""


def _in_lines(root: _Root, path: str, most: int) -> bytes:
    """The bytes of a file of a tree, of which every program sees the same lines. Raises as `_Root.text` does."""
    text = root.text(path, most)
    if not root.name and _BREAKS.search(text):
        raise _Odd("(a control character that is the end of a line to some programs)")
    return text


@lru_cache(maxsize=256)
def _globs(text: str) -> tuple[tuple[str, ...], ...]:
    """What a question asks for; every tree is asked the same. What is plain is one part."""
    return tuple(
        tuple(glob.strip("/").split("/")) if _WILD.intersection(glob) else (glob.strip("/"),) for glob in text.split()
    )


@dataclass(frozen=True, slots=True)
class _Root:
    """The folder that stands for `/`; with a `name`, the one file in it that stands for a whole device."""

    fd: int
    name: str = ""
    names: Names = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)  # was seen not to be there; most that is asked for lies in few of these

    def lacks(self, path: str) -> bool:
        """Whether it, or a folder that it would lie in, was seen not to be there."""
        end = path.find("/", 1)
        while end > 0:
            if path[:end] in self.gone:
                return True
            end = path.find("/", end + 1)
        return path in self.gone

    def matching(self, glob: tuple[str, ...]) -> list[str]:
        """The paths that a shell's glob, in parts, stands for, sorted; a plain path stands for itself, whether it is there or not."""
        found = [""]
        for part in glob:
            if _WILD.intersection(part):
                found = [f"{base}/{name}" for base in found for name in self._names(base, part)]
            else:
                found = [f"{base}/{part}" for base in found]
        return found

    def _names(self, folder: str, pattern: str) -> list[str]:
        """What matches in a folder; of one that cannot be listed the pattern, which then cannot be read for the same reason."""
        if self.lacks(folder):
            return []
        try:
            with self._opened(folder, _FOLDER) as fd:
                names = os.listdir(fd)
        except (FileNotFoundError, _Emptied):
            return []
        except (OSError, _Odd):
            return [pattern]
        if len(names) > MOST_NAMES:
            raise _TooMuch
        return sorted(name for name in names if _matches(name, pattern))

    def empty(self, glob: tuple[str, ...]) -> bytes:
        """The folder of a glob, in parts, that stands for nothing in it, if it is there; of several folders none."""
        folder = f"/{'/'.join(glob[:-1])}"
        if _WILD.intersection(folder) or self.lacks(folder):
            return b""
        try:
            with self._opened(folder, _FOLDER):
                return os.fsencode(folder)
        except (OSError, _Odd, _Emptied):
            return b""

    def text(self, path: str, most: int) -> bytes:
        """The bytes of a plain file. Raises FileNotFoundError, PermissionError, _Odd, or _TooMuch beyond `most`."""
        try:
            with self._opened(path or f"/{self.name}", _FILE) as fd, os.fdopen(fd, "rb", closefd=False) as file:
                text = file.read(most + 1)
        except _Emptied:
            return b""
        if len(text) > most:
            raise _TooMuch
        return text

    def leads(self, path: str) -> bytes:
        """Where a link leads, as it is written; nothing of a plain file. What ends in an empty file leads to NOWHERE.

        So systemd has it of a unit: one whose file is empty is masked, as with /dev/null. Nothing of a file is read.
        """
        folder, _, name = path.rpartition("/")
        try:
            with self._opened(folder, _FOLDER) as fd:
                target = _link(fd, name, self.names)
        except _Emptied:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
        if self._hollow(path, target or ""):
            return b"/dev/null"
        return b"" if target is None else os.fsencode(target)

    def _hollow(self, path: str, target: str) -> bool:
        """Whether an empty file is at its end, or a device as far as its first link says."""
        if os.path.normpath(os.path.join(path, "..", target)).startswith("/dev/"):
            return True
        try:
            with self._opened(path, _FILE) as fd:
                return os.fstat(fd).st_size == 0
        except _Emptied:
            return True
        except (OSError, _Odd):
            return False

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int]:
        """The end of a path, each link on the way resolved from this root."""
        parts = [p for p in path.split("/") if p]
        if self.lacks(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        held = [os.dup(self.fd)]  # the folders on the way down: `..` at the root stays there
        links = 0
        whole = () if {".", ".."}.intersection(parts) else tuple(parts)
        try:
            while parts:
                if links and len(held) == 1 and parts == NOWHERE:
                    raise _Emptied
                part = parts.pop(0)
                if part == "..":
                    os.close(held.pop()) if len(held) > 1 else None
                elif part != ".":
                    target = self._target(held[-1], part, () if links else whole[: len(held)])
                    links += target is not None
                    if links > MOST_LINKS:
                        raise _Odd("(too many links)")
                    if target is None:
                        held.append(_step(held[-1], part, flags if not parts else _FOLDER))
                        continue
                    _left(held, target)
                    parts[:0] = [p for p in target.split("/") if p]
            yield held[-1]
        except FileNotFoundError:
            if links:
                raise _Odd("(a link that leads to nothing in the tree)") from None
            raise
        except NotADirectoryError:
            raise _Odd("(no folder on the way to it)") from None
        finally:
            for fd in held:
                with suppress(OSError):
                    os.close(fd)

    def _target(self, folder: int, name: str, way: tuple[str, ...]) -> str | None:
        """Where a link leads, as _link says it; `way` is the path to it, nothing where that went over links."""
        try:
            return _link(folder, name, self.names)
        except FileNotFoundError:
            if way:
                self.gone.add("/" + "/".join(way))
            raise


def _left(held: list[int], target: str) -> None:
    """From the root again, where a link says so."""
    while target.startswith("/") and len(held) > 1:
        os.close(held.pop())


def _link(folder: int, name: str, names: Names) -> str | None:
    """Where a link leads; None for what is none. Another case of the name is not the name, and says so."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        other = _named(folder, names).get(name.casefold())
        if other:
            raise _Odd(f"(only {other} is there)") from None
        raise
    return os.readlink(name, dir_fd=folder) if stat.S_ISLNK(found.st_mode) else None


def _named(folder: int, names: Names) -> dict[str, str]:
    """Many files are asked for that a folder does not hold: it is listed once."""
    told = os.fstat(folder)
    key = told.st_dev, told.st_ino
    if key not in names:
        names[key] = {n.casefold(): n for n in reversed(os.listdir(folder))}
    return names[key]


def _step(folder: int, name: str, flags: int) -> int:
    """Opens a folder or a plain file; anything else is looked at, and never opened."""
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    wanted = stat.S_ISDIR(mode) if flags & os.O_DIRECTORY else stat.S_ISREG(mode)
    if not wanted:
        if flags & os.O_DIRECTORY:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        raise _Odd("(no plain file)")
    return os.open(name, flags, dir_fd=folder)


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) and (not name.startswith(".") or pattern.startswith("."))


TRANSPORT = Transport(script=script, open=open_)
