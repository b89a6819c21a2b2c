"""Help costs little: nothing but click and the standard library is imported for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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
