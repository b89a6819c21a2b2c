"""The real kernel, auditctl and auditd: rules are loaded for a moment and taken back, and the probe is asked meanwhile.

The audit system is one for the whole machine. These tests run one after the other, only where nobody uses it, never let a
process wait for it, and leave it as it was.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from beside import AS_NOBODY, BESIDE, MACHINE, need_beside
from conftest import lacking
from namespaces import Told, ask, in_each_shell, judged

from auditor.model import Outcome, Unknown
from auditor.probes.audit_trail import PROBE
from auditor.probes.linux.audit_trail import OF_WINDOWS

pytestmark = [pytest.mark.root, pytest.mark.timeout(115), pytest.mark.xdist_group("audit")]

KEPT = "audit-trail-is-kept"
COVER = "audit-rules-cover-privileged-actions"
LIBRARIES = {"LD_LIBRARY_PATH": f"{BESIDE}/usr/lib/x86_64-linux-gnu", "PATH": "/usr/bin:/bin"}
SECRET = "CANARY-9"

AUDITD = """
mkdir -p /var/log/audit
chmod 700 /var/log/audit
auditctl -f 0 >/dev/null
auditctl --backlog_wait_time 0 >/dev/null
auditctl -b 8192 >/dev/null
"""
START = """
auditd -s enable
for i in 1 2 3 4 5 6 7 8 9 10; do [ -s /run/auditd.pid ] && [ -s /var/log/audit/audit.log ] && break; sleep 0.2; done
"""
STOP = """
auditctl -e 0 >/dev/null
auditctl -D >/dev/null
if [ -s /run/auditd.pid ]; then
  p=$(cat /run/auditd.pid)
  kill "$p"
  while [ -d "/proc/$p" ]; do sleep 0.1; done
