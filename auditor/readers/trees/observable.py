"""Facts of a tree in; the same, where what only a running host can tell is said to be just that, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from auditor.model import Partial, Unknown

# Details of readers that were told all there is, and so miss what no file of a tree holds.
_OF_A_HOST = (
    "whether ",
    "it depends on whether ",
    "who is in ",
    "whom a directory",
    "whom the PAM service ",
    "which program",
    "no PAM file for ",
    "PAM file ",
    "how ",
    "accounts of ",
    "of ",
)
_ELSEWHERE = re.compile(r"PAM file \S*/")  # it may be in the tree: nobody looked


def observable(fact: Any) -> Any:
    if isinstance(fact, Unknown):
        there = fact.cause == "not_told" and fact.detail.startswith(_OF_A_HOST) and not _ELSEWHERE.match(fact.detail)
        return Unknown("not_observable", fact.detail) if there else fact
    if isinstance(fact, Partial):
        return Partial(tuple(observable(f) for f in fact.items), observable(fact.missing))
    if isinstance(fact, Mapping):
        return {name: observable(f) for name, f in fact.items()}
    return [observable(f) for f in fact] if isinstance(fact, list) else fact
