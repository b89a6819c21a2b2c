"""Real useradd, shadow, sshd, lastlog, journal and sudo, asked through the real command texts in three shells, and judged.

Everything happens in private mount and network namespaces, on a copy of /etc: the machine is not changed.
"""

from __future__ import annotations

import importlib
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from namespaces import ROOT, Told, ask, control, in_each_shell, need, parameters

from auditor import expectations
from auditor.expectations import Scope
from auditor.framing.sh import INSTALLED
from auditor.kinds import Probe
from auditor.model import Outcome, Partial, Register, Subject, Unknown
from auditor.probes import admin_inventory

pytestmark = [pytest.mark.root, pytest.mark.timeout(115)]

DAY_S = 86400
SHELLS = {
    "dash": "",
    "bash": "mount --bind /usr/bin/bash /usr/bin/dash",
    "busybox": "mount --bind /usr/bin/busybox /usr/bin/dash; mount --bind /usr/bin/busybox $(readlink -f /usr/bin/awk)",
}
# A machine of its own: /etc is a copy without people, homes and logs are empty.
MACHINE = """
mount --make-rprivate /
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
mount -t tmpfs none /home
mount -t tmpfs none /root
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/sshd /mnt/log/journal/$(cat /etc/machine-id)
mount --bind /mnt/log /var/log
printf 'root:x:0:0:root:/root:/bin/bash\\nsshd:x:33:33::/run/sshd:/usr/sbin/nologin\\n' > /etc/passwd
printf 'root:*:20000:0:99999:7:::\\nsshd:*:20000:0:99999:7:::\\n' > /etc/shadow
printf 'root:x:0:\\nsudo:x:27:\\nsshd:x:33:\\nshadow:x:42:\\n' > /etc/group
printf 'root:*::\\nsudo:*::\\nshadow:*::\\n' > /etc/gshadow
printf 'passwd: files\\ngroup: files\\nshadow: files\\n' > /etc/nsswitch.conf
rm -rf /etc/sudoers.d/* /etc/ssh/sshd_config.d/* /etc/subuid /etc/subgid
printf 'UsePAM yes\\n' > /etc/ssh/sshd_config
printf 'root ALL=(ALL:ALL) ALL\\n%%sudo ALL=(ALL:ALL) ALL\\n@includedir /etc/sudoers.d\\n' > /etc/sudoers
ssh-keygen -q -t ed25519 -N '' -C CANARY -f /mnt/key
keys() { mkdir -p "${1%/*}"; { echo '# a comment'; printf 'command="echo CANARY" '; cat /mnt/key.pub; } > "$1"; }
"""
ALICE = "useradd -m -s /bin/bash -u 1000 -G sudo alice; echo 'alice:CANARY-password' | chpasswd -c SHA512\n"


def probe(name: str) -> Probe:
    found = importlib.import_module(f"auditor.probes.{name}").PROBE
    assert isinstance(found, Probe)
    return found


def look(name: str, setup: str, shell: str | None = None, after: str = "") -> Told:
    need("useradd", "sshd", "sudo", "busybox", "lastlog")
    told = ask(probe(name), name, MACHINE + setup, after=after, alone=True, shell=shell)
    assert "CANARY" not in told.raw and "$6$" not in told.raw
    return told


def judged(policy_id: str, told: Told, at: float = 0.0, **registers: Register) -> Outcome | None:
    one = control("identity", policy_id)
    values = parameters(one)
    for name in ("local_accounts", "admins", "sudo_exceptions", "leavers", "everyday_accounts"):
        values[f"registers.{name}"] = registers.get(name, Unknown("register_missing", name))
    gone = registers.get("leavers")
    if gone:
        gone = Register(
            "leavers", gone.entries, left_at=gone.left_at, older_than_s=3600.0 * values.get("target_hours", 0)
        )
    values["registers.leavers.older_than.target_hours"] = gone or Unknown("register_missing", "leavers")
    scope = Scope(values, probe(one["probe"]).facts, at=at or time.time())
    return expectations.outcome(one["expect"], one.get("tolerate", {}), told.facts, scope)[0]


