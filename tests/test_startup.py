"""Help costs little: nothing but click and the standard library is imported for it. A run imports what its hosts speak."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from auditor import shelves
from auditor.commands.run import OFTEN, _settled
from auditor.kinds import Dialect, Dialects, Probe

PRINT_MODULES = """
import sys
from auditor.cli import main
try:
    main({arguments!r}, prog_name="auditor")
except SystemExit as end:
    assert not end.code, end.code
import json
print("MODULES" + json.dumps(sorted({{m.partition(".")[0] for m in sys.modules}})), file=sys.stderr)
"""
OURS = {"auditor", "click"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["lint", "--help"]], ids=" ".join)
def test_only_click_is_imported_for_help(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", PRINT_MODULES.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "auditor" in done.stdout
    modules = set(json.loads(done.stderr.partition("MODULES")[2]))
    bare = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            "import sys, json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    foreign = modules - set(sys.stdlib_module_names) - set(json.loads(bare.stdout)) - OURS
    assert sorted(m for m in foreign if not m.startswith("_")) == []


@pytest.mark.parametrize("name", ["paramiko", "yaml", "rich", "jsonschema", "sqlite3", "regex"])
def test_what_is_heavy_waits(name: str) -> None:
    code = PRINT_MODULES.format(arguments=["--help"])
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert name not in json.loads(done.stderr.partition("MODULES")[2])


LOADS = """
import json, sys
from auditor.commands import inputs
loaded = inputs.load((), (sys.argv[1],), None, None)
texts = [command.text for command in inputs.elevated(loaded.plan.probes)]
for index in range(len(loaded.plan.hosts)):
    assert loaded.plan.checks_of(index)
print(json.dumps([sorted(sys.modules), texts]))
"""


def loading(folder: Path, hosts: str) -> tuple[set[str], list[str]]:
    """What is imported to ask these hosts, and the elevated texts."""
    (folder / "hosts.yaml").write_text(f"all:\n  hosts:\n{hosts}")
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(folder / "hosts.yaml")], capture_output=True, text=True, check=True
    )
    modules, texts = json.loads(done.stdout)
    return set(modules), texts


def test_a_dialect_is_imported_where_a_host_speaks_it(tmp_path: Path) -> None:
    linux, texts = loading(tmp_path, "    web1: {}\n")
    assert {m for m in linux if m.startswith(("auditor.probes.windows.", "auditor.probes.trees."))} == set()
    windows, same = loading(tmp_path, "    pc1: {auditor_platform: windows}\n")
    assert {m.rpartition(".")[2] for m in windows if m.startswith("auditor.probes.windows.")} >= {
        "accounts",
        "host_firewall",
    }
    assert texts == same != []


def test_what_a_probe_says_of_itself_needs_no_dialect_that_is_apart() -> None:
    code = (
        "import json, sys; from auditor import shelves\n"
        "told = [(probe.title, probe.facts, probe.arguments) for probe in shelves.probes().values()]\n"
        "print(json.dumps([len(told), sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, modules = json.loads(done.stdout)
    assert count == len(shelves.PROBES.names())
    apart = tuple(f"auditor.probes.{folder}." for folder in ("linux", "trees", "windows"))
    assert [m for m in modules if m.startswith(apart)] == []


def test_every_dialect_of_every_probe_can_be_had() -> None:
    for name, probe in shelves.probes().items():
        if isinstance(probe, Probe):
            dialects = [*probe.dialects.items(), *probe.trees.items()]
            assert dialects, name
            assert all(isinstance(dialect, Dialect) for _, dialect in dialects), name


def test_a_dialect_is_made_once_and_not_to_tell_its_name() -> None:
    made = []

    def late() -> Dialect:
        made.append(1)
        return Dialect(lambda args: {}, lambda answers, args: {})

    dialects = Dialects(linux=late(), windows=late)
    assert "windows" in dialects
    assert list(dialects) == ["linux", "windows"]
    assert len(made) == 1
    assert dialects["windows"] is dialects["windows"]
    assert len(made) == 2
    assert "cisco_ios" not in dialects
    with pytest.raises(KeyError):
        dialects["cisco_ios"]


def test_ssh_does_without_what_its_library_imports_for_what_is_not_used() -> None:
    code = "import json, sys, auditor.transports.ssh; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout)
    assert "paramiko.config" in modules
    assert [m for m in modules if m.partition(".")[0] in ("invoke", "asyncio", "unittest")] == []


def test_what_hosts_leave_is_collected_as_often_as_python_does() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(50_000)
        with _settled():
            assert gc.get_threshold() == OFTEN
        assert gc.get_threshold()[0] == 50_000
    finally:
        gc.set_threshold(*before)
