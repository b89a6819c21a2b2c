"""How long a gate on a changed tree of 50 hosts takes, beyond what the interpreter needs to start. See README.md."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BAR_S = 5.0
ACCOUNTS = 40
WHO = ("AUTHOR", "COMMITTER")
SSHD = "UsePAM yes\nPermitRootLogin no\nAuthenticationMethods publickey,keyboard-interactive\nMatch User backup\nAuthenticationMethods publickey\n"
PAM = "auth required pam_unix.so\nauth required pam_google_authenticator.so\n"
SUDOERS = "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\nbackup ALL=(root) NOPASSWD: /usr/bin/rsync --server *\n"


def tree(folder: Path) -> None:
    accounts = "".join(f"u{n}:x:{2000 + n}:{2000 + n}::/home/u{n}:/bin/bash\n" for n in range(ACCOUNTS))
    shadow = "".join(f"u{n}:$y$x:20000:0:99999:7:::\n" for n in range(ACCOUNTS))
    groups = "".join(f"u{n}:x:{2000 + n}:\n" for n in range(ACCOUNTS))
    texts = {
        "ssh/sshd_config": SSHD,
        "pam.d/sshd": PAM,
        "sudoers": SUDOERS,
        "passwd": "root:x:0:0::/root:/bin/bash\n" + accounts,
        "group": "root:x:0:\nsudo:x:27:u1,u2\n" + groups,
        "hostname": folder.name + "\n",
        "shadow": "root:!:20000:0:99999:7:::\n" + shadow,
        "rsyslog.conf": "$IncludeConfig /etc/rsyslog.d/*.conf\n",
        "rsyslog.d/90.conf": "*.* @@logs.example.org:6514\n",
        "chrony/chrony.conf": "pool ntp.example.org iburst\n",
        "audit/rules.d/50.rules": "-w /etc/ -p wa -k etc\n",
        "systemd/journald.conf.d/50.conf": "[Journal]\nStorage=persistent\n",
    }
    for name, text in texts.items():
        path = folder / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def seconds(folder: str, wanted: int, *words: str) -> float:
    """How long it takes there, with the exit code that is wanted."""
    begun = time.perf_counter()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        **{f"GIT_{w}_{n}": "a@example.org" for w in WHO for n in ("NAME", "EMAIL")},
    }
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != wanted:
        sys.exit(f"{' '.join(words)[:80]}: exit code {done.returncode}\n{done.stderr}")
    return time.perf_counter() - begun


def gate(folder: str, hosts: int) -> tuple[float, float, int]:
    """Seconds of the interpreter and of the gate on a change of every tree, and on how many hosts it says that root got in."""
    names = [f"web{n:03}" for n in range(hosts)]
    for name in names:
        tree(Path(folder) / name)
    given = [word for name in names for word in ("--tree", f"{name}={name}")]
    run = (sys.executable, "-m", "auditor", "run", "--store", "none", *given)
    seconds(folder, 0, *run, "--fail-on", "never", "-f", "json=reference.json")
    for words in (("init", "-q", "."), ("add", "-A"), ("commit", "-qm", "main")):
        seconds(folder, 0, "git", *words)
    for name in names:
        (Path(folder) / name / "etc/ssh/sshd_config").write_text(SSHD.replace("Login no", "Login yes"))
    start = seconds(folder, 0, sys.executable, "-c", "pass")
    took = seconds(folder, 1, *run, "--trusted", "HEAD", "--against", "reference.json", "-f", "json=report.json")
    findings = json.loads((Path(folder) / "report.json").read_text("utf-8"))["findings"]
    return start, took, sum(f["control"] == "ssh-root-login-off" and f["change"] == "new" for f in findings)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 hosts: does it run, not how fast")
    quick = parser.parse_args().quick
    hosts = 5 if quick else 50
    compileall.compile_dir(str(ROOT / "auditor"), quiet=1)  # as an installation does
    with tempfile.TemporaryDirectory() as folder:
        start, took, found = gate(folder, hosts)
    print(f"{hosts} trees of {ACCOUNTS} accounts; the interpreter alone: {start:.2f} s")
    kept = (found == hosts, quick or took - start <= BAR_S)
    print(f"{'pass' if kept[0] else 'FAIL'}  hosts of which the change is told: {found} (bar {hosts})")
    print(
        f"{'pass' if kept[1] else 'FAIL'}  beyond the interpreter: {took - start:.2f} s (bar {BAR_S:g} s, not with --quick)"
    )
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
