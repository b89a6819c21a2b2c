"""A change that is proposed to a repository, and what the pipelines of contrib/ci make of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pipeline
from lxml import etree
from pipeline import commit, git

SYSTEMS = ("gitlab", "github", "jenkins")
NAMES = {
    "gitlab": {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"},
    "github": {"GITHUB_BASE_REF": "main"},
    "jenkins": {"CHANGE_TARGET": "main"},
}


@dataclass(frozen=True, slots=True)
class Came:
    """To what exit code the pipeline came, what it said, and the folder that its last job ran in."""

    code: int
    said: str
    folder: Path

    def document(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text("utf-8"))

    def line(self, path: str, number: int) -> str:
        return (self.folder / path).read_text("utf-8").splitlines()[number - 1]

    def junit(self) -> dict[tuple[str, str], str]:
        """What each test that failed says, by its suite and name."""
        found = etree.parse(self.folder / "junit.xml").iter("failure")
        return {(f.getparent().getparent().get("name"), f.getparent().get("name")): f.text for f in found}


@dataclass(frozen=True, slots=True)
class Remote:
    """The repository that changes are proposed to; `inside`: the command in which the job that plays the roles runs."""

    folder: Path
    environment: Mapping[str, str]
    inside: tuple[str, ...] = ()

    def propose(self, work: Path, **files: str | None) -> None:
        """A branch `change`, of these files; None removes one."""
        git(self.folder.parent, "clone", "--quiet", str(self.folder), str(work))
        git(work, "switch", "--quiet", "--create", "change")
        for path, text in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).unlink() if text is None else (work / path).write_text(text, "utf-8")
        commit(work, "A change")
        git(work, "push", "--quiet", "--force", "origin", "change")

    def run(self, system: str, below: Path, branch: str = "change", handed: Path | None = None) -> Came:
        """Each job in a fresh clone; ends with the first command that fails, as the systems do.

        `handed`: what the first job handed over of a change that renders the same, which takes its place.
        """
        said, clone = "", below
        for place, job in enumerate(pipeline.jobs()[system]):
            if not place and handed:
                continue
            clone = below / f"{system}{place}"
            git(below, "clone", "--quiet", "--branch", branch, str(self.folder), str(clone))
            if handed:
                _handed_over(handed, clone / job.finds_in / handed.name)
            for command in job.commands:
                done = self.do(command, clone, system, () if place else self.inside)
                said += f"$ {command}\n{done.stdout}{done.stderr}"
                if done.returncode:
                    return Came(done.returncode, said, clone)
            handed = clone / job.hands_over if job.hands_over else None
        return Came(0, said, clone)

    def do(
        self, command: str, folder: Path, system: str = "gitlab", inside: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **NAMES[system], "GITHUB_WORKSPACE": str(folder)}
        words = [*inside, "sh", "-e", "-c", command]
        return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=400)


def _handed_over(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy(source, target)
