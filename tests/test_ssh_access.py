"""The ways in that users have: bastions, certificates, agents, passphrases, passwords; against real servers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from doors import Doors, opened
from sshd import Sshd, free_port, new_key, started

from auditor.collect import Places, each
from auditor.framing.sh import HELLO
from auditor.kinds import Settings
from auditor.model import Answer, Command, Failure, Host, Output
from auditor.transports import openssh, ssh

Told = list[Answer]
BOTH = pytest.mark.parametrize("transport", [ssh, openssh], ids=["ssh", "openssh"])


def ask(host: Host, transport: object = ssh, *, config: tuple[str, ...] = ("~/.ssh/config",), deadline_s: float = 20.0,
        commands: tuple[Command, ...] = (HELLO,), known: tuple[str, ...] = ()) -> Told:  # fmt: skip
    if transport is openssh and config:
        config = (str(Path(config[0]).expanduser()),)
    settings = Settings(time.time, (), known, ssh_config=config, connect_timeout_s=5.0)
    return [answer for _, answer in transport.TRANSPORT.open(settings)(host, commands, deadline_s)]  # type: ignore[attr-defined]


def why(told: Told) -> tuple[str, str]:
    failure = next((a for a in told if isinstance(a, Failure)), None)
    return (failure.cause, failure.message) if failure else ("answered", "")


@pytest.fixture
def home(tripwires: Path) -> Path:
    (tripwires / ".ssh").mkdir(mode=0o700)
    return tripwires / ".ssh"


def configured(home: Path, text: str, known: str) -> None:
    (home / "known_hosts").write_text(known)
    (home / "config").write_text(f"UserKnownHostsFile {home}/known_hosts\nGlobalKnownHostsFile none\n{text}")


# ---------------------------------------------------------------- known_hosts


@BOTH
def test_the_inventory_s_known_hosts_file_undoes_no_revocation_of_everybody_s(
    transport: object, sshd: Sshd, home: Path, tmp_path: Path
) -> None:
    """It stands in the place of the user's file, as with `ssh -o`. Its path may hold spaces."""
    folder = tmp_path / "la mairie"
    folder.mkdir()
    (folder / "kh").write_text(sshd.known_hosts())
    (folder / "everybody").write_text("")
    (home / "config").write_text(f'GlobalKnownHostsFile "{folder}/everybody"\n')
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=sshd.key_file, known_hosts=f"{folder}/kh")
    assert why(ask(host, transport)) == ("answered", "")
    (folder / "everybody").write_text(f"@revoked * {sshd.host_key}\n")
    cause, words = why(ask(host, transport))
    assert (cause, "revoked" in words.lower()) == ("host_key", True)
    (folder / "kh").write_text("")
    (folder / "everybody").write_text(sshd.known_hosts())
    assert why(ask(host, transport)) == ("answered", "")


# ---------------------------------------------------------------- bastions


def through(sshd: Sshd, hops: str) -> str:
    return (
        f"Host one\n HostName 127.0.0.3\nHost two\n HostName 127.0.0.4\nHost *\n Port {sshd.port}\n User {sshd.user}\n"
        f" IdentityFile {sshd.key_file}\n IdentitiesOnly yes\nHost inner\n HostName 127.0.0.5\n ProxyJump {hops}\n"
    )


WHENCE = Command("echo $SSH_CONNECTION")


@BOTH
@pytest.mark.parametrize("hops", ["one", "one,two"])
def test_through_bastions(hops: str, transport: object, sshd: Sshd, home: Path) -> None:
    configured(home, through(sshd, hops), sshd.known_hosts(["127.0.0.3", "127.0.0.4", "127.0.0.5"]))
    told = ask(Host("h", "inner"), transport, commands=(HELLO, WHENCE))
    assert why(told) == ("answered", "")
    assert isinstance(told[1], Output)
    assert told[1].text.split()[2] == "127.0.0.5"


