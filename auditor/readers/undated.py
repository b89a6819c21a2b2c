"""A parse in; the same parse out, given no dates and so done once for equal answers. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Facts, Failure

Parse = Callable[[Mapping[str, Answer], Mapping[str, Any]], Facts]
REMEMBERED = 32  # for each probe: what a fleet of like hosts tells at about the same time


def undated(parse: Parse) -> Parse:
    """For facts that no clock has a part in: hosts that answer the same share them.

    The parse gets answers with `at` 0 and `host_at` None: it cannot depend on a date unseen.
    """

    @lru_cache(maxsize=REMEMBERED)
    def told(answers: tuple[tuple[str, Answer], ...], args: str) -> Facts | Unreadable:
        try:
            return parse(dict(answers), json.loads(args))
        except Unreadable as error:
            return error.with_traceback(None)

    def once(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
        facts = told(tuple((name, _undated(answer)) for name, answer in answers.items()), json.dumps(args))
        if isinstance(facts, Unreadable):
            raise Unreadable(str(facts))
        return facts

    return once


def _undated(answer: Answer) -> Answer:
    return replace(answer, at=0.0) if isinstance(answer, Failure) else replace(answer, at=0.0, host_at=None)
