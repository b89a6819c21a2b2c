"""Real restic and borg repositories, asked through the real command texts; each control passes once and fails once."""

from __future__ import annotations

import pytest
from namespaces import Told, ask, in_each_shell, judged, need

from auditor.model import Outcome, Partial, Unknown
from auditor.probes.backups import PROBE

pytestmark = [pytest.mark.root, pytest.mark.timeout(115)]

OFFSITE = ("bkp-offsite", "203.0.113.5")

# A machine of its own: its /etc is a copy, its /root and /srv are empty, its only address is 198.51.100.7.
MACHINE = """
mount --make-rprivate /
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mkdir /mnt/root /mnt/srv /mnt/bin
mount --bind /mnt/etc /etc
mount --bind /mnt/root /root
mount --bind /mnt/srv /srv
rm -rf /etc/restic* /etc/borg* /etc/default/restic* /etc/systemd/system/restic* /etc/systemd/system/borg*
ip link set lo up
ip addr add 198.51.100.7/32 dev lo
hostname=$(uname -n)
printf '127.0.0.1 localhost\\n203.0.113.5 bkp-offsite\\n198.51.100.7 backup-here\\n' > /etc/hosts
printf 'hosts: files\\n' > /etc/nsswitch.conf
mkdir -p /etc/restic /etc/borgmatic
export HOME=/mnt
"""

RESTIC = """
export RESTIC_PASSWORD=CANARY-1
restic -q init --repo /srv/r
restic -q backup --repo /srv/r /etc/hostname
printf 'RESTIC_REPOSITORY=/srv/r\\nRESTIC_PASSWORD=CANARY-1\\n' > /etc/restic/a.env
chmod 600 /etc/restic/a.env
"""

# The far end of an ssh connection that stays in this machine: `ssh -G` is the real one.
FAR_END = """
cp /usr/bin/ssh /mnt/bin/ssh
cat > /mnt/bin/far <<'END'
#!/bin/sh
case " $* " in
  *" -G "*) exec /mnt/bin/ssh "$@" ;;
  *sftp*) exec /usr/lib/openssh/sftp-server ;;
  *serve*) exec borg serve ;;
esac
END
chmod 755 /mnt/bin/far
mount --bind /mnt/bin/far /usr/bin/ssh
"""

BORG = """
export BORG_PASSPHRASE="CANARY-2 it's \\$x"
TZ=Asia/Tokyo borg init -e repokey /srv/b 2>/dev/null
TZ=Asia/Tokyo borg create /srv/b::one /etc/hostname
"""


@pytest.fixture(autouse=True)
def _machine() -> None:
    need("restic", "borg", "ip", "ssh")


def told(
    setup: str, after: str = "", become: bool = True, offsite: tuple[str, ...] = OFFSITE, shell: str | None = None
) -> Told:
    args = {"offsite_ids": [offsite[0]], "offsite_hosts": list(offsite)}
    answer = ask(PROBE, "backups", MACHINE + setup, args, after=after, become=become, shell=shell)
    assert "CANARY" not in answer.raw
    assert "CANARY" not in repr(answer.facts)
    return answer


def listed(answer: Told) -> list[dict[str, object]]:
    found = answer.facts["repositories"]
    assert isinstance(found, list), found
    return found


def outcomes(answer: Told) -> tuple[Outcome | None, Outcome | None]:
    return tuple(  # type: ignore[return-value]
        judged(PROBE, "backup", one, answer.facts, OFFSITE)
        for one in ("restore-point-within-a-day", "restore-point-off-site")
    )


@in_each_shell()
def test_a_fresh_local_repository_is_a_restore_point_but_not_off_site(shell: str) -> None:
    need(shell)
    answer = told(RESTIC, shell=shell)
    (one,) = listed(answer)
    assert one["newest_hours"] == 0.0
    assert (one["on_this_host"], one["host"]) == (True, None)
    assert outcomes(answer) == (Outcome.PASS, Outcome.FAIL)