def accounts(told: Told) -> dict[str, Mapping[str, Any]]:
    listed = told.facts["accounts"]
    return {a["account"]: a for a in (listed.items if isinstance(listed, Partial) else listed)}


# ---------------------------------------------------------------- who can log in


@in_each_shell(SHELLS)
def test_a_locked_password_stops_no_key_and_an_expiry_does(shell: str) -> None:
    told = look(
        "accounts",
        ALICE
        + """
for u in bob carol dave erin; do useradd -m -s /bin/bash $u; done
keys /home/bob/.ssh/authorized_keys; passwd -q -l bob
keys /home/carol/.ssh/authorized_keys2; usermod -L -e 1 carol
mkdir -p /home/dave/.ssh; echo '# none' > /home/dave/.ssh/authorized_keys
passwd -q -d erin
useradd -r -s /usr/sbin/nologin svc
usermod -p CANARY-hash svc
""",
        shell,
    )
    found = accounts(told)
    assert {n: (a["password"], a["keys"], a["expired"], a["usable"]) for n, a in found.items()} == {
        "root": ("locked", False, False, False),
        "alice": ("set", False, False, True),
        "bob": ("locked", True, False, True),
        "carol": ("locked", True, True, False),
        "dave": ("locked", False, False, False),
        "erin": ("empty", False, False, True),
    }
    assert told.facts["without_shell"] == 2
    assert [n for n, a in found.items() if a["administrator"]] == ["root", "alice"]
    assert judged("no-empty-password", told) is Outcome.FAIL


def test_accounts_are_declared_or_not() -> None:
    told = look("accounts", ALICE + "useradd -m -s /bin/bash bob; keys /home/bob/.ssh/authorized_keys")
    admins, local = Register("admins", ("root", "alice")), Register("local_accounts", ("bob",))
    assert judged("local-accounts-all-declared", told, admins=admins, local_accounts=local) is Outcome.PASS
    nobody = Register("local_accounts", ())
    assert judged("local-accounts-all-declared", told, admins=admins, local_accounts=nobody) is Outcome.FAIL
    assert judged("local-accounts-all-declared", told, admins=admins) is Outcome.UNKNOWN
    assert judged("no-empty-password", told) is Outcome.PASS


def test_a_generic_name_is_nobody() -> None:
    assert judged("administrators-log-in-by-name", look("accounts", ALICE)) is Outcome.PASS
    told = look("accounts", ALICE + "echo root:CANARY | chpasswd -c SHA512")
    assert judged("administrators-log-in-by-name", told) is Outcome.FAIL


@pytest.mark.parametrize(
    ("setup", "expected"),
    [
        ("echo 'AuthorizedKeysFile /etc/keys/%u' >> /etc/ssh/sshd_config; keys /etc/keys/alice", True),
        (
            "echo 'AuthorizedKeysFile /etc/keys/%u' >> /etc/ssh/sshd_config; keys /home/alice/.ssh/authorized_keys",
            False,
        ),
        ("echo 'AuthorizedKeysFile none' >> /etc/ssh/sshd_config; keys /home/alice/.ssh/authorized_keys", False),
        ("echo 'TrustedUserCAKeys /etc/ca' > /etc/ssh/sshd_config.d/a.conf", True),  # the copy has no Include
        ("printf 'TrustedUserCAKeys /etc/ca\\n' >> /etc/ssh/sshd_config", None),
        ("printf 'AuthorizedKeysCommand /bin/x\\nAuthorizedKeysCommandUser nobody\\n' >> /etc/ssh/sshd_config", None),
        ("printf 'Match User alice\\nAuthorizedKeysFile /etc/keys\\n' >> /etc/ssh/sshd_config", None),
        ("echo 'PermitRootLogin maybe' >> /etc/ssh/sshd_config", None),
        ("mkdir -p /home/alice/.ssh; mkfifo /home/alice/.ssh/authorized_keys", False),
    ],
)
def test_keys_are_looked_for_where_sshd_looks(setup: str, expected: bool | None) -> None:
    keys = accounts(look("accounts", ALICE + setup))["alice"]["keys"]
    if setup.startswith("echo 'TrustedUserCAKeys"):
        assert keys is False
    else:
        assert keys is expected if expected is not None else isinstance(keys, Unknown)


