"""Changes that would pass the gate unseen: what they lay in the way of the trusted side, hide beside old debt, or leave out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auditor.cli import main
from auditor.commands.ways import inside

GOOD = "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\nUsePAM yes\nAuthenticationMethods publickey,keyboard-interactive\n"
BAD = "PermitRootLogin yes\nUsePAM yes\n"
MEASURES = (Path(__file__).parents[2] / "policies/convention/measures.yaml").read_text("utf-8")
INVENTORY = "all:\n  hosts:\n    web01: {ansible_host: 192.0.2.7}\n    web02: {ansible_host: 192.0.2.8}\n"
HEAD = "policy: mine\ntitle: {en: Mine, fr: Mien}\ncontrols:\n"
CONTROL = """  - id: %s
    measure: net-vlan
    revision: 1
    title: {en: Mine, fr: Mien}
    severity: high
    probe: %s
    expect: {%s}
    why: {en: So, fr: Ainsi}
    fix: {en: Set it, fr: Le régler}
"""
POLICY = (
    HEAD
    + CONTROL % ("root-off", "ssh_logins", "root_logins: {every: {possible: {equals: false}}}")
    + CONTROL % ("sudo-asks", "sudo_rules", "rules: {none: {asks: {equals: false}}}")
)
LAX = POLICY.replace("possible: {equals: false}", "possible: {equals: true}")
ETC = "build/web01/etc"
SSHD = f"{ETC}/ssh/sshd_config"
DEBT = f"{ETC}/sudoers.d/debt"
FILES = {
    SSHD: GOOD,
    f"{ETC}/ssh/sshd_config.d/10.conf": "X11Forwarding no\n",
    f"{ETC}/passwd": "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n",
    f"{ETC}/group": "root:x:0:\nsudo:x:27:\n",
    f"{ETC}/sudoers": "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
    DEBT: "alice ALL=(root) NOPASSWD: /usr/bin/apt update\n",
    "town/hosts.yaml": INVENTORY,
    "policies/p.yaml": POLICY,
    "policies/measures.yaml": MEASURES,
}
TREE = ("-i", "town", "--tree", "web01=build/web01", "--trusted", "refs/heads/main", "-f", "json=-")
ONE = ("policies", *TREE, "--limit", "web01")
AGAINST = (*ONE, "--against", "reference.json")


def wrote(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def git(*words: str, cwd: Path | None = None) -> str:
    named = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always", *words]
    return subprocess.run(named, check=True, capture_output=True, text=True, cwd=cwd).stdout.strip()


def committed(message: str = "more") -> None:
    git("add", "-A", "--force")
    git("commit", "-qm", message)


def run(*words: str, store: str = "none") -> Result:
    return CliRunner().invoke(main, ["run", "--store", store, "--lang", "en", *words])


def told(result: Result) -> dict[str, tuple[str, str | None]]:
    """Outcome and change of each control."""
    return {f["control"]: (f["outcome"], f["change"]) for f in json.loads(result.stdout)["findings"]}


def touched(result: Result) -> set[tuple[str, ...]]:
    found = json.loads(result.stdout)["run"]["trusted"]["touched"]
    return {(one["kind"], one["how"], one["name"]) for one in found}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with some debt of sudo, and the audit of it as the reference."""
    folder = tmp_path / "work"
    wrote(folder, FILES)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PWD", str(folder))
    git("init", "-q", "-b", "main", ".")
    committed()
    result = run("policies", *TREE[:-1], "json=reference.json", "--limit", "web01", "--fail-on", "never")
    assert result.exit_code == 0, result.stderr
    committed("The reference")
    git("switch", "-qc", "change")
    return folder


def test_old_debt_alone_stops_nothing(work: Path) -> None:
    result = run(*AGAINST)
    assert (result.exit_code, told(result)) == (0, {"root-off": ("pass", None), "sudo-asks": ("fail", None)})


# ---------------------------------------------------------------- the way to what judges


