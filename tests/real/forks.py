"""A probe's questions in namespaces of their own: each in a fork of one interpreter, which has everything imported already."""

from __future__ import annotations

import atexit
import ctypes
import os
import pickle
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from auditor import shelves
from auditor.framing.sh import HELLO
from auditor.kinds import Settings
from auditor.model import Host
from auditor.transports import local

ROOT = Path(__file__).parent.parent.parent
SERVE = "import sys; sys.path[:0] = sys.argv[1:]; import forks; forks.serve()"

NEWNS, NEWPID, NEWNET = 0x20000, 0x20000000, 0x40000000
PRIVATE = 0x4000 | 0x40000  # MS_REC, MS_PRIVATE
SET_PDEATHSIG = 1


# ---------------------------------------------------------------- the tests' side


@cache
def _server() -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(ROOT), str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    atexit.register(server.communicate)
    return server


def told(asked: Mapping[str, Any], alone: bool, timeout_s: float) -> tuple[Any, str]:
    """What `questions` gave in namespaces of its own, None when it raised or took too long; and what was said to stderr.

    `alone`: in a process namespace as well, which ends with the questions, and with it all that the setup started.
    """
    server = _server()
    assert server.stdin and server.stdout
    try:
        pickle.dump((asked, alone, timeout_s, dict(os.environ), os.getcwd()), server.stdin)
        server.stdin.flush()
        given, said = pickle.load(server.stdout)
    except BaseException:  # a test's own time limit too: its answer must not come to the next
        server.kill()
        _server.cache_clear()
        raise
    return (pickle.loads(given) if given else None), said.decode(errors="replace")


# ---------------------------------------------------------------- the server's side


def serve() -> None:
    """One question after the other from standard input, until it ends."""
    _imported()
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    while True:
        try:
            one = pickle.load(asked)
        except EOFError:
            return
        pickle.dump(_forked(*one, (asked, answers)), answers)
        answers.flush()


def _imported() -> None:
    """What is imported when it is first used, before any setup runs: it may hide the folder that the interpreter stands in."""
    for probe in shelves.probes().values():
        if "linux" in getattr(probe, "dialects", ()):
            probe.dialects["linux"]


def _forked(
    asked: Mapping[str, Any],
    alone: bool,
    timeout_s: float,
    environment: Mapping[str, str],
    folder: str,
    ours: tuple[BinaryIO, ...],
) -> tuple[bytes, bytes]:
    """Files in memory, and no pipes: what a setup leaves running holds nobody up."""
    given, said = os.memfd_create("given"), os.memfd_create("said")

    def work() -> None:
        for one in ours:
            os.close(one.fileno())
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        _apart(alone, lambda: os.write(given, pickle.dumps(questions(**asked))))

    child = _child(work)
    ended = os.pidfd_open(child)
    if not select.select([ended], [], [], timeout_s)[0]:
        os.kill(child, signal.SIGKILL)
        os.write(said, b"\nit took too long")
    status = os.waitpid(child, 0)[1]
    told = tuple(os.pread(f, os.fstat(f).st_size, 0) for f in (given, said))
    for one in (given, said, ended):
        os.close(one)
    return (told[0] if status == 0 else b""), told[1]


def _child(work: Callable[[], object]) -> int:
    """The id of a process that does this and ends; with 1 when it raises."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        _call("prctl", SET_PDEATHSIG, signal.SIGKILL)
        work()
        code = 0
    except BaseException:  # it is told on stderr, and must not come back to the server's loop
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _apart(alone: bool, work: Callable[[], object]) -> None:
    """What unshare(1) does, with -p -f --kill-child --mount-proc when `alone`, and no other interpreter."""
    _call("unshare", NEWNS | NEWNET | NEWPID * alone)
    _call("mount", b"none", b"/", None, PRIVATE, None)
    if not alone:
        work()
        return

    def first() -> None:
        _call("mount", b"proc", b"/proc", b"proc", 0, None)
        work()

    status = os.waitpid(_child(first), 0)[1]
    assert status == 0, "the first process of the namespace failed"


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def questions(
    probe: str, args: Mapping[str, Any], setup: str, shells: Sequence[str], after: str, become: bool
) -> tuple[list[Any], bytes]:
    """The answers to the probe's commands once the setup has run, after each line of `shells`; and what `after` printed then."""
    commands = shelves.probes()[probe].dialects["linux"].commands(args)
    _sh(setup)
    ask = local.TRANSPORT.open(Settings(clock=time.time, elevated=tuple(c for c in commands.values() if c.elevated)))
    host = Host("here", "localhost", connection="local", become=become)
    told = []
    for shell in shells:
        _sh(shell)
        got = dict(ask(host, (HELLO, *commands.values()), 100.0))
        told.append({n: got[c] for n, c in commands.items()})
    printed = subprocess.run(["sh", "-e", "-c", after], check=True, stdout=subprocess.PIPE).stdout
    return told, printed


def _sh(lines: str) -> None:
    if lines:
        subprocess.run(["sh", "-e", "-c", lines], check=True, stdout=sys.stderr)
