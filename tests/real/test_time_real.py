"""Real chronyd and systemd-timesyncd, asked through the real command texts, and judged.

They run in private mount and network namespaces and follow a chronyd beside them. None can set the machine's clock: chronyd
runs with -x, and systemd-timesyncd under a filter that swallows the calls.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import lacking
from namespaces import Told, ask, control, in_each_shell, need, parameters

from auditor import expectations
from auditor.expectations import Scope
from auditor.model import Facts, Outcome, Partial, Register, Unknown

pytestmark = [pytest.mark.root, pytest.mark.timeout(115)]

CHRONY = Path("/opt/auditor-tests/chrony/usr")
PROBE = importlib.import_module("auditor.probes.time_sync").PROBE
DECLARED = ("localhost", "ntp.example.org")

# A machine of its own, with chrony; and a server of time beside it, that the machine's processes do not show.
MACHINE = f"""
mount --make-rprivate /
mount -t overlay none -o lowerdir={CHRONY}:/usr /usr
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
mount -t tmpfs none /run
mkdir -p /etc/chrony /run/systemd/system /run/dbus /mnt/proc/self
mkdir -m 750 /run/chrony /mnt/server
ip link set lo up
cat > /mnt/server.conf <<'END'
local stratum 5
allow
port 11123
cmdport 0
bindcmdaddress /mnt/server/s.sock
pidfile /mnt/server/pid
END
timeout 60 chronyd -x -u root -d -f /mnt/server.conf > /mnt/server.log 2>&1 &
sleep 0.5
"""
CONFIG = """
cat > /etc/chrony/chrony.conf <<'END'
%s
port 0
pidfile /mnt/chronyd.pid
END
"""
SERVER = "server localhost port 11123 minpoll -4 maxpoll -4 iburst"
START = """
chronyd -x -u root -d %s > /mnt/chronyd.log 2>&1 &
sleep 2
"""
# Runs a program whose attempts to set the clock succeed and do nothing.
STILL = """
import ctypes, os, struct, sys
calls = (159, 164, 227, 305)  # adjtimex, settimeofday, clock_settime, clock_adjtime on x86-64
code = [(0x20, 0, 0, 0), *((0x15, len(calls) - i, 0, n) for i, n in enumerate(calls))]
code += [(6, 0, 0, 0x7FFF0000), (6, 0, 0, 0x00050000)]
text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(text))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
    sys.exit("no filter")
