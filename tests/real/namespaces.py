"""Asks a probe of the machine that runs the tests, inside private namespaces so that nothing of it is changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import forks
import yaml
from conftest import lacking

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


def ask(
    probe: Probe,
    name: str,
    setup: str,
    args: Mapping[str, Any] | None = None,
    after: str = "",
    become: bool = True,
    alone: bool = False,
) -> Told:
    """`alone`: in a process namespace as well; what the setup started ends with it."""
    asked = {"probe": name, "setup": setup, "args": args or {}, "after": after, "become": become}
    given, said = forks.told(asked, alone, 110)
    assert given is not None, said
    answers, printed = given
    return Told(probe.dialects["linux"].parse(answers, args or {}), answers, printed.decode())


def control(policy: str, id: str) -> Mapping[str, Any]:
    return next(c for c in _shipped(policy)["controls"] if c["id"] == id)


def parameters(one: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the measure of a shipped control gives, by their names."""
    measure = next(m for m in _shipped("measures")["measures"] if m["id"] == one["measure"])
    return {name: p["value"] for name, p in measure.get("parameters", {}).items()}


@cache
def _shipped(policy: str) -> Any:
    return yaml.load((ROOT / "policies" / "convention" / f"{policy}.yaml").read_text("utf-8"), yaml.CSafeLoader)


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
