"""The benchmarks that compare us with others run, print every row, and everybody they ask tells the same. Nothing is timed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "benchmarks"))


def ran(name: str) -> str:
    command = [sys.executable, str(ROOT / "benchmarks" / name), "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=550)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    return done.stdout


@pytest.mark.timeout(600)
def test_every_peer_is_asked_and_answers_as_we_do(program):
    program("sshd")
    program("dpkg-query")
    told = ran("peers.py")
    last = {line.split()[0]: line for line in told.splitlines() if line}
    for name, module in {
        "auditor": "auditor",
        "testinfra-paramiko": "testinfra",
        "testinfra-ssh": "testinfra",
        "ansible": "ansible",
    }.items():
        if importlib.util.find_spec(module):
            assert f"{name} #1" in told
            assert "client CPU per host" in last[name]
        else:
            assert last[name].endswith("not installed")
    assert "40 questions to each of 2 hosts" in told
    assert "pass  every answer of every host is the wanted one" in told
    assert "pass  all clients tell the same of one host" in told


def test_a_client_that_answers_less_or_otherwise_is_named():
    import peers

    asked = [peers.Question(i, "command", i, "yes") for i in ("a", "b", "c")]
    took = peers.Measured(1.0, 1.0, 0, 0)
    results = [
        ("auditor", took, {"h": {"a": "yes", "b": "yes", "c": "yes"}}),
        ("ansible", took, {"h": {"a": "yes", "b": "no"}}),
    ]
    assert peers.differing(results, "h", asked) == ["b", "c"]


@pytest.mark.timeout(600)
def test_the_cost_of_every_probe_on_a_host_is_told():
    from auditor import shelves
    from auditor.kinds import Probe

    told = [line.split()[0] for line in ran("host.py").splitlines() if line.endswith(" questions")]
    asked = {n for n, p in shelves.probes().items() if isinstance(p, Probe) and "linux" in p.dialects}
    assert sorted(told) == sorted([*asked, "one", "of", "identity"])


@pytest.mark.timeout(600)
def test_every_reader_reads_large_inputs_as_ours_does():
    told = ran("size.py")
    for title in ("known_hosts, 300 plain", "known_hosts, 300 hashed", "YAML inventory, 300", "INI inventory, 300"):
        assert f"pass  {title}" in told
    rows = [line.split()[0] for line in told.splitlines() if line.startswith("  ")]
    assert rows == [
        *("auditor-known-hosts", "paramiko-known-hosts") * 2,
        *("auditor-inventory", "CSafeLoader", "SafeLoader", "ansible-inventory"),
        *("auditor-inventory", "CSafeLoader", "ansible-inventory"),
    ]


def test_two_stored_runs_are_compared():
    assert "pass  peak memory" in ran("compare.py")


def test_a_change_of_every_tree_is_told_on_every_host(program):
    program("git")
    told = ran("trees.py")
    assert "5 trees of 40 accounts" in told
    assert "pass  hosts of which the change is told: 5 (bar 5)" in told


@pytest.mark.timeout(600)
def test_windows_hosts_are_asked_at_the_same_time_and_nothing_is_left():
    told = ran("winrm.py")
    assert told.count("pass  shells left") == 16
    assert told.count("pass  seconds beyond the deadline") == 2
