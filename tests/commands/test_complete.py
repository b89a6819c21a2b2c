"""What Tab completes, asked as the shells ask: bash itself, and the protocols of zsh and fish."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from make import ROOT, site

BASH = 'eval "$(_AUDITOR_COMPLETE=bash_source auditor)"\nCOMP_WORDS=("$@") COMP_CWORD=$(($# - 1))\n' + (
    "_auditor_completion auditor\nprintf '%s\\n' \"${COMPREPLY[@]}\""
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`auditor` on PATH, as its console script."""
    script = tmp_path / "bin" / "auditor"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nfrom auditor.cli import program\nprogram()\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return script


def typed(*words: str) -> list[str]:
    """What bash would offer for the last word; nothing stands on the terminal beside it."""
    done = subprocess.run(["bash", "-c", BASH, "bash", *words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def asked(shell: str, words: str, last: str) -> list[str]:
    """The lines of the program's answer; `last` is the number of the word for zsh, the word itself for fish."""
    given = {"_AUDITOR_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": last}
    done = subprocess.run(["auditor"], env={**os.environ, **given}, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pl"], ["plan"]),
        (["explain", "ssh-root"], ["ssh-root-login-off"]),
        (["explain", "ssh_"], ["ssh_logins"]),
        (["schema", "es"], ["estate"]),
        (["run", "-f", "j"], ["json", "junit"]),
        (["run", "--fail-on", "h"], ["high"]),
        (["recommendations", "draft", "-i", str(ROOT / "tests/data/town"), "--for", "S"], ["SYNDICAT"]),
        (["acceptances", "show", "-i", str(ROOT / "tests/data/town"), "ACC"], ["ACC-2026-003"]),
        (["run", "--det"], ["--details"]),
        (["explain", "no-such-"], []),
    ],
    ids=lambda w: " ".join(w),
)
def test_bash_completes_what_people_type(installed: Path, words: list[str], offered: list[str]) -> None:
    assert typed("auditor", *words) == offered


def test_the_numbers_of_stored_runs(installed: Path, tmp_path: Path, run_here: Callable[[str], str]) -> None:
    """From the store that --store names, or the default one; without one there is nothing to report."""
    store = run_here(str(tmp_path / "runs.db"))
    assert typed("auditor", "report", "--store", store, "") == ["latest", "1"]
    assert typed("auditor", "report", "--store", store, "l") == ["latest"]
    assert typed("auditor", "report", "") == []
    assert typed("auditor", "report", "--store", "none", "") == []
    kind, value, about = asked("zsh", f"auditor report --store {store} 1", "4")[-3:]
    assert (kind, value) == ("plain", "1")
    assert "complete" in about
    assert asked("fish", f"auditor report --store {store} 1", "1")[0].startswith("plain,1\t")


@pytest.fixture
def run_here(installed: Path, tmp_path: Path) -> Callable[[str], str]:
    """A run of this machine in a new store; its path."""

    def run(store: str) -> str:
        policy, *probes = site(tmp_path / "site", "echo 400")
        done = subprocess.run(["auditor", "run", policy, *probes, "--store", store], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return store

    return run


def test_a_site_s_own_probes(installed: Path, tmp_path: Path) -> None:
    """They are explained as the shipped ones are; a folder of them that is refused completes nothing, in silence."""
    _, option, folder = site(tmp_path, "echo 400")
    name = next(Path(folder).glob("*.py")).stem
    assert typed("auditor", "explain", option, folder, name[:3]) == [name]
    os.chmod(folder, 0o777)
    assert typed("auditor", "explain", option, folder, name[:3]) == []


@pytest.mark.parametrize("content", [b"no database", b""], ids=["garbage", "empty"])
def test_a_damaged_store_completes_nothing_in_silence(installed: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "runs.db").write_bytes(content)
    assert typed("auditor", "report", "--store", str(tmp_path / "runs.db"), "1") == []


def test_the_names_of_commands_cost_no_import(installed: Path) -> None:
    """`auditor <Tab>` reads no policy and no store."""
    code = "import sys\nsys.argv = ['auditor']\nfrom auditor.cli import main\ntry: main(prog_name='auditor')\nexcept SystemExit: pass\n"
    given = {"_AUDITOR_COMPLETE": "bash_complete", "COMP_WORDS": "auditor ", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code + "print(sorted(sys.modules))"],
        env={**os.environ, **given}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "plain,run" in done.stdout
    for heavy in ("yaml", "sqlite3", "jsonschema", "paramiko", "auditor.shelves"):
        assert f"'{heavy}'" not in done.stdout