@BOTH
@pytest.mark.parametrize("unknown", ["127.0.0.3", "127.0.0.4", "127.0.0.5"])
def test_the_key_of_every_hop_is_verified(unknown: str, transport: object, sshd: Sshd, home: Path) -> None:
    known = [a for a in ("127.0.0.3", "127.0.0.4", "127.0.0.5") if a != unknown]
    configured(home, through(sshd, "one,two") + "Host *\n StrictHostKeyChecking accept-new\n", sshd.known_hosts(known))
    assert why(ask(Host("h", "inner"), transport))[0] == "host_key"
    assert (home / "known_hosts").read_text() == sshd.known_hosts(known)


def test_a_bastion_named_by_the_inventory(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(sshd.known_hosts(["127.0.0.2", "127.0.0.3"]))
    host = Host("h", "127.0.0.3", port=sshd.port, user=sshd.user, key_file=sshd.key_file, known_hosts=str(known),
                proxy_jump=f"{sshd.user}@127.0.0.2:{sshd.port}")  # fmt: skip
    assert why(ask(host, config=())) == ("answered", "")
    assert why(ask(host, openssh, config=())) == ("answered", "")


@BOTH
def test_the_inventory_wants_no_bastion(transport: object, sshd: Sshd, home: Path) -> None:
    configured(home, through(sshd, "gone"), sshd.known_hosts(["127.0.0.5"]))
    assert why(ask(Host("h", "inner"), transport))[0] != "answered"
    assert why(ask(Host("h", "inner", proxy_jump="none"), transport)) == ("answered", "")


@BOTH
def test_the_inventory_s_options_win_over_ssh_config(transport: object, sshd: Sshd, home: Path) -> None:
    configured(home, "AddressFamily inet\nConnectTimeout 9\n" + through(sshd, "none"), sshd.known_hosts())
    host = Host("h", "127.0.0.1", ssh_options=(("connecttimeout", "3"), ("preferredauthentications", "publickey")))
    assert why(ask(host, transport)) == ("answered", "")
    for option in (
        ("addressfamily", "inet6"),
        ("pubkeyauthentication", "no"),
        ("preferredauthentications", "password"),
    ):
        assert why(ask(replace(host, ssh_options=(option,)), transport))[0] != "answered"


def test_the_passphrase_of_the_inventory_s_key_opens_it_for_the_bastion_too(
    sshd: Sshd, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(home, "", sshd.known_hosts(["127.0.0.2", "127.0.0.3"]))
    locked = home / "locked"
    locked.write_bytes(Path(sshd.key_file).read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "pass phrase", "-f", str(locked)], check=True)
    monkeypatch.setenv("PHRASE", "pass phrase")
    host = Host("h", "127.0.0.3", port=sshd.port, user=sshd.user, key_file=str(locked), passphrase="env:PHRASE",
                proxy_jump=f"{sshd.user}@127.0.0.2:{sshd.port}")  # fmt: skip
    assert why(ask(host)) == ("answered", "")


@BOTH
def test_an_alias_of_the_host_key_stands_for_any_port(transport: object, sshd: Sshd, home: Path) -> None:
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=sshd.key_file)
    configured(home, "HostKeyAlias la-base\n", f"la-base {sshd.host_key}\n")
    assert why(ask(host, transport)) == ("answered", "")
    configured(home, "HostKeyAlias la-base\n", f"[la-base]:{sshd.port} {sshd.host_key}\n")
    assert why(ask(host, transport))[0] == "host_key"


