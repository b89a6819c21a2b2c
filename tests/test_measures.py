"""The measures say what the texts say, in their own words, and leave nothing of them out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from documents import written

from auditor.commands.explain import WORDS
from auditor.load.policies import ROOTS
from auditor.load.policy_schema import FRAMEWORKS

ROOT = Path(__file__).parent.parent
CONVENTION = ROOT / "tests" / "data" / "convention"
SCHEMA: dict[str, Any] = json.loads((ROOT / "auditor" / "schemas" / "measures.schema.json").read_text("utf-8"))
DOCUMENT: dict[str, Any] = written((ROOT / "policies" / "convention" / "measures.yaml").read_text("utf-8"))
MEASURES: list[dict[str, Any]] = DOCUMENT["measures"]
BY_ID = {m["id"]: m for m in MEASURES}
POLICIES = sorted(p for p in (ROOT / "policies" / "convention").glob("*.yaml") if p.name != "measures.yaml")
CONTROLS: list[dict[str, Any]] = [c for p in POLICIES for c in written(p.read_text("utf-8"))["controls"]]
# What is to be checked in a list: id, asked or derived, what can tell it, which decision it allows.
CATALOGUE = [line.split("\t") for line in (CONVENTION / "catalogue.tsv").read_text("utf-8").splitlines()]
REGIMES = {
    "A/B": {"shared": "adaptation", "exclusive": "acceptance"},
    "A": {"shared": "adaptation", "exclusive": "none"},
    "C": {"shared": "none", "exclusive": "none"},
    "none": {"shared": "none", "exclusive": "none"},
    "C-leg": {"shared": "statutory", "exclusive": "statutory"},
}
# How each framework writes its items; ` EE`, `*` and `~` may follow.
ITEMS = {
    "anssi_hygiene": r"[1-9]\d?(\.R)?",
    **dict.fromkeys(("anssi_bp028", "anssi_journ", "anssi_admin", "anssi_ssh", "anssi_tls", "anssi_interco"), r"R\d+"),
    "anssi_ad": r"vuln_\w+",
    "rgs": r"\d(\.\w)+|A\d",
    "cnil": r"\d+(\.\d+)?|délibération \d{4}-\d+",
    "iso27001": r"\d+(\.\d+)+",
    "iso27002": r"[5-8]\.\d+",
    "nis2": r"21\.2(\.[a-j])?|23",
    "recyf": r"\d+(\.[A-D])?\.(\d+|x)",
    "rgpd": r"\d+(\.\d+)?(\.[a-j])?|\d+-\d+",
    "cis8": r"\d+\.(\d+|x)",
}


def spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def text_of(article: str, document: str) -> str:
    """The article's words, those of its numbered part alone (5.1) where it is one."""
    number, _, part = article.removeprefix("art. ").removesuffix(" (déduit)").partition(".")
    name = number if number == "rapport" else f"article-{number}"
    text = (CONVENTION / f"{document}-{name}.txt").read_text("utf-8")
    heads = {m[1]: m.start() for m in re.finditer(rf"^{number}\.(\d)\b", text, re.MULTILINE)}
    if part:
        start = heads[part]
        return spaced(text[start : min((at for at in heads.values() if at > start), default=len(text))])
    return spaced(text[: min(heads.values(), default=len(text))])


def passages(measure: dict[str, Any]) -> list[dict[str, str]]:
    return [measure, *measure.get("also", ())]


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
    for passage in passages(measure):
        assert passage["quote"] in text_of(passage["article"], passage["document"])


@pytest.mark.parametrize("measure", MEASURES, ids=names)
def test_words_cited_as_the_source_of_a_number_are_verbatim(measure: dict[str, Any]) -> None:
    texts = [text_of(passage["article"], passage["document"]) for passage in passages(measure)]
    for parameter in measure.get("parameters", {}).values():
        source = parameter["source"]
        said = [source] if isinstance(source, str) else list(source.values())
        assert len({tuple(re.findall(r"« (.+?) »", one)) for one in said}) == 1, "both languages cite the same words"
        for words in re.findall(r"« (.+?) »", said[0]):
            assert "ANSSI" in said[0] or any(words in text for text in texts)


@pytest.mark.parametrize("measure", MEASURES, ids=names)
def test_a_source_in_one_language_says_nothing_but_the_words_of_a_text(measure: dict[str, Any]) -> None:
    """Whatever we say ourselves stands in both languages."""
    for parameter in measure.get("parameters", {}).values():
        if isinstance(parameter["source"], str):
            assert re.fullmatch(r"(ANSSI Hygiène \d+: )?« [^»]+ »", parameter["source"])


# ---------------------------------------------------------------- nothing is left out


def test_the_measures_are_those_of_the_catalogue_in_its_order() -> None:
    assert [m["id"] for m in MEASURES] == [row[0] for row in CATALOGUE]


