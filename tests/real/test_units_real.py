"""The shipped units and cron line as they are: under a real systemd in namespaces of its own, against a real sshd."""

from __future__ import annotations

import json
import os
import re
import site
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from namespaces import ROOT, need

from auditor.store import Store

CONTRIB = ROOT / "contrib"
SCORE = 1.1  # docs/scheduled.md says so too

# Its own root: an overlay of this machine's, with what an administrator would install. What it writes to /out stays.
OUTER = """
set -e
mount --make-rprivate /
mkdir -p "$T/cgroups"
if grep -q name=systemd /proc/self/cgroup; then
  mount -t cgroup -o none,name=systemd cgroup "$T/cgroups"
else
  mount -t cgroup2 cgroup2 "$T/cgroups"
fi
own="$T/cgroups/auditor-test.$$"
mkdir "$own"
sh -c 'echo $$ > "$0/cgroup.procs"; exec timeout -k 5 90 unshare -p -f -C -u -i -n --kill-child --mount-proc sh "$T/inner.sh"' "$own" || true
find "$own" -depth -type d -exec rmdir {} ';'
"""
INNER = """
set -e
mount --make-rprivate /
mkdir -p "$T/upper" "$T/root"
mount -t tmpfs tmpfs "$T/upper"
mkdir "$T/upper/u" "$T/upper/w"
mount -t overlay overlay -o "lowerdir=/,upperdir=$T/upper/u,workdir=$T/upper/w" "$T/root"
cd "$T/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /dev dev
for each in run tmp; do mount -t tmpfs tmpfs $each; chmod 1777 $each; done
if grep -q name=systemd /proc/self/cgroup; then
  mount -t tmpfs tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
else
  mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
mkdir -p out opt/python old
mount --bind "$T/out" out
mount --bind "$PREFIX" opt/python
n=0 IFS=:
for each in $LIBRARIES; do
  mkdir -p opt/libraries/$n
  mount --bind "$each" opt/libraries/$n
  n=$((n + 1))
done
unset IFS
rm -rf etc/systemd/system/* usr/lib/systemd/system/*.wants usr/lib/systemd/system/*.requires
pivot_root . old
cd /
umount -l old
mount --make-rshared /
ip link set lo up
. /out/prepare.sh
container=other exec /lib/systemd/systemd --system --unit=test.target --log-target=console </dev/null >/out/systemd 2>&1
"""
PREPARE = """
useradd --system --home-dir /var/lib/auditor --shell /usr/sbin/nologin auditor
useradd --create-home --password '*' --shell /bin/sh watched
cat > /usr/local/bin/auditor <<X
#!/bin/sh
LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=$SEEN_AS exec /opt/python/bin/$PYTHON -m auditor "\\$@"
X
chmod 755 /usr/local/bin/auditor
cp -r /out/etc /etc/auditor
chmod -R go-w,a+rX /etc/auditor
ssh-keygen -q -t ed25519 -N '' -f /tmp/key
ssh-keygen -q -t ed25519 -N '' -f /tmp/hostkey
install -d -m 700 /etc/auditor/credentials
install -m 600 /tmp/key /etc/auditor/credentials/ssh-key
install -m 644 /tmp/key.pub /etc/keys
install -d -o auditor -m 700 /var/lib/auditor
install -d -o auditor -m 700 /var/lib/auditor/.ssh
echo "[127.0.0.1]:2222 $(cut -d' ' -f1,2 /tmp/hostkey.pub)" > /var/lib/auditor/.ssh/known_hosts
chown auditor /var/lib/auditor/.ssh/known_hosts
mkdir -p /run/sshd
/usr/sbin/sshd -E /out/sshd -o LogLevel=VERBOSE -f /dev/null -h /tmp/hostkey -p 2222 -o ListenAddress=127.0.0.1 -o AuthorizedKeysFile=/etc/keys -o UsePAM=no -o PasswordAuthentication=no
cp /out/auditor@.service /out/auditor@.timer /etc/systemd/system/
mkdir /etc/systemd/system/auditor@.service.d
cat > /etc/systemd/system/auditor@.service.d/test.conf <<X
[Unit]
DefaultDependencies=no
SuccessAction=exit-force
FailureAction=exit-force
[Service]
StandardOutput=append:/out/stdout
StandardError=append:/out/stderr
ExecStopPost=+/bin/sh -c 'echo "\\$\\$SERVICE_RESULT \\$\\$EXIT_STATUS" > /out/result; cp -a /var/lib/auditor /out/state; ls -ln /run/credentials > /out/left'
X
printf '[Unit]\\nDefaultDependencies=no\\nWants=auditor@town.service\\n' > /etc/systemd/system/test.target
printf '[Unit]\\nDefaultDependencies=no\\n' > /etc/systemd/system/network-online.target
"""
ESTATE = """
entities: [{id: TOWN}]
perimeters: [{id: own, owner: TOWN, kind: exclusive}]
hosts: {all: {perimeter: own}}
"""
HOSTS = """
all:
  hosts:
    web01:
      ansible_host: 127.0.0.1
      ansible_port: 2222
      ansible_user: watched
      ansible_ssh_private_key_file: /run/credentials/auditor@town.service/auditor_ssh-key
"""