os.execv(sys.argv[1], sys.argv[1:])
"""
TIMESYNCD = f"""
dbus-daemon --system --nofork --nopidfile > /mnt/bus.log 2>&1 &
echo $! > /mnt/bus
cat > /etc/systemd/timesyncd.conf <<'END'
[Time]
NTP=127.0.0.1 192.0.2.9
FallbackNTP=pool.example.org
END
cat > /mnt/still.py <<'END'
{STILL}
END
sleep 0.5
mkdir -p /run/systemd/timesync
chown systemd-timesync /run/systemd/timesync
{sys.executable} /mnt/still.py /lib/systemd/systemd-timesyncd > /mnt/timesyncd.log 2>&1 &
echo $! > /mnt/timesyncd.pid
sleep 3
"""
# systemd-timesyncd knows no other port.
AT_PORT_123 = """
kill $(cat /mnt/server/pid)
sed -i 's/port 11123/port 123/' /mnt/server.conf
sleep 0.3
timeout 60 chronyd -x -u root -d -f /mnt/server.conf > /mnt/server.log 2>&1 &
sleep 0.5
"""
# The processes of this test and no other: tests that run beside it start daemons too.
OWN_PROCESSES = """
for p in 1 $(cat /mnt/*.pid 2>/dev/null); do
  mkdir -p /mnt/proc/$p
  for f in comm status cmdline; do cat /proc/$p/$f > /mnt/proc/$p/$f; done
  ln -s / /mnt/proc/$p/root
  ln -s "$(readlink /proc/$p/exe)" /mnt/proc/$p/exe || :
done
echo 'CapBnd: 000001ffffffffff' > /mnt/proc/self/status
echo '0 0 4294967295' > /mnt/proc/self/uid_map
mount --bind /mnt/proc /proc
"""
END = "kill $(cat /mnt/server/pid /mnt/*.pid /mnt/bus 2>/dev/null) 2>/dev/null || :"
# From here on every `sh` that root starts is one of nobody's, who cannot end what root started.
AS_NOBODY = """
cp /usr/bin/busybox /mnt/busybox
cp /usr/bin/setpriv /mnt/setpriv
cat > /mnt/nobody <<'END'
#!/mnt/busybox sh
[ "$(/mnt/busybox id -u)" != 0 ] || exec /mnt/setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/busybox sh "$@"
exec /mnt/busybox sh "$@"
END
chmod 755 /mnt/nobody /mnt
mount --bind /mnt/nobody /usr/bin/dash
"""


def told(setup: str, shell: str | None = None, **how: Any) -> Told:
    need("busybox", "dbus-daemon", "setpriv")
    if not CHRONY.is_dir():
        lacking("this needs chrony, unpacked by tests/servers.sh")
    return ask(PROBE, "time_sync", MACHINE + setup, after=END, shell=shell, **how)


def judged(id: str, facts: Facts) -> Outcome:
    one = control("logging", id)
    scope = Scope({**parameters(one), "registers.time_sources": Register("time_sources", DECLARED)}, PROBE.facts)
    return expectations.outcome(one["expect"], one.get("tolerate", {}), facts, scope)[0]


KEPT, SOURCES, ONE = "clock-synchronised", "time-sources-declared", "clock-set-by-one-daemon"


@in_each_shell()
def test_chronyd_follows_a_declared_server(shell: str) -> None:
    got = told(CONFIG % f"{SERVER}\npool ntp.example.org" + START % "" + OWN_PROCESSES, shell)
    assert got.facts["daemons"] == ["chrony"]
    assert (got.facts["synchronised"], got.facts["stratum"], got.facts["leap"]) == (True, 6, "normal")
    assert got.facts["reference"] in ("127.0.0.1", "::1")
    assert got.facts["offset_s"] < 0.1
    assert got.facts["sources"] == [
        {"source": "localhost", "kind": "server"},
        {"source": "ntp.example.org", "kind": "pool"},
    ]
    assert [judged(one, got.facts) for one in (KEPT, SOURCES, ONE)] == [Outcome.PASS] * 3


@pytest.mark.parametrize(("offset", "outcome"), [("0.5", Outcome.WARN), ("3", Outcome.FAIL)])
def test_a_clock_that_is_off(offset: str, outcome: Outcome) -> None:
    got = told(CONFIG % f"{SERVER} offset {offset}" + START % "" + OWN_PROCESSES)
    assert got.facts["synchronised"] is True
    assert got.facts["offset_s"] == pytest.approx(float(offset), abs=0.09)
    assert judged(KEPT, got.facts) is outcome


def test_a_server_that_follows_itself_is_not_synchronised() -> None:
    """`local`: chronyc says Normal, stratum 8, offset zero."""
    got = told(CONFIG % "local stratum 8" + START % "" + OWN_PROCESSES)
    assert (got.facts["synchronised"], got.facts["leap"], got.facts["reference"]) == (False, "normal", None)
    assert judged(KEPT, got.facts) is Outcome.FAIL
    assert judged(SOURCES, got.facts) is Outcome.FAIL


def test_a_source_that_fell_silent_is_followed_no_more() -> None:
    """chronyc goes on saying Normal, and how small the offset is."""
    silence = "kill $(cat /mnt/server/pid)\nsleep 3\n"
    got = told(CONFIG % SERVER + START % "" + silence + OWN_PROCESSES)
    assert (got.facts["synchronised"], got.facts["leap"]) == (False, "normal")
    assert judged(KEPT, got.facts) is Outcome.FAIL


def test_a_stopped_chronyd() -> None:
    got = told(CONFIG % SERVER + OWN_PROCESSES)
    assert (got.facts["daemons"], got.facts["synchronised"], got.facts["sources"]) == ([], False, [])
    assert judged(KEPT, got.facts) is Outcome.FAIL
    assert judged(SOURCES, got.facts) is Outcome.FAIL


def test_without_a_command_port_root_alone_is_told() -> None:
    setup = CONFIG % f"{SERVER}\ncmdport 0" + START % "" + OWN_PROCESSES
    assert judged(KEPT, told(setup).facts) is Outcome.PASS
    soon_gone = setup.replace("chronyd -x", "timeout 30 chronyd -x")  # nobody cannot end it
    untold = told(soon_gone + AS_NOBODY, become=False)
    assert isinstance(untold.facts["synchronised"], Unknown)
    assert untold.facts["synchronised"].cause == "no_privilege"
    assert judged(KEPT, untold.facts) is Outcome.UNKNOWN


def test_sources_of_included_files_and_of_a_folder_that_dhcp_fills() -> None:
    more = """
mkdir -p /etc/chrony/conf.d /run/chrony-dhcp
echo 'server 192.0.2.7 iburst' > /etc/chrony/conf.d/x.conf
echo 'server 192.0.2.8 iburst' > /run/chrony-dhcp/x.sources
"""
    text = f"{SERVER}\nconfdir /etc/chrony/conf.d\nsourcedir /run/chrony-dhcp"
    got = told(more + CONFIG % text + START % "" + OWN_PROCESSES)
    assert {s["source"] for s in got.facts["sources"]} == {"localhost", "192.0.2.7", "192.0.2.8"}
    assert judged(SOURCES, got.facts) is Outcome.FAIL


def test_chronyd_that_reads_another_file() -> None:
    """What chronyd itself names is told, and that the file was not read."""
    start = "mv /etc/chrony/chrony.conf /mnt/other.conf\n" + START % "-f /mnt/other.conf"
    got = told(CONFIG % SERVER + start + OWN_PROCESSES)
    assert isinstance(got.facts["sources"], Partial)
    assert [s["source"] for s in got.facts["sources"].items] == ["localhost"]
    assert judged(SOURCES, got.facts) is Outcome.UNKNOWN


@in_each_shell()
def test_timesyncd_tells_its_last_answer(shell: str) -> None:
    got = told(AT_PORT_123 + TIMESYNCD + OWN_PROCESSES, shell)
    assert got.facts["daemons"] == ["systemd-timesyncd"]
    assert (got.facts["synchronised"], got.facts["stratum"], got.facts["leap"]) == (True, 5, "normal")
    assert got.facts["offset_s"] < 0.1
    assert got.facts["reference"] == "127.0.0.1"
    assert [s["source"] for s in got.facts["sources"]] == ["127.0.0.1", "192.0.2.9"]
    assert judged(KEPT, got.facts) is Outcome.PASS
    assert judged(SOURCES, got.facts) is Outcome.FAIL


def test_two_daemons_at_once() -> None:
    got = told(CONFIG % SERVER + START % "" + TIMESYNCD + OWN_PROCESSES)
    assert sorted(got.facts["daemons"]) == ["chrony", "systemd-timesyncd"]
    assert judged(ONE, got.facts) is Outcome.FAIL
    assert judged(KEPT, got.facts) is Outcome.UNKNOWN  # one follows its server, the other reaches none


@in_each_shell()
def test_no_secret_of_ntp_conf_leaves_the_host(shell: str) -> None:
    text = """
cat > /etc/ntp.conf <<'END'
crypto pw CANARY-7
server -4 ntp.example.org iburst key 5
# server CANARY-7
includefile /etc/ntp.more
END
echo 'peer 192.0.2.4' > /etc/ntp.more
"""
    got = told(text + OWN_PROCESSES, shell)
    assert "CANARY-7" not in got.raw
    assert "|server ntp.example.org\n" in got.raw
    assert "|peer 192.0.2.4\n" in got.raw


def test_the_texts_of_the_probe_are_shell() -> None:
    for command in PROBE.dialects["linux"].commands({}).values():
        ran = subprocess.run(["dash", "-n", "-c", command.text], capture_output=True, text=True)
        assert (ran.returncode, ran.stderr) == (0, "")
