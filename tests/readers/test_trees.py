"""What sshd and sudo make of their files, read without them: held against sshd and cvtsudoers themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Output, Unknown
from auditor.readers import sudoers
from auditor.readers.masks import MASKS
from auditor.readers.trees import people, ssh, stacks, sudo

NOBODY = people.Tree(Unknown("not_observable"), name="web01")


def as_read(texts: dict[str, str]) -> Output:
    parts = [b"F %d %d %b\n%b\n" % (len(t.encode()), len(p), p.encode(), t.encode()) for p, t in texts.items()]
    return Output(0, b"".join(parts), b"", 0.0)


CONFIGS = {
    "nothing": "",
    "first wins": "PermitRootLogin no\nPermitRootLogin yes\n",
    "equals and case": "permitrootlogin=No\nPASSWORDAUTHENTICATION = no\nUsePAM\tyes\n",
    "quotes": 'AuthenticationMethods "publickey,password"\nPermitRootLogin "no"\n',
    "match user": "Match User bob\n PasswordAuthentication no\nMatch all\n PermitRootLogin no\n",
    "match address": "Match Address 10.0.0.0/8,!10.1.0.0/16\n PasswordAuthentication no\n",
    "match negated": "Match User *,!bob\n PasswordAuthentication no\n",
    "match two": "Match User bob Address 10.*\n AuthenticationMethods publickey,password\n",
    "global after match": "Match User bob\nPasswordAuthentication no\nPermitRootLogin yes\nMatch User alice\nPermitRootLogin no\n",
    "old words": "ChallengeResponseAuthentication no\nPubkeyAuthentication no\n",
    "lists": "AllowUsers a b@10.*\nAllowUsers c\nDenyGroups x\n",
    "comment": "PermitRootLogin no # why\n#PasswordAuthentication no\n",
    "match overrides": "PermitRootLogin no\nPasswordAuthentication no\nAllowUsers a\nMatch User root\nPermitRootLogin yes\nAllowUsers root\n"
    "Match Address 10.0.0.0/8\nPasswordAuthentication yes\nAllowUsers bob\nMatch all\nPermitRootLogin no\nAllowUsers c\n",
    "quoted words": '"PermitRootLogin" yes\nPermitRootLogin no\n',
    "quoted at once": '\t"PermitRootLogin"yes\r\nPermitRootLogin no\r\n',
    "comment behind quotes": '"PermitRootLogin" yes # c\nAuthenticationMethods "publickey" # "d\nAllowUsers a#b "c" # e\n',
    "equals behind quotes": '"AllowUsers" = bob\n',
    "equals first": "=PermitRootLogin yes\nPermitRootLogin no\n",
    "match equals": "PermitRootLogin no\nMatch=User root\nPermitRootLogin=yes\n",
}
ASKED = [("bob", "10.2.0.1"), ("bob", "10.1.0.1"), ("alice", "192.0.2.1"), ("root", "192.0.2.1")]
WORDS = ("permitrootlogin", "passwordauthentication", "kbdinteractiveauthentication", "pubkeyauthentication", "usepam",
         "authenticationmethods", "permitemptypasswords", "gssapiauthentication", "hostbasedauthentication")  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_sshd_says_the_same(tmp_path: Path, name: str) -> None:
    key, file = tmp_path / "key", tmp_path / "sshd_config"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    file.write_text(CONFIGS[name])
    config = ssh.read(as_read({"/etc/ssh/sshd_config": CONFIGS[name]}))
    for user, address in ASKED:
        spec = f"user={user},host={address},addr={address},laddr=127.0.0.1,lport=22"
        done = subprocess.run(
            ["/usr/sbin/sshd", "-T", "-h", str(key), "-f", str(file), "-C", spec],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        real: dict[str, list[str]] = {}
        for line in done.stdout.splitlines():
            word, _, value = line.partition(" ")
            real.setdefault(word, []).append(value)
        settings = ssh.settings_of(config, ssh.Who(user, address, frozenset()))
        plain = {w: {"without-password": "prohibit-password"}.get(real[w][0], real[w][0]) for w in WORDS if w in real}
        assert {w: settings[w][0] for w in plain} == plain
        for word in ssh.LISTS:
            assert " ".join(settings.get(word, ())).split() == " ".join(real.get(word, ())).split()


def test_included_files_stand_where_they_are_included() -> None:
    texts = {
        "/etc/ssh/sshd_config": "Include sshd_config.d/*.conf\nPermitRootLogin yes\n",
        "/etc/ssh/sshd_config.d/20.conf": "Match User bob\nPermitRootLogin yes\n",
        "/etc/ssh/sshd_config.d/10.conf": "PasswordAuthentication no\nPermitRootLogin no\n",
    }
    config, root = ssh.read(as_read(texts)), ssh.Who("root", "192.0.2.1", frozenset())
    assert ssh.settings_of(config, root)["permitrootlogin"] == ("no",)
    assert ssh.places(config, root, ("permitrootlogin",)) == ("/etc/ssh/sshd_config.d/10.conf:2",)
    assert config.gap is None


def test_what_is_included_and_not_there_is_not_observable() -> None:
    for path, cause in (
        ("/etc/ssh/sshd_config.d/*.conf", "not_observable"),
        ("/run/ssh/x", "not_observable"),
        ("/opt/x", "not_asked"),
        ("/etc/ssh/hardening/*.conf", "not_asked"),
    ):
        gap = ssh.read(as_read({"/etc/ssh/sshd_config": f"Include {path}\n"})).gap
        assert gap
        assert gap.cause == cause
    hidden = "Include /etc/ssh/sshd_config.d/*.conf\nInclude /opt/x\n"
    assert (ssh.read(as_read({"/etc/ssh/sshd_config": hidden})).gap or Unknown("timeout")).cause == "not_asked"
    loop = {
        "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/a\n",
        "/etc/ssh/sshd_config.d/a": "Include /etc/ssh/sshd_config.d/a\n",
    }
    assert (ssh.read(as_read(loop)).gap or Unknown("timeout")).cause == "unreadable"


def test_files_that_all_include_each_other_come_to_an_end() -> None:
    every = {f"/etc/ssh/sshd_config.d/{n}.conf": "Include sshd_config.d/*.conf\n" for n in range(20)}
    config = ssh.read(as_read({"/etc/ssh/sshd_config": "Include sshd_config.d/*.conf\n", **every}))
    assert config.read < 10 * ssh.MOST_FILES
    assert config.gap


@pytest.mark.parametrize("line", ["\ufeffPermitRootLogin no", "\u00a0PermitRootLogin no", "PermitRootLogin", "%%"])
def test_a_line_that_is_no_setting_is_said_to_be_none(line: str) -> None:
    gap = ssh.read(as_read({"/etc/ssh/sshd_config": f"UsePAM yes\n{line}\n"})).gap
    assert gap == Unknown("unreadable", "/etc/ssh/sshd_config:2")


def test_a_match_that_only_the_host_can_follow_is_no_answer() -> None:
    config = ssh.read(as_read({"/etc/ssh/sshd_config": "Match Group wheel\nPermitRootLogin yes\n"}))
    (context,) = ssh.asked(config, [ssh.Who("root", "192.0.2.1", None)]).contexts
    assert "sshd_config:2" in context.error


OTHERWISE = {
    'SSHD_OPTS="-oPermitRootLogin=yes"': True,
    "OPTIONS=-4f /x": True,
    "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS -o X=canary": True,
    "[Service]\nExecStart=/usr/sbin/sshd \\\n -C canary": True,
    "CRYPTO_POLICY='-oPermitRootLogin=yes'": True,
    "[Service]\nExecStart=\nExecStart=/opt/canary/sshd -D": True,
    "[Service]\nExecStart=/bin/sh /opt/canary": True,
    "[Service]\nEnvironmentFile=-/opt/canary": True,
    "[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS": False,
    "[Service]\nBindReadOnlyPaths=/opt/canary:/etc/ssh/sshd_config": True,
    "[Service]\nRootDirectory=/opt/canary": True,
    "[Service]\nEnvironmentFile=\nExecStart=\nBindPaths=": False,
    "SSHD_OPTS=": False,
    'SSHD_OPTS="-4 -u0"': False,
    "# SSHD_OPTS=-f /x": False,
    "MORE='-oPermitRootLogin=yes'": True,
    'PERMITROOTLOGIN="-oPermitRootLogin=yes"': True,
    "CRYPTO_POLICY='-oCiphers=aes256-gcm@openssh.com -oMACs=hmac-sha2-256 -oPubkeyAcceptedKeyTypes=ssh-ed25519'": False,
    "CRYPTO_POLICY='-oCiphers=aes256-gcm@openssh.com -oUsePAM=no'": True,
    "CRYPTO_POLICY='-oCiphers=aes256-gcm@openssh.com,$(x) '": True,
    "cfgfile=/opt/canary": True,
    "[Service]\nExecStart=/usr/sbin/sshd -D \\x2doPermitRootLogin=yes": True,
    "[Service]\nEnvironment=X=o\nExecStart=/usr/sbin/sshd -D -${X}PermitRootLogin=yes": True,
    "[Service]\nExecStart=/usr/sbin/sshd -D ${X}PermitRootLogin=yes": True,
    "[Service]\nExecStart=/usr/sbin/sshd -Rf /opt/canary": True,
    "[Service]\nExecStart=/usr/sbin/sshd -D %c": True,
    "[Manager]\nDefaultEnvironment=OPTIONS=-oUsePAM=no": True,
    "[Service]\nPassEnvironment=OPTIONS": True,
    "[Service]\nEnvironmentFile=-/etc/sysconfig/sshd-permitrootlogin\nExecStart=/usr/sbin/sshd -D $OPTIONS $PERMITROOTLOGIN": False,
    "[Unit]\nDescription=a -o b\n[Service]\nExecStart=/usr/sbin/sshd -D $OPTIONS $CRYPTO_POLICY": False,
    "[Service]\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\nExecReload=/bin/kill -f x": False,
}


@pytest.mark.parametrize("text", OTHERWISE)
def test_sshd_may_be_started_with_other_settings(text: str) -> None:
    masked = MASKS["sshd_started"](text.encode()).decode()
    assert "canary" not in masked
    config = ssh.read(as_read({"/etc/ssh/sshd_config": "PermitRootLogin no\n"}), as_read({"/etc/default/ssh": masked}))
    assert (config.gap is not None) == OTHERWISE[text]
    assert not config.gap or (config.gap.cause, "/etc/default/ssh:" in config.gap.detail) == ("not_told", True)


STARTED_AT = ("/etc/ssh/sshd_config", "PermitRootLogin no\nPubkeyAcceptedAlgorithms sk-ssh-ed25519@openssh.com\n")


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("/etc/systemd/system/mine.service", "[Service]\nExecStart=/usr/sbin/sshd -D -p 2222\n", "another sshd"),
        ("/etc/systemd/system/mine.service", "[Service]\nExecStart=/bin/sh -c '/usr/sbin/sshd -D'\n", "another sshd"),
        ("/etc/systemd/system/mine.service", "[Service]\nExecStart=/bin/x -o y\n", ""),
        ("/usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd -f /x\n", "other settings"),
        (
            "/etc/systemd/system/ssh@.service.d/a.conf",
            "[Service]\nExecStart=/usr/sbin/sshd -i -o X=y\n",
            "other settings",
        ),
        ("/etc/crypto-policies/back-ends/opensshserver.config", "CRYPTO_POLICY='-oUsePAM=no'\n", "other settings"),
        (
            "/etc/crypto-policies/back-ends/opensshserver.config",
            "CRYPTO_POLICY='-oPubkeyAcceptedKeyTypes=ssh-ed25519'\n",
            "other settings",
        ),
        ("/etc/crypto-policies/back-ends/opensshserver.config", "CRYPTO_POLICY='-oMACs=x'\n", ""),
        ("/etc/crypto-policies/back-ends/opensshserver.config", "Ciphers aes256-ctr\n", ""),
    ],
)
def test_who_starts_sshd_with_what(path: str, text: str, told: str) -> None:
    masked = MASKS["sshd_started"](text.encode()).decode()
    gap = ssh.read(as_read(dict([STARTED_AT])), as_read({path: masked})).gap
    assert (told in gap.detail if told and gap else gap is None) is True


RULES = {
    "plain": "deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart x, PASSWD: /bin/ls\n",
    "aliases": "User_Alias A = bob, %ops\nCmnd_Alias C = /bin/x, !/bin/y z\nRunas_Alias R = www, db\nA ALL=(R) C, NOPASSWD: ALL\n",
    "hosts": "bob web01=/bin/a : web02=NOPASSWD: /bin/b\n",
    "continued": "bob ALL=(ALL:ALL) \\\n  NOPASSWD: \\\n  ALL\n",
    "digest": f"bob ALL=sha256:{'a' * 64} /bin/x, /bin/y\n",
    "defaults": "Defaults !authenticate\nDefaults:bob timestamp_timeout=-1, env_reset\nDefaults>www !authenticate\nbob ALL=ALL\n",
    "runas list": "bob ALL=(www, db : grp) /bin/x\n",
    "empty arguments": 'bob ALL=/bin/x ""\n',
    "comment": "bob ALL=ALL # why not: x\n#1001 ALL=ALL\n",
    "continued in a comment": "# why \\\nbob ALL=(ALL) NOPASSWD: ALL\nann ALL=/bin/x # why \\\ncarl ALL=NOPASSWD: ALL\n#1001 ALL=\\\nALL\n",
}


@pytest.mark.parametrize("name", RULES)
def test_the_question_to_a_host_says_the_same(tmp_path: Path, name: str) -> None:
    """The text that reads the files on a host, and this reader, come to the same rules."""
    file = tmp_path / "etc" / "sudoers"
    file.parent.mkdir()
    file.write_text(RULES[name])
    text = sudoers.SUDOERS.text.replace("/etc/sudoers", str(file))
    for parser in ("cvtsudoers", "visudo"):  # it is not there, and the files themselves are read
        text = text.replace(f"command -v {parser}", "false")
    done = subprocess.run(["sh", "-c", text], capture_output=True, check=True)
    host = sudoers.rules(Output(0, done.stdout, b"", 0.0))
    tree = sudo.rules(as_read({"/etc/sudoers": RULES[name]}), NOBODY)
    assert isinstance(host, sudoers.Rules)
    assert isinstance(tree, sudoers.Rules)
    assert [(r.users, r.hosts, r.items) for r in tree.rules] == [(r.users, r.hosts, r.items) for r in host.rules]
    assert (tree.defaults, tree.gap) == (host.defaults, host.gap)
    assert all(r.where for r in tree.rules)


@pytest.mark.parametrize(
    ("admins", "vendors", "elsewhere"),
    [(None, None, False), (None, "Plugin x my.so\n", True), ("Plugin x my.so\n", None, True), ("# none\n", "Plugin x my.so\n", False)],
)  # fmt: skip
def test_sudo_conf_is_the_vendors_where_the_site_has_none(
    tmp_path: Path, admins: str | None, vendors: str | None, elsewhere: bool
) -> None:
    """As SUSE builds sudo: the first file that is there is the only one. On a host and in a tree alike."""
    paths = {"/usr/etc/sudo.conf": (tmp_path / "vendors", vendors), "/etc/sudo.conf": (tmp_path / "admins", admins)}
    (tmp_path / "sudoers").write_text(RULES["plain"])
    text = sudoers.SUDOERS.text.replace("/etc/sudoers", str(tmp_path / "sudoers"))
    for path, (there, content) in paths.items():
        text = text.replace(path, str(there))
        if content is not None:
            there.write_text(content)
    done = subprocess.run(["sh", "-c", text], capture_output=True, check=True)
    said = {path: content for path, (_, content) in paths.items() if content is not None}
    tree = sudo.rules(as_read({"/etc/sudoers": RULES["plain"], **said}), NOBODY)
    for told in (sudoers.rules(Output(0, done.stdout, b"", 0.0)), tree):
        assert isinstance(told, sudoers.Rules)
        assert (told.gap is not None and "other rules" in told.gap.detail) is elsewhere


def test_cvtsudoers_says_where_a_comment_ends(tmp_path: Path) -> None:
    text = RULES["continued in a comment"]
    (tmp_path / "sudoers").write_text(text)
    done = subprocess.run(
        ["cvtsudoers", "-f", "csv", "sudoers"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    told = [
        line.split(",")[1] for line in done.stdout.splitlines() if line.startswith("rule,")
    ]  # the first one names the columns
    read = sudo.rules(as_read({"/etc/sudoers": text}), NOBODY)
    assert isinstance(read, sudoers.Rules)
    assert [",".join(rule.users) for rule in read.rules] == told[1:]


@pytest.mark.parametrize("end", ["\n", "\\\n\n", "\\\n\\\n\n", " # c \\\n\n", ' ""\\\n\n'])
def test_a_masked_rule_keeps_its_lines(end: str) -> None:
    text = f"a ALL=/bin/x canary{end}b ALL=/bin/y \\\n canary{end}carl ALL=(ALL) NOPASSWD: ALL\n"
    masked = MASKS["sudoers"](text.encode()).decode()
    assert masked.count("\n") == text.count("\n")
    assert "canary" not in masked
    read = sudo.rules(as_read({"/etc/sudoers": masked}), NOBODY)
    assert isinstance(read, sudoers.Rules)
    assert read.rules[-1].where == (f"/etc/sudoers:{text.count(chr(10))}",)


def test_what_stands_behind_a_comment_is_masked_as_a_rule() -> None:
    text = b"# Defaults x \\\nbob ALL=/bin/x canary\nann ALL=/bin/y canary \\ \t\ncanary2\r\n#include x \\\ncarl ALL=/bin/z canary\n"
    masked = MASKS["sudoers"](text)
    assert b"canary" not in masked
    assert masked.count(b"\n") == text.count(b"\n")


# What the C library takes for an account with uid 0 and no password, or passes over.
ROWS = {
    "toor::0:0:": True,
    "  toor::0:0:::": True,
    "toor::0:0": True,
    "toor::0:0::/root:/bin/sh:x": False,
    "+": None,
    "+@ops": None,
    "#toor:": "",
}


@pytest.mark.parametrize("row", ROWS)
def test_no_row_of_odd_columns_is_passed_over(row: str) -> None:
    """A comment alone is."""
    texts = {
        "/etc/passwd": f"root:x:0:0:::\n{row}\n",
        "/etc/group": "root:x:0:\n",
        "/etc/nsswitch.conf": "passwd: compat\n",
    }
    masked = {path: MASKS["passwd"](text.encode()).decode() for path, text in texts.items() if "nss" not in path}
    assert masked["/etc/passwd"].count("\n") == 2
    sources = as_read({"/etc/nsswitch.conf": texts["/etc/nsswitch.conf"]})
    try:
        told = people.read(as_read(masked), sources).people
    except Unreadable:
        assert ROWS[row] in (True, False)
        return
    assert not isinstance(told, Unknown)
    assert ("toor" in told.accounts) == (ROWS[row] is True)
    assert (row.strip() in masked["/etc/passwd"]) == (row != "#toor:")


WORDS_OF_FILES = [*'abA=:,()!\\"# \n\t@*%/.-_x1', "ALL", "NOPASSWD:", "Match ", "Include ", "Defaults", "[", "]"]
HOSTILE = st.lists(st.sampled_from(WORDS_OF_FILES), max_size=80).map("".join)


@given(HOSTILE)
def test_nothing_raises_but_unreadable(text: str) -> None:
    for path, read in (
        ("/etc/ssh/sshd_config", lambda a: ssh.asked(ssh.read(a), [ssh.Who("root", "192.0.2.1", None)])),
        ("/etc/sudoers", lambda a: sudo.rules(a, NOBODY)),
        ("/etc/pam.d/sshd", stacks.read),
        ("/etc/passwd", lambda a: people.read(a, as_read({}))),
    ):
        try:
            read(as_read({path: text, "/etc/group": text}))
        except Unreadable:
            continue
