"""Files in the place of a host: a folder as its root, or the one file of a device; nothing of it is executed.

Links are followed as a chroot would, and so never leave the tree. What is no plain file is never opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache

from auditor.framing.sh import HELLO
from auditor.kinds import Ask, Settings, Transport
from auditor.model import Answer, Command, Failure, Host, Output
from auditor.readers.files import LINKS, PROGRAM
from auditor.readers.masks import MASKS
from auditor.transports._booted import Booted, booted
from auditor.transports._folder import WILD, Odd, Root, TooMuch, in_lines

NOTHING_HERE = "no file of this tree is one that is asked for"


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
            yield from _told(Root(root, name), host, commands, lambda: clock() < end, clock)
        finally:
            os.close(root)

    return ask


def _told(
    root: Root, host: Host, commands: tuple[Command, ...], in_time: Callable[[], bool], clock: Callable[[], float]
) -> Iterator[tuple[Command, Answer]]:
    """What the tree is, it says last: one in which nothing is found that is asked for is no tree of this host."""
    found = False
    start = booted(root)
    for command in commands:
        if command == HELLO or not in_time():
            continue
        answer = _answer(start, command, clock())
        found = found or not isinstance(answer, Output) or answer.stdout[:1] not in (b"", b"E")
        yield command, answer
    hello = f"{host.platform}\n{host.id}\n0\n\n\nnone\n".encode()
    yield HELLO, Output(0, hello, b"", clock()) if found else Failure("unreadable", NOTHING_HERE, clock())


def script(commands: tuple[Command, ...], elevated: tuple[Command, ...], become: bool) -> str:
    """What would be read: no script."""
    return "".join(f"# read {c.text}\n" for c in commands if c.kind == "read")


def _answer(start: Booted, command: Command, at: float) -> Answer:
    if command.kind != "read":
        return Failure("not_observable", "", at)
    try:
        return Output(0, b"".join(_shown(start, command)), b"", at)
    except TooMuch:
        return Failure("truncated", f"more than {command.cap_bytes} bytes", at)
    except OSError as error:
        return Failure("unreadable", str(error.strerror), at)


def _shown(start: Booted, command: Command) -> Iterator[bytes]:
    """The files of the globs, in the form that readers/files.py reads, without their secrets; then the folders without any.

    In the place of what a start of the system changes, that it does.
    """
    root, left = start.root, command.cap_bytes
    matching: dict[tuple[str, ...], list[str]] = (
        {(): [""]} if root.name else {glob: root.matching(glob) for glob in _globs(command.text)}
    )
    paths = dict.fromkeys(path for found in matching.values() for path in found)
    yield from (b"? %d %b\n" % (len(said), said) for said in start.hiding(command.text.split()))
    for path in paths:
        if root.lacks(path) or start.hides(path):
            continue
        name = os.fsencode(path)
        try:
            text = _shown_of(root, path, command.mask, left)
        except FileNotFoundError:
            continue
        except PermissionError:
            yield b"! %d %b\n" % (len(name), name)
        except Odd as odd:
            said = name + b" " + str(odd).encode()
            yield b"? %d %b\n" % (len(said), said)
        else:
            left -= len(text)
            yield b"F %d %d %b\n%b\n" % (len(text), len(name), name, text)
    for empty in dict.fromkeys(root.empty(glob) for glob, found in matching.items() if not found):
        yield b"E %d %b\n" % (len(empty), empty) if empty and not start.hides(os.fsdecode(empty)) else b""


def _shown_of(root: Root, path: str, mask: str, most: int) -> bytes:
    if mask == LINKS:
        return root.leads(path)
    return root.stands_for(path) if mask == PROGRAM else MASKS[mask](in_lines(root, path, most))


@lru_cache(maxsize=256)
def _globs(text: str) -> tuple[tuple[str, ...], ...]:
    """What a question asks for; every tree is asked the same. What is plain is one part."""
    return tuple(
        tuple(glob.strip("/").split("/")) if WILD.intersection(glob) else (glob.strip("/"),) for glob in text.split()
    )


TRANSPORT = Transport(script=script, open=open_)
