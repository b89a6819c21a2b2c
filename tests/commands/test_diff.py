"""Runs compared from the command line: the store's and files', `run --against`, and references that are none."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from make import NOON, begin, schema, site, write

from auditor.cli import main
from auditor.store import Store


def invoke(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(
        main, [*words, "--store", str(tmp_path / "runs.db"), "--lang", "en"], catch_exceptions=False
    )


def audit(tmp_path: Path, text: str, *words: str) -> Result:
    """This machine, asked by one probe of the test's own what `text` prints."""
    return invoke(tmp_path, "run", *site(tmp_path, text), *words)


@pytest.fixture
def good_then_bad(tmp_path: Path) -> Path:
    assert audit(tmp_path, "echo 400", "-f", f"json={tmp_path}/good.json").exit_code == 0
    assert audit(tmp_path, "echo 1", "-f", f"json={tmp_path}/bad.json").exit_code == 1
    return tmp_path


def counts(result: Result) -> dict[str, int]:
    document = json.loads(result.stdout)
    jsonschema.validate(document, schema("diff"))
    return {kind: count for kind, count in document["counts"].items() if count}


def test_the_last_run_against_the_one_before(good_then_bad: Path) -> None:
    result = invoke(good_then_bad, "diff", "latest~1")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1].strip() == "new: 1"
    assert "NEW" in result.stdout


def test_files_are_compared_as_stored_runs_are(good_then_bad: Path) -> None:
    files = str(good_then_bad / "good.json"), str(good_then_bad / "bad.json")
    from_files = invoke(good_then_bad, "diff", *files, "-f", "json")
    from_store = invoke(good_then_bad, "diff", "1", "2", "-f", "json")
    assert json.loads(from_files.stdout) == json.loads(from_store.stdout)
    assert counts(from_files) == {"new": 1}
    backwards = invoke(good_then_bad, "diff", "2", "1", "-f", "json")
    assert (backwards.exit_code, counts(backwards)) == (0, {"resolved": 1})
    assert any("clock" in said for said in json.loads(backwards.stdout)["caveats"])


def test_latest_is_of_the_same_estate(tmp_path: Path) -> None:
    """Two estates with a host of one name in one store: what fails in the other is old there, and new here."""
    for name in ("arras", "town"):
        write(tmp_path / name, hosts="all: {hosts: {web01: {ansible_connection: local, ansible_host: localhost}}}")
    arras, town = str(tmp_path / "arras"), str(tmp_path / "town")
    assert audit(tmp_path, "echo 400", "-i", arras).exit_code == 0
    assert audit(tmp_path, "echo 3", "-i", town).exit_code == 1
    assert audit(tmp_path, "echo 3", "-i", arras, "--against", "latest").exit_code == 1
    result = invoke(tmp_path, "diff", "latest~1", "-f", "json")
    assert (result.exit_code, counts(result)) == (1, {"new": 1})
    result = invoke(tmp_path, "report", "--against", "latest~1")
    assert "against audit 1" in result.stdout
    assert audit(tmp_path, "echo 3", "-i", f"{town}/hosts.yaml", "--against", "latest").exit_code == 0


