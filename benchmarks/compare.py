"""How two stored runs of 1,000 hosts and 100 controls compare: CPU and memory, to reading one of them. See README.md."""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from sample_run import CONTROLS, header  # noqa: E402 - found by the path set above

from auditor.compare import compared  # noqa: E402 - found by the path set above
from auditor.expectations import fingerprint  # noqa: E402 - found by the path set above
from auditor.model import Finding, Outcome, Reason, Subject  # noqa: E402 - found by the path set above
from auditor.store import Catalogue, Store  # noqa: E402 - found by the path set above

MIB = 1024
CPU_BAR_S = 2.0
MEMORY_BAR = 1.3


def findings(hosts: int, controls: int, seed: int) -> Iterator[Finding]:
    """One in five is open; between two seeds, one in a hundred differs."""
    for seq in range(hosts * controls):
        host, control = Subject("host", f"host{seq // controls:05}", "town"), f"control-{seq % controls:03}"
        often = random.Random(seq).random()
        changed = random.Random(f"{seq} {seed}").random() < 0.01
        outcome = Outcome.FAIL if (often < 0.2) != changed else Outcome.PASS
        reasons = (Reason("logins", "every", True, element=f"account{seq % 7} (any address)"),)
        mark = fingerprint(control, host.lasting)
        why = reasons if outcome is Outcome.FAIL else ()
        yield Finding(seq, host, control, outcome, "high", mark, why, at=1.79e9 + seed)


def stored(path: Path, hosts: int, controls: int) -> None:
    store = Store(str(path))
    for seed in (1, 2):
        run = store.begin(header(hosts_expected=hosts), Catalogue(CONTROLS, {}, {}))
        store.keep_findings(run, findings(hosts, controls, seed))
        store.finish(run, "complete", 2.0, (), ())
    store.close()


def measured(path: Path, what: str) -> tuple[float, float]:
    """CPU seconds and peak MiB of one process that only does this."""
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; sys.argv = ['x', {what!r}, {str(path)!r}]; import runpy; runpy.run_path({__file__!r}, run_name='child')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    cpu, peak = done.stdout.split()
    return float(cpu), float(peak)


def child(what: str, path: str) -> None:
    store = Store(path, create=False)
    begun = time.process_time()
    if what == "compare":
        compared(store.run("1"), store.run("2"))
    else:
        for _ in store.run("2").findings():
            pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    print(time.process_time() - begun, peak)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 hosts: does it run, not how fast")
    hosts = 100 if parser.parse_args().quick else 1000
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.db"), Path(folder, "large.db")
        stored(small, hosts // 10, 100)
        stored(large, hosts, 100)
        (few_s, few), (all_s, most), (read_s, _) = (
            measured(p, w) for p, w in ((small, "compare"), (large, "compare"), (large, "read"))
        )
    print(
        f"{hosts} hosts x 100 controls: {all_s / read_s:.2f}x of reading one run whole; a tenth of the hosts: {few_s:.2f} s"
    )
    kept = (all_s <= CPU_BAR_S, most / few <= MEMORY_BAR)
    print(f"{'pass' if kept[0] else 'FAIL'}  CPU: {all_s:.2f} s (bar {CPU_BAR_S:g} s)")
    print(
        f"{'pass' if kept[1] else 'FAIL'}  peak memory to that of a tenth of the hosts: {most / few:.2f}x (bar {MEMORY_BAR:g}x)"
    )
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
elif __name__ == "child":
    child(*sys.argv[1:])
