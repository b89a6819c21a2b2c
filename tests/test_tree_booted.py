"""What a start of the system makes of a tree's files: what is mounted over them, written, removed or stopped is no pass."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make import make_host
from test_tree_antivirus import CLAMD, FRESHCLAM, LEARNS, LINKS, SETTINGS
from test_tree_backups import BACKUP, DAILY, LINK, OFF_SITE, SERVICE, TIMER, TOWN, UNITS
from test_tree_dialects import WANTS, cause, items, made, probe
from test_tree_doors import PEOPLE, changed

from auditor.kinds import Settings
from auditor.model import Facts, Unknown
from auditor.readers import files
from auditor.readers.boot import accounts, commands, kernel, mounts, tmpfiles
from auditor.readers.boot.change import Change, known, normal
from auditor.readers.files import Files
from auditor.transports import tree

ASKED = "auth required pam_unix.so\n"
DISK = "UUID=1 / ext4 defaults 0 1\nUUID=2 /var ext4 defaults 0 2\n/dev/vg/home /home xfs defaults 0 2\ntmpfs /tmp tmpfs nosuid 0 0\n"
WHOLE = {
    **PEOPLE, **LINKS, CLAMD: SETTINGS, FRESHCLAM: LEARNS, "etc/fstab": DISK, TIMER: DAILY, SERVICE: BACKUP,
    LINK: "->../restic.timer", "etc/restic/srv.env": OFF_SITE, "etc/pam.d/sudo": ASKED, "etc/pam.d/sudo-i": ASKED,
    "etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash systemd.show_status=1"\nGRUB_CMDLINE_LINUX=""\n',
    "boot/grub/grub.cfg": "menuentry 'recovery' {\n linux /vmlinuz root=UUID=1 ro single\n}\n",
    "etc/tmpfiles.d/a.conf": "d /run/app 0755 app app -\nz /etc/sudoers.d 0750 - - -\nf /etc/hostname - - - - x\n",
    "etc/rc.local": "#!/bin/sh\ngrep -q x /etc/sudoers && cp /etc/passwd /var/backups/\necho up > /dev/kmsg\nsystemctl stop httpd\n",
    "etc/cron.d/db": "0 3 * * * root tar czf /srv/etc.tgz /etc && systemctl restart ssh\n",
    "etc/sysusers.d/app.conf": 'u app - "An application" /srv/app\n',
}  # fmt: skip


def facts_of(name: str, folder: Path) -> Facts:
    dialect, args = probe(name).trees["linux"], TOWN if name == "backup_jobs" else {}
    commands = dialect.commands(args)
    host = make_host(connection="tree", tree=str(folder))
    told = dict(tree.open_(Settings(time.time))(host, tuple(commands.values()), 60.0))
    return dialect.parse({key: told[command] for key, command in commands.items()}, args)


def asks(folder: Path) -> Any:
    rules = facts_of("sudo_rules", folder)["rules"]
    return cause(rules) or [cause(r["asks"]) or r["asks"] for r in items(rules)]


def surely(folder: Path) -> Any:
    hours = facts_of("backup_jobs", folder)["every_hours"]
    return cause(hours) or hours


def watches(folder: Path) -> Any:
    products = facts_of("antivirus_settings", folder)["products"]
    return cause(products) or [cause(p["real_time"]) or p["real_time"] for p in items(products)]


def empty_passwords(folder: Path) -> Any:
    found = facts_of("accounts", folder)["accounts"]
    return cause(found) or [i["password"] for i in items(found) if i["password"] == "empty"]


def shown(folder: Path, glob: str) -> Files:
    from auditor.model import Command

    command = Command(glob, kind="read")
    host = make_host(connection="tree", tree=str(folder))
    return files.read(dict(tree.open_(Settings(time.time))(host, (command,), 60.0))[command])


def test_a_plain_system_is_judged(tmp_path: Path) -> None:
    made(tmp_path, **WHOLE)
    assert (set(asks(tmp_path)), surely(tmp_path), watches(tmp_path)) == ({True}, 24.0, [True])
    assert empty_passwords(tmp_path) == []


TMP, GRUB, RUN = "etc/tmpfiles.d/x.conf", "etc/default/grub", "etc/rc.local"


@pytest.mark.parametrize(
    "change",
    [
        {"etc/fstab": DISK + "/srv/other /etc/sudoers.d none bind 0 0\n"},
        {"etc/fstab": DISK + "/srv/other /etc/pam\\056d none bind 0 0\n"},
        {"etc/fstab": DISK + "overlay /etc overlay lowerdir=/etc,upperdir=/srv/u,workdir=/srv/w 0 0\n"},
        {"etc/fstab": DISK + "/dev/sdb1 /etc ext4 noauto,x-systemd.automount 0 0\n"},
        {"etc/fstab": DISK + "/srv/other /alias/./x/.. none rbind\n", "alias": "->etc"},
        {"etc/fstab": "UUID=1 / ext4\rx y z\n"},
        {f"{UNITS}/etc-pam.d.mount": "[Mount]\nWhat=/srv/x\nType=none\nOptions=bind\n"},
        {f"{UNITS}/etc-sudoers\\x2ed.mount": "[Mount]\nWhat=/srv/x\nWhere=/etc/sudoers.d\nOptions=bind\n"},
        {TMP: "f+ /etc/sudoers.d/x 0440 root root - eve ALL=(ALL) NOPASSWD: ALL\n"},
        {TMP: "f /etc/sudoers.d/x 0440 root root - eve ALL=(ALL) NOPASSWD: ALL\n"},
        {TMP: "L+ '/etc/pam.d/sudo' - - - - /srv/sudo\n"},
        {TMP: "w /etc/sudo*s - - - - x\n"},
        {TMP: "R! /etc/%v/../pam.d\n"},
        {"usr/lib/tmpfiles.d/x.conf": "C+ /etc/pam.d - - - - /srv/pam.d\n"},
        {RUN: "#!/bin/sh\necho 'eve ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers.d/x\n"},
        {RUN: "#!/bin/sh\ncd /etc\necho 'eve ALL=(ALL) NOPASSWD: ALL' > sudoers.d/x\n"},
        {RUN: "->/usr/local/sbin/start", "usr/local/sbin/start": "#!/bin/sh\nsed -i s/auth/#/ \\\n /etc/pam.d/sudo\n"},
        {"etc/cron.d/x": "@reboot root /opt/x/run\n", "opt/x/run": "#!/bin/sh\ninstall -m 440 /srv/x /etc/sudoers.d/x\n"},
        {f"{UNITS}/x.service": "[Service]\nExecStart=/bin/sh -c 'cp \"/srv/x\" /etc/sudoers'\n"},
        {f"{UNITS}/ssh.service.d/x.conf": "[Service]\nExecStartPost=+tee -a /etc/sudoers\n"},
        {"usr/lib/systemd/system/x.service": "[Service]\nExecStart=mv /srv/x /etc/sudoers\n",
         f"{WANTS}/x.service": "->/usr/lib/systemd/system/x.service"},
        {"etc/NetworkManager/dispatcher.d/x": "#!/bin/sh\nrsync -a /srv/etc/ /etc/\n"},
        {"etc/udev/rules.d/x.rules": 'ACTION=="add", RUN+="/bin/sh -c \'rm -rf /etc/pam.d\'"\n'},
        {"etc/initramfs-tools/scripts/init-bottom/x": "#!/bin/sh\nmount --bind /srv ${rootmnt}/etc/pam.d\n"},
        {"var/spool/cron/atjobs/a0001": "#!/bin/sh\numount /x; pam-auth-update --force --disable unix\n"
         "echo a > /etc/sudoers.d/x"},
        {"var/lib/cloud/seed/nocloud/user-data": "#cloud-config\nruncmd:\n  - [ sh, x ]\n"},
        {"etc/cloud/cloud.cfg": "system_info:\n  default_user:\n    sudo: ['ALL=(ALL) NOPASSWD:ALL']\n"},
        {"etc/kernel/cmdline": "root=UUID=1 systemd.volatile=overlay\n"},
        {GRUB: "GRUB_CMDLINE_LINUX='init=/srv/init'\n"},
        {"etc/ld.so.preload": "/srv/x.so\n"},
        {"etc/credstore/tmpfiles.extra": "f+ /etc/sudoers.d/x\n"},
        {"var/lib/confexts/x/etc/sudoers.d/x": "eve ALL=(ALL) NOPASSWD: ALL\n"},
    ],
)  # fmt: skip
def test_rules_of_sudo_that_are_others_when_it_runs(tmp_path: Path, change: Mapping[str, str]) -> None:
    made(tmp_path, **WHOLE)
    changed(tmp_path, **change)
    assert asks(tmp_path) == "unreadable" or "unreadable" in asks(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {GRUB: 'GRUB_CMDLINE_LINUX="quiet systemd.ma""sk=restic.timer"\n'},
        {"etc/default/grub.d/x.cfg": "GRUB_CMDLINE_LINUX_DEFAULT=$GRUB_CMDLINE_LINUX_DEFAULT\\ systemd.unit=rescue.target\n"},
        {"etc/kernel/cmdline": "root=UUID=1 single\n"},
        {"boot/loader/entries/a.conf": "title x\noptions root=UUID=1 systemd.mask=restic.service systemd.mask=restic.timer\n"},
        {"boot/grub/grub.cfg": "linux /vmlinuz systemd.run=/srv/x\n"},
        {"etc/systemd/system.conf": "[Manager]\nManagerEnvironment=SYSTEMD_UNIT_PATH=/srv\n"},
        {"etc/systemd/system-generators/x": "#!/bin/sh\n"},
        {"etc/machine-id": "uninitialized\n", "etc/systemd/system-preset/0.preset": "disable *\n"},
        {f"{UNITS}/basic.target": "[Unit]\nDescription=x\n"},
        {"usr/local/lib/systemd/system/sysinit.target": "[Unit]\nDescription=x\n"},
        {f"{UNITS}/x.service": "[Unit]\nConflicts=restic.timer\n"},
        {RUN: "#!/bin/sh\n/bin/systemctl disable --now 'restic*'\n"},
        {RUN: "#!/bin/sh\nsystemctl isolate rescue.target\n"},
        {"etc/cron.d/x": "@reboot root /usr/local/bin/x\n", "usr/local/bin/x": "#!/bin/sh\nsystemctl mask restic.timer\n"},
        {TMP: "e /etc/restic - - - 1d\n"},
        {TMP: "r /etc/systemd/system/timers.target.wants/restic.timer\n"},
        {"etc/fstab": DISK + "nas:/x /etc/systemd nfs defaults 0 0\n"},
    ],
)  # fmt: skip
def test_a_backup_that_does_not_start_when_it_runs(tmp_path: Path, change: Mapping[str, str]) -> None:
    made(tmp_path, **WHOLE)
    changed(tmp_path, **change)
    assert surely(tmp_path) in ("unreadable", "not_told")


@pytest.mark.parametrize(
    "change",
    [
        {RUN: "#!/bin/sh\nsystemctl stop clamav-clamonacc\n"},
        {"etc/cron.hourly/x": "#!/bin/sh\npkill clamonacc\n"},
        {RUN: "#!/bin/sh\ncurl -o /etc/clamav/clamd.conf https://x/\n"},
        {TMP: "L+ /etc/clamav/clamd.conf - - - - /srv/x\n"},
        {GRUB: "GRUB_CMDLINE_LINUX=systemd.mask=clamav-daemon.service\n"},
    ],
)
def test_an_antivirus_that_is_another_when_it_runs(tmp_path: Path, change: Mapping[str, str]) -> None:
    made(tmp_path, **WHOLE)
    changed(tmp_path, **change)
    assert watches(tmp_path) == "unreadable"


@pytest.mark.parametrize(
    "change",
    [
        {f"{UNITS}/x.service": "[Service]\nExecStart=/usr/bin/passwd -d eve\n"},
        {f"{UNITS}/x.service": "[Service]\nExecStart=systemd-firstboot --root-password=\n"},
        {RUN: "#!/bin/sh\necho eve: | chpasswd -e\n"},
        {RUN: "#!/bin/sh\ndd if=/srv/x of=/etc/shadow\n"},
        {"etc/sysusers.d/x.conf": "u toor 0:0 - / /bin/sh\n"},
        {"etc/sysusers.d/x.conf": "m eve sudo\n"},
        {"etc/cloud/cloud.cfg.d/x.cfg": "chpasswd:\n  list: |\n    root:x\n"},
    ],
)
def test_accounts_that_are_others_when_it_runs(tmp_path: Path, change: Mapping[str, str]) -> None:
    made(tmp_path, **WHOLE)
    changed(tmp_path, **change)
    assert empty_passwords(tmp_path) == "unreadable"


def test_what_is_changed_is_said_with_its_line_and_the_rest_is_told(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/a.d/1": "1", "etc/a.d/2": "2", TMP: "# why\nr /etc/a.d/1\n"})
    found = shown(tmp_path, "/etc/a.d/*")
    assert found.texts == {"/etc/a.d/2": "2"}
    assert found.odd == (f"/etc/a.d/1 (/{TMP}:2 has it changed when the system starts)",)
    assert shown(tmp_path, "/etc/b.d/*").gap is None


def test_links_to_what_is_changed_are_followed(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/a.d": "->/srv/a", "srv/a/1": "1", "etc/fstab": "/srv/x /srv/a none bind\n"})
    found = shown(tmp_path, "/etc/a.d/* /etc/a.d/1")
    assert found.texts == {}
    assert found.gap == Unknown("unreadable", "/etc/a.d/* (what is mounted there by /etc/fstab:1 hides it)")


def test_an_empty_folder_that_something_is_mounted_over_is_not_told_as_empty(tmp_path: Path) -> None:
    (tmp_path / "etc/a.d").mkdir(parents=True)
    made(tmp_path, **{"etc/fstab": "/srv/x /etc none bind\n"})
    assert shown(tmp_path, "/etc/a.d/*").empty == frozenset()


@pytest.mark.parametrize("path", ["etc/fstab", f"{UNITS}/x.mount", TMP, GRUB])
def test_what_cannot_be_read_may_change_everything(tmp_path: Path, path: str) -> None:
    made(tmp_path, **WHOLE)
    (tmp_path / path).unlink(missing_ok=True)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / path)
    assert (asks(tmp_path), surely(tmp_path)) == ("unreadable", "unreadable")


@pytest.mark.root
@pytest.mark.parametrize("path", ["etc/cron.d/evil", "etc/cron.d", "usr/local/bin/job"])
def test_what_is_run_and_may_not_be_read_may_change_everything(tmp_path: Path, path: str) -> None:
    evil = {"etc/cron.d/evil": "* * * * * root /usr/local/bin/job\n", "usr/local/bin/job": "#!/bin/sh\ntrue\n"}
    made(tmp_path, **{**WHOLE, **evil})
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        before = asks(tmp_path)
        os.seteuid(0)
        (tmp_path / path).chmod(0)
        os.seteuid(65534)
        assert (before, asks(tmp_path)) == ([True], "unreadable")
    finally:
        os.seteuid(0)


def test_more_programs_than_are_followed_may_change_everything(tmp_path: Path) -> None:
    chain = {f"usr/local/bin/job{n}": f"#!/bin/sh\n/usr/local/bin/job{n + 1}\n" for n in range(2100)}
    made(tmp_path, **{**WHOLE, **chain, "etc/cron.d/x": "@reboot root /usr/local/bin/job0\n"})
    assert asks(tmp_path) == "unreadable"


def test_more_files_than_are_read_may_change_everything(tmp_path: Path) -> None:
    made(tmp_path, **WHOLE)
    (tmp_path / "etc/udev/rules.d").mkdir(parents=True)
    for number in range(5001):
        (tmp_path / f"etc/udev/rules.d/{number}.rules").touch()
    assert asks(tmp_path) == "unreadable"


@pytest.mark.parametrize(
    "change",
    [
        {TMP: "->/dev/null", "usr/lib/tmpfiles.d/x.conf": "r /etc/sudoers\n"},
        {"usr/lib/tmpfiles.d/x.conf": "f^ /etc/sudoers.d/x - - - - x\nC /etc/pam.d - - - -\n"},
        {f"{UNITS}/etc-pam.d.mount": "->/dev/null"},
        {f"{UNITS}/x.service": "->/usr/lib/systemd/system/none.service"},
        {"etc/rc.local": "->/srv/nothing"},
        {"etc/cron.d": "no folder"},
        {"etc/fstab": "UUID=1 / ext4\n/srv/x /etc none bind,noauto\n/dev/sdb1 none swap sw\nnas:/x /mnt/x nfs\n"},
        {"etc/systemd/system-generators/x": "->/dev/null"},
        {"etc/systemd/system-preset/0.preset": "disable *\n", "etc/machine-id": "0123\n"},
        {"usr/local/bin/x": "\x7fELF rm /etc/sudoers", "etc/cron.d/x": "@reboot root /usr/local/bin/x\n"},
        {"etc/cloud/cloud.cfg": "users:\n  - default\ndisable_root: true\nssh_pwauth: false\ncloud_config_modules:\n  - runcmd\n"},
        {RUN: "#!/bin/sh\n# rm /etc/sudoers\ncat /etc/passwd /etc/sudoers > /srv/x\nservice postgresql stop\n"},
    ],
)  # fmt: skip
def test_what_changes_nothing_is_passed_over(tmp_path: Path, change: Mapping[str, str]) -> None:
    made(tmp_path, **WHOLE)
    for name in change:
        shutil.rmtree(tmp_path / name) if (tmp_path / name).is_dir() else None
    changed(tmp_path, **change)
    assert (set(asks(tmp_path)), surely(tmp_path), watches(tmp_path)) == ({True}, 24.0, [True])
    assert empty_passwords(tmp_path) == []


@pytest.mark.parametrize("path", ["usr/bin/restic", "usr/local/bin/restic"])
@pytest.mark.parametrize(
    "other", ["#!/bin/sh\nexit 0\n", "#! /usr/bin/env bash\n", "->/bin/true", "->../../bin/busybox"]
)
def test_a_program_that_another_one_stands_in_for(tmp_path: Path, path: str, other: str) -> None:
    made(tmp_path, **{**WHOLE, path: other})
    assert surely(tmp_path) == "not_told"


@pytest.mark.parametrize("own", ["\x7fELF", "#!/usr/bin/python3\n", "->/opt/restic/restic_0.17", "->/opt/bin/restic"])
def test_a_program_of_its_own_is_taken_for_itself(tmp_path: Path, own: str) -> None:
    made(tmp_path, **{**WHOLE, "usr/bin/restic": own})
    assert surely(tmp_path) == 24.0


@pytest.mark.parametrize(
    "line",
    [
        "MemoryMax=1M", "LimitFSIZE=0", "StartLimitIntervalSec=10y", "StartLimitBurst=0", "RefuseManualStart=yes", "Group=nobody",
        "StandardInput=tty-fail", "PAMName=none", "SystemCallFilter=~@file-system", "CapabilityBoundingSet=", "Sockets=x.socket",
        "SELinuxContext=none", "Environment=LD_PRELOAD=/srv/x.so", "Environment=A=1 PATH=/srv/bin", "RestrictAddressFamilies=none",
        "StandardOutput=file:/srv/none/x", "OfWhichNobodyKnows=yes", "StopWhenUnneeded=yes", "JobTimeoutSec=1",
    ],
)  # fmt: skip
def test_settings_that_may_keep_a_backup_from_being_made(tmp_path: Path, line: str) -> None:
    made(tmp_path, **{**WHOLE, f"{SERVICE}.d/x.conf": f"[Service]\n{line}\n"})
    assert surely(tmp_path) == "not_observable"


def test_a_service_that_is_hardened_is_taken_for_a_backup(tmp_path: Path) -> None:
    hardened = (
        "[Unit]\nDescription=x\nAfter=network-online.target\nWants=network-online.target\nOnFailure=mail@%n.service\nX-Ours=1\n"
        "StartLimitIntervalSec=0\n[Service]\nUser=root\nGroup=root\nNice=19\nIOSchedulingClass=idle\nCPUQuota=50%\nMemoryMax=2G\n"
        "ProtectSystem=strict\nReadWritePaths=/var/cache/restic\nCacheDirectory=restic\nPrivateTmp=yes\nNoNewPrivileges=yes\n"
        "CapabilityBoundingSet=CAP_DAC_READ_SEARCH\nSystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n"
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\nStandardOutput=append:/var/log/restic.log\nUMask=0077\nProtectHome=read-only\n"
        "LoadCredential=restic:/etc/restic/key\nEnvironment=RESTIC_CACHE_DIR=/var/cache/restic HOME=/root\nTimeoutStartSec=12h\n"
    )
    made(tmp_path, **{**WHOLE, f"{SERVICE}.d/x.conf": hardened})
    assert surely(tmp_path) == 24.0


@pytest.mark.parametrize("source", ["db", "altfiles", "extrausers", "usrfiles"])
def test_accounts_that_are_in_other_files(tmp_path: Path, source: str) -> None:
    made(tmp_path, **WHOLE)
    changed(tmp_path, **{"etc/nsswitch.conf": f"passwd: files {source}\n"})
    assert cause(facts_of("admins", tmp_path)["uid_zero"]) == empty_passwords(tmp_path) == "not_asked"


@pytest.mark.parametrize(
    "line",
    [
        "sh -e /srv/x",
        ". /srv/x",
        "exec /bin/bash /srv/x a",
        "python3 -c \"open('/etc/sudoers', 'w')\"",
        "tar -C /etc -xf /x",
    ],
)
def test_what_a_shell_or_another_interpreter_is_given(tmp_path: Path, line: str) -> None:
    made(tmp_path, **WHOLE)
    changed(tmp_path, **{RUN: f"#!/bin/sh\n{line}\n", "srv/x": "rm /etc/sudoers\n"})
    assert asks(tmp_path) == "unreadable"


@pytest.mark.parametrize(
    "line",
    [
        "RootDirectory=/srv",
        "BindPaths=/srv/x:/etc/clamav/clamd.conf",
        "Environment=LD_PRELOAD=/srv/x.so",
        "Conflicts=multi-user.target",
    ],
)
def test_settings_that_give_an_antivirus_other_files(tmp_path: Path, line: str) -> None:
    made(tmp_path, **{**WHOLE, f"{UNITS}/clamav-daemon.service.d/x.conf": f"[Service]\n{line}\n"})
    assert watches(tmp_path) == ["not_told"]


def test_settings_of_an_antivirus_that_packages_have(tmp_path: Path) -> None:
    usual = "[Unit]\nAfter=clamav-freshclam.service\n[Service]\nUser=root\nStandardOutput=syslog\nRestart=on-failure\nMemoryMax=3G\n"
    made(tmp_path, **{**WHOLE, f"{UNITS}/clamav-daemon.service.d/x.conf": usual})
    assert watches(tmp_path) == [True]


def test_a_program_that_stands_in_for_an_antivirus(tmp_path: Path) -> None:
    made(tmp_path, **{**WHOLE, "usr/sbin/clamonacc": "#!/bin/sh\nexit 0\n"})
    assert watches(tmp_path) == "not_told"


def test_programs_that_start_each_other_end(tmp_path: Path) -> None:
    made(tmp_path, **WHOLE)
    changed(tmp_path, **{RUN: "#!/bin/sh\n/opt/a\n", "opt/a": "#!/bin/sh\n/opt/b\n", "opt/b": "#!/bin/sh\n/opt/a\n"})
    assert surely(tmp_path) == 24.0


@given(
    st.text(max_size=300), st.sampled_from(["/etc/fstab", "/etc/rc.local", "/etc/cloud/cloud.cfg", "/usr/lib/x.conf"])
)
def test_whatever_stands_there_is_read(text: str, path: str) -> None:
    found = [
        *mounts.of_fstab(path, text), *mounts.of_unit("/x/a\\x41-b.mount", "[Mount]\n" + text), *kernel.changes(path, text),
        *tmpfiles.changes({"/etc/tmpfiles.d/x.conf": text}, lambda _: True), *accounts.changes(path, text),
        *commands.read(path, text).changes,
    ]  # fmt: skip
    assert all(change.path.startswith("/") and change.why for change in found)


@given(
    st.lists(
        st.sampled_from(
            ["rm", "/etc/x", ">", "-i", "sed", "systemctl", "stop", "ssh*", "$A", "'", "\\\n", ";", "mount"]
        )
    )
)
def test_lines_of_commands_are_read(words: list[str]) -> None:
    assert all(c.path.startswith("/") for c in commands.read("/etc/rc.local", " ".join(words)).changes)


@pytest.mark.parametrize(
    ("asked", "changed_", "meets"),
    [
        ("/etc/a/*", Change("/etc/a/x", ""), True),
        ("/etc/a/*.conf", Change("/etc/a/x", ""), False),
        ("/etc/*/x", Change("/etc/a", ""), True),
        ("/etc/a", Change("/etc/a", "", below=True), False),
        ("/etc/a", Change("/etc/a/x", ""), False),
        ("/etc/a/b", Change("/", ""), True),
    ],
)
def test_what_a_pattern_may_stand_for(asked: str, changed_: Change, meets: bool) -> None:
    assert changed_.meets(tuple(asked.strip("/").split("/"))) is meets


def test_paths_are_known_as_far_as_they_are_written() -> None:
    assert (normal("/a//./b/../c/"), normal("/../..")) == ("/a/c", "/")
    assert (known("/etc/%v/x", "%"), known("/etc/ssh$A", r"\$"), known("/etc/ssh", "%")) == ("/etc", "/etc", "/etc/ssh")
