"""What `collector install-files` writes is installed on a copy of this machine; then the account is audited through and attacked."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sshd import Sshd, started

from tests.real.namespaces import ROOT, need

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
PAGE = (ROOT / "docs" / "least-privilege.md").read_text("utf-8")
ADDRESS = "127.0.0.1"  # where the auditor comes from here
COMMANDS = f"sh on-each-host.sh {ADDRESS} >&2"
SUDOERS = "auditor ALL=(root) NOPASSWD: /usr/local/libexec/auditor-elevated\n"
# What is changed below is changed in memory, and seen by this process and its children alone.
COPY = """mount -t tmpfs none {memory}
for f in etc usr/local var/lib; do
  mkdir -p {memory}/$f/upper {memory}/$f/work
  mount -t overlay -o lowerdir=/$f,upperdir={memory}/$f/upper,workdir={memory}/$f/work overlay /$f
done
cd {folder}
"""
LEFT = (
    "for f in /var/lib/auditor /var/lib/auditor/.ssh /var/lib/auditor/.ssh/* /usr/local/libexec /usr/local/libexec/*"
    " /etc/sudoers.d/auditor; do stat -c '%n %F %U:%G %a' $f; [ -d $f ] || sha256sum $f; done; getent shadow auditor |"
    " cut -d: -f1,2; getent passwd auditor | cut -d: -f6,7; find /etc /usr/local /var/lib /var/mail /home -xdev -user auditor"
)


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """The folder that is written, with the key that the page has made."""
    need("ssh-keygen", "visudo", "sudo", "useradd")
    tmp_path.chmod(0o755)
    folder = tmp_path / "files"
    told = subprocess.run(
        auditor("collector", "install-files", str(folder)), check=True, capture_output=True, text=True
    )
    assert "visudo finds nothing wrong" in told.stdout
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "auditor"], check=True)
    (folder / "memory").mkdir()
    return folder


def auditor(*words: str) -> list[str]:
    return [sys.executable, "-m", "auditor", *words]


def copy(folder: Path) -> str:
    return COPY.format(memory=folder / "memory", folder=folder)


def inside(folder: Path, script: str) -> str:
    """What a shell prints on a fresh copy of this machine."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", copy(folder) + script],
        env=environment, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def listening(folder: Path, setup: str, program: Callable[[str], str]) -> Iterator[Sshd]:
    """sshd on such a copy, strict about modes, and running what it is asked to in the account's own shell."""
    (folder / "server").mkdir()
    strict = folder / "strict-sshd"
    strict.write_text(f'#!/bin/sh\nexec {program("sshd")} -o StrictModes=yes -o ForceCommand=none "$@"\n')
    strict.chmod(0o755)
    keys = "%h/.ssh/authorized_keys"
    with started(folder / "server", str(strict), inside=f"{copy(folder)}{setup}", user="auditor", keys=keys) as server:
        yield server


def test_the_commands_and_the_role_leave_the_same(prepared: Path) -> None:
    """Owners, modes, contents, account; nothing on the machine is the account's own."""
    by_commands = inside(prepared, f"{COMMANDS}\n{COMMANDS}\n{LEFT}")  # again: a newer text is installed so
    play = f"{Path(sys.executable).parent}/ansible-playbook -i localhost, -c local -e ansible_python_interpreter={sys.executable}"
    subprocess.run([*play.split(), "--syntax-check", "auditor-account.yml"], check=True, cwd=prepared, timeout=250)
    by_role = inside(prepared, f"{play} auditor-account.yml -e auditor_from={ADDRESS} >&2\n{LEFT}")
    assert by_commands == by_role
    lines = by_role.splitlines()
    assert "auditor:*" in lines
    assert "/var/lib/auditor:/bin/sh" in lines
    assert all(" root:root " in line and line[-3:] in ("755", "644", "440") for line in lines if line.startswith("/") and " " in line)  # fmt: skip
    assert "/etc/sudoers.d/auditor regular file root:root 440" in lines
    assert not [line for line in lines if line.startswith("/") and " " not in line and ":" not in line]


