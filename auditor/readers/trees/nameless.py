"""A parse of a tree in; the same parse out, which is not told the host's own name where nothing depends on it. Pure.

Rendered trees differ in `/etc/hostname` at least. Without it they answer alike, and what is done once for equal answers is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Facts, Failure, Output, Unknown
from auditor.readers import files
from auditor.readers.trees import people, sudo
from auditor.readers.undated import REMEMBERED, Parse

HOSTNAME = "/etc/hostname"
STAND_IN = "host"
_UNASKED = Failure("not_asked")


def nameless(parse: Parse) -> Parse:
    """For facts of `people.SOURCES` and `sudo.SUDOERS`: only what sudo is told of some hosts depends on the name."""

    def told(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
        sources, rules = answers.get("sources"), answers.get("sudoers")
        if not isinstance(sources, Output) or not isinstance(rules, Output):
            return parse(answers, args)
        other = _renamed(sources.stdout)
        if other is None or _depends(rules.stdout, other):
            return parse(answers, args)
        return parse({**answers, "sources": replace(sources, stdout=other)}, args)

    return told


def _renamed(sources: bytes) -> bytes | None:
    """The files of an answer, with another name of the host; None where they give none, or are not all."""
    try:
        found = files.read(Output(0, sources, b"", 0.0))
    except Unreadable:
        return None
    if found.gap or not found.texts.get(HOSTNAME, "").strip():
        return None
    texts = {path.encode(): text.encode() for path, text in {**found.texts, HOSTNAME: STAND_IN}.items()}
    return b"".join(b"F %d %d %b\n%b\n" % (len(text), len(path), path, text) for path, text in texts.items())


@lru_cache(maxsize=REMEMBERED)
def _depends(rules: bytes, sources: bytes) -> bool:
    """Whether sudo's files say anything of some hosts alone."""
    try:
        tree = people.read(_UNASKED, Output(0, sources, b"", 0.0))
        told = sudo.rules(Output(0, rules, b"", 0.0), tree)
    except Unreadable:
        return True
    if isinstance(told, Unknown):
        return True
    return any(set(rule.hosts) != {"ALL"} for rule in told.rules) or any(line.to == "@" for line in told.defaults)