@pytest.mark.parametrize("config", ["", "HostKeyAlias la-base\n"])
def test_the_command_that_pins_a_key_pins_it(
    config: str, sshd: Sshd, home: Path, program: Callable[[str], str]
) -> None:
    """In the file that is read, under the name that is looked up; so does the one for a key that changed."""
    program("ssh-keyscan")
    known = home / "our hosts"
    (home / "config").write_text(f'UserKnownHostsFile "{known}"\nGlobalKnownHostsFile none\n{config}')
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=sshd.key_file)
    cause, words = why(ask(host))
    assert cause == "host_key"
    subprocess.run(["sh", "-c", words.split("then pin it: ")[1]], check=True, stderr=subprocess.DEVNULL)
    assert why(ask(host)) == ("answered", "")
    known.write_text(known.read_text().replace(sshd.host_key.split()[1][-12:], "A" * 12))
    cause, words = why(ask(host))
    remove, pin = words.split("reinstalled: ")[1].split("; then ")
    subprocess.run(["sh", "-c", f"{remove} && {pin}"], check=True, capture_output=True)
    assert why(ask(host)) == ("answered", "")


def test_a_bastion_that_is_not_there_costs_what_is_behind_it(sshd: Sshd, home: Path) -> None:
    configured(home, f"Host gone\n Port {free_port()}\n HostName 127.0.0.9\n" + through(sshd, "gone"), "")
    cause, words = why(ask(Host("h", "inner")))
    assert cause == "unreachable"
    assert "the bastion 127.0.0.9" in words
    configured(home, f"Host dead\n HostName 127.0.0.3\n Port {sshd.port}\nHost inner\n Port {free_port()}\n"
               + through(sshd, "dead"), sshd.known_hosts(["127.0.0.3"]))  # fmt: skip
    cause, words = why(ask(Host("h", "inner")))
    assert (cause, "through the bastion 127.0.0.3" in words) == ("unreachable", True)


