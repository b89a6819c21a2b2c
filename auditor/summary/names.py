"""Subjects and lists of hosts in, their short names out. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from auditor.model import Subject


def named(subject: Subject) -> str:
    """How reports name a subject: a host by its id, a perimeter with its kind."""
    return subject.id if subject.kind == "host" else subject.key


_NUMBER = re.compile(r"[0-9]{1,9}")


def folded(names: Iterable[str]) -> str:
    """Names in their order, numbered ones as ranges: `srv[01-20,25], web03`."""
    unique = list(dict.fromkeys(names))
    shapes: Counter[tuple[str, str]] = Counter(s for n in unique for s, _ in _shapes(n))
    chosen: dict[tuple[str, str], list[str]] = {}
    for name in unique:
        best = max(reversed(list(_shapes(name))), key=lambda shape: shapes[shape[0]], default=((name, ""), ""))
        chosen.setdefault(best[0], []).append(best[1])
    return ", ".join(_ranges(prefix, numbers, suffix) for (prefix, suffix), numbers in chosen.items())


def _shapes(name: str) -> Iterable[tuple[tuple[str, str], str]]:
    """Each number of a name with what stands before and after it."""
    return [((name[: m.start()], name[m.end() :]), m.group()) for m in _NUMBER.finditer(name)]


def _ranges(prefix: str, numbers: list[str], suffix: str) -> str:
    runs: list[list[str]] = []
    for number in sorted((n for n in numbers if n), key=lambda n: (int(n), len(n))):
        if runs and _follows(runs[-1][-1], number):
            runs[-1].append(number)
        else:
            runs.append([number])
    inside = ",".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    alone = [prefix + suffix] if "" in numbers else []  # a name without a number, beside numbered ones
    if len(runs) == 1 and len(runs[0]) == 1:
        return ", ".join([*alone, f"{prefix}{inside}{suffix}"])
    return ", ".join([*alone, f"{prefix}[{inside}]{suffix}"] if runs else alone)


def _follows(last: str, number: str) -> bool:
    """The next number, padded alike: `09` then `10`, `9` then `10`, never `09` then `9`."""
    natural = str(int(last)) == last and str(int(number)) == number
    return int(number) == int(last) + 1 and (len(number) == len(last) or natural)
