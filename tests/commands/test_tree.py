"""`auditor run --tree` and `--trusted`: what a change may do, and what it may not."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from lxml import etree

from auditor.cli import main
from auditor.commands import inputs

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


DOCS = Path(__file__).parents[2] / "docs/writing-a-probe.md"
ACCOUNTS = {
    "passwd": "root:x:0:0::/root:/bin/sh\n",
    "group": "root:x:0:\nsudo:x:27:\n",
    "sudoers": "root ALL=(ALL:ALL) ALL\n",
}
ACCEPTANCE = (
    (Path(__file__).parents[2] / "inventories" / "demo" / "decisions" / "ACC-2026-003.yaml")
    .read_text()
    .replace("ACC-2026-003", "ACC-1")
    .replace("[antivirus-or-edr-running, antivirus-or-edr-fresh]", "[ssh-root-off]")
)
TREE = ("policies", "--tree", "web01=build/web01", "-f", "json=-")


def test_what_only_a_host_can_tell_does_not_gate(work: Path) -> None:
    wrote(work, **{f"build/web01/etc/{name}": text for name, text in ACCOUNTS.items()})
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


def touched(result: Result) -> set[tuple[str, ...]]:
    """What the change does to what judges it: kind, how, name, and what of it."""
    told = json.loads(result.stdout)["run"]["trusted"]["touched"]
    return {(one["kind"], one["how"], one["name"], *one.get("what", ())) for one in told}


# ---------------------------------------------------------------- who is left out


def test_with_a_trusted_side_a_host_without_files_was_not_asked(work: Path) -> None:
    """Whoever writes the command could leave a host out."""
    committed()
    assert run(*TREE, "-i", "town").exit_code == 0, "by hand, whoever names one host means that one"
    result = run(*TREE, "-i", "town", "--trusted", "main")
    assert result.exit_code == 3
    told = {f["subject"]["id"]: f for f in findings(result)}
    assert (told["web01"]["outcome"], told["web02"]["outcome"], told["web02"]["gates"]) == ("pass", "unknown", True)
    assert told["web02"]["reasons"][0]["cause"] == {"cause": "not_asked", "detail": "no --tree gives its files"}
    said = run("policies", *TREE[1:3], "-i", "town", "--trusted", "main", "--lang", "fr", "--details").stdout
    assert "aucun --tree ne donne ses fichiers" in said
    both = run(*TREE, "--tree", "web02=build/web01", "-i", "town", "--trusted", "main")
    assert (both.exit_code, json.loads(both.stdout)["run"]["limit"]) == (0, "")


def test_a_host_that_the_change_takes_from_the_estate_is_asked_for(work: Path) -> None:
    committed()
    wrote(work, **{"town/hosts.yaml": INVENTORY[: INVENTORY.index("    web02")]})
    assert run(*TREE, "-i", "town", "--trusted", "main").exit_code == 3


def test_a_limit_says_which_hosts_are_meant(work: Path) -> None:
    committed()
    result = run(*TREE, "-i", "town", "--trusted", "main", "--limit", "web01")
    assert (result.exit_code, {f["subject"]["id"] for f in findings(result)}) == (0, {"web01"})
    assert json.loads(result.stdout)["run"]["limit"] == "web01"
    result = run(*TREE, "-i", "town", "--trusted", "main", "--limit", "web02")
    assert (result.exit_code, "--limit leaves it out" in result.stderr) == (2, True)


def test_of_what_files_can_tell_nothing_of_none_are_asked_for(work: Path) -> None:
    """A printer that nobody connects to, and Windows, of which no probe reads files."""
    places = (
        "  web01: {perimeter: town}\n  web02: {perimeter: town, platform: other, connection: none, why: a printer}\n"
    )
    more = "    pc1: {ansible_connection: winrm, ansible_host: 192.0.2.9}\n"
    town = (
        "entities: [{id: T, name: T}]\nauditing_entity: T\nperimeters: [{id: town, owner: T, kind: shared}]\nhosts:\n"
    )
    wrote(
        work,
        **{"town/hosts.yaml": INVENTORY + more, "town/estate.yaml": f"{town}{places}  pc1: {{perimeter: town}}\n"},
    )
    committed()
    result = run(*TREE, "-i", "town", "--trusted", "main")
    assert (result.exit_code, result.stderr, {f["subject"]["id"] for f in findings(result)}) == (0, "", {"web01"})


def test_a_host_without_files_is_no_old_debt(work: Path) -> None:
    """Also where the reference told nothing of it."""
    referenced(work)
    wrote(work, **{"build/web01/etc/ssh/sshd_config": GOOD})
    words = [w for w in AGAINST if w not in ("--limit", "web01")]
    assert run(*words).exit_code == 3
    assert run(*AGAINST).exit_code == 0


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
    assert touched(result) == {
        ("control", "changed", "ssh-root-off", "severity", "expect"),
        ("host", "changed", "web02", "address"),
        ("file", "changed", "policies/p.yaml"),
        ("file", "changed", "town/hosts.yaml"),
    }
    trusted = json.loads(result.stdout)["run"]["trusted"]
    assert (trusted["ref"], len(trusted["commit"])) == ("main", 40)


def test_what_a_change_touches_stands_first_and_apart(work: Path) -> None:
    committed()
    wrote(work, **{"policies/p.yaml": POLICY.replace("high", "low")})
    formats = [f"-f{name}=report.{name}" for name in ("text", "html", "junit", "sarif", "codequality", "json")]
    result = run("policies", "--tree", "web01=build/web01", "--trusted", "main", *formats)
    assert result.exit_code == 0, "it changes no exit code"
    told = {name: (work / f"report.{name}").read_text() for name in ("text", "html", "junit", "sarif", "codequality")}
    said = "control changed: ssh-root-off (severity)"
    assert said in told["text"].splitlines()[2]
    assert "THIS CHANGE TOUCHES WHAT IT IS JUDGED BY (2)" in told["text"].splitlines()[1]
    assert told["html"].index(said) < told["html"].index('id="verdict"')
    suite = etree.fromstring(told["junit"].encode())[0]
    assert (suite.get("name"), suite.get("skipped"), suite.get("failures")) == ("run:trusted", "2", "0")
    assert suite.find("testcase/skipped").get("message") == said
    first, second, *_ = json.loads(told["sarif"])["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert (first["descriptor"]["id"], second["message"]["text"]) == ("trusted", said)
    entry, file, *_ = json.loads(told["codequality"])
    assert (entry["description"], entry["severity"], file["location"]["path"]) == (said, "info", "policies/p.yaml")
    jsonschema.validate(json.loads((work / "report.json").read_text()), inputs.static_schema("run"))


def test_that_nothing_is_touched_is_said_too(work: Path) -> None:
    committed()
    told = run("policies", "--tree", "web01=build/web01", "--trusted", "main").stdout.splitlines()
    assert told[1].startswith("Judged is by main (") and "touches nothing" in told[1]


def test_a_stored_run_keeps_what_judged_it(work: Path) -> None:
    committed()
    wrote(work, **{"policies/p.yaml": POLICY.replace("high", "low")})
    given = ["policies", "--tree", "web01=build/web01", "--trusted", "main", "--store", "runs.db", "--lang", "en"]
    CliRunner().invoke(main, ["run", *given])
    CliRunner().invoke(main, ["export", "1", "one.auditor", "--store", "runs.db"])
    for words in (["--store", "runs.db"], ["one.auditor", "--store", "none"]):
        told = CliRunner().invoke(main, ["report", *words, "--lang", "en"])
        assert "control changed: ssh-root-off (severity)" in told.stdout, told.stderr


def test_a_decision_of_the_same_change_closes_nothing(work: Path) -> None:
    wrote(work, **{"build/web01/etc/ssh/sshd_config": BAD})
    committed()
    wrote(work, **{"town/decisions/ACC-1.yaml": ACCEPTANCE})
    result = run(*TREE, "-i", "town", "--trusted", "HEAD")
    assert (result.exit_code, findings(result)[0]["decision"]) == (1, None)
    assert ("decision", "added", "ACC-1") in touched(result)
    assert json.loads(result.stdout)["idle_decisions"] == [], "nobody judges by it, not even to say that it is void"


# ---------------------------------------------------------------- what a hostile change tries

AGAINST = (*TREE, "-i", "town", "--trusted", "main", "--limit", "web01", "--against", "reference.json")


def referenced(work: Path) -> None:
    """main, with the audit of it as the reference."""
    committed()
    assert run(*TREE[:-1], "json=reference.json", "-i", "town").exit_code == 0
    git("add", "-A")
    git("commit", "-qm", "reference")
    wrote(work, **{"build/web01/etc/ssh/sshd_config": BAD})


def test_the_reference_is_the_trusted_one(work: Path) -> None:
    referenced(work)
    run(*TREE[:-1], "json=reference.json", "-i", "town")
    assert run(*TREE, "-i", "town", "--against", "reference.json").exit_code == 0, "by its own word it is old debt"
    result = run(*AGAINST)
    assert result.exit_code == 1
    assert ("reference", "changed", "reference.json") in touched(result)


@pytest.mark.parametrize("target", ["/dev/null", "bad.json", "../bad.json"])
def test_a_reference_that_became_a_link_is_the_trusted_one(work: Path, target: str) -> None:
    referenced(work)
    run(*TREE[:-1], "json=bad.json", "-i", "town")
    (work.parent / "bad.json").write_text((work / "bad.json").read_text())
    (work / "reference.json").unlink()
    (work / "reference.json").symlink_to(target)
    result = run(*AGAINST)
    assert result.exit_code == 1, result.stderr
    assert touched(result) & {("reference", "changed", "reference.json"), ("reference", "removed", "reference.json")}


def test_a_reference_that_the_change_removes_counts_all_the_same(work: Path) -> None:
    referenced(work)
    (work / "reference.json").unlink()
    result = run(*AGAINST)
    assert (result.exit_code, ("reference", "removed", "reference.json") in touched(result)) == (1, True)


def test_a_reference_that_only_the_change_has_is_refused(work: Path) -> None:
    committed()
    wrote(work, **{"build/web01/etc/ssh/sshd_config": BAD})
    run(*TREE[:-1], "json=reference.json", "-i", "town")
    result = run(*AGAINST)
    assert (result.exit_code, "reference.json is not there" in result.stderr) == (2, True)


def test_no_file_is_taken_for_the_latest_audit(work: Path) -> None:
    """A change could bring a file of that name."""
    store = ["--store", "runs.db"]
    run(*TREE, "-i", "town", *store)
    wrote(work, **{"build/web01/etc/ssh/sshd_config": BAD})
    run(*TREE[:-1], "json=latest", "-i", "town")
    assert run(*TREE, "-i", "town", *store, "--against", "latest").exit_code == 1


def test_a_folder_that_became_a_link_is_the_trusted_one(work: Path) -> None:
    """Also where the link leads to a folder that the trusted side has."""
    lax = POLICY.replace("possible: {equals: false}", "possible: {equals: true}")
    wrote(work, **{"lax/p.yaml": lax, "lax/measures.yaml": (work / "policies/measures.yaml").read_text()})
    committed()
    wrote(work, **{"build/web01/etc/ssh/sshd_config": BAD})
    (work / "policies").rename(work / "was")
    (work / "policies").symlink_to("lax")
    for policies in ("policies", str(work / "policies")):
        result = run(policies, *TREE[1:], "--trusted", "main")
        assert result.exit_code == 1, result.stderr
        assert ("control", "changed", "ssh-root-off", "expect") in touched(result)


def test_where_the_repository_is_reached_by_a_link_both_sides_are_one(work: Path) -> None:
    committed()
    (work.parent / "way").symlink_to(work)
    result = run(str(work.parent / "way/policies"), *TREE[1:], "--trusted", "main")
    assert (result.exit_code, touched(result)) == (0, set()), result.stderr


SITE_PROBE = re.search(r"file: probes/motd.py -->\n```python\n(.*?)```", DOCS.read_text(), re.DOTALL)[1]


LISTING = json.dumps({"_meta": {"hostvars": {"web01": {}}}, "all": {"hosts": ["web01"]}})


def test_nothing_of_the_change_is_run(work: Path) -> None:
    """Neither its probes nor its inventory program; both are named."""
    wrote(work, **{"probes/mine.py": SITE_PROBE, "town.py": f"#!/bin/sh\necho '{LISTING}'\n"})
    (work / "town.py").chmod(0o755)
    (work / "probes").chmod(0o755)
    committed()
    wrote(work, **{"build/web01/etc/ssh/sshd_config": BAD})
    mark = f"open({str(work / 'ran')!r}, 'w')\n"
    wrote(work, **{"probes/mine.py": SITE_PROBE + mark, "town.py": f"#!/bin/sh\ntouch {work / 'ran'}\necho '{{}}'\n"})
    wrote(work, **{"decisions/ACC-1.yaml": ACCEPTANCE})
    result = run(*TREE, "-i", "town.py", "--probes", "probes", "--trusted", "main")
    assert result.exit_code == 1, result.stderr
    assert not (work / "ran").exists()
    assert touched(result) == {
        ("file", "changed", "probes/mine.py"),
        ("file", "changed", "town.py"),
        ("file", "added", "decisions/ACC-1.yaml"),
    }


def test_a_file_that_is_left_out_is_no_way_to_pass(work: Path) -> None:
    """That only a running host can tell then gates nothing by itself; what was told before, and is not now, does."""
    wrote(work, **{f"build/web01/etc/{name}": text for name, text in ACCOUNTS.items()})
    referenced(work)
    wrote(work, **{"build/web01/etc/ssh/sshd_config.d/00-urgent.conf": BAD})
    (work / "build/web01/etc/ssh/sshd_config").unlink()
    result = run(*AGAINST)
    assert (result.exit_code, findings(result)[0]["change"]) == (3, "unmeasured")
    run(*AGAINST, "-f", "junit=report.xml")
    told = {e.getparent().get("name") for e in etree.parse(work / "report.xml").iter("error")}
    assert told >= {"every-check-told", "every-host-reached"}


def test_a_host_of_which_files_told_nothing_did_not_pass(work: Path) -> None:
    (work / "build/web01/etc/ssh/sshd_config").unlink()
    wrote(
        work,
        **{
            "build/web01/etc/sudoers": "root ALL=(ALL:ALL) ALL\n",
            "build/web01/etc/ssh/sshd_config.d/00-urgent.conf": BAD,
        },
    )
    result = run(*TREE)
    assert (result.exit_code, findings(result)[0]["outcome"]) == (3, "unknown")


@pytest.mark.parametrize("made", [("tag", "origin/main"), ("branch", "origin/main"), ("tag", "main")])
def test_a_reference_of_two_meanings_is_refused(work: Path, made: tuple[str, str]) -> None:
    """A tag comes before a branch, and a branch before that of a remote: whoever may push could make one."""
    committed()
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    wrote(work, **{"policies/p.yaml": POLICY.replace("high", "low")})
    git("commit", "-qam", "lax")
    git(*made)
    result = run(*TREE, "--trusted", made[1])
    assert (result.exit_code, "more than one reference" in result.stderr) == (2, True), result.stderr
    assert run(*TREE, "--trusted", "refs/remotes/origin/main").exit_code == 0


def test_an_object_that_stands_in_for_another_is_not_looked_at(work: Path) -> None:
    committed()
    first = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    wrote(work, **{"policies/p.yaml": POLICY.replace("high", "low")})
    git("commit", "-qam", "lax")
    git("replace", first, "HEAD")
    result = run(*TREE, "--trusted", first)
    assert findings(result)[0]["severity"] == "high"


def test_a_reference_that_was_cut_is_refused(work: Path) -> None:
    run(*TREE[:-1], "json=reference.json", "-i", "town")
    lines = (work / "reference.json").read_text().splitlines(keepends=True)
    for kept in (lines[:-1], lines[:-3], lines[: len(lines) // 2]):
        (work / "reference.json").write_text("".join(kept))
        result = run(*TREE, "-i", "town", "--against", "reference.json")
        assert (result.exit_code, "reference.json" in result.stderr) == (2, True), result.stderr
