"""ssh_config as OpenSSH reads it: the real client's `ssh -G` is the judge."""

from __future__ import annotations

import base64
import getpass
import hmac
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.kinds import Settings
from auditor.model import Host
from auditor.readers import known_hosts, ssh_config
from auditor.transports._endpoint import Refused, Routes, _files

KEYS = ("hostname", "user", "port", "proxyjump", "hostkeyalias", "connecttimeout", "identitiesonly")

CONFIG = """\
# a town hall's
Include parts/*.conf
Host web* !web9
    HostName %h.example.org
    User deploy
Host = "quoted name" db?
  Port=2222
  HostKeyAlias "the db"   # and a comment
  User "second user"
Match originalhost api user auditor
    Port 2200
Match host *.example.org
    ProxyJump jump@bastion:2022,inner
    ConnectTimeout 7
Match host=never.example.net
    Port 1
Match user deploy !host web2.example.org
    IdentitiesOnly yes
Host api
    User auditor
Host bastion
    ProxyJump none
Match final host web3.example.org
    ConnectTimeout 99
    Port 3333
Match localuser nobody-at-all
    Port 4444
Match all
    Port 22022
Host *
    ConnectTimeout 3
    HostName late.example.net
    SendEnv LANG LC_*
"""


def config(home: Path, text: str, **parts: str) -> ssh_config.Config:
    (home / ".ssh" / "parts").mkdir(parents=True, exist_ok=True)
    (home / ".ssh" / "config").write_text(text)
    for name, part in parts.items():
        (home / ".ssh" / "parts" / f"{name}.conf").write_text(part)
    return ssh_config.read([str(home / ".ssh" / "config")], _files)


def said(found: ssh_config.Config, name: str, **given: str) -> ssh_config.Said:
    return ssh_config.lookup(found, name, ssh_config.Person(getpass.getuser(), "/home/x", 7, "here.example"), given)


@pytest.mark.parametrize("name", ["web1", "web2", "web3", "web9", "db1", "db10", "api", "bastion", "other", "p1"])
def test_it_is_read_as_the_real_client_reads_it(name: str, tripwires: Path, program: Callable[[str], str]) -> None:
    found = config(
        tripwires, CONFIG, a="Host p1\n  Port 77\n  Include more\nHost web9\n User nine\n", b="Host p1\n User x\n"
    )
    text = (tripwires / ".ssh" / "config").read_text().replace("parts/*", f"{tripwires}/.ssh/parts/*")
    (tripwires / "flat").write_text(text)
    told = subprocess.run(
        [program("ssh"), "-F", str(tripwires / "flat"), "-G", name], capture_output=True, text=True, check=True
    )
    theirs = dict(line.split(" ", 1) for line in told.stdout.splitlines() if " " in line)
    ours = said(found, name)
    assert not ours.objections
    defaults = {"user": getpass.getuser(), "port": "22", "connecttimeout": "none", "identitiesonly": "no"}
    theirs.setdefault("proxyjump", "none" if name == "bastion" else "")  # which it does not show
    for key in KEYS:
        assert (ours.one(key) or defaults.get(key, "")) == theirs.get(key, defaults.get(key, "")), key


