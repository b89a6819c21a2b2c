"""`auditor doctor` on a mixed fleet of real SSH servers: each ill is told apart, with its cure; what is not seen is not well."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from doors import opened
from make import ESTATE_YAML, write
from sshd import Sshd, free_port, new_key, private, started

from auditor.cli import main
from auditor.collect import Places
from auditor.commands import doctor as command
from auditor.commands import inputs
from auditor.framing.collector import INSTALLED, digest, elevated_text

pytestmark = pytest.mark.xdist_group("doctor")

KEYS = "/etc/ssh/keys-of-the-doctor"
USERS = {  # login -> shell
    "audit": "/bin/sh",
    "chatty": "/usr/local/bin/chatty",
    "loud": "/usr/local/bin/loud",
    "noshell": "/bin/false",
    "gone": "/usr/sbin/nologin",
    "asked": "/bin/sh",
    "older": "/bin/sh",
    "newer": "/bin/sh",
}
FLEET = r"""
: > /etc/machine-id
mkdir -p /etc/sudoers.d /usr/local/bin /usr/local/libexec
printf '#!/bin/sh\necho "Welcome to the town"\nexec /bin/sh "$@"\n' > /usr/local/bin/chatty
printf '#!/bin/sh\nhead -c 200000 /dev/zero | tr "\\0" x\nexec /bin/sh "$@"\n' > /usr/local/bin/loud
chmod 755 /usr/local/bin/chatty /usr/local/bin/loud
for u in audit chatty loud; do echo "$u ALL=(root) NOPASSWD: /usr/bin/sh, /bin/sh"; done > /etc/sudoers.d/test
"""


def fleet(folder: Path) -> str:
    """Accounts of one machine that is many hosts; who is of the group `older` finds a text installed, the others none."""
    (folder / "older").write_text(elevated_text(()))
    accounts = "\n".join(
        f"useradd --create-home --shell {shell} --password '*' {name}" for name, shell in USERS.items()
    )
    return private(
        folder,
        f"""{accounts}
cp {folder}/authorized_keys {KEYS}
chmod 644 {KEYS}
{FLEET}
install -o root -g older -m 0750 {folder}/older {INSTALLED}
echo 'older ALL=(root) NOPASSWD: {INSTALLED}' > /etc/sudoers.d/older
""",
    )


@pytest.fixture(scope="module")
def server(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    program("sudo")
    folder = tmp_path_factory.mktemp("doctor")
    with started(folder, program("sshd"), program("ssh-keygen"), inside=fleet(folder), user="audit", keys=KEYS) as sshd:
        yield sshd


@pytest.fixture(scope="module")
def bare(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A machine without sudo."""
    folder = tmp_path_factory.mktemp("bare")
    inside = private(
        folder,
        f"""useradd --create-home --shell /bin/sh --password '*' audit
cp {folder}/authorized_keys {KEYS}
chmod 644 {KEYS}
: > /etc/machine-id
rm -f /usr/bin/sudo""",
    )
    with started(folder, program("sshd"), program("ssh-keygen"), inside=inside, user="audit", keys=KEYS) as sshd:
        yield sshd


