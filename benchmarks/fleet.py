"""How an audit of a fleet compares with plain ssh: time, processor, memory, failures. See README.md beside it."""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import resource
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from sshd import Sshd, started  # noqa: E402 - found by the path set above

from auditor.commands import inputs  # noqa: E402 - found by the path set above
from auditor.framing.sh import Reader, script  # noqa: E402 - found by the path set above
from auditor.model import Failure  # noqa: E402 - found by the path set above

NONCE = "00112233445566778899aabbccddeeff"[:16]
COLLECTOR_EVERY = 50
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a client over all hosts; CPU is that of its whole process tree, without the servers'."""

    wall_s: float
    cpu_s: float
    peak_bytes: int  # of its largest process
    failures: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """A generated estate of so many hosts, and what plain ssh needs to ask them the same."""

    size: int
    estate: Path
    home: Path
    targets: Path  # lines "ADDRESS SCRIPT"
    answers: Path


# ---------------------------------------------------------------- the estate


def addresses(count: int) -> list[str]:
    return [f"127.0.{1 + i // 250}.{1 + i % 250}" for i in range(count)]


def write_estate(folder: Path, server: Sshd, given: Sequence[str]) -> None:
    """Every host is the same sshd at another address of loopback; some have the roles that controls speak of."""
    hosts = "\n".join(f"    host{i:05}: {{ansible_host: {a}}}" for i, a in enumerate(given))
    (folder / "hosts.yaml").write_text(
        f"all:\n  vars:\n    ansible_user: {server.user}\n    ansible_port: {server.port}\n"
        f"    ansible_ssh_private_key_file: {server.key_file}\n  hosts:\n{hosts}\n"
    )
    roles = "\n".join(
        f"  host{i:05}: {{roles: [{'backup-offsite' if i == 1 else 'log-collector'}]}}"
        for i in sorted({1, *range(0, len(given), COLLECTOR_EVERY)})
        if i < len(given)
    )
    (folder / "estate.yaml").write_text(
        "entities: [{id: TOWN, name: Town}]\n"
        "perimeters: [{id: town, owner: TOWN, kind: exclusive}]\n"
        "zones: [{id: servers, vlan: 20, addresses: [127.0.0.0/8]}]\n"
        f"hosts:\n  all: {{perimeter: town, zone: servers}}\n{roles}\n"
    )
    (folder / "records").mkdir()
    (folder / "records" / "admins.yaml").write_text(f"register: admins\nentries: [{server.user}]\n")


def fleet(base: Path, server: Sshd, given: Sequence[str]) -> Fleet:
    """The estate on disk, a home with the known hosts, and the scripts that `auditor run` will send."""
    folder = base / f"fleet{len(given)}"
    estate, home, answers, scripts = (folder / n for n in ("estate", "home", "answers", "scripts"))
    for made in (estate, home / ".ssh", answers, scripts):
        made.mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text(server.known_hosts(given))
    write_estate(estate, server, given)
    plan = inputs.load((), (str(estate),), None, None).plan
    elevated = inputs.elevated(plan.probes)
    named: dict[str, Path] = {}
    lines = []
    for index, address in enumerate(given):
        text = script(plan.commands_of(index), elevated)
        if text not in named:
            named[text] = scripts / str(len(named))
            named[text].write_text(text)
        lines.append(f"{address} {named[text]}\n")
    (folder / "targets").write_text("".join(lines))
    return Fleet(len(given), estate, home, folder / "targets", answers)


# ---------------------------------------------------------------- the two clients


def measured(command: Sequence[str], home: Path, stdin: Path, log: Path) -> tuple[float, resource.struct_rusage, int]:
    """Runs a command; its wall time, what its whole tree used, its exit code. The sshd is no child of it."""
    as_found = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**as_found, "HOME": str(home), "LANG": "C.UTF-8"}
    with stdin.open("rb") as given, log.open("ab") as kept:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdin=given, stdout=kept, stderr=kept, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    return wall, usage, process.returncode


def auditor_run(fleet: Fleet, jobs: int, log: Path) -> Measured:
    store = fleet.home / "runs.db"
    store.unlink(missing_ok=True)
    command = [sys.executable, "-m", "auditor", "run", "-i", str(fleet.estate), "--jobs", str(jobs)]
    command += ["--store", str(store), "-f", f"junit={fleet.home}/audit.xml"]
    wall, usage, code = measured(command, fleet.home, Path(os.devnull), log)
    if code not in (0, 1, 3):
        raise SystemExit(f"auditor run ended with {code}:\n{log.read_text()[-3000:]}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, not_answered(store, fleet.size))


def not_answered(store: Path, expected: int) -> int:
    """The hosts of the run that did not say hello, and the answers that are failures of the way, not of the host."""
    with sqlite3.connect(store) as db:
        (answered,) = db.execute(
            "SELECT count(*) FROM host WHERE json_extract(doc, '$.failure') IS NULL AND id NOT LIKE 'perimeter:%'"
        ).fetchone()
    db.close()
    return expected - int(answered)


def ssh_run(fleet: Fleet, server: Sshd, jobs: int, log: Path) -> Measured:
    shutil.rmtree(fleet.answers)
    fleet.answers.mkdir()
    options = ["-F", "none", "-p", str(server.port), "-l", server.user, "-i", server.key_file]
    for option in ("KexAlgorithms=curve25519-sha256", "BatchMode=yes", "IdentitiesOnly=yes", "LogLevel=ERROR",
                   "StrictHostKeyChecking=yes", f"UserKnownHostsFile={fleet.home}/.ssh/known_hosts"):  # fmt: skip
        options += ["-o", option]
    one = f'exec ssh {shlex.join(options)} "$1" "exec sh -s -- {NONCE}" < "$2" > {shlex.quote(str(fleet.answers))}/"$1"'
    command = ["xargs", "-P", str(jobs), "-n", "2", "sh", "-c", one, "sh"]
    wall, usage, _ = measured(command, fleet.home, fleet.targets, log)
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, cut_short(fleet))


