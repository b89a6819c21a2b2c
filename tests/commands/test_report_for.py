"""`auditor report --for ENTITY` and `--against` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result
from make import schema, site, write

from auditor.cli import main

HOSTS = "all: {hosts: {front: {ansible_connection: local}, cellar-nas: {ansible_connection: local}}}\n"
ESTATE = """\
entities:
  - {id: TOWN, name: The town}
  - {id: UNION}
auditing_entity: TOWN
perimeters:
  - {id: common, owner: TOWN, kind: shared, beneficiaries: [UNION]}
  - {id: town-own, owner: TOWN, kind: exclusive}
hosts:
  front: {perimeter: common}
  cellar-nas: {perimeter: town-own}
"""


def invoke(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(
        main, [*words, "--store", str(tmp_path / "runs.db"), "--lang", "en"], catch_exceptions=False
    )


@pytest.fixture
def audited(tmp_path: Path) -> Path:
    """Two hosts of two perimeters, both this machine, audited twice; each is refused as the other."""
    folder = write(tmp_path / "town", hosts=HOSTS, estate=ESTATE)
    given = site(tmp_path, "echo 1")
    invoke(tmp_path, "run", *given, "-i", str(folder))
    invoke(tmp_path, "run", *given, "-i", str(folder), "--limit", "front")
    return tmp_path


def told(result: Result) -> dict:
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    jsonschema.validate(document, schema("run"))
    return document


def test_a_beneficiary_reads_what_is_shared_and_no_word_of_the_rest(audited: Path) -> None:
    result = invoke(audited, "report", "--for", "UNION", "-f", "json=-")
    document = told(result)
    assert [host["host"] for host in document["hosts"]] == ["front"]
    assert document["run"]["seen_by"] == "UNION"
    assert "cellar" not in result.stdout
    assert "town-own" not in result.stdout
    assert str(audited) not in json.dumps(document["run"]["estate"])
    text = invoke(audited, "report", "--for", "UNION", "--details")
    assert "as UNION may see it" in " ".join(text.stdout.split())
    assert "cellar" not in text.stdout
    assert "a host of TOWN" in text.stdout  # both answered as one machine: the other is not named


def test_the_owner_of_all_reads_all(audited: Path) -> None:
    whole, own = (told(invoke(audited, "report", *more, "-f", "json=-")) for more in ((), ("--for", "TOWN")))
    assert [f["fingerprint"] for f in whole["findings"]] == [f["fingerprint"] for f in own["findings"]]


def test_who_is_unknown_is_told_who_is_not(audited: Path) -> None:
    result = invoke(audited, "report", "--for", "UNIO")
    assert result.exit_code == 2
    assert "did you mean 'UNION'?" in result.stderr


def test_a_limited_audit_does_not_know_whose_the_others_are(audited: Path) -> None:
    result = invoke(audited, "report", "2", "--for", "UNION")
    assert result.exit_code == 2
    assert "report a whole audit" in result.stderr


def test_a_stored_run_against_another_as_each_may_see_it(audited: Path) -> None:
    document = told(invoke(audited, "report", "1", "--against", "1", "--for", "UNION", "-f", "json=-"))
    assert document["since"]["changes"] == []
    assert document["since"]["before"]["number"] == 1
    assert "nothing changed" in invoke(audited, "report", "1", "--against", "1").stdout
