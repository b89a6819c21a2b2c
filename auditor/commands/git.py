"""What git is asked about the trusted side: which commit a reference is, what it holds, and its files as an archive."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping

from auditor.errors import InvalidInput
from auditor.sentences import clean

TIMEOUT_S = 120


def top() -> str:
    """The folder of the repository that the work folder is in."""
    return os.path.realpath(_ran(["rev-parse", "--show-toplevel"]).stdout.decode().rstrip("\n"))


def commit(ref: str) -> str:
    """A tag, or a branch, of the name of another would be taken in its place; whoever may push can make one."""
    told = _ran(["-c", "core.warnAmbiguousRefs=true", "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}"])
    if b"ambiguous" in told.stderr:
        raise InvalidInput(f"--trusted {ref}: is more than one reference: write it whole, as refs/remotes/origin/main")
    return told.stdout.decode().strip()


def held(top: str, commit: str) -> Mapping[str, str]:
    """Every file, link and submodule of a commit, by its path in the repository, with its mode."""
    told = _ran(["-C", top, "ls-tree", "-r", "-z", "--full-tree", commit]).stdout
    lines = (os.fsdecode(line).partition("\t") for line in told.split(b"\0") if line)
    return {path: said.partition(" ")[0] for said, _, path in lines}


def archive(top: str, commit: str, file: str, only: Iterable[str] = (), without: Iterable[str] = ()) -> None:
    """The commit's files in the tar file `file`, by the attributes that it has itself; these folders `only`, or all `without` some."""
    paths = [
        *([f":(top,literal){path}" for path in only] or ["."]),
        *(f":(exclude,top,literal){path}" for path in without),
    ]
    _ran(["-C", top, "archive", "--format=tar", f"--output={file}", commit, "--", *paths])


def _ran(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    words = ["git", "--no-replace-objects", *arguments]
    environment = {name: said for name, said in os.environ.items() if not name.endswith("_PATHSPECS")} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False, env=environment
        )
    except FileNotFoundError:
        raise InvalidInput("--trusted needs the program git") from None
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"--trusted: git {arguments[0]} gave no answer in {TIMEOUT_S} s") from None
    if done.returncode:
        said = clean(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        raise InvalidInput(f"--trusted: {said or 'git failed'}")
    return done
