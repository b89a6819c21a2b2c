"""What git is asked about the trusted side: which commit a reference is, what it holds, and its files as an archive."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping

from auditor.errors import InvalidInput
from auditor.sentences import clean

TIMEOUT_S = 120


def top() -> str:
    """The folder of the repository that the work folder is in. Of a submodule the references are whose it is."""
    said = _ran(["rev-parse", "--show-superproject-working-tree", "--show-toplevel"]).stdout
    above, _, found = os.fsdecode(said).rstrip("\n").rpartition("\n")
    if above:
        raise InvalidInput(
            f"--trusted: {clean(found)} is a submodule, which a change of {clean(above)} may bring with references of its own: "
            f"start in {clean(above)}, or in a clone of the submodule alone"
        )
    return os.path.realpath(found)


def commit(top: str, ref: str) -> str:
    """A tag, or a branch, of the name of another would be taken in its place; whoever may push can make one."""
    asked = ["rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}"]
    told = _asked(["-C", top, "-c", "core.warnAmbiguousRefs=true", *asked])
    if b"ambiguous" in told.stderr:
        raise InvalidInput(f"--trusted {ref}: is more than one reference: write it whole, as refs/remotes/origin/main")
    if told.returncode:
        raise InvalidInput(
            f"--trusted {ref}: is no commit that this repository has: look for its name with `git branch -a`, "
            "or have it fetched first, in a pipeline by `git fetch origin BRANCH`"
        )
    return told.stdout.decode().strip()


def held(top: str, commit: str) -> Mapping[str, str]:
    """Every file, link and submodule of a commit, by its path in the repository, with its mode."""
    return _modes(_ran(["-C", top, "ls-tree", "-r", "-z", "--full-tree", commit]).stdout)


def tracked(top: str) -> Mapping[str, str]:
    """The same of the work folder: what git put there."""
    return _modes(_ran(["-C", top, "ls-files", "-s", "-z"]).stdout)


def _modes(told: bytes) -> dict[str, str]:
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
    done = _asked(arguments)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise InvalidInput(f"--trusted: {clean(said.partition('fatal: ')[2] or said) or 'git failed'}")
    return done


def _asked(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    """A folder that looks like a bare repository may come with a change, and is none of ours."""
    words = ["git", "--no-replace-objects", "-c", "safe.bareRepository=explicit", *arguments]
    environment = {name: said for name, said in os.environ.items() if not name.endswith("_PATHSPECS")} | {"LC_ALL": "C"}
    try:
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False, env=environment
        )
    except FileNotFoundError:
        raise InvalidInput("--trusted needs the program git") from None
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"--trusted: git gave no answer in {TIMEOUT_S} s") from None
