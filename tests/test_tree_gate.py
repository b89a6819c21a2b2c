"""A gate on one host's files, through the command itself: which changes it stops, with which code, and at which line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from documents import written
from test_tree_antivirus import CLAMD, FRESHCLAM, LEARNS, LINKS, SETTINGS
from test_tree_backups import BACKUP, DAILY, LINK, OFF_SITE, SERVICE, TIMER
from test_tree_dialects import made, probe
from test_tree_doors import OPENVPN, SERVER, WITH_A_CODE, changed

from auditor.cli import main

ESTATE = """entities: [{id: TOWN, name: Town}]
auditing_entity: TOWN
perimeters: [{id: town, owner: TOWN, kind: shared}]
hosts:
  web01: {perimeter: town}
  off.example: {perimeter: town, roles: [backup-offsite]}
"""
HOSTS = "all: {hosts: {web01: {}, off.example: {ansible_host: 192.0.2.9}}}\n"
TREE = {
    **WITH_A_CODE, **LINKS, CLAMD: SETTINGS, FRESHCLAM: LEARNS, "etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
    TIMER: DAILY, SERVICE: BACKUP, LINK: "->../restic.timer", "etc/restic/srv.env": OFF_SITE,
}  # fmt: skip
OURS = (
    "remote-doors-two-factors", "antivirus-settings-watch", "antivirus-settings-update", "antivirus-settings-leave-nothing-out",
    "backup-scheduled-daily", "backup-scheduled-off-site",
)  # fmt: skip


SHIPPED = Path(__file__).parent.parent / "policies/convention"


def shipped(folder: Path) -> None:
    """The controls that this is about, as they are shipped, and the measures."""
    folder.mkdir()
    shutil.copy(SHIPPED / "measures.yaml", folder)
    for name in ("backup", "identity", "protection"):
        policy = written((SHIPPED / f"{name}.yaml").read_text("utf-8"))
        policy["controls"] = [c for c in policy["controls"] if c["id"] in OURS]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(policy), "utf-8")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree that all is well with, and the audit of it."""
    (tmp_path / "town").mkdir()
    (tmp_path / "town/estate.yaml").write_text(ESTATE)
    (tmp_path / "town/hosts.yaml").write_text(HOSTS)
    made(tmp_path / "web01", **TREE)
    shipped(tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    assert gate("--fail-on", "never", "-f", "json=reference.json") == 0
    return tmp_path


def gate(*more: str) -> int:
    words = ["run", "policies", "-i", "town", "--tree", "web01=web01", "--store", "none", *more]
    return CliRunner().invoke(main, words).exit_code


def judged() -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code of the gate, and the findings of the controls that this is about."""
    code = gate("--against", "reference.json", "-f", "json=report.json")
    found = json.loads(Path("report.json").read_text("utf-8"))["findings"]
    return code, {f["control"]: f for f in found if f["control"] in OURS}


def test_what_is_well_is_told_and_nothing_is_stopped(work: Path) -> None:
    code, found = judged()
    assert code == 0
    assert {name: f["outcome"] for name, f in found.items()} == {
        **dict.fromkeys(OURS, "pass"), "remote-doors-two-factors": "unknown",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "control", "place"),
    [
        ({SERVER: OPENVPN.replace("plugin", "# plugin")}, "remote-doors-two-factors", f"{SERVER}:2"),
        ({CLAMD: SETTINGS.replace("Prevention yes", "Prevention no")}, "antivirus-settings-watch", f"{CLAMD}:4"),
        ({CLAMD: SETTINGS + "OnAccessExcludePath /srv\n"}, "antivirus-settings-leave-nothing-out", f"{CLAMD}:7"),
        ({FRESHCLAM: LEARNS.replace("24", "0")}, "antivirus-settings-update", f"{FRESHCLAM}:2"),
        ({TIMER: DAILY.replace("daily", "weekly")}, "backup-scheduled-daily", f"{TIMER}:2"),
        ({TIMER: "->/dev/null"}, "backup-scheduled-daily", TIMER),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=/var/b\n"}, "backup-scheduled-off-site", "etc/restic/srv.env:1"),
    ],
)  # fmt: skip
def test_a_bad_change_is_stopped_at_its_line(work: Path, change: Mapping[str, str], control: str, place: str) -> None:
    changed(work / "web01", **change)
    code, found = judged()
    assert (code, found[control]["outcome"], found[control]["change"]) == (1, "fail", "new")
    assert f"web01/{place}" in [p for reason in found[control]["reasons"] for p in reason["places"]]


@pytest.mark.parametrize(
    ("gone", "control"),
    [
        (LINK, "backup-scheduled-daily"),
        (TIMER, "backup-scheduled-daily"),
        ("etc/restic/srv.env", "backup-scheduled-off-site"),
        (CLAMD, "antivirus-settings-watch"),
        (FRESHCLAM, "antivirus-settings-update"),
    ],
)
def test_leaving_it_out_is_no_way_to_pass(work: Path, gone: str, control: str) -> None:
    (work / "web01" / gone).unlink()
    code, found = judged()
    assert (code, found[control]["outcome"]) == (3, "unknown")


@pytest.mark.parametrize(
    ("change", "control"),
    [
        ({"etc/fstab": "/dev/sda1 / ext4\n/srv/x /etc/clamav none bind\n"}, "antivirus-settings-watch"),
        ({"etc/tmpfiles.d/x.conf": "L+ /etc/clamav/freshclam.conf - - - - /srv/x\n"}, "antivirus-settings-update"),
        ({"etc/default/grub": "GRUB_CMDLINE_LINUX=systemd.mask=restic.timer\n"}, "backup-scheduled-daily"),
        ({"etc/rc.local": "#!/bin/sh\necho RESTIC_REPOSITORY=/b > /etc/restic/srv.env\n"}, "backup-scheduled-off-site"),
    ],
)  # fmt: skip
def test_what_only_the_start_of_the_system_changes_is_stopped_too(
    work: Path, change: Mapping[str, str], control: str
) -> None:
    changed(work / "web01", **change)
    code, found = judged()
    assert (code, found[control]["outcome"]) == (3, "unknown")
    assert gate() == 3


def test_a_good_change_passes(work: Path) -> None:
    changed(work / "web01", **{TIMER: DAILY.replace("daily", "*-*-* 02,14:30"), CLAMD: SETTINGS + "LogTime yes\n"})
    code, found = judged()
    assert (code, found["backup-scheduled-daily"]["outcome"]) == (0, "pass")


@pytest.mark.parametrize("name", ["antivirus_settings", "backup_jobs"])
def test_nothing_of_it_is_asked_of_a_host_that_runs(name: str) -> None:
    assert not probe(name).dialects
    assert "linux" in probe(name).trees
