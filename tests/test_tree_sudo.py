"""What beside sudoers decides whether a password is asked, in a tree: PAM, polkit, another plugin of sudo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from test_tree_dialects import GROUP, PASSWD, cause, facts_of, items, made
from test_tree_doors import changed

from auditor.medium import WHERE

ASKS = "auth required pam_unix.so\n"
PERMITS = "auth required pam_permit.so\n"
RULES = "polkit.addRule(function(action, subject) {\n  // polkit.Result.YES\n  return polkit.Result.AUTH_ADMIN;\n});\n"
RULE = "etc/polkit-1/rules.d/50.rules"
TREE = {
    "etc/passwd": PASSWD, "etc/group": GROUP, "etc/nsswitch.conf": "passwd: files\n", "etc/sudoers": "%sudo ALL=(ALL:ALL) ALL\n",
    "etc/pam.d/sudo": "@include common-auth\n", "etc/pam.d/common-auth": ASKS, RULE: RULES,
    "etc/sudo.conf": "# Plugin sudoers_policy other.so\nPlugin sudoers_policy sudoers.so\nPath askpass /x\n",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({}, None),
        ({"etc/pam.d/sudo": "auth sufficient pam_permit.so\n@include common-auth\n"}, "/etc/pam.d/sudo"),
        ({"etc/pam.d/common-auth": "auth required pam_permit.so\n"}, "/etc/pam.d/sudo"),
        ({"etc/pam.d/sudo-i": "auth required pam_permit.so\n"}, "/etc/pam.d/sudo-i"),
        ({"etc/pam.d/other": PERMITS, "etc/pam.d/sudo": "account required pam_unix.so\n"}, "/etc/pam.d/sudo"),
        ({"etc/pam.d/other": PERMITS, "etc/pam.d/sudo": "", "etc/pam.d/sudo-i": ASKS}, "/etc/pam.d/sudo"),
        ({"etc/pam.d/other": ASKS, "etc/pam.d/sudo": ""}, None),
        ({"etc/pam.d/other": PERMITS, "etc/pam.d/sudo-i": ASKS}, None),
        ({"etc/pam.d/other": ASKS}, None),
        ({"etc/pam.d/other": "auth required pam_deny.so\n"}, None),
        ({"etc/sudoers": "%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n"}, "/etc/sudoers:1"),
        *(({"etc/sudoers": f"%sudo ALL=(ALL:ALL) ALL\n{line}\n"}, "/etc/sudoers:1") for line in (
            "Defaults ! authenticate", "Defaults> root !authenticate", "Defaults!\tALL !authenticate", "Defaults: bob !authenticate",
            'Defaults:"bob" !authenticate',
        )),
        ({"etc/sudoers": "Defaults pam_service=x\n%sudo ALL=(ALL:ALL) ALL\n", "etc/pam.d/x": ASKS}, None),
        ({"etc/sudoers": "Defaults pam_service=x\n%sudo ALL=(ALL:ALL) ALL\n", "etc/pam.d/x": "auth required pam_permit.so\n"}, "/etc/pam.d/x"),
        ({"etc/sudoers": "Defaults:bob\\\n pam_askpass_service=x\n%sudo ALL=(ALL:ALL) ALL\n", "etc/pam.d/x": "auth required pam_permit.so\n"},
         "/etc/pam.d/x"),
        ({RULE: RULES.replace("return polkit.Result.AUTH_ADMIN", "return polkit.Result.YES")}, f"/{RULE}:3"),
        ({RULE: RULES.replace("polkit.Result.AUTH_ADMIN", '"yes"')}, f"/{RULE}:3"),
        ({"etc/polkit-1/localauthority/50-local.d/a.pkla": "[a]\nResultActive=yes\n"}, "/etc/polkit-1/localauthority/50-local.d/a.pkla:2"),
        ({"etc/polkit-1/localauthority/50-local.d/a.pkla": "[/*]\nResultAny=yes\n"}, "/etc/polkit-1/localauthority/50-local.d/a.pkla:2"),
    ],
)  # fmt: skip
def test_a_change_after_which_nothing_is_asked(tmp_path: Path, change: Mapping[str, str], where: str | None) -> None:
    changed(made(tmp_path, **TREE), **change)
    fact = facts_of("sudo_rules", tmp_path)["without_password"]
    assert cause(fact) == ""
    assert [where in one[WHERE] for one in items(fact)] == ([True] if where else [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"etc/sudo.conf": "Plugin sudoers_policy sudoers.so sudoers_file=/etc/sudoers2\n"}, "not_told"),
        ({"etc/sudo.conf": "Plugin my_policy my.so\n"}, "not_told"),
        ({"etc/sudo.conf": "Path plugin_dir /opt/sudo\n"}, "not_told"),
        ({"etc/nsswitch.conf": "passwd: files\nSudoers: files SSS\n"}, "not_told"),
        ({"etc/nsswitch.conf": "passwd: files\nsudoers: files \\\n sss\n"}, "not_told"),
        ({"var/lib/dpkg/alternatives/sudo": "auto\n/usr/bin/sudo\n\n/usr/lib/cargo/bin/sudo\n50\n"}, "not_told"),
        ({"etc/sudoers": "%sudo ALL=(ALL:ALL) ALL\nbob ALL=(ALL) NOPASWD: /bin/ls\n"}, "unreadable"),
        ({"etc/sudoers": "%sudo ALL=(ALL:ALL) ALL\nDefaults env_reset insults\n"}, "unreadable"),
        ({"etc/sudoers": "User_Alias A=bob\nUser_Alias A=%sudo\nA ALL=(ALL:ALL) ALL\n"}, "unreadable"),
        ({"etc/sudoers": "%sudo ALL=(ALL:ALL) ALL\nbob ALL=/bin/sh \\-c x\n"}, "unreadable"),
        ({"etc/pam.d/other": PERMITS}, "not_told"),
        ({"etc/pam.d/sudo": "@include elsewhere\n"}, "not_observable"),
        ({"etc/pam.d/sudo": "@include /opt/x\n", "opt/x": "auth required pam_permit.so\n"}, "not_told"),
        ({"etc/pam.d/sudo": "auth sufficient pam_exec.so /bin/true\n" + ASKS}, "not_told"),
        ({"etc/pam.d/sudo": "auth sufficient /opt/pam_unix.so\n" + ASKS}, "not_told"),
        ({"etc/sudoers": "Defaults pam_service=x\n%sudo ALL=(ALL:ALL) ALL\n"}, "not_observable"),
        ({"etc/sudoers": "Defaults pam_service=../x\n%sudo ALL=(ALL:ALL) ALL\n"}, "not_told"),
        (
            {
                "etc/sudoers": "Defaults@10.0.0.1 \\\n pam_login_service=x\n%sudo ALL=(ALL:ALL) ALL\n",
                "etc/pam.d/x": "auth required pam_permit.so\n",
            },
            "not_told",
        ),
        ({"etc/sudoers": "Defaults:a\\nn !authenticate\n%sudo ALL=(ALL:ALL) ALL\n"}, "unreadable"),
        ({"etc/sudoers": 'Defaults:"a n" !authenticate\n%sudo ALL=(ALL:ALL) ALL\n'}, "unreadable"),
        ({RULE: "->/outside"}, "unreadable"),
    ],
)
def test_what_may_decide_otherwise_is_no_pass(tmp_path: Path, change: Mapping[str, str], why: str) -> None:
    changed(made(tmp_path, **TREE), **change)
    assert cause(facts_of("sudo_rules", tmp_path)["without_password"]) == why


def test_without_the_files_of_pam_a_rule_is_taken_at_its_word(tmp_path: Path) -> None:
    made(tmp_path, **{n: t for n, t in TREE.items() if "pam.d" not in n})
    fact = facts_of("sudo_rules", tmp_path)["without_password"]
    assert (items(fact), cause(fact)) == ([], "")


def test_without_a_file_of_sudo_another_one_decides(tmp_path: Path) -> None:
    """PAM asks `other` for a service that it has no file of."""
    made(tmp_path, **{name: text for name, text in TREE.items() if name != "etc/pam.d/sudo"})
    changed(tmp_path, **{"etc/pam.d/sudo-i": ASKS, "etc/pam.d/other": PERMITS})
    fact = facts_of("sudo_rules", tmp_path)["without_password"]
    assert [one["because"] for one in items(fact)] == ["PAM"]
