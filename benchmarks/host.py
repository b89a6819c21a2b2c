"""What one script costs the host that answers it: CPU seconds by probe, beside one fork of `true`.

Bar: 1 s for what the themes identity and logging ask of a host without a role.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from auditor import shelves  # noqa: E402 - found by the path set above
from auditor.commands import inputs  # noqa: E402
from auditor.framing.sh import HELLO, script  # noqa: E402
from auditor.kinds import Probe  # noqa: E402
from auditor.model import Command  # noqa: E402

BAR_S = 1.0
HALF = ("identity", "logging")
FORKS = 300
NONCE = "0123456789abcdef"


def cpu_s(text: str) -> float:
    """User and system time of a `sh` that reads this, and of all that it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["sh", "-s", "--", NONCE]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    subprocess.run(command, input=text.encode(), stdout=subprocess.DEVNULL, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def catalogue() -> Mapping[str, tuple[Command, ...]]:
    """The Linux questions of each shipped probe, asked without arguments."""
    probes = ((name, probe) for name, probe in shelves.probes().items() if isinstance(probe, Probe))
    return {n: tuple(p.dialects["linux"].commands({}).values()) for n, p in probes if "linux" in p.dialects}


def of_every_host() -> frozenset[str]:
    """The probes that the themes of the bar ask of a host without a role."""
    controls = inputs.load_policies((), shelves.probes()).controls
    return frozenset(c.probe for c in controls if c.policy in HALF and not c.roles)


def nothing(commands: Sequence[Command]) -> tuple[Command, ...]:
    """As many questions that ask nothing: what is left is what framing costs."""
    return tuple(
        replace(c, kind="run", text=f": {i}", arguments=(), takes="") for i, c in enumerate(commands) if c != HELLO
    )


def measured(scripts: Mapping[str, str], rounds: int) -> dict[str, float]:
    """The median of interleaved rounds, for each script."""
    times: dict[str, list[float]] = {name: [] for name in scripts}
    for _ in range(rounds):
        for name, text in scripts.items():
            times[name].append(cpu_s(text))
    return {name: statistics.median(found) for name, found in times.items()}


def scripts(asked: Mapping[str, tuple[Command, ...]]) -> dict[str, str]:
    known = tuple(dict.fromkeys(c for commands in asked.values() for c in commands if c.elevated))
    every = tuple(dict.fromkeys((HELLO, *(c for commands in asked.values() for c in commands))))
    empty = (HELLO, *nothing(every))
    chosen = of_every_host()
    half = tuple(dict.fromkeys((HELLO, *(c for name, commands in asked.items() if name in chosen for c in commands))))
    return {
        "true": f"i=0; while [ $i -lt {FORKS} ]; do /bin/true; i=$((i + 1)); done",
        "hello": script((HELLO,), known),
        "every": script(every, known),
        "half": script(half, known),
        "empty": script(empty, tuple(c for c in empty if c.elevated)),
        **{f"probe {name}": script((HELLO, *commands), known) for name, commands in asked.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one round and no bar, to see that it runs")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("not root: what needs root is asked through sudo, or refused, and is then not in these figures")
    asked = catalogue()
    took = measured(scripts(asked), 1 if options.quick else options.rounds)
    fork = took["true"] / FORKS
    hello = took["hello"]

    def row(name: str, seconds: float, questions: int) -> str:
        return f"{name:32}{seconds * 1000:8.0f} ms{seconds / fork:8.0f} forks{questions:5} questions"

    print(f"one fork of true: {fork * 1000:.2f} ms")
    for name in sorted(asked, key=lambda n: -took[f"probe {n}"]):
        print(row(name, max(0.0, took[f"probe {name}"] - hello), len(asked[name])))
    every = len({c for commands in asked.values() for c in commands}) + 1
    print(row("one script with all of them", took["every"], every))
    print(row("of it, framing", took["empty"], every))
    half = {c for name, commands in asked.items() if name in of_every_host() for c in commands}
    print(row("identity and logging, no role", took["half"], len(half) + 1))
    if options.quick:
        return 0
    kept = took["half"] < BAR_S
    print(f"{'pass' if kept else 'FAIL'}  identity and logging: {took['half']:.2f} s of CPU (bar {BAR_S:g} s)")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
