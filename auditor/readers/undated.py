"""A parse in; the same parse out, that is given less: no dates, or nothing that is another on every host. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from auditor.alike import Shared
from auditor.errors import Unreadable
from auditor.model import Answer, Facts, Failure, Output

Parse = Callable[[Mapping[str, Answer], Mapping[str, Any]], Facts]
Reduce = Callable[[Answer], Answer]
REMEMBERED = 32  # for each probe: what a fleet of like hosts tells at about the same time


def reduced(parse: Parse, **less: Reduce) -> Parse:
    """For a parse that needs not all of an answer: `less`, by the answer's name, leaves out what no fact depends on."""

    def given(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
        return parse({n: less[n](answer) if n in less else answer for n, answer in answers.items()}, args)

    return given


def undated(parse: Parse, **less: Reduce) -> Parse:
    """For facts that no clock has a part in: hosts that answer the same share them.

    The parse gets answers with `at` 0 and `host_at` None: it cannot depend on a date unseen. `less`, as above, leaves
    out what is another on every host: the parse gets no more than what is looked up by.
    """

    @lru_cache(maxsize=REMEMBERED)
    def told(answers: tuple[tuple[str, Answer], ...], args: str) -> Facts | Unreadable:
        try:
            return Shared(parse(dict(answers), json.loads(args)))
        except Unreadable as error:
            return error.with_traceback(None)

    def once(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
        given = ((name, less[name](answer) if name in less else answer) for name, answer in answers.items())
        facts = told(tuple((name, _undated(answer)) for name, answer in given), json.dumps(args))
        if isinstance(facts, Unreadable):
            raise Unreadable(str(facts))
        return facts

    return once


def _undated(answer: Answer) -> Answer:
    if isinstance(answer, Failure):
        return replace(answer, at=0.0)
    return Output(answer.exit_code, answer.stdout, answer.stderr, 0.0, None)