fi
"""
# Of this machine's own accounts nobody's acts are recorded: these rules are true of a machine where people log in.
RULES = """
cat > /etc/audit/rules.d/audit.rules <<'END'
-D
%s
END
augenrules --load >/dev/null
"""
WATCHES = "-w /etc/passwd -p wa\n-w /etc/shadow -p wa -k id\n-w /etc/group -p wa\n-w /etc/sudoers -p wa\n-w /etc/sudoers.d/ -p wa"
ROOT = "\n".join(
    f"-a always,exit -F arch={a} -S execve -F euid=0 -F auid>=1000 -F auid!=unset -k root" for a in ("b64", "b32")
)
MODULES = "-a always,exit -F arch=b64 -S init_module -S finit_module -S delete_module\n-a always,exit -F arch=b32 -S init_module,finit_module,delete_module"


def auditctl(*words: str) -> str:
    program = str(BESIDE / "usr/sbin/auditctl")
    return subprocess.run([program, *words], env=LIBRARIES, capture_output=True, text=True, timeout=20).stdout


def end_keeper() -> None:
    """Nobody kept the trail before the test: who keeps it now is what it started."""
    keeper = int(value("pid"))
    if keeper:
        os.kill(keeper, signal.SIGTERM)
        while int(value("pid")):
            time.sleep(0.1)


def value(name: str) -> str:
    return next(line.split()[1] for line in auditctl("-s").splitlines() if line.startswith(name + " "))


@pytest.fixture(autouse=True)
def the_audit_system() -> Iterator[None]:
    """Ours alone, and afterwards as it was."""
    need_beside("usr/sbin/auditd")
    with open("/run/lock/auditor-tests-audit", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = auditctl("-s")
        if "enabled 0" not in before or "pid 0" not in before or auditctl("-l").strip() != "No rules":
            lacking("this needs an audit system that nobody uses")
        waits = value("backlog_wait_time")
        try:
            yield
        finally:
            auditctl("-D")
            end_keeper()
            for words in (["-e", "0"], ["-f", "1"], ["-b", "64"], ["--backlog_wait_time", waits], ["--reset-lost"]):
                auditctl(*words)
            assert auditctl("-l").strip() == "No rules"


def told(setup: str, shell: str | None = None, **how: Any) -> Told:
    return ask(PROBE, "audit_trail", MACHINE + AUDITD + setup, after=how.pop("after", STOP), shell=shell, **how)


def outcome(got: Told, control: str) -> Outcome | None:
    return judged(PROBE, "logging", control, got.facts)


@in_each_shell()
def test_auditd_keeps_what_loaded_rules_record(shell: str) -> None:
    got = told(RULES % f"{WATCHES}\n{ROOT}\n{MODULES}" + START, shell)
    of_windows = {name for name, fact in got.facts.items() if fact == OF_WINDOWS}
    assert of_windows >= {"audited", "command_lines", "script_blocks"}
    said = {name: fact for name, fact in got.facts.items() if name not in ("lost", "oldest_record_days", *of_windows)}
    assert said == {
        "installed": True,
        "enabled": True,
        "immutable": False,
        "kept_by": "auditd",
        "rules": 9,
        "account_changes": True,
        "sudo_changes": True,
        "root_commands": "all",
        "kernel_modules": True,
        "logins_kept": True,
        "goes_to": [{"way": "file", "to": "/var/log/audit/audit.log"}],
        "log_megabytes": 40,
        "when_full": "rotate",
    }
    assert got.facts["oldest_record_days"] == 0.0
    assert outcome(got, KEPT) in (Outcome.PASS, Outcome.WARN)
    assert (outcome(got, KEPT) is Outcome.PASS) == (got.facts["lost"] == 0)
    assert outcome(got, COVER) is Outcome.PASS


def test_rules_in_files_that_nobody_loaded_record_nothing() -> None:
    written = (RULES % f"{WATCHES}\n{ROOT}").replace("augenrules --load", "augenrules --check || ")
    got = told(written + START)
    assert got.facts["rules"] == 0
    assert outcome(got, COVER) is Outcome.FAIL


def test_nobody_keeps_the_trail() -> None:
    got = told(RULES % f"{WATCHES}\n{ROOT}" + "auditctl -e 0 >/dev/null\n")
    assert (got.facts["enabled"], got.facts["kept_by"], got.facts["goes_to"]) == (False, None, [])
    assert outcome(got, KEPT) is Outcome.FAIL
    assert outcome(got, COVER) is Outcome.FAIL


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        (
            "-w /etc/ -p wa\n-a always,exit -F arch=b64 -F euid=0 -S execve\n-a always,exit -F arch=b32 -F euid=0 -S execve",
            Outcome.PASS,
        ),
        (f"-a never,task\n{WATCHES}\n{ROOT}", Outcome.FAIL),
        (f"-a never,exit -F arch=b64\n{WATCHES}\n{ROOT}", Outcome.FAIL),
        (f"-a never,exit -F uid=4242\n{WATCHES}\n{ROOT}", Outcome.UNKNOWN),
        (f"-a never,exit -F exe=/usr/bin/true\n{WATCHES}\n{ROOT}", Outcome.PASS),
        (f"-a never,exit -F path=/etc/passwd\n{WATCHES}\n{ROOT}", Outcome.UNKNOWN),
        (f"{WATCHES}\n{ROOT}\n-a never,exit -S all", Outcome.PASS),
        (WATCHES, Outcome.FAIL),
        (f"{WATCHES}\n{ROOT.splitlines()[0]}", Outcome.FAIL),
        (f"{WATCHES}\n-a always,exit -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=unset", Outcome.WARN),
        (
            f"{WATCHES}\n" + "\n".join(f"-a always,exit -F arch={a} -C euid!=uid -S execve" for a in ("b64", "b32")),
            Outcome.WARN,
        ),
        (f"{WATCHES.replace('-p wa', '-p r')}\n{ROOT}", Outcome.FAIL),
        (f"{WATCHES.replace('-w /etc/sudoers.d/ -p wa', '')}\n{ROOT}", Outcome.FAIL),
    ],
)
def test_what_the_kernel_lists_is_judged_as_it_acts(rules: str, wanted: Outcome) -> None:
    """The rules as the kernel took them and auditctl prints them again."""
    got = told(RULES % rules + START)
    assert got.facts["rules"] == len(rules.splitlines()) - rules.count("\n\n")
    assert outcome(got, COVER) is wanted, got.facts


@pytest.mark.parametrize(
    ("rules", "recorded"),
    [
        ("-w /etc/ -p wa", True),
        ("-w /etc/ -p wa\n-a never,exit -S all", True),
        ("-a never,exit -S all\n-w /etc/ -p wa", False),
        ("-a never,task\n-w /etc/ -p wa", False),
        ("-w /etc/ -p r", False),
    ],
)
def test_what_is_said_to_be_recorded_is(rules: str, recorded: bool) -> None:
    """The file is changed and auditd's own file looked into."""
    change = "chmod 640 /etc/passwd; sleep 0.5; grep -c 'name=\"/etc/passwd\"' /var/log/audit/audit.log || :\n"
    got = told(RULES % rules + START, after=change + STOP)
    assert (int(got.after.split()[0]) > 0) is recorded
    assert got.facts["account_changes"] is recorded


