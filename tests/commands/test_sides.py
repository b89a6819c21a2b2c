"""The trusted side of a change: what of it is taken out of git, what is left there, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.cli import main
from auditor.commands import needed
from auditor.commands.sides import Named, opened

GOOD = "PermitRootLogin no\nUsePAM yes\nAuthenticationMethods publickey,keyboard-interactive\n"
BAD = "PermitRootLogin yes\nUsePAM yes\n"
MEASURES = (Path(__file__).parents[2] / "policies/convention/measures.yaml").read_text("utf-8")
INVENTORY = "all:\n  hosts:\n    web01: {ansible_host: 192.0.2.7}\n"
POLICY = """policy: {name}
title: {{en: Mine, fr: Mien}}
controls:
  - id: {name}-root-off
    measure: net-vlan
    revision: 1
    title: {{en: Root stays out, fr: Root reste dehors}}
    severity: high
    probe: ssh_logins
    expect: {{root_logins: {{every: {{possible: {{equals: {equals}}}}}}}}}
    why: {{en: So, fr: Ainsi}}
    fix: {{en: Set it, fr: Le régler}}
"""
TREE = ("policies", "--tree", "web01=build/web01", "--trusted", "main", "-f", "json=-")
SSHD = "build/web01/etc/ssh/sshd_config"


def policy(name: str, equals: str = "false") -> str:
    return POLICY.format(name=name, equals=equals)


def wrote(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def git(*words: str) -> str:
    named = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
    return subprocess.run(named, check=True, capture_output=True, text=True).stdout.strip()


def committed() -> None:
    git("init", "-q", "-b", "main", ".")
    git("add", "-A")
    git("commit", "-qm", "first")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    wrote(tmp_path, {SSHD: GOOD, "town/hosts.yaml": INVENTORY, "policies/p.yaml": policy("own")})
    wrote(tmp_path, {"policies/measures.yaml": MEASURES})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["run", "--store", "none", "--lang", "en", *words])


def outcomes(result: Result) -> dict[str, Any]:
    return {f["control"]: f["outcome"] for f in json.loads(result.stdout)["findings"]}


NOTHING = Named((), (), ())


def taken(named: Named = NOTHING, reference: str | None = None, tree: str = "build/web01") -> set[str]:
    """The files of the trusted side."""
    with opened("main", named, reference, [tree]) as side:
        files = (os.path.relpath(os.path.join(at, n), side.root) for at, _, names in os.walk(side.root) for n in names)
        return set(files)


# ---------------------------------------------------------------- what is taken


def test_a_tree_that_is_judged_is_left_where_it_is(work: Path) -> None:
    wrote(work, {"build/web02/etc/hostname": "web02\n"})
    committed()
    rest = {"build/web02/etc/hostname", "policies/p.yaml", "policies/measures.yaml", "town/hosts.yaml"}
    assert taken(Named(("policies",), ("town",), ())) == rest
    assert taken(Named(("policies",), ("town/hosts.yaml",), ())) == rest
    assert taken(tree=str(work / "build/web01")) == rest
    assert taken(tree="build/../build/web01/") == rest
    assert taken(tree="build") == rest - {"build/web02/etc/hostname"}


@pytest.mark.parametrize(
    ("named", "reference"),
    [
        (Named(("build/web01/policies",), (), ()), None),
        (Named(("build",), (), ()), None),
        (Named((".",), (), ()), None),
        (Named(("Build/Web01/policies",), (), ()), None),
        (Named((), ("build/web01/hosts.yaml",), ()), None),
        (Named((), ("town", "build/web01"), ()), None),
        (Named((), (), ()), "build/web01/reference.json"),
        (Named((), (), ("probes",)), None),
        (Named((), ("town.py",), ()), None),
        (Named((), ("linked.yaml",), ()), None),
        (Named((), ("/nowhere/town.py",), ()), None),
    ],
)
def test_it_is_taken_where_something_of_it_may_judge(work: Path, named: Named, reference: str | None) -> None:
    """It holds what judges, or a program judges, which may read whatever it wants."""
    wrote(work, {"town.py": "#!/bin/sh\n", "probes/mine.py": ""})
    (work / "town.py").chmod(0o755)
    (work / "linked.yaml").symlink_to("town.py")
    committed()
    assert SSHD in taken(named, reference)


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("policies/more", "../build/web01/policies"),
        ("policies/more", "../build"),
        ("policies/more", "../way/web01"),
        ("more", "."),
        ("policies/more", "../way/../build"),
        ("policies/more", "../BUILD/web01"),
    ],
)
def test_it_is_taken_where_a_link_may_lead_into_it(work: Path, link: str, target: str) -> None:
    (work / "way").symlink_to("build")
    (work / link).symlink_to(target)
    committed()
    assert SSHD in taken()


def test_of_what_a_link_leads_to_the_trusted_text_judges(work: Path) -> None:
    wrote(work, {"build/web01/site.yaml": policy("site"), SSHD: BAD})
    (work / "policies/site.yaml").symlink_to("../build/web01/site.yaml")
    committed()
    wrote(work, {"build/web01/site.yaml": policy("site", "true")})
    result = run(*TREE)
    assert outcomes(result) == {"own-root-off": "fail", "site-root-off": "fail"}, result.stderr


names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
targets = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=4).map("/".join)


@settings(max_examples=200)
@given(st.sets(paths, max_size=6), st.dictionaries(paths, targets, max_size=4), paths)
def test_no_way_into_a_tree_is_overlooked(folders: set[str], links: dict[str, str], aside: str) -> None:
    """On a real file system: where no link is said to lead there, none does."""
    with tempfile.TemporaryDirectory() as top:
        top = os.path.realpath(top)
        made = {}
        os.makedirs(os.path.join(top, aside))
        for folder in folders:
            os.makedirs(os.path.join(top, folder), exist_ok=True)
        for path, target in links.items():
            place = os.path.join(top, path)
            if os.path.isdir(os.path.dirname(place)) and not os.path.lexists(place):
                real = os.path.relpath(os.path.realpath(os.path.dirname(place)), top)
                if real != "." and real != os.path.dirname(path) or f"{path}/".startswith(f"{aside}/"):
                    continue  # git holds no file behind a link; what is in the tree is left with it
                os.symlink(target, place)
                made[path] = target
        if needed.reaching(made, [aside]):
            return
        inside = os.path.join(top, aside)
        for path in made:
            end = os.path.realpath(os.path.join(top, path))
            assert os.path.commonpath([end, inside]) not in (inside, end), (made, aside)


# ---------------------------------------------------------------- what cannot be had


def ignoring(work: Path, *lines: str) -> None:
    wrote(work, {".gitattributes": "".join(f"{line}\n" for line in lines)})
    committed()
    wrote(work, {SSHD: BAD})


def refused(result: Result, path: str) -> bool:
    return result.exit_code == 2 and f"--trusted main: {path}: may judge, and cannot be had" in result.stderr


def test_attributes_of_the_change_take_nothing_away(work: Path) -> None:
    committed()
    wrote(work, {SSHD: BAD, ".gitattributes": "policies/p.yaml export-ignore\n* export-ignore\n"})
    git("add", "-A")
    assert outcomes(run(*TREE)) == {"own-root-off": "fail"}
    git("commit", "-qm", "change")
    assert outcomes(run(*TREE[:3], "--trusted", "main~1", *TREE[5:])) == {"own-root-off": "fail"}


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("policies/p.yaml export-ignore", "policies/p.yaml"),
        ("*.yaml export-ignore", "policies/measures.yaml"),
        ("measures.yaml export-ignore", "policies/measures.yaml"),
        ("/policies export-ignore", "policies/measures.yaml"),
    ],
)
def test_a_policy_that_git_leaves_out_of_archives_is_not_passed_over(work: Path, line: str, path: str) -> None:
    """The others would judge, and nobody would be told that this one does not."""
    wrote(work, {"policies/q.yaml": policy("another")})
    ignoring(work, line)
    result = run(*TREE)
    assert result.exit_code == 2 and path in result.stderr, result.stderr


def test_measures_above_the_policies_are_not_passed_over(work: Path) -> None:
    (work / "policies/measures.yaml").rename(work / "measures.yaml")
    ignoring(work, "/measures.yaml export-ignore")
    assert refused(run("policies/p.yaml", *TREE[1:]), "measures.yaml")


@pytest.mark.parametrize("path", ["decisions/ACC-1.yaml", "estate.yaml", "group_vars/all.yaml", "records/a.yaml"])
@pytest.mark.parametrize("given", ["town", "town/hosts.yaml"])
def test_nor_is_what_stands_beside_an_inventory(work: Path, path: str, given: str) -> None:
    wrote(work, {f"town/{path}": "{}\n"})
    ignoring(work, f"town/{path} export-ignore")
    assert refused(run(*TREE, "-i", given), f"town/{path}")


@pytest.mark.parametrize("line", ["/tests export-ignore", "policies/README.md export-ignore", ".git* export-ignore"])
def test_what_judges_nothing_may_be_left_out(work: Path, line: str) -> None:
    wrote(work, {"tests/a.yaml": "a: 1\n", "policies/README.md": "Ours.\n", "policies/.gitkeep": ""})
    ignoring(work, line)
    result = run(*TREE, "-i", "town")
    assert outcomes(result) == {"own-root-off": "fail"}, result.stderr


def test_a_text_that_git_fills_in_judges_all_the_same(work: Path) -> None:
    wrote(work, {"policies/p.yaml": policy("own") + "# $Format:%s$\n"})
    ignoring(work, "policies/p.yaml export-subst")
    result = run(*TREE)
    touched = json.loads(result.stdout)["run"]["trusted"]["touched"]
    assert outcomes(result) == {"own-root-off": "fail"}
    assert [(t["kind"], t["how"], t["name"]) for t in touched] == [("file", "changed", "policies/p.yaml")]


def with_submodule(work: Path, path: str) -> None:
    committed()
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},{path}")
    git("commit", "-qm", "a submodule")
    wrote(work, {SSHD: BAD})


@pytest.mark.parametrize("path", ["policies/shared", "policies/shared.md", "town/decisions", "town/group_vars/web"])
def test_a_submodule_that_may_judge_is_refused(work: Path, path: str) -> None:
    with_submodule(work, path)
    assert refused(run(*TREE, "-i", "town"), path)


def test_policies_that_are_a_submodule_are_refused(work: Path) -> None:
    with_submodule(work, "rules")
    wrote(work, {"rules/p.yaml": policy("own", "true"), "rules/measures.yaml": MEASURES})
    assert refused(run("rules", *TREE[1:]), "rules")
    assert refused(run("rules/p.yaml", *TREE[1:]), "rules")


@pytest.mark.parametrize("path", ["roles/common", "build/web01/opt", "town/documents"])
def test_another_submodule_is_nothing_to_the_gate(work: Path, path: str) -> None:
    with_submodule(work, path)
    assert outcomes(run(*TREE, "-i", "town")) == {"own-root-off": "fail"}


@pytest.mark.parametrize("target", ["/etc/auditor/site.yaml", "../../site.yaml"])
def test_a_policy_that_is_a_link_out_of_the_repository_is_not_passed_over(work: Path, target: str) -> None:
    (work / "policies/site.yaml").symlink_to(target)
    committed()
    assert refused(run(*TREE), "policies/site.yaml")


@pytest.mark.parametrize("place", ["other", "town/documents/scan.yaml"])
def test_another_link_out_of_the_repository_is_nothing_to_the_gate(work: Path, place: str) -> None:
    (work / place).parent.mkdir(exist_ok=True)
    (work / place).symlink_to("/etc/nothing")
    committed()
    wrote(work, {SSHD: BAD})
    assert outcomes(run(*TREE, "-i", "town")) == {"own-root-off": "fail"}


def test_what_a_link_in_the_policies_leads_to_is_not_passed_over(work: Path) -> None:
    wrote(work, {"shared/vars/all.yaml": "auditor_at_once: 1\n"})
    (work / "town/group_vars").symlink_to("../shared/vars")
    ignoring(work, "shared/vars/all.yaml export-ignore")
    assert refused(run(*TREE, "-i", "town"), "shared/vars/all.yaml")


def test_a_change_of_a_linked_folder_is_told(work: Path) -> None:
    """The policies are a link on both sides; what it leads to is changed."""
    (work / "policies").rename(work / "rules")
    (work / "policies").symlink_to("rules")
    committed()
    wrote(work, {SSHD: BAD, "rules/p.yaml": policy("own", "true")})
    result = run(*TREE)
    assert outcomes(result) == {"own-root-off": "fail"}, result.stderr
    touched = json.loads(result.stdout)["run"]["trusted"]["touched"]
    assert {(t["kind"], t["name"]) for t in touched} == {("control", "own-root-off"), ("file", "policies/p.yaml")}
