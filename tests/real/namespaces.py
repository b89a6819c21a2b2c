"""Asks a probe of the machine that runs the tests, inside private namespaces so that nothing of it is changed."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from conftest import lacking

from auditor import expectations
from auditor.expectations import Scope
from auditor.kinds import Probe
from auditor.model import Answer, Facts, Outcome, Output, Register

ROOT = Path(__file__).parent.parent.parent

# Everything is imported before the setup runs: it may hide the folder that the interpreter stands in.
CHILD = """
import encodings.idna, importlib, json, pickle, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from auditor.framing.sh import HELLO
from auditor.kinds import Settings
from auditor.model import Host
from auditor.transports import local
asked = json.loads(sys.argv[2])
probe = importlib.import_module("auditor.probes." + asked["probe"]).PROBE
commands = probe.dialects["linux"].commands(asked["args"])
subprocess.run(["sh", "-e", "-c", asked["setup"]], check=True, stdout=sys.stderr)
ask = local.TRANSPORT.open(Settings(clock=time.time, elevated=tuple(c for c in commands.values() if c.elevated)))
host = Host("here", "localhost", connection="local", become=asked["become"])
got = dict(ask(host, (HELLO, *commands.values()), 100.0))
after = subprocess.run(["sh", "-e", "-c", asked["after"]], check=True, stdout=subprocess.PIPE).stdout
sys.stdout.buffer.write(pickle.dumps(({n: got[c] for n, c in commands.items()}, after)))
"""
ALONE = ("-p", "-f", "--kill-child", "--mount-proc")


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
    ran = subprocess.run(
        ["unshare", "-m", "-n", *ALONE * alone, sys.executable, "-c", CHILD, str(ROOT), json.dumps(asked)],
        capture_output=True,
        timeout=110,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    answers, printed = pickle.loads(ran.stdout)
    return Told(probe.dialects["linux"].parse(answers, args or {}), answers, printed.decode())


def control(policy: str, id: str) -> Mapping[str, Any]:
    written = yaml.safe_load((ROOT / "policies" / "convention" / f"{policy}.yaml").read_text("utf-8"))
    return next(c for c in written["controls"] if c["id"] == id)


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
    measures = yaml.safe_load((ROOT / "policies" / "convention" / "measures.yaml").read_text("utf-8"))["measures"]
    parameters = next(m for m in measures if m["id"] == one["measure"]).get("parameters", {})
    values = {name: p["value"] for name, p in parameters.items()}
    kept = {f"registers.{name}": Register(name, entries) for name, entries in (registers or {}).items()}
    scope = Scope({**values, "hosts.backup-offsite.addresses": list(hosts), **kept}, probe.facts)
    concerned = expectations.concerns(one.get("concerns", {}), facts, scope)[0]
    if concerned is not True:
        return None if concerned is False else Outcome.UNKNOWN
    return expectations.outcome(one["expect"], one.get("tolerate", {}), facts, scope)[0]