STRANGE = {
    "final, by what it stands for": "Host h5\n HostName real\nHost real\n User me\nMatch final\n Port 3\n",
    "final, original name": "Match final originalhost real\n User m\nHost h5\n HostName real\n",
    "final, host": "Match final host real\n User m\nHost h5\n HostName real\n",
    "not final": "Host h5\n HostName real\nHost real\n User me\n",
    "case of Match": "Match host H5 originalhost H*\n User me\n",
    "case of Host": "Host H5\n User me\n",
    "case of user": "User me\nMatch user ME\n Port 3\n",
    "quotes join": "HostName a\"b\"'c'd\n",
    "quotes within quotes": 'User "a\'b"\n',
    "escapes": 'User a\\ b\\c\\"\n',
    "a comment's line break": "# x\x0bUser y\x0cUser y\u2028User y\n",
    "a form feed at the end": "User y\x0c\n",
    "a space of Unicode": "User a\xa0b # c\n",
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_written_strangely_is_read_as_the_real_client_reads_it(
    name: str, tripwires: Path, program: Callable[[str], str]
) -> None:
    found = config(tripwires, STRANGE[name])
    assert not said(found, "h5").objections
    told = subprocess.run([program("ssh"), "-F", str(tripwires / ".ssh" / "config"), "-G", "h5"], capture_output=True,
                          check=True, text=True)  # fmt: skip
    theirs = dict(line.split(" ", 1) for line in told.stdout.split("\n") if " " in line)
    defaults = {"user": getpass.getuser(), "port": "22"}
    for key in ("hostname", "user", "port"):
        assert (said(found, "h5").one(key) or defaults.get(key, "")) == theirs[key]


@pytest.mark.parametrize(
    "line", ['Host "h5', "Host", "Match", "Match host", "Match frob x", "Match host h5 user", "Match all user",
             "Port 22 33", "User a b", "User\x0cy", "Port 22\x0b33"],
)  # fmt: skip
def test_a_file_that_the_real_client_refuses_is_not_followed(
    line: str, tripwires: Path, program: Callable[[str], str]
) -> None:
    """A broken Host line would take along, unseen, the lines below it."""
    section = "Host other" if line.startswith(("Host", "Match")) else "Host h5"
    config(tripwires, f"{section}\n User x\n{line}\n ProxyJump bastion\n")
    told = subprocess.run([program("ssh"), "-F", str(tripwires / ".ssh" / "config"), "-G", "h5"], capture_output=True,
                          check=False)  # fmt: skip
    assert told.returncode == 255
    with pytest.raises(Refused):
        Routes(Settings(lambda: 0.0, ssh_config=("~/.ssh/config",))).of(Host("h5", "h5"))


def test_files_add_up_and_tokens_stand_for_what_they_say(tripwires: Path) -> None:
    found = config(
        tripwires, "IdentityFile ~/.ssh/%r-%h\nHost a\n IdentityFile %d/${KEY}%%\n UserKnownHostsFile ~/k1 /k2\n"
    )
    person = ssh_config.Person("me", "/home/me", 7, "here", {"KEY": "other"})
    got = ssh_config.lookup(found, "a", person, {"user": "you"})
    assert got.values["identityfile"] == ("/home/me/.ssh/you-a", "/home/me/other%")
    assert got.values["userknownhostsfile"] == ("/home/me/k1", "/k2")


@pytest.mark.parametrize(
    "line",
    [
        "ProxyCommand nc %h %p", "PKCS11Provider /lib/x.so", "StrictHostKeyChecking no", "StrictHostKeyChecking off",
        "KnownHostsCommand /bin/x", "RevokedHostKeys /etc/x", "CanonicalizeHostname yes", "BindInterface eth0",
        "VerifyHostKeyDNS yes", "NoHostAuthenticationForLocalhost yes", "Frobnicate yes", "Port", 'User "half', "Include self",
        "IdentityFile ~/%C", "IdentityFile ${NO_SUCH_VARIABLE}", "Port many",
    ],
)  # fmt: skip
def test_what_is_not_understood_costs_the_hosts_that_use_it(line: str, tripwires: Path) -> None:
    """Never ignored, never weakened; it is said, and the way is named."""
    from auditor.transports import ssh

    config(tripwires, f"Host bad\n  {line}\nHost good\n  Port 1\n")
    (tripwires / ".ssh" / "self").write_text("Include self\n")
    opened = ssh.TRANSPORT.open(Settings(lambda: 0.0, ssh_config=("~/.ssh/config",)))
    assert Routes(Settings(lambda: 0.0, ssh_config=("~/.ssh/config",))).of(Host("good", "good"))[0].port == 1
    from auditor.framing.sh import HELLO

    (failure,) = [answer for _, answer in opened(Host("bad", "bad"), (HELLO,), 5.0)]
    assert failure.cause == "no_transport"  # type: ignore[union-attr]
    assert line.startswith(("Port many",)) or "openssh" in failure.message  # type: ignore[union-attr]


def test_the_first_value_counts_for_what_is_not_done_too(tripwires: Path) -> None:
    found = config(tripwires, "Host a\n StrictHostKeyChecking yes\n ProxyCommand none\n ProxyJump b\nHost *\n"
                   " StrictHostKeyChecking no\n ProxyCommand nc\n")  # fmt: skip
    assert (said(found, "a").objections, said(found, "a").one("proxyjump")) == ((), "")
    assert len(said(found, "b").objections) == 2


def test_a_match_that_we_cannot_judge_matters_only_where_it_changes_something(tripwires: Path) -> None:
    found = config(
        tripwires, "Match host a exec true\n Port 1\nMatch exec true\n SendEnv X\nMatch host b exec true\n User x\n"
    )
    assert len(said(found, "a").objections) == 1
    assert said(found, "c").objections == ()
    assert len(said(found, "b").objections) == 1
    assert said(found, "b", user="told").objections == ()


def test_ignored_keywords_and_harmless_ones(tripwires: Path) -> None:
    found = config(
        tripwires, "IgnoreUnknown Frob*,UseX\nFrobnicate 1\nUseX 2\nUseKeychain yes\nGSSAPIAuthentication yes\n"
    )
    assert said(found, "a").objections == ()


@pytest.mark.parametrize(
    "loop",
    ["Host a\n ProxyJump b\nHost b\n ProxyJump a\n", "Host *\n ProxyJump b\n", "ProxyJump b,a\nHost b\n ProxyJump a\n"],
)
def test_a_loop_of_bastions_is_named(loop: str, tripwires: Path) -> None:
    config(tripwires, loop)
    with pytest.raises(Refused, match="loop: a:22 > (a|b):22"):
        Routes(Settings(lambda: 0.0, ssh_config=("~/.ssh/config",))).of(Host("a", "a"))


def test_the_inventory_wins_over_ssh_config_and_that_over_defaults(tripwires: Path) -> None:
    config(tripwires, "Host a\n User conf\n Port 9\n ProxyJump c\n IdentityFile /conf\n UserKnownHostsFile /kconf\n")
    routes = Routes(Settings(lambda: 0.0, ssh_config=("~/.ssh/config",)))
    _, by_config = routes.of(Host("a", "a"))
    assert (by_config.user, by_config.port, by_config.key_files) == ("conf", 9, ("/conf",))
    assert by_config.known_files[0] == "/kconf"
    told = Host("a", "a", port=10, user="inv", key_file="/inv", known_hosts="/kinv", proxy_jump="x@y:3")
    assert routes.of(Host("a", "a", port=22))[-1].port == 22  # said, if only to be the usual one
    hop, end = routes.of(told)
    assert (end.user, end.port, end.key_files, end.known_files[0]) == ("inv", 10, ("/inv",), "/kinv")
    assert (hop.user, hop.address, hop.port) == ("x", "y", 3)


def test_a_configuration_that_others_can_write_is_not_followed(tripwires: Path) -> None:
    config(tripwires, "User x\n")
    os.chmod(tripwires / ".ssh" / "config", 0o666)
    with pytest.raises(Refused, match="written by others"):
        Routes(Settings(lambda: 0.0, ssh_config=("~/.ssh/config",))).of(Host("a", "a"))


# ---------------------------------------------------------------- known_hosts

KEY = "ssh-ed25519 " + "A" * 20


@pytest.mark.parametrize(
    ("names", "name", "port", "known"),
    [
        ("web", "web", 22, True), ("WEB", "web", 22, True), ("web", "WEB", 22, True), ("web", "web", 2222, False),
        ("[web]:2222", "web", 2222, True), ("*.example.org", "a.example.org", 22, True),
        ("*.example.org,!b.*", "b.example.org", 22, False), ("10.0.0.?", "10.0.0.7", 22, True),
        ("10.0.0.?", "10.0.0.77", 22, False), ("[10.*]:*", "10.1.1.1", 99, True), ("*", "any", 22, True),
        ("!web", "web", 22, False), ("w.b", "web", 22, False), ("web,!web", "web", 22, False),
    ],
)  # fmt: skip
def test_names_and_patterns(names: str, name: str, port: int, known: bool) -> None:
    assert bool(known_hosts.read([f"{names} {KEY}\n"]).keys_of(name, port)) is known


@pytest.mark.parametrize("length", [0, 1, 20, 64, 65, 200])
def test_a_hashed_name_is_found_by_its_hmac_and_no_other_name_is(length):
    salt = os.urandom(length)
    digest = hmac.digest(salt, b"[web1]:2222", "sha1")
    hashed = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
    known = known_hosts.read([f"{hashed} {KEY}\n"])
    for _ in range(2):  # the second time from memory
        assert len(known.keys_of("Web1", 2222)) == 1
        assert known.keys_of("web1", 22) == known.keys_of("web2", 2222) == []


def test_authorities_speak_for_other_ports_and_revocations_for_all() -> None:
    found = known_hosts.read([f"@cert-authority *.a {KEY}\n@revoked x.a {KEY}\n@other * {KEY}\n"])
    assert found.authorities_of("x.a", 2222)
    assert not found.keys_of("x.a", 22)
    assert found.revoked("x.a", 2222)
    assert not found.revoked("y.a", 22)


def hashed(name: str) -> str:
    digest = hmac.digest(b"salt", name.encode(), "sha1")
    return f"|1|{base64.b64encode(b'salt').decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("beside", ["", f"@revoked * ssh-rsa {'B' * 20}\n", f"@revoked web ssh-rsa {'B' * 20}\n"])
@pytest.mark.parametrize("known", ["web", "*", hashed("web")])
def test_a_revocation_counts_however_it_names_the_host_and_whatever_stands_beside_it(known: str, beside: str) -> None:
    for revoked in ("web", "w*", hashed("web")):
        found = known_hosts.read([f"{known} {KEY}\n@revoked {revoked} {KEY}\n{beside}"])
        assert {blob for _, blob in found.keys_of("web", 22)} <= found.revoked("web", 22)


def test_plain_and_hashed_lines_add_up() -> None:
    """A host with a key of each type, one line of them hashed, shows whichever it likes."""
    found = known_hosts.read([f"web {KEY}\n{hashed('web')} ssh-rsa {'B' * 20}\n"])
    assert [kind for kind, _ in found.keys_of("web", 22)] == ["ssh-ed25519", "ssh-rsa"]


@pytest.mark.parametrize("space", ["\u2028", "\x0b", "\x0c", "\x85", "\x1c", "\xa0", "\r"])
def test_a_line_ends_at_its_newline_and_nowhere_else(space: str) -> None:
    """Else a comment could hold a line that trusts a key."""
    found = known_hosts.read([f"web {KEY} laptop of{space}db {KEY}\n#{space}db {KEY}\nx{space}db {KEY}\r\n"])
    assert (found.keys_of("db", 22), len(found.keys_of("web", 22))) == ([], 1)
    assert known_hosts.read([f"\t web{' ' * 20}\t{KEY}\r\n"]).keys_of("web", 22)


def test_known_hosts_that_are_there_and_not_read_are_no_empty_ones(tripwires: Path) -> None:
    """They may hold revocations; what begins with a byte order mark is read."""
    routes = Routes(Settings(lambda: 0.0))
    (tripwires / "bom").write_bytes("\ufeff@revoked * ssh-ed25519 AAAA\n".encode())
    assert routes.known((str(tripwires / "bom"),)).revocations
    assert routes.known((str(tripwires / "absent"), "~nobody-here/known")).hosts == routes.known(()).hosts
    (tripwires / "folder").mkdir()
    for path in (str(tripwires / "folder"), "a\0b"):
        with pytest.raises(Refused, match="cannot be read"):
            routes.known((path,))
