"""The shipped policies: they load, say everything in two languages, and lean on measures that exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from make import ROOT, SCHEMAS, schema

from auditor import shelves
from auditor.load import policies
from auditor.load.policy_schema import policy_schema
from auditor.model import Control

FOLDER = ROOT / "policies"
FILES = sorted(p for p in FOLDER.rglob("*.yaml") if p.name != policies.MEASURES)


def load(path: Path) -> policies.Policies:
    return policies.load([path], policies.Schemas(policy_schema(shelves.probes()), schema("measures")))


@pytest.fixture(scope="module")
def controls() -> tuple[Control, ...]:
    return load(FOLDER).controls


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_shipped_policy_loads_by_itself(file: Path) -> None:
    """A file alone is a policy, and says for editors which schema it follows."""
    assert load(file).controls
    first, _, _ = file.read_text("utf-8").partition("\n")
    assert first == "# yaml-language-server: $schema=../../auditor/schemas/policy.schema.json"


def test_all_of_them_load_together(controls: tuple[Control, ...]) -> None:
    """No control is given twice."""
    assert len({c.id for c in controls}) == len(controls) > 0


def test_every_text_is_said_in_both_languages(controls: tuple[Control, ...]) -> None:
    """Why and fix are sentences, a title is none; the two languages are not the same text."""
    for control in controls:
        for words in (control.title, control.why, control.fix):
            assert set(words) == {"en", "fr"}, control.id
            assert words["en"] != words["fr"], control.id
            assert all(one == one.strip() and "\n" not in one.strip() for one in words.values()), control.id
        assert not any(one.endswith((".", ":", "!")) for one in control.title.values()), control.id
        for words in (control.why, control.fix):
            assert all(one.endswith(".") for one in words.values()), control.id


def test_every_control_has_references_and_a_measure(controls: tuple[Control, ...]) -> None:
    """What else asks the same, and which article it serves."""
    measures = load(FOLDER).measures
    for control in controls:
        assert control.references, control.id
        assert all(control.references.values()), control.id
        assert measures[control.measure].quote, control.id


def test_the_packaged_schema_is_the_one_that_is_printed() -> None:
    """`make schema` writes what `auditor schema policy` prints."""
    packaged = json.loads((SCHEMAS / "policy.schema.json").read_text("utf-8"))
    assert packaged == json.loads(json.dumps(policy_schema(shelves.probes())))