def test_ten_thousand_accounts_are_told() -> None:
    told = look(
        "accounts",
        """
awk 'BEGIN { for (i = 2000; i < 12000; i++) {
  print "person" i ":x:" i ":" i "::/home/person" i ":/bin/bash" >> "/etc/passwd"
  print "person" i ":$6$CANARY$" i ":20000:0:99999:7:::" >> "/etc/shadow"
  print "person" i ":x:" i ":" >> "/etc/group" } }'
keys /home/person11999/.ssh/authorized_keys
""",
    )
    found = accounts(told)
    assert len(found) == 10_001
    assert found["person11999"]["keys"] is True and found["person2000"]["usable"] is True
    assert judged("no-empty-password", told) is Outcome.PASS


# ---------------------------------------------------------------- when it was last used

JOURNAL = """
id=$(cat /etc/machine-id)
note() { printf '__REALTIME_TIMESTAMP=%s000000\\n__MONOTONIC_TIMESTAMP=%s000000\\n_BOOT_ID=%s\\n_MACHINE_ID=%s\\n_UID=%s\\n_HOSTNAME=web01\\nMESSAGE_ID=8d45620c1a4348dbb17410da57c60c66\\nUSER_ID=%s\\nSYSLOG_IDENTIFIER=systemd-logind\\nMESSAGE=New session %s of user %s.\\n\\n' $1 $1 $id $id $3 $2 $1 $2; }
now=$(date +%s)
"""
KEEP = " | /lib/systemd/systemd-journal-remote -o /var/log/journal/$id/system.journal - 2>&1\n"
PEOPLE_OF_YORE = (
    ALICE
    + "useradd -m -s /bin/bash -u 1001 bob; keys /home/bob/.ssh/authorized_keys; chage -d 2020-01-01 alice; chage -d 2020-01-01 bob\n"
)


def lastlog(path: Path, days: Mapping[int, float]) -> str:
    """A lastlog as login(1) writes it: 292 bytes an account, by uid; the days since each last login."""
    with path.open("wb") as file:
        for uid, ago in days.items():
            file.seek(292 * uid)
            file.write(struct.pack("=I32s256s", int(time.time() - ago * DAY_S), b"pts/0", b"192.0.2.1"))
    return f"cat {path} > /mnt/lastlog; touch /var/log/lastlog; mount --bind /mnt/lastlog /var/log/lastlog\n"


def test_the_journal_tells_who_has_not_come_for_long(tmp_path: Path) -> None:
    need("/lib/systemd/systemd-journal-remote", "journalctl")
    setup = PEOPLE_OF_YORE + lastlog(tmp_path / "l", {1000: 3, 1001: 150}) + JOURNAL
    noted = "{ note $((now - 200 * 86400)) alice 0; note $((now - 120 * 86400)) bob 0; note $((now - 86400)) bob 1001; note $((now - 9000)) alice 0; }"
    told = look("accounts", setup + noted + KEEP)
    bob = accounts(told)["bob"]
    assert (bob["last_used_days"], bob["unused_days"], bob["unused_days_exact"]) == (120, 120, True), (
        "bob forged the newest"
    )
    assert judged("usable-accounts-in-use", told) is Outcome.FAIL
    told = look("accounts", setup + noted.replace("120 *", "30 *") + KEEP)
    assert accounts(told)["bob"]["last_used_days"] == 30
    assert judged("usable-accounts-in-use", told) is Outcome.PASS