@pytest.mark.root
def test_the_unit_audits_over_ssh_with_its_credential_and_keeps_it(tmp_path: Path) -> None:
    """Hardened as shipped: it reads its key, reaches the host, writes store and reports, prunes; its log is JSON lines."""
    need("systemctl", "sshd", "pivot_root", "ip", "useradd")
    out = tmp_path / "out"
    (out / "etc/town").mkdir(parents=True)
    (out / "etc/town/hosts.yaml").write_text(HOSTS)
    (out / "etc/town/estate.yaml").write_text(ESTATE)
    for unit in CONTRIB.glob("auditor@.*"):
        (out / unit.name).write_bytes(unit.read_bytes())
    (out / "prepare.sh").write_text(PREPARE)
    (tmp_path / "inner.sh").write_text(INNER)
    for folder in (tmp_path, out):
        folder.chmod(0o755)
    libraries = [str(ROOT), *site.getsitepackages()]
    known = {"T": str(tmp_path), "PREFIX": sys.base_prefix, "LIBRARIES": ":".join(libraries)}
    known["SEEN_AS"] = ":".join(
        f"/opt/libraries/{n}" for n in range(len(libraries))
    )  # neither a home nor /tmp is seen there
    known["PYTHON"] = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    command = ["unshare", "-m", "sh", "-c", OUTER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=115, env={**os.environ, **known})
    told = {p.name: p.read_text("utf-8", "replace") for p in out.iterdir() if p.is_file() and p.suffix == ""}
    assert told.get("result", "").split()[:1] == ["success"], (done, told)
    events = [json.loads(line) for line in told["stderr"].splitlines()]
    assert {"audit_started", "host_done", "audit_finished", "report_written", "pruned"} <= {e["event"] for e in events}
    assert [e["exit_code"] for e in events if e["event"] == "ended"][0] in (1, 3)
    assert not [e for e in events if e["event"] == "host_not_measured"], events
    run = Store(str(out / "state/runs.db"), create=False).run("latest")
    assert [(h.host, h.failure, h.measured > 5) for h in run.hosts()] == [("web01", None, True)]
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (out / "state").iterdir() if p.is_file()}
    assert modes["town.html"] == modes["runs.db"] == 0o600
    assert modes["town.prom"] == 0o644
    assert told["left"].split() == ["total", "0"], "the credential is gone with the unit"


def test_the_timer_fires_every_night() -> None:
    need("systemd-analyze")
    (when,) = re.findall(r"^OnCalendar=(.*)$", (CONTRIB / "auditor@.timer").read_text(), re.MULTILINE)
    command = ["systemd-analyze", "calendar", "--base-time=2026-11-21 12:00", "--iterations=2", when]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC", "LANG": "C"}
    )
    assert re.findall(r"2026-11-2\d 02:30:00 UTC", done.stdout)[0::1][:2] == [
        "2026-11-22 02:30:00 UTC",
        "2026-11-23 02:30:00 UTC",
    ]


def test_the_unit_is_as_exposed_as_the_docs_say() -> None:
    """systemd's own analyser, offline; no secret or weakness crept in with an edit."""
    need("systemd-analyze")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(CONTRIB / "auditor@.service")]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+) ", done.stdout)
    assert found, done
    assert float(found[1]) <= SCORE
    assert f"exposure {SCORE}" in (ROOT / "docs/scheduled.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("code", "words"), [(0, ""), (1, ""), (3, ""), (2, "exit 2"), (130, "exit 130"), (137, "exit 137")]
)
def test_cron_mails_only_what_is_for_us_to_mend(tmp_path: Path, code: int, words: str) -> None:
    """The line as shipped, given to the shell that cron starts; what is printed is what it mails."""
    (line,) = [
        one
        for one in (CONTRIB / "auditor.cron").read_text().splitlines()
        if " auditor run " in one.replace("/usr/local/bin/", " ")
    ]
    schedule = line.split(None, 6)
    assert schedule[5] == "auditor"
    command = schedule[6].replace("/usr/local/bin/auditor", str(tmp_path / "auditor"))
    (tmp_path / "auditor").write_text(f"#!/bin/sh\nexit {code}\n")
    (tmp_path / "auditor").chmod(0o755)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.stdout.strip().removeprefix("auditor: "), done.stderr) == (words, "")


def test_the_units_run_commands_that_exist() -> None:
    """Options of `auditor` that the shipped files give are options that it has."""
    from auditor.cli import main

    for file in (path for path in CONTRIB.rglob("*") if path.is_file()):
        for words in re.findall(r"/bin/auditor (\S+)([^;\n]*)", file.read_text()):
            command = main.commands[words[0]]
            known = {option for one in command.params for option in one.opts}
            assert {w for w in words[1].split() if re.fullmatch(r"--?[a-z-]+", w)} <= known, words
