"""What docs/ci.md shows, as files; and the configuration repository that it is for, with a history of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "tests/data/ci"
_FILE = re.compile(r"<!-- file: (?P<path>\S+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
FILES = {found["path"]: found["text"] for found in _FILE.finditer((ROOT / "docs/ci.md").read_text("utf-8"))}


def pipelines() -> dict[str, list[str]]:
    """The commands that each system runs, in their order."""
    gitlab = yaml.safe_load(FILES[".gitlab-ci.yml"])["baseline"]["script"]
    steps = yaml.safe_load(FILES[".github/workflows/baseline.yml"])["jobs"]["baseline"]["steps"]
    return {
        "gitlab": gitlab,
        "github": [step["run"] for step in steps if "run" in step],
        "jenkins": re.findall(r"^\s*sh '(.*)'$", FILES["Jenkinsfile"], re.MULTILINE),
    }


@dataclass(frozen=True, slots=True)
class Job:
    """What one job runs in a fresh checkout, the path that it hands over, and where a later job finds what was handed over."""

    commands: tuple[str, ...]
    hands_over: str = ""
    finds_in: str = "."


TREES = {name: (ROOT / "contrib/ci" / file).read_text("utf-8") for name, file in
         (("gitlab", "trees.gitlab-ci.yml"), ("github", "trees.github.yml"), ("jenkins", "trees.Jenkinsfile"))}  # fmt: skip


def jobs() -> dict[str, tuple[Job, ...]]:
    """The jobs of contrib/ci, in their order."""
    gitlab = [j for j in yaml.safe_load(TREES["gitlab"]).values() if isinstance(j, dict)]
    github = yaml.safe_load(TREES["github"])["jobs"].values()
    jenkins = re.split(r"^ +stage\('", TREES["jenkins"], flags=re.MULTILINE)[1:]
    return {
        "gitlab": tuple(Job(tuple(j["script"]), *j["artifacts"].get("paths", [])) for j in gitlab),
        "github": tuple(_github(j["steps"]) for j in github),
        "jenkins": tuple(
            Job(
                tuple(re.findall(r"^\s*sh '(.*)'$", j, re.MULTILINE)),
                *re.findall(r"stash name.*includes: '([\w.]+)'", j),
            )
            for j in jenkins
        ),
    }


def _github(steps: Sequence[Mapping[str, Any]]) -> Job:
    given = {step["uses"].partition("@")[0]: step.get("with", {}) for step in steps if "uses" in step}
    commands = tuple(step["run"] for step in steps if "run" in step)
    up, down = given.get("actions/upload-artifact", {}), given.get("actions/download-artifact", {})
    return Job(commands, up.get("path", ""), down.get("path", "."))


def roles(folder: Path, of: str = "roles", render: str = "folders.sh") -> None:
    """A repository in `folder`, of what tests/data has under that name; what is there already is kept."""
    shutil.copytree(ROOT / "tests/data" / of, folder, dirs_exist_ok=True)
    (folder / "gitignore").rename(folder / ".gitignore")
    shutil.copy(ROOT / "contrib/ci" / render, folder / "render.sh")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "The servers as they are")


def repository(folder: Path) -> None:
    """The example's repository in `folder`, with the files of the page, committed on main."""
    shutil.copytree(EXAMPLE, folder)
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "The servers as they are")


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def git(folder: Path, *words: str) -> str:
    names = {f"GIT_{who}_{what}": "tests@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1", **names}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def programs(folder: Path) -> dict[str, str]:
    """An environment where `auditor` is this source tree, and the tools of this interpreter are found."""
    folder.mkdir()
    auditor = folder / "auditor"
    auditor.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m auditor "$@"\n')
    auditor.chmod(0o755)
    home = folder / "home"
    home.mkdir()
    path = f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "CI": "true"}
