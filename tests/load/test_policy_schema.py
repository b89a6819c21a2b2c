"""The policy schema follows from the probes: what a probe does not tell cannot be expected of it."""

from __future__ import annotations

import jsonschema
from make import ARGUMENTS, make_derived, make_probe

from auditor.load.policy_schema import policy_schema
from auditor.operators import LIST_OPERATORS, OPERATORS

PROBES = {"sample": make_probe(arguments=ARGUMENTS), "folded": make_derived()}


def test_it_is_a_schema_and_knows_every_probe() -> None:
    """It is valid draft-07 and lists the probes that exist."""
    made = policy_schema(PROBES)
    jsonschema.Draft7Validator.check_schema(made)
    assert made["definitions"]["control"]["properties"]["probe"]["enum"] == ["folded", "sample"]


def test_one_schema_does_not_change_another() -> None:
    """The schema made for a site's probes leaves the shipped one as it is."""
    first = policy_schema(PROBES)
    policy_schema({"another": make_probe()})
    assert first["definitions"]["control"]["properties"]["probe"]["enum"] == ["folded", "sample"]


def test_operators_are_offered_where_they_can_answer() -> None:
    """A number has bounds, a text has patterns, a list has quantifiers; nothing has what can only be a mismatch."""
    made = policy_schema(PROBES)
    offered = made["definitions"]["expect.sample"]["properties"]
    assert "at_least" in offered["days"]["properties"]
    assert "matches" not in offered["days"]["properties"]
    assert "at_least" not in offered["name"]["properties"]
    assert set(offered["names"]["properties"]) == {*LIST_OPERATORS, "contains", "absent", "present"}
    every = offered["accounts"]["properties"]["every"]
    inner = made["definitions"][every["$ref"].removeprefix("#/definitions/")] if "$ref" in every else every
    assert {"account", "days"} <= set(inner["properties"]) <= {"account", "days", "any_of", "all_of"}
    assert all(set(one["properties"]) <= {*OPERATORS, *LIST_OPERATORS} for n, one in offered.items() if "_of" not in n)


def test_an_empty_expect_is_refused() -> None:
    """A control that asks for nothing would always pass."""
    expect = policy_schema(PROBES)["definitions"]["expect.sample"]
    assert expect["minProperties"] == 1
    assert all(one["minProperties"] == 1 for name, one in expect["properties"].items() if "_of" not in name)
    assert all(expect["properties"][name]["minItems"] == 1 for name in ("any_of", "all_of"))
