"""The expected errors, one page.

AuditorError
├── InvalidInput      what people wrote is wrong: every problem of every file at once; exit code 2
├── StoreError        the store cannot be read or written; exit code 2
└── Unreadable        a probe cannot read an answer: becomes `unknown: unreadable`, never leaves `evaluate`

A host that does not answer is no error but a value: model.Failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NO_FILE = "auditor"  # what stands in the place of one where a problem is of none


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file. `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        if not self.line:
            return f"{self.file}: {self.message}"
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class AuditorError(Exception):
    """Any error that a person can mend; shown without a traceback."""


class InvalidInput(AuditorError):
    """What people wrote is wrong. `problems` holds all of them, in file order."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = [Problem(NO_FILE, 0, 0, problems)]
        self.problems = sorted(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class StoreError(AuditorError):
    """The store is missing, locked, full, read-only or of another version."""


class Unreadable(AuditorError):
    """An answer came but its text is not what the probe knows how to read."""