def cut_short(fleet: Fleet) -> int:
    """The hosts whose answers by plain ssh are not all there."""
    plan = inputs.load((), (str(fleet.estate),), None, None).plan
    lost = 0
    for index, address in enumerate(addresses(fleet.size)):
        reader = Reader(plan.commands_of(index), NONCE)
        told = list(reader.feed((fleet.answers / address).read_bytes(), 0.0))
        lost += not reader.done or any(isinstance(a, Failure) and a.cause == "framing" for _, a in told)
    return lost


# ---------------------------------------------------------------- rounds and bars


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    value: float
    limit: float
    unit: str = "x"

    @property
    def kept(self) -> bool:
        return self.value <= self.limit


def rounds(
    fleets: Sequence[Fleet], server: Sshd, options: argparse.Namespace, log: Path
) -> Iterator[tuple[int, str, Measured]]:
    """Interleaved: each size asks by both clients in turn, and who goes first changes with the round."""
    for number in range(options.rounds):
        for one in fleets:
            clients = ["auditor", "ssh"] if number % 2 == 0 else ["ssh", "auditor"]
            for client in clients:
                if client == "auditor":
                    got = auditor_run(one, options.jobs, log)
                else:
                    got = ssh_run(one, server, options.jobs, log)
                print(line(one.size, f"{client} #{number + 1}", got), flush=True)
                yield one.size, client, got


def line(size: int, label: str, got: Measured) -> str:
    return (
        f"{size:6} {label:12} {got.wall_s:9.2f} s {got.cpu_s / size * 1000:9.2f} ms/host "
        f"{got.peak_bytes / MIB:9.1f} MiB {got.failures:6} failed"
    )


def median_ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """The median of each round's own ratio."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def bars(results: Sequence[tuple[int, str, Measured]], sizes: Sequence[int]) -> Iterator[Bar]:
    def of(size: int, client: str) -> list[Measured]:
        return [m for s, c, m in results if (s, c) == (size, client)]

    for size in sizes:
        ours, theirs = of(size, "auditor"), of(size, "ssh")
        wall = median_ratio([m.wall_s for m in ours], [m.wall_s for m in theirs])
        yield Bar(f"wall, {size} hosts, to ssh", wall, 1.0)
        cpu = median_ratio([m.cpu_s for m in ours], [m.cpu_s for m in theirs])
        yield Bar(f"client CPU per host, {size} hosts, to ssh", cpu, 0.8)
        yield Bar(f"hosts not answered, {size} hosts", float(sum(m.failures for m in ours)), 0.0, "")
    small, large = ([m.peak_bytes for m in of(s, "auditor")] for s in (sizes[0], sizes[-1]))
    if sizes[0] != sizes[-1]:
        yield Bar(f"peak memory, {sizes[-1]} hosts to {sizes[0]}", median_ratio(large, small), 1.3)
    yield Bar(f"peak memory, {sizes[-1]} hosts", max(large) / MIB, 150.0, " MiB")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", default="200,1000", help="fleet sizes, with commas (default: 200,1000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=32, help="hosts asked at the same time, by both clients")
    parser.add_argument("--quick", action="store_true", help="20 and 60 hosts, one round: does it run, not how fast")
    options = parser.parse_args()
    if options.quick:
        options.hosts, options.rounds = "20,60", 1
    return options


def main() -> int:
    options = arguments()
    sizes = sorted(int(n) for n in options.hosts.split(","))
    sshd, xargs = (shutil.which(n, path=f"{os.environ['PATH']}:/usr/sbin") for n in ("sshd", "xargs"))
    if not sshd or not xargs:
        raise SystemExit("needs sshd and xargs (tests/servers.sh installs them)")
    compileall.compile_dir(str(ROOT / "auditor"), quiet=1)  # as an installation does
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "sshd").mkdir()
        with started(base / "sshd", sshd, listen=["0.0.0.0"]) as server:
            fleets = [fleet(base, server, addresses(n)) for n in sizes]
            print(f"Python {platform.python_version()} ({os.path.realpath(sys.executable)})")
            print(f"{' hosts client':19} {'wall':>11} {'client CPU':>17} {'peak':>11}")
            results = list(rounds(fleets, server, options, base / "log"))
    print()
    told = list(bars(results, sizes))
    for bar in told:
        print(f"{'pass' if bar.kept else 'FAIL'}  {bar.name}: {bar.value:.2f}{bar.unit} (bar {bar.limit:g}{bar.unit})")
    return 0 if all(b.kept for b in told) else 1


if __name__ == "__main__":
    sys.exit(main())