@pytest.mark.parametrize(("hours", "outcome"), [(20, Outcome.PASS), (30, Outcome.WARN), (240, Outcome.FAIL)])
def test_the_age_of_the_newest_restore_point_decides(hours: int, outcome: Outcome) -> None:
    made = RESTIC.replace("backup --repo", f'backup --time "$(date -d "-{hours} hours" "+%Y-%m-%d %H:%M:%S")" --repo')
    answer = told(made)
    assert listed(answer)[0]["newest_hours"] == pytest.approx(hours, abs=0.1)
    assert outcomes(answer)[0] is outcome


@pytest.mark.parametrize(
    ("offsite", "outcome"),
    [
        (OFFSITE, Outcome.PASS),
        (("named-otherwise", "203.0.113.5"), Outcome.PASS),
        (("bkp-offsite", "203.0.113.77"), Outcome.FAIL),  # here the name leads to another machine
        (("elsewhere",), Outcome.FAIL),
    ],
)
def test_restic_over_sftp_on_a_declared_host_is_off_site(offsite: tuple[str, ...], outcome: Outcome) -> None:
    answer = told(
        RESTIC.replace("RESTIC_REPOSITORY=/srv/r", "RESTIC_REPOSITORY=sftp:CANARY@bkp-offsite:/srv/r") + FAR_END,
        offsite=offsite,
    )
    (one,) = listed(answer)
    assert one["repository"] == "sftp:bkp-offsite:/srv/r"
    assert (one["on_this_host"], one["host"], one["addresses"]) == (False, "bkp-offsite", ["203.0.113.5"])
    assert outcomes(answer) == (Outcome.PASS, outcome)


@pytest.mark.parametrize(("name", "outcome"), [("backup-here", Outcome.FAIL), ("localhost", Outcome.UNKNOWN)])
def test_a_remote_address_that_leads_back_here_is_not_off_site(name: str, outcome: Outcome) -> None:
    answer = told(RESTIC.replace("RESTIC_REPOSITORY=/srv/r", f"RESTIC_REPOSITORY=sftp:{name}:/srv/r") + FAR_END)
    assert judged(PROBE, "backup", "restore-point-off-site", answer.facts, (name,)) is outcome


def test_an_alias_of_the_ssh_configuration_that_leads_back_here_is_seen() -> None:
    alias = "mkdir /root/.ssh\nprintf 'Host bkp-offsite\\n HostName backup-here\\n' > /root/.ssh/config\n"
    answer = told(
        RESTIC.replace("RESTIC_REPOSITORY=/srv/r", "RESTIC_REPOSITORY=sftp:bkp-offsite:/srv/r") + FAR_END + alias
    )
    # ssh reads the configuration of the account's home folder, wherever HOME points
    assert listed(answer)[0]["on_this_host"] is True


def test_borg_through_borgmatic_with_times_of_another_zone() -> None:
    config = (
        "printf 'repositories:\\n    - path: ssh://u@bkp-offsite/srv/b\\n      label: far\\n"
        'encryption_passphrase: "CANARY-2 it%ss $x"\\n\' "\'" > /etc/borgmatic/config.yaml\n'
    )
    answer = told(BORG + FAR_END + config)
    (one,) = listed(answer)
    assert (one["tool"], one["repository"], one["newest_hours"]) == ("borg", "ssh://bkp-offsite/srv/b", 0.0)
    assert outcomes(answer) == (Outcome.PASS, Outcome.PASS)


def test_borg_with_a_transport_of_its_own() -> None:
    env = (
        "printf \"export BORG_REPO=ssh://bkp-offsite/srv/b\\nexport BORG_RSH='sh /mnt/bin/far'\\n"
        "export BORG_PASSPHRASE='CANARY-2 it'\" > /etc/borg.env\n"
        "printf \"'\\\\''s \\$x'\\n\" >> /etc/borg.env\n"
    )
    answer = told(BORG + FAR_END.replace("mount --bind", ": ") + env)
    found = answer.facts["repositories"]
    # 'it'\''s' is three words that only a shell joins: the repository is named, and its age is not guessed
    assert found[0]["repository"] == "ssh://bkp-offsite/srv/b"
    assert isinstance(found[0]["newest_hours"], Unknown)


