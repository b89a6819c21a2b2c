"""Replays, archives and what may be done with them, from the command line."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from make import ACCEPTED, ESTATE_YAML, POLICY_YAML, schema, site, write

from auditor.cli import main


def invoke(tmp_path: Path, *words: str, store: str = "") -> Result:
    words = (*words, "--store", store or str(tmp_path / "runs.db"))
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


@pytest.fixture
def audited(tmp_path: Path) -> Path:
    """This machine, as the host web01 of an estate, audited once by a site's own probe: 200 days."""
    host = "all: {hosts: {web01: {ansible_connection: local, ansible_host: localhost}}}\n"
    write(tmp_path / "town", hosts=host, estate=ESTATE_YAML)
    result = invoke(tmp_path, "run", *site(tmp_path, "echo 200"), "-i", str(tmp_path / "town"))
    assert result.exit_code == 1, result.output
    write(tmp_path / "lenient", measures=(tmp_path / "policies" / "measures.yaml").read_text("utf-8"),
          sample=POLICY_YAML.replace("$target_days", "100"))  # fmt: skip
    return tmp_path


def replay(tmp_path: Path, *words: str) -> tuple[int, dict[str, Any]]:
    result = invoke(tmp_path, "replay", *words, "--probes", str(tmp_path / "probes"), "-f", "json")
    assert result.stderr == ""
    document = json.loads(result.stdout)
    jsonschema.Draft7Validator(schema("run")).validate(document)
    return result.exit_code, document


def outcomes(document: dict[str, Any]) -> list[str]:
    return [f["outcome"] for f in document["findings"]]


def test_without_more_it_is_the_run_again(audited: Path) -> None:
    """The same id and findings; it says of which audit it is."""
    stored = json.loads(invoke(audited, "report", "1", "-f", "json").stdout)
    code, told = replay(audited, "1")
    assert (code, told["findings"], told["hosts"]) == (1, stored["findings"], stored["hosts"])
    header, before = dict(told["run"]), dict(stored["run"])
    of = header.pop("replay")
    assert (of["number"], of["id"], of["started"]) == (1, before["id"], before["started"])
    assert before.pop("replay") is None
    assert header == before


def test_other_policies_estates_and_days(audited: Path) -> None:
    """Each changes what it is about, and asks nobody."""
    assert outcomes(replay(audited, "latest", str(audited / "lenient"))[1]) == ["pass"]
    write(audited / "decided", hosts=(audited / "town" / "hosts.yaml").read_text(), estate=ESTATE_YAML)
    write(audited / "decided", **ACCEPTED)
    words = ("latest", str(audited / "policies" / "sample.yaml"), "-i", str(audited / "decided"))
    code, told = replay(audited, *words, "--as-of", "2027-01-01")
    assert (code, told["findings"][0]["decision"]["id"]) == (0, "ACC-1")
    code, told = replay(audited, *words, "--as-of", "2100-01-01")
    assert (code, told["findings"][0]["decision"], told["run"]["as_of"]) == (1, None, "2100-01-01")


def test_what_a_replay_changes_is_told_against_the_run(audited: Path) -> None:
    """A policy that expects otherwise makes no host better or worse."""
    code, told = replay(audited, "latest", str(audited / "lenient"), "--against", "latest")
    assert code == 0
    assert {kind: count for kind, count in told["since"]["counts"].items() if count} == {"changed": 1}


def test_every_report_says_that_it_is_a_replay(audited: Path) -> None:
    """In the language, and with the moment of the evidence."""
    files = {name: str(audited / name) for name in ("text", "html", "junit", "sarif")}
    words = [w for name, file in files.items() for w in ("-f", f"{name}={file}")]
    probes = ("--probes", str(audited / "probes"))
    assert invoke(audited, "replay", "1", *words, *probes, "--lang", "fr").exit_code == 1
    for name, file in files.items():
        assert "REJEU : aucune machine" in Path(file).read_text("utf-8").replace("\u00a0", " "), name
    assert invoke(audited, "replay", "1", "-f", f"html={files['html']}", "--audience", "elus", *probes).exit_code == 1
    page = Path(files["html"]).read_text("utf-8")
    assert "REPLAY: no host was asked" in page and "web01" not in page