def test_a_rule_that_keeps_logins_out() -> None:
    got = told(RULES % "-a always,exclude -F msgtype=USER_AUTH" + START)
    assert got.facts["logins_kept"] is False
    assert outcome(got, KEPT) is Outcome.FAIL


def test_records_handed_on_and_no_other_setting_leaves_the_host() -> None:
    hand_on = f"""
sed -i 's/^active = no/active = yes/' /etc/audit/plugins.d/syslog.conf
sed -i 's/^num_logs.*/num_logs = 3/; s/^max_log_file_action.*/max_log_file_action = KEEP_LOGS/' /etc/audit/auditd.conf
echo 'krb5_key_file = /etc/{SECRET}' >> /etc/audit/auditd.conf
"""
    got = told(hand_on + START)
    assert got.facts["goes_to"] == [
        {"way": "file", "to": "/var/log/audit/audit.log"},
        {"way": "syslog", "to": "audisp-syslog"},
    ]
    assert (got.facts["log_megabytes"], got.facts["when_full"]) == (None, "keep_logs")
    assert SECRET not in got.raw


def test_without_privilege_the_kernel_is_not_asked() -> None:
    got = told(RULES % f"{WATCHES}\n{ROOT}" + START + AS_NOBODY, after="")
    assert got.facts["installed"] is True
    assert isinstance(got.facts["enabled"], Unknown)
    assert got.facts["enabled"].cause == "no_privilege"
    assert outcome(got, KEPT) is Outcome.UNKNOWN
    assert outcome(got, COVER) is Outcome.UNKNOWN


def test_in_a_container_the_trail_is_its_hosts() -> None:
    """The kernel tells it to nobody there, not even to root; no file says that this is a container."""
    got = ask(PROBE, "audit_trail", MACHINE, alone=True, after="auditctl -s 2>&1 || :")
    assert "Operation not permitted" in got.after
    assert got.facts["enabled"] == Unknown("not_told", "in a container: the audit trail is its host's")
    assert outcome(got, KEPT) is Outcome.UNKNOWN
    assert outcome(got, COVER) is Outcome.UNKNOWN


def test_a_host_without_the_tools() -> None:
    without = "mount --bind /dev/null /usr/sbin/auditctl\nchmod 0 /usr/sbin/auditctl || :\n"
    got = ask(
        PROBE,
        "audit_trail",
        "mount --make-rprivate /\n[ ! -e /usr/sbin/auditctl ] || { " + without.replace("\n", "; ") + "}",
    )
    assert (got.facts["installed"], got.facts["kept_by"], got.facts["rules"]) == (False, None, 0)
    assert outcome(got, KEPT) is Outcome.FAIL
    assert outcome(got, COVER) is Outcome.FAIL
