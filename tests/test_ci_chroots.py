"""Roles that others publish, played by ansible-playbook in chroots of real servers, and judged: the very commands of contrib/ci."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pipeline
import pytest
from conftest import lacking
from pipeline import ROOT, commit, git
from proposals import Came, Remote

pytestmark = [pytest.mark.timeout(900), pytest.mark.root, pytest.mark.xdist_group("chroots")]

MADE = Path("/opt/auditor-tests/chroot")  # by servers.sh
ROLES = ("ansible_plugins", "global_handlers", "secret", "sudo", "sshd")
# As a container: what a play starts ends with it, and reaches nobody.
ALONE = ("unshare", "-m", "-n", "-p", "-f", "--kill-child", "--mount-proc")
HOSTS = ("web01", "log01")
SETTINGS = "group_vars/servers.yml"


def published(folder: Path) -> None:
    """The collection of these roles in `folder`, as the package has it."""
    package = importlib.util.find_spec("debops")
    assert package and package.origin
    source = Path(package.origin).parent / "_data/ansible/collections/ansible_collections/debops/debops"
    for name in ("galaxy.yml", "meta", "plugins", *(f"roles/{role}" for role in ROLES)):
        target = folder / "ansible_collections/debops/debops" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (source / name).is_dir() else shutil.copy)(source / name, target)


@pytest.fixture(scope="module")
def main_branch(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str]) -> Remote:
    """The roles and their settings, with the audit of what they make committed: nobody has two factors yet."""
    if not (MADE / ".made").exists():
        lacking(f"needs {MADE} (tests/servers.sh makes it)")
    program("unshare")
    folder = tmp_path_factory.mktemp("chroots")
    settings = {"BASE": str(MADE / "base.tar"), "ANSIBLE_COLLECTIONS_PATH": str(MADE), "ANSIBLE_PIPELINING": "1"}
    remote = Remote(folder / "remote", {**pipeline.programs(folder / "bin"), **settings}, ALONE)
    published(remote.folder / "collections")
    pipeline.roles(remote.folder, "chroots", "chroots.sh")
    done = remote.do((ROOT / "contrib/ci/reference.sh").read_text("utf-8"), remote.folder, inside=ALONE)
    assert done.returncode == 0, done.stdout + done.stderr
    findings = json.loads((remote.folder / "reference.json").read_text("utf-8"))["findings"]
    told = {(f["subject"]["id"], f["control"]): f["outcome"] for f in findings}
    expected = {"root-stays-out": {"web01"}, "sudo-asks": {"web01", "log01"}, "two-factors": set()}
    assert {c: {h for h in HOSTS if told[h, c] == "pass"} for c in expected} == expected
    assert set(told.values()) == {"pass", "fail"}
    commit(remote.folder, "The audit of the main branch")
    return remote


def changed(main_branch: Remote, below: Path, system: str, *edits: tuple[str, str]) -> tuple[Came, Came]:
    """What GitHub makes of a change of the settings; and what another system makes of what the same play handed over."""
    git(below, "clone", "--quiet", str(main_branch.folder), str(below / "remote"))
    remote = Remote(below / "remote", main_branch.environment, main_branch.inside)
    text = (remote.folder / SETTINGS).read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    remote.propose(below / "work", **{SETTINGS: text})
    came = remote.run("github", below)
    assert came.said.count("failed=0") == len(HOSTS), came.said
    return came, remote.run(system, below, handed=below / "github0" / pipeline.jobs()[system][0].hands_over)


def test_a_bad_change_of_the_settings_is_stopped_at_the_lines_that_the_roles_made(
    main_branch: Remote, tmp_path: Path
) -> None:
    let_in = ("PermitRootLogin\n    value: false", "PermitRootLogin\n    value: true  # until the new bastion is there")
    came = changed(main_branch, tmp_path, "gitlab", let_in, ("(ALL:ALL) ALL", "(ALL:ALL) NOPASSWD: ALL"))
    for one in came:
        assert one.code == 1, one.said
        assert "touches nothing of it" in one.said
    _said_by_github(came[0])
    _said_by_gitlab(came[1])


SSH = "etc/ssh/sshd_config", "PermitRootLogin yes"
SUDO = "etc/sudoers.d/operators", "%operators ALL=(ALL:ALL) NOPASSWD: ALL"
BAD_LINES = {("root-stays-out", "web01"): SSH, ("sudo-asks", "web01"): SUDO, ("sudo-asks", "log01"): SUDO}
OLD = {("root-stays-out", "log01"), ("two-factors", "web01"), ("two-factors", "log01")}


def _said_by_github(came: Came) -> None:
    (one,) = came.document("auditor.sarif")["runs"]
    assert one["invocations"][0]["executionSuccessful"] is True
    results = {(r["ruleId"], r["locations"][0]["logicalLocations"][0]["name"]): r for r in one["results"]}
    assert {key for key, r in results.items() if r["baselineState"] == "new"} == set(BAD_LINES)
    for (control, host), (path, line) in BAD_LINES.items():
        place = results[control, host]["locations"][0]["physicalLocation"]
        at = place["artifactLocation"]["uri"]
        assert at == f"rendered/build/{host}/{path}"
        assert came.line(at, place["region"]["startLine"]) == line


def _said_by_gitlab(came: Came) -> None:
    told = came.junit()
    entries = {
        (e["check_name"], e["description"].partition(":")[0]): e["location"] for e in came.document("codequality.json")
    }
    for (control, host), (path, line) in BAD_LINES.items():
        at = entries[control, host]
        assert at["path"] == f"rendered/build/{host}/{path}"
        assert came.line(at["path"], at["lines"]["begin"]) == line
        assert ": new\n" in told[host, control]
        assert f"{at['path']}:{at['lines']['begin']}" in told[host, control]


def test_a_good_change_of_the_settings_passes_whatever_was_wrong_before(main_branch: Remote, tmp_path: Path) -> None:
    stricter = ("sshd__configuration:\n", "sshd__configuration:\n  - name: LoginGraceTime\n    value: 30\n")
    by_turns = ("# who keeps the servers", "# who keeps them, by turns")
    github, jenkins = changed(main_branch, tmp_path, "jenkins", stricter, by_turns)
    for one in (github, jenkins):
        assert one.code == 0, one.said
    (run,) = github.document("auditor.sarif")["runs"]
    found = {
        (r["ruleId"], r["locations"][0]["logicalLocations"][0]["name"]): r["baselineState"] for r in run["results"]
    }
    assert found == dict.fromkeys(OLD, "unchanged"), "last year's debt is told, and does not gate"
    assert set(jenkins.junit()) == {(host, control) for control, host in OLD}
    made = jenkins.folder / "rendered/build/web01/etc"
    assert "\nLoginGraceTime 30\n" in (made / "ssh/sshd_config").read_text("utf-8")
    assert "# who keeps them, by turns\n" in (made / "sudoers.d/operators").read_text("utf-8")
