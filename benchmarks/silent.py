"""What silent and distant hosts cost an audit, against the live ones alone. See README.md beside it."""

from __future__ import annotations

import argparse
import compileall
import fcntl
import os
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from fleet import ROOT, Measured, fleet, measured, not_answered  # noqa: E402 - found by the path set above
from sshd import AS_HOST, Sshd, started  # noqa: E402 - found by the path set above

from auditor.kinds import Settings  # noqa: E402 - found by the path set above

BAR = 1.2
CONNECT_S = Settings(time.time).connect_timeout_s
# One network device is both ways of a wire: what goes to FAR comes back as from SEEN, and the answers the other way round.
# The two pairs of numbers have one sum, so that no checksum changes.
CLIENT, FAR, SEEN, SERVER = 7, 8, 9, 6  # 10.N.0.0/16
SILENT = 5  # packets to 10.5.0.0/16 are dropped
# The server sees the far ones come from addresses of their own: each is a host of its own name by that.
DISTANT = "AllowUsers *@10.*\nMatch Address 10.0.0.0/8\nForceCommand " + AS_HOST.replace('"$3"', '"$1"') + "\n"
_SETIFF, _TUN, _BARE = 0x400454CA, 0x0001, 0x1000


# ---------------------------------------------------------------- a wire that delays, and one that drops


def wire(delay_s: float) -> None:
    """A device in this namespace, served by a thread: FAR hosts answer after `delay_s`, SILENT ones never."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _SETIFF, struct.pack("16sH", b"wire", _TUN | _BARE))
    for words in (
        "ip link set lo up",
        "ip link set wire up txqueuelen 10000",
        f"ip address add 10.{CLIENT}.255.1/32 dev wire",
        f"ip address add 10.{SERVER}.255.1/32 dev wire",
        f"ip route add 10.{FAR}.0.0/16 dev wire src 10.{CLIENT}.255.1",
        f"ip route add 10.{SEEN}.0.0/16 dev wire src 10.{SERVER}.255.1",
        f"ip route add 10.{SILENT}.0.0/16 dev wire src 10.{CLIENT}.255.1",
    ):
        subprocess.run(words.split(), check=True)
    threading.Thread(target=_carry, args=(device, delay_s / 2), daemon=True).start()


def _carry(device: int, one_way_s: float) -> None:
    under_way: deque[tuple[float, bytes]] = deque()
    while True:
        patience = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        if select.select([device], [], [], patience)[0]:
            packet = turned(os.read(device, 65536))
            if packet:
                under_way.append((time.monotonic() + one_way_s, packet))
        while under_way and under_way[0][0] <= time.monotonic():
            os.write(device, under_way.popleft()[1])


def turned(packet: bytes) -> bytes:
    """The packet as its other end sees it, where who sent it and who gets it have changed places; nothing when dropped."""
    if packet[0] >> 4 != 4:
        return b""
    source, target = bytearray(packet[16:20]), bytearray(packet[12:16])
    other = {FAR: (SEEN, SERVER), SEEN: (FAR, CLIENT)}.get(source[1])
    if other is None:
        return b""
    source[1], target[1] = other
    return packet[:12] + bytes(source) + bytes(target) + packet[20:]


# ---------------------------------------------------------------- the fleet


def addresses(count: int, silent: int, far: int) -> list[str]:
    """Interleaved, as they stand in an inventory: silent, far and near ones."""
    kinds = [(SILENT, silent), (FAR, far), (0, count - silent - far)]
    placed = sorted(((i + 0.5) / most, kind, i) for kind, most in kinds for i in range(most))
    near = [f"127.0.{1 + i // 250}.{1 + i % 250}" for i in range(count)]
    return [f"10.{kind}.{i // 250}.{1 + i % 250}" if kind else near[i] for _, kind, i in placed]


def audited(base: Path, server: Sshd, given: list[str], label: str, jobs: int | None) -> Measured:
    folder = base / label
    folder.mkdir()
    one = fleet(folder, server, given)
    store = one.home / "runs.db"
    command = [sys.executable, "-m", "auditor", "run", "-i", str(one.estate), "--store", str(store)]
    command += ["-f", f"junit={one.home}/audit.xml", *(["--jobs", str(jobs)] if jobs else [])]
    wall, usage, code = measured(command, one.home, Path(os.devnull), base / "log")
    if code not in (0, 1, 3):
        raise SystemExit(f"auditor run ended with {code}:\n{(base / 'log').read_text()[-3000:]}")
    lost = not_answered(store, one.size)
    print(
        f"{label:10} {one.size:5} hosts {wall:8.2f} s {usage.ru_maxrss / 1024:8.1f} MiB {lost:5} not answered",
        flush=True,
    )
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, lost)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--silent", type=int, default=40, help="percent that drop every packet (default: 40)")
    parser.add_argument("--far", type=int, default=10, help="percent that are far away (default: 10)")
    parser.add_argument("--delay-ms", type=int, default=200, help="a round trip to the far ones (default: 200)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, help="default: that of auditor run")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if not options.inside:
        if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
            raise SystemExit("needs root and /dev/net/tun, for a network of its own")
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv, "--inside"])
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not sshd:
        raise SystemExit("needs sshd (tests/servers.sh installs it)")
    compileall.compile_dir(str(ROOT / "auditor"), quiet=1)  # as an installation does
    wire(options.delay_ms / 1000)
    silent, far = (options.hosts * percent // 100 for percent in (options.silent, options.far))
    every = addresses(options.hosts, silent, far)
    live = [a for a in every if not a.startswith(f"10.{SILENT}.")]
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "sshd").mkdir()
        with started(base / "sshd", sshd, listen=["0.0.0.0"], more=lambda folder: DISTANT) as server:
            for n in range(options.rounds):
                runs = [("live", live), ("all", every)]
                got = {k: audited(base, server, a, f"{k} #{n + 1}", options.jobs) for k, a in runs[:: 1 - 2 * (n % 2)]}
                pairs.append((got["live"], got["all"]))
    ratio = statistics.median(max(0.0, whole.wall_s - CONNECT_S) / alone.wall_s for alone, whole in pairs)
    lost = sum(abs(whole.failures - silent) + alone.failures for alone, whole in pairs)
    print()
    told = [
        ("time but for one connect timeout, to the live hosts alone", ratio, BAR),
        ("live hosts not answered", lost, 0),
    ]
    for name, value, bar in told:
        print(f"{'pass' if value <= bar else 'FAIL'}  {name}: {value:.2f} (bar {bar:g})")
    return 0 if all(value <= bar for _, value, bar in told) else 1


if __name__ == "__main__":
    sys.exit(main())