@pytest.mark.parametrize(
    ("transport", "outcome"),
    [
        ("ssh -i /root/key -o StrictHostKeyChecking=accept-new", Outcome.PASS),
        ("ssh -o HostName=198.51.100.7", Outcome.FAIL),
        ("ssh -F /mnt/other", Outcome.FAIL),
        ("sh /mnt/bin/far", Outcome.UNKNOWN),
    ],
)
def test_borg_goes_where_its_own_transport_leads(transport: str, outcome: Outcome) -> None:
    borg = BORG.replace("CANARY-2 it's \\$x", "CANARY-2") + FAR_END
    env = (
        "mkdir /etc/borg\nprintf 'Host *\\n HostName backup-here\\n' > /mnt/other\n"
        f"printf 'BORG_REPO=ssh://bkp-offsite/srv/b\\nBORG_PASSPHRASE=CANARY-2\\nBORG_RSH=\"{transport}\"\\n' > /etc/borg/a.env\n"
    )
    answer = told(borg + env)
    assert listed(answer)[0]["newest_hours"] == 0.0
    assert outcomes(answer) == (Outcome.PASS, outcome)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("ProxyCommand nc 127.0.0.1 22", Outcome.UNKNOWN),
        ("ProxyCommand ssh -W %%h:%%p bastion", Outcome.PASS),
        ("ProxyJump bastion", Outcome.PASS),
    ],
)
def test_a_program_that_makes_the_connection_may_lead_anywhere(line: str, outcome: Outcome) -> None:
    config = f"mkdir /root/.ssh\nprintf 'Host bkp-offsite\\n {line}\\n' > /root/.ssh/config\n"
    far = RESTIC.replace("RESTIC_REPOSITORY=/srv/r", "RESTIC_REPOSITORY=sftp:bkp-offsite:/srv/r")
    assert outcomes(told(far + FAR_END + config)) == (Outcome.PASS, outcome)


def test_a_unit_and_its_environment_file_are_read_as_systemd_does() -> None:
    unit = """
rm /etc/restic/a.env
printf '[Service]\\nEnvironment="RESTIC_REPOSITORY=/srv/r" OTHER=x\\nEnvironmentFile=-/etc/secret\\n' \
  > /etc/systemd/system/restic-night.service
printf "RESTIC_PASSWORD=CANARY 3'\\$y\\n" > /etc/secret
"""
    answer = told(RESTIC.replace("=CANARY-1\n", '="CANARY 3\'\\$y"\n', 1) + unit)
    (one,) = listed(answer)
    assert one["newest_hours"] == 0.0


def test_a_template_unit_asks_each_of_its_files() -> None:
    unit = """
mv /etc/restic/a.env /etc/restic/a.vars
printf '[Service]\\nEnvironmentFile=/etc/restic/%%i.vars\\nExecStart=/usr/bin/restic backup /etc\\n' \
  > /etc/systemd/system/restic@.service
"""
    assert [one["newest_hours"] for one in listed(told(RESTIC + unit))] == [0.0]


def test_nothing_of_a_configuration_is_executed() -> None:
    trap = """
printf 'RESTIC_REPOSITORY=/srv/r\\nRESTIC_PASSWORD=$(touch /srv/RAN; echo CANARY)\\n' > /etc/restic/a.env
printf 'RESTIC_REPOSITORY=/srv/q\\nRESTIC_PASSWORD=CANARY touch /srv/RAN\\ntouch /srv/RAN\\n' > /etc/restic/b.env
printf 'RESTIC_REPOSITORY=`touch /srv/RAN`\\nRESTIC_PASSWORD=CANARY\\n' > /etc/restic/c.env
printf "RESTIC_REPOSITORY=/srv/z'; touch /srv/RAN; '\\n" > /etc/restic/d.env
printf 'repositories:\\n  - "$(touch /srv/RAN)"\\n' > /etc/borgmatic/config.yaml
"""
    answer = told(RESTIC + trap, after="ls /srv")
    assert "RAN" not in answer.after
    assert all(isinstance(one["newest_hours"], Unknown) for one in listed(answer))
    assert outcomes(answer)[0] is Outcome.UNKNOWN