@pytest.mark.parametrize(("id", "asked", "kinds", "regime"), CATALOGUE, ids=lambda word: word)
def test_a_measure_is_as_the_catalogue_has_it(id: str, asked: str, kinds: str, regime: str) -> None:
    measure = BY_ID[id]
    assert (measure["force"] == "derived") == (asked == "derived")
    assert measure["kind"] == kinds.split(",")
    assert measure["regime"] == REGIMES[regime]


@pytest.mark.parametrize("measure", MEASURES, ids=names)
def test_a_measure_says_who_answers_for_it_and_how_old_a_statement_may_be(measure: dict[str, Any]) -> None:
    assert measure["owner"]
    if measure["kind"] == ["attest"] and measure["force"] != "deadline":
        assert measure["parameters"][measure["period"]]["value"] > 0


# An acceptance stands on an exclusive perimeter: whoever answers there alone, or for every perimeter, can be told so.
def test_what_may_be_accepted_is_owed_on_exclusive_perimeters() -> None:
    for measure in MEASURES:
        owed = measure["owner"] in ("perimeter", "operator-everywhere")
        assert owed or measure["regime"]["exclusive"] != "acceptance", measure["id"]


# ---------------------------------------------------------------- references


def test_measures_and_controls_name_frameworks_alike() -> None:
    keys = SCHEMA["definitions"]["references"]["properties"]
    assert {key: one["description"] for key, one in keys.items()} == FRAMEWORKS
    assert set(ITEMS) == set(FRAMEWORKS)
    for control in CONTROLS:
        assert set(control.get("references", {})) <= set(FRAMEWORKS), control["id"]


@pytest.mark.parametrize("one", [*MEASURES, *CONTROLS], ids=names)
def test_an_item_of_a_framework_is_written_as_it_writes_them(one: dict[str, Any]) -> None:
    for framework, items in one.get("references", {}).items():
        marks = "( EE)?" if framework == "recyf" else ""
        for item in items:
            assert re.fullmatch(rf"({ITEMS[framework]}){marks}\*?~?", item), f"{framework}: {item}"


def test_what_was_not_verified_is_marked() -> None:
    """In measures, and in the controls that name the same item."""
    marked = {
        (m["id"], f, i.rstrip("*~"))
        for m in MEASURES
        for f, items in m.get("references", {}).items()
        for i in items
        if "*" in i
    }
    assert {(name, item) for name, framework, item in marked if framework == "cis8"} >= {
        ("iam-dormant", "5.3"), ("log-retention", "8.10"), ("log-transport", "3.10"), ("net-ngfw", "13.10"),
        ("net-host-fw", "4.4"), ("vuln-supported-os", "2.2"), ("pki-rgs", "3.10"),
    }  # fmt: skip
    for control in CONTROLS:
        for framework, items in control.get("references", {}).items():
            assert not {(control["measure"], framework, item) for item in items} & marked, control["id"]


@pytest.mark.parametrize(
    ("measure", "parameters"),
    [
        ("log-retention", {"target_days": 335, "limit_days": 300}),
        ("log-retention-max", {"target_days": 395, "limit_days": 1095}),
        ("log-local-buffer", {"target_days": 7}),
        ("log-time-sync", {"target_seconds": 0.1, "limit_seconds": 1}),
        ("prot-av-fresh", {"target_days": 3, "limit_days": 7}),
        ("bcp-rpo-24h", {"target_hours": 26, "limit_hours": 48}),
        ("bcp-offsite", {"target_hours": 48, "limit_hours": 72}),
    ],
)
def test_parameters_that_the_shipped_controls_name(measure: str, parameters: dict[str, float]) -> None:
    assert {name: BY_ID[measure]["parameters"][name]["value"] for name in parameters} == parameters


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


@pytest.mark.parametrize("field", ["force", "owner", "role"])
def test_the_schema_says_what_each_word_means(field: str) -> None:
    one = SCHEMA["definitions"]["measure"]["properties"][field]
    assert all(f"`{word}`" in one["description"] for word in one["enum"])
    assert set(one["enum"]) == set(WORDS[field])
    assert set(one["enum"]) == {m[field] for m in MEASURES if field in m}, "a word that no measure needs"


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_controls_name_measures_and_parameters_that_exist(policy: Path) -> None:
    for control in written(policy.read_text("utf-8"))["controls"]:
        measure = BY_ID[control["measure"]]
        judged = json.dumps([control["expect"], control.get("tolerate", {}), control.get("concerns", {})])
        for name in re.findall(r"\$([a-z_.-]+)", judged):
            assert name.partition(".")[0] in ROOTS or name in measure["parameters"]
        for field in ("title", "why", "fix"):
            assert all(control[field][lang].strip() for lang in ("en", "fr"))
