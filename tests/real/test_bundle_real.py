"""The bundle, made of this tree, installed by a user who is not root on a machine without any network."""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import lacking

from auditor import __version__
from tests.real.namespaces import ROOT, need

pytestmark = [pytest.mark.root, pytest.mark.timeout(300), pytest.mark.xdist_group("bundle")]
NOBODY = pwd.getpwnam("nobody")
MINOR = "python{}.{}".format(*sys.version_info[:2])


@dataclass(frozen=True, slots=True)
class Town:
    """A home that nobody owns, and what it can run: nothing reaches further than this machine, not even its loopback."""

    folder: Path
    path: str

    @property
    def home(self) -> Path:
        return self.folder / "a home"

    @property
    def temporary(self) -> Path:
        """Its own: some machines let nobody but root write into `/tmp`."""
        return self.folder / "tmp"

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        path = f"{self.home}/.local/bin:{self.path}"
        done = subprocess.run(
            ["unshare", "-n", "setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]
            + ["env", "-i", f"HOME={self.home}", f"TMPDIR={self.temporary}", f"PATH={path}", "LANG=C.UTF-8", *words],
            cwd=self.folder, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done


@pytest.fixture
def town() -> Iterator[Town]:
    need("setpriv", "man")
    places = [p for p in ("/usr/bin", f"{sys.base_prefix}/bin") if Path(p, MINOR).exists()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for place in places:
            town = Town(folder, f"{place}:/usr/bin:/bin")
            for own in (town.home, town.temporary):
                own.mkdir(exist_ok=True)
                os.chown(own, NOBODY.pw_uid, NOBODY.pw_gid)
            try:
                town.run(MINOR, "-c", "import venv, ensurepip")
            except AssertionError:
                continue
            yield town
            return
    lacking(f"this needs a {MINOR} with venv that others than root can run (tests/servers.sh installs Debian's)")


def bundle(out: Path) -> Path:
    made = subprocess.run(
        [sys.executable, ROOT / "tools" / "bundle.py", out], capture_output=True, text=True, timeout=200
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return Path(made.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("dist"))


def test_a_bundle_installs_audits_upgrades_and_goes_away(archive: Path, town: Town) -> None:
    named, _, file = archive.with_name(f"{archive.name}.sha256").read_text().strip().partition("  ")
    assert (named, file) == (hashlib.sha256(archive.read_bytes()).hexdigest(), archive.name)
    with tarfile.open(archive) as packed:
        packed.extractall(town.folder, filter="data")
    (folder,) = town.folder.glob("auditor-*")

    assert len(town.run("cat", "/proc/net/route").stdout.splitlines()) <= 1
    assert f"version {__version__}" in town.run("sh", f"{folder}/install.sh").stdout
    base, link = town.home / ".local/share/auditor", town.home / ".local/bin/auditor"
    first = os.readlink(base / "venv")
    assert town.run("auditor", "--version").stdout == f"auditor, version {__version__}\n"
    assert town.run("man", "-w", "auditor").stdout.strip().endswith("/auditor.1")
    ran = town.run("sh", "-c", "auditor run --lang en; echo $?").stdout
    assert ran.rstrip().splitlines()[-1] in "013", ran
    assert "1 expected, 1 reached, 1 measured" in ran

    town.run("sh", f"{folder}/install.sh")
    assert os.readlink(base / "venv") != first
    assert {p.name for p in base.glob("venv-*")} == {first, os.readlink(base / "venv")}  # an audit may still run there
    assert town.run("auditor", "list", "runs").stdout.startswith("1\t")

    wheel = next(folder.glob("wheelhouse/click-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"!")
    second = os.readlink(base / "venv")
    assert f"{wheel.name}: FAILED" in town.run("sh", f"{folder}/install.sh", code=2).stderr
    sums = folder / "SHA256SUMS"  # whoever changes the sums too still meets pip's own
    lines = [line for line in sums.read_text().splitlines() if wheel.name not in line]
    sums.write_text("\n".join([*lines, f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  wheelhouse/{wheel.name}\n"]))
    assert "DO NOT MATCH THE HASHES" in town.run("sh", f"{folder}/install.sh", code=1).stderr
    assert os.readlink(base / "venv") == second
    assert len(list(base.glob("venv-*"))) == 2
    town.run("auditor", "--version")

    said = town.run("sh", f"{folder}/install.sh", "--uninstall").stdout
    assert said == f"auditor is uninstalled; its runs are kept in {base}\n"
    assert not os.path.lexists(link)
    left = sorted(p.relative_to(town.home).as_posix() for p in town.home.rglob("*") if not p.is_dir())
    assert [p for p in left if not p.startswith(".local/share/auditor/runs.db")] == []
    assert left


def test_the_same_tree_gives_the_same_bundle(archive: Path, tmp_path: Path) -> None:
    assert bundle(tmp_path).read_bytes() == archive.read_bytes()
