"""Our reader of inventories against the real `ansible-inventory --list`: hosts, groups, order and merged variables are equal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from make import schema

from auditor.load import inventory
from auditor.load.inventory.listing import looks_like
from auditor.load.inventory.tree import Tree
from auditor.load.yaml import Tagged

DATA = Path(__file__).parent.parent / "data" / "inventories"
CASES = sorted(p for p in DATA.iterdir() if p.is_dir())


def sources(case: Path) -> list[Path]:
    named = case / "sources.txt"
    if named.exists():
        return [case / line for line in named.read_text("utf-8").splitlines()]
    return sorted(p for p in case.iterdir() if p.name.startswith("hosts"))


@pytest.fixture(scope="module")
def ansible(program: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`ansible(paths)`: what `ansible-inventory --list` tells, without any configuration of this machine."""
    beside = Path(sys.executable).with_name("ansible-inventory")
    tool = str(beside) if beside.exists() else program("ansible-inventory")
    home = tmp_path_factory.mktemp("ansible")
    (home / "ansible.cfg").write_text("")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
    }
    environment |= {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_LOCAL_TEMP": str(home / "tmp")}

    @cache
    def told(*paths: Path) -> str:
        words = [tool, *(w for p in paths for w in ("-i", str(p))), "--list"]
        done = subprocess.run(words, cwd=home, env=environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return told


def tree_of(paths: list[Path]) -> Tree:
    problems: list[Any] = []
    tree = inventory.tree_of(paths, schema("inventory"), problems)
    assert problems == []
    assert tree is not None
    return tree


def plain(value: Any) -> Any:
    if isinstance(value, Tagged):
        return value.text if value.tag == "!unsafe" else {"__ansible_vault": value.text}
    if isinstance(value, dict):
        if "__ansible_unsafe" in value:  # how a listing marks text that is no template
            return value["__ansible_unsafe"]
        return {str(k): plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def ours(tree: Tree) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Hosts to variables; groups to their own hosts; groups to their children."""
    containing = tree.containing()
    variables = {h: {k: plain(v.value) for k, v in tree.merged(h, groups).items()} for h, groups in containing.items()}
    hosts = {n: list(g.hosts) for n, g in tree.groups.items() if n != "all" and g.hosts}
    return variables, hosts, {n: list(g.children) for n, g in tree.groups.items() if g.children}


def theirs(listing: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    groups = {n: g for n, g in listing.items() if n != "_meta"}
    hosts = {n: g["hosts"] for n, g in groups.items() if g.get("hosts")}
    told = plain(listing["_meta"]["hostvars"])
    return (
        {h: told.get(h, {}) for g in hosts.values() for h in g},
        hosts,
        {n: g["children"] for n, g in groups.items() if g.get("children")},
    )


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_the_reader_agrees_with_ansible(case: Path, ansible: Any) -> None:
    """Hosts, the groups they are in, the order in which groups hold them, and every merged variable."""
    variables, hosts, children = theirs(json.loads(ansible(*sources(case))))
    mine = ours(tree_of(sources(case)))
    assert mine == (variables, hosts, children)


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_ansibles_own_listing_is_read_as_the_inventory_is(case: Path, ansible: Any, tmp_path: Path) -> None:
    """The JSON of `ansible-inventory --list`, as a file, gives the same hosts, groups and variables."""
    file = tmp_path / "listing.json"
    file.write_text(ansible(*sources(case)), "utf-8")
    assert looks_like(json.loads(file.read_text("utf-8")))
    assert ours(tree_of([file])) == theirs(json.loads(file.read_text("utf-8")))


def test_an_executable_inventory_is_run(ansible: Any, tmp_path: Path) -> None:
    """A program is asked with --list, by Ansible and by us."""
    file = tmp_path / "cloud"
    text = {
        "_meta": {"hostvars": {"c1": {"ansible_host": "192.0.2.4"}}},
        "cloud": {"hosts": ["c1", "c2"], "vars": {"k": [1]}},
    }
    file.write_text(f"#!/bin/sh\n[ \"$*\" = --list ] && echo '{json.dumps(text)}'\n")
    file.chmod(0o755)
    assert ours(tree_of([file])) == theirs(json.loads(ansible(file)))


LIMITS = ["web", "web:db", "web,db", "web*", "all:!web", "web:&db", "~web0[1-3]", "web[0]", "web[1:3]", "web[-1]", "db[0:1]", "db[1:]",
          "*", "!web", "&web", "web[2:4],!web03", "re*", "lonely", "ungrouped", "replicas[0]", "web0?", "all[3]"]  # fmt: skip


def test_patterns_select_what_ansible_selects(tmp_path: Path) -> None:
    """`--limit` on the nested YAML case, each pattern against Ansible's own inventory."""
    from auditor.model import Estate
    from auditor.plan import limited

    case = sources(DATA / "04-yaml-plain")
    loaded = inventory.read(case, schema("inventory"), [])
    estate = Estate(loaded.hosts, groups=loaded.groups)
    script = (
        "import sys, json\nfrom ansible.parsing.dataloader import DataLoader\nfrom ansible.inventory.manager import InventoryManager\n"
        "m = InventoryManager(loader=DataLoader(), sources=[sys.argv[1]])\nfound = {}\n"
        "for p in json.loads(sys.argv[2]):\n    m.subset(p)\n    found[p] = sorted(h.name for h in m.get_hosts('all'))\n    m.subset(None)\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(case[0]), json.dumps(LIMITS)],
        capture_output=True, text=True, timeout=100, cwd=tmp_path, env={**os.environ, "ANSIBLE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {p: sorted(h.id for h in limited(estate, p)) for p in LIMITS} == json.loads(done.stdout)
