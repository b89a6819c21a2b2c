"""A document and a JSON Schema in; every problem, in words and with its place, out."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import InvalidInput, Problem
from auditor.load import yaml
from auditor.load.fits import fits
from auditor.load.yaml import Document, KeyPath

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}

_FEW = 12  # names in one line of an error that also has a suggestion
_COUNTED = {"minItems": "elements", "minProperties": "keys", "minLength": "characters"}


Read = dict[tuple[int, str], Document]  # what had the shape of a schema, by its id(), and by the digest of the bytes


def loaded(
    file: Path, schema: Mapping[str, Any], problems_of_all: list[Problem], read: Read | None = None
) -> Document | None:
    """A YAML file of this shape; None where it has another, or cannot be read, and then that is told with the others.

    What stands in `read` is not read again: one who gives it keeps the schema, and changes nothing of the documents.
    """
    try:
        data = yaml.read(file)
        key = id(schema), hashlib.sha256(data).hexdigest()
        if read is not None and key in read:
            return replace(read[key], file=str(file))
        document = yaml.parse(data, str(file))
    except InvalidInput as error:
        problems_of_all.extend(error.problems)
        return None
    wrong = problems(document, schema)
    problems_of_all.extend(wrong)
    if read is not None and not wrong:
        read[key] = document
    return None if wrong else document


def problems(document: Document, schema: Mapping[str, Any]) -> list[Problem]:
    """All of them. A number where only text is asked is taken as the text that was written (`id: 9.10`)."""
    if fits(document.value, schema):
        return []
    from jsonschema import Draft7Validator

    validator = Draft7Validator(schema)
    found: list[Problem] = []
    replaced = False
    for error in validator.iter_errors(document.value):
        path: KeyPath = tuple(error.absolute_path)
        wanted = _as_list(error.validator_value) if error.validator == "type" else []
        if "string" in wanted and path in document.raw:
            _replace(document.value, path, document.raw.pop(path))
            replaced = True
            continue
        found.extend(_put(document, error, path))
    if replaced:  # the text has a form of its own to meet
        return problems(document, schema)
    return list(dict.fromkeys(found))


def _replace(value: Any, path: KeyPath, new: str) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new


def _put(document: Document, error: ValidationError, path: KeyPath) -> Iterable[Problem]:
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = sorted(schema.get("properties", {}))
        for key in instance:
            if key not in known:
                yield document.problem((*path, key), f"unknown key '{key}'{did_you_mean(key, known)}", key=True)
        return
    yield document.problem(path, _message(error), key=error.validator in ("required", "minProperties"))


def _message(error: ValidationError) -> str:
    instance: Any = error.instance
    wanted: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "required":
        missing = [name for name in wanted if name not in instance]
        return f"lacks {', '.join(repr(m) for m in missing)}"
    if error.validator == "enum":
        near = did_you_mean(instance, wanted, False)
        listed = near == "" or len(wanted) <= _FEW
        return f"{_shown(instance)} is not {'one of ' + ', '.join(map(str, wanted)) if listed else 'known'}{near}"
    if error.validator == "const":
        return f"must be {_shown(wanted)}, not {_shown(instance)}"
    if error.validator == "type":
        return f"must be {_types(wanted, schema)}, not {_shown(instance)}"
    if error.validator == "pattern":
        kinds = [k for k in _as_list(schema.get("type", [])) if k != "string"]
        if kinds and wanted.startswith("^\\$"):
            return f"must be {_types([*kinds, 'string'], schema)}, not {_shown(instance)}"
        example = schema.get("examples", [""])[0]
        return f"{_shown(instance)} has not the right form" + (f", for example {example}" if example else "")
    if error.validator == "anyOf" and all("required" in one for one in wanted):
        return f"needs {' or '.join(' and '.join(one['required']) for one in wanted)}"
    if error.validator in ("minItems", "minProperties", "minLength"):
        return f"needs at least {wanted} {_COUNTED[error.validator]}" if instance else "is empty"
    return str(error.message)[:300]


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _types(wanted: Any, schema: Mapping[str, Any]) -> str:
    names = _as_list(wanted)
    dollar = str(schema.get("pattern", "")).startswith("^\\$")
    words = ["a $name" if dollar and n == "string" else _TYPES.get(n, n) for n in names]
    return " or ".join(words)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text '{value[:60]}'"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else str(value)


def did_you_mean(word: Any, known: Iterable[Any], list_known: bool = True) -> str:
    """`; did you mean 'x'?`, or what is known when nothing is near and the list is short."""
    names = [str(k) for k in known]
    near = nearest(str(word), names)
    if near:
        return f"; did you mean '{near}'?"
    return f" (known: {', '.join(names)})" if list_known and 0 < len(names) <= 30 else ""


def nearest(word: str, known: Iterable[str], like: float = 0.6) -> str:
    """The known word that is most like it, from 0 (not at all) to 1; "" when none is as much."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=like)), "")
