"""What `auditor --help` costs beside a bare click program's: median of interleaved runs. Bar: twice."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BAR = 2.0
BARE = '''
import click

@click.group()
def main():
    """A bare program."""

@main.command()
@click.option("--name", help="A name.")
def hello(name):
    """Greets."""

main()
'''


def took_s(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        ours = [sys.executable, "-m", "auditor", "--help"]
        theirs = [sys.executable, str(bare), "--help"]
        took_s(ours)
        took_s(theirs)  # once each, so that both are compiled and in memory
        pairs = [(took_s(ours), took_s(theirs)) for _ in range(options.rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"auditor --help    {statistics.median(a for a, _ in pairs) * 1000:7.1f} ms")
    print(f"bare click --help {statistics.median(b for _, b in pairs) * 1000:7.1f} ms")
    print(f"{'pass' if ratio <= BAR else 'FAIL'}  ratio: {ratio:.2f}x (bar {BAR:g}x)")
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