def test_the_sudoers_line_is_sound(prepared: Path) -> None:
    """The one that is written, twice, is the one of the page, and visudo takes it."""
    for place in ("auditor.sudoers", "roles/auditor_account/files/auditor.sudoers"):
        assert (prepared / place).read_text() == SUDOERS
    assert f"`{SUDOERS.strip()}`" in PAGE
    subprocess.run(["visudo", "-cf", prepared / "auditor.sudoers"], check=True, capture_output=True)


def audited(server: Sshd, folder: Path, tripwires: Path) -> tuple[list[str], str, str]:
    """The causes of what this account could not tell, what answered as root, and the digest of this release's own text."""
    (tripwires / ".ssh").mkdir(exist_ok=True)
    (tripwires / ".ssh" / "known_hosts").write_text(server.known_hosts())
    said = f"ansible_port: {server.port}, ansible_user: auditor, ansible_ssh_private_key_file: {folder}/auditor"
    (folder / "hosts.yaml").write_text(f"all: {{hosts: {{127.0.0.1: {{{said}}}}}}}")
    done = subprocess.run(auditor("run", "-i", str(folder / "hosts.yaml"), "--store", "none", "-f", "json=-"), capture_output=True, timeout=250)  # fmt: skip
    assert done.returncode in (1, 3), done.stderr
    document = json.loads(done.stdout)
    assert document["summary"]["hosts"]["measured"] == 1, document["summary"]
    (host,) = document["hosts"]
    causes = re.findall(r'"cause": "(\w+)"', json.dumps(document))
    return causes, host.get("collector", ""), document["run"]["digests"]["collector"]


def test_the_account_answers_what_needs_root(prepared: Path, program: Callable[[str], str], tripwires: Path) -> None:
    with listening(prepared, COMMANDS, program) as server:
        causes, by, digest = audited(server, prepared, tripwires)
    assert "no_privilege" not in causes
    assert by == f"installed {digest}"
    assert digest == hashlib.sha256((prepared / "auditor-elevated").read_bytes()).hexdigest()


def test_without_the_sudoers_line_it_does_not(prepared: Path, program: Callable[[str], str], tripwires: Path) -> None:
    with listening(prepared, f"{COMMANDS}; rm /etc/sudoers.d/auditor", program) as server:
        causes, by, _ = audited(server, prepared, tripwires)
    assert "no_privilege" in causes
    assert by == ""


def test_an_edited_text_answers_nothing(prepared: Path, program: Callable[[str], str], tripwires: Path) -> None:
    edited = f"{COMMANDS}; echo '# edited' >> /usr/local/libexec/auditor-elevated"
    with listening(prepared, edited, program) as server:
        causes, by, _ = audited(server, prepared, tripwires)
    assert "no_privilege" in causes
    assert by == ""


def test_the_key_opens_nothing_else(prepared: Path, program: Callable[[str], str]) -> None:
    """No terminal, no forwarding, no other place, no root, no way to stay."""
    with listening(prepared, COMMANDS, program) as server:

        def ssh(*words: str, source: str = "127.0.0.1") -> subprocess.CompletedProcess[str]:
            known = f"-oUserKnownHostsFile={server.known_hosts_file()}"
            fixed = ["-F", "/dev/null", known, "-oBatchMode=yes", "-i", str(prepared / "auditor"), "-b", source]
            return subprocess.run(
                ["ssh", *fixed, "-p", str(server.port), *words], capture_output=True, text=True, timeout=60,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip

        assert ssh("auditor@127.0.0.1", "id -un").stdout == "auditor\n"
        assert "Permission denied" in ssh("auditor@127.0.0.1", "id", source="127.0.0.2").stderr
        assert "PTY allocation request failed" in ssh("-tt", "auditor@127.0.0.1", "true").stderr
        port = ssh("-oExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9", "auditor@127.0.0.1", "true")
        assert "forwarding failed" in port.stderr
        refused = ssh("auditor@127.0.0.1", "sudo -n sh -c id; echo x >> ~auditor/.ssh/authorized_keys; sudo -n -l")
        assert "password is required" in refused.stderr
        assert "cannot create" in refused.stderr
        allowed = refused.stdout.partition("may run the following commands")[2].split("\n", 1)[1]
        assert allowed.split() == SUDOERS.partition("=")[2].split()
