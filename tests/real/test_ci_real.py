"""A change of a configuration repository, good or bad, through the very commands that docs/ci.md has CI systems run.

The play is a real one, applied by ansible-playbook to the files of a machine that only the test sees; the real sshd judges them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pipeline
import pytest
from conftest import lacking
from lxml import etree

from tests.real import namespaces
from tests.real.test_ssh_logins_real import GROUP, MAIN, PAM_WITHOUT, PASSWD, SUDOERS

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("ci")]

# $1: the files of the machine; then the commands, each as a CI system starts it. Prints what each came to, ends at the first that fails.
INSIDE = """set -e
mount --make-rprivate /
machine=$1
shift
mount -t tmpfs none /run
mkdir -p /run/sshd /run/root
for f in ssh/sshd_config ssh/sshd_config.d pam.d/sshd passwd group sudoers sudoers.d; do mount --bind "$machine/etc/$f" "/etc/$f"; done
mount --bind "$machine/root" /run/root
for command; do
  set +e
  sh -e -c "$command"
  code=$?
  set -e
  echo "exit $code: $command"
  [ "$code" = 0 ] || exit "$code"
done
"""
FILES = {
    "etc/ssh/sshd_config": MAIN,
    "etc/ssh/sshd_config.d/README": "",
    "etc/pam.d/sshd": PAM_WITHOUT,
    "etc/passwd": PASSWD,
    "etc/group": GROUP,
    "etc/sudoers": SUDOERS,
    "etc/sudoers.d/README": "#\n",
    "root/.profile": "",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A repository whose main branch is audited, the machine that its play sets up, and what is on the PATH."""

    repository: Path
    machine: Path
    environment: Mapping[str, str]

    def run(self, *commands: str) -> subprocess.CompletedProcess[str]:
        namespace = ["unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork", "--mount-proc"]
        return subprocess.run(
            [*namespace, "sh", "-c", INSIDE, "sh", str(self.machine), *commands],
            cwd=self.repository,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    def change(self, path: str, old: str, new: str) -> None:
        """A commit that replaces `old` by `new`."""
        file = self.repository / path
        text = file.read_text("utf-8")
        assert text.count(old) == 1
        file.write_text(text.replace(old, new), "utf-8")
        pipeline.commit(self.repository, f"{path}: {new}")

    def document(self, name: str) -> Any:
        return json.loads((self.repository / name).read_text("utf-8"))

    def line(self, path: str, number: int) -> str:
        return (self.repository / path).read_text("utf-8").splitlines()[number - 1]


@pytest.fixture(scope="module")
def main_branch(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The repository with the audit of its main branch committed: root stays out, nobody has two factors yet."""
    if os.geteuid() != 0:
        lacking("this needs root")
    namespaces.need("git", "sshd" if shutil.which("sshd") else "/usr/sbin/sshd")
    folder = tmp_path_factory.mktemp("ci")
    site = Site(folder / "repository", folder / "machine", pipeline.programs(folder / "bin"))
    pipeline.repository(site.repository)
    for path, text in FILES.items():
        (site.machine / path).parent.mkdir(parents=True, exist_ok=True)
        (site.machine / path).write_text(text)
    (site.machine / "etc/sudoers").chmod(0o440)
    done = site.run("sh reference.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    told = {f["control"]: f["outcome"] for f in site.document("reference.json")["findings"]}
    assert told == {"root-stays-out": "pass", "two-factors": "fail"}
    pipeline.commit(site.repository, "The audit of the main branch")
    return site


@pytest.fixture
def site(main_branch: Site, tmp_path: Path) -> Site:
    """A clone for one change, and a machine for it alone."""
    pipeline.git(main_branch.repository, "clone", "--quiet", str(main_branch.repository), str(tmp_path / "repository"))
    shutil.copytree(main_branch.machine, tmp_path / "machine", symlinks=True)
    return Site(tmp_path / "repository", tmp_path / "machine", main_branch.environment)


def _bad(site: Site) -> None:
    site.change("roles/sshd/defaults/main.yml", 'sshd_permit_root_login: "no"', 'sshd_permit_root_login: "yes"')


@pytest.mark.parametrize("system", ["gitlab", "github", "jenkins"])
def test_a_bad_change_is_stopped_and_said_at_its_place(site: Site, system: str) -> None:
    _bad(site)
    commands = pipeline.pipelines()[system]
    done = site.run(*commands)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"exit 0: {commands[0]}" in done.stdout and f"exit 0: {commands[1]}" in done.stdout
    assert "PermitRootLogin yes" in (site.machine / "etc/ssh/sshd_config.d/10-baseline.conf").read_text()
    {"gitlab": _said_by_gitlab, "github": _said_by_github, "jenkins": _said_by_jenkins}[system](site)


def _said_by_gitlab(site: Site) -> None:
    entries = {e["check_name"]: e for e in site.document("codequality.json")}
    assert set(entries) == {"root-stays-out", "two-factors"}
    entry = entries["root-stays-out"]
    assert entry["severity"] == "critical"
    assert entry["description"].startswith("web01: root does not log in over SSH: ")
    assert entry["location"]["path"] == "policies/ssh.yaml"
    assert "- id: root-stays-out" in site.line("policies/ssh.yaml", entry["location"]["lines"]["begin"])
    _said_by_jenkins(site)


def _said_by_github(site: Site) -> None:
    (one,) = site.document("auditor.sarif")["runs"]
    results = {r["ruleId"]: r for r in one["results"]}
    assert {name: r["baselineState"] for name, r in results.items()} == {
        "root-stays-out": "new",
        "two-factors": "updated",
    }
    place = results["root-stays-out"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policies/ssh.yaml"
    assert "- id: root-stays-out" in site.line("policies/ssh.yaml", place["region"]["startLine"])
    assert one["automationDetails"]["id"].startswith("auditor/inventory/policies/")
    assert one["invocations"][0]["executionSuccessful"] is True


def _said_by_jenkins(site: Site) -> None:
    failures = etree.parse(site.repository / "junit.xml").iter("failure")
    told = {failure.getparent().get("name"): failure.text for failure in failures}
    assert ": new\n" in told["root-stays-out"]
    assert ": worsened\n" in told["two-factors"], "root is one more that gets in with one factor"


def test_a_good_change_passes_whatever_was_wrong_before(site: Site) -> None:
    site.change("roles/sshd/defaults/main.yml", "sshd_login_grace_time: 120", "sshd_login_grace_time: 30")
    last = pipeline.pipelines()
    done = site.run(*last["gitlab"], last["github"][-1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LoginGraceTime 30" in (site.machine / "etc/ssh/sshd_config.d/10-baseline.conf").read_text()
    assert [e["check_name"] for e in site.document("codequality.json")] == ["two-factors"]
    (one,) = site.document("auditor.sarif")["runs"]
    assert [(r["ruleId"], r["baselineState"]) for r in one["results"]] == [("two-factors", "unchanged")]
    (failure,) = etree.parse(site.repository / "junit.xml").iter("failure")
    assert ": nothing changed\n" in failure.text


def test_a_change_that_sshd_does_not_take_is_stopped(site: Site) -> None:
    """Nobody can tell who gets in: that is no pass."""
    site.change("roles/sshd/templates/10-baseline.conf.j2", "LoginGraceTime ", "LoginGraceThyme ")
    done = site.run(*pipeline.pipelines()["gitlab"])
    assert done.returncode in (1, 3), done.stdout + done.stderr
    assert "root-stays-out" in {e["check_name"] for e in site.document("codequality.json")}


def test_a_wrong_policy_is_stopped_before_anything_is_applied(site: Site) -> None:
    site.change("policies/ssh.yaml", "root_logins:", "root_login:")
    done = site.run(*pipeline.pipelines()["gitlab"])
    assert done.returncode == 2
    assert "policies/ssh.yaml:12:7: unknown key 'root_login'" in done.stdout
    assert "ansible-playbook" not in done.stdout
    assert not (site.repository / "codequality.json").exists()
