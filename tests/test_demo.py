"""The demonstration: its archive is what its answers make, its story is told whole, and nothing in it is real."""

from __future__ import annotations

import gzip
import importlib.util
import ipaddress
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from make import ROOT

from auditor.cli import main
from auditor.decision_words import IDLE_WORDS

FOLDER = ROOT / "inventories" / "demo"
ARCHIVE = ROOT / "inventories" / "demo.auditor"
ANSWERS = ROOT / "tests" / "data" / "demo"
GOLDEN = ROOT / "tests" / "golden" / "demo.txt"
AGAIN = "`make demo` makes it anew, then read the difference"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The run document of `auditor replay demo`."""
    out = tmp_path_factory.mktemp("demo") / "demo.json"
    result = CliRunner().invoke(
        main, ["replay", "demo", "-f", f"json={out}", "--store", "none"], catch_exceptions=False
    )
    assert result.exit_code == 1
    return json.loads(out.read_text("utf-8"))


def test_the_archive_is_made_of_its_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By anybody, line by line; how gzip packs them differs between its releases."""
    spec = importlib.util.spec_from_file_location("record", ROOT / "tools" / "record.py")
    assert spec and spec.loader
    record = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(record)
    monkeypatch.chdir(ROOT)
    record.record(Path("tests/data/demo/answers.yaml"), ["inventories/demo"], str(tmp_path / "demo"), ["policies"])
    made, kept = (gzip.decompress(p.read_bytes()).decode().splitlines() for p in (tmp_path / "demo", ARCHIVE))
    assert [one[:300] for one in made if one not in set(kept)] == [], AGAIN
    assert made == kept, AGAIN


def test_each_host_comes_to_what_the_story_says(told: Any) -> None:
    """All that is not a pass: outcome, the decision beside it, those that do not stand."""
    counts: dict[str, int] = {}
    rows = []
    for one in told["findings"]:
        subject, outcome = one["subject"]["id"], one["outcome"]
        if outcome == "pass":
            counts[subject] = counts.get(subject, 0) + 1
        elif outcome:
            beside = [one["decision"]["id"]] if one.get("decision") else []
            beside += [f"target adapted: {one['adapted']}"] if one.get("adapted") else []
            beside += [f"{s['id']} does not stand: {s['code']}" for s in one.get("suspended", ())]
            cause = [r["cause"]["cause"] for r in one["reasons"] if r.get("cause")][:1] if outcome == "unknown" else []
            rows.append("  ".join([subject, outcome, one["control"], *cause, *beside]))
    table = [*rows, "", *(f"{subject}  pass  {count}" for subject, count in counts.items())]
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text("\n".join(table) + "\n", "utf-8")
    assert GOLDEN.read_text("utf-8").splitlines() == table, AGAIN


def test_every_kind_and_every_reason_code_is_shown(told: Any) -> None:
    """A decision of each kind stands beside something, and each code is said of one."""
    beside = [one["decision"] for one in (*told["findings"], *told["coverage"]) if one.get("decision")]
    assert {one["kind"] for one in beside} == {"acceptance", "adaptation", "exemption"}
    assert {(one["status"], one["late"]) for one in told["actions"]} >= {
        ("open", "pass"), ("open", "warn"), ("open", "fail"), ("done", "pass")
    }  # fmt: skip
    said = _said(told)
    assert {code for _, code in said} == {code.partition("/")[0] for code in IDLE_WORDS}
    assert {one["what"] for one in told["to_do"]} == {"decide", "communicate"}


def _said(told: Any) -> set[tuple[str, str]]:
    """(decision, code), of what does not hold and of what does not stand beside a finding."""
    suspended = ((s["id"], s["code"]) for one in told["findings"] for s in one.get("suspended", ()))
    return {*((one["id"], one["code"]) for one in told["idle_decisions"]), *suspended}


def test_the_table_of_the_readme_is_the_story(told: Any) -> None:
    """Each decision of the folder stands there with the code that is said of it, each host with what it shows."""
    text = (FOLDER / "README.md").read_text("utf-8")
    rows = {
        (one, code)
        for cells in re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
        for one in re.findall(r"`((?:ACC|ADA|EXE|ACT)-\d{4}-\d{3})`", cells.partition(" | ")[0])
        for code in re.findall(r"`(R-[A-Z]+)`", cells) or [""]
    }
    said = _said(told)
    files = {path.stem for path in (FOLDER / "decisions").glob("*.yaml")}
    assert rows == said | {(one, "") for one in files - {name for name, _ in said}}
    hosts = {one["host"] for one in told["hosts"]}
    assert hosts <= set(re.findall(r"`([a-z][a-z0-9-]+)`", text))


def test_nothing_real_is_named() -> None:
    """Neither the bodies of the convention nor an address or name that somebody has."""
    texts = [p.read_text("utf-8") for folder in (FOLDER, ANSWERS) for p in folder.rglob("*") if p.is_file()]
    whole = "\n".join([*texts, "\n".join(_hosts_lines())])
    assert not re.search(r"\b(CUA|SCOTA|Arras|arrageois)\b", whole, re.IGNORECASE)
    mine = [
        ipaddress.ip_network(n)
        for n in ("10.0.0.0/8", "127.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    ]
    for found in set(re.findall(r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])", whole)):
        assert any(ipaddress.ip_address(found) in net for net in mine), found
    for domain in set(re.findall(r"\b[a-z0-9-]+\.(?:fr|com|org|net|eu)\b", whole)):
        assert domain in (), domain


def _hosts_lines() -> list[str]:
    """What the archive says of the estate; the measures quote the texts, and stay out."""
    lines = gzip.decompress(ARCHIVE.read_bytes()).decode().splitlines()
    assert not any(str(ROOT) in line for line in lines)
    return [line for line in lines if line.startswith(('{"inputs"', '{"evidence"', '{"host"'))]


def test_a_file_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`demo` is a file here: no archive, and said so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").write_text("mine")
    result = CliRunner().invoke(main, ["replay", "demo", "--store", "none"])
    assert result.exit_code == 2
    assert "no archive" in result.output