@dataclass
class Town:
    """An inventory, and the known_hosts of who asks."""

    folder: Path
    known: Path

    def hosts(self, **hosts: str) -> None:
        lines = "".join(f"    {name}: {{{said}}}\n" for name, said in hosts.items())
        write(self.folder / "town", hosts=f"all:\n  hosts:\n{lines}")

    def doctor(self, *words: str) -> Result:
        os.chdir(self.folder)
        result = CliRunner().invoke(main, ["doctor", "-i", "town", *words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result


@pytest.fixture
def town(tripwires: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.chdir(tmp_path)
    (tripwires / ".ssh").mkdir(mode=0o700)
    return Town(tmp_path, tripwires / ".ssh" / "known_hosts")


def at(sshd: Sshd, number: int, user: str = "", **more: object) -> str:
    said = {"ansible_host": f"127.0.0.{number}", "ansible_port": sshd.port, "ansible_user": user or sshd.user,
            "ansible_ssh_private_key_file": sshd.key_file, **more}  # fmt: skip
    return ", ".join(f"{key}: {value}" for key, value in said.items())


def groups(output: str) -> dict[str, list[str]]:
    """Each group's first line with its others."""
    return {block[0]: [line.strip() for line in block[1:]] for block in map(str.splitlines, output.split("\n\n")[1:])}


def sent(hosts: str) -> str:
    """The line that says where no text for root is installed, and this release's own answered."""
    return f"  collector sent along, SHA-256 {digest(inputs.elevated(inputs.all_probes(None)[0]))}: {hosts}\n"


def fingerprint(sshd: Sshd) -> str:
    told = subprocess.run(
        ["ssh-keygen", "-lf", f"{sshd.folder}/host_key.pub"], capture_output=True, text=True, check=True
    )
    return told.stdout.split()[1]


# ---------------------------------------------------------------- a mixed fleet


@pytest.mark.root
def test_each_ill_is_told_apart_with_its_cure(server: Sshd, bare: Sshd, town: Town) -> None:
    new_key(town.folder / "stranger")
    shut = free_port()
    town.hosts(
        good=at(server, 1),
        chatty=at(server, 2, "chatty"),
        unprivileged=at(server, 2, "asked", ansible_become="false"),
        srv01=at(server, 3, ansible_port=shut),
        srv02=at(server, 3, ansible_port=shut),
        new01=at(server, 4),
        new02=at(server, 5),
        changed=at(server, 6),
        refused=at(server, 7, ansible_ssh_private_key_file=town.folder / "stranger"),
        keyless=at(server, 7, ansible_ssh_private_key_file=town.folder / "missing"),
        asks=at(server, 8, "asked"),
        older=at(server, 8, "older"),
        false01=at(server, 9, "noshell"),
        nologin=at(server, 9, "gone"),
        loud=at(server, 9, "loud"),
        bare=at(bare, 1),
        lost="ansible_host: nowhere.invalid",
        windows="ansible_connection: psrp",
    )
    other = new_key(town.folder / "other")
    numbers = [n for n in range(1, 10) if n not in (4, 5, 6)]
    town.known.write_text(
        server.known_hosts([f"127.0.0.{n}" for n in numbers]) + bare.known_hosts()
        + f"[127.0.0.6]:{server.port} {other}\n"
    )  # fmt: skip
    before = town.known.read_text()
    result = town.doctor("--jobs", "4")
    assert result.exit_code == 3
    assert result.stdout.splitlines()[0] == "Well: 3 of 18: good, chatty, unprivileged"
    told = groups(result.stdout)
    port, key = server.port, server.key_file
    cures = {title: lines[-1] for title, lines in told.items()}
    assert cures == {
        "This release has no way in to this host: 1 × windows":
            "Name another in the inventory, ansible_connection: ssh or openssh; or say in estate.yaml that none is wanted,"
            " connection: none.",
        "The name does not resolve: 1 × lost": "getent hosts nowhere.invalid",
        "Nothing listens at the port: 2 × srv[01-02]": "ss -ltnp | grep sshd",
        "Host key not known: 2 × new[01-02]": "auditor doctor -i town --candidate-keys candidate_keys",
        "HOST KEY CHANGED: 1 × changed": f"ssh-keygen -f ~/.ssh/known_hosts -R '[127.0.0.6]:{port}'",
        "Our own key or secret cannot be used: 1 × keyless": f"ssh-add {town.folder}/missing",
        "Login refused: 1 × refused": f"ssh-copy-id -i {town.folder}/stranger -p {port} audit@127.0.0.7",
        "The login shell does not run sh: 3 × false01, nologin, loud":
            "usermod --shell /bin/sh loud",
        "No sudo: 1 × bare": "apt-get install sudo",
        "Sudo does not let us ask as root: 1 × asks":
            f"install -D -o root -g root -m 0755 auditor-elevated {INSTALLED} && "
            f"echo 'asked ALL=(root) NOPASSWD: {INSTALLED}' > /etc/sudoers.d/auditor",
        "The collector there is absent, of another release or altered: 1 × older":
            f"install -D -o root -g root -m 0755 auditor-elevated {INSTALLED}",
    }  # fmt: skip
    assert "password is required" in told["Sudo does not let us ask as root: 1 × asks"][0]
    assert "usermod --shell /bin/sh noshell" in told["The login shell does not run sh: 3 × false01, nologin, loud"]
    shells = " ".join(told["The login shell does not run sh: 3 × false01, nologin, loud"])
    assert "exit code 1" in shells
    assert "65536 bytes that are no answer" in shells
    assert fingerprint(server) in told["Host key not known: 2 × new[01-02]"][0]
    assert fingerprint(server) in told["HOST KEY CHANGED: 1 × changed"][0]
    assert town.known.read_text() == before
    assert key not in result.stderr


@pytest.mark.root
def test_a_fleet_that_is_well_is_one_line(server: Sshd, town: Town) -> None:
    town.hosts(
        srv01=at(server, 1), srv02=at(server, 2), old01=at(server, 3, "asked", ansible_become="false"),
    )  # fmt: skip
    town.known.write_text(server.known_hosts(["127.0.0.1", "127.0.0.2", "127.0.0.3"]))
    result = town.doctor()
    assert (result.exit_code, result.stdout) == (0, f"Well: 3 of 3: srv[01-02], old01\n{sent('2 × srv[01-02]')}")


@pytest.mark.root
def test_the_installed_text_of_this_release_is_well(server: Sshd, town: Town) -> None:
    """What `collector install-files` writes is what doctor looks for: the text that is there now is another one."""
    town.hosts(srv01=at(server, 1, "older"))
    town.known.write_text(server.known_hosts())
    assert "another release" in town.doctor().stdout
    CliRunner().invoke(main, ["collector", "install-files", str(town.folder / "files")])
    text = (town.folder / "files" / "auditor-elevated").read_text()
    assert text == elevated_text(inputs.elevated(inputs.all_probes(None)[0]))
    subprocess.run(
        ["nsenter", "-m", "-t", str(server.pid), "sh", "-c", f"cat > {INSTALLED}"], input=text, text=True, check=True
    )
    try:
        told = hashlib.sha256(text.encode()).hexdigest()
        assert town.doctor().stdout == f"Well: 1 of 1: srv01\n  collector installed, SHA-256 {told}: 1 × srv01\n"
    finally:
        older = elevated_text(())
        subprocess.run(["nsenter", "-m", "-t", str(server.pid), "sh", "-c", f"cat > {INSTALLED}"], input=older, text=True,
                       check=True)  # fmt: skip


def test_a_wrong_password_is_one_group_and_is_tried_twice_at_most(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG_PASSWORD", "canary-5d1f")
    with opened() as doors:
        said = f"ansible_port: {doors.port}, ansible_user: audit, auditor_password: 'env:WRONG_PASSWORD'"
        town.hosts(**{f"srv{n}": f"ansible_host: 127.0.0.{n}, {said}" for n in range(1, 7)})
        town.known.write_text(doors.known_hosts())
        result = town.doctor()
    assert result.exit_code == 3
    told = groups(result.stdout)
    assert list(told) == ["Password refused: 6 × srv[1-6]"]
    assert len(doors.seen) <= 2
    assert "canary" not in result.output


# ---------------------------------------------------------------- candidate keys


def test_candidate_keys_are_trusted_when_a_person_moves_them(sshd: Sshd, town: Town) -> None:
    new_key(town.folder / "stranger")
    other = new_key(town.folder / "other")
    town.hosts(srv01=at(sshd, 1), srv02=at(sshd, 2), changed=at(sshd, 3), off=at(sshd, 4, ansible_port=free_port()))
    town.known.write_text(f"[127.0.0.3]:{sshd.port} {other}\n")
    first = town.doctor("--candidate-keys", "keys")
    assert first.exit_code == 3
    assert "keys: keys to compare: 2" in first.stderr
    file = town.folder / "keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().splitlines()[1:] == [
        line
        for n in (1, 2)
        for line in (f"# srv0{n}: ssh-ed25519 {fingerprint(sshd)}", f"[127.0.0.{n}]:{sshd.port} {sshd.host_key}")
    ]
    assert groups(first.stdout)["Host key not known: 2 × srv[01-02]"][-1] == "cat keys >> ~/.ssh/known_hosts"
    assert "HOST KEY CHANGED: 1 × changed" in groups(first.stdout)
    again = town.doctor("--limit", "srv*")
    assert again.stdout.startswith("Well: 0 of 2\n"), "nothing is trusted by having been written"
    with town.known.open("a") as known:
        known.write(file.read_text())
    moved = town.doctor("--limit", "srv*")
    assert (moved.exit_code, moved.stdout) == (0, "Well: 2 of 2: srv[01-02]\n" + sent("2 × srv[01-02]"))
    assert sorted(p.name for p in town.folder.iterdir()) == sorted(
        ["keys", "town", "stranger", "stranger.pub", "other", "other.pub"]
    )


def test_the_name_of_a_candidate_is_the_one_that_is_looked_up(sshd: Sshd, town: Town) -> None:
    """HostKeyAlias, and the hops of a way; a bastion stands once, for all behind it."""
    (town.known.parent / "config").write_text(
        f"Host *\n Port {sshd.port}\n User {sshd.user}\n IdentityFile {sshd.key_file}\nHost alias\n HostName 127.0.0.2\n"
        " HostKeyAlias the-town\nHost in*\n ProxyJump 127.0.0.3\nHost inner1\n HostName 127.0.0.5\nHost inner2\n"
        " HostName 127.0.0.6\n"
    )
    town.hosts(alias="", inner1="", inner2="")
    result = town.doctor("--candidate-keys", "keys")
    title = f"At the bastion 127.0.0.3:{sshd.port}: host key not known: 2 × inner[1-2]"
    assert title in groups(result.stdout)
    text = (town.folder / "keys").read_text()
    assert re.findall(r"^# (.*): ssh-ed25519 ", text, re.M) == ["alias", "the bastion of inner[1-2]"]
    assert re.findall(r"^([^#\s]\S+) ", text, re.M) == ["the-town", f"[127.0.0.3]:{sshd.port}"]
    town.known.write_text(text)
    result = town.doctor("--candidate-keys", "more")
    assert result.stdout.startswith("Well: 1 of 3: alias\n")
    town.known.write_text(text + (town.folder / "more").read_text())
    assert town.doctor().exit_code == 0


def test_no_unknown_key_no_file(sshd: Sshd, town: Town) -> None:
    town.hosts(srv01=at(sshd, 1))
    town.known.write_text(sshd.known_hosts())
    result = town.doctor("--candidate-keys", "keys")
    assert result.exit_code == 0
    assert "keys is not written" in result.stderr
    assert not (town.folder / "keys").exists()


@pytest.mark.parametrize("file", ["~", "other", "mine", "link", "there", "none/keys"])
def test_a_file_that_would_be_trusted_or_that_is_there_is_refused(
    file: str, sshd: Sshd, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is asked: a known_hosts file that is not there yet would be trusted as soon as it is written."""
    (town.known.parent / "config").write_text(f"Host 127.0.0.2\n UserKnownHostsFile {town.folder}/other\n")
    (town.folder / "there").write_text("mine")
    (town.folder / "link").symlink_to(town.known)
    mine = f"'-o UserKnownHostsFile={town.folder}/mine'"
    town.hosts(srv01=at(sshd, 1), srv02=at(sshd, 2), srv03=at(sshd, 3, ansible_ssh_common_args=mine))
    monkeypatch.setattr(command, "each", lambda *given: pytest.fail("somebody was asked"))
    given = str(town.known) if file == "~" else file
    result = town.doctor("--candidate-keys", given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--candidate-keys: " in result.stderr
    assert (town.folder / "there").read_text() == "mine"
    assert not town.known.exists()


# ---------------------------------------------------------------- who is not asked, and exit codes


def test_who_is_never_connected_to_is_said_and_not_asked(sshd: Sshd, town: Town) -> None:
    none = "{platform: other, connection: none, why: a printer}"
    town.hosts(srv01=at(sshd, 1), printer01="ansible_host: nowhere.invalid", printer02="ansible_host: nowhere.invalid")
    write(town.folder / "town", estate=f"{ESTATE_YAML}  printer01: {none}\n  printer02: {none}\n")
    town.known.write_text(sshd.known_hosts())
    result = town.doctor()
    assert (result.exit_code, result.stdout) == (
        0,
        f"Well: 1 of 1: srv01\n{sent('1 × srv01')}Never connected to, as the inventory says: 2: printer[01-02]\n",
    )
    nobody = town.doctor("--limit", "printer*")
    assert (nobody.exit_code, nobody.stdout) == (2, "")
    assert "nobody to ask" in nobody.stderr


def test_unusable_input_is_2(town: Town) -> None:
    town.hosts(srv01="ansible_port: x")
    assert town.doctor().exit_code == 2
    assert town.doctor("--limit", "wbe").exit_code == 2


def test_an_interruption_shows_what_is_in(sshd: Sshd, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.hosts(srv01=at(sshd, 1), srv02=at(sshd, 2))
    town.known.write_text(sshd.known_hosts(["127.0.0.1", "127.0.0.2"]))
    really = command.each

    def stopped(items, work, broken, places, limits):
        yield next(iter(really(items, work, broken, Places(1), limits)))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "each", stopped)
    result = town.doctor()
    assert result.exit_code == 130
    assert result.stdout.splitlines()[0] == "Well: 1 of 2: srv01"
    assert "The run was interrupted: 1 × srv02" in result.stdout


def test_in_french(town: Town) -> None:
    town.hosts(perdue="ansible_host: nowhere.invalid")
    result = town.doctor("--lang", "fr")
    assert result.stdout.startswith("En ordre : 0 sur 1\n\nLe nom ne se résout pas : 1 × perdue\n")
