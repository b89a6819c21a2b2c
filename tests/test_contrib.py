"""The workflow for a forge with Windows runners: its Linux jobs run as they stand, with a stand-in for what Windows answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_powershell
from documents import written
from make import ROOT
from test_by_hand import powershell
from tree_sitter import Language, Parser

from auditor import shelves
from auditor.kinds import Probe

WORKFLOW: dict[str, Any] = written((ROOT / "contrib" / "windows-latest.yml").read_text())


def step(job: str, name: str) -> str:
    (found,) = [s["run"] for s in WORKFLOW["jobs"][job]["steps"] if s.get("name") == name]
    return str(found)


def bash(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """As a runner does, with this source as the installed auditor."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "auditor").write_text(f'#!/bin/sh\nexec {sys.executable} -m auditor "$@"\n')
    (programs / "auditor").chmod(0o755)
    given = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        ["bash", "-e", "-c", text], cwd=folder, env=given, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("job", ["answer"])
def test_what_windows_runs_is_powershell(job: str) -> None:
    parser = Parser(Language(tree_sitter_powershell.language()))
    for one in WORKFLOW["jobs"][job]["steps"]:
        if "run" in one:
            assert one["shell"] == "powershell"  # Windows PowerShell 5.1; `pwsh` is another
            assert not parser.parse(one["run"].encode()).root_node.has_error, one["run"]


def recorded() -> dict[str, str]:
    """What each question of a Windows host is answered with in the recorded case of its probe that is as expected."""
    found = {}
    for name, probe in shelves.probes().items():
        if isinstance(probe, Probe) and "windows" in probe.dialects:
            case = written((ROOT / "tests" / "probes" / name / "windows-expected.yaml").read_text())
            commands = probe.dialects["windows"].commands(case["arguments"])
            found.update(
                {c.text: case["answers"][n].get("stdout", "") for n, c in commands.items() if n in case["answers"]}
            )
    return found


@pytest.mark.parametrize("broken", [False, True])
def test_the_jobs_around_windows_print_and_judge(tmp_path: Path, broken: bool) -> None:
    done = bash(step("script", "print a script for each account"), tmp_path)
    assert done.returncode == 0, done.stderr
    for host in ("administrator", "ordinary"):
        told = powershell((tmp_path / f"{host}.ps1").read_text(), table=recorded())
        (tmp_path / f"{host}.answer").write_bytes(told[:-400] if broken else told)
    done = bash(step("judge", "judge the answers"), tmp_path, NAME="here")
    assert done.returncode == int(broken), done.stdout + done.stderr
    assert ("'closed'" in done.stderr) is broken
    assert "administrator.json" in done.stdout


def test_what_each_account_obtains_is_told_of_every_probe_that_asks_windows() -> None:
    told = (ROOT / "docs" / "windows-gpo.md").read_text().partition("## What each account obtains")[2]
    asked = {n for n, p in shelves.probes().items() if isinstance(p, Probe) and "windows" in p.dialects}
    assert {n for n in asked if f"\n| `{n}` |" not in told} == set()
