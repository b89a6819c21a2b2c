"""Changes of roles, and of what judges them, through the very commands of contrib/ci: each job in a checkout of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pipeline
import pytest
from lxml import etree
from pipeline import ROOT, commit, git
from proposals import Came, Remote

# A play is a dozen programs a host; the main branch is played once.
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("trees")]

DROP_IN = "roles/sshd/templates/00-urgent.conf.j2"
DROPPED_IN = "etc/ssh/sshd_config.d/00-urgent.conf"
BAD = "# until the new bastion is there\nPermitRootLogin yes\nPasswordAuthentication yes\n"


@pytest.fixture(scope="module")
def main_branch(tmp_path_factory: pytest.TempPathFactory) -> Remote:
    """The roles, with the audit of them committed: root stays out, nobody has two factors yet."""
    folder = tmp_path_factory.mktemp("trees")
    remote = Remote(folder / "remote", pipeline.programs(folder / "bin"))
    pipeline.roles(remote.folder)
    script = (ROOT / "contrib/ci/reference.sh").read_text("utf-8")
    done = remote.do(script, remote.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    findings = json.loads((remote.folder / "reference.json").read_text("utf-8"))["findings"]
    told = {(f["subject"]["id"], f["control"]): f["outcome"] for f in findings}
    assert told == {
        (h, c): o for h in ("web01", "log01") for c, o in (("root-stays-out", "pass"), ("two-factors", "fail"))
    }
    commit(remote.folder, "The audit of the main branch")
    return remote


@pytest.fixture(scope="module")
def badly(main_branch: Remote, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the bad change hands over to be judged."""
    below = tmp_path_factory.mktemp("badly")
    git(below, "clone", "--quiet", str(main_branch.folder), str(below / "remote"))
    remote = Remote(below / "remote", main_branch.environment)
    remote.propose(below / "work", **{DROP_IN: BAD})
    assert remote.run("gitlab", below).code == 1
    return below / "gitlab0/build.tar"


@pytest.fixture
def remote(main_branch: Remote, tmp_path: Path) -> Remote:
    git(tmp_path, "clone", "--quiet", str(main_branch.folder), str(tmp_path / "remote"))
    return Remote(tmp_path / "remote", main_branch.environment)


def test_a_bad_change_is_stopped_at_the_line_that_is_bad_by_gitlab(remote: Remote, badly: Path, tmp_path: Path) -> None:
    remote.propose(tmp_path / "work", **{DROP_IN: BAD})
    _said_by_gitlab(_stopped(remote, "gitlab", tmp_path, badly))


def test_a_bad_change_is_stopped_at_the_line_that_is_bad_by_jenkins(remote: Remote, tmp_path: Path) -> None:
    remote.propose(tmp_path / "work", **{DROP_IN: BAD})
    _said_by_jenkins(_stopped(remote, "jenkins", tmp_path))


def _stopped(remote: Remote, system: str, below: Path, handed: Path | None = None) -> Came:
    came = remote.run(system, below, handed=handed)
    assert came.code == 1, came.said
    assert "touches nothing of it" in came.said
    return came


def _said_by_gitlab(came: Came) -> None:
    entries = {
        e["description"].partition(":")[0]: e
        for e in came.document("codequality.json")
        if e["check_name"] == "root-stays-out"
    }
    assert set(entries) == {"web01", "log01"}
    for host, entry in entries.items():
        at = entry["location"]
        assert at["path"] == f"rendered/build/{host}/etc/ssh/sshd_config.d/00-urgent.conf"
        assert came.line(at["path"], at["lines"]["begin"]) == "PermitRootLogin yes"
        assert entry["severity"] == "critical"
    assert len({e["fingerprint"] for e in came.document("codequality.json")}) == 4
    _said_by_jenkins(came)


def _said_by_jenkins(came: Came) -> None:
    told = came.junit()
    for host in ("web01", "log01"):
        assert ": new\n" in told[host, "root-stays-out"]
        assert f"build/{host}/etc/ssh/sshd_config.d/00-urgent.conf:2" in told[host, "root-stays-out"]
        assert ": worsened\n" in told[host, "two-factors"], "a password alone gets root in too"


def test_an_entry_is_the_same_from_change_to_change(remote: Remote, badly: Path, tmp_path: Path) -> None:
    """Two changes whose bad line stands elsewhere: one alert, not two."""
    remote.propose(tmp_path / "work", **{DROP_IN: BAD})
    shutil.unpack_archive(badly, tmp_path, filter="tar")
    prints = []
    for turn in range(2):
        (tmp_path / str(turn)).mkdir()
        shutil.make_archive(str(tmp_path / "build"), "tar", tmp_path, "build")
        came = remote.run("gitlab", tmp_path / str(turn), handed=tmp_path / "build.tar")
        entries = came.document("codequality.json")
        prints.append({(e["check_name"], e["fingerprint"]) for e in entries})
        lines = {e["location"]["lines"]["begin"] for e in entries if e["check_name"] == "root-stays-out"}
        assert lines == {2 + 2 * turn}
        for host in ("web01", "log01"):
            (tmp_path / "build" / host / DROPPED_IN).write_text("\n\n" + BAD)
    assert prints[0] == prints[1] and len(prints[0]) == 4