def kill_all(pid: int) -> None:
    """The process and its descendants: each session of sshd is a group of its own."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        kill_all(int(child))
    os.kill(pid, signal.SIGKILL)


def test_a_bastion_that_drops_costs_what_is_behind_it_and_says_so(
    sshd: Sshd, home: Path, tmp_path: Path, program: Callable[[str], str]
) -> None:
    with started(tmp_path, program("sshd"), program("ssh-keygen"), keys=f"{sshd.folder}/authorized_keys") as bastion:
        text = f"Host drops\n HostName 127.0.0.2\n Port {bastion.port}\n" + through(sshd, "drops")
        configured(home, text, bastion.known_hosts(["127.0.0.2"]) + sshd.known_hosts(["127.0.0.5"]))
        quick, slow = Command("echo quick"), Command("sleep 150", timeout_s=200)
        threading.Timer(2.0, kill_all, (bastion.pid,)).start()
        told = ask(Host("h", "inner"), commands=(quick, slow))
    assert isinstance(told[0], Output)
    assert why(told) == ("closed", f"the bastion 127.0.0.2:{bastion.port} closed its connection")


def test_many_hosts_behind_one_bastion(sshd: Sshd, home: Path) -> None:
    names = [f"127.0.0.{n}" for n in range(4, 9)]
    configured(home, through(sshd, "one") + "Host 127.0.0.*,!127.0.0.3\n ProxyJump one\n",
               sshd.known_hosts(["127.0.0.3", *names]))  # fmt: skip
    opened_ = ssh.TRANSPORT.open(Settings(time.time, ssh_config=("~/.ssh/config",)))

    def work(name: str) -> Told:
        return [a for _, a in opened_(Host(name, name, proxy_jump="one"), (HELLO, WHENCE), 60.0)]

    def broken(name: str, error: Exception) -> Told:
        raise AssertionError(name) from error

    told = list(each(names * 6, work, broken, Places(12)))
    assert {why(t) for t in told} == {("answered", "")}
    assert {t[1].text.split()[0] for t in told if isinstance(t[1], Output)} == {"127.0.0.1"}


# ---------------------------------------------------------------- algorithms


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("KexAlgorithms curve25519-sha256,never-heard", "answered"), ("KexAlgorithms -curve*,mlkem*", "answered"),
        ("Ciphers ^aes256-ctr", "answered"), ("MACs hmac-sha2-256", "answered"), ("HostKeyAlgorithms ssh-ed25519", "answered"),
        ("KexAlgorithms +diffie-hellman-group1-sha1", "no_transport"), ("Ciphers arcfour", "no_transport"),
        ("HostKeyAlgorithms +ssh-rsa", "no_transport"), ("PreferredAuthentications password", "auth"),
        ("PubkeyAuthentication no", "auth"), ("ConnectTimeout 3", "answered"), ("AddressFamily inet", "answered"),
        ("AddressFamily inet6", "unreachable"), ("BindAddress 127.0.0.8", "answered"),
    ],
)  # fmt: skip
def test_what_restricts_the_conversation(line: str, cause: str, sshd: Sshd, home: Path) -> None:
    configured(home, f"Host 127.0.0.1\n {line}\n" + through(sshd, "none"), sshd.known_hosts())
    assert why(ask(Host("h", "127.0.0.1")))[0] == cause


# ---------------------------------------------------------------- certificates


@pytest.fixture(scope="module")
def authority(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    new_key(folder / "ca", program("ssh-keygen"))
    new_key(folder / "rsa_ca", program("ssh-keygen"), "-t", "rsa", "-b", "2048", "-N", "")
    return folder


def signed(ca: Path, key: Path, *options: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-s", str(ca), "-I", "test", *options, f"{key}.pub"], check=True)


HOST_CERTIFICATES = {
    "good": (("-n", "web.example.org,127.0.0.1"), "answered", ""),
    "of a pattern": (("-n", "127.0.0.*"), "answered", ""),
    "for another name": (("-n", "web.example.org"), "host_key", "not for 127.0.0.1"),
    "expired": (("-n", "127.0.0.1", "-V", "20200101:20210101"), "host_key", "expired"),
    "not yet": (("-n", "127.0.0.1", "-V", "20900101:20910101"), "host_key", "not valid yet"),
    "for nobody": ((), "host_key", "names no host"),
}


@pytest.mark.parametrize("name", HOST_CERTIFICATES)
def test_certificates_of_hosts(
    name: str, authority: Path, tmp_path: Path, program: Callable[[str], str], home: Path
) -> None:
    options, cause, words = HOST_CERTIFICATES[name]

    def more(folder: Path) -> str:
        signed(authority / ("rsa_ca" if name == "of a pattern" else "ca"), folder / "host_key", "-h", *options)
        return f"HostCertificate {folder}/host_key-cert.pub\n"

    with started(tmp_path, program("sshd"), program("ssh-keygen"), more=more) as server:
        host = Host("h", "127.0.0.1", port=server.port, user=server.user, key_file=server.key_file)
        ca = (authority / ("rsa_ca.pub" if name == "of a pattern" else "ca.pub")).read_text()
        for names in (f"[127.*]:{server.port}", "127.0.0.1"):
            configured(home, "", f"@cert-authority {names} {ca}")
            got = why(ask(host))
            assert got[0] == cause
            assert words in got[1]
        if cause == "answered":
            configured(home, "", f"@cert-authority * {ca}@revoked * {ca}")
            assert "revoked" in why(ask(host))[1]
            configured(home, "", f"@cert-authority *.example.org {ca}")
            assert why(ask(host))[0] == "host_key"
            other = (authority / "ca.pub" if name == "of a pattern" else authority / "rsa_ca.pub").read_text()
            configured(home, "", f"@cert-authority * {other}")
            assert "none that known_hosts trusts" in why(ask(host))[1]
        configured(home, "", server.known_hosts())
        assert why(ask(host)) == ("answered", ""), "its bare key is known"


def test_a_users_certificate_makes_no_host(
    authority: Path, tmp_path: Path, program: Callable[[str], str], home: Path
) -> None:
    def more(folder: Path) -> str:
        signed(authority / "ca", folder / "host_key", "-n", "127.0.0.1")
        return f"HostCertificate {folder}/host_key-cert.pub\n"

    with started(tmp_path, program("sshd"), program("ssh-keygen"), more=more) as server:
        configured(home, "", f"@cert-authority * {(authority / 'ca.pub').read_text()}")
        host = Host("h", "127.0.0.1", port=server.port, user=server.user, key_file=server.key_file)
        assert why(ask(host))[0] == "host_key"


@pytest.fixture
def by_certificate(authority: Path, tmp_path: Path, program: Callable[[str], str], home: Path) -> Iterator[Sshd]:
    """A server that takes only keys which the authority signed."""
    more = f"TrustedUserCAKeys {authority}/ca.pub\n"
    (tmp_path / "server").mkdir()
    (tmp_path / "none").write_text("")
    with started(tmp_path / "server", program("sshd"), program("ssh-keygen"), keys=str(tmp_path / "none"),
                 more=lambda folder: more) as server:  # fmt: skip
        configured(home, "", server.known_hosts())
        yield server


@pytest.fixture
def agent(
    program: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], None]]:
    """ssh-agent; `agent(key)` loads a key."""
    path = str(tmp_path / "agent")
    process = subprocess.Popen([program("ssh-agent"), "-D", "-a", path], stdout=subprocess.DEVNULL)
    while not os.path.exists(path):
        time.sleep(0.01)
    monkeypatch.setenv("SSH_AUTH_SOCK", path)
    yield lambda key: subprocess.run([program("ssh-add"), "-q", str(key)], check=True)  # type: ignore[misc,return-value]
    process.terminate()
    process.wait()


@pytest.mark.parametrize("kind", [("-t", "ed25519"), ("-t", "rsa", "-b", "2048"), ("-t", "ecdsa")], ids=lambda k: k[1])
def test_certificates_of_users(
    kind: tuple[str, ...],
    by_certificate: Sshd,
    authority: Path,
    tmp_path: Path,
    home: Path,
    agent: Callable[[Path], None],
) -> None:
    key = tmp_path / "mine"
    new_key(key, "ssh-keygen", *kind, "-N", "")
    host = Host("h", "127.0.0.1", port=by_certificate.port, user=by_certificate.user, key_file=str(key))
    assert why(ask(host))[0] == "auth"
    signed(authority / "ca", key, "-n", by_certificate.user)
    assert why(ask(host)) == ("answered", ""), "the certificate lies beside the key"
    agent(key)  # with its certificate
    assert why(ask(Host("h", "127.0.0.1", port=by_certificate.port, user=by_certificate.user))) == ("answered", "")
    Path(f"{key}-cert.pub").rename(tmp_path / "elsewhere.pub")
    known = (home / "known_hosts").read_text()
    configured(home, f"CertificateFile {tmp_path}/elsewhere.pub\nIdentityAgent none\n", known)
    assert why(ask(host)) == ("answered", "")
    signed(authority / "ca", key, "-n", "somebody-else")
    configured(home, "IdentityAgent none\n", known)
    assert why(ask(host))[0] == "auth"


# ---------------------------------------------------------------- agents and passphrases


def test_the_agent_holds_a_key_that_is_encrypted_on_disk(sshd: Sshd, home: Path, agent: Callable[[Path], None]) -> None:
    configured(home, "", sshd.known_hosts())
    locked = home / "locked"
    locked.write_bytes(Path(sshd.key_file).read_bytes())
    locked.chmod(0o600)
    agent(locked)
    Path(f"{locked}.pub").write_text(Path(f"{sshd.key_file}.pub").read_text())
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "pass phrase", "-f", str(locked)], check=True)
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=str(locked))
    assert why(ask(host)) == ("answered", "")
    socket_ = os.environ.pop("SSH_AUTH_SOCK")
    assert "ssh-agent" in why(ask(host))[1]
    configured(home, f"IdentityAgent {socket_}\n", sshd.known_hosts())
    assert why(ask(host)) == ("answered", "")


def test_sixteen_threads_share_the_agent(sshd: Sshd, home: Path, agent: Callable[[Path], None]) -> None:
    configured(home, "", sshd.known_hosts())
    agent(Path(sshd.key_file))
    opened_ = ssh.TRANSPORT.open(Settings(time.time, ssh_config=("~/.ssh/config",)))
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user)

    def broken(name: int, error: Exception) -> Told:
        raise AssertionError(name) from error

    told = list(each(range(48), lambda n: [a for _, a in opened_(host, (HELLO,), 60.0)], broken, Places(16)))
    assert {why(t) for t in told} == {("answered", "")}


def test_a_passphrase_is_named(sshd: Sshd, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(home, "", sshd.known_hosts())
    locked = home / "locked"
    locked.write_bytes(Path(sshd.key_file).read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "pass phrase", "-f", str(locked)], check=True)
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=str(locked), passphrase="env:CANARY")
    assert "env:CANARY: the variable is not set" in why(ask(host))[1]
    monkeypatch.setenv("CANARY", "wrong")
    cause, words = why(ask(host))
    assert (cause, "does not open" in words, "wrong" in words) == ("auth", True, False)
    monkeypatch.setenv("CANARY", "pass phrase")
    assert why(ask(host)) == ("answered", "")


def test_a_key_that_others_can_read(sshd: Sshd, home: Path) -> None:
    configured(home, "", sshd.known_hosts())
    (home / "open").write_bytes(Path(sshd.key_file).read_bytes())
    (home / "open").chmod(0o644)
    cause, words = why(ask(Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=str(home / "open"))))
    assert (cause, "chmod 600" in words) == ("auth", True)


# ---------------------------------------------------------------- passwords


def behind(doors: Doors, address: str = "127.0.0.1", home: Path | None = None) -> Host:
    if home:
        configured(home, "", doors.known_hosts())
    return Host(address, address, port=doors.port, user="audit", password="env:AUDIT_PASSWORD")


@pytest.mark.parametrize("allowed", ["password", "keyboard-interactive", "publickey,password,keyboard-interactive"])
def test_a_password_is_named(allowed: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "right")
    with opened(allowed=allowed) as doors:
        assert why(ask(behind(doors, home=home))) == ("answered", "")
        assert len(doors.seen) + len(doors.rounds) == 1


def test_a_key_is_offered_before_the_password_that_is_named(sshd: Sshd, home: Path) -> None:
    """Where one key lets us in, nobody fetches the secret: the variable is not even set."""
    configured(home, "", sshd.known_hosts())
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=sshd.key_file, password="env:NOT_SET")
    assert why(ask(host)) == ("answered", "")


@pytest.mark.parametrize(
    ("prompts", "rounds"),
    [
        (((("Verification code: ", True),),), 1),
        (((("Password: ", False), ("Token: ", False)),), 1),
        (((("Password: ", False),), (("New password: ", False),)), 2),
    ],
    ids=["echoed", "two at once", "to be changed"],
)
def test_a_password_answers_only_what_asks_for_one(
    prompts: tuple[tuple[tuple[str, bool], ...], ...], rounds: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "wrong")
    with opened(allowed="keyboard-interactive", prompts=prompts) as doors:
        cause, words = why(ask(behind(doors, home=home)))
        assert (cause, "asks something else" in words) == ("auth", True)
        assert sum("wrong" in r for r in doors.rounds) == rounds - 1


@pytest.mark.parametrize("hangs_up", [False, True], ids=["refuses", "hangs up"])
def test_two_hundred_hosts_see_a_wrong_password_twice(
    hangs_up: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "wrong")
    with opened(hangs_up=hangs_up) as doors:
        hosts = [behind(doors, f"127.0.{1 + n // 100}.{1 + n % 100}") for n in range(200)]
        configured(home, "", doors.known_hosts())
        opened_ = ssh.TRANSPORT.open(Settings(time.time, ssh_config=("~/.ssh/config",)))

        def broken(host: Host, error: Exception) -> Told:
            raise AssertionError(host.id) from error

        told = list(each(hosts, lambda host: [a for _, a in opened_(host, (HELLO,), 60.0)], broken, Places(32)))
    assert doors.seen == ["wrong", "wrong"]
    messages = [why(t) for t in told]
    assert messages.count(("auth", "withheld: refused twice in this run")) >= (190 if hangs_up else 198)
    assert not any(cause == "answered" for cause, _ in messages)


def test_the_right_password_is_tried_on_one_host_first_then_on_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "right")
    with opened() as doors:
        hosts = [behind(doors, f"127.0.1.{1 + n}") for n in range(30)]
        configured(home, "", doors.known_hosts())
        opened_ = ssh.TRANSPORT.open(Settings(time.time, ssh_config=("~/.ssh/config",)))

        def broken(host: Host, error: Exception) -> Told:
            raise AssertionError(host.id) from error

        told = list(each(hosts, lambda host: [a for _, a in opened_(host, (HELLO,), 60.0)], broken, Places(16)))
    assert {why(t) for t in told} == {("answered", "")}
    assert len(doors.seen) == 30


def test_a_password_that_is_refused_later_is_refused_twice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under one name or another: the account is the same."""
    monkeypatch.setenv("AUDIT_PASSWORD", "right")
    monkeypatch.setenv("OTHER_NAME", "right")
    with opened(opens=1) as doors:
        hosts = [
            replace(
                behind(doors, f"127.0.1.{1 + n}"),
                user=("audit", "Audit")[n % 2],
                password=("env:AUDIT_PASSWORD", "env:OTHER_NAME")[n // 2 % 2],
            )
            for n in range(60)
        ]
        configured(home, "", doors.known_hosts())
        opened_ = ssh.TRANSPORT.open(Settings(time.time, ssh_config=("~/.ssh/config",)))

        def broken(host: Host, error: Exception) -> Told:
            raise AssertionError(host.id) from error

        told = list(each(hosts, lambda host: [a for _, a in opened_(host, (HELLO,), 60.0)], broken, Places(32)))
    assert len(doors.seen) == 3
    assert [why(t)[0] for t in told].count("answered") == 1


# ---------------------------------------------------------------- the system's ssh


def test_its_refusals_have_the_same_causes(sshd: Sshd, home: Path, tmp_path: Path) -> None:
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=sshd.key_file)
    configured(home, "", "")
    assert why(ask(host, openssh))[0] == "host_key"
    configured(home, "", sshd.known_hosts().replace(sshd.host_key.split()[1][-12:], "A" * 12))
    assert why(ask(host, openssh))[0] == "host_key"
    configured(home, "StrictHostKeyChecking no\n", "")
    assert why(ask(host, openssh))[0] == "host_key"
    configured(home, f"@revoked * {sshd.host_key}\n", sshd.known_hosts())
    assert why(ask(host, openssh))[0] == "no_transport"
    configured(home, "", sshd.known_hosts() + f"@revoked * {sshd.host_key}\n")
    assert why(ask(host, openssh))[0] == "host_key"
    configured(home, "", sshd.known_hosts())
    new_key(tmp_path / "other", "ssh-keygen")
    assert (
        why(ask(Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=str(tmp_path / "other")), openssh))[0]
        == "auth"
    )
    assert why(ask(Host("h", "127.0.0.1", port=free_port()), openssh))[0] == "unreachable"
    assert why(ask(Host("h", "no-such-host.invalid"), openssh))[0] == "unreachable"
    assert why(ask(Host("h", "-oProxyCommand=touch /tmp/x"), openssh))[0] == "unreachable"
    assert why(ask(host, openssh, deadline_s=1.5, commands=(Command("sleep 9"),)))[0] == "timeout"
    assert why(ask(Host("h", "127.0.0.1", password="env:X"), openssh))[0] == "no_transport"


