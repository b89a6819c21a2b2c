"""What is installed: the policies, schemas and catalogues travel in the wheel."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest

from auditor.cli import main

pytestmark = pytest.mark.xdist_group("wheel")
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=110)
    return next(out.glob("*.whl"))


def test_the_wheel_carries_all_that_a_run_needs(wheel):
    """Every policy, schema, catalogue and module of the source tree is in the wheel."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, pattern in (
        ("policies", "*.yaml"),
        ("auditor/schemas", "*.json"),
        ("auditor/locale", "*.json"),
        ("auditor/reporters/templates", "report.*"),
    ):
        for file in (ROOT / folder).rglob(pattern):
            inside = file.relative_to(ROOT).as_posix()
            assert (f"auditor/{inside}" if folder == "policies" else inside) in names
    assert "auditor/inventories/demo.auditor" in names
    for file in (ROOT / "auditor").rglob("*.py"):
        assert file.relative_to(ROOT).as_posix() in names


def test_the_wheel_audits_this_machine_from_an_empty_directory(wheel, tmp_path):
    """Unpacked anywhere, `auditor run` finds the shipped policies and measures something."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    empty = tmp_path / "empty"
    empty.mkdir()
    program = f"import sys; sys.path.insert(0, {str(site)!r}); from auditor.cli import main; main(['run', '--store', 'none', '--lang', 'en'])"
    done = subprocess.run([sys.executable, "-c", program], cwd=empty, capture_output=True, text=True, timeout=110)
    assert done.returncode in (0, 1, 3), done.stderr
    assert "ssh-root-login-off" in done.stdout
    assert str(site) in subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); import auditor; print(auditor.__file__)"],
        capture_output=True, text=True, cwd=empty, timeout=60,
    ).stdout  # fmt: skip


def test_the_wheel_carries_a_manual_page_of_its_own_commands(wheel, program, tmp_path):
    """Where man looks for it beside an installed program; every command and option is in it, and roff has no complaint."""
    archive = zipfile.ZipFile(wheel)
    (name,) = [n for n in archive.namelist() if n.endswith(".data/data/share/man/man1/auditor.1")]
    page = tmp_path / "auditor.1"
    page.write_bytes(archive.read(name))
    done = subprocess.run(
        [program("man"), "--warnings", "-l", str(page)],
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MANWIDTH": "1000"}, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout
    for words, command in _commands(main, "auditor"):
        section = shown.partition(f"   {words}\n")[2].partition("\n   auditor ")[0]
        for param in command.params:
            for option in param.opts if isinstance(param, click.Option) else ():
                assert re.search(rf"(?m)^ +(\S+, )?{option}\b", section), f"{words} {option}"
    assert "Exit codes" not in shown
    assert "an open failure does" in shown
    assert "-h, --help" in shown


def _commands(group, words):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{words} {name}")
        else:
            yield f"{words} {name}", command
