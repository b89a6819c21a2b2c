"""`auditor run --tree` and `--trusted`: what a change may do, and what it may not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from auditor.cli import main

GOOD = "PermitRootLogin no\nUsePAM yes\nAuthenticationMethods publickey,keyboard-interactive\n"
BAD = "PermitRootLogin yes\nUsePAM yes\n"
INVENTORY = "all:\n  hosts:\n    web01: {ansible_host: 192.0.2.7}\n    web02: {ansible_host: 192.0.2.8}\n"
POLICY = """policy: mine
title: {en: Mine, fr: Mien}
controls:
  - id: ssh-root-off
    measure: net-vlan
    revision: 1
    title: {en: Root stays out, fr: Root reste dehors}
    severity: high
    probe: ssh_logins
    expect: {root_logins: {every: {possible: {equals: false}}}}
    why: {en: So, fr: Ainsi}
    fix: {en: Set it, fr: Le régler}
"""


def wrote(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    wrote(
        tmp_path, **{"build/web01/etc/ssh/sshd_config": GOOD, "town/hosts.yaml": INVENTORY, "policies/p.yaml": POLICY}
    )
    measures = Path(__file__).parents[2] / "policies" / "convention" / "measures.yaml"
    wrote(tmp_path, **{"policies/measures.yaml": measures.read_text()})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def git(*words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], check=True, capture_output=True
    )


def committed() -> None:
    git("init", "-q", "-b", "main", ".")
    git("add", "-A")
    git("commit", "-qm", "first")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["run", "--store", "none", "--lang", "en", *words])


def findings(result: Result) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads(result.stdout)["findings"]
    return found


ACCEPTANCE = (
    (Path(__file__).parents[2] / "inventories" / "demo" / "decisions" / "ACC-2026-003.yaml")
    .read_text()
    .replace("ACC-2026-003", "ACC-1")
    .replace("[antivirus-or-edr-running, antivirus-or-edr-fresh]", "[ssh-root-off]")
)
TREE = ("policies", "--tree", "web01=build/web01", "-f", "json=-")


def test_what_only_a_host_can_tell_does_not_gate(work: Path) -> None:
    result = run("--tree", "web01=build/web01", "-f", "json=-")
    assert result.exit_code == 0
    unknown = [f for f in findings(result) if f["outcome"] == "unknown" and not f["gates"]]
    assert {r["cause"]["cause"] for f in unknown for r in f["reasons"]} <= {
        "not_observable",
        "register_missing",
        "nothing_asked",
    }
    assert {f["medium"] for f in findings(result) if f["control"] == "ssh-root-login-off"} == {"tree"}


def test_a_finding_points_at_file_and_line(work: Path) -> None:
    wrote(work, **{"build/web01/etc/ssh/sshd_config": "\n" + BAD})
    result = run(*TREE)
    assert result.exit_code == 1
    (found,) = findings(result)
    assert found["reasons"][0]["places"] == ["build/web01/etc/ssh/sshd_config:2"]
    assert "[build/web01/etc/ssh/sshd_config:2]" in run("policies", "--tree", "web01=build/web01").stdout
    sarif = json.loads(run("policies", "--tree", "web01=build/web01", "-f", "sarif=-").stdout)
    at = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert (at["artifactLocation"]["uri"], at["region"]["startLine"]) == ("build/web01/etc/ssh/sshd_config", 2)


SENDS = "$IncludeConfig /etc/rsyslog.d/*.conf\n"


def started(work: Path, unit: str) -> None:
    link = work / f"build/web01/etc/systemd/system/multi-user.target.wants/{unit}.service"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(f"/usr/lib/systemd/system/{unit}.service")


def of(result: Result, control: str) -> Mapping[str, Any]:
    return next(f for f in findings(result) if f["control"] == control)


def test_a_forwarder_that_is_started_and_sends_in_clear_fails_at_its_line(work: Path) -> None:
    wrote(work, **{"build/web01/etc/rsyslog.conf": SENDS, "build/web01/etc/rsyslog.d/a.conf": "\n*.* @@logs.example\n"})
    words = ("--tree", "web01=build/web01", "-f", "json=-")
    assert of(run(*words), "logs-sent-over-tls")["gates"] is False
    started(work, "rsyslog")
    result = run(*words)
    found = of(result, "logs-sent-over-tls")
    assert (result.exit_code, found["outcome"]) == (1, "fail")
    assert found["reasons"][0]["places"] == ["build/web01/etc/rsyslog.d/a.conf:2"]


def test_files_alone_never_say_that_logs_arrive(work: Path) -> None:
    action = 'global(DefaultNetstreamDriver="gtls")\naction(type="omfwd" target="logs.example" protocol="tcp" StreamDriverMode="1")\n'
    wrote(work, **{"build/web01/etc/rsyslog.conf": action, "build/web01/etc/hostname": "web01\n"})
    started(work, "rsyslog")
    result = run("--tree", "web01=build/web01", "-f", "json=-")
    assert of(result, "logs-sent-over-tls")["outcome"] == "unknown"
    assert of(result, "logs-reach-a-declared-collector")["outcome"] == "unknown"


def test_audit_rules_and_passwords_of_a_tree_fail(work: Path) -> None:
    wrote(
        work,
        **{
            "build/web01/etc/audit/rules.d/a.rules": "-b 8192\n",
            "build/web01/etc/passwd": "root:x:0:0::/root:/bin/sh\neve::1000:1000::/:/bin/sh\n",
            "build/web01/etc/group": "root:x:0:\n",
        },
    )
    result = run("--tree", "web01=build/web01", "-f", "json=-")
    rules, empty = of(result, "audit-rules-cover-privileged-actions"), of(result, "no-empty-password")
    assert (rules["outcome"], empty["outcome"]) == ("fail", "fail")
    assert rules["reasons"][0]["places"] == ["build/web01/etc/audit/rules.d/a.rules"]
    assert empty["reasons"][0]["places"] == ["build/web01/etc/passwd:2"]


def test_every_other_cause_gates(work: Path) -> None:
    (work / "build/web01/etc/ssh/sshd_config").unlink()
    (work / "build/web01/etc/ssh/sshd_config").symlink_to("/etc/ssh/sshd_config.none")
    result = run(*TREE)
    assert result.exit_code == 3
    assert findings(result)[0]["reasons"][0]["cause"]["cause"] == "unreadable"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tree", "web01"], "HOST=PATH"),
        (["--tree", "web01=nowhere"], "No such file"),
        (["--tree", "web01=empty"], "empty"),
        (["--tree", "web01=build/web01", "--tree", "web01=build"], "twice"),
        (["--tree", "web09=build/web01", "-i", "town"], "web09"),
        (["--tree", "web01=build/web01", "--limit", "web01"], "--limit"),
        (["--tree", "web01=build/web01", "--trusted", "nowhere"], "--trusted"),
        (["--tree", "web01=build/web01", "--trusted", "--output=x"], "--trusted"),
    ],
)
def test_what_is_refused(work: Path, words: list[str], said: str) -> None:
    (work / "empty" / "etc").mkdir(parents=True)
    committed()
    result = run("policies", *words)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_a_tree_of_another_host_is_not_healthy(work: Path) -> None:
    assert run("policies", "--tree", "web01=build").exit_code == 3


def test_a_change_cannot_let_itself_pass(work: Path) -> None:
    committed()
    wrote(work, **{
        "build/web01/etc/ssh/sshd_config": BAD,
        "policies/p.yaml": POLICY.replace("possible: {equals: false}", "possible: {equals: true}").replace("high", "low"),
        "town/hosts.yaml": INVENTORY.replace("192.0.2.8", "192.0.2.9"),
    })  # fmt: skip
    assert run(*TREE).exit_code == 0, "by its own word it would"
    result = run(*TREE, "-i", "town", "--trusted", "main")
    assert result.exit_code == 1
    assert findings(result)[0]["severity"] == "high"
    listed = result.stderr.splitlines()
    assert "judged is by main" in listed[0]
    assert "  control changed: ssh-root-off (severity, expect)" in listed
    assert "  host changed: web02 (address)" in listed


def test_a_decision_of_the_same_change_closes_nothing(work: Path) -> None:
    wrote(work, **{"build/web01/etc/ssh/sshd_config": BAD})
    committed()
    wrote(work, **{"town/decisions/ACC-1.yaml": ACCEPTANCE})
    result = run(*TREE, "-i", "town", "--trusted", "HEAD")
    assert (result.exit_code, findings(result)[0]["decision"]) == (1, None)
    assert "  decision added: ACC-1; it closes nothing in this change" in result.stderr.splitlines()
    assert json.loads(result.stdout)["idle_decisions"] == [], "nobody judges by it, not even to say that it is void"
