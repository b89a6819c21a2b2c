"""What is told of sudo's rules against the real sudo: the same, or unknown, and never less than what it lets somebody do unasked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
import sudoers_grammar
from namespaces import need

from auditor.errors import Unreadable
from auditor.model import Facts, Output, Partial, Unknown
from auditor.probes.admins import PROBE as ADMINS
from auditor.probes.sudo_rules import PROBE
from auditor.readers import masks, passwd, sudoers
from auditor.readers.trees import people, sudo

pytestmark = [pytest.mark.root, pytest.mark.timeout(115)]

GROUPS = "root:x:0:\nsudo:x:27:alice,bob\nops:x:60:bob\n"
USERS = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n"
# Each folder is a host: its files are put over /etc, asked with cvtsudoers and without, and sudo itself is tried.
HOSTS = r"""
set -e
mount --make-rprivate /
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
mount -t tmpfs -o mode=755 none /run
hostname web01
printf '127.0.0.1 localhost\n127.0.1.1 www.example.org web01\n' > /etc/hosts
cp "$1/passwd" /etc/passwd
cp "$1/group" /etc/group
printf 'root:*:20000:0:99999:7:::\nalice:*:20000:0:99999:7:::\nbob:*:20000:0:99999:7:::\n' > /etc/shadow
printf '#%%PAM-1.0\nauth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n' > /etc/pam.d/sudo
cp /bin/true /mnt/true
hosts() {
  for h in "$1"/hosts/*; do
    rm -rf /etc/sudoers.d/* /usr/etc/sudoers /etc/sudo.conf /etc/cvtsudoers.conf /run/sudo
    printf 'passwd: files\ngroup: files\nhosts: files\n' > /etc/nsswitch.conf
    cp -r --no-preserve=mode "$h/." /etc
    chmod 755 /etc /etc/sudoers.d
    chmod 440 /etc/sudoers
    for f in /etc/sudoers.d/*; do if [ -f "$f" ]; then chmod 440 "$f"; fi; done
    sh "$1/question" > "$h/$2" || echo "left with $?" >> "$h/$2"
    if [ -n "$3" ]; then for u in alice bob; do for c in /usr/bin/id /usr/bin/true; do
      if setpriv --reuid "$(id -u $u)" --regid "$(id -g $u)" --init-groups sudo -n $c >/dev/null 2>&1; then echo "$u $c"; fi
    done; done > "$h/unasked"; fi
  done
}
hosts "$1" told "$2"
mount --bind /dev/null /usr/bin/cvtsudoers
hosts "$1" files
"""


def asked(folder: Path, hosts: Sequence[Mapping[str, str]], run: bool = True) -> list[Path]:
    need("sudo", "cvtsudoers", "visudo")
    (folder / "passwd").write_text(USERS)
    (folder / "group").write_text(GROUPS)
    (folder / "question").write_text(f"export LC_ALL=C\n{sudoers.SUDOERS.text}")
    found = [folder / "hosts" / f"{number:04}" for number in range(len(hosts))]
    for host, files in zip(found, hosts, strict=True):
        for name, text in files.items():
            (host / name).parent.mkdir(parents=True, exist_ok=True)
            (host / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    command = ["unshare", "-m", "-u", "-n", "sh", "-c", HOSTS, "sh", str(folder), "x" * run]
    subprocess.run(command, check=True, capture_output=True, timeout=110)
    return found


def answer(text: bytes) -> Output:
    return Output(0, text, b"", 0.0)


def facts(told: bytes, probe: str = "sudo_rules") -> Facts:
    accounts = "".join(f"p:{line.replace(':x:', ':', 1).replace('::/', ':/')}\n" for line in USERS.splitlines())
    groups = "".join(f"g:{line.replace(':x:', ':')}\n" for line in GROUPS.splitlines())
    answers = {"accounts": answer(f"{accounts}{groups}n: files\nend\n".encode()), "sudoers": answer(told)}
    if probe == "admins":
        return ADMINS.dialects["linux"].parse({**answers, "root_keys": answer(b"end\n")}, {})
    stacks = b"f\t/etc/pam.d/sudo\n=\t/etc/pam.d/sudo\tauth required pam_unix.so\nend\n"
    return PROBE.dialects["linux"].parse({**answers, "pam": answer(stacks)}, {})


UNASKED = {
    "a line for one command takes nothing from the others": "Defaults !authenticate\nDefaults!/usr/bin/id authenticate\nbob ALL=(ALL) ALL\n",
    "a line for one member takes nothing from the group": "Defaults !authenticate\nDefaults:alice authenticate\n%sudo ALL=(ALL) ALL\n",
    "a line for one account takes nothing from the others": "Defaults !authenticate\nDefaults>alice authenticate\nbob ALL=(ALL) ALL\n",
    "all but one of a group": "Defaults:ALL,!alice !authenticate\n%sudo ALL=(ALL) ALL\n",
    "all but those of an alias": "User_Alias A=bob\nDefaults !authenticate\nDefaults:ALL, !A authenticate\nbob ALL=(ALL) ALL\n",
    "all but the commands of an alias": "Cmnd_Alias C=/usr/bin/id\nDefaults !authenticate\nDefaults!ALL,!C authenticate\nbob ALL=(ALL) ALL\n",
    "a group that is exempt but for one": "Defaults exempt_group=sudo\nDefaults:alice !exempt_group\n%sudo ALL=(ALL) ALL\n",
    "a later rule for all but whom it was": "bob ALL=(ALL) NOPASSWD: ALL\nALL,!bob ALL=(ALL) ALL\n",
    "a later rule for all but the group of whom it was": "bob ALL=(ALL) NOPASSWD: ALL\nALL,!%ops ALL=(ALL) ALL\n",
    "a later rule as all but root": "bob ALL=(root) NOPASSWD: ALL\nbob ALL=(ALL,!root) ALL\n",
    "a later rule that is over": "bob ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) NOTAFTER=20200101000000Z ALL\n",
    "a later rule for one digest": f"bob ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) sha256:{'a' * 64} ALL\n",
    "a later rule that cannot be parsed": "bob ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) PASSWD: ALL ,,\n",
    "a later line that cannot be parsed": "Defaults !authenticate\nDefaults authenticate#-\nbob ALL=(ALL) ALL\n",
    "another name of the host": "bob www=(ALL) NOPASSWD: ALL\n",
    "another name of the host, later": "bob ALL=(ALL) NOPASSWD: ALL\nbob web01=(ALL) ALL\n",
    "a name in capitals": "Defaults:BOB !authenticate\nbob ALL=(ALL) ALL\n",
    "a group in capitals": "Defaults:%OPS !authenticate\nbob ALL=(ALL) ALL\n",
    "a uid with a nought": "Defaults:#01001 !authenticate\nbob ALL=(ALL) ALL\n",
    "a gid with a nought": "Defaults:%#060 !authenticate\nbob ALL=(ALL) ALL\n",
    "another path of the same program": "Defaults!/bin/id !authenticate\nbob ALL=(ALL) /usr/bin/id\n",
    "another folder of the same program": "Defaults!/bin/ !authenticate\nbob ALL=(ALL) /usr/bin/id\n",
    "a blank after the mark": "Defaults ! authenticate\nbob ALL=(ALL) ALL\n",
    "a line that goes on after the mark": "Defaults !\\\n authenticate\nbob ALL=(ALL) ALL\n",
    "two marks before a name": "Defaults:!!bob !authenticate\nbob ALL=(ALL) ALL\n",
    "two marks": "!!bob ALL=(ALL) NOPASSWD: ALL\n",
    "a number below nought, first": "#-1, bob ALL=(ALL) NOPASSWD: ALL\n",
    "a colon in an alias": "User_Alias A = %:dom, bob\nA ALL=(ALL) NOPASSWD: ALL\n",
    "an address in an alias": "Host_Alias H = fe80::1, ALL\nbob H=(ALL) NOPASSWD: ALL\n",
    "a letter by its number": "b\\x6fb ALL=(ALL) NOPASSWD: ALL\n",
    "everybody, with a password of another": "Defaults targetpw\nALL ALL=(ALL) NOPASSWD: ALL\n",
    "a line for a command, and a later one for all": "Defaults!/usr/bin/id !authenticate\nDefaults authenticate\nbob ALL=(ALL) /usr/bin/id\n",
    "an exemption for a command, and none later": "Defaults!ALL exempt_group=ops\nDefaults !exempt_group\nbob ALL=(ALL) ALL\n",
    "an alias of commands that is taken out and put back": "Cmnd_Alias C=/usr/bin/id\nCmnd_Alias D=!C,C\nbob ALL=(ALL) NOPASSWD: D\n",
    "an alias of users that is put back": "User_Alias A=bob\nUser_Alias B=A,!bob,A\nDefaults:B !authenticate\nbob ALL=(ALL) ALL\n",
}


def test_no_rule_that_asks_nothing_is_hidden(tmp_path: Path) -> None:
    """Whom sudo lets in unasked is told so, or it is said that it could not be told."""
    for host, case in zip(asked(tmp_path, [{"sudoers": text} for text in UNASKED.values()]), UNASKED, strict=True):
        assert (host / "unasked").read_text(), f"{case}: sudo asks"
        for way in ("told", "files"):
            found = facts((host / way).read_bytes())["without_password"]
            assert isinstance(found, Partial) or found, f"{case}, {way}"


ASKED = {
    "a tag stands above a line for the command": "Defaults!/usr/bin/id !authenticate\nbob ALL=(ALL) PASSWD: /usr/bin/id\n",
    "a tag stands above a line for all commands": "Defaults!ALL !authenticate\nbob ALL=(ALL) PASSWD: ALL\n",
    "a tag stands above a line for everybody": "Defaults !authenticate\nbob ALL=(ALL) PASSWD: ALL\n",
    "a tag holds for what follows it": "Defaults !authenticate\nbob ALL=(ALL) PASSWD: /usr/bin/id, /usr/bin/true\n",
    "a later line for a user": "Defaults !authenticate\nDefaults:bob authenticate\nbob ALL=(ALL) ALL\n",
}


def test_a_password_that_sudo_asks_is_told(tmp_path: Path) -> None:
    for host, case in zip(asked(tmp_path, [{"sudoers": text} for text in ASKED.values()]), ASKED, strict=True):
        assert not (host / "unasked").read_text(), f"{case}: sudo does not ask"
        for way in ("told", "files"):
            assert [rule["asks"] for rule in facts((host / way).read_bytes())["rules"] if not rule["asks"]] == [], case


AS_WHOM = {
    "ALL,!root": False, "!root,ALL": True, "!ALL,root": True, "root,!ALL": False, "ALL,!#0": False, "ALL,!#00": False, "ALL,!%root": False,
    "ALL,!%#0": False, "ALL,!%ops": True, "ALL,!!root": True, "%root": True, "!bob": False, "!root": False, "ALL,!R": False, "ALL,!N": True,
    "!N": True, "A": False, "ALL,!A": True, "root,A": False, "A,root": True, "L,!root,L": True, "ALL,!ROOT": None, "ALL,!+ng": None,
}  # fmt: skip


def test_root_is_whom_sudo_lets_be_root(tmp_path: Path) -> None:
    """A list with exceptions is told as sudo takes it: the last element that matches decides."""
    before = "Runas_Alias R=root\nRunas_Alias N=!root\nRunas_Alias A=ALL,!root\nRunas_Alias L=ALL\n"
    hosts = [{"sudoers": f"{before}bob ALL=({text}) NOPASSWD: ALL\n"} for text in AS_WHOM]
    for host, (text, expected) in zip(asked(tmp_path, hosts), AS_WHOM.items(), strict=True):
        assert expected is None or bool((host / "unasked").read_text()) is expected, text
        for way in ("told", "files"):
            [rule] = facts((host / way).read_bytes())["rules"]
            gives = rule["everything_as_root"]
            assert isinstance(gives, Unknown) if expected is None else gives is expected, f"{text}, {way}"


INCLUDED = (
    "@includedir /etc/sudoers.d # c", "@includedir /etc/sudoers.d\r", "@includedir \\\n/etc/sudoers.d", '#includedir "/etc/sudoers.d/"',
    "@includedir\t/etc//sudoers.d", "@includedir sudoers.d", "@include /etc/sudoers.d/a", "@include sudoers.d/a", "@include sudoers.d/a~",
)  # fmt: skip


def test_no_file_that_sudo_includes_is_left_out(tmp_path: Path) -> None:
    rule = "bob ALL=(ALL) NOPASSWD: ALL\n"
    hosts = [{"sudoers": f"{line}\n", "sudoers.d/a": rule, "sudoers.d/a~": rule} for line in INCLUDED]
    for host, line in zip(asked(tmp_path, hosts), INCLUDED, strict=True):
        for way in ("told", "files"):
            found = facts((host / way).read_bytes())["without_password"]
            assert isinstance(found, Partial) or found or not (host / "unasked").read_text(), f"{line}, {way}"


ELSEWHERE: tuple[Mapping[str, str], ...] = (
    {"nsswitch.conf": " Sudoers: files SSS\n", "sssd/sssd.conf": ""},
    {"nsswitch.conf": "sudoers: ldap\n", "openldap/ldap.conf": ""},
    {"nsswitch.conf": "# \\\nsudoers: files \\\n sss\n", "sssd/sssd.conf": ""},
    {"sudo.conf": "Path\tplugin_dir /x\n"},
    {"sudo.conf": "plugin sudoers_policy sudoers.so sudoers_file=/x\n"},
    {"sudo.conf": "Plugin rules my.so\n"},
)


def test_what_leads_sudo_elsewhere_is_seen_however_it_is_written(tmp_path: Path) -> None:
    plain = {"sudoers": "bob ALL=(ALL) ALL\n"}
    silent = {
        "sudo.conf": "Plugin sudoers_policy sudoers.so\nPlugin log_io x.so\n",
        "nsswitch.conf": "sudoers: files # sss \\\npasswd: files sss\n",
        "sssd/sssd.conf": "",
    }
    *others, quiet = asked(tmp_path, [*({**plain, **more} for more in ELSEWHERE), {**plain, **silent}], run=False)
    assert all(isinstance(facts((host / "told").read_bytes())["rules"], Partial) for host in others)
    assert not isinstance(facts((quiet / "told").read_bytes())["rules"], Partial)


@pytest.mark.parametrize(
    ("sudo", "visudo", "expected"),
    [
        ("# sudo", "exit 0", False),
        ("# sudo-rs 0.2.8", "# /etc/sudoers-rs\nexit 0", False),
        ("# sudo-rs 0.2.8", "# /etc/sudoers-rs\nexit 1", True),
        ("# sudo-rs 0.2.8", "exit 0", True),
    ],
)
def test_rules_that_another_sudo_may_read_otherwise(tmp_path: Path, sudo: str, visudo: str, expected: bool) -> None:
    """sudo-rs passes over what it does not know of them, and its own visudo alone says whether there is any."""
    for name, text in (("sudo", sudo), ("visudo", visudo), ("cvtsudoers", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"
    done = subprocess.run(
        ["sh", "-c", sudoers.SUDOERS.text], env={"PATH": path, "LC_ALL": "C"}, capture_output=True, check=True
    )
    assert (b"\npolicy sudo-rs\n" in done.stdout) is expected


def test_what_a_site_tells_cvtsudoers_to_leave_out_is_told(tmp_path: Path) -> None:
    hidden = {
        "sudoers": "Defaults !authenticate\nbob ALL=(ALL) ALL\n",
        "cvtsudoers.conf": "suppress = defaults\ndefaults = none\n",
    }
    [host] = asked(tmp_path, [hidden])
    assert [rule["asks"] for rule in facts((host / "told").read_bytes())["rules"]] == [False]


def test_who_is_an_administrator_however_a_rule_names_them(tmp_path: Path) -> None:
    written = {"BOB ALL=(ALL) ALL\n": "bob", "%OPS ALL=(ALL) ALL\n": "bob", "#01001 ALL=(ALL) ALL\n": "bob", "%#060 ALL=(ALL) ALL\n": "bob",
               "Defaults targetpw\nALL ALL=(ALL) NOPASSWD: ALL\n": "ALL", "Defaults rootpw, !authenticate\nALL ALL=(ALL) ALL\n": "ALL",
               "Defaults rootpw\nDefaults:bob !rootpw\nALL ALL=(ALL) ALL\n": "ALL"}  # fmt: skip
    for host, name in zip(asked(tmp_path, [{"sudoers": t} for t in written], run=False), written.values(), strict=True):
        for way in ("told", "files"):
            found = facts((host / way).read_bytes(), "admins")["accounts"]
            assert any(one["account"] == name and "sudo rule" in one["because"] for one in found), host


# ---------------------------------------------------------------- any file at all


def parsed(told: bytes) -> sudoers.Rules:
    found = sudoers.rules(answer(told))
    assert isinstance(found, sudoers.Rules)
    return found


def in_a_tree(text: str) -> sudoers.Rules | None:
    shown = masks.sudoers(text.encode("utf-8", "surrogateescape"))
    files = answer(b"F %d 12 /etc/sudoers\n%b\n" % (len(shown), shown))
    try:
        found = sudo.rules(files, people.Tree(passwd.People({}, {}), name="web01"))
    except Unreadable:
        return None
    return None if isinstance(found, Unknown) else found


def content(found: sudoers.Rules) -> tuple[object, ...]:
    """What is told of everybody; a name that is not told stands for any."""
    return [(rule.users, rule.hosts, item) for rule in found.rules for item in rule.items], found.defaults


def differs(told: object, other: object) -> bool:
    """Texts in which something is not told are as good as any."""
    if isinstance(told, str) and isinstance(other, str):
        return told != other and not ({"?", "(", "{"} & set(told + other))
    if isinstance(told, sudoers.Item | sudoers.Default):
        fields = told.__slots__
        return any(differs(getattr(told, name), getattr(other, name)) for name in fields)
    if isinstance(told, tuple | list) and isinstance(other, tuple | list):
        return len(told) != len(other) or any(differs(a, b) for a, b in zip(told, other, strict=True))
    return told != other


@pytest.mark.parametrize("seed", range(3))
def test_the_files_alone_tell_what_the_parser_tells_or_that_they_cannot(tmp_path: Path, seed: int) -> None:
    r = Random(seed)
    texts = [sudoers_grammar.file(r) for _ in range(150)]
    compared = 0
    for host, text in zip(asked(tmp_path, [{"sudoers": t} for t in texts], run=False), texts, strict=True):
        told, files, tree = (host / "told").read_bytes(), parsed((host / "files").read_bytes()), in_a_tree(text)
        if not told.startswith(b"sudoers expanded"):
            assert files.gap or not (files.rules or files.defaults) or not parsed(told).gap, text
            continue
        for other in (files, tree):
            if other is not None and not other.gap and not parsed(told).gap:
                assert not differs(content(parsed(told)), content(other)), text
                compared += 1
    assert compared > 20


# what sudo only warns of, and goes on without
WARNED = re.compile(
    r"unknown defaults entry|Warning|referenced but|no value spec|is invalid for|invalid operator|does not take|already def"
)


@pytest.mark.parametrize("seed", range(2))
def test_a_file_that_sudo_cannot_parse_is_told_so_without_its_parser(tmp_path: Path, seed: int) -> None:
    """And those that people write are read: without a letter changed, and mostly with one."""
    need("visudo")
    r, read, refused = Random(seed), 0, 0
    for text in (*sudoers_grammar.USUAL, *(sudoers_grammar.broken(r) for _ in range(350))):
        (tmp_path / "sudoers").write_bytes(text.encode("utf-8", "surrogateescape"))
        done = subprocess.run(
            ["visudo", "-cf", tmp_path / "sudoers"], capture_output=True, encoding="utf-8", errors="replace"
        )
        said = [line for line in done.stderr.splitlines() if line.startswith(str(tmp_path)) and not WARNED.search(line)]
        found = in_a_tree(text)
        assert not (done.returncode and said) or found is None or found.gap, (text, said)
        assert text not in sudoers_grammar.USUAL or (found and not found.gap), text
        read += not done.returncode and found is not None and not found.gap
        refused += bool(done.returncode)
    assert read > 60 and refused > 60
