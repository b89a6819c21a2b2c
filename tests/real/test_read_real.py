"""What the shell text that reads files says of files, links and folders that it may not look into, in three shells."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from namespaces import need

from auditor.framing.sh import READ
from auditor.model import Output
from auditor.readers.files import Files, read

pytestmark = pytest.mark.root
SHELLS = pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
MIB = 1048576


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that anybody may look into, wherever the tests keep theirs; it stays so, as other workers do the same."""
    need("setpriv", "busybox")
    for place in (tmp_path, *tmp_path.parents):
        mode = place.stat().st_mode
        if mode & 0o055 != 0o055 and place.stat().st_uid == os.geteuid():
            place.chmod(mode | 0o055)
    return tmp_path


def as_nobody(shell: str, *globs: object) -> Files:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    ran = subprocess.run([*nobody, *shell.split(), "-c", READ, "sh", *map(str, globs)], capture_output=True, check=True)
    assert ran.stderr == b""
    return read(Output(0, ran.stdout, b"", 0.0))


@SHELLS
def test_a_link_that_leads_where_we_may_not_look_is_a_gap(folder: Path, shell: str) -> None:
    closed = folder / "closed"
    closed.mkdir()
    (closed / "x").write_text("x")
    (folder / "direct").symlink_to(closed / "x")
    (folder / "twice").symlink_to("direct")
    (folder / "through").symlink_to(closed)
    (folder / "round").symlink_to("round")
    closed.chmod(0o700)
    for name in ("direct", "twice", "through/x", "through/*.conf", "round"):
        got = as_nobody(shell, folder / name)
        assert (got.texts, len(got.denied)) == ({}, 1), name
        assert got.gap


@SHELLS
def test_a_link_that_leads_nowhere_is_not_there(folder: Path, shell: str) -> None:
    (folder / "nowhere").symlink_to(folder / "gone" / "file")
    (folder / "sideways").symlink_to("gone")
    (folder / "again").symlink_to("sideways")
    (folder / "sub").mkdir()
    got = as_nobody(
        shell, *(folder / n for n in ("nowhere", "sideways", "again", "absent", "sideways/x", "sub", "*.conf"))
    )
    assert got == Files({}, ())


@SHELLS
def test_a_file_is_read_through_its_link_and_whole_or_not_at_all(folder: Path, shell: str) -> None:
    (folder / "exactly").write_text("a" * (MIB - 1) + "\n")
    (folder / "longer").write_text("a" * MIB + "\n")
    (folder / "link").symlink_to("small")
    (folder / "small").write_text("a\n\n")
    (folder / "denied").write_text("a")
    (folder / "denied").chmod(0o600)
    got = as_nobody(shell, folder / "*")
    assert {Path(n).name: len(t) for n, t in got.texts.items()} == {"exactly": MIB, "link": 3, "small": 3}
    assert [Path(n).name for n in got.denied] == ["denied", "longer"]