def test_a_folder_that_became_a_link_to_the_top_is_the_trusted_one(work: Path) -> None:
    """Else `infra/policies` would be the policies at the top."""
    wrote(work, {"infra/policies/p.yaml": POLICY, "infra/policies/measures.yaml": MEASURES, "policies/p.yaml": LAX})
    committed()
    git("branch", "-f", "main")
    wrote(work, {SSHD: BAD})
    shutil.rmtree(work / "infra")
    (work / "infra").symlink_to(".")
    result = run("infra/policies", *TREE, "--limit", "web01", "--against", "reference.json")
    assert (result.exit_code, told(result)["root-off"]) == (1, ("fail", "new")), result.stderr


def test_a_link_from_elsewhere_into_the_repository_leads_to_the_trusted_side(work: Path) -> None:
    (work.parent / "way").symlink_to(work / "policies")
    wrote(work, {SSHD: BAD, "policies/p.yaml": LAX})
    result = run(str(work.parent / "way"), *AGAINST[1:])
    assert result.exit_code == 1, result.stderr
    assert ("control", "changed", "root-off") in touched(result)


def test_a_work_folder_that_became_a_link_is_the_trusted_one(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, policy in (("strict", POLICY), ("lax", LAX)):
        wrote(work, {f"{folder}/policies/p.yaml": policy, f"{folder}/policies/measures.yaml": MEASURES})
        shutil.copytree(work / "town", work / folder / "town")
    committed()
    git("branch", "-f", "main")
    shutil.rmtree(work / "strict")
    (work / "strict").symlink_to("lax")
    wrote(work, {SSHD: BAD})
    monkeypatch.chdir(work / "strict")
    monkeypatch.setenv("PWD", str(work / "strict"))
    words = [word.replace("=build", "=../build") for word in ONE]
    assert run(*words).exit_code == 1


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("top/a/b", "a/b"),
        ("top", "."),
        ("way/a", "a"),
        ("into/b", "a/b"),
        ("round/a", "a"),
        ("top/loop/a", "loop/a"),
        ("top/../other/a", None),
        ("endless/a", None),
        ("nowhere", None),
    ],
)
def test_where_a_path_comes_into_the_repository(tmp_path: Path, path: str, place: str | None) -> None:
    """Links are followed up to there, and no further."""
    top = Path(os.path.realpath(tmp_path)) / "top"
    (top / "a").mkdir(parents=True)
    links = {"way": "top", "into": str(top / "a"), "round": "other/../top", "endless": "endless", "top/loop": "."}
    (tmp_path / "other").mkdir()
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    assert inside(str(top), str(tmp_path / path)) == place


def test_the_hosts_that_are_meant_are_those_of_the_trusted_side(work: Path) -> None:
    wrote(work, {"meant.txt": "web01\nweb02\n"})
    committed()
    git("branch", "-f", "main")
    wrote(work, {"meant.txt": "web01\n"})
    for name in ("meant.txt", str(work / "meant.txt")):
        result = run("policies", *TREE, "--limit", f"@{name}", "--fail-on", "never")
        assert result.exit_code == 3, "web02 was not asked"
        assert touched(result) == {("file", "changed", "meant.txt")}
    (work / "meant.txt").unlink()
    assert ("file", "removed", "meant.txt") in touched(run("policies", *TREE, "--limit", "@meant.txt"))


def test_a_file_of_hosts_that_only_the_change_has_is_refused(work: Path) -> None:
    wrote(work, {"meant.txt": "web01\n"})
    result = run("policies", *TREE, "--limit", "@meant.txt")
    assert (result.exit_code, "--limit: meant.txt cannot be read" in result.stderr) == (2, True)


# ---------------------------------------------------------------- git itself