def test_a_login_long_ago_is_not_yet_dormant_where_nothing_records_the_others(tmp_path: Path) -> None:
    told = look("accounts", PEOPLE_OF_YORE + lastlog(tmp_path / "l", {1000: 3, 1001: 150}))
    bob = accounts(told)["bob"]
    assert (bob["last_used_days"], bob["unused_days"]) == (150, 0) and isinstance(bob["unused_days_exact"], Unknown)
    assert judged("usable-accounts-in-use", told) is Outcome.UNKNOWN
    told = look("accounts", PEOPLE_OF_YORE + lastlog(tmp_path / "l", {1000: 3, 1001: 80}))
    assert judged("usable-accounts-in-use", told) is Outcome.PASS
    told = look("accounts", PEOPLE_OF_YORE + "usermod -e 1 bob; setpriv --reuid 1000 sleep 60 & sleep 1\n")
    assert accounts(told)["alice"]["last_used_days"] == 0, "a process of hers runs"
    assert judged("usable-accounts-in-use", told) is Outcome.PASS


# ---------------------------------------------------------------- leavers


def test_who_left_has_a_day_to_be_shut_out() -> None:
    told = look("accounts", ALICE)
    now = time.time()
    for ago_h, outcome in ((23, Outcome.PASS), (25, Outcome.FAIL)):
        gone = Register("leavers", ("alice", "zoe"), left_at={"alice": now - ago_h * 3600})
        assert judged("leavers-cannot-log-in", told, now, leavers=gone) is outcome
    gone = Register("leavers", ("alice",))
    assert (
        judged("leavers-cannot-log-in", look("accounts", ALICE + "usermod -L -e 1 alice"), leavers=gone) is Outcome.PASS
    )
    assert judged("leavers-cannot-log-in", told) is Outcome.UNKNOWN
    admins = look("admins", ALICE + "usermod -L -e 1 alice")
    assert judged("leavers-administrate-nothing", admins, leavers=gone) is Outcome.FAIL
    admins = look("admins", ALICE + "usermod -L -e 1 alice; gpasswd -d alice sudo >&2")
    assert judged("leavers-administrate-nothing", admins, leavers=gone) is Outcome.PASS


def test_an_everyday_account_that_administrates() -> None:
    everyday = Register("everyday_accounts", ("alice",))
    bob = "useradd -m -s /bin/bash adm-alice; usermod -aG sudo adm-alice\n"
    both, apart = look("admins", ALICE + bob), look("admins", ALICE + bob + "gpasswd -d alice sudo >&2")
    by_rule = look("admins", ALICE + "gpasswd -d alice sudo >&2; echo 'alice ALL=(ALL) ALL' > /etc/sudoers.d/x")
    control = "everyday-accounts-administrate-nothing"
    assert [judged(control, told, everyday_accounts=everyday) for told in (both, apart, by_rule)] == [
        Outcome.FAIL,
        Outcome.PASS,
        Outcome.FAIL,
    ]
    assert judged(control, apart) is Outcome.UNKNOWN


def test_only_root_has_its_number() -> None:
    assert judged("uid-zero-only-root", look("admins", ALICE)) is Outcome.PASS
    assert judged("uid-zero-only-root", look("admins", ALICE + "useradd -o -u 0 -M toor >&2\n")) is Outcome.FAIL


def test_principals_that_kerberos_lets_in_as_root_and_a_group_that_is_root_are_not_passed_over() -> None:
    told = look(
        "admins", "groupadd incus-admin; useradd -m -s /bin/bash -G incus-admin bob; echo 'x@CANARY' > /root/.k5login"
    )
    found = told.facts["accounts"]
    assert isinstance(found, Partial) and ".k5login" in found.missing.detail
    assert {"account": "bob", "login": "bob", "because": "group incus-admin"} in found.items


