"""A value and a JSON Schema in; whether the one surely has the shape of the other, out. Pure.

Quick, and without words: what does not fit, jsonschema tells with all its reasons. So does what is not known here. A schema
is made into functions once, and is not to be changed after.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_SAID = frozenset({"$schema", "title", "description", "examples", "default", "definitions", "format", "then", "else"})
_MANY = 64  # schemas that are kept as functions
_Check = Callable[[Any], bool]  # of a value
_Inner = Callable[[Any], _Check]  # of a schema that stands in another
_Maker = Callable[[Any, Mapping[str, Any], _Inner], _Check]  # of the keyword's value, the schema that it stands in


class _Unsure(Exception):
    """A schema says what is not known here."""


_MADE: dict[int, tuple[Mapping[str, Any], _Check]] = {}  # by the id() of the schema, which is kept with it


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """False also where this cannot tell."""
    known = _MADE.get(id(schema))
    if known is None:
        if len(_MADE) >= _MANY:
            _MADE.clear()
        known = _MADE[id(schema)] = (schema, _check_of(schema))
    try:
        return known[1](value)
    except _Unsure:
        return False


def _check_of(root: Mapping[str, Any]) -> _Check:
    """Most of a large schema is never asked, and it may hold itself: so what is referred to is made when it is asked."""
    made: dict[int, _Check] = {}  # by the id() of the part of the root

    def inner(schema: Any) -> _Check:
        if id(schema) not in made:
            made[id(schema)] = _made(schema, root, inner)
        return made[id(schema)]

    return inner(root)


def _made(schema: Any, root: Mapping[str, Any], inner: _Inner) -> _Check:
    if isinstance(schema, bool):
        return lambda value: schema
    if "$ref" in schema:  # draft 7: nothing beside it counts
        return _referred(schema["$ref"], root, inner)
    return _all([_keyword(name, schema, inner) for name in schema if name not in _SAID])


def _referred(reference: str, root: Mapping[str, Any], inner: _Inner) -> _Check:
    def check(value: Any) -> bool:
        return inner(_definition(reference, root))(value)

    return check


def _definition(reference: str, root: Mapping[str, Any]) -> Any:
    begin, _, name = reference.rpartition("/")
    known = root.get("definitions", {})
    if begin != "#/definitions" or name not in known:
        raise _Unsure(reference)
    return known[name]


def _keyword(name: str, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    maker = _MAKERS.get(name)
    return maker(schema[name], schema, inner) if maker else _unsure(name)


def _unsure(what: str) -> _Check:
    def check(value: Any) -> bool:
        raise _Unsure(what)

    return check


def _all(checks: Sequence[_Check]) -> _Check:
    if len(checks) == 1:
        return checks[0]

    return lambda value: all(one(value) for one in checks)


# ---------------------------------------------------------------- what each keyword asks


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, _Check] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "null": lambda value: value is None,
}


def _type(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    kinds = [_TYPES[kind] for kind in (given if isinstance(given, list) else (given,))]
    return kinds[0] if len(kinds) == 1 else lambda value: any(kind(value) for kind in kinds)


def _const(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    """As JSON has it: true is no 1."""
    if isinstance(given, list | dict):
        return _unsure(str(given))
    if isinstance(given, str):
        return lambda value: bool(value == given)
    return lambda value: isinstance(value, bool) is isinstance(given, bool) and bool(value == given)


def _enum(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    checks = [_const(one, schema, inner) for one in given]
    return lambda value: any(check(value) for check in checks)


def _any(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    checks = [inner(one) for one in given]
    return lambda value: any(check(value) for check in checks)


def _pattern(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    pattern = re.compile(given)
    return lambda value: not isinstance(value, str) or pattern.search(value) is not None


def _required(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    wanted = set(given)
    return lambda value: not isinstance(value, dict) or wanted <= value.keys()


def _properties(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    checks: dict[str, _Check] = {}

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        for key in given if len(given) < len(value) else value:
            if key in given and key in value:
                if key not in checks:
                    checks[key] = inner(given[key])
                if not checks[key](value[key]):
                    return False
        return True

    return check


def _additional(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    if "patternProperties" in schema:
        return _unsure("patternProperties")
    known, other = set(schema.get("properties", {})), inner(given)
    return lambda value: not isinstance(value, dict) or all(other(value[key]) for key in value.keys() - known)


def _items(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    if isinstance(given, list):
        return _unsure("items")
    each = inner(given)
    return lambda value: not isinstance(value, list) or all(each(one) for one in value)


def _names(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    each = inner(given)
    return lambda value: not isinstance(value, dict) or all(each(key) for key in value)


def _unique(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    def check(value: Any) -> bool:
        if not given or not isinstance(value, list):
            return True
        if not all(isinstance(one, str) for one in value):
            raise _Unsure("uniqueItems")
        return len(set(value)) == len(value)

    return check


def _dependencies(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    thens = {
        key: _required(then, schema, inner) if isinstance(then, list) else inner(then) for key, then in given.items()
    }
    return lambda value: not isinstance(value, dict) or all(then(value) for key, then in thens.items() if key in value)


def _if(given: Any, schema: Mapping[str, Any], inner: _Inner) -> _Check:
    asked = inner(given)
    return lambda value: inner(schema.get("then" if asked(value) else "else", True))(value)


_MAKERS: Mapping[str, _Maker] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minLength": lambda given, schema, inner: lambda value: not isinstance(value, str) or len(value) >= given,
    "minimum": lambda given, schema, inner: lambda value: not _is_number(value) or value >= given,
    "maximum": lambda given, schema, inner: lambda value: not _is_number(value) or value <= given,
    "minItems": lambda given, schema, inner: lambda value: not isinstance(value, list) or len(value) >= given,
    "maxItems": lambda given, schema, inner: lambda value: not isinstance(value, list) or len(value) <= given,
    "minProperties": lambda given, schema, inner: lambda value: not isinstance(value, dict) or len(value) >= given,
    "required": _required,
    "allOf": lambda given, schema, inner: _all([inner(one) for one in given]),
    "anyOf": _any,
    "if": _if,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "propertyNames": _names,
    "uniqueItems": _unique,
    "dependencies": _dependencies,
}
