"""A plain value and a type in; the value of that type out, or what is wrong with it and where; and back. Pure.

For what comes from a file that somebody else may have written: a text where a number belongs is refused here, and never met
by whoever trusts the type.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

LARGEST = 2**53  # what every reader of JSON takes as a whole number
EARLIEST, LATEST = -6e10, 2.5e11  # seconds since 1970 that are a date: between the years 70 and 9890

Shape = TypeVar("Shape")
Shaper = Callable[[Any], Any]


class _Wrong(ValueError):
    """What is wrong, and where: the fields on the way to it, the innermost first."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.path: list[str] = []


def plain(value: Any) -> Any:
    """The inverse: dataclasses and mappings as dicts, lists and tuples as lists, words of an enumeration as texts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value


def shaped(wanted: type[Shape], given: Any) -> Shape:
    """A mapping becomes a dataclass, a list a tuple; an instance has its fields checked. Raises ValueError."""
    hint: Any = wanted
    try:
        value: Shape = _shaper(hint)(given)
    except _Wrong as error:
        raise ValueError(f"{'.'.join([wanted.__name__, *reversed(error.path)])} {error}") from None
    return value


def _no(given: Any) -> Any:
    raise _Wrong(f"cannot be {str(given)[:40]!r}")


@cache
def _shaper(wanted: Any) -> Shaper:
    """Made once for each type, since files hold many values of few types."""
    if is_dataclass(wanted):
        return _of_dataclass(wanted)
    origin, inside = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        return _of_union(inside)
    if origin is Literal:
        return lambda given: given if isinstance(given, str) and given in inside else _no(given)
    if origin is tuple:
        return _of_tuple(inside)
    if origin is not None and issubclass(origin, Mapping):
        return _of_mapping(inside)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return lambda given: wanted(given) if given in [*wanted] else _no(given)
    return _SCALARS.get(wanted, lambda given: given)  # Any


def _text(given: Any) -> Any:
    """A lone surrogate is no text: what it is encoded with raises a ValueError."""
    if type(given) is not str:
        return _no(given)
    if not given.isascii():
        given.encode("utf-8")
    return given


def _number(given: Any) -> Any:
    known = isinstance(given, int | float) and not isinstance(given, bool)
    return given if known and EARLIEST < given < LATEST else _no(given)


_SCALARS: Mapping[Any, Shaper] = {
    str: _text,
    float: _number,
    int: lambda given: given if type(given) is int and abs(given) <= LARGEST else _no(given),
    bool: lambda given: given if type(given) is bool else _no(given),
    bytes: lambda given: given if type(given) is bytes else _no(given),
}


def _of_union(kinds: tuple[Any, ...]) -> Shaper:
    """None and one more, or several: the first that fits."""
    empty = type(None) in kinds
    shapers = [_shaper(kind) for kind in kinds if kind is not type(None)]

    def shape(given: Any) -> Any:
        if given is None:
            return None if empty else _no(given)
        for shaper in shapers[:-1]:
            try:
                return shaper(given)
            except ValueError:
                continue
        return shapers[-1](given)

    return shape


def _of_tuple(inside: tuple[Any, ...]) -> Shaper:
    shapers = [_shaper(kind) for kind in inside if kind is not Ellipsis]
    alike = Ellipsis in inside

    def shape(given: Any) -> Any:
        if not isinstance(given, list | tuple) or not (alike or len(given) == len(shapers)):
            return _no(given)
        if alike:
            return tuple(map(shapers[0], given))
        return tuple(shaper(one) for shaper, one in zip(shapers, given, strict=True))

    return shape


def _of_mapping(inside: tuple[Any, ...]) -> Shaper:
    key, value = map(_shaper, inside)

    def shape(given: Any) -> Any:
        if not isinstance(given, Mapping):
            return _no(given)
        return {key(name): value(one) for name, one in given.items()}

    return shape


def _of_dataclass(wanted: Any) -> Shaper:
    known = {name: _shaper(hint) for name, (_, hint) in _fields(wanted).items()}
    needed = {name for name, (one, _) in _fields(wanted).items() if _needed(one)}

    def shape(given: Any) -> Any:
        if isinstance(given, wanted):
            given = {name: getattr(given, name) for name in known}
        if not isinstance(given, Mapping):
            return _no(given)
        odd = next((name for name in given if name not in known), None)
        if odd is not None:
            raise _Wrong(f"has no '{str(odd)[:40]}'; a newer auditor may have written it")
        lacking = sorted(needed - given.keys())
        if lacking:
            raise _Wrong(f"lacks '{lacking[0]}'")
        return wanted(**_shaped_each(known, given))

    return shape


def _shaped_each(known: Mapping[str, Shaper], given: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    name = ""
    try:
        for name, value in given.items():
            made[name] = known[name](value)
    except _Wrong as error:
        error.path.append(name)
        raise
    return made


def _needed(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


@cache
def _fields(wanted: Any) -> Mapping[str, tuple[Field[Any], Any]]:
    hints = get_type_hints(wanted)
    return {one.name: (one, hints[one.name]) for one in fields(wanted)}
