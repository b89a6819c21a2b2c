"""The installer of the bundle says what is wrong with a machine, and leaves it alone; what the bundle tells of its wheels."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from make import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import bundle

TOOLS = ("sh", "dirname", "readlink", "sha256sum", "mktemp", "mkdir", "rm", "rmdir")
# A python3 that is what the test says; VENV and LIBC are words of the test.
PYTHON = """#!/bin/sh
case $2 in
  *version_info*) echo {version} ;;
  *ensurepip*) exit {venv} ;;
  *) exec {real} "$@" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """Programs that the installer finds, its unpacked folder and the home of who runs it."""

    folder: Path

    def pack(self, **told: str) -> None:
        """A bundle without wheels, for this machine but for what is told."""
        target = self.folder / "bundle"
        target.mkdir()
        shutil.copy(ROOT / "tools" / "install.sh", target)
        env = {"for_python": "3.11", "for_machine": os.uname().machine, "for_glibc": "2.5", **told}
        (target / "bundle.env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
        (target / "requirements.txt").write_text("")
        sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in target.iterdir()}
        (target / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))

    def python(self, version: str, name: str = "python3", venv: bool = True) -> None:
        stub = self.folder / "bin" / name
        stub.write_text(PYTHON.format(version=version, venv=int(not venv), real=sys.executable))
        stub.chmod(0o755)

    def install(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "bin" / "sh", self.folder / "bundle" / "install.sh", *words],
            env={"PATH": str(self.folder / "bin"), "HOME": str(self.folder / "home")},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def refuses(self, *says: str) -> None:
        """It ends with 2, says so, and has put nothing anywhere."""
        done = self.install()
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        for words in says:
            assert words in done.stderr
        assert not list((self.folder / "home").rglob("venv*"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name in ("bin", "home"):
        (tmp_path / name).mkdir()
    for name in TOOLS:
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    uname = tmp_path / "bin" / "uname"
    uname.write_text(f"#!/bin/sh\necho Linux {os.uname().machine}\n")
    uname.chmod(0o755)
    return Machine(tmp_path)


def test_no_python(machine: Machine) -> None:
    machine.pack()
    machine.refuses("there is no python3: install Python 3.11, and its venv module")


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.10"])
def test_a_python_that_is_too_old(machine: Machine, version: str) -> None:
    machine.pack()
    machine.python(version)
    machine.refuses(f"python3 is Python {version}, and auditor needs 3.11 or newer", "install python3.11 beside it")


def test_a_python_that_the_wheels_are_not_for(machine: Machine) -> None:
    machine.pack()
    machine.python("3.13")
    machine.refuses("this bundle is for Python 3.11, and python3 is Python 3.13", "made with Python 3.13")


def test_the_right_python_beside_an_older_one_is_found(machine: Machine) -> None:
    """It gets as far as the next question."""
    machine.pack()
    machine.python("3.9")
    machine.python("3.11", "python3.11", venv=False)
    machine.refuses("python3.11 has no venv module: on Debian and Ubuntu, apt install python3.11-venv")


def test_another_machine(machine: Machine) -> None:
    machine.pack(for_machine="riscv64")
    machine.refuses("this bundle is for Linux riscv64, and this is Linux")


def test_an_older_c_library(machine: Machine) -> None:
    machine.pack(for_glibc="99.1")
    machine.python("3.11")
    machine.refuses("this bundle needs glibc 99.1 or newer, and this system has glibc 2.")


@pytest.mark.parametrize("lost", [False, True], ids=["changed", "lost"])
def test_a_damaged_archive(machine: Machine, lost: bool) -> None:
    machine.pack()
    machine.python("3.11")
    file = machine.folder / "bundle" / "requirements.txt"
    file.unlink() if lost else file.write_text("evil")
    machine.refuses("requirements.txt: FAILED", "this folder is not what was packed")


@pytest.mark.parametrize("name", [".local/bin/auditor", ".local/share/man/man1/auditor.1", ".local/share/auditor/venv"])
def test_what_others_put_there_stays(machine: Machine, name: str) -> None:
    """Installing refuses, uninstalling leaves it."""
    machine.pack()
    machine.python("3.11")
    path = machine.folder / "home" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    done = machine.install()
    assert done.returncode == 2
    assert f"{path} is there already, and is not of this installer: move it away" in done.stderr
    machine.install("--uninstall")
    assert path.read_text() == "mine"


def test_an_unknown_word(machine: Machine) -> None:
    machine.pack()
    done = machine.install("--prefix=/opt")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "unknown: --prefix=/opt (nothing to install, or --uninstall)" in done.stderr


@pytest.mark.parametrize(
    ("wheel", "oldest"),
    [
        ("click-8.5.1-py3-none-any.whl", (2, 5)),
        ("bcrypt-5.0.0-cp39-abi3-manylinux_2_34_x86_64.whl", (2, 34)),
        ("cffi-2.1.1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", (2, 17)),
        ("regex-1-cp311-cp311-manylinux_2_28_x86_64.manylinux1_x86_64.whl", (2, 5)),
    ],
)
def test_the_c_library_that_a_wheel_needs(wheel: str, oldest: tuple[int, int]) -> None:
    assert bundle.glibc(wheel) == oldest


def test_every_wheel_is_pinned_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "junit_xml-1.9-py2.py3-none-any.whl").write_bytes(b"wheel")
    digest = hashlib.sha256(b"wheel").hexdigest()
    assert bundle.requirements(tmp_path.iterdir()) == f"junit-xml==1.9 --hash=sha256:{digest}\n"
