"""Operators: an observed fact and a wanted value in, true, false or Unknown out; each with its sentence. Pure.

An operator never coerces: text is not a number, true is not 1. `null` ("looked, not there") meets only `absent`.
Unknown facts never reach an operator: expectations.py stops them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import regex

from auditor.model import Partial, Unknown

REGEX_TIMEOUT_S = 0.5  # the text comes from an audited, possibly hostile, host


def N_(message: str) -> str:
    """Marks a sentence for the catalogues; translated where it is printed."""
    return message


@dataclass(frozen=True, slots=True)
class Operator:
    """`takes` is the JSON Schema of the wanted value; `$name` parameters are allowed beside it."""

    name: str
    sentence: str
    takes: dict[str, Any]
    on: tuple[str, ...]  # JSON Schema types of the facts it reads
    test: Callable[[Any, Any], bool | Unknown]


OPERATORS: dict[str, Operator] = {}

SCALAR = {"type": ["string", "number", "boolean"]}
SCALARS = {"type": "array", "items": SCALAR, "minItems": 1}
ANY_SCALAR = ("string", "integer", "number", "boolean")


def operator(
    sentence: str, takes: dict[str, Any], on: tuple[str, ...] = ANY_SCALAR
) -> Callable[[Callable[[Any, Any], bool | Unknown]], Callable[[Any, Any], bool | Unknown]]:
    def register(test: Callable[[Any, Any], bool | Unknown]) -> Callable[[Any, Any], bool | Unknown]:
        name = test.__name__
        OPERATORS[name] = Operator(name, sentence, takes, on, test)
        return test

    return register


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number" if isinstance(value, int) or math.isfinite(value) else "no number"
    return "text" if isinstance(value, str) else type(value).__name__


def _mismatch(observed: Any, wanted: Any) -> Unknown:
    return Unknown("type_mismatch", f"{_kind(observed)} / {_kind(wanted)}")


def _same(observed: Any, wanted: Any) -> bool | Unknown:
    if _kind(observed) != _kind(wanted) or _kind(observed) == "no number":
        return _mismatch(observed, wanted)
    return bool(observed == wanted)


def _among(observed: Any, wanted: list[Any]) -> bool | Unknown:
    if not isinstance(wanted, list | tuple):
        return _mismatch(observed, wanted)
    answers = [_same(observed, w) for w in wanted]
    if any(a is True for a in answers):
        return True
    return next((a for a in answers if isinstance(a, Unknown)), False)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _not(answer: bool | Unknown) -> bool | Unknown:
    return answer if isinstance(answer, Unknown) else not answer


@operator(N_("{wanted}"), SCALAR)
def equals(observed: Any, wanted: Any) -> bool | Unknown:
    return observed is not None and _same(observed, wanted)


@operator(N_("anything but {wanted}"), SCALAR)
def not_equals(observed: Any, wanted: Any) -> bool | Unknown:
    return observed is not None and _not(_same(observed, wanted))


@operator(N_("one of {wanted}"), SCALARS)
def one_of(observed: Any, wanted: Any) -> bool | Unknown:
    return observed is not None and _among(observed, wanted)


@operator(N_("one of {wanted}, in upper or lower case"), SCALARS)
def one_of_any_case(observed: Any, wanted: Any) -> bool | Unknown:
    """For names that a system takes in any case, as Windows does with accounts."""
    folded = [_folded(w) for w in wanted] if isinstance(wanted, list | tuple) else wanted
    return observed is not None and _among(_folded(observed), folded)


@operator(N_("none of {wanted}"), SCALARS)
def none_of(observed: Any, wanted: Any) -> bool | Unknown:
    return observed is not None and _not(_among(observed, wanted))


@operator(N_("at least {wanted}"), {"type": "number"}, on=("integer", "number"))
def at_least(observed: Any, wanted: Any) -> bool | Unknown:
    if observed is None:
        return False
    if _kind(observed) != "number" or _kind(wanted) != "number":
        return _mismatch(observed, wanted)
    return bool(observed >= wanted)


@operator(N_("at most {wanted}"), {"type": "number"}, on=("integer", "number"))
def at_most(observed: Any, wanted: Any) -> bool | Unknown:
    if observed is None:
        return False
    if _kind(observed) != "number" or _kind(wanted) != "number":
        return _mismatch(observed, wanted)
    return bool(observed <= wanted)


@operator(N_("text matching {wanted}"), {"type": "string", "format": "regex"}, on=("string",))
def matches(observed: Any, wanted: Any) -> bool | Unknown:
    if observed is None:
        return False
    if not isinstance(observed, str) or not isinstance(wanted, str):
        return _mismatch(observed, wanted)
    try:
        return regex.search(wanted, observed, timeout=REGEX_TIMEOUT_S) is not None
    except TimeoutError:
        return Unknown("regex_timeout", wanted)
    except regex.error as error:  # lint finds those that a policy writes; a parameter may hold another
        return Unknown("type_mismatch", f"{wanted}: {error}")


@operator(N_("containing {wanted}"), {"type": ["string", "number", "boolean", "array"]}, on=("string", "array"))
def contains(observed: Any, wanted: Any) -> bool | Unknown:
    """A list holds the value, or all of several values; a text holds the text."""
    if observed is None:
        return False
    wanted_all = wanted if isinstance(wanted, list | tuple) else [wanted]
    if isinstance(observed, str):
        if not all(isinstance(w, str) for w in wanted_all):
            return _mismatch(observed, wanted)
        return all(w in observed for w in wanted_all)
    items = observed.items if isinstance(observed, Partial) else observed
    if not isinstance(items, list | tuple):
        return _mismatch(observed, wanted)
    unseen = next(
        (i for i in items if isinstance(i, Unknown)), observed.missing if isinstance(observed, Partial) else None
    )
    known = [i for i in items if not isinstance(i, Unknown)]
    if all(any(_same(i, w) is True for i in known) for w in wanted_all):
        return True
    return unseen if unseen is not None else False


@operator(N_("absent"), {"const": True})
def absent(observed: Any, wanted: Any) -> bool | Unknown:
    return observed is None


@operator(N_("present"), {"const": True})
def present(observed: Any, wanted: Any) -> bool | Unknown:
    return observed is not None


def count(observed: Any, bounds: Mapping[str, Any]) -> bool | Unknown:
    """How many elements a list has, against `at_least`, `at_most` or `equals`; an incomplete list has at least what it shows."""
    answers = [_bound(observed, name, wanted) for name, wanted in bounds.items()]
    if any(a is False for a in answers):
        return False
    return next((a for a in answers if isinstance(a, Unknown)), True)


def _bound(observed: Any, name: str, wanted: Any) -> bool | Unknown:
    if not isinstance(observed, Partial):
        return OPERATORS[name].test(len(observed), wanted)
    seen = len(observed.items)
    if _kind(wanted) != "number":
        return _mismatch(seen, wanted)
    told = seen >= wanted if name == "at_least" else seen > wanted
    return OPERATORS[name].test(seen, wanted) if told else observed.missing


LIST_OPERATORS = {
    "every": N_("every element meets: {wanted}"),
    "any": N_("at least one element meets: {wanted}"),
    "none": N_("no element meets: {wanted}"),
    "count": N_("number of elements: {wanted}"),
}
GROUP_OPERATORS = {
    "any_of": N_("at least one of: {wanted}"),
    "all_of": N_("all of: {wanted}"),
}
