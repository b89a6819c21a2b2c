"""YAML: what is hostile, ambiguous or given twice is refused with its place; the rest is what was written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import InvalidInput, Problem
from auditor.load import yaml
from auditor.load.yaml import Tagged


def value(text: str | bytes) -> Any:
    return yaml.parse(text.encode() if isinstance(text, str) else text, "f.yaml").value


def problems(text: str | bytes) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        value(text)
    return caught.value.problems


def refused(text: str | bytes) -> str:
    return "\n".join(map(str, problems(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("0644", "0644"),
        ("0x1F", "0x1F"),
        ("22:30", "22:30"),
        ("2027-01-31", "2027-01-31"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("-1e999", "-1e999"),
        ("TRUE", "TRUE"),
        ("9" * 65, "9" * 65),
        ("9" * 5000, "9" * 5000),
        ("9" * 64, int("9" * 64)),
        ("true", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("0", 0),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'5'", "5"),
        ('"true"', "true"),
        ("! 5", "5"),
        ("!!str 5", "5"),
        ("|\n  5\n", "5\n"),
    ],
)
def test_a_scalar_is_text_unless_it_is_plainly_more(text: str, expected: Any) -> None:
    """Only decimal numbers, true, false and null are more than text; no number is infinite."""
    seen = value(f"a: {text}")["a"]
    assert seen == expected
    assert type(seen) is type(expected)


def test_keys_are_text_as_written() -> None:
    """A key is the text that stands there, whatever it looks like."""
    assert value("no: 1\n5: 2\n~: 3\n1.50: 4\n") == {"no": 1, "5": 2, "~": 3, "1.50": 4}


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("[" * 100_000, 1, 65, "nested deeper than 64"),
        ("{a: " * 100_000, 1, 257, "nested deeper than 64"),
        ("- " * 100_000, 1, 129, "nested deeper than 64"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "given twice (first in line 1)"),
        ("x:\n  a: 1\n  'a': 2\n", 3, 3, "given twice (first in line 2)"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        ("a:\n\tb: 1\n", 2, 1, "cannot start any token"),
        ("a: &x [*x]", 1, 8, "stands for nothing that ends before it"),
        ("- &x 1\n- &x [*x]\n", 2, 7, "stands for nothing that ends before it"),
        ("a: *x", 1, 4, "stands for nothing that ends before it"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "merge keys"),
        ("a: !!python/object:os.system x", 1, 4, "is not read here"),
        ("a: !vault x", 1, 4, "is not read here"),
        ("? [a, b]\n: 1\n", 1, 3, "a key must be text"),
        ("? {a: b}\n: 1\n", 1, 3, "a key must be text"),
        ("- &a x\n- *a : 1\n", 2, 3, "a key must be text"),
        ("a: [1, 2", 2, 1, "not YAML"),
        ("é: {é: @x}", 1, 8, "not YAML"),
        (b"a: b\nc: \xc3\xa9\xff", 2, 5, "not UTF-8"),
        ("a: b\nc: é\x07d\0\n", 2, 5, "characters are not allowed"),
        ("\0", 1, 1, "characters are not allowed"),
        (b"\xef\xbb\xbfa: \xff", 1, 4, "not UTF-8"),
        (b"\xff\xfea\x00:\x00", 1, 1, "not UTF-8"),
    ],
)
def test_what_is_not_read_is_said_with_its_place(text: str | bytes, line: int, column: int, words: str) -> None:
    """Depth, duplicates, documents, tabs, tags, aliases, merges and bytes: each at its line and column."""
    first = problems(text)[0]
    assert words in first.message
    assert (first.line, first.column) == (line, column)


def test_control_characters_are_refused() -> None:
    """A NUL or an escape in the file is no YAML, and no traceback."""
    assert "not YAML" in refused("a: \x00")
    assert "not YAML" in refused("a: \x1b[31m")


def test_aliases_count_as_what_they_stand_for() -> None:
    """A billion laughs are stopped at a million values, without the memory of them."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "more than 1000000 values" in refused("\n".join(lines))


