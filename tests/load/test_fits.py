"""The quick answer to whether a document has its shape never says yes where jsonschema says no."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from auditor import shelves
from auditor.commands import inputs
from auditor.load import yaml
from auditor.load.fits import fits
from auditor.load.policy_schema import policy_schema

ROOT = Path(__file__).resolve().parents[2]
POLICY = policy_schema(shelves.probes())
SCHEMAS = {"policy": POLICY, **{name: inputs.static_schema(name) for name in inputs.STATIC_SCHEMAS}}
POLICIES = sorted(p for p in (ROOT / "policies").rglob("*.yaml") if p.name != "measures.yaml")
MEASURES = sorted((ROOT / "policies").rglob("measures.yaml"))
DECISIONS = sorted((ROOT / "inventories/demo/decisions").glob("*.yaml"))
ESTATE = ROOT / "inventories/demo/estate.yaml"

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([1.0, 0.5, -2.0]) | st.sampled_from(
    ["", "a", "ab", "$a", "$host.zone.vlan", "2026-01-01", "logging", "/etc", "low", "équipe", "a\n"]
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "en", "fr", "kind"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def value_of(path: Path) -> Any:
    return yaml.load(path).value


@pytest.mark.parametrize("path", POLICIES, ids=lambda p: p.stem)
def test_what_is_shipped_is_told_at_once(path: Path) -> None:
    """A keyword that is not known here would send every run the long way."""
    assert fits(value_of(path), POLICY)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_keyword_of_our_schemas_is_known(name: str) -> None:
    for schema in _inside(SCHEMAS[name]):
        for value in ({"a": 1}, {}, ["a"], "a", 1, None):
            alone = {**schema, "definitions": SCHEMAS[name].get("definitions", {})}
            assert fits(value, alone) is Draft7Validator(alone).is_valid(value), (schema, value)


def _inside(schema: Any) -> list[dict[str, Any]]:
    """The schemas in a schema that say something else than those before."""
    found: dict[str, dict[str, Any]] = {}

    def walk(one: Any) -> None:
        if isinstance(one, dict) and {"type", "enum", "const", "if", "$ref", "pattern", "allOf", "anyOf"} & set(one):
            said = {k: v for k, v in one.items() if k not in ("description", "definitions", "$schema")}
            found.setdefault(json.dumps(said, sort_keys=True)[:400], said)
        for inner in one.values() if isinstance(one, dict) else one if isinstance(one, list) else ():
            walk(inner)

    walk(schema)
    return list(found.values())[:60]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in _places(one, (*path, key)))]


def _changed(value: Any, place: tuple[Any, ...], how: str, new: Any) -> Any:
    value = copy.deepcopy(value)
    if not place:
        return new
    at = value
    for step in place[:-1]:
        at = at[step]
    if how == "drop":
        del at[place[-1]]
    elif how == "add" and isinstance(at[place[-1]], dict):
        at[place[-1]]["another"] = new
    elif how == "add" and isinstance(at[place[-1]], list):
        at[place[-1]].append(new)
    else:
        at[place[-1]] = new
    return value


def _one_control(path: Path) -> list[Any]:
    whole = value_of(path)
    return [{**whole, "controls": [control]} for control in whole["controls"]]


DOCUMENTS = [
    *(("policy", one) for path in POLICIES for one in _one_control(path)),
    *(("measures", {**(whole := value_of(path)), "measures": whole["measures"][:2]}) for path in MEASURES),
    *((value["kind"], value) for path in DECISIONS if (value := value_of(path))["kind"] in SCHEMAS),
    ("estate", value_of(ESTATE)),
]


@given(st.data())
def test_a_document_that_was_changed_fits_only_where_jsonschema_says_so(data: st.DataObject) -> None:
    name, document = data.draw(st.sampled_from(DOCUMENTS))
    place = data.draw(st.sampled_from(_places(document)))
    how = data.draw(st.sampled_from(["set", "drop", "add"]))
    changed = _changed(document, place, how, data.draw(values))
    assert fits(changed, SCHEMAS[name]) is Draft7Validator(SCHEMAS[name]).is_valid(changed)


def _schemas() -> st.SearchStrategy[Any]:
    names = st.sampled_from(["a", "b", "en"])
    number = st.integers(0, 3)
    kinds = st.sampled_from(["string", "object", "array", "boolean", "number", "integer", "null"])
    simple = {
        "type": kinds | st.lists(kinds, min_size=1, max_size=3, unique=True),
        "const": scalars,
        "enum": st.lists(scalars, min_size=1, max_size=3),
        "pattern": st.sampled_from(["^a", "b$", r"^\$[a-z]"]),
        **dict.fromkeys(("minLength", "minimum", "maximum", "minItems", "maxItems", "minProperties"), number),
        "required": st.lists(names, max_size=2, unique=True),
        "uniqueItems": st.booleans(),
        "not": st.just({"type": "string"}),
        "patternProperties": st.just({"^a": {"type": "string"}}),
        "$ref": st.sampled_from(["#/definitions/one", "#/definitions/two"]),
    }
    leaf = st.fixed_dictionaries({}, optional=simple) | st.booleans()

    def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        nested = {
            "properties": st.dictionaries(names, inner, max_size=3),
            "dependencies": st.dictionaries(names, inner | st.lists(names, unique=True, max_size=2), max_size=2),
            **dict.fromkeys(("additionalProperties", "items", "propertyNames", "if", "then", "else"), inner),
            **dict.fromkeys(("allOf", "anyOf", "oneOf"), st.lists(inner, min_size=1, max_size=2)),
        }
        return st.fixed_dictionaries({}, optional={**simple, **nested})

    return st.recursive(leaf, deeper, max_leaves=5)


@given(_schemas(), values)
def test_of_any_schema_it_says_yes_only_where_jsonschema_does(schema: Any, value: Any) -> None:
    definitions = {"one": {"type": "string"}, "two": {"minLength": 1, "minItems": 1}}
    whole = {"allOf": [schema], "definitions": definitions}
    assert not fits(value, whole) or Draft7Validator(whole).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"const": 1}},
        {"oneOf": [{"const": 1}]},
        {"if": {"not": {}}, "then": False},
        {"if": {"patternProperties": {"^a": True}, "additionalProperties": False}, "then": False},
        {"const": {"a": 1}},
        {"$ref": "#/properties/a"},
        {"items": [{"type": "string"}]},
    ],
)
@pytest.mark.parametrize("value", [1, {"a": 1}, ["x"], "x"])
def test_what_is_not_known_here_is_never_taken_as_well_formed(schema: Any, value: Any) -> None:
    whole = {"properties": {"a": {"const": 1}}, **schema}
    assert not fits(value, whole) or Draft7Validator(whole).is_valid(value)