def test_an_estate_is_one_however_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another folder, as an absolute path, through a link; another estate between is none of its runs."""
    for name in ("arras", "town"):
        write(tmp_path / name, hosts="all: {hosts: {web01: {ansible_connection: local, ansible_host: localhost}}}")
    (tmp_path / "link").symlink_to(tmp_path / "town")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    assert audit(tmp_path, "echo 400", "-i", "town").exit_code == 0
    assert audit(tmp_path, "echo 3", "-i", "arras").exit_code == 1
    monkeypatch.chdir(tmp_path / "elsewhere")
    for typed in (str(tmp_path / "town"), "../town/", "../link"):
        assert audit(tmp_path, "echo 3", "-i", typed, "--against", "latest").exit_code == (1 if typed[0] == "/" else 0)
        with closing(Store(str(tmp_path / "runs.db"))) as kept:
            assert len(kept.estates()) == 2
            newest = next(kept.runs())
            before = kept.before(newest)
            assert before is not None and "arras" not in before.header.estate
            assert kept.run("latest", of="town").header.number == newest.number
    told = invoke(tmp_path, "report", "--of", f"{tmp_path}/elsewhere/../town", "-f", "json")
    assert json.loads(told.stdout)["run"]["number"] == 5
    assert "place" not in json.loads(told.stdout)["run"]


def test_latest_says_that_it_is_of_named_policies_alone(tmp_path: Path) -> None:
    """Where one of all the policies is kept beside it; nothing to a monitoring system, whose line says it already."""
    here = write(tmp_path / "town", hosts="all: {hosts: {web01: {ansible_connection: local, ansible_host: localhost}}}")
    assert audit(tmp_path, "echo 400", "-i", str(here)).exit_code == 0
    assert "policies only" not in invoke(tmp_path, "report").stderr
    with closing(Store(str(tmp_path / "runs.db"))) as kept:
        kept.finish(begin(kept, estate=str(here)), "complete", NOON, (), ())
    assert "policies only" not in invoke(tmp_path, "report").stderr
    assert audit(tmp_path, "echo 400", "-i", str(here)).exit_code == 0
    told = invoke(tmp_path, "report", "-f", "json").stderr
    assert told.startswith("latest: audit 3 is of these policies only: ") and told.endswith("; of all, audit 2\n")
    assert "latest~2: audit 1 is" in invoke(tmp_path, "diff", "latest~2").stderr
    assert invoke(tmp_path, "report", "3").stderr == ""
    assert invoke(tmp_path, "report", "-f", "nagios").stderr == ""


@pytest.mark.parametrize("part", ["hosts", "controls"])
def test_what_is_not_told_or_asked_any_more_is_no_zero(good_then_bad: Path, part: str) -> None:
    document = json.loads((good_then_bad / "good.json").read_text("utf-8"))
    assert invoke(good_then_bad, "diff", "1", "1").exit_code == 0
    document["run"]["policies"] = []
    (good_then_bad / "whole.json").write_text(json.dumps(document), "utf-8")
    (good_then_bad / "less.json").write_text(json.dumps({**document, part: [], "findings": []}), "utf-8")
    files = str(good_then_bad / "whole.json"), str(good_then_bad / "less.json")
    assert invoke(good_then_bad, "diff", *files).exit_code == 3
    (document["findings"][0])["outcome"] = "unknown"
    (good_then_bad / "less.json").write_text(json.dumps(document), "utf-8")
    assert invoke(good_then_bad, "diff", *files).exit_code == 3


def test_files_need_no_store(good_then_bad: Path) -> None:
    files = str(good_then_bad / "good.json"), str(good_then_bad / "good.json")
    result = CliRunner().invoke(main, ["diff", *files, "--store", str(good_then_bad / "none.db")])
    assert result.exit_code == 0
    assert not (good_then_bad / "none.db").exists()


def test_a_file_of_another_layout_is_read(good_then_bad: Path) -> None:
    document = json.loads((good_then_bad / "good.json").read_text("utf-8"))
    (good_then_bad / "pretty.json").write_text(json.dumps(document, indent=4), "utf-8")
    assert counts(invoke(good_then_bad, "diff", str(good_then_bad / "pretty.json"), "2", "-f", "json")) == {"new": 1}


def test_a_run_against_another_gates_what_is_new_alone(good_then_bad: Path) -> None:
    known = audit(good_then_bad, "echo 1", "--against", "latest")
    assert known.exit_code == 0
    assert "nothing changed" in known.stdout
    worse = audit(good_then_bad, "echo 1", "--against", str(good_then_bad / "good.json"))
    assert worse.exit_code == 1
    assert "NEW" in worse.stdout


def test_what_is_not_measured_any_more_is_no_pass(good_then_bad: Path) -> None:
    result = audit(good_then_bad, "exit 3", "--against", "1")
    assert result.exit_code == 3
    assert "no longer measured: 1" in result.stdout


def test_reports_say_what_is_new(good_then_bad: Path) -> None:
    junit, document = good_then_bad / "a.xml", good_then_bad / "a.json"
    words = ("-f", f"junit={junit}", "-f", f"json={document}", "--against", "1")
    assert audit(good_then_bad, "echo 1", *words).exit_code == 1
    assert "since audit 1: new" in junit.read_text("utf-8")
    told: dict[str, Any] = json.loads(document.read_text("utf-8"))
    jsonschema.Draft7Validator(schema("run")).validate(told)
    assert [f["change"] for f in told["findings"]] == ["new"]
    assert told["since"]["counts"]["new"] == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON report"),
        ("{}", "it does not say that it is one"),
        ("[1, 2]", "no JSON report"),
        ('{\n"format": "auditor-run",\n"version": 99\n}\n', "version 99 of the report"),
        ('{\n"format": "auditor-run",\n"version": 1,\n"run": {"number": "x"}\n}\n', "no JSON report"),
        ('{\n"format": "auditor-run",\n"version": 1,\n"findings": [\n{"subject":\n', "no JSON report"),
        ("[" * 100_000, "no JSON report"),
        ("\udcff", "no JSON report"),
    ],
)
def test_a_reference_that_is_none_is_said(good_then_bad: Path, text: str, says: str) -> None:
    file = good_then_bad / "odd.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    for result in (
        invoke(good_then_bad, "diff", str(file), "1"),
        audit(good_then_bad, "echo 1", "--against", str(file)),
    ):
        assert result.exit_code == 2
        assert says in result.stderr
        assert len(result.stderr) < 600


def test_a_reference_that_is_missing_is_said_before_any_host_is_asked(good_then_bad: Path) -> None:
    trace = good_then_bad / "asked"
    result = audit(good_then_bad, f"touch {trace}; echo 1", "--against", "77")
    assert result.exit_code == 2
    assert "holds no run '77' (auditor list runs)" in result.stderr
    assert not os.path.exists(trace)
    assert "holds no run 'latest~9'" in invoke(good_then_bad, "diff", "latest~9").stderr
