"""The form of a reply, a YAML file, in; its plain data out, when it still asks what its letter asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.letters.form import asked_in, id_of
from auditor.load import records, schema, yaml


def load(file: Path, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises InvalidInput with every problem, also when the letter or what is asked was changed since it was drafted."""
    document = yaml.load(file)
    if not isinstance(document.value, dict):
        raise InvalidInput([document.problem((), "must be the form that `auditor recommendations draft` wrote")])
    problems = schema.problems(document, wanted) or [*records.days(document, document.value, (), (*records.DAYS, "by"))]
    if problems:
        raise InvalidInput(problems)
    plain: Mapping[str, Any] = document.value
    numbers = [str(item["number"]) for item in plain["items"]]
    for number in plain.get("replies", {}):
        if number not in numbers:
            hint = schema.did_you_mean(number, numbers)
            problems.append(document.problem(("replies", number), f"the letter has no item {number}{hint}", key=True))
    problems.extend(_bound(file, plain))
    if problems:
        raise InvalidInput(problems)
    return plain


def _bound(file: Path, plain: Mapping[str, Any]) -> list[Problem]:
    """The letter is the one that was drafted, and asks what the form says that it asks."""
    letter = file.parent / plain["letter"]["document"]
    try:
        text = letter.read_bytes()
    except OSError as error:
        return [Problem(str(file), 0, 0, f"its letter {letter} cannot be read: {error.strerror}")]
    if hashlib.sha256(text).hexdigest() != plain["letter"]["sha256"]:
        return [Problem(str(file), 0, 0, f"its letter {letter} was changed since it was drafted: draft a new one")]
    asked = asked_in(plain)
    if asked.encode() not in text or plain["letter"]["id"] != id_of(plain["letter"]["day"], asked):
        return [Problem(str(file), 0, 0, "it does not ask what its letter asks: change only `replies`, or draft anew")]
    return []
