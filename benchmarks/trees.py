"""How long a gate on a changed tree of 50 hosts takes, beyond what the interpreter needs to start. See README.md."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BAR_S = 5.0
ACCOUNTS = 40
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


def seconds(*words: str) -> float:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr.decode())
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 hosts")
    hosts = 5 if parser.parse_args().quick else 50
    with tempfile.TemporaryDirectory() as folder:
        names = [f"web{n:03}" for n in range(hosts)]
        for name in names:
            tree(Path(folder) / name)
        given = [word for name in names for word in ("--tree", f"{name}={folder}/{name}")]
        start = seconds("-c", "pass")
        took = seconds("-m", "auditor", "run", "--store", "none", "-f", f"json={folder}/report.json", *given)
    print(
        f"{hosts} trees of {ACCOUNTS} accounts: {took - start:.2f} s beyond the {start:.2f} s of the interpreter; bar {BAR_S} s"
    )


if __name__ == "__main__":
    main()
