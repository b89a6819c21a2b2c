"""What sixty Windows hosts cost when they are asked at the same time, and what is left on them. See README.md beside it."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]  # this folder aside, where `winrm` is not the library

from winrm_double import ASCII_PASSWORD, USER, Double, PowerShell, Process, Trouble, certified, listening  # noqa: E402 - found by the path set above

from auditor import shelves  # noqa: E402 - found by the path set above
from auditor.collect import Places, answers, each  # noqa: E402 - found by the path set above
from auditor.framing import ps  # noqa: E402 - found by the path set above
from auditor.framing.sh import HELLO  # noqa: E402 - found by the path set above
from auditor.kinds import Ask, Probe, Settings  # noqa: E402 - found by the path set above
from auditor.model import Command, Failure, Host  # noqa: E402 - found by the path set above
from auditor.transports import winrm  # noqa: E402 - found by the path set above
from auditor.transports.winrm import CLEAN_S  # noqa: E402 - found by the path set above

ANSWER_BYTES = 2000  # what each question is answered with, where it takes as many
HUNG = Command("Wait-Forever", timeout_s=60)
FAULTS = ("Create", "Command", "Send", "Receive", "Signal", "Delete")
# A short conversation takes so many requests; every answer that comes by itself takes one more.
REQUESTS, CPU_MS, GROWN_MIB, LATE_S = 10, 150, 64, CLEAN_S + 2.0


def questions() -> tuple[Command, ...]:
    """All that the shipped probes ask of Windows, as one script."""
    dialects = [
        p.dialects["windows"] for p in shelves.probes().values() if isinstance(p, Probe) and "windows" in p.dialects
    ]
    return (HELLO, *dict.fromkeys(c for d in dialects for c in d.commands({}).values()))


# ---------------------------------------------------------------- the hosts, in a process of their own


def serve(folder: Path, scheme: str, work_s: float) -> None:
    """Says where it listens, then answers each line: troubles to make from now on get what has happened since the last one."""
    tls = certified(folder, *(f"127.0.0.{n}" for n in range(1, 255))) if scheme == "https" else None
    asked = {c.text: "x" * min(ANSWER_BYTES, c.cap_bytes) for c in questions() if c != HELLO}
    powershell = PowerShell({**asked, HUNG.text: None})

    def program(process: Process) -> int:
        time.sleep(work_s)
        return powershell(process)

    with listening(folder, program=program, users={USER: ASCII_PASSWORD}, tls=tls) as double:
        tell({"port": double.port, "authority": tls.authority if tls else ""})
        for line in sys.stdin:
            settled(double)
            tell(
                {
                    "requests": double.requests,
                    "opened": double.opened,
                    "left": len(double.shells),
                    "connections": double.connections,
                }
            )
            double.requests = double.opened = double.connections = 0
            double.shells.clear()
            double.troubles = {step: Trouble(how, times) for step, (how, times) in json.loads(line).items()}


def settled(double: Double) -> None:
    """Gives what was sent last the time to arrive."""
    for _ in range(40):
        if not double.shells:
            return
        time.sleep(0.05)


def tell(said: Any) -> None:
    print(json.dumps(said), flush=True)


class Hosts:
    """The other process, and how its hosts are asked."""

    def __init__(self, folder: str, scheme: str, count: int, work_s: float) -> None:
        words = [sys.executable, __file__, "--serve", folder, "--scheme", scheme, "--work-s", str(work_s)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        here = self.heard()
        says = {"scheme": scheme, "ca_trust_path": here["authority"]}
        self.hosts = [
            Host(f"win{n}", f"127.0.0.{n}", "winrm", here["port"], USER, platform="windows", password="env:BENCH_PASSWORD",
                 winrm={k: v for k, v in says.items() if v})
            for n in range(1, count + 1)
        ]  # fmt: skip

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def since(self, **troubles: tuple[str, int]) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(troubles) + "\n")
        self.process.stdin.flush()
        return self.heard()

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


# ---------------------------------------------------------------- asking


def asked(hosts: Hosts, commands: tuple[Command, ...], deadline_s: float) -> tuple[float, float, Counter[str]]:
    """Wall time, CPU of this process, and how many answers of each kind came; all hosts at the same time."""
    os.environ["BENCH_PASSWORD"] = ASCII_PASSWORD
    ask: Ask = winrm.TRANSPORT.open(Settings(time.time))

    def one(host: Host) -> Counter[str]:
        told = answers(host, commands, ask, deadline_s)
        return Counter(a.cause if isinstance(a, Failure) else "answered" for a in told.values())

    def broken(host: Host, error: Exception) -> Counter[str]:
        raise SystemExit(f"{host.id}: {error!r}")

    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    told = sum(each(hosts.hosts, one, broken, Places(len(hosts.hosts))), Counter[str]())
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu, told


def resident_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


Told = list[tuple[str, float, float]]


def plain(hosts: Hosts, count: int, memory: float) -> Told:
    commands = questions()
    sends = -(-len(ps.script(commands)) // winrm.CHUNK)
    wall, cpu, told = asked(hosts, commands, 120.0)
    grown = resident_mib() - memory
    seen = hosts.since()
    threads = sum(t.name == "host" for t in threading.enumerate())
    print(f"  {len(commands)} questions, {wall:.1f} s")
    return [
        ("requests a host", seen["requests"] / count, REQUESTS + len(commands) + sends - 1),
        ("connections a host", seen["connections"] / count, 1),
        ("shells a host", seen["opened"] / count, 1),
        ("shells left", seen["left"], 0),
        ("threads left", threads, 0),
        ("questions not answered", len(commands) * count - told["answered"], 0),
        ("CPU a host, ms", cpu / count * 1000, CPU_MS),
        ("peak memory for all, MiB, start-up aside", grown, GROWN_MIB),
    ]


def faulty(hosts: Hosts, count: int) -> Told:
    """A sixth of the hosts loses its connection at each step that may."""
    found: Told = []
    for step in FAULTS:
        hosts.since(**{step: ("drop", count // 6)})
        asked(hosts, questions()[:4], 30.0)
        seen = hosts.since()
        # a host that was not told to end a shell ends it by itself, which the double does not
        most = count // 6 if step == "Delete" else 0
        found.append((f"shells left, dropped at {step}", seen["left"], most))
    return found


def hung(hosts: Hosts, count: int, deadline_s: float) -> Told:
    wall, _, told = asked(hosts, (*questions()[:4], HUNG), deadline_s)
    seen = hosts.since()
    return [
        ("seconds beyond the deadline, hung", wall - deadline_s, LATE_S),
        ("hung questions without their cause", count - told["timeout"], 0),
        ("answers lost before them", 4 * count - told["answered"], 0),
        ("shells left, hung", seen["left"], 0),
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=60)
    parser.add_argument("--work-s", type=float, default=2.0, help="how long each host thinks (default: 2)")
    parser.add_argument("--deadline-s", type=float, default=15.0, help="of hosts that hang (default: 15)")
    parser.add_argument("--quick", action="store_true", help="12 hosts that do not think, to see that it runs")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--scheme", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if options.serve:
        with contextlib.suppress(KeyboardInterrupt):
            serve(Path(options.serve), options.scheme, options.work_s)
        return 0
    count, work_s, deadline_s = options.hosts, options.work_s, options.deadline_s
    if options.quick:
        count, work_s, deadline_s = 12, 0.0, 4.0
    missed, memory = False, resident_mib()
    for scheme in ("https", "http"):
        print(f"{count} hosts at the same time, NTLM over {scheme}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            hosts = Hosts(folder, scheme, count, work_s)
            try:
                told = [*plain(hosts, count, memory), *faulty(hosts, count), *hung(hosts, count, deadline_s)]
            finally:
                hosts.end()
        for name, value, bar in told:
            missed |= value > bar
            print(f"{'pass' if value <= bar else 'FAIL'}  {name}: {value:.1f} (bar {bar:g})")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
