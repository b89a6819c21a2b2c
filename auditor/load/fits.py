"""A value and a JSON Schema in; whether the one surely has the shape of the other, out. Pure.

Quick, and without words: what does not fit, jsonschema tells with all its reasons. So does what is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_SAID = frozenset({"$schema", "title", "description", "examples", "default", "definitions", "format", "then", "else"})
_Root = Mapping[str, Any]
_Check = Callable[[Any, Any, Mapping[str, Any], _Root], bool]  # the value, the keyword's, the schema that it stands in


class _Unsure(Exception):
    """A schema says what is not known here."""


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """False also where this cannot tell."""
    try:
        return _fits(value, schema, schema)
    except _Unsure:
        return False


def _fits(value: Any, schema: Any, root: _Root) -> bool:
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:  # draft 7: nothing beside it counts
        return _fits(value, _referred(schema["$ref"], root), root)
    for keyword, given in schema.items():
        if keyword in _SAID:
            continue
        check = _CHECKS.get(keyword)
        if check is None:
            raise _Unsure(keyword)
        if not check(value, given, schema, root):
            return False
    return True


def _referred(name: str, root: _Root) -> Any:
    begin, _, name = name.rpartition("/")
    known = root.get("definitions", {})
    if begin != "#/definitions" or name not in known:
        raise _Unsure(name)
    return known[name]


# ---------------------------------------------------------------- what each keyword asks


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "null": lambda value: value is None,
}


def _type(value: Any, given: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    return any(_TYPES[kind](value) for kind in (given if isinstance(given, list) else (given,)))


def _same(value: Any, given: Any) -> bool:
    """As JSON has it: true is no 1."""
    if isinstance(given, list | dict):
        raise _Unsure(str(given))
    return isinstance(value, bool) is isinstance(given, bool) and bool(value == given)


def _properties(value: Any, given: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    if not isinstance(value, dict):
        return True
    return all(_fits(inner, given[key], root) for key, inner in value.items() if key in given)


def _additional(value: Any, given: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    if not isinstance(value, dict):
        return True
    if "patternProperties" in schema:
        raise _Unsure("patternProperties")
    known = schema.get("properties", {})
    return all(_fits(inner, given, root) for key, inner in value.items() if key not in known)


def _items(value: Any, given: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    if isinstance(given, list):
        raise _Unsure("items")
    return not isinstance(value, list) or all(_fits(inner, given, root) for inner in value)


def _names(value: Any, given: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    return not isinstance(value, dict) or all(_fits(key, given, root) for key in value)


def _unique(value: Any, given: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    if not given or not isinstance(value, list):
        return True
    if not all(isinstance(one, str) for one in value):
        raise _Unsure("uniqueItems")
    return len(set(value)) == len(value)


def _dependencies(value: Any, given: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    if not isinstance(value, dict):
        return True
    asked = [then for key, then in given.items() if key in value]
    return all(set(then) <= set(value) if isinstance(then, list) else _fits(value, then, root) for then in asked)


def _if(value: Any, given: Any, schema: Mapping[str, Any], root: _Root) -> bool:
    return _fits(value, schema.get("then" if _fits(value, given, root) else "else", True), root)


_CHECKS: Mapping[str, _Check] = {
    "type": _type,
    "enum": lambda value, given, schema, root: any(_same(value, one) for one in given),
    "const": lambda value, given, schema, root: _same(value, given),
    "pattern": lambda value, given, schema, root: not isinstance(value, str) or bool(re.search(given, value)),
    "minLength": lambda value, given, schema, root: not isinstance(value, str) or len(value) >= given,
    "minimum": lambda value, given, schema, root: not _is_number(value) or value >= given,
    "maximum": lambda value, given, schema, root: not _is_number(value) or value <= given,
    "minItems": lambda value, given, schema, root: not isinstance(value, list) or len(value) >= given,
    "maxItems": lambda value, given, schema, root: not isinstance(value, list) or len(value) <= given,
    "minProperties": lambda value, given, schema, root: not isinstance(value, dict) or len(value) >= given,
    "required": lambda value, given, schema, root: not isinstance(value, dict) or all(key in value for key in given),
    "allOf": lambda value, given, schema, root: all(_fits(value, one, root) for one in given),
    "anyOf": lambda value, given, schema, root: any(_fits(value, one, root) for one in given),
    "if": _if,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "propertyNames": _names,
    "uniqueItems": _unique,
    "dependencies": _dependencies,
}