def hang_up_on_all(server: socket.socket) -> None:
    """Whoever is cut before a login tries again."""
    with contextlib.suppress(OSError):
        while True:
            server.accept()[0].close()


@BOTH
def test_a_failure_says_what_it_broke_at(transport: object, sshd: Sshd, home: Path, tmp_path: Path) -> None:
    """As data, for whoever tells people what to mend: the same words from both transports."""

    def hurdle(address: str = "127.0.0.1", port: int = sshd.port, key: str = sshd.key_file) -> str:
        answer = ask(Host("h", address, port=port, user=sshd.user, key_file=key), transport)[0]
        assert isinstance(answer, Failure)
        assert answer.obstacle
        assert transport is openssh or (answer.obstacle.port, answer.obstacle.user) == (port, sshd.user)
        return answer.obstacle.hurdle

    new_key(tmp_path / "stranger", "ssh-keygen")
    configured(home, "", "")
    assert hurdle() == "key_unknown"
    configured(home, "", sshd.known_hosts().replace(sshd.host_key.split()[1][-12:], "A" * 12))
    assert hurdle() == "key_changed"
    configured(home, "", sshd.known_hosts() + f"@revoked * {sshd.host_key}\n")
    assert hurdle() == "key_revoked"
    configured(home, "", sshd.known_hosts())
    assert hurdle(key=str(tmp_path / "stranger")) == "login"
    assert hurdle(port=free_port()) == "port"
    assert hurdle("no-such-host.invalid") == "name"
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=hang_up_on_all, args=(other,), daemon=True).start()
        assert hurdle(port=other.getsockname()[1]) == "no_ssh"


