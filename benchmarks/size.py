"""What large inputs cost to read beside the library's own parser: known_hosts and inventories. See README.md beside it."""

from __future__ import annotations

import argparse
import base64
import compileall
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

LOOKUPS = 20
ONCE = ("paramiko-known-hosts", "ansible-inventory")  # they take a minute each, and no bar is near what they take
GROUPS = 100
MIB = 1024 * 1024


# ---------------------------------------------------------------- what is read


def name(index: int) -> str:
    return f"host{index:05}.town.example"


def address(index: int) -> str:
    return f"10.{index // 65536}.{index // 256 % 256}.{index % 256}"


def blob(index: int) -> bytes:
    """An ed25519 public key as SSH writes it; nobody has its private half."""
    return b"\0\0\0\x0bssh-ed25519\0\0\0 " + index.to_bytes(32, "big")


def write_known_hosts(file: Path, lines: int, hashed: bool) -> None:
    import paramiko

    def named(index: int) -> str:
        return paramiko.HostKeys.hash_host(name(index)) if hashed else f"{name(index)},{address(index)}"

    file.write_text(
        "".join(f"{named(i)} ssh-ed25519 {base64.b64encode(blob(i)).decode()}\n" for i in range(lines)), "ascii"
    )


def variables(index: int) -> dict[str, Any]:
    """What an inventory says of a host: how to connect, and what is nobody's business but Ansible's."""
    return {
        "ansible_host": address(index),
        "rack": f"r{index % 40}",
        "serial": f"S{index:07}",
        "cores": 1 << index % 5,
        "owners": [f"team{index % 7}", "ops"],
        "note": f"server number {index}",
    }


def write_yaml(folder: Path, hosts: int) -> None:
    """A hundred groups in block style, as people write it, each with a file in group_vars/."""
    lines = ["all:", "  vars:", "    ansible_user: audit", "    ansible_port: 22", "  children:"]
    for group in range(GROUPS):
        lines += [f"    group{group:03}:", "      hosts:"]
        for index in range(group, hosts, GROUPS):
            lines.append(f"        {name(index)}:")
            lines += [f"          {key}: {json.dumps(value)}" for key, value in variables(index).items()]
    folder.mkdir()
    (folder / "hosts.yaml").write_text("\n".join(lines) + "\n")
    write_group_vars(folder)


def write_ini(folder: Path, hosts: int) -> None:
    """The same, as INI."""
    lines = ["[all:vars]", "ansible_user=audit", "ansible_port=22"]
    for group in range(GROUPS):
        lines.append(f"[group{group:03}]")
        for index in range(group, hosts, GROUPS):
            said = (f'{k}="{v}"' if isinstance(v, str | list) else f"{k}={v}" for k, v in variables(index).items())
            lines.append(f"{name(index)} {' '.join(said)}")
    folder.mkdir()
    (folder / "hosts.ini").write_text("\n".join(lines) + "\n")
    write_group_vars(folder)


def write_group_vars(folder: Path) -> None:
    (folder / "group_vars").mkdir()
    for group in range(GROUPS):
        said = f"site: site{group % 10}\nntp_servers:\n  - 10.0.0.1\n  - 10.0.0.2\nbackup: true\n"
        (folder / "group_vars" / f"group{group:03}.yml").write_text(said)


