"""Operators: true, false and unknown, a row each; nothing is coerced and nothing is raised."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Partial, Unknown
from auditor.operators import OPERATORS, count

MISMATCH = Unknown("type_mismatch")
LATER = Unknown("no_privilege")
INF, NAN = float("inf"), float("nan")

ROWS: list[tuple[str, Any, Any, bool | Unknown]] = [
    ("equals", "a", "a", True),
    ("equals", "a", "b", False),
    ("equals", 1, 1.0, True),
    ("equals", None, "a", False),
    ("equals", True, 1, MISMATCH),
    ("equals", 1, True, MISMATCH),
    ("equals", "1", 1, MISMATCH),
    ("equals", "true", True, MISMATCH),
    ("equals", [1], 1, MISMATCH),
    ("equals", INF, INF, MISMATCH),
    ("not_equals", "a", "b", True),
    ("not_equals", "a", "a", False),
    ("not_equals", None, "a", False),
    ("not_equals", "1", 1, MISMATCH),
    ("one_of", "a", ["a", "b"], True),
    ("one_of", "c", ["a", "b"], False),
    ("one_of", "c", [], False),
    ("one_of", None, ["a"], False),
    ("one_of", 1, [True], MISMATCH),
    ("one_of", 1, ["1", 1], True),
    ("one_of", "a", "abc", MISMATCH),
    ("one_of_any_case", "TOWN\\JDupont", ["town\\jdupont"], True),
    ("one_of_any_case", "jdupont", ["JDurand"], False),
    ("one_of_any_case", None, ["a"], False),
    ("one_of_any_case", 1, ["1"], MISMATCH),
    ("one_of_any_case", "a", "abc", MISMATCH),
    ("none_of", "c", ["a", "b"], True),
    ("none_of", "a", ["a", "b"], False),
    ("none_of", None, ["a"], False),
    ("none_of", 1, ["1"], MISMATCH),
    ("at_least", 5, 5, True),
    ("at_least", 4.9, 5, False),
    ("at_least", None, 5, False),
    ("at_least", "5", 5, MISMATCH),
    ("at_least", True, 0, MISMATCH),
    ("at_least", INF, 5, MISMATCH),
    ("at_least", NAN, 5, MISMATCH),
    ("at_least", 10**400, 1.5, True),
    ("at_most", 5, 5, True),
    ("at_most", 5.1, 5, False),
    ("at_most", None, 5, False),
    ("at_most", "5", 5, MISMATCH),
    ("at_most", -INF, 5, MISMATCH),
    ("matches", "abc", "^a", True),
    ("matches", "abc", "^b", False),
    ("matches", None, ".*", False),
    ("matches", 5, "5", MISMATCH),
    ("matches", "5", 5, MISMATCH),
    ("matches", "5", ["5"], MISMATCH),
    ("matches", "5", "(", MISMATCH),
    ("contains", ["a", "b"], "a", True),
    ("contains", ["a"], "b", False),
    ("contains", ["a", "b"], ["a", "b"], True),
    ("contains", ["a"], ["a", "b"], False),
    ("contains", [1], True, False),
    ("contains", "abc", "b", True),
    ("contains", "abc", ["a", "d"], False),
    ("contains", "abc", 1, MISMATCH),
    ("contains", None, "a", False),
    ("contains", 5, 5, MISMATCH),
    ("contains", Partial(("a",), LATER), "a", True),
    ("contains", Partial(("a",), LATER), "b", LATER),
    ("contains", Partial((), LATER), "b", LATER),
    ("contains", ["a", LATER], "b", LATER),
    ("contains", ["a", LATER], "a", True),
    ("absent", None, True, True),
    ("absent", "", True, False),
    ("absent", [], True, False),
    ("absent", Partial((), LATER), True, False),
    ("present", "", True, True),
    ("present", None, True, False),
]


@pytest.mark.parametrize(("name", "observed", "wanted", "expected"), ROWS)
def test_an_operator_is_true_false_or_unknown(name: str, observed: Any, wanted: Any, expected: bool | Unknown) -> None:
    """Each operator answers as its row says, and a mismatch of types is unknown, never a pass or a fail."""
    answer = OPERATORS[name].test(observed, wanted)
    assert (answer.cause if isinstance(answer, Unknown) else answer) == getattr(expected, "cause", expected)
    assert type(answer) is type(expected)


def test_every_operator_has_its_rows() -> None:
    """No operator is without a row that is true and one that is false; all but those on anything have an unknown."""
    for name in OPERATORS:
        answers = [e for n, _, _, e in ROWS if n == name]
        assert True in answers, name
        assert False in answers, name
        assert name in ("absent", "present") or any(isinstance(a, Unknown) for a in answers), name


@pytest.mark.parametrize("name", [n for n in OPERATORS if n != "absent"])
def test_null_meets_only_absent(name: str) -> None:
    """What was looked for and is not there meets no operator but `absent`."""
    assert OPERATORS[name].test(None, [1] if name.endswith("_of") else True) is False


def test_a_hostile_text_cannot_hold_a_pattern() -> None:
    """A pattern that would take for ever on a host's text is unknown within a second."""
    begun = time.monotonic()
    answer = OPERATORS["matches"].test("a" * 45 + "b", "^(a|aa)+$")
    assert isinstance(answer, Unknown)
    assert answer.cause == "regex_timeout"
    assert time.monotonic() - begun < 5


