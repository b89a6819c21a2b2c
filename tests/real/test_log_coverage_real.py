"""Hosts that forward to a real rsyslogd, and one `auditor run` over sshd: the collector says who is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from make import ACCEPTED, write
from namespaces import ROOT, need
from sshd import Sshd, free_port, started

from auditor.cli import main

pytestmark = [pytest.mark.root, pytest.mark.timeout(115)]

CONTROL = "recent-records-on-a-collector"
RSYSLOG = """
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="%(port)s")
template(name="tree" type="string" string="/var/log/remote/%%HOSTNAME%%/syslog.log")
*.* action(type="omfile" dynaFile="tree" template="RSYSLOG_SyslogProtocol23Format")
"""
# The collector's namespace: its own /var/log, a collecting rsyslogd, and what two hosts and a printer sent to it.
COLLECTOR = """
mount -t tmpfs none /var/log
mkdir /var/log/remote
rsyslogd -n -f %(folder)s/rsyslog.conf -i %(folder)s/rsyslogd.pid &
sent() {
  unshare -u sh -c 'echo "$1" > /proc/sys/kernel/hostname
    logger --rfc5424 --tcp --server 127.0.0.1 --port %(port)s --tag "$2" "CANARY-7"' sh "$1" "$2"
}
for host in n-127.0.0.2 n-127.0.0.1 PRINTER01; do
  for i in 1 2 3 4 5 6 7 8 9 10; do sent "$host" x && break; sleep 0.3; done
  for i in 1 2 3 4 5 6 7 8 9 10; do [ -s "/var/log/remote/$host/syslog.log" ] && break; sleep 0.3; done
  [ -s "/var/log/remote/$host/syslog.log" ]
done
mkdir /var/log/remote/n-127.0.0.4
echo "$(date -d '3 days ago' +%%Y-%%m-%%dT%%H:%%M:%%S.000000+00:00) n-127.0.0.4 x CANARY-7" > /var/log/remote/n-127.0.0.4/syslog.log
touch -d '3 days ago' /var/log/remote/n-127.0.0.4/syslog.log
"""
ESTATE = """
entities: [{id: TOWN}, {id: OTHER}]
perimeters:
  - {id: own, owner: TOWN, kind: exclusive, advised_by: OTHER}
  - {id: common, owner: TOWN, kind: shared}
signatories: [{role: mayor, entity: TOWN}]
hosts:
  all: {perimeter: own}
  log01: {perimeter: common, roles: [log-collector]}
  laptop: {availability: roaming}
  printer01: {platform: other, connection: none, why: no remote administration}
  switch01: {platform: other, connection: none, why: no remote administration}
"""
HOSTS = {"log01": 1, "web01": 2, "web02": 3, "laptop": 4}
DECIDED = {
    name: text.replace("kept-long-enough", CONTROL)
    .replace("ACC-1", "ACC-9")
    .replace("hosts: [web01]", "hosts: [switch01]")
    for name, text in ACCEPTED.items()
}


@pytest.fixture
def collector(tmp_path: Path, program: Callable[[str], str]) -> Iterator[Sshd]:
    need("rsyslogd", "logger")
    folder = tmp_path / "sshd"
    folder.mkdir()
    port = free_port()
    (folder / "rsyslog.conf").write_text(RSYSLOG % {"port": port})
    inside = COLLECTOR % {"folder": folder, "port": port}
    with started(folder, program("sshd"), program("ssh-keygen"), inside=inside) as server:
        yield server


def findings(town: Sshd, folder: Path, port: int, *words: str) -> tuple[int, dict[str, dict[str, Any]], dict[str, Any]]:
    """The exit code, the findings of the control by host, and the whole document; log01 answers on `port`."""
    reach = f"ansible_user: {town.user}, ansible_ssh_private_key_file: {town.key_file}"
    lines = [
        f"    {name}: {{ansible_host: 127.0.0.{n}, ansible_port: {port if n == 1 else town.port}, {reach}}}"
        for name, n in HOSTS.items()
    ]
    hosts = "all:\n  hosts:\n" + "\n".join([*lines, "    printer01: {}", "    switch01: {}"])
    write(folder / "town", hosts=hosts, estate=ESTATE, **DECIDED)
    os.makedirs(Path.home() / ".ssh", exist_ok=True)
    (Path.home() / ".ssh" / "known_hosts").write_text(town.known_hosts([f"127.0.0.{n}" for n in HOSTS.values()]))
    logging = str(ROOT / "policies" / "convention" / "logging.yaml")
    given = [
        "run",
        logging,
        "-i",
        str(folder / "town"),
        "-f",
        "json",
        "--store",
        "none",
        "--as-of",
        "2026-11-22",
        *words,
    ]
    result = CliRunner().invoke(main, given, catch_exceptions=False)
    document = json.loads(result.stdout)
    by_host = {f["subject"]["id"]: f for f in document["findings"] if f["control"] == CONTROL}
    return result.exit_code, by_host, document


def causes(finding: dict[str, Any]) -> list[tuple[str, str]]:
    return [(r.get("element", ""), r["cause"]["cause"]) for r in finding["reasons"] if "cause" in r]


def test_the_collector_tells_who_is_missing(collector: Sshd, tmp_path: Path, tripwires: Path) -> None:
    """Present, absent, away since days, and equipment that nobody can log in to."""
    code, told, document = findings(collector, tmp_path, collector.port)
    assert code == 1
    assert {host: f["outcome"] for host, f in told.items()} == {
        "log01": "pass",
        "web01": "pass",
        "web02": "fail",
        "laptop": "warn",
        "printer01": "pass",
        "switch01": "fail",
    }
    assert [r["element"] for r in told["web02"]["reasons"]] == ["log01"]
    assert told["web02"]["subject"] == {"kind": "host", "id": "web02", "perimeter": "own"}
    assert told["switch01"]["decision"]["id"] == "ACC-9"
    assert "CANARY-7" not in json.dumps(document)
    own = {f["control"]: f["outcome"] for f in document["findings"] if f["subject"]["id"] == "log01"}
    assert own["collected-logs-go-after-about-twelve-months"] == "pass"
    assert own["collected-records-carry-year-zone-and-fraction"] == "pass"
    assert (document["summary"]["hosts"]["expected"], document["summary"]["hosts"]["measured"]) == (6, 6)


def test_without_the_collector_nothing_is_known_of_anybody(collector: Sshd, tmp_path: Path, tripwires: Path) -> None:
    """It does not answer, or the run leaves it out."""
    code, told, _ = findings(collector, tmp_path, free_port(), "--fail-on", "never")
    assert code == 3
    assert {f["outcome"] for f in told.values()} == {"unknown"}
    assert {(f["subject"]["id"], *causes(f)) for f in told.values()} == {
        (host, ("log01", "unreachable")) for host in (*HOSTS, "printer01", "switch01")
    }
    code, told, _ = findings(collector, tmp_path, collector.port, "--limit", "web01")
    assert (list(told), causes(told["web01"])) == (["web01"], [("log01", "not_asked")])
