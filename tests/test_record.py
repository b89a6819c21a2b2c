"""Recorded answers made an archive: through the real parsers, the same bytes each time, and every error of them at once."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from make import ROOT

from auditor import archive
from auditor.errors import InvalidInput
from auditor.model import Failure
from auditor.store import Store

DATA = ROOT / "tests" / "data" / "replay"


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("record", ROOT / "tools" / "record.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_answers_go_through_the_real_parsers(tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a probe says of them is what the archive holds; nothing in it names the machine that made it."""
    monkeypatch.chdir(DATA)
    for name in ("one", "two"):
        tool.record(Path("answers.yaml"), ["hosts.yaml"], str(tmp_path / name), ["policies"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    kept = Store("")
    run = archive.read(tmp_path / "one", kept)
    assert [(f.subject.id, str(f.outcome)) for f in run.findings()] == [
        ("web01", "pass"), ("web02", "pass"), ("db01", "pass"), ("file01", "unknown")
    ]  # fmt: skip
    assert {type(a) for a in run.answers(3).values()} == {Failure}
    assert run.header.state == "complete" and run.header.estate == "hosts.yaml"
    assert str(ROOT) not in json.dumps([run.header.digests, *(c.source for c in run.controls.values())], default=dict)
    kept.close()


def test_a_recorded_case_of_a_probe_is_taken(tool: Any, tmp_path: Path) -> None:
    """A file with `answers`, by its path beside the answers."""
    case = ROOT / "tests" / "probes" / "backups" / "expected.yaml"
    (tmp_path / "hosts.yaml").write_text("all: {hosts: {web01: {}}}\n")
    (tmp_path / "answers.yaml").write_text(f"at: 2026-11-18T11:06:40Z\nhosts: {{web01: {{backups: '{case}'}}}}\n")
    tool.record(
        tmp_path / "answers.yaml", [str(tmp_path / "hosts.yaml")], str(tmp_path / "run"), [str(DATA / "policies")]
    )
    kept = Store("")
    (finding,) = archive.read(tmp_path / "run", kept).findings()
    assert finding.outcome == "pass"
    kept.close()


def test_all_that_is_wrong_is_said_at_once(tool: Any, tmp_path: Path) -> None:
    """Hosts and probes that are none, answers that lack, a moment that is none; and nothing is written."""
    (tmp_path / "hosts.yaml").write_text("all: {hosts: {web01: {}, web02: {}}}\n")
    (tmp_path / "answers.yaml").write_text(
        "at: yesterday\nhosts:\n  web01:\n    bakups: {}\n    backups: {tools: {stdout: x}, tool: {}}\n  web09: {}\n"
    )
    with pytest.raises(InvalidInput) as caught:
        tool.record(
            tmp_path / "answers.yaml", [str(tmp_path / "hosts.yaml")], str(tmp_path / "run"), [str(DATA / "policies")]
        )
    said = str(caught.value)
    for words in ("`at` is a moment", "no probe 'bakups'", "asks no 'tool'", "no answer to 'repositories'", "no host 'web09'",
                  "nothing is recorded for web02"):  # fmt: skip
        assert words in said
    assert not (tmp_path / "run").exists()


def test_what_most_hosts_answer_is_said_once(tool: Any, tmp_path: Path) -> None:
    """By platform, with each host's own name and address; its own answers win, and what nobody recorded was not asked."""
    case = (ROOT / "tests" / "probes" / "backups" / "expected.yaml").read_text("utf-8")
    (tmp_path / "usual.yaml").write_text(case.replace("web01", "@host@"))
    (tmp_path / "hosts.yaml").write_text("all: {hosts: {web01: {}, web02: {}, web03: {}, db01: {}}}\n")
    (tmp_path / "answers.yaml").write_text(
        "at: 2026-11-18T11:06:40Z\nunrecorded: {failure: not_asked}\nusual: {linux: {backups: usual.yaml}}\nhosts:\n"
        '  web01: {}\n  web02: {backups: {repositories: {stdout: "end\\n"}}}\n'
        "  web03: {any: [usual.yaml, {tools: {failure: timeout}}]}\n  db01: {failure: unreachable}\n"
    )
    places = [str(tmp_path / "hosts.yaml")], str(tmp_path / "run"), [str(DATA / "policies")]
    tool.record(tmp_path / "answers.yaml", *places)
    kept = Store("")
    run = archive.read(tmp_path / "run", kept)
    assert [str(f.outcome) for f in run.findings()] == ["pass", "fail", "unknown", "unknown"]
    said = [a.stdout.decode() for a in run.answers(0).values() if not isinstance(a, Failure)]
    assert any("name web01" in text for text in said)
    kept.close()
    (tmp_path / "answers.yaml").write_text(
        "at: 2026-11-18T11:06:40Z\nunrecorded: {failure: not_asked}\nhosts: {web01: {}, web02: {}, web03: {}, db01: {}}\n"
    )
    tool.record(tmp_path / "answers.yaml", *places)
    kept = Store("")
    assert {f.reasons[0].cause.cause for f in archive.read(tmp_path / "run", kept).findings()} == {"not_asked"}
    kept.close()
