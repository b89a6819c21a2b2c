"""One answer of several and its reader in; what it told out, or why it did not: the other parts stand without it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from auditor.errors import Unreadable
from auditor.model import Answer, Unknown

T = TypeVar("T")


def told(reader: Callable[[Answer], T | Unknown], answer: Answer) -> T | Unknown:
    try:
        return reader(answer)
    except Unreadable as why:
        return Unknown("unreadable", str(why))
