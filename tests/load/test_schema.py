"""Schema problems: in words, with their place, all of them; numbers where text is asked are that text."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.load import schema, yaml


def problems(text: str, wanted: dict[str, Any]) -> list[str]:
    document = yaml.parse(text.encode(), "f.yaml")
    return [str(p) for p in sorted(schema.problems(document, wanted))]


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def test_every_problem_has_its_place_and_its_words() -> None:
    """Unknown, missing, mistyped, empty and ill-formed: each at its line and column."""
    wanted = {
        **object_of(
            name={"type": "string", "minLength": 1},
            severity={"enum": ["low", "high"]},
            days={"type": "integer"},
            day={"type": "string", "pattern": "^[0-9-]{10}$", "examples": ["2027-02-20"]},
        ),
        "required": ["name", "other"],
    }
    text = "name: ''\nseverity: hihg\ndays: many\nday: soon\nnaem: x\n"
    assert problems(text, wanted) == [
        "f.yaml:1:1: lacks 'other'",
        "f.yaml:1:7: is empty",
        "f.yaml:2:11: the text 'hihg' is not one of low, high; did you mean 'high'?",
        "f.yaml:3:7: must be a whole number, not the text 'many'",
        "f.yaml:4:6: the text 'soon' has not the right form, for example 2027-02-20",
        "f.yaml:5:1: unknown key 'naem'; did you mean 'name'?",
    ]


def test_a_long_list_is_not_printed_beside_a_suggestion() -> None:
    wanted = {"type": "object", "properties": {"probe": {"enum": [f"p_{n:03}" for n in range(40)] + ["ssh_logins"]}}}
    assert problems("probe: ssh_login\n", wanted) == [
        "f.yaml:1:8: the text 'ssh_login' is not known; did you mean 'ssh_logins'?"
    ]
    (listed,) = problems("probe: zzzzzz\n", wanted)
    assert "is not one of p_000, " in listed and listed.endswith("ssh_logins")


def test_a_number_where_text_is_asked_is_that_text() -> None:
    """`id: 9.10` is the text 9.10, not the number 9.1."""
    document = yaml.parse(b"id: 9.10\nall: [1, 2.0]\n", "f.yaml")
    wanted = object_of(id={"type": "string"}, all={"type": "array", "items": {"type": "string"}})
    assert schema.problems(document, wanted) == []
    assert document.value == {"id": "9.10", "all": ["1", "2.0"]}


def test_the_text_of_a_number_must_still_have_the_right_form() -> None:
    """A number is not a way around the form that a text must have."""
    date = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2027-02-20"]}
    assert problems("day: 2027\n", object_of(day=date)) == [
        "f.yaml:1:6: the text '2027' has not the right form, for example 2027-02-20"
    ]
    assert problems("word: 5\n", object_of(word={"type": "string", "enum": ["a"]})) != []


def test_a_long_text_is_cut_in_the_message() -> None:
    """A message stays a line, whatever was written."""
    assert len(problems(f"a: {'x' * 5000}\n", object_of(a={"type": "integer"}))[0]) < 200


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{a: ''}", "is empty"),
        ("{a: ab}", "needs at least 5 characters"),
        ("{b: []}", "is empty"),
        ("{b: [1]}", "needs at least 2 elements"),
    ],
)
def test_what_is_too_short_is_not_called_empty(text: str, says: str) -> None:
    wanted = {"properties": {"a": {"type": "string", "minLength": 5}, "b": {"type": "array", "minItems": 2}}}
    assert [p.message for p in schema.problems(yaml.parse(text.encode(), "f.yaml"), wanted)] == [says]
