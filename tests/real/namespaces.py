"""Asks a probe of the machine that runs the tests, inside private namespaces so that nothing of it is changed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, wraps
from inspect import signature
from pathlib import Path
from typing import Any

import forks
from conftest import lacking
from documents import written

from auditor import expectations
from auditor.expectations import Scope
from auditor.kinds import Probe
from auditor.model import Answer, Facts, Outcome, Output, Register

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Told:
    """`raw` is all that left the host; `after` is what the command asked for printed once the questions were answered."""

    facts: Facts
    answers: Mapping[str, Answer]
    after: str

    @property
    def raw(self) -> str:
        return "".join(a.text + a.error_text for a in self.answers.values() if isinstance(a, Output))


def need(*programs: str) -> None:
    """Root and these programs; a machine that lacks them skips, saying so, and a CI fails."""
    missing = [p for p in (*programs, "unshare") if not shutil.which(p)]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        lacking("this needs " + ", ".join(missing))


# What stands behind `sh`, in this order: each is laid over the one before, and asked after it.
SHELLS = {
    "dash": "",
    "bash": "mount --bind /usr/bin/bash /usr/bin/dash",
    "busybox": "mount --bind /usr/bin/busybox /usr/bin/dash",
}
_turns: ContextVar[tuple[Mapping[Any, str], dict[str, dict[Any, Told]]] | None] = ContextVar("turns", default=None)


def in_each_shell(shells: Mapping[Any, str] = SHELLS) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A test whose body runs for each `shell` in turn, on one setup: what the first asks is asked in all of them at once."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def every(**given: Any) -> None:
            token = _turns.set((shells, {}))
            try:
                for shell in shells:
                    _turn(test, shell, given)
            finally:
                _turns.reset(token)

        taken = signature(test)
        wanted: Any = every  # of pytest, which gives what the signature names: the shell is ours to give
        wanted.__signature__ = taken.replace(parameters=[p for n, p in taken.parameters.items() if n != "shell"])
        return every

    return decorate


def _turn(test: Callable[..., None], shell: Any, given: Mapping[str, Any]) -> None:
    try:
        test(**given, shell=shell)
    except BaseException as why:
        why.add_note(f"in the shell {shell!r}")
        raise


def ask(
    probe: Probe,
    name: str,
    setup: str,
    args: Mapping[str, Any] | None = None,
    after: str = "",
    become: bool = True,
    alone: bool = False,
    shell: Any = None,
) -> Told:
    """`alone`: in a process namespace as well; what the setup started ends with it. `shell`: in a test of `in_each_shell`.

    The setup finds a new folder on the machine's disk as $disk.
    """
    asked = {"probe": name, "setup": setup, "args": args or {}, "after": after, "become": become}
    turns = _turns.get()
    if shell is None or turns is None:
        return _told(probe, {**asked, "shells": [SHELLS.get(shell, "")]}, alone)[0]
    shells, kept = turns
    key = json.dumps([asked, alone])
    if key not in kept:
        kept[key] = dict(zip(shells, _told(probe, {**asked, "shells": list(shells.values())}, alone), strict=True))
    return kept[key][shell]


def _told(probe: Probe, asked: Mapping[str, Any], alone: bool) -> list[Told]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as disk:
        given, said = forks.told({**asked, "setup": f"disk={disk}\n{asked['setup']}"}, alone, 110)
    assert given is not None, said
    told, printed = given
    parse = probe.dialects["linux"].parse
    return [Told(parse(answers, asked["args"]), answers, printed.decode()) for answers in told]


def control(policy: str, id: str) -> Mapping[str, Any]:
    return next(c for c in _shipped(policy)["controls"] if c["id"] == id)


def parameters(one: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the measure of a shipped control gives, by their names."""
    measure = next(m for m in _shipped("measures")["measures"] if m["id"] == one["measure"])
    return {name: p["value"] for name, p in measure.get("parameters", {}).items()}


@cache
def _shipped(policy: str) -> Any:
    return written((ROOT / "policies" / "convention" / f"{policy}.yaml").read_text("utf-8"))


def judged(
    probe: Probe,
    policy: str,
    id: str,
    facts: Facts,
    hosts: tuple[str, ...] = (),
    registers: Mapping[str, tuple[str, ...]] | None = None,
) -> Outcome | None:
    """The outcome of a shipped control; None when it does not concern the host. `hosts`: the addresses of declared hosts."""
    one = control(policy, id)
    values = parameters(one)
    kept = {f"registers.{name}": Register(name, entries) for name, entries in (registers or {}).items()}
    scope = Scope({**values, "hosts.backup-offsite.addresses": list(hosts), **kept}, probe.facts)
    concerned = expectations.concerns(one.get("concerns", {}), facts, scope)[0]
    if concerned is not True:
        return None if concerned is False else Outcome.UNKNOWN
    return expectations.outcome(one["expect"], one.get("tolerate", {}), facts, scope)[0]
