"""The real sshd and the real cvtsudoers judge real files, in a mount and process namespace of their own.

Each test writes the files of a host, puts them over /etc by bind mounts that only its own processes see, and asks the
probe's own texts through the local transport. Nothing of the machine changes.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from namespaces import ask

from auditor import shelves
from auditor.kinds import Probe
from auditor.model import Failure, Partial, Unknown

pytestmark = pytest.mark.root

MAIN = (
    "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\nUsePAM yes\n"
)
TWO = "PermitRootLogin no\nAuthenticationMethods publickey,keyboard-interactive\n"
PAM = "@include common-auth\nauth required pam_google_authenticator.so\naccount required pam_nologin.so\n"
PAM_SECRET = "auth optional pam_mysql.so user=root passwd=CANARY [host=CANARY x] \\\n  verbose=CANARY # CANARY\n"
PAM_WITHOUT = "@include common-auth\naccount required pam_nologin.so\n"
PASSWD = "root:x:0:0:root:/run/root:/bin/bash\nbob:CANARY-hash:1000:1000:Bob CANARY-name:/home/bob:/bin/bash\n" + (
    "sshd:x:102:65534::/run/sshd:/usr/sbin/nologin\ncarol:x:1001:1001::/home/carol:/bin/bash\n"
)
SHADOW = (
    "root:*:19700:0:99999:7:::\nbob:$y$CANARY-hash-of-bob:19700:0:99999:7:::\ncarol:$6$CANARY-hash:19700:0:99999:7:::\n"
)
GROUP = "root:x:0:\nsudo:CANARY-hash:27:bob\nbob:x:1000:\ncarol:x:1001:\n"
SUDOERS = "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n"
BOTH = "publickey,keyboard-interactive"

# $1: the folder of files; $2: what stands behind sh; $3: what stands behind awk; $4: whether sshd was never started
INSIDE = """
mount -t tmpfs none /run
mkdir -p /run/sshd
[ -z "$4" ] || rmdir /run/sshd
for f in ssh/sshd_config ssh/sshd_config.d pam.d/sshd passwd shadow group sudoers sudoers.d; do mount --bind "$1/etc/$f" "/etc/$f"; done
mkdir /run/root
mount --bind "$1/root" /run/root
awk=$(readlink -f "$(command -v awk)") sh=$(readlink -f "$(command -v sh)")
[ -z "$3" ] || mount --bind "$3" "$awk"
[ -z "$2" ] || mount --bind "$2" "$sh"
[ ! -f "$1/before" ] || sh "$1/before"
"""


def plain(fact: Any) -> Any:
    if isinstance(fact, Unknown):
        return {"unknown": fact.cause, "detail": fact.detail}
    if isinstance(fact, Partial):
        return {"partial": [plain(i) for i in fact.items], "missing": plain(fact.missing)}
    if isinstance(fact, Mapping):
        return {k: plain(v) for k, v in fact.items()}
    return [plain(i) for i in fact] if isinstance(fact, list | tuple) else fact


class Machine:
    """A machine as the probe sees it: change its files, then ask."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = {
            "etc/ssh/sshd_config": MAIN,
            "etc/ssh/sshd_config.d/10-mfa.conf": TWO,
            "etc/pam.d/sshd": PAM + PAM_SECRET,
            "etc/passwd": PASSWD,
            "etc/shadow": SHADOW,
            "etc/group": GROUP,
            "etc/sudoers": SUDOERS + "@includedir /etc/sudoers.d\n",
            "etc/sudoers.d/README": "#\n",
            "root/.profile": "",
        }
        self.never_started = False

    def ask(self, probe: str = "ssh_logins", sh: str = "", awk: str = "", **arguments: Any) -> dict[str, Any]:
        for name, text in self.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.folder / "etc/sudoers").chmod(0o440)
        behind = shlex.join([str(self.folder), sh, awk, "yes" if self.never_started else ""])
        of = shelves.probes()[probe]
        assert isinstance(of, Probe)
        told = ask(of, probe, f"set -- {behind}\n{INSIDE}", arguments, alone=True)
        facts = plain(told.facts)
        self.raw = {
            name: repr(a) if isinstance(a, Failure) else a.text + a.error_text for name, a in told.answers.items()
        }
        assert "CANARY" not in json.dumps([facts, self.raw])
        assert isinstance(facts, dict)
        return facts


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def verdicts(facts: Mapping[str, Any]) -> dict[str, Any]:
    assert isinstance(facts["logins"], list), facts["logins"]
    return {f"{x['account']} from {x['source']}": x["two_factors"] for x in facts["logins"]}


