"""The measures say what the convention says, in its own words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parent.parent
CONVENTION = ROOT / "tests" / "data" / "convention"
SCHEMA: dict[str, Any] = json.loads((ROOT / "auditor" / "schemas" / "measures.schema.json").read_text("utf-8"))
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "policies" / "convention" / "measures.yaml").read_text("utf-8"))
MEASURES: list[dict[str, Any]] = DOCUMENT["measures"]
BY_ID = {m["id"]: m for m in MEASURES}


def spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def text_of(article: str) -> str:
    number = article.removeprefix("art. ").partition(".")[0]
    return spaced((CONVENTION / f"convention-article-{number}.txt").read_text("utf-8"))


def names(measure: dict[str, Any]) -> str:
    return str(measure["id"])


def test_the_file_keeps_its_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    errors = [f"{list(e.absolute_path)}: {e.message}" for e in jsonschema.Draft7Validator(SCHEMA).iter_errors(DOCUMENT)]
    assert not errors


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(MEASURES)


@pytest.mark.parametrize("measure", MEASURES, ids=names)
def test_a_quote_is_verbatim(measure: dict[str, Any]) -> None:
    assert measure["quote"] in text_of(measure["article"])


@pytest.mark.parametrize("measure", MEASURES, ids=names)
def test_words_cited_as_the_source_of_a_number_are_verbatim(measure: dict[str, Any]) -> None:
    for parameter in measure.get("parameters", {}).values():
        if "ANSSI" in parameter["source"]:
            continue
        for words in re.findall(r"« (.+?) »", parameter["source"]):
            assert words in text_of(measure["article"])


@pytest.mark.parametrize(
    ("measure", "parameters"),
    [
        ("log-retention", {"target_days": 335, "limit_days": 300, "longest_days": 395, "longest_limit_days": 1095}),
        ("log-local-buffer", {"target_days": 7}),
        ("log-time-sync", {"target_seconds": 0.1, "limit_seconds": 1}),
        ("prot-av-fresh", {"target_days": 3, "limit_days": 7}),
        ("bcp-rpo-24h", {"target_hours": 26, "limit_hours": 48}),
        ("bcp-offsite", {"target_hours": 48, "limit_hours": 72}),
    ],
)
def test_parameters_that_the_shipped_controls_name(measure: str, parameters: dict[str, float]) -> None:
    assert {name: p["value"] for name, p in BY_ID[measure]["parameters"].items()} == parameters


def test_every_technical_requirement_of_the_five_bullets_is_there() -> None:
    bullets = [
        line for line in (CONVENTION / "convention-article-5.txt").read_text("utf-8").splitlines() if line[:1] == "-"
    ]
    assert len(bullets) == 5
    for bullet in bullets:
        assert any(m["quote"] in bullet and m["force"] != "derived" for m in MEASURES)


@pytest.mark.parametrize("schema", list(SCHEMA["definitions"].values()), ids=list(SCHEMA["definitions"]))
def test_the_schema_describes_every_property(schema: dict[str, Any]) -> None:
    assert schema["description"]
    assert all(p.get("description") for p in schema.get("properties", {}).values())
    assert not {"oneOf", "anyOf"} & set(schema)


@pytest.mark.parametrize("policy", ["network", "backup"])
def test_controls_name_measures_and_parameters_that_exist(policy: str) -> None:
    written = yaml.safe_load((ROOT / "policies" / "convention" / f"{policy}.yaml").read_text("utf-8"))
    for control in written["controls"]:
        measure = BY_ID[control["measure"]]
        judged = json.dumps([control["expect"], control.get("tolerate", {}), control.get("concerns", {})])
        for name in re.findall(r"\$([a-z_.-]+)", judged):
            assert name.partition(".")[0] in ("hosts", "host") or name in measure["parameters"]
        for field in ("title", "why", "fix"):
            assert all(control[field][lang].strip() for lang in ("en", "fr"))