def test_the_inventory_is_of_the_administrators_that_a_host_shows() -> None:
    subject = Subject("perimeter", "shared", "shared")
    facts = admin_inventory.PROBE.fold(subject, iter([("web01", look("admins", ALICE).facts)]))

    def outcome(policy_id: str, *declared: str) -> Outcome:
        scope = Scope({"registers.admins": Register("admins", declared)}, admin_inventory.PROBE.facts)
        return expectations.outcome(control("identity", policy_id)["expect"], {}, facts, scope)[0]

    assert outcome("admins-all-declared", "root", "alice") is Outcome.PASS
    assert outcome("admins-all-declared", "root") is Outcome.FAIL
    assert outcome("declared-admins-all-seen", "root", "alice") is Outcome.PASS
    assert outcome("declared-admins-all-seen", "root", "alice", "eve") is Outcome.FAIL


# ---------------------------------------------------------------- sudo, which is asked itself

PEOPLE_OF_SUDO = """
for u in alice bob deploy auditor; do useradd -m -s /bin/bash $u; done
usermod -aG sudo alice; groupadd ops; usermod -aG ops bob
printf '#%%PAM-1.0\\nauth required pam_unix.so\\naccount required pam_permit.so\\nsession required pam_permit.so\\n' > /etc/pam.d/sudo
"""
# Whether sudo itself runs each command for each account: without asking, after a password, or not at all.
ORACLE = """
for u in alice bob deploy; do for c in /usr/bin/id /usr/bin/whoami /usr/bin/true; do
  if setpriv --reuid $(id -u $u) --regid $(id -g $u) --init-groups sudo -n $c >/mnt/out 2>&1; then echo "$u $c yes"
  elif sudo -n -l -U $u $c >/mnt/out 2>&1; then echo "$u $c asks"
  else echo "$u $c no"; fi
done; done
"""
SUDOERS = {
    "sticky": "bob ALL=(root) NOPASSWD: /usr/bin/id, /usr/bin/whoami, PASSWD: /usr/bin/true\n",
    "no space": "bob ALL=(root)NOPASSWD:/usr/bin/id\n",
    "continued": "bob \\\n ALL = \\\n NOPASSWD: \\\n /usr/bin/id\n",
    "aliases": "User_Alias WE = bob, deploy\nCmnd_Alias IT = /usr/bin/id\nCmnd_Alias ALSO = IT, /usr/bin/true\nWE ALL=NOPASSWD: ALSO\n",
    "last defaults": "Defaults !authenticate\nDefaults authenticate\n",
    "last defaults the other way": "Defaults authenticate\nDefaults !authenticate\n",
    "defaults for a user": "Defaults:bob !authenticate\nbob ALL=/usr/bin/id\ndeploy ALL=/usr/bin/id\n",
    "defaults for a group": "Defaults:%sudo !authenticate\nbob ALL=/usr/bin/id\n",
    "defaults for a command": "Defaults!/usr/bin/id !authenticate\nbob ALL=ALL\n",
    "defaults for runas": "Defaults>root !authenticate\nbob ALL=/usr/bin/id\n",
    "defaults for a host": "Defaults@elsewhere !authenticate\nbob ALL=/usr/bin/id\n",
    "tag above defaults": "Defaults !authenticate\nbob ALL=PASSWD: /usr/bin/id\n",
    "exempt": "Defaults exempt_group=ops\nbob ALL=PASSWD: /usr/bin/id\ndeploy ALL=/usr/bin/id\n",
    "later rule asks": "alice ALL=NOPASSWD: /usr/bin/id\n%sudo ALL=(ALL:ALL) ALL\n",
    "earlier rule asks": "bob ALL=(ALL) ALL\nbob ALL=(ALL) NOPASSWD: ALL\n",
    "once more after all": "bob ALL=NOPASSWD: /usr/bin/id, PASSWD: ALL, NOPASSWD: /usr/bin/id\n",
    "other host": "bob elsewhere=NOPASSWD: ALL\nbob ALL,!elsewhere=/usr/bin/id\n",
    "two lists of hosts": "bob elsewhere = NOPASSWD: /usr/bin/id : ALL = /usr/bin/true\n",
    "a command forbidden": "bob ALL=NOPASSWD: /usr/bin/id, !/usr/bin/true\n",
}