SHELLS = [("", ""), ("/usr/bin/bash", ""), ("/usr/bin/busybox", ""), ("/usr/bin/busybox", "/usr/bin/busybox")]


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_a_key_and_a_code_are_two_factors(machine: Machine, sh: str, awk: str) -> None:
    facts = machine.ask(sh=sh, awk=awk)
    assert facts["installed"] is True and facts["config_valid"] is True
    assert facts["logins"] == [
        {
            "account": "bob",
            "source": "any address",
            "outside": True,
            "two_factors": True,
            "methods": BOTH,
            "reason": f"{BOTH}: key + password + token",
        }
    ]
    assert facts["root_logins"] == [{"account": "root", "source": "any address", "permit": "no", "possible": False}]
    assert facts["shut_out"] == 1
    assert machine.raw["effective"].count("context\t") == 1


def test_a_key_alone_is_one_factor(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PermitRootLogin prohibit-password\n"
    facts = machine.ask()
    assert verdicts(facts) == {"root from any address": False, "bob from any address": False}
    assert facts["root_logins"][0]["permit"] == "without-password"
    assert facts["root_logins"][0]["possible"] is True


def test_a_password_alone_is_one_factor_and_with_a_code_two(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = (
        "PermitRootLogin no\nAuthenticationMethods keyboard-interactive\n"
    )
    assert verdicts(machine.ask()) == {"bob from any address": True}
    machine.files["etc/pam.d/sshd"] = PAM_WITHOUT
    assert verdicts(machine.ask()) == {"bob from any address": False}


def test_a_drop_in_comes_before_the_main_file(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config"] = MAIN + "PermitRootLogin yes\nAuthenticationMethods publickey\n"
    facts = machine.ask()
    assert verdicts(facts) == {"bob from any address": True}
    machine.files["etc/ssh/sshd_config"] = "PermitRootLogin yes\nAuthenticationMethods publickey\n" + MAIN
    facts = machine.ask()
    assert verdicts(facts) == {"root from any address": False, "bob from any address": False}
    assert facts["root_logins"][0]["permit"] == "yes"


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_match_address_is_asked_for_each_source_and_each_pattern(machine: Machine, sh: str, awk: str) -> None:
    match = "Match Address 10.7.0.0/16,!10.7.9.9\n  AuthenticationMethods publickey\n"
    machine.files["etc/ssh/sshd_config.d/20-bastion.conf"] = match
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PermitRootLogin no\n"
    machine.files["etc/ssh/sshd_config"] = MAIN + "AuthenticationMethods publickey,keyboard-interactive\n"
    facts = machine.ask(sh=sh, awk=awk, sources=["10.1.0.1"])
    assert verdicts(facts) == {
        "bob from 10.1.0.1": True,
        "bob from 192.0.2.1": True,
        "bob from 10.7.0.0": False,
        "bob from 10.7.9.9": True,
    }
    assert {x["source"] for x in facts["logins"] if x["outside"]} == {"192.0.2.1"}


def test_match_address_without_zones_is_not_all(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/20-x.conf"] = "Match Address 10.7.0.0/16\n  MaxAuthTries 3\n"
    facts = machine.ask()
    assert facts["logins"]["missing"]["unknown"] == "not_asked"
    assert {x["source"] for x in facts["logins"]["partial"]} == {"192.0.2.1", "127.0.0.1", "10.7.0.0"}


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_match_local_port(machine: Machine, sh: str, awk: str) -> None:
    machine.files["etc/ssh/sshd_config"] = (
        MAIN + "Port 22\nPort 2222\nMatch LocalPort 2222\n  AuthenticationMethods publickey\n"
    )
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PermitRootLogin no\n"
    facts = machine.ask(sh=sh, awk=awk)
    assert facts["config_valid"] is True
    assert [(x["source"], x["methods"]) for x in facts["logins"]] == [
        ("any address port 22", "publickey or keyboard-interactive"),
        ("any address port 2222", "publickey"),
    ]
    machine.files["etc/ssh/sshd_config"] = MAIN + "Port 22\nPort 2222\nMatch LocalPort 2222\n  PermitRootLogin yes\n"
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = f"AuthenticationMethods {BOTH}\n"
    facts = machine.ask(sh=sh, awk=awk)
    assert {x["source"]: (x["permit"], x["possible"]) for x in facts["root_logins"]} == {
        "any address port 22": ("without-password", False),
        "any address port 2222": ("yes", True),
    }
    assert verdicts(facts)["bob from any address port 22"] is True


def test_match_local_port_of_an_address_that_is_listened_to(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config"] = (
        MAIN + "ListenAddress 127.0.0.1:2222\nListenAddress 127.0.0.2:22\nMatch LocalPort 2222\n"
        "  AuthenticationMethods publickey\n"
    )
    assert verdicts(machine.ask()) == {"bob from any address port 22": True, "bob from any address port 2222": False}


def test_match_local_port_of_the_command_line_leaves_it_open(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config"] = MAIN + "Match LocalPort 2222\n  AuthenticationMethods publickey\n"
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = TWO
    machine.files["before"] = "/usr/sbin/sshd -p 2222 && sleep 1\n"
    assert "LocalPort 2222" in machine.ask()["logins"]["missing"]["detail"]


def test_match_user_and_group_are_asked_for_each_account(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/20-x.conf"] = (
        'Match all\n"Match" Group=sudo\n  AuthenticationMethods publickey\n'
    )
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PermitRootLogin no\n"
    facts = machine.ask()
    assert verdicts(facts) == {"bob from any address": False}
    machine.files["etc/ssh/sshd_config.d/20-x.conf"] = f"Match User bob\n  AuthenticationMethods {BOTH}\n"
    assert verdicts(machine.ask()) == {"bob from any address": True}


def test_an_include_from_elsewhere_is_followed(machine: Machine) -> None:
    machine.files["root/more.conf"] = "Match User bob\n  AuthenticationMethods publickey\n"
    machine.files["etc/ssh/sshd_config"] = "PermitRootLogin no\n" + MAIN + "Include /run/root/more.conf\n"
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = ""
    assert verdicts(machine.ask()) == {"bob from any address": False}


def test_invalid_authentication_methods_are_an_invalid_configuration(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config"] = MAIN.replace(
        "KbdInteractiveAuthentication yes", "KbdInteractiveAuthentication no"
    )
    facts = machine.ask()
    assert facts["config_valid"] is False
    verdict = verdicts(facts)["bob from any address"]
    assert verdict["unknown"] == "not_told" and "AuthenticationMethods" in verdict["detail"]


def test_a_bad_word_is_an_invalid_configuration(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PermitRootLogins no\n"
    facts = machine.ask()
    assert facts["config_valid"] is False
    assert facts["root_logins"][0]["possible"]["unknown"] == "not_told"


def test_a_server_that_never_started_cannot_be_asked(machine: Machine) -> None:
    machine.never_started = True
    facts = machine.ask()
    assert facts["config_valid"]["unknown"] == "not_told"
    assert "privilege separation" in facts["config_valid"]["detail"]


def test_fido_keys_with_their_pin(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = (
        "PermitRootLogin no\nKbdInteractiveAuthentication no\nPubkeyAcceptedAlgorithms sk-*\nPubkeyAuthOptions verify-required\n"
    )
    assert verdicts(machine.ask()) == {"bob from any address": True}
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = (
        "PermitRootLogin no\nKbdInteractiveAuthentication no\nPubkeyAuthOptions verify-required\n"
    )
    assert verdicts(machine.ask()) == {"bob from any address": False}


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_fido_keys_of_an_account(machine: Machine, sh: str, awk: str) -> None:
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = (
        "PermitRootLogin prohibit-password\nKbdInteractiveAuthentication no\n"
    )
    machine.files["etc/group"] = GROUP.replace("27:bob", "27:")
    key = "sk-ssh-ed25519@openssh.com AAAAGnNr CANARY-comment\n"
    machine.files["root/.ssh/authorized_keys"] = (
        f'# x\nno-pty,verify-required,command="CANARY ssh-rsa" {key}verify-required {key}'
    )
    assert verdicts(machine.ask(sh=sh, awk=awk)) == {"root from any address": True}
    machine.files["root/.ssh/authorized_keys"] += f'command="verify-required" {key}'
    assert verdicts(machine.ask(sh=sh, awk=awk)) == {"root from any address": False}


def test_allow_and_deny(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = (
        "PermitRootLogin yes\nAllowGroups sudo\nDenyUsers bob@10.7.0.0/16\n"
    )
    facts = machine.ask(sources=["10.1.0.1"])
    assert verdicts(facts) == {"bob from 10.1.0.1": False, "bob from 192.0.2.1": False}
    assert {x["possible"] for x in facts["root_logins"]} == {False}


@pytest.mark.parametrize(
    ("hosts", "sources"),
    [
        ("10.7.0.0/16,172.16.0.0/12", {"10.7.0.0", "172.16.0.0"}),
        ("10.7.*,172.16.*", {"10.7.1.1", "172.16.1.1"}),
        ("!10.7.0.0/16,*", {"192.0.2.1", "127.0.0.1", "1.1.1.1"}),
    ],
)
def test_a_list_of_hosts_lets_in_from_each_of_them(machine: Machine, hosts: str, sources: set[str]) -> None:
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = f"PermitRootLogin yes\nAllowUsers *@{hosts}\n"
    facts = machine.ask()
    assert verdicts(facts) == {f"{who} from {source}": False for who in ("root", "bob") for source in sources}
    assert {x["source"] for x in facts["root_logins"] if x["possible"]} == sources


def test_a_source_that_cannot_be_tried_leaves_it_open(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = TWO + "AllowUsers *@10.*.7\n"
    assert machine.ask()["logins"]["missing"]["detail"].endswith("10.*.7")


def test_a_server_that_runs_with_the_file_on_disk_counts(machine: Machine) -> None:
    machine.files["before"] = "/usr/sbin/sshd -o MACs=hmac-sha2-256 -o Port=2022 && sleep 1\n"
    assert verdicts(machine.ask()) == {"bob from any address": True}
    assert "process\tsshd: /usr/sbin/sshd -o MACs=hmac-sha2-256" in machine.raw["effective"]


def test_a_file_that_changed_after_the_start_leaves_it_open(machine: Machine) -> None:
    machine.files["before"] = "/usr/sbin/sshd; sleep 3; touch -d '9 days ago' /etc/ssh/sshd_config.d/10-mfa.conf\n"
    facts = machine.ask()
    assert "changed after sshd started" in facts["logins"]["missing"]["detail"]
    assert "changed after sshd started" in facts["root_logins"]["missing"]["detail"]


def test_a_file_behind_a_link_that_changed_after_the_start_leaves_it_open(machine: Machine) -> None:
    machine.files["root/linked"] = "X11Forwarding no\n"
    machine.files["before"] = """ln -s /run/root/linked /etc/ssh/sshd_config.d/05.conf
/usr/sbin/sshd; sleep 3; echo '# x' >> /run/root/linked
"""
    assert "changed after sshd started" in machine.ask()["logins"]["missing"]["detail"]


def test_a_file_that_changed_after_the_start_of_a_server_without_a_pid_file(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config"] += "PidFile none\n"
    machine.files["before"] = "/usr/sbin/sshd; sleep 3; chmod 600 /etc/ssh/sshd_config.d/10-mfa.conf\n"
    assert "changed after sshd started" in machine.ask()["logins"]["missing"]["detail"]


def test_what_a_container_is_shown_as_the_start_of_its_host_dates_nothing(machine: Machine) -> None:
    """As some releases of LXCFS show it: the start of the container, while processes count from that of the host."""
    machine.files["etc/ssh/sshd_config"] += "PidFile none\n"
    machine.files["before"] = """/usr/sbin/sshd; sleep 3; chmod 600 /etc/ssh/sshd_config.d/10-mfa.conf
echo "btime $(date +%s)" > /run/stat; mount --bind /run/stat /proc/stat
"""
    assert "changed after sshd started" in machine.ask()["logins"]["missing"]["detail"]


def test_a_server_without_a_pid_file_counts(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config"] += "PidFile none\n"
    machine.files["before"] = "/usr/sbin/sshd; sleep 1\n"
    assert verdicts(machine.ask()) == {"bob from any address": True}


def test_a_server_that_read_its_files_again_counts(machine: Machine) -> None:
    machine.files["before"] = """/usr/sbin/sshd; sleep 3; chmod 600 /etc/ssh/sshd_config.d/10-mfa.conf
kill -HUP "$(cat /run/sshd.pid)"; sleep 2
"""
    assert verdicts(machine.ask()) == {"bob from any address": True}


def test_what_asks_for_the_configuration_meanwhile_is_no_server(machine: Machine) -> None:
    machine.files["before"] = """cp /bin/sleep /run/sshd/sshd
bash -c 'exec -a "/usr/sbin/sshd -T -C user=root" /run/sshd/sshd 30' &
sleep 1
"""
    assert verdicts(machine.ask()) == {"bob from any address": True}
    assert "\nprocess\t" not in machine.raw["effective"]


def test_a_server_that_runs_with_another_file_is_not_judged(machine: Machine) -> None:
    machine.files["root/other"] = "Port 2022\nPidFile none\n"
    machine.files["before"] = "/usr/sbin/sshd -f /run/root/other; sleep 1\n"
    facts = machine.ask()
    assert "-f /run/root/other" in facts["logins"]["detail"]
    assert facts["config_valid"] is True


# ---------------------------------------------------------------- who is enrolled, and the other accounts


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_nullok_lets_in_only_administrators_who_are_not_enrolled(machine: Machine, sh: str, awk: str) -> None:
    machine.files["etc/pam.d/sshd"] = PAM.replace("authenticator.so", "authenticator.so nullok")
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = (
        "PermitRootLogin no\nAuthenticationMethods keyboard-interactive\n"
    )
    machine.files["etc/passwd"] = PASSWD.replace("/home/", "/run/root/")
    machine.files["etc/group"] = GROUP.replace("27:bob", "27:bob,carol")
    machine.files["root/bob/.google_authenticator"] = "CANARY-SEED\n"
    machine.files["before"] = "chown 1000 /run/root/bob/.google_authenticator\n"
    assert verdicts(machine.ask(sh=sh, awk=awk)) == {"bob from any address": True, "carol from any address": False}
    machine.files["before"] = "chown 1001 /run/root/bob/.google_authenticator\n"
    assert verdicts(machine.ask(sh=sh, awk=awk))["bob from any address"]["unknown"] == "not_told"


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_enrolment_in_files_that_everybody_shares(machine: Machine, sh: str, awk: str) -> None:
    machine.files["etc/pam.d/sshd"] = (
        "@include common-auth\nauth required pam_oath.so usersfile=/run/root/users.oath window=20\n"
        "auth [success=ok default=ignore] pam_u2f.so \\\n  authfile=/run/root/u2f cue\n"
        "auth optional pam_google_authenticator.so [secret=/run/root/ga/${USER}] nullok\n"
    )
    machine.files["root/users.oath"] = "# CANARY\nHOTP/T30/6\tbob\t-\tCANARY00\nHOTP carol\n"
    machine.files["root/u2f"] = "carol:CANARYhandle,CANARYkey,es256,+presence\nbob:\n"
    machine.files["root/ga/carol"] = "CANARY-SEED\n"
    machine.ask(sh=sh, awk=awk)
    told = machine.raw["proofs"].splitlines()
    assert [line.split("\t")[:3] for line in told if line.startswith("has")] == [
        ["has", "pam_oath", "bob"],
        ["has", "pam_u2f", "carol"],
        ["has", "pam_google_authenticator", "carol"],
    ]
    assert {line for line in told if line.startswith("set")} == {"set\tbob", "set\tcarol"}


def test_other_accounts_count_when_they_hold_what_it_takes(machine: Machine) -> None:
    machine.files["etc/passwd"] = PASSWD.replace("/home/", "/run/root/") + "app:x:990:990::/run/root/app:/bin/bash\n"
    machine.files["etc/shadow"] = SHADOW + "app:!:19700::::::\n"
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PermitRootLogin no\n"
    machine.files["root/carol/.ssh/authorized_keys"] = "ssh-ed25519 AAAA CANARY\n"
    facts = machine.ask()
    assert [(x["account"], x["two_factors"], x["reason"]) for x in facts["other_logins"]] == [
        ("carol", False, "publickey: key")
    ]
    machine.files["root/app/.ssh/authorized_keys"] = "ssh-ed25519 AAAA CANARY\n"
    assert {x["account"] for x in machine.ask()["other_logins"]} == {"carol", "app"}
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = TWO
    assert [(x["account"], x["two_factors"]) for x in machine.ask()["other_logins"]] == [("carol", True)]


def test_an_account_without_a_shell_and_with_a_password_is_not_passed_over(machine: Machine) -> None:
    """sshd takes its password, and may forward connections or hand out files."""
    machine.files["etc/passwd"] = PASSWD.replace("/home/", "/run/root/") + "ftp:x:990:990::/srv:/usr/sbin/nologin\n"
    machine.files["etc/shadow"] = SHADOW + "ftp:!:19700::::::\n"
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PasswordAuthentication yes\nPermitRootLogin no\n"
    machine.files["etc/pam.d/sshd"] = PAM_WITHOUT
    assert {x["account"] for x in machine.ask()["other_logins"]} == {"carol"}
    machine.files["etc/shadow"] = SHADOW + "ftp:$6$CANARY-hash:19700::::::\n"
    told = {x["account"]: x["two_factors"] for x in machine.ask()["other_logins"]}
    assert (told["carol"], told["ftp"]["unknown"]) == (False, "not_told")


def test_a_server_that_systemd_starts_for_each_connection_is_another_way_in(machine: Machine) -> None:
    machine.files["root/units/alt@.service"] = "[Service]\nExecStart=-/usr/sbin/sshd -i -f /etc/other\n"
    machine.files["root/units/usual@.service"] = "[Service]\nExecStart=-/usr/sbin/sshd -i\n"
    machine.files["root/systemctl"] = '#!/bin/sh\n[ "$2" != "$(cat /run/root/active)" ] || echo active\n'
    machine.files["before"] = """mount --bind /run/root/units /etc/systemd/system
chmod 755 /run/root/systemctl; mount --bind /run/root/systemctl "$(readlink -f "$(command -v systemctl)")"
"""
    for active, told in (("alt.socket", "alt@.service"), ("usual.socket", "")):
        machine.files["root/active"] = active
        missing = machine.ask()["logins"]
        assert told in missing["missing"]["detail"] if told else isinstance(missing, list)


def test_an_account_that_only_inner_addresses_may_use(machine: Machine) -> None:
    machine.files["etc/passwd"] = PASSWD.replace("/home/", "/run/root/")
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PermitRootLogin no\nAllowUsers carol@10.7.0.9\n"
    machine.files["root/carol/.ssh/authorized_keys"] = "ssh-ed25519 AAAA CANARY\n"
    facts = machine.ask(sources=["10.1.0.1"])
    assert [(x["source"], x["outside"]) for x in facts["other_logins"]] == [("10.7.0.9", False)]


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_keys_that_are_bound_to_addresses(machine: Machine, sh: str, awk: str) -> None:
    machine.files["etc/passwd"] = PASSWD.replace("/home/", "/run/root/")
    machine.files["etc/ssh/sshd_config.d/10-mfa.conf"] = "PermitRootLogin no\nKbdInteractiveAuthentication no\n"
    keys = 'restrict,from="{}",command="CANARY from=" ssh-ed25519 AAAA CANARY\n'
    machine.files["root/carol/.ssh/authorized_keys"] = keys.format("192.0.2.10,10.0.0.0/8,2001:db8::1") * 2
    told = machine.ask(sh=sh, awk=awk)["other_logins"]
    assert [(x["account"], x["outside"], x["two_factors"]) for x in told] == [("carol", False, False)]
    for free in (keys.format("*"), keys.format("0.0.0.0/0"), keys.format("!10.0.0.1,*"), "ssh-ed25519 AAAA\n"):
        machine.files["root/carol/.ssh/authorized_keys"] = keys.format("192.0.2.10") + free
        told = machine.ask(sh=sh, awk=awk)["other_logins"]
        assert [(x["account"], x["outside"]) for x in told] == [("carol", True)], free


# ---------------------------------------------------------------- admins


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_the_inventory_reads_sudoers_with_its_own_parser(machine: Machine, sh: str, awk: str) -> None:
    machine.files["etc/sudoers"] += (
        "User_Alias OPS = carol, %bob, %dom\\ admins\nOPS ALL=(root)NOPASSWD: /usr/bin/x --password=CANARY\n"
    )
    machine.files["etc/sudoers.d/old.bak"] = "dave ALL=ALL\n"
    machine.files["etc/sudoers.d/extra"] = "erin ALL = \\\n /bin/ls CANARY\n"
    facts = machine.ask("admins", sh=sh, awk=awk)
    assert "sudoers expanded" in machine.raw["sudoers"]
    assert {x["account"]: x["because"] for x in facts["accounts"]} == {
        "root": "uid 0, sudo rule",
        "bob": "group sudo, sudo rule for %sudo, sudo rule for %bob",
        "carol": "sudo rule",
        "erin": "sudo rule",
    }


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_the_inventory_reads_sudoers_that_its_parser_refuses(machine: Machine, sh: str, awk: str) -> None:
    machine.files["etc/sudoers"] = (
        "# x\nUser_Alias OPS = carol, %bob # x\nOPS ALL=(root) NOPASSWD: /usr/bin/x CANARY\n"
        + (
            "frank ALL==ALL\n#1001 ALL=ALL\nDefaults:bob !authenticate\nCmnd_Alias C = /bin/c CANARY\nerin ALL = \\\n /bin/ls CANARY\n"
            "@includedir /etc/sudoers.d\n"
        )
    )
    machine.files["etc/sudoers.d/old.bak"] = "dave ALL=ALL\n"
    machine.files["etc/sudoers.d/extra"] = "gina ALL=ALL\n"
    facts = machine.ask("admins", sh=sh, awk=awk)
    assert "sudoers files" in machine.raw["sudoers"]
    told = facts["accounts"]
    assert {x["account"] for x in told["partial"]} == {"root", "bob", "carol", "frank", "erin", "gina"}
    assert told["missing"] == {"unknown": "unreadable", "detail": "a line of sudoers"}


def test_keys_of_root_are_listed_by_fingerprint(machine: Machine, tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "CANARY@laptop", "-f", str(tmp_path / "k")], check=True
    )
    public = (tmp_path / "k.pub").read_text()
    shown = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "k.pub")], capture_output=True, text=True, check=True
    ).stdout
    machine.files["root/.ssh/authorized_keys"] = f'command="echo CANARY" {public}'
    facts = machine.ask("admins")
    key = shown.split()[1]
    assert {"account": key, "login": key, "because": "key of root"} in facts["accounts"]
    machine.files["root/.ssh/authorized_keys"] += "ssh-rsa AAAAbroken\n"
    assert machine.ask("admins")["accounts"]["missing"]["unknown"] == "not_told"


def test_keys_elsewhere_are_not_passed_over(machine: Machine) -> None:
    machine.files["etc/ssh/sshd_config.d/20-keys.conf"] = (
        "AuthorizedKeysCommand /usr/bin/keys\nAuthorizedKeysCommandUser nobody\n"
    )
    told = machine.ask("admins")["accounts"]
    assert told["missing"]["unknown"] == "not_told" and "authorizedkeyscommand" in told["missing"]["detail"]


@pytest.mark.parametrize(("sh", "awk"), SHELLS, ids=["dash", "bash", "busybox", "busybox awk"])
def test_a_match_by_the_name_of_the_source_leaves_it_open_where_names_are_looked_up(
    machine: Machine, sh: str, awk: str
) -> None:
    """No address that we try has that name; without UseDNS sshd compares addresses, and no name ever fits."""
    machine.files["etc/ssh/sshd_config.d/20-x.conf"] = (
        "Match Host 10.7.*,*.example.org\nAuthenticationMethods publickey\n"
    )
    machine.files["etc/ssh/sshd_config"] = "PermitRootLogin no\n" + MAIN + TWO
    del machine.files["etc/ssh/sshd_config.d/10-mfa.conf"]
    assert isinstance(machine.ask(sh=sh, awk=awk, sources=["10.1.0.1"])["logins"], list)
    machine.files["etc/ssh/sshd_config"] = "UseDNS yes\n" + machine.files["etc/ssh/sshd_config"]
    facts = machine.ask(sh=sh, awk=awk, sources=["10.1.0.1"])
    for name in ("logins", "root_logins", "other_logins"):
        assert "Match Host" in facts[name]["missing"]["detail"]


@pytest.mark.parametrize("pattern", ["10.7.*", "10.7.*.*", "2001:db8:*"])
def test_a_pattern_of_part_of_an_address_is_met(machine: Machine, pattern: str) -> None:
    machine.files["etc/ssh/sshd_config.d/20-x.conf"] = f"Match Address {pattern}\nAuthenticationMethods publickey\n"
    machine.files["etc/ssh/sshd_config"] = "PermitRootLogin no\n" + MAIN + TWO
    del machine.files["etc/ssh/sshd_config.d/10-mfa.conf"]
    told = verdicts(machine.ask(sources=["10.1.0.1"]))
    assert told.pop("bob from 10.1.0.1") is told.pop("bob from 192.0.2.1") is True
    assert list(told.values()) == [False]