LAX = ("possible: {equals: false}", "possible: {equals: true}")


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("policies/ssh.yaml", *LAX, "control changed: root-stays-out (expect)"),
        ("policies/ssh.yaml", "revision: 1\n    title: {en: root", "revision: 2\n    title: {en: root", "(revision)"),
        ("policies/ssh.yaml", "id: root-stays-out", "id: root-stays-away", "control removed: root-stays-out"),
        ("policies/ssh.yaml", "severity: high", "severity: low", "control changed: root-stays-out (severity)"),
        ("inventory/hosts.yaml", "ansible_host: 192.0.2.11", "ansible_host: 192.0.2.99", "host changed: web01"),
        ("reference.json", '"outcome": "pass"', '"outcome": "fail"', "reference changed: reference.json"),
    ],
)
def test_a_change_that_edits_what_judges_it_is_stopped_and_says_so_first(
    remote: Remote, badly: Path, tmp_path: Path, path: str, old: str, new: str, said: str
) -> None:
    text = (remote.folder / path).read_text("utf-8")
    assert old in text
    remote.propose(tmp_path / "work", **{DROP_IN: BAD, path: text.replace(old, new)})
    came = remote.run("gitlab", tmp_path, handed=badly)
    assert came.code == 1, came.said
    report = came.said.partition("$ auditor run")[2].splitlines()
    first = next(n for n, line in enumerate(report) if "TOUCHES WHAT IT IS JUDGED BY" in line)
    assert any(said in line for line in report[first : first + 6]), came.said
    assert first < next(n for n, line in enumerate(report) if line.startswith("  Hosts "))
    suite = etree.parse(came.folder / "junit.xml").getroot()[0]
    assert suite.get("name") == "run:trusted" and suite.get("failures") == "0"
    assert any(e["check_name"].startswith("trusted-") for e in came.document("codequality.json"))


def test_a_decision_that_comes_with_the_change_closes_nothing(remote: Remote, badly: Path, tmp_path: Path) -> None:
    acceptance = (ROOT / "inventories/demo/decisions/ACC-2026-003.yaml").read_text("utf-8")
    acceptance = acceptance.replace("[antivirus-or-edr-running, antivirus-or-edr-fresh]", "[root-stays-out]")
    remote.propose(tmp_path / "work", **{DROP_IN: BAD, "inventory/decisions/ACC-2026-003.yaml": acceptance})
    came = remote.run("gitlab", tmp_path, handed=badly)
    assert came.code == 1, came.said
    assert "decision added: ACC-2026-003; it closes nothing in this change" in came.said


def test_a_renamed_server_does_not_slip_through(remote: Remote, badly: Path, tmp_path: Path) -> None:
    """The pipeline asks for the tree of a host that the change does not have."""
    text = (remote.folder / "inventory/hosts.yaml").read_text("utf-8").replace("web01:", "web09:")
    remote.propose(tmp_path / "work", **{DROP_IN: BAD, "inventory/hosts.yaml": text})
    came = remote.run("gitlab", tmp_path, handed=badly)
    assert (came.code, "no host of the estate is named web01" in came.said) == (2, True), came.said


def test_a_wrong_policy_is_stopped_before_anything_is_judged(remote: Remote, badly: Path, tmp_path: Path) -> None:
    text = (remote.folder / "policies/ssh.yaml").read_text("utf-8").replace("root_logins:", "root_login:")
    remote.propose(tmp_path / "work", **{"policies/ssh.yaml": text})
    came = remote.run("gitlab", tmp_path, handed=badly)
    assert came.code == 2 and "unknown key 'root_login'" in came.said
    assert not (came.folder / "junit.xml").exists()


@pytest.mark.parametrize(
    ("system", "link"),
    [
        *((system, link) for system in ("gitlab", "jenkins") for link in ("build.tar", "rendered", "rendered/build")),
        *(("github", link) for link in ("handed", "handed/build.tar", "rendered/build")),
    ],
)
def test_what_is_handed_over_is_not_written_through_a_link_of_the_change(
    remote: Remote, badly: Path, tmp_path: Path, system: str, link: str
) -> None:
    """Else whoever renders could write to .git, and so say what is trusted."""
    remote.propose(tmp_path / "work", **{DROP_IN: BAD})
    (tmp_path / "work" / link).parent.mkdir(exist_ok=True)
    target = ".git/judged" if link == "build.tar" else ".git" if link == "handed" else "../.git/judged"
    (tmp_path / "work" / link).symlink_to(target)
    git(tmp_path / "work", "add", "--force", link)
    commit(tmp_path / "work", "A link")
    git(tmp_path / "work", "push", "--quiet", "--force", "origin", "change")
    came = remote.run(system, tmp_path, handed=badly)
    assert came.code == 1 and "$ auditor" not in came.said, came.said