COUNTS: list[tuple[Any, dict[str, Any], bool | Unknown]] = [
    ([1, 2], {"at_least": 2}, True),
    ([1, 2], {"at_least": 3}, False),
    ([1, 2], {"at_least": 1, "at_most": 1}, False),
    ([], {"equals": 0}, True),
    ([LATER], {"equals": 1}, True),
    ([1], {"at_least": "1"}, MISMATCH),
    ([1], {"at_least": ["a"]}, MISMATCH),
    (Partial((1, 2), LATER), {"at_least": 2}, True),
    (Partial((1, 2), LATER), {"at_least": 3}, LATER),
    (Partial((1, 2), LATER), {"at_most": 2}, LATER),
    (Partial((1, 2), LATER), {"at_most": 1}, False),
    (Partial((1, 2), LATER), {"equals": 2}, LATER),
    (Partial((1, 2), LATER), {"equals": 1}, False),
    (Partial((), LATER), {"equals": 0}, LATER),
    (Partial((1, 2), LATER), {"at_least": 5, "at_most": 1}, False),
    (Partial((1, 2), LATER), {"at_least": ["a"]}, MISMATCH),
]


@pytest.mark.parametrize(("observed", "bounds", "expected"), COUNTS)
def test_a_count_knows_what_an_incomplete_list_proves(observed: Any, bounds: dict[str, Any], expected: Any) -> None:
    """An incomplete list has at least what it shows, and false wins over unknown whatever the order of the bounds."""
    for given_bounds in (bounds, dict(reversed(bounds.items()))):
        answer = count(observed, given_bounds)
        assert (answer.cause if isinstance(answer, Unknown) else answer) == getattr(expected, "cause", expected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
FACT = JSON | st.lists(JSON | st.just(LATER), max_size=4) | st.builds(Partial, st.tuples(JSON, JSON), st.just(LATER))


@pytest.mark.parametrize("name", OPERATORS)
@given(observed=FACT, wanted=JSON)
def test_no_operator_raises(name: str, observed: Any, wanted: Any) -> None:
    """Whatever stands on either side, the answer is true, false or Unknown, never an exception."""
    assert isinstance(OPERATORS[name].test(observed, wanted), bool | Unknown)


@given(observed=st.lists(JSON), bounds=st.dictionaries(st.sampled_from(["at_least", "at_most", "equals"]), JSON))
def test_no_count_raises(observed: list[Any], bounds: dict[str, Any]) -> None:
    """Nor does a count, whatever its bounds stand for."""
    for items in (observed, Partial(tuple(observed), LATER)):
        assert isinstance(count(items, bounds), bool | Unknown)
