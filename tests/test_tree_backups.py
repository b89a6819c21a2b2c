"""Backups that the files of a tree schedule: how often they surely start, and where they go."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tree_dialects import answers_of, cause, items, made, probe
from test_tree_doors import changed

from auditor.medium import WHERE
from auditor.model import Facts
from auditor.probes.questions.repositories.place import PLACE
from auditor.readers import backup_commands, schedules
from auditor.readers.backup_places import place
from auditor.readers.masks import MASKS

UNITS = "etc/systemd/system"
TIMER, SERVICE, LINK = f"{UNITS}/restic.timer", f"{UNITS}/restic.service", f"{UNITS}/timers.target.wants/restic.timer"
DAILY = "[Timer]\nOnCalendar=daily\nPersistent=true\n[Install]\nWantedBy=timers.target\n"
BACKUP = "[Service]\nType=oneshot\nEnvironmentFile=/etc/restic/srv.env\nExecStart=/usr/bin/restic backup /srv\n"
OFF_SITE = "RESTIC_REPOSITORY=sftp:me:canary@off.example:/b\nRESTIC_PASSWORD=canary\n"
GOOD = {TIMER: DAILY, SERVICE: BACKUP, LINK: "->../restic.timer", "etc/restic/srv.env": OFF_SITE}
TOWN = {"offsite_ids": ["off.example"], "offsite_hosts": ["off.example", "192.0.2.9"]}
CRON = "etc/cron.d/backup"


def facts_of(folder: Path) -> Facts:
    return probe("backup_jobs").trees["linux"].parse(answers_of("backup_jobs", folder), TOWN)


def told(folder: Path) -> tuple[Any, Any]:
    """Hours between backups, surely and at best."""
    facts = facts_of(folder)
    surely, at_best = (cause(facts[n]) or facts[n] for n in ("every_hours", "at_best_hours"))
    return surely, at_best


def away(folder: Path) -> tuple[Any, Any]:
    facts = facts_of(folder)
    surely, at_best = (cause(facts[n]) or facts[n] for n in ("off_site_hours", "off_site_at_best_hours"))
    return surely, at_best


def test_a_daily_backup_off_site(tmp_path: Path) -> None:
    made(tmp_path, **GOOD)
    assert (told(tmp_path), away(tmp_path)) == ((24.0, 24.0), (24.0, 24.0))
    facts = facts_of(tmp_path)
    assert facts[WHERE]["every_hours"][0] == f"/{TIMER}:2"
    assert facts[WHERE]["off_site_hours"] == ("/etc/restic/srv.env:1",)
    assert cause(facts["jobs"]) == "not_observable"
    assert "canary" not in str(answers_of("backup_jobs", tmp_path))


# ---------------------------------------------------------------- a change that a gate stops

DROP_IN = f"{TIMER}.d/a.conf"


@pytest.mark.parametrize(
    ("change", "hours"),
    [
        ({TIMER: DAILY.replace("daily", "weekly")}, 168.0),
        ({TIMER: DAILY.replace("daily", "Mon..Fri 02:00")}, 72.0),
        ({TIMER: DAILY.replace("OnCalendar", "# OnCalendar")}, None),
        ({TIMER: "[Timer]\nOnCalendar=weekly\nOnCalendar=monthly\n"}, 168.0),
        ({TIMER: "[Timer]\nOnUnitActiveSec=1d\n"}, None),
        ({TIMER: "[Timer]\nOnBootSec=1h\n"}, None),
        ({TIMER: "[Timer]\nOnBootSec=1h\nOnUnitActiveSec=1w\n"}, 168.0),
        ({TIMER: DAILY + "[Timer]\nOnCalendar=\n"}, None),
        ({TIMER: DAILY.replace("[Timer]", "[timer]")}, None),
        ({DROP_IN: "[Timer]\nOnCalendar=\nOnCalendar=weekly\n"}, 168.0),
        ({f"{UNITS}/timer.d/a.conf": "[Timer]\nOnCalendar=\nOnCalendar=weekly\n"}, 168.0),
        ({TIMER: "->/dev/null"}, None),
        ({SERVICE: "->/dev/null"}, None),
        ({SERVICE: BACKUP.replace("restic backup", "restic check")}, "not_observable"),
        ({SERVICE: BACKUP.replace("backup /srv", "backup --dry-run /srv")}, "not_observable"),
        ({SERVICE: BACKUP + "ExecStart=\nExecStart=/bin/true\n"}, "not_observable"),
        ({f"{SERVICE}.d/a.conf": "[Service]\nExecStart=\nExecStart=/bin/true\n"}, "not_observable"),
        ({SERVICE: BACKUP.replace("ExecStart", "#ExecStart")}, "not_observable"),
    ],
)
def test_a_schedule_that_is_slower_or_gone(tmp_path: Path, change: Mapping[str, str], hours: Any) -> None:
    changed(made(tmp_path, **GOOD), **change)
    assert told(tmp_path)[0] == hours
    assert told(tmp_path)[1] == hours


@pytest.mark.parametrize("gone", [TIMER, LINK, SERVICE])
def test_what_is_left_out_of_the_tree_is_no_pass(tmp_path: Path, gone: str) -> None:
    made(tmp_path, **GOOD)
    (tmp_path / gone).unlink()
    assert isinstance(told(tmp_path)[0], str)


@pytest.mark.parametrize(
    ("change", "hours"),
    [
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=sftp:me@near.example:/b\n"}, None),
        ({"etc/restic/srv.env": OFF_SITE + "RESTIC_REPOSITORY=rest:https://near.example/\n"}, None),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=/var/backups\n", "etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n"}, None),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=/var/backups\n"}, "not_observable"),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=/b\n", "etc/fstab": "/dev/sda1 / ext4 d\nnas:/x /b nfs d\n"}, None),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=/b\n", "etc/fstab": "/dev/sda1 / ext4 d\noff.example:/x /b nfs d\n"}, 24.0),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=/b/..\n", "etc/fstab": "/dev/sda1 / ext4 d\n"}, "not_observable"),
        ({"etc/restic/srv.env": "#" + OFF_SITE}, "not_observable"),
        ({"etc/restic/srv.env": "export " + OFF_SITE}, "not_observable"),
        ({"etc/restic/srv.env": OFF_SITE + "RESTIC_REPOSITORY_FILE=/etc/restic/other\n"}, "not_observable"),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=b2:off.example:x\n"}, None),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=rclone:off.example:x\n"}, "not_observable"),
        ({"etc/hosts": "127.0.0.1 localhost\n10.0.0.3 off.example\n"}, None),
        ({"etc/hosts": "192.0.2.9 off.example\n"}, 24.0),
        ({"root/.ssh/config": "Host off.*\n  HostName near.example\n"}, None),
        ({"root/.ssh/config": "Host *\n  ProxyCommand nc near 22\n"}, "not_observable"),
        ({"etc/ssh/ssh_config": "Match all\n  HostName near.example\n"}, "not_observable"),
        ({SERVICE: BACKUP.replace("restic backup", "restic -r /srv/b backup"), "etc/fstab": "/dev/a / xfs d\n"}, None),
        ({SERVICE: BACKUP.replace("restic backup", "restic -r/srv/b backup"), "etc/fstab": "/dev/a / xfs d\n"}, None),
        ({SERVICE: BACKUP.replace("restic backup", "restic -qr/srv/b backup"), "etc/fstab": "/dev/a / xfs d\n"}, None),
        ({SERVICE: BACKUP.replace("srv.env", "other.env")}, "not_observable"),
        ({SERVICE: BACKUP.replace("restic backup", "restic -o sftp.command=/opt/x backup")}, "not_observable"),
        ({"etc/restic/srv.env": "NOTE=a \\\n" + OFF_SITE}, "not_observable"),
        ({"etc/restic/srv.env": "NOTE='a\n" + OFF_SITE + "'\n"}, "not_observable"),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=rest:https://off.example:x@near.example/\n"}, None),
        ({"etc/restic/srv.env": "RESTIC_REPOSITORY=rest:https://off.example.evil/\n"}, None),
        ({SERVICE: BACKUP + "UnsetEnvironment=RESTIC_REPOSITORY\nEnvironmentFile=\n"}, "not_observable"),
        ({SERVICE: BACKUP + 'EnvironmentFile=\nEnvironment="RESTIC_REPOSITORY=sftp:near.example:/b"\n'}, None),
    ],
)  # fmt: skip
def test_a_repository_that_moves(tmp_path: Path, change: Mapping[str, str], hours: Any) -> None:
    changed(made(tmp_path, **GOOD), **change)
    assert (told(tmp_path)[0], away(tmp_path)[0]) == (24.0, hours)
    assert "canary" not in str(answers_of("backup_jobs", tmp_path))


# ---------------------------------------------------------------- cron


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("0 3 * * * root restic backup /\n", (24.0, 24.0)),
        ("0 3 * * 0 root restic backup /\n", (168.0, 168.0)),
        ("".join(f"0 3 * * {day} root restic backup /\n" for day in range(7)), (24.0, 24.0)),
        ("@reboot root restic backup /\n", (None, None)),
        ("#0 3 * * * root restic backup /\n", ("not_observable", "not_observable")),
        ("0 3 * * * root echo restic backup /\n", ("not_told", 24.0)),
        ("0 3 * * * root true || restic backup /\n", ("not_told", 24.0)),
        ("0 3 * * * root /usr/local/bin/backup.sh\n", ("not_told", 24.0)),
        ("0 3 * * 0 root /usr/local/bin/backup.sh\n", ("not_told", 168.0)),
        ("0 3 * * * root restic backup /\nnonsense\n", ("not_told", 24.0)),
        ("0 3 * * * root restic backup /\n99 3 * * * root x\n", ("not_told", 24.0)),
        ("0 3 * * * root restic backup /", ("not_told", 24.0)),
        ("0 3 * * * root sleep 1 % && restic backup /\n", ("not_observable", "not_observable")),
        ("0 3 * * * root restic forget --prune\n", ("not_observable", "not_observable")),
        ("0 3 * * 0 root restic backup /\n0 * * * * root backup-check\n", ("not_told", 1.0)),
        ("0 3 * * * root restic backup /\n0 * * * * root backup-check\n", (24.0, 1.0)),
        ("SHELL=/bin/false\n0 3 * * * root restic backup /\n", ("not_told", 24.0)),
        ("SHELL=/bin/bash\n0 3 * * * root restic backup /\n", (24.0, 24.0)),
        ("0 3 * * *\troot\trestic\tbackup\t/\n", (24.0, 24.0)),
        ("PATH=/tmp:/usr/bin\n0 3 * * * root restic backup /\n", ("not_told", 24.0)),
        (
            "PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin\n0 3 * * * root restic backup /\n",
            (24.0, 24.0),
        ),
        ("0 3 * * * root export PATH=/tmp; restic backup /\n", ("not_told", 24.0)),
        ("0 3 * * * root set -n; restic backup /\n", ("not_told", 24.0)),
        ("0 3 * * * root set -eu -o pipefail; restic backup /\n", (24.0, 24.0)),
        ("0 3 * * * root restic backup --version /\n", ("not_observable", "not_observable")),
    ],
)
def test_lines_of_cron(tmp_path: Path, text: str, hours: tuple[Any, Any]) -> None:
    assert told(made(tmp_path, **{CRON: text})) == hours


def test_a_file_that_cron_may_pass_over(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/cron.d/backup.sh": "0 3 * * * root restic backup /\n"})
    assert told(tmp_path) == ("not_observable", 24.0)


def test_a_masked_cron_starts_nothing(tmp_path: Path) -> None:
    made(tmp_path, **{CRON: "0 3 * * * root restic backup /\n", f"{UNITS}/cron.service": "->/dev/null"})
    assert told(tmp_path) == (None, None)


def test_a_script_of_cron_daily(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{"etc/cron.daily/save": "#!/bin/sh\nexit 0\nrestic backup /\n", "etc/cron.daily/x": "# restic backup\n"},
    )
    assert told(tmp_path) == ("not_told", 24.0)


BORGMATIC = "source_directories: [/srv]\nrepositories:\n    - path: ssh://b:canary@off.example/./x\n      label: off\nkeep_daily: 7\nencryption_passphrase: canary\n"


@pytest.mark.parametrize(
    ("change", "hours"),
    [
        ({}, 24.0),
        ({"etc/borgmatic/config.yaml": BORGMATIC.replace("off.example", "near.example")}, None),
        ({"etc/borgmatic/config.yaml": BORGMATIC.replace("    - path", "#    - path")}, "not_observable"),
        ({"etc/borgmatic/config.yaml": BORGMATIC + "<<: !include other.yaml\n"}, 24.0),
        ({"etc/borgmatic/config.yaml": BORGMATIC + "ssh_command: ssh -o HostName=near\n"}, "not_observable"),
        ({"etc/borgmatic/config.yaml": BORGMATIC + "ssh_command: ssh -i /root/key\n"}, 24.0),
        ({"etc/borgmatic/config.yaml": BORGMATIC.replace("ssh://", "${REPO}")}, "not_observable"),
        ({CRON: "0 3 * * * root borgmatic -c /etc/other.yaml\n"}, "not_observable"),
        ({CRON: "0 3 * * * root borgmatic --override repositories=[/x]\n"}, "not_observable"),
        ({"etc/borgmatic/config.yaml": BORGMATIC.replace("path: ssh", "label: ssh")}, "not_observable"),
    ],
)
def test_repositories_of_borgmatic(tmp_path: Path, change: Mapping[str, str], hours: Any) -> None:
    made(tmp_path, **{CRON: "0 3 * * * root borgmatic -v 1\n", "etc/borgmatic/config.yaml": BORGMATIC})
    changed(tmp_path, **change)
    assert away(tmp_path)[0] == hours
    assert "canary" not in str(answers_of("backup_jobs", tmp_path))


def test_a_copy_that_goes_off_site(tmp_path: Path) -> None:
    lines = "0 3 * * * root restic -r sftp:near.example:/b backup /\n0 5 * * * root restic copy --repo sftp:off.example:/b\n"
    made(tmp_path, **{CRON: lines})
    assert (told(tmp_path), away(tmp_path)) == ((24.0, 24.0), (24.0, 24.0))
    changed(tmp_path, **{CRON: lines.splitlines()[1] + "\n"})
    assert told(tmp_path)[0] == "not_observable"


# ---------------------------------------------------------------- units


def test_an_instance_and_its_template(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{
            f"{UNITS}/restic@.timer": DAILY,
            f"{UNITS}/restic@.service": BACKUP.replace("srv", "%i"),
            f"{UNITS}/timers.target.wants/restic@srv.timer": "->../restic@.timer",
            "etc/restic/srv.env": OFF_SITE,
        },
    )
    assert (told(tmp_path), away(tmp_path)) == ((24.0, 24.0), (24.0, 24.0))
    changed(tmp_path, **{f"{UNITS}/restic@.timer.d/a.conf": "[Timer]\nOnCalendar=\nOnCalendar=weekly\n"})
    assert told(tmp_path) == (168.0, 168.0)
    changed(tmp_path, **{f"{UNITS}/restic@.timer": "->/dev/null"})
    assert told(tmp_path) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        {SERVICE: BACKUP + "ExecStartPre=/bin/false\n"},
        {SERVICE: BACKUP.replace("ExecStart=", "ExecStart=/bin/false\nExecStart=")},
        {SERVICE: BACKUP + "ExecCondition=/bin/false\n"},
        {SERVICE: "[Unit]\nConditionPathExists=/never\n" + BACKUP},
        {SERVICE: BACKUP.replace("/usr/bin/restic backup", "/bin/sh -c 'restic backup'")},
        {SERVICE: BACKUP.replace("/usr/bin/restic backup", "/usr/local/bin/restic-backup")},
        {TIMER: "[Unit]\nConditionPathExists=/never\n" + DAILY},
        {TIMER: DAILY + "[Timer]\nRandomizedDelaySec=1d\n"},
        {TIMER: DAILY.replace("daily", "*-*~01")},
        {LINK: "->/dev/null"},
        {TIMER: DAILY.replace("daily", "2025-*-* 00:00")},
        {TIMER: DAILY + "[Timer]\nAccuracySec=1w\n"},
        {SERVICE: BACKUP + "RemainAfterExit=yes\n"},
        *(
            {SERVICE: f"{BACKUP}{key}\n"}
            for key in (
                "PrivateNetwork=yes",
                "BindPaths=/bin/true:/usr/bin/restic",
                "ExecSearchPath=/tmp",
                "User=nobody",
                "DynamicUser=yes",
                "ProtectHome=tmpfs",
                "NetworkNamespacePath=/run/netns/none",
                "RestrictNetworkInterfaces=lo",
                "PrivateUsers=yes",
            )  # fmt: skip
        ),
        {SERVICE: "[Unit]\nRequires=never.service\n" + BACKUP},
        {SERVICE: BACKUP.replace("/usr/bin/restic", "/tmp/restic")},
        {SERVICE: BACKUP.replace(" /srv", "")},
        {SERVICE: BACKUP.replace(" /srv", " /srv --help")},
        {SERVICE: BACKUP.replace(" /srv", " -vn /srv")},
        {SERVICE: BACKUP.rstrip() + " ; /bin/false\n"},
    ],
)
def test_what_may_not_come_to_a_backup_is_no_pass(tmp_path: Path, change: Mapping[str, str]) -> None:
    changed(made(tmp_path, **GOOD), **change)
    assert told(tmp_path)[0] in ("not_observable", "not_told")


def test_of_several_lines_those_that_may_fail_stand_in_no_way(tmp_path: Path) -> None:
    ahead = "ExecStartPre=-/bin/false\nExecStartPre=/usr/bin/restic unlock\nExecStart="
    made(tmp_path, **{**GOOD, SERVICE: BACKUP.replace("ExecStart=", ahead)})
    assert told(tmp_path)[0] == 24.0


def test_a_line_that_goes_on(tmp_path: Path) -> None:
    made(tmp_path, **{**GOOD, SERVICE: BACKUP.replace(" backup /srv", " \\\n# why\n  backup \\\n  /srv")})
    assert told(tmp_path)[0] == 24.0
    assert f"/{SERVICE}:4" in facts_of(tmp_path)[WHERE]["every_hours"]


def test_a_timer_of_a_package_is_told_by_its_name_and_its_drop_in(tmp_path: Path) -> None:
    link = f"{UNITS}/timers.target.wants/borgmatic.timer"
    made(tmp_path, **{link: "->/lib/systemd/system/borgmatic.timer"})
    assert told(tmp_path) == ("not_observable", "not_observable")
    changed(tmp_path, **{f"{UNITS}/borgmatic.timer.d/a.conf": "[Timer]\nOnCalendar=\nOnCalendar=weekly\n"})
    assert told(tmp_path) == ("not_observable", 168.0)


def test_a_timer_that_starts_something_else(tmp_path: Path) -> None:
    made(tmp_path, **{**GOOD, TIMER: DAILY + "[Timer]\nUnit=restic-check.service\n"})
    assert told(tmp_path) == ("not_observable", 24.0)
    made(tmp_path, **{f"{UNITS}/restic-check.service": "[Service]\nExecStart=restic check\n"})
    assert told(tmp_path) == ("not_observable", "not_observable")


def test_an_alias_of_what_a_package_brings_is_no_fault_of_the_tree(tmp_path: Path) -> None:
    made(tmp_path, **GOOD, **{f"{UNITS}/dbus-org.freedesktop.timesync1.service": "->/lib/systemd/system/x.service"})
    assert told(tmp_path) == (24.0, 24.0)


def test_a_package_of_the_system_is_no_backup_of_it(tmp_path: Path) -> None:
    made(
        tmp_path, **{f"{UNITS}/timers.target.wants/dpkg-db-backup.timer": "->/lib/systemd/system/dpkg-db-backup.timer"}
    )
    assert items(facts_of(tmp_path)["jobs"]) == []


# ---------------------------------------------------------------- programs of which nobody reads what they do

WEEKLY = "0 3 * * 0 root restic backup /srv\n"


@pytest.mark.parametrize(
    ("line", "hours"),
    [
        ("0 */4 * * * root /usr/bin/rsnapshot alpha", ("not_told", 4.0)),
        ("0 3 * * * root duply srv backup", ("not_told", 24.0)),
        ("0 3 * * * root duply srv backup_verify_purge --force", ("not_told", 24.0)),
        ("0 3 * * * root urbackupclientctl start -i", ("not_told", 24.0)),
        ("0 3 * * * root btrbk run", ("not_told", 24.0)),
        ("0 3 * * * root rsync -a /srv/ off:/b", ("not_observable", 24.0)),
        ("0 3 * * * root /usr/bin/mysqldump -A > /srv/x", ("not_observable", 24.0)),
        ("0 3 * * * root duply srv status", (168.0, 168.0)),
        ("0 3 * * * root rsnapshot configtest", (168.0, 168.0)),
        ("0 3 * * * root duplicity collection-status file:///b", (168.0, 168.0)),
        ("0 3 * * * root apt-get update", (168.0, 168.0)),
    ],
)
def test_a_program_that_nobody_reads_may_be_the_backup(tmp_path: Path, line: str, hours: tuple[Any, Any]) -> None:
    made(tmp_path, **{CRON: f"{WEEKLY}{line}\n"})
    assert told(tmp_path) == hours


@pytest.mark.parametrize("unit", ["urbackupclientbackend", "bacula-fd", "veeamservice"])
def test_a_client_whose_server_says_when(tmp_path: Path, unit: str) -> None:
    made(tmp_path, **{CRON: WEEKLY})
    assert told(tmp_path) == (168.0, 168.0)
    made(tmp_path, **{f"{UNITS}/multi-user.target.wants/{unit}.service": "->/x"})
    assert told(tmp_path) == ("not_told", "not_told")
    assert away(tmp_path)[0] == "not_observable" or away(tmp_path)[0] == "not_told"
    made(tmp_path, **{f"{UNITS}/{unit}.service": "->/dev/null"})
    assert told(tmp_path) == (168.0, 168.0)


# ---------------------------------------------------------------- what only looks like one


@pytest.mark.parametrize(
    "line",
    [
        "timeout 0.01 restic backup /srv", "timeout 5m restic backup /srv", "timeout -k 1 9s restic backup /srv",
        "flock -n /nowhere/lock restic backup /srv", "flock -n /run/l -c true restic backup /srv",
        "ionice -c 3 -p 1 restic backup /srv", "env -i restic backup /srv", "env -C /nowhere restic backup /srv",
        "systemd-run restic backup /srv", "systemd-run --on-calendar=2099-01-01 restic backup /srv",
        "setpriv --reuid=65534 restic backup /srv", "true || restic backup /srv", "false && restic backup /srv",
        "restic nonsense && restic backup /srv", "restic init && restic backup /srv",
        *(f"restic backup {words}" for words in (
            "--exclude / /srv", "--exclude=/ /srv", "-e / /srv", "-e/ /srv", "-e=/ /srv", "--exclude=/srv /srv", "--exclude=/srv/ /srv",
            "--iexclude=/SRV /srv", "--exclude srv /srv", "--exclude='**' /srv", "--exclude-file=/etc/x /srv",
            "--exclude-larger-than=1 /srv", "--files-from /dev/null", "--files-from-raw=/etc/x", "--stdin", "/dev/null", "/tmp", ".",
            "srv", "--no-such /srv", "$SRC", "--verbose", "-v", '"/srv /var', "/srv/../nowhere", "--exclude / / --exclude", "/srv /proc",
        )),
        "restic --timeout 1s backup /srv",
        "restic -r /tmp/b backup /srv", "restic -r /dev/shm/b backup /srv", "restic -r /run/b backup /srv",
        "borg create /b::x", "borg create --exclude / /b::x /srv", "borg create --pattern=-/ /b::x /srv",
        "borg create --patterns-from=/x /b::x", "borg create -e sh:/srv /b::x /srv",
        "borgmatic --no-such create", "kopia snapshot create", "kopia snapshot create --all", "pgbackrest backup",
        "autorestic backup -a", "autorestic cron", "resticprofile backup", "rdiff-backup backup /srv /b",
        "duplicity full /srv file:///b",
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", ["cron", "timer"])
def test_what_only_looks_like_a_backup_is_no_pass(tmp_path: Path, line: str, by: str) -> None:
    unit = {**GOOD, SERVICE: f"[Service]\nType=oneshot\nExecStart=/usr/bin/{line}\n"}
    made(tmp_path, **({CRON: f"0 3 * * * root {line}\n"} if by == "cron" else unit))
    assert told(tmp_path)[0] in ("not_told", "not_observable")


@pytest.mark.parametrize(
    "line",
    [
        "timeout 10h restic backup /srv", "timeout -k 60 0 restic backup /srv", "nice -n 19 ionice -c3 restic backup /srv",
        "flock -n /run/lock/restic restic backup /srv", "chronic restic backup /srv", "restic backup -v --exclude-caches -x /srv /var",
        "restic backup --exclude=/srv/cache --tag a /srv", "restic backup -e /proc -e /sys /", "restic -q backup --host=a /srv",
        "borg create -s -C lz4 --exclude /var/cache ssh://b@off.example/b::{now} /var", "borgmatic -v 1 --stats", "cd / && restic backup /srv",
        "restic unlock && restic backup /srv && restic forget --keep-daily 7", "kopia snapshot create /srv", "pgbackrest --stanza=a backup",
    ],
)  # fmt: skip
def test_what_is_known_to_make_one_still_does(tmp_path: Path, line: str) -> None:
    made(tmp_path, **{CRON: f"0 3 * * * root {line}\n", "etc/borgmatic/config.yaml": BORGMATIC})
    assert told(tmp_path)[0] == 24.0


BOOTS = "etc/systemd/system/default.target"


@pytest.mark.parametrize(
    ("change", "surely"),
    [
        ({BOOTS: "->/lib/systemd/system/rescue.target"}, None),
        ({BOOTS: "->/dev/null"}, None),
        ({BOOTS: "->mine.target", f"{UNITS}/mine.target": "[Unit]\n"}, "not_observable"),
        ({BOOTS: "->/lib/systemd/system/multi-user.target"}, 24.0),
        ({BOOTS: "->/lib/systemd/system/graphical.target"}, 24.0),
        ({f"{UNITS}/timers.target": "->/dev/null"}, None),
        ({f"{UNITS}/basic.target": "->/dev/null"}, None),
        ({f"{UNITS}/multi-user.target": "->/dev/null"}, None),
        ({"etc/systemd/system.control/restic.timer": "->/dev/null"}, "not_observable"),
        ({"etc/systemd/system.attached/restic.service.d/a.conf": "[Service]\nExecStart=\n"}, "not_observable"),
        ({"usr/lib/systemd/system/service.d/a.conf": "[Service]\nExecCondition=/bin/false\n"}, "not_observable"),
        ({"etc/systemd/system.control/restic.timer.d/a.conf": "[Timer]\nOnCalendar=\n"}, "not_observable"),
    ],
)
def test_a_target_that_nothing_comes_to(tmp_path: Path, change: Mapping[str, str], surely: Any) -> None:
    made(tmp_path, **GOOD, **change)
    assert told(tmp_path)[0] == surely


def test_a_target_that_only_a_desktop_comes_to(tmp_path: Path) -> None:
    made(tmp_path, **{**GOOD, f"{UNITS}/graphical.target.wants/restic.timer": "->../restic.timer"})
    (tmp_path / LINK).unlink()
    assert told(tmp_path)[0] == "not_observable"
    changed(tmp_path, **{BOOTS: "->/lib/systemd/system/multi-user.target"})
    assert told(tmp_path)[0] is None
    changed(tmp_path, **{BOOTS: "->/lib/systemd/system/graphical.target"})
    assert told(tmp_path)[0] == 24.0


@pytest.mark.parametrize(
    "more",
    ["Type=notify", "Type=forking", "TimeoutStartSec=1", "RuntimeMaxSec=5min", "WorkingDirectory=/nowhere", "InaccessiblePaths=/srv",
     "ExecStart=/usr/bin/restic backup /srv\nType=simple", "ExecStart=\nExecStart=@/usr/bin/restic backup version /srv"],
)  # fmt: skip
def test_a_service_that_comes_to_nothing(tmp_path: Path, more: str) -> None:
    made(tmp_path, **{**GOOD, SERVICE: f"{BACKUP}{more}\n"})
    assert told(tmp_path)[0] in ("not_told", "not_observable")


@pytest.mark.parametrize("more", ["Requisite=never.service", "Conflicts=multi-user.target", "BindsTo=never.target"])
def test_a_timer_that_something_keeps_from_starting(tmp_path: Path, more: str) -> None:
    made(tmp_path, **{**GOOD, TIMER: f"[Unit]\n{more}\n{DAILY}"})
    assert told(tmp_path)[0] == "not_observable"


WHOLE = {
    "usr/lib/systemd/system/systemd-journald.service": "[Service]\n",
    f"{UNITS}/multi-user.target.wants/cron.service": "->x",
}


@pytest.mark.parametrize(
    ("line", "there", "hours"),
    [
        ("restic backup /srv", {"srv/a": "a"}, 24.0),
        ("restic backup /nowhere", {"srv/a": "a"}, "not_observable"),
        ("restic backup /srv/nowhere", {"srv/a": "a"}, "not_observable"),
        ("restic backup /srv /srv/nowhere/", {"srv/a": "a"}, "not_observable"),
        ("restic backup /etc /var", {"srv/a": "a", "var/x": "a"}, 24.0),
        ("restic backup /", {"srv/a": "a"}, 24.0),
        ("cd /nowhere && restic backup /etc", {"srv/a": "a"}, "not_observable"),
    ],
)
def test_what_a_tree_lacks_is_not_backed_up(tmp_path: Path, line: str, there: Mapping[str, str], hours: Any) -> None:
    made(tmp_path, **WHOLE, **there, **{CRON: f"0 3 * * * root {line}\n"})
    assert told(tmp_path)[0] == hours


def test_a_folder_that_is_empty_in_the_tree(tmp_path: Path) -> None:
    made(tmp_path, **WHOLE, **{CRON: "0 3 * * * root restic backup /srv\n"})
    (tmp_path / "srv").mkdir()
    assert told(tmp_path)[0] == "not_observable"


def test_a_cron_that_nothing_starts(tmp_path: Path) -> None:
    made(tmp_path, **WHOLE, **{"srv/a": "a", CRON: "0 3 * * * root restic backup /srv\n"})
    (tmp_path / UNITS / "multi-user.target.wants/cron.service").unlink()
    assert told(tmp_path)[0] == "not_observable"


@pytest.mark.parametrize(
    ("text", "hours"),
    [("export A='b'\n", 24.0), ("exit 0\n", "not_told"), ("A=b; exit\n", "not_told"), (None, "not_told")],
)
def test_a_file_that_the_shell_reads_before(tmp_path: Path, text: str | None, hours: Any) -> None:
    made(tmp_path, **{CRON: "0 3 * * * root . /etc/restic/env; restic backup /srv\n"})
    if text:
        made(tmp_path, **{"etc/restic/env": text})
    assert told(tmp_path)[0] == hours


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("repositories:\n  - path: /b\n", "not_observable"),
        (BORGMATIC.replace("[/srv]", "[]"), "not_observable"),
        (BORGMATIC + "before_backup:\n    - exit 1\n", "not_told"),
        (BORGMATIC + "skip_actions: [create]\n", "not_told"),
        (BORGMATIC + "exclude_patterns:\n    - '*.o'\n    - /\n", "not_told"),
        (BORGMATIC + "exclude_patterns: ['*']\n", "not_told"),
    ],
)
def test_settings_of_borgmatic_that_leave_all_out(tmp_path: Path, config: str, why: str) -> None:
    made(tmp_path, **{CRON: "0 3 * * * root borgmatic\n", "etc/borgmatic/config.yaml": config})
    assert told(tmp_path)[0] == why


# ---------------------------------------------------------------- as the programs themselves have it


@pytest.mark.parametrize(
    "text",
    ["daily", "weekly", "monthly", "Mon..Fri 02:00", "*-*-* 00/6:00", "Sun *-*-* 03:00", "*-*-1,15 4:00:00", "hourly", "02:30",
     "quarterly", "*-*-* 02:30 Europe/Paris", "Sat *-*-1..7 18:00:00", "Sat,Sun *-*-* 1..5:00", "*-2,3-* 0:0", "Fri..Sun 04:00",
     "mon 10:00 UTC", "*-*-* 00:00:30", "*-*-1/10 00:00", "semiannually"],
)  # fmt: skip
def test_systemd_goes_off_then(text: str) -> None:
    words = ["systemd-analyze", "calendar", "--iterations=200", "--base-time=2025-01-01 00:00:00 UTC", text]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin"}
    )
    found = re.findall(r"(?:elapse|Iter\. #\d+): \w+ (\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)", done.stdout)
    starts = schedules.calendar(text)
    assert starts is not None
    theirs = [
        (schedules.date(int(y), int(m), int(d)) - schedules.FIRST).days * 1440 + int(h) * 60 + int(minute)
        for y, m, d, h, minute in found
    ]
    if "Europe" in text:  # the zone moves all alike, but for its summers
        return
    last = min(theirs[-1], schedules.DAYS * 1440 - 1)
    assert [t for t in starts if 0 < t <= last] == [t for t in theirs if 0 < t <= last]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UTC",
        "Europe/Paris",
        "never",
        "*-*~01",
        "25:00",
        "*-13-01",
        "Mon-",
        "1 2 3 4",
        "*:*:*:*",
        "*-*-* */0:00",
        "@5",
        "Fri..Mon 04:00",
        "\u0663:00",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert schedules.calendar(text) is None
    assert schedules.cron(text) is None


@given(st.text(alphabet="0123456789*/,-.: MonTueadily@~", max_size=25))
@settings(deadline=None)
def test_no_schedule_raises(text: str) -> None:
    for told_by in (schedules.calendar, schedules.cron):
        starts = told_by(text)
        gap = None if starts is None else schedules.longest_gap([starts])
        assert gap is None or gap > 0
    seconds = schedules.span(text)
    assert seconds is None or seconds >= 0


ADDRESSES = [
    "/b", "local:/b", "sftp:u:p@h:/b", "sftp:h:b", "sftp://u:p@h:22/b?x", "rest:https://u:p@h:8000/b#x", "s3:https://h/b", "s3:h/b",
    "b2:x:y", "gs:x:/y", "azure:x:/y", "rclone:x:y", "swift:x:/y", "ssh://u@[2001:db8::1]:22/./b", "u@h:b", "h:b", "[::1]:b", "user@h:/b@c",
    "ssh://u@h/a@b", "sftp:u@[fe80::1]:/b", "rest:http://", "file:///b", "b", "", "s3:/", "ssh://-h/b", "b2:u@x",
]  # fmt: skip


@pytest.mark.parametrize("tool", ["restic", "borg"])
@pytest.mark.parametrize("text", ADDRESSES)
def test_a_place_is_what_a_host_says_that_it_is(tool: str, text: str) -> None:
    done = subprocess.run(
        ["awk", PLACE],
        capture_output=True,
        text=True,
        check=True,
        env={"repo": text, "tool": tool, "PATH": "/usr/bin"},
    )
    said = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    ours = place(tool, text)
    assert (ours.shown, ours.kind, ours.at) == (
        said["repository"],
        said["kind"],
        said.get("host", said.get("path", "")),
    )


COMMANDS = ["restic", "backup", "borg", "create", "borgmatic", "-r", "/b", "&&", "||", ";", "|", "&", "echo", "cd", "$(x)", "`x`", ".", "exit",
            "--dry-run", "RESTIC_REPOSITORY=x", "env", "nice", "-n", "19", ">", "2>&1", "'", '"', "{now}", "::x", "\\", "#", "%"]  # fmt: skip


@given(st.lists(st.sampled_from(COMMANDS), max_size=12).map(" ".join), st.booleans())
def test_no_command_raises_and_none_is_lost(line: str, by_shell: bool) -> None:
    for run in backup_commands.runs(line, by_shell):
        assert backup_commands.read(backup_commands.shown(run)) == run
        if run.sure:
            assert re.search(r"backup|create|borgmatic", line)


@pytest.mark.parametrize("mask", sorted(m for m in MASKS if m.startswith(("backup", "borgmatic"))))
@given(text=st.lists(st.sampled_from([*COMMANDS, "\n", "\r", "\n", "0 3 * * * root ", "ExecStart=", "[Service]\n", "repositories:", "- path: a", " ", "\xff"]), max_size=30).map("".join))  # fmt: skip
@settings(deadline=None)
def test_masks_keep_the_lines(mask: str, text: str) -> None:
    told = MASKS[mask](text.encode("latin-1"))
    assert told.count(b"\n") <= text.count("\n")