def told_of(told: Told) -> dict[str, str]:
    """For each account and command what the facts say sudo does."""
    listed = told.facts["rules"]
    members = {"%sudo": ["alice"], "alice": ["alice"], "bob": ["bob"], "deploy": ["deploy"]}
    found: dict[str, str] = {}
    for rule in listed.items if isinstance(listed, Partial) else listed:
        who, _, rest = rule["rule"].partition(" (")
        command = rest.partition(") ")[2].partition(" ")[0]
        for one in members[who]:
            for path in ("/usr/bin/id", "/usr/bin/whoami", "/usr/bin/true") if command == "ALL" else (command,):
                found[f"{one} {path}"] = {True: "asks", False: "yes"}[rule["asks"]]
    return found


@pytest.mark.parametrize(
    ("line", "bob", "alice"),
    [
        ("auth sufficient pam_permit.so", "yes", "yes"),
        ("auth sufficient pam_succeed_if.so quiet user ingroup ops", "yes", "asks"),
        ("auth [success=1 default=ignore] pam_succeed_if.so quiet user notingroup ops", "asks", "asks"),
        ("auth optional pam_permit.so", "asks", "asks"),
    ],
)
def test_a_stack_that_asks_nothing_is_no_password(line: str, bob: str, alice: str) -> None:
    """What sudo itself does with rules that ask: the question is PAM's to put."""
    setup = PEOPLE_OF_SUDO + f"sed -i '1a {line}' /etc/pam.d/sudo; cp /etc/pam.d/sudo /etc/pam.d/sudo-i\n"
    if "success=1" in line:  # over a module that lets in whoever is not passed over
        setup += "sed -i '2a auth sufficient pam_permit.so' /etc/pam.d/sudo; cp /etc/pam.d/sudo /etc/pam.d/sudo-i\n"
        bob = "yes"
    setup += "printf 'bob ALL=(ALL) ALL\\nalice ALL=(ALL) ALL\\n' > /etc/sudoers.d/a; chmod 440 /etc/sudoers.d/a\n"
    told = look("sudo_rules", setup, after=ORACLE.replace("sudo -n $c >", "sudo -S $c </dev/null >"))
    did = dict(one.rsplit(" ", 1) for one in told.after.splitlines())
    assert (did["bob /usr/bin/id"], did["alice /usr/bin/id"]) == (bob, alice)
    found = told_of(told)
    assert (found["bob /usr/bin/id"], found["alice /usr/bin/id"]) == (bob, alice)
    expected = Outcome.FAIL if "yes" in (bob, alice) else Outcome.PASS
    assert judged("becoming-root-asks-a-password", told) is expected


@pytest.mark.parametrize("without", ["", "chmod 666 /etc/sudoers.d/z"], ids=["cvtsudoers", "files"])
@pytest.mark.parametrize("case", SUDOERS)
def test_what_is_told_is_what_sudo_does(case: str, without: str) -> None:
    """With the parser, and from the files alone because one of them is passed over."""
    setup = PEOPLE_OF_SUDO + f"cat > /etc/sudoers.d/a <<'END'\n{SUDOERS[case]}END\n"
    setup += f"echo 'bob ALL=NOPASSWD: ALL' > /etc/sudoers.d/z; chmod 440 /etc/sudoers.d/*; {without or 'rm /etc/sudoers.d/z'}"
    told = look("sudo_rules", setup, after=ORACLE)
    expected = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in told.after.splitlines()}
    assert len(expected) == 9
    assert ("sudoers files" in told.raw) is bool(without)
    found = told_of(told)
    if case == "defaults for a command":  # the rule for all is told by its weakest command
        assert found["bob /usr/bin/true"] == "yes" and expected["bob /usr/bin/true"] == "asks"
        found, expected = (
            {k: v for k, v in found.items() if k.endswith("/id")},
            {k: v for k, v in expected.items() if k.endswith("/id")},
        )
    assert found == {k: v for k, v in expected.items() if v != "no"}