@BOTH
def test_a_login_shell_that_ends_says_so(
    transport: object, home: Path, tmp_path: Path, program: Callable[[str], str]
) -> None:
    """Whatever the moment at which it ends: before, while or after the questions are sent."""

    def refusing(folder: Path) -> str:
        return "Match LocalAddress 127.0.0.2\n ForceCommand exit 3\nMatch LocalAddress 127.0.0.3\n ForceCommand echo no; exit 0\n"

    with started(tmp_path, program("sshd"), program("ssh-keygen"), more=refusing) as server:
        configured(home, "", server.known_hosts(["127.0.0.2", "127.0.0.3"]))
        for address, words in (("127.0.0.2", "with exit code 3"), ("127.0.0.3", "with exit code 0: no")):
            told = ask(Host("h", address, port=server.port, user=server.user, key_file=server.key_file), transport)
            cause, said = why(told)
            assert (cause, words in said) == ("closed", True), said
            assert isinstance(told[0], Failure)
            assert told[0].obstacle
            assert told[0].obstacle.hurdle == "shell"


def test_outdated_algorithms_are_for_the_hosts_that_opt_in(sshd: Sshd, home: Path) -> None:
    settings = Settings(time.time)
    plain = openssh.command_line(Host("h", "h"), settings, "", "")
    assert not any("Algorithms" in w for w in plain)
    named = ("ssh-rsa", "diffie-hellman-group1-sha1", "aes128-cbc", "hmac-sha1")
    words = openssh.command_line(Host("h", "h", legacy=named), settings, "", "")
    for option in ("HostKeyAlgorithms=+ssh-rsa", "PubkeyAcceptedAlgorithms=+ssh-rsa", "Ciphers=+aes128-cbc",
                   "KexAlgorithms=+diffie-hellman-group1-sha1", "MACs=+hmac-sha1"):  # fmt: skip
        assert option in words
    configured(home, "", sshd.known_hosts())
    host = Host("h", "127.0.0.1", port=sshd.port, user=sshd.user, key_file=sshd.key_file, legacy=named)
    assert why(ask(host, openssh)) == ("answered", "")
    assert why(ask(Host("h", "h", legacy=("rot13 -oX",)), openssh))[0] == "no_transport"
