"""A folder in the place of `/`: its files and links by their paths in it, as a chroot has them.

Links never leave it. What is no plain file is never opened.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

MOST_LINKS = 40  # as Linux has it
MOST_NAMES = 5000  # of one folder
NOWHERE = ["dev", "null"]  # a link there is how a file is said to be none: it reads as empty, and is not opened
WILD = frozenset("*?[")
_POINTER = b"version https://git-lfs.github.com/spec/"  # what is deployed is something else
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
# What ends a line for one program and not for the next: systemd takes a lone carriage return and NUL for an end, sshd joins
# what stands before NUL to the line that follows.
_BREAKS = re.compile(rb"[\0\v\f\x1c-\x1e]|\r(?!\r*(?:\n|\Z))|\xc2\x85|\xe2\x80[\xa8\xa9]")


Names = dict[tuple[int, int], dict[str, str]]  # by folder, what is in it, by its name without case


class TooMuch(ValueError):
    """More than a question may answer."""


class _Emptied(Exception):
    """A link leads to /dev/null."""


class Odd(ValueError):
    """Something is there that is no plain file; its message says what. `astray`: nothing is behind it, as far as the tree goes."""

    astray = False


class _Astray(Odd):
    astray = True


@dataclass(frozen=True, slots=True)
class Root:
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
            if WILD.intersection(part):
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
        except (OSError, Odd):
            return [pattern]
        if len(names) > MOST_NAMES:
            raise TooMuch
        return sorted(name for name in names if _matches(name, pattern))

    def empty(self, glob: tuple[str, ...]) -> bytes:
        """The folder of a glob, in parts, that stands for nothing in it, if it is there; of several folders none."""
        folder = f"/{'/'.join(glob[:-1])}"
        if WILD.intersection(folder) or self.lacks(folder):
            return b""
        try:
            with self._opened(folder, _FOLDER):
                return os.fsencode(folder)
        except (OSError, Odd, _Emptied):
            return b""

    def text(self, path: str, most: int) -> bytes:
        """The bytes of a plain file. Raises FileNotFoundError, PermissionError, Odd, or TooMuch beyond `most`."""
        try:
            with self._opened(path or f"/{self.name}", _FILE) as fd, os.fdopen(fd, "rb", closefd=False) as file:
                text = file.read(most + 1)
        except _Emptied:
            return b""
        if len(text) > most:
            raise TooMuch
        if text.startswith(_POINTER):
            raise Odd("(a pointer of git-lfs, whose file was not fetched: git lfs pull)")
        return text

    def begins(self, path: str, most: int) -> bytes:
        """The first bytes of a plain file. Raises as `text` does."""
        try:
            with self._opened(path, _FILE) as fd:
                return os.read(fd, most)
        except _Emptied:
            return b""

    def real(self, path: str) -> str:
        """Where a path leads, its links followed as far as they can be; what is not there stands for itself."""
        parts, found, links = [p for p in path.split("/") if p], list[str](), 0
        while parts:
            part = parts.pop(0)
            if part in (".", ".."):
                del found[len(found) - (part == "..") :]
                continue
            target = self._leads("/" + "/".join(found), part) if links < MOST_LINKS else None
            if target is None:
                found.append(part)
                continue
            links += 1
            found = [] if target.startswith("/") else found
            parts[:0] = [p for p in target.split("/") if p]
        return "/" + "/".join(found)

    def _leads(self, folder: str, name: str) -> str | None:
        try:
            with self._opened(folder, _FOLDER) as fd:
                return _link(fd, name, self.names)
        except (OSError, Odd, _Emptied):
            return None

    def stands_for(self, path: str) -> bytes:
        """Of a program the other file that it is a link to, or the shell that reads it; nothing of one that is its own."""
        name, real = path.rpartition("/")[2], self.real(path)
        try:
            first = self.begins(path, 128).partition(b"\n")[0]
        except Odd:
            first = b""
        if not real.rpartition("/")[2].startswith(name):
            return os.fsencode(real)
        return first if re.match(rb"#!.*sh\b", first) else b""

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
        except (OSError, Odd):
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
                        raise Odd("(too many links)")
                    if target is None:
                        held.append(_step(held[-1], part, flags if not parts else _FOLDER))
                        continue
                    _left(held, target)
                    parts[:0] = [p for p in target.split("/") if p]
            yield held[-1]
        except FileNotFoundError:
            if links:
                raise _Astray("(a link that leads to nothing in the tree)") from None
            raise
        except NotADirectoryError:
            raise _Astray("(no folder on the way to it)") from None
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
            raise Odd(f"(only {other} is there)") from None
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
        raise Odd("(no plain file)")
    return os.open(name, flags, dir_fd=folder)


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) and (not name.startswith(".") or pattern.startswith("."))


def in_lines(root: Root, path: str, most: int) -> bytes:
    """The bytes of a file of a tree, of which every program sees the same lines. Raises as `Root.text` does."""
    text = root.text(path, most)
    if not root.name and _BREAKS.search(text):
        raise Odd("(a control character that is the end of a line to some programs)")
    return text