@in_each_shell(SHELLS)
def test_files_that_sudo_passes_over(shell: str) -> None:
    setup = PEOPLE_OF_SUDO + (
        "for f in a.conf b~ c d; do echo 'bob ALL=NOPASSWD: ALL' > /etc/sudoers.d/$f; done\n"
        "chown deploy /etc/sudoers.d/c; chgrp ops /etc/sudoers.d/d; chmod 460 /etc/sudoers.d/d\n"
        "echo 'deploy ALL=(root) NOPASSWD: /usr/bin/id --password=CANARY' > /etc/sudoers.d/e; chmod 440 /etc/sudoers.d/e\n"
    )
    told = look("sudo_rules", setup, shell, after=ORACLE)
    assert [r["rule"] for r in told.facts["rules"]] == ["%sudo (ALL:ALL) ALL", "deploy (root) /usr/bin/id ..."]
    assert "bob /usr/bin/id no" in told.after
    assert judged("becoming-root-asks-a-password", told) is Outcome.PASS
    exceptions = Register("sudo_exceptions", ("deploy (root) /usr/bin/id ...",))
    assert judged("rules-without-password-all-declared", told, sudo_exceptions=exceptions) is Outcome.PASS
    nothing = Register("sudo_exceptions", ())
    assert judged("rules-without-password-all-declared", told, sudo_exceptions=nothing) is Outcome.FAIL


def test_a_declared_program_that_others_may_change_is_no_exception() -> None:
    setup = "mkdir -p /home/x; printf '#!/bin/sh\\n' > /home/x/run; chmod 755 /home/x /home/x/run; chown {} /home/x\n"
    rule = "echo 'deploy ALL=(root) NOPASSWD: /home/x/run' > /etc/sudoers.d/a; chmod 440 /etc/sudoers.d/a\n"
    exceptions = Register("sudo_exceptions", ("deploy (root) /home/x/run",))
    for owner, outcome in (("root", Outcome.PASS), ("deploy", Outcome.FAIL)):
        told = look("sudo_rules", PEOPLE_OF_SUDO + "chmod 755 /home\n" + setup.format(owner) + rule)
        assert judged("rules-without-password-all-declared", told, sudo_exceptions=exceptions) is outcome


OWN = f"auditor ALL=(root) NOPASSWD: {INSTALLED}\n"


@pytest.mark.parametrize(
    ("line", "excused"),
    [
        (OWN, True),
        (OWN.replace("\n", ", /usr/bin/id\n"), False),
        (OWN.replace("(root)", "(ALL)"), False),
        (OWN.replace("auditor ALL", "%ops ALL"), False),
        (OWN.replace("auditor ALL", "ALL ALL"), False),
        (OWN.replace("-elevated", "*"), False),
        ("auditor ALL=(root) NOPASSWD: /usr/bin/sh\n", False),
    ],
)
def test_the_rule_of_this_program_is_known_and_nothing_more(line: str, excused: bool) -> None:
    """The line of docs/least-privilege.md is no failure of the host that it is on, and stands among the facts as what it is."""
    assert OWN.strip() in (ROOT / "docs" / "least-privilege.md").read_text("utf-8")
    setup = PEOPLE_OF_SUDO + "mount -t tmpfs -o mode=755 none /usr/local; mkdir /usr/local/libexec\n"
    told = look(
        "sudo_rules", setup + f"echo '{line.strip()}' > /etc/sudoers.d/auditor; chmod 440 /etc/sudoers.d/auditor"
    )
    nothing = Register("sudo_exceptions", ())
    both = {
        judged("becoming-root-asks-a-password", told),
        judged("rules-without-password-all-declared", told, sudo_exceptions=nothing),
    }
    assert both == ({Outcome.PASS} if excused else both | {Outcome.FAIL})
    assert any(r["auditor"] for r in told.facts["rules"]) is (excused or ", " in line)
    assert judged("rules-without-password-all-declared", told) is (Outcome.PASS if excused else Outcome.UNKNOWN)