def test_a_folder_that_looks_like_a_repository_has_no_say(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git takes a folder with HEAD, objects and refs for a bare repository, and a file of the change for its settings."""
    (work / "sub").mkdir()
    for name in ("policies", "town", "build"):
        git("mv", name, "sub")
    committed()
    git("branch", "-f", "main")
    wrote(work, {"sub/policies/p.yaml": LAX, f"sub/{SSHD}": BAD})
    committed("lax")
    shutil.copytree(work / ".git", work.parent / "git")
    git("--git-dir", str(work.parent / "git"), "update-ref", "refs/heads/main", "HEAD")
    git("--git-dir", str(work.parent / "git"), "config", "core.worktree", "..")
    shutil.copytree(work.parent / "git", work / "sub", dirs_exist_ok=True)
    monkeypatch.chdir(work / "sub")
    monkeypatch.setenv("PWD", str(work / "sub"))
    result = run(*ONE)
    assert (result.exit_code, "bare repository" in result.stderr) == (2, True), result.stderr


def with_submodule(work: Path, path: str, text: str) -> Path:
    """The change as another one, with a submodule; what a clone of it has."""
    other = work.parent / "other"
    wrote(other, {"10.conf": text})
    git("init", "-q", "-b", "main", ".", cwd=other)
    git("add", "-A", cwd=other)
    git("commit", "-qm", "theirs", cwd=other)
    if (work / path).exists():
        git("rm", "-rq", path)
    git("submodule", "add", "-q", str(other), path)
    committed("A submodule")
    clone = work.parent / "clone"
    git("clone", "-q", "-b", "change", str(work), str(clone), cwd=work.parent)
    return clone


def test_a_submodule_that_was_not_checked_out_is_no_empty_folder(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = with_submodule(work, f"{ETC}/ssh/sshd_config.d", BAD)
    monkeypatch.chdir(clone)
    assert os.listdir(clone / f"{ETC}/ssh/sshd_config.d") == []
    words = [word.replace("refs/heads/main", "refs/remotes/origin/main") for word in AGAINST]
    result = run(*words)
    assert (result.exit_code, "sshd_config.d: a submodule of a tree was not checked out" in result.stderr) == (
        2,
        True,
    )
    git("submodule", "update", "--init")
    result = run(*words)
    assert (result.exit_code, told(result)["root-off"]) == (1, ("fail", "new")), result.stderr


def test_a_submodule_brings_no_references_of_its_own(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_submodule(work, "infra", BAD)
    monkeypatch.chdir(work / "infra")
    result = run("--tree", "web01=../build/web01", "--trusted", "refs/heads/main")
    assert (result.exit_code, "is a submodule" in result.stderr) == (2, True), result.stderr


def test_a_pointer_of_git_lfs_is_no_file_of_the_host(work: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12\n"
    wrote(work, {f"{ETC}/ssh/sshd_config.d/20.conf": pointer})
    result = run(*AGAINST)
    assert (result.exit_code, told(result)["root-off"]) == (3, ("unknown", "unmeasured"))


@pytest.mark.parametrize("brought", ["runs.db", "runs.db-journal", "runs.db-wal"])
def test_a_store_that_comes_with_the_change_is_no_reference(work: Path, brought: str) -> None:
    wrote(work, {SSHD: BAD})
    run(*ONE, store="runs.db")
    assert run(*ONE, "--against", "latest", store="runs.db").exit_code == 0, "of a pipeline's cache: it is old debt"
    wrote(work, {brought: ""}) if brought != "runs.db" else None
    git("add", "--force", brought)
    result = run(*ONE, "--against", "latest", store="runs.db")
    assert (result.exit_code, "the store runs.db comes with the change" in result.stderr) == (2, True), result.stderr
    assert run(*AGAINST, store="runs.db").exit_code == 1, "nothing is compared with what it holds"


# ---------------------------------------------------------------- beside old debt


@pytest.mark.parametrize(
    ("change", "code", "became"),
    [
        ({f"{ETC}/sudoers.d/new": "bob ALL=(root) NOPASSWD: /usr/bin/apt update\n"}, 1, "worsened"),
        ({f"{ETC}/sudoers.d/new": "alice ALL=(root) NOPASSWD: /usr/bin/bash\n"}, 1, "worsened"),
        ({DEBT: "alice ALL=(root) NOPASSWD: /usr/bin/bash\n"}, 1, "worsened"),
        ({DEBT: "alice ALL=(ALL) NOPASSWD: ALL\n"}, 1, "worsened"),
        ({f"{ETC}/sudoers.d/new": "what is this\n"}, 3, "unmeasured"),
        ({f"{ETC}/sudoers.d/new": "#" * 300_000}, 3, "unmeasured"),
        ({f"{ETC}/sudoers.d/new": f"# moved\n{FILES[DEBT]}", DEBT: "\n"}, 0, None),
        ({DEBT: "\n"}, 0, "resolved"),
    ],
)
def test_what_hides_beside_old_debt(work: Path, change: Mapping[str, str], code: int, became: str | None) -> None:
    wrote(work, change)
    result = run(*AGAINST)
    assert (result.exit_code, told(result)["sudo-asks"][1]) == (code, became), result.stderr


def test_less_that_is_told_beside_old_debt_is_said_in_every_report(work: Path) -> None:
    wrote(work, {f"{ETC}/sudoers.d/new": "what is this\n"})
    result = run(*AGAINST)
    (found,) = (f for f in json.loads(result.stdout)["findings"] if f["control"] == "sudo-asks")
    assert [r["cause"]["cause"] for r in found["untold"]] == ["unreadable"]
    said = {
        "text": "no longer measured: 1",
        "html": "no longer measured",
        "junit": "told more: 1",
        "sarif": "told more: 1",
    }
    for name, words in said.items():
        run(*AGAINST, "-f", f"{name}={work.parent}/report")
        assert words in (work.parent / "report").read_text("utf-8"), name


# ---------------------------------------------------------------- a reference that is older than what judges


def otherwise(work: Path) -> None:
    """main has another revision of both controls since the reference."""
    wrote(work, {"policies/p.yaml": POLICY.replace("revision: 1", "revision: 2")})
    committed()
    git("branch", "-f", "main")


@pytest.mark.parametrize(
    "change", [{SSHD: BAD}, {SSHD: "\n"}, {f"{ETC}/sudoers.d/new": "bob ALL=(root) NOPASSWD: ALL\n"}]
)
def test_what_a_control_finds_that_judges_otherwise_may_be_new(work: Path, change: Mapping[str, str]) -> None:
    otherwise(work)
    assert run(*AGAINST).exit_code == 0, "what fails did so before"
    wrote(work, change)
    assert run(*AGAINST).exit_code == 3


def test_a_file_left_out_is_no_way_to_pass_then_either(work: Path) -> None:
    otherwise(work)
    (work / SSHD).unlink()
    result = run(*AGAINST)
    assert (result.exit_code, told(result)["root-off"]) == (3, ("unknown", "changed"))


# ---------------------------------------------------------------- whose mistake it is


def test_what_is_wrong_on_the_trusted_side_is_said_to_be_there(work: Path) -> None:
    """The change mends it, and cannot do so before it is merged."""
    wrote(work, {"policies/p.yaml": POLICY.replace("severity: high", "severity: hih", 1)})
    committed()
    git("branch", "-f", "main")
    wrote(work, {"policies/p.yaml": POLICY})
    result = run(*ONE)
    assert (result.exit_code, "refs/heads/main:policies/p.yaml:8:15: " in result.stderr) == (2, True), result.stderr


def test_a_host_that_only_the_change_has_is_looked_for_on_the_trusted_side(work: Path) -> None:
    wrote(work, {"town/hosts.yaml": INVENTORY.replace("web02", "web03")})
    result = run("policies", *TREE, "--tree", "web03=build/web01")
    assert result.exit_code == 2
    assert "no host of the estate is named web03" in result.stderr
    assert "(policies and estate are those of refs/heads/main)" in result.stderr


@pytest.mark.parametrize("ref", ["origin/main", "main:policies", "v1"])
def test_a_reference_that_is_not_there_says_what_to_do(work: Path, ref: str) -> None:
    result = run("policies", "--tree", "web01=build/web01", "--trusted", ref)
    assert result.exit_code == 2
    assert f"--trusted {ref}: is no commit that this repository has" in result.stderr
    assert "git fetch origin" in result.stderr


def test_a_reference_that_is_nowhere_is_said_to_be_a_file(work: Path) -> None:
    result = run(*ONE, "--against", "referense.json")
    assert (result.exit_code, "there is no file referense.json" in result.stderr) == (2, True), result.stderr