# ---------------------------------------------------------------- who reads: each in a process of its own


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU without start-up and imports, a stage each; memory at its peak above what it was before; what was read."""

    cpu_s: dict[str, float]
    added_bytes: int
    told: Any


Part = Callable[[Path, int], dict[str, Callable[[Any], Any]]]


def ours_known_hosts(path: Path, size: int) -> dict[str, Callable[[Any], Any]]:
    from auditor.readers import known_hosts

    def look_up(known: Any) -> list[list[str]]:
        return [[blob.hex() for _, blob in known.keys_of(name(i), 22)] for i in looked_up(size)]

    return {"load": lambda _: known_hosts.read([path.read_text("utf-8")]), "look-up": look_up}


def paramiko_known_hosts(path: Path, size: int) -> dict[str, Callable[[Any], Any]]:
    import paramiko

    def look_up(known: Any) -> list[list[str]]:
        return [[key.asbytes().hex() for key in known.lookup(name(i)).values()] for i in looked_up(size)]

    return {"load": lambda _: paramiko.HostKeys(str(path)), "look-up": look_up}


def looked_up(size: int) -> range:
    return range(0, size, max(1, size // LOOKUPS))


def ours_inventory(path: Path, size: int) -> dict[str, Callable[[Any], Any]]:
    """All that a command does with `-i PATH`: groups, variables merged, how to connect, every value checked."""
    from auditor.commands import inputs

    def load(_: Any) -> list[tuple[str, str]]:
        estate, _digests = inputs.load_estate([str(path)])
        return sorted((h.id, h.address) for h in estate.hosts)

    return {"load": load}


def pyyaml(path: Path, loader: str) -> dict[str, Callable[[Any], Any]]:
    """Nothing but yaml.load: no variable is merged."""
    import yaml

    def load(_: Any) -> list[tuple[str, str]]:
        files = [path / "hosts.yaml", *sorted((path / "group_vars").iterdir())]
        first, *_rest = [yaml.load(f.read_bytes(), getattr(yaml, loader)) for f in files]
        groups = first["all"]["children"].values()
        return sorted((h, said["ansible_host"]) for g in groups for h, said in g["hosts"].items())

    return {"load": load}


PARTS: dict[str, Part] = {
    "auditor-known-hosts": ours_known_hosts,
    "paramiko-known-hosts": paramiko_known_hosts,
    "auditor-inventory": ours_inventory,
    "CSafeLoader": lambda path, size: pyyaml(path, "CSafeLoader"),
    "SafeLoader": lambda path, size: pyyaml(path, "SafeLoader"),
}


def alone(part: str, path: Path, size: int) -> None:
    """Runs one part in this process, which is there for nothing else, and prints what it cost."""
    stages = PARTS[part](path, size)
    before = peak_bytes()
    cpu: dict[str, float] = {}
    value: Any = None
    for stage, run in stages.items():
        begun = time.process_time()
        value = run(value)
        cpu[stage] = time.process_time() - begun
    print(json.dumps({"cpu_s": cpu, "added_bytes": peak_bytes() - before, "told": value}))


def peak_bytes() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024


def cost(part: str, path: Path, size: int) -> Cost:
    command = [sys.executable, __file__, "--part", part, "--path", str(path), "--size", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{part} of {path.name} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return Cost(**json.loads(done.stdout))


def ansible_inventory(path: Path) -> Cost:
    """`ansible-inventory --list`, start-up included: what it costs to have Ansible itself read the inventory."""
    home = path.parent
    (home / "ansible.cfg").write_text("")
    environment = {**os.environ, "HOME": str(home), "ANSIBLE_CONFIG": str(home / "ansible.cfg"), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "ansible", "inventory", "-i", str(path), "--list"]
    listing = home / "listing"
    with listing.open("wb") as kept:
        process = subprocess.Popen(command, stdout=kept, stderr=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"ansible-inventory of {path} ended with {process.returncode}")
    said = json.loads(listing.read_bytes())["_meta"]["hostvars"]
    told = sorted([h, v["ansible_host"]] for h, v in said.items())
    return Cost({"load": usage.ru_utime + usage.ru_stime}, usage.ru_maxrss * 1024, told)


# ---------------------------------------------------------------- rounds, ratios and bars


@dataclass(frozen=True, slots=True)
class Case:
    """One input, who reads it, and the bars: of which stage, beside whom, at most how many times its CPU."""

    title: str
    path: Path
    size: int
    readers: tuple[str, ...]
    base: str
    bars: tuple[tuple[str, float], ...]
    base_path: Path | None = None  # where the base has another format of the same to read


def cases(folder: Path, size: int) -> Iterator[Case]:
    for kind in ("plain", "hashed"):
        file = folder / f"known_hosts_{kind}"
        write_known_hosts(file, size, kind == "hashed")
        readers = ("auditor-known-hosts", "paramiko-known-hosts")
        yield Case(
            f"known_hosts, {size} {kind} lines", file, size, readers, readers[1], (("load", 0.1), ("look-up", 0.25))
        )
    write_yaml(folder / "yaml", size)
    write_ini(folder / "ini", size)
    readers = ("auditor-inventory", "CSafeLoader", "SafeLoader", "ansible-inventory")
    yield Case(f"YAML inventory, {size} hosts", folder / "yaml", size, readers, "CSafeLoader", (("load", 2.0),))
    readers = ("auditor-inventory", "CSafeLoader", "ansible-inventory")
    said = f"INI inventory, {size} hosts (CSafeLoader: the YAML that says the same)"
    yield Case(said, folder / "ini", size, readers, "CSafeLoader", (("load", 2.0),), folder / "yaml")


def read_by(reader: str, case: Case) -> Cost:
    if reader == "ansible-inventory":
        return ansible_inventory(case.path)
    return cost(reader, case.base_path or case.path if reader == case.base else case.path, case.size)


def measured(case: Case, rounds: int, judged: bool) -> bool:
    """Prints what each reader cost, and the bars; whether they are kept (where `judged`) and all readers tell the same."""
    readers = [r for r in case.readers if r != "ansible-inventory" or importlib.util.find_spec("ansible")]
    found: dict[str, list[Cost]] = {r: [] for r in readers}
    for number in range(rounds):
        for reader in readers if number % 2 == 0 else reversed(readers):
            known = found[reader] if reader in ONCE else []
            found[reader].append(known[0] if known else read_by(reader, case))
    print(f"\n{case.title}")
    for reader, costs in found.items():
        spent = [f"{stage} {of(costs, stage) * 1000:10.1f} ms" for stage in costs[0].cpu_s]
        by = [f"{ratio(costs, found[case.base], stage):7.3f}x" for stage in costs[0].cpu_s]
        memory = statistics.median(c.added_bytes for c in costs) / MIB
        print(
            f"  {reader:21} " + "  ".join(f"{s} {r}" for s, r in zip(spent, by, strict=True)) + f"  {memory:7.1f} MiB"
        )
    for reader in case.readers:
        if reader not in found:
            print(f"  {reader:21} not installed")
    kept = [told(case, stage, limit, found) for stage, limit in case.bars] if judged else []
    same = len({json.dumps(c.told) for costs in found.values() for c in costs}) == 1
    print(f"{'pass' if same else 'FAIL'}  {case.title}: all readers tell the same")
    return all(kept) and same


def told(case: Case, stage: str, limit: float, found: dict[str, list[Cost]]) -> bool:
    value = ratio(found[case.readers[0]], found[case.base], stage)
    kept = value <= limit
    print(f"{'pass' if kept else 'FAIL'}  {case.title}: {stage}, CPU to {case.base}: {value:.3f}x (bar {limit:g}x)")
    return kept


def of(costs: Sequence[Cost], stage: str) -> float:
    return statistics.median(c.cpu_s[stage] for c in costs)


def ratio(costs: Sequence[Cost], base: Sequence[Cost], stage: str) -> float:
    """The median of each round's own ratio."""
    return statistics.median(a.cpu_s[stage] / b.cpu_s[stage] for a, b in zip(costs, base, strict=True))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000, help="lines, and hosts (default: 10,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a size of 300, one round, no bar on CPU: does it run")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.size, options.rounds = 300, 1
    return options


def main() -> int:
    options = arguments()
    if options.part:
        alone(options.part, options.path, options.size)
        return 0
    compileall.compile_dir(str(ROOT / "auditor"), quiet=1)  # as an installation does
    with tempfile.TemporaryDirectory() as folder:
        print("CPU without start-up and imports, to the library's own parser; memory at its peak above that before")
        kept = [measured(c, options.rounds, not options.quick) for c in cases(Path(folder), options.size)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