def test_sudoers_that_include_themselves_are_told_and_end() -> None:
    told = look(
        "sudo_rules",
        PEOPLE_OF_SUDO + "printf '@include /etc/sudoers.d/a\\nbob ALL=NOPASSWD: /usr/bin/id\\n' > /etc/sudoers.d/a",
    )
    rules = told.facts["rules"]
    assert isinstance(rules, Partial) and any(r["rule"] == "bob (root) /usr/bin/id" for r in rules.items)


def test_rules_that_sudo_takes_from_elsewhere_are_not_told() -> None:
    for setup in (
        "echo 'Plugin sudoers_policy sudoers.so sudoers_file=/srv/x' > /etc/sudo.conf",
        "echo 'Plugin python_policy python_plugin.so' > /etc/sudo.conf",
        "touch /etc/sudoers-rs",
    ):
        assert isinstance(look("sudo_rules", PEOPLE_OF_SUDO + setup).facts["rules"], Partial)
    plain = "printf 'Plugin sudoers_policy sudoers.so\\nPlugin sudoers_io sudoers.so\\n' > /etc/sudo.conf"
    assert not isinstance(look("sudo_rules", PEOPLE_OF_SUDO + plain).facts["rules"], Partial)


@in_each_shell(SHELLS)
def test_doas_and_polkit(shell: str) -> None:
    setup = """
printf 'permit nopass :ops as root cmd /usr/bin/id args -u CANARY\\npermit persist alice\\n' > /etc/doas.conf
mkdir -p /etc/polkit-1/rules.d
printf '// polkit.Result.YES\\npolkit.addRule(function(a, s) { if (a.id == "x") return polkit.Result.YES; });\\n' > /etc/polkit-1/rules.d/50-x.rules
printf '/* polkit.Result.YES\\n*/ polkit.addRule(function(a, s) { return polkit.Result.NO; });\\n' > /etc/polkit-1/rules.d/60-y.rules
"""
    told = look("sudo_rules", PEOPLE_OF_SUDO + setup, shell)
    rules = told.facts["rules"]
    assert {r["rule"]: r["asks"] for r in rules} == {
        "%sudo (ALL:ALL) ALL": True,
        "doas %ops (root) /usr/bin/id ...": False,
        "doas alice (root) ALL": True,
        "polkit /etc/polkit-1/rules.d/50-x.rules": False,
    }


@in_each_shell(SHELLS)
@pytest.mark.parametrize(
    ("setup", "keys"),
    [
        (
            "keys /etc/ssh/rk; printf 'Match Address 10.0.0.0/8\\nAuthorizedKeysFile /etc/ssh/rk\\n' >> /etc/ssh/sshd_config",
            None,
        ),
        (
            "keys /root/.ssh/authorized_keys; printf 'Match User git\\nAuthorizedKeysFile /x\\n' >> /etc/ssh/sshd_config",
            1,
        ),
        (
            "echo 'toor:x:0:0::/mnt/toor:/bin/sh' >> /etc/passwd; keys /etc/ssh/k/toor; echo 'AuthorizedKeysFile /etc/ssh/k/%u' >> /etc/ssh/sshd_config",
            1,
        ),
        ("echo 'toor:x:0:0::/mnt/my home:/bin/sh' >> /etc/passwd; keys '/mnt/my home/.ssh/authorized_keys'", 1),
    ],
)
def test_keys_of_whoever_has_uid_zero_wherever_sshd_looks_for_them(setup: str, keys: int | None, shell: str) -> None:
    """A Match block may look elsewhere for some connections: then the list of administrators may lack one."""
    listed = look("admins", setup, shell).facts["accounts"]
    if keys is None:
        assert isinstance(listed, Partial) and "Match" in (listed.missing.detail or "")
    else:
        assert sum(a["because"] == "key of root" for a in listed) == keys