def test_passwords_in_addresses_stay_on_the_host() -> None:
    env = """
printf 'RESTIC_REPOSITORY=rest:http://u:CANARY@127.0.0.1:1/x\\nRESTIC_PASSWORD=CANARY\\n' > /etc/restic/b.env
printf 'RESTIC_REPOSITORY=rest:http://u:1/CANARY@127.0.0.1:1/x\\nRESTIC_PASSWORD=CANARY\\n' > /etc/restic/c.env
printf 'RESTIC_REPOSITORY=s3:http://CANARY:CANARY@127.0.0.1:1/x\\nAWS_SECRET_ACCESS_KEY=CANARY\\n' > /etc/restic/d.env
printf '#!/bin/sh\\nRESTIC_PASSWORD=CANARY restic -r rest:http://u:CANARY@h/ backup /\\n' > /root/job.sh
"""
    found = told(RESTIC + env).facts["repositories"]
    assert isinstance(found, Partial)
    assert "/root/job.sh" in found.missing.detail
    assert [one["repository"] for one in found.items] == [
        "/srv/r",
        "rest:http://127.0.0.1:1/x",
        "rest:http://...",
        "s3:http://127.0.0.1:1/x",
    ]


@pytest.mark.parametrize(
    "spoil", ["chmod 620 /etc/restic/a.env", "chmod 777 /etc/restic", "chown 1:1 /etc/restic/a.env"]
)
def test_a_configuration_that_others_can_write_is_not_followed(spoil: str) -> None:
    answer = told(RESTIC + spoil)
    found = answer.facts["repositories"]
    assert isinstance(found, Partial) and not found.items
    assert outcomes(answer)[0] is Outcome.UNKNOWN


def test_a_wrong_password_is_not_told_rather_than_no_backup() -> None:
    answer = told(RESTIC + "sed -i s/CANARY-1/CANARY-wrong/ /etc/restic/a.env\n")
    assert isinstance(listed(answer)[0]["newest_hours"], Unknown)
    assert outcomes(answer) == (Outcome.UNKNOWN, Outcome.FAIL)


def test_a_repository_without_restore_points_fails() -> None:
    answer = told(RESTIC.replace("restic -q backup", ": restic -q backup"))
    assert listed(answer)[0]["newest_hours"] is None
    assert outcomes(answer)[0] is Outcome.FAIL


def test_a_tool_without_any_configuration_fails() -> None:
    answer = told("")
    assert listed(answer) == []
    assert outcomes(answer) == (Outcome.FAIL, Outcome.FAIL)


def test_no_tool_on_the_host_is_unknown() -> None:
    gone = (
        ": > /mnt/none\nchmod 600 /mnt/none\nfor t in restic borg; do mount --bind /mnt/none $(command -v $t); done\n"
    )
    answer = told(gone)
    assert answer.facts["tools"] == []
    assert outcomes(answer) == (Outcome.UNKNOWN, Outcome.UNKNOWN)


def test_without_root_it_is_unknown() -> None:
    answer = told(RESTIC, become=False)
    assert answer.facts["repositories"].cause == "no_privilege"
    assert outcomes(answer) == (Outcome.UNKNOWN, Outcome.UNKNOWN)


def test_restic_is_asked_without_writing_anything() -> None:
    answer = told(
        RESTIC + "touch /srv/before; find /srv /etc /root | sort > /mnt/names\n",
        after="find /srv /etc /root | sort | diff /mnt/names - && find /srv /etc /root -type f -newer /srv/before",
    )
    assert answer.after == ""