def test_all_problems_of_a_file_come_at_once() -> None:
    """Duplicates, tags and merges are gathered, those before a fatal error too."""
    found = problems("a: 1\na: 2\nb: !x 1\n<<: 3\nc: [")
    assert [p.line for p in found] == [2, 3, 4, 6]


def test_the_first_of_two_values_is_kept_for_the_message_only() -> None:
    """A key given twice is an error whichever value would win."""
    assert "given twice" in refused("become: true\nbecome: false\n")


def test_marks_are_where_things_stand() -> None:
    """Each value and key has its own line and column, in characters."""
    document = yaml.parse("é:\n  - clé: [1, 22]\n    b: &x {c: d}\n  - *x\n".encode(), "f.yaml")
    assert document.marks[("é", 0, "clé", 1)] == (2, 14)
    assert document.key_marks[("é", 0, "b")] == (3, 5)
    assert document.marks[("é", 1)] == (4, 5)
    assert document.problem(("é", 1, "c"), "x").line == 4


def test_a_bom_is_taken_and_numbers_keep_their_text() -> None:
    """A byte order mark is no part of the first key; `9.10` can still be the text 9.10."""
    document = yaml.parse(b"\xef\xbb\xbfa: 9.10\n", "f.yaml")
    assert document.value == {"a": 9.1}
    assert document.raw == {("a",): "9.10"}


def test_allowed_tags_keep_their_text() -> None:
    """`!vault` is read, as a text with its tag, where the caller says so."""
    parsed = yaml.parse(b"a: !vault |\n  $ANSIBLE_VAULT\n", "f.yaml", frozenset({"!vault"}))
    assert parsed.value == {"a": Tagged("!vault", "$ANSIBLE_VAULT\n")}


# ---------------------------------------------------------------- files


def loaded(path: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        yaml.load(path)
    return str(caught.value)


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    """50 MB are refused without being parsed."""
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    assert "larger than 10 MiB" in loaded(path)


def test_a_device_without_an_end_is_not_read_for_ever() -> None:
    """What tells no size is read up to the limit and refused."""
    assert "larger than 10 MiB" in loaded(Path("/dev/zero"))


def test_a_folder_or_a_missing_file_is_said_so(tmp_path: Path) -> None:
    """Neither is a traceback."""
    assert "cannot be read: Is a directory" in loaded(tmp_path)
    assert "cannot be read: No such file" in loaded(tmp_path / "none.yaml")


@pytest.mark.root
def test_a_file_that_is_not_ours_is_said_so(tmp_path: Path) -> None:
    """A file that we may not read is named, without a traceback."""
    path = tmp_path / "closed.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    os.chmod(tmp_path, 0o755)
    os.seteuid(65534)
    try:
        assert "cannot be read" in loaded(path)
    finally:
        os.seteuid(0)


# ---------------------------------------------------------------- properties

SAFE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=("Cc", "Cs")), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | SAFE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SAFE, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_yaml_writes_is_read_back(given_value: Any) -> None:
    """Any value of texts, numbers, lists and mappings comes back as it was, the texts quoted."""
    text = pyyaml.safe_dump({"a": given_value}, allow_unicode=True, default_style=None)
    again = value(text)["a"]
    assert _quoted(again) == _quoted(given_value)


def _quoted(seen: Any) -> Any:
    """Keys as text: a key that YAML leaves without quotes is a text here."""
    if isinstance(seen, dict):
        return {str(k): _quoted(v) for k, v in seen.items()}
    return [_quoted(v) for v in seen] if isinstance(seen, list) else seen


@given(st.binary(max_size=200) | st.text("{}[]:,-&*!|>'\"%@`#?~\n\t ab01", max_size=60).map(str.encode))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Whatever stands in a file, it is a value or InvalidInput with a place in the file."""
    try:
        yaml.parse(data, "f.yaml")
    except InvalidInput as error:
        assert error.problems
        assert all(p.file == "f.yaml" for p in error.problems)
