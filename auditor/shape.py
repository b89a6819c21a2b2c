"""A plain value and a type in; the value of that type out, or what is wrong with it and where; and back. Pure.

For what comes from a file that somebody else may have written: a text where a number belongs is refused here, and never met
by whoever trusts the type.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

LARGEST = 2**53  # what every reader of JSON takes as a whole number
EARLIEST, LATEST = -6e10, 2.5e11  # seconds since 1970 that are a date: between the years 70 and 9890

Shape = TypeVar("Shape")


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
    value: Shape = _shaped(wanted, given, wanted.__name__)
    return value


def _shaped(wanted: Any, given: Any, where: str) -> Any:
    if wanted is Any or wanted is object:
        return given
    if is_dataclass(wanted):
        return _dataclass(wanted, given, where)
    origin, inside = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        return _one_of(inside, given, where)
    if origin is Literal:
        return given if given in inside else _wrong(where, given)
    if origin is tuple:
        return _tuple(inside, given, where)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(inside, given, where)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted(given)
    return _scalar(wanted, given, where)


def _wrong(where: str, given: Any) -> Any:
    raise ValueError(f"{where} cannot be {str(given)[:40]!r}")


def _scalar(wanted: Any, given: Any, where: str) -> Any:
    if wanted is float and isinstance(given, int | float) and not isinstance(given, bool):
        return given if EARLIEST < given < LATEST else _wrong(where, given)
    if type(given) is not wanted or (wanted is int and abs(given) > LARGEST):
        return _wrong(where, given)
    if wanted is str:
        given.encode("utf-8")  # a lone surrogate is no text; the UnicodeEncodeError is a ValueError
    return given


def _one_of(choices: tuple[Any, ...], given: Any, where: str) -> Any:
    if given is None:
        return None if type(None) in choices else _wrong(where, given)
    kinds = [c for c in choices if c is not type(None)]
    for kind in kinds[:-1]:
        try:
            return _shaped(kind, given, where)
        except ValueError:
            continue
    return _shaped(kinds[-1], given, where)


def _tuple(inside: tuple[Any, ...], given: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(given, list | tuple):
        _wrong(where, given)
    if len(inside) == 2 and inside[1] is Ellipsis:
        return tuple(_shaped(inside[0], one, where) for one in given)
    if len(given) != len(inside):
        _wrong(where, given)
    return tuple(_shaped(kind, one, where) for kind, one in zip(inside, given, strict=True))


def _mapping(inside: tuple[Any, ...], given: Any, where: str) -> dict[Any, Any]:
    if not isinstance(given, Mapping):
        _wrong(where, given)
    key, value = inside
    return {_shaped(key, k, where): _shaped(value, v, f"{where}.{k}") for k, v in given.items()}


def _dataclass(wanted: Any, given: Any, where: str) -> Any:
    known = _fields(wanted)
    if isinstance(given, wanted):
        given = {name: getattr(given, name) for name in known}
    if not isinstance(given, Mapping):
        _wrong(where, given)
    odd = next((name for name in given if name not in known), None)
    if odd is not None:
        raise ValueError(f"{where} has no '{str(odd)[:40]}'; a newer auditor may have written it")
    lacking = next((name for name, (one, _) in known.items() if name not in given and _needed(one)), None)
    if lacking:
        raise ValueError(f"{where} lacks '{lacking}'")
    return wanted(**{name: _shaped(known[name][1], value, f"{where}.{name}") for name, value in given.items()})


def _needed(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


@cache
def _fields(wanted: Any) -> Mapping[str, tuple[Field[Any], Any]]:
    hints = get_type_hints(wanted)
    return {one.name: (one, hints[one.name]) for one in fields(wanted) if get_origin(hints[one.name]) is not ClassVar}