def test_an_archive_needs_no_store(audited: Path) -> None:
    """Exported for its owner alone; replayed, reported and compared elsewhere, to the same bytes."""
    file = audited / "run.auditor"
    assert invoke(audited, "export", "latest", str(file)).exit_code == 0
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    probes = ("--probes", str(audited / "probes"))
    from_file = invoke(audited, "replay", str(file), *probes, "-f", "json", store="none")
    from_store = invoke(audited, "replay", "1", *probes, "-f", "json")
    assert from_file.stdout == from_store.stdout
    report = invoke(audited, "report", str(file), "-f", "json", store="none")
    assert report.stdout == invoke(audited, "report", "1", "-f", "json").stdout
    same = invoke(audited, "diff", str(file), "1")
    assert (same.exit_code, "nothing changed" in same.stdout) == (0, True)
    assert not (audited / "none").exists()


def test_a_replay_is_kept_when_asked_to_be(audited: Path) -> None:
    """Beside the run, and never the latest."""
    words = ("latest", str(audited / "lenient"), "--keep", "-f", f"text={audited}/x")
    result = invoke(audited, "replay", *words, "--probes", str(audited / "probes"))
    assert result.exit_code == 0, result.output
    runs = [line.split("\t") for line in invoke(audited, "list", "runs").stdout.splitlines()]
    assert [(run[0], run[2]) for run in runs] == [("2", "complete, replay of 1"), ("1", "complete")]
    assert json.loads(invoke(audited, "report", "-f", "json").stdout)["run"]["number"] == 1
    assert outcomes(json.loads(invoke(audited, "report", "2", "-f", "json").stdout)) == ["pass"]
    result = invoke(audited, "replay", "1", "--keep", store="none")
    assert (result.exit_code, "--keep" in result.stderr) == (2, True)


def test_a_narrowed_run_stays_narrow(tmp_path: Path) -> None:
    """Also where another estate is given: hosts that it was not about are no gap of it."""
    hosts = "all: {hosts: {web01: {ansible_connection: local, ansible_host: localhost}, db01: {}}}\n"
    write(tmp_path / "town", hosts=hosts, estate=ESTATE_YAML)
    invoke(tmp_path, "run", *site(tmp_path), "-i", str(tmp_path / "town"), "--limit", "web01")
    for words in ((), ("-i", str(tmp_path / "town"))):
        code, told = replay(tmp_path, "1", *words)
        assert (code, told["run"]["limit"], outcomes(told)) == (0, "web01", ["pass"])
        assert (told["run"]["hosts_expected"], told["run"]["hosts_inventoried"]) == (1, 2)
        assert told["coverage"] == []


def test_what_a_run_lacks_is_said(audited: Path) -> None:
    """Policies that have gone; a store of before, without the estate; a JSON report in the place of an archive."""
    with sqlite3.connect(audited / "runs.db") as db:
        db.execute("UPDATE run SET inputs = NULL")
    probes = ("--probes", str(audited / "probes"))
    old = invoke(audited, "replay", "1", *probes)
    assert (old.exit_code, "give the estate with -i" in old.stderr) == (2, True)
    assert replay(audited, "1", "-i", str(audited / "town"))[0] == 1
    (audited / "policies" / "sample.yaml").rename(audited / "policies" / "gone")
    gone = invoke(audited, "replay", "1", *probes, "-i", str(audited / "town"))
    assert (gone.exit_code, "name the policies to judge it by" in gone.stderr) == (2, True)
    invoke(audited, "report", "1", "-f", f"json={audited}/a.json")
    document = invoke(audited, "replay", str(audited / "a.json"))
    assert (document.exit_code, "`auditor export RUN FILE`" in document.stderr) == (2, True)
    assert "no run '7'" in invoke(audited, "export", "7", str(audited / "x")).stderr
    assert not (audited / "x").exists()


def test_a_damaged_snapshot_is_said(audited: Path) -> None:
    """With -i the run can still be judged."""
    with sqlite3.connect(audited / "runs.db") as db:
        db.execute("UPDATE inputs SET body = x'00'")
    probes = ("--probes", str(audited / "probes"))
    assert "give an estate with -i" in invoke(audited, "replay", "1", *probes).stderr
    assert replay(audited, "1", "-i", str(audited / "town"))[0] == 1


def test_a_file_that_is_no_archive_is_refused_by_every_command(audited: Path) -> None:
    """With exit code 2, in one line that names the file."""
    odd = audited / "odd.auditor"
    odd.write_bytes(gzip.compress(b"hello\n"))
    for words in (("replay", str(odd)), ("report", str(odd)), ("diff", str(odd), "1"), ("export", str(odd), "-")):
        result = invoke(audited, *words)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"{odd}: this is no archive") and result.stderr.count("\n") == 1
