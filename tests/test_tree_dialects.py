"""What the probes tell of a tree of files: written to a disk, read by the transport, masked, and judged."""

from __future__ import annotations

import importlib
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import make_host

from auditor.errors import Unreadable
from auditor.kinds import Probe, Settings
from auditor.medium import WHERE
from auditor.model import Answer, Command, Facts, Failure, Output, Partial, Unknown
from auditor.readers import systemd_conf
from auditor.readers.files import LINKS
from auditor.readers.masks import MASKS
from auditor.readers.trees import auditing
from auditor.transports import tree

PROBES = (
    "accounts",
    "antivirus_settings",
    "audit_trail",
    "backup_jobs",
    "directory",
    "doors",
    "journal",
    "log_forwarding",
    "remote_tools",
    "time_sync",
)
WANTS = "etc/systemd/system/multi-user.target.wants"


def probe(name: str) -> Probe:
    found = importlib.import_module(f"auditor.probes.{name}").PROBE
    assert isinstance(found, Probe)
    return found


def made(folder: Path, **entries: str) -> Path:
    """Files by their path in the tree; what begins with `->` is a link."""
    for name, text in {"etc/hostname": "web01\n", **entries}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(text[2:]) if text.startswith("->") else path.write_text(text)
    return folder


def answers_of(name: str, folder: Path) -> dict[str, Answer]:
    commands = probe(name).trees["linux"].commands({})
    host = make_host(connection="tree", tree=str(folder))
    told = dict(tree.open_(Settings(time.time))(host, tuple(commands.values()), 60.0))
    return {key: told[command] for key, command in commands.items()}


def facts_of(name: str, folder: Path) -> Facts:
    return probe(name).trees["linux"].parse(answers_of(name, folder), {})


def items(fact: Any) -> list[Mapping[str, Any]]:
    return list(fact.items if isinstance(fact, Partial) else fact)


def cause(fact: Any) -> str:
    """Why it is not known, or not wholly; "" where it is."""
    return fact.cause if isinstance(fact, Unknown) else fact.missing.cause if isinstance(fact, Partial) else ""


# ---------------------------------------------------------------- where logs are sent

RSYSLOG = 'module(load="imuxsock")\n$IncludeConfig /etc/rsyslog.d/*.conf\n'
STARTS = {f"{WANTS}/rsyslog.service": "->/lib/systemd/system/rsyslog.service"}


def targets(folder: Path) -> list[tuple[Any, Any, Any, tuple[str, ...]]]:
    found = items(facts_of("log_forwarding", folder)["targets"])
    return [(t["to"], t["tls"], t["active"], t[WHERE]) for t in found]


def test_an_old_rule_in_an_included_file(tmp_path: Path) -> None:
    made(
        tmp_path, **STARTS, **{"etc/rsyslog.conf": RSYSLOG, "etc/rsyslog.d/90.conf": "# why\n*.* @@logs.example:514\n"}
    )
    assert targets(tmp_path) == [("logs.example", False, True, ("/etc/rsyslog.d/90.conf:2",))]
    fact = facts_of("log_forwarding", tmp_path)["targets"]
    assert cause(fact) == "not_observable"
    assert items(fact)[0]["partial"].cause == "not_observable"
    assert items(fact)[0]["to_itself"] is False


def test_a_new_action_over_tls(tmp_path: Path) -> None:
    action = (
        'global(DefaultNetstreamDriver="gtls")\naction(type="omfwd"\n  target="Logs.Example" port="6514" protocol="tcp"\n'
        '  StreamDriverMode="1" StreamDriverAuthMode="x509/name" user="canary")\n'
    )
    made(tmp_path, **STARTS, **{"etc/rsyslog.conf": RSYSLOG + action})
    assert targets(tmp_path) == [("logs.example", True, True, ("/etc/rsyslog.conf:5",))]
    assert "canary" not in str(answers_of("log_forwarding", tmp_path))


def test_a_masked_forwarder_does_not_run(tmp_path: Path) -> None:
    made(tmp_path, **STARTS, **{"etc/rsyslog.conf": "*.* @logs.example\n"})
    (tmp_path / "etc/systemd/system/rsyslog.service").symlink_to("/dev/null")
    assert [t[2] for t in targets(tmp_path)] == [False]


def test_without_a_link_only_the_host_knows_what_runs(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/rsyslog.conf": "*.* @logs.example\n"})
    assert [cause(t[2]) for t in targets(tmp_path)] == ["not_observable"]


SAFE = (
    'global(DefaultNetstreamDriver="gtls")\naction(type="omfwd" target="logs.example" protocol="tcp" StreamDriverMode="1"'
    ' StreamDriverAuthMode="x509/name")\n'
)
DROP_IN = "etc/systemd/system/rsyslog.service.d/a.conf"
JOURNALD = "usr/lib/systemd/system/systemd-journald.service"


@pytest.mark.parametrize(
    "files",
    [
        {DROP_IN: "[Service]\nExecStart=\nExecStart=/usr/sbin/rsyslogd -n -f /etc/canary.conf\n"},
        {DROP_IN: "[Service]\nExecStart=\nExecStart=/bin/true\n"},
        {DROP_IN: "[Service]\nExecStart=\nExecStart=rsyslogd -n\n"},
        {DROP_IN: "[Service]\nEnvironment=RSYSLOGD_OPTIONS=-f/etc/canary.conf\n"},
        {DROP_IN: "[Unit]\nConditionPathExists=/never\n"},
        {DROP_IN: "[Service]\nBindPaths=/opt/x:/etc/rsyslog.conf\n"},
        {"etc/systemd/system/service.d/a.conf": "[Unit]\nAssertPathExists=/never\n"},
        {"etc/default/rsyslog": 'RSYSLOGD_OPTIONS="-f /etc/canary.conf"\n'},
        {"etc/sysconfig/rsyslog": 'SYSLOGD_OPTIONS="-4 -f/etc/canary.conf"\n'},
        {"usr/lib/systemd/system/rsyslog.service": "[Service]\nExecStart=/usr/sbin/rsyslogd -n -f /etc/canary.conf\n"},
        {"etc/systemd/system/more.service": "[Service]\nExecStart=/usr/sbin/rsyslogd -n -f /etc/canary.conf\n"},
        {"etc/systemd/system/more.service": "[Service]\nExecStart=/usr/bin/env rsyslogd -n -f /etc/canary.conf\n"},
        {
            "etc/systemd/system/more.service": '[Service]\nExecStart=/bin/sh -c "exec /usr/sbin/rsyslogd -f /etc/canary.conf"\n'
        },
    ],
)
def test_a_forwarder_that_is_started_otherwise_is_no_pass(tmp_path: Path, files: Mapping[str, str]) -> None:
    made(tmp_path, **STARTS, **{"etc/rsyslog.conf": SAFE, JOURNALD: "[Service]\n"})
    assert targets(tmp_path) == [("logs.example", True, True, ("/etc/rsyslog.conf:2",))]
    assert cause(facts_of("log_forwarding", tmp_path)["targets"]) == ""
    made(tmp_path, **files)
    fact = facts_of("log_forwarding", tmp_path)["targets"]
    assert cause(fact) == "not_told"
    assert (
        items(fact)[0]["active"] is True
        if "etc/systemd/system/more.service" in files
        else cause(items(fact)[0]["active"])
    )


@pytest.mark.parametrize(
    "files",
    [
        {DROP_IN: "[Service]\nExecStart=\nExecStart=/usr/sbin/rsyslogd -n -iNONE -f /etc/rsyslog.conf\n"},
        {"etc/default/rsyslog": "# RSYSLOGD_OPTIONS=-f /x\nRSYSLOGD_OPTIONS=\n"},
        {"usr/lib/systemd/system/rsyslog.service": "[Unit]\nRequires=syslog.socket\n[Service]\nExecStart=/usr/sbin/rsyslogd -n -iNONE\n"},
        {"etc/systemd/system/more.service": "[Service]\nExecStart=/usr/bin/more -f /x\n"},
    ],
)  # fmt: skip
def test_a_forwarder_that_is_started_with_its_own_files(tmp_path: Path, files: Mapping[str, str]) -> None:
    made(tmp_path, **STARTS, **{"etc/rsyslog.conf": SAFE, JOURNALD: "[Service]\n"}, **files)
    assert targets(tmp_path) == [("logs.example", True, True, ("/etc/rsyslog.conf:2",))]
    assert cause(facts_of("log_forwarding", tmp_path)["targets"]) == ""


def test_a_target_that_a_line_goes_on_to_is_seen_at_its_first_line(tmp_path: Path) -> None:
    made(
        tmp_path,
        **STARTS,
        **{"etc/rsyslog.conf": "*.* @@\\\n  logs.example\n# x \\\n*.* @@gone.example\n*.* @a.example\n"},
    )
    assert [(t[0], t[1], *t[3]) for t in targets(tmp_path)] == [
        ("logs.example", False, "/etc/rsyslog.conf:1"),
        ("a.example", False, "/etc/rsyslog.conf:5"),
    ]


def test_a_start_that_comes_to_a_rescue_starts_no_forwarder(tmp_path: Path) -> None:
    boots = {"etc/systemd/system/default.target": "->/lib/systemd/system/rescue.target"}
    made(tmp_path, **STARTS, **{"etc/rsyslog.conf": SAFE, JOURNALD: "[Service]\n"}, **boots)
    assert [cause(t[2]) for t in targets(tmp_path)] == ["not_observable"]


CHRONY = {"etc/chrony/chrony.conf": "server a.example\n", f"{WANTS}/chrony.service": "->/x"}
NTP = {"etc/ntp.conf": "server b.example\n", f"{WANTS}/ntp.service": "->/x"}


@pytest.mark.parametrize(
    ("files", "sources", "why"),
    [
        (CHRONY, ["a.example"], "not_observable"),
        ({**CHRONY, **NTP}, ["a.example", "b.example"], "not_told"),
        ({**CHRONY, "etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service": "->/x"}, ["a.example"], "not_told"),
        ({**CHRONY, "etc/ntp.conf": "server b.example\n"}, ["a.example"], "not_observable"),
        ({"etc/chrony/chrony.conf": "server a.example\n", f"{WANTS}/ntp.service": "->/x"}, [], "not_observable"),
        ({**CHRONY, "etc/default/chrony": 'DAEMON_OPTS="-F 1 -f /etc/other"\n'}, [], "not_told"),
        ({**CHRONY, "etc/default/chrony": 'DAEMON_OPTS="-F 1"\n'}, ["a.example"], "not_observable"),
        *(({**CHRONY, "etc/default/chrony": f"DAEMON_OPTS={said}\n"}, [], "not_told") for said in (
            '-""f/etc/other', '-f""/etc/other', "-\\\\f/etc/other", '"-F 1\n-f /etc/other"', "-f etc/other", "-fetc/other",
        )),
        *(({**CHRONY, "etc/systemd/system/chrony.service.d/a.conf": f"[Service]\n{said}\nExecStart=\nExecStart=/usr/sbin/chronyd $B\n"},
           [], "not_told") for said in ("Environment=A=1 B=-f/etc/other", "EnvironmentFile=/opt/other")),
        ({**CHRONY, "etc/systemd/system/chrony.service.d/a.conf": "[Service]\nEnvironmentFile=/opt/other\n"}, [], "not_told"),
        ({**CHRONY, "etc/systemd/system/chrony.service.d/a.conf": '[Service]\nEnvironment=A=1 "DAEMON_OPTS=-f /etc/other"\n'},
         [], "not_told"),
        ({**CHRONY, "etc/systemd/system/chrony.service.d/a.conf":
          '[Service]\nEnvironmentFile=-/etc/default/chrony\nEnvironment="OPTIONS=-4 -u"\nExecStart=\nExecStart=!/usr/sbin/chronyd $DAEMON_OPTS -n\n'},
         ["a.example"], "not_observable"),
        ({**CHRONY, "etc/systemd/system/chrony.service.d/a.conf": "[Unit]\nConditionPathExists=/x\n"}, [], "not_told"),
        ({**CHRONY, "etc/systemd/system/mine.service": "[Service]\nExecStart=/usr/sbin/chronyd -f /x\n"}, [], "not_told"),
    ],
)  # fmt: skip
def test_which_clock_daemon_goes_by_which_file(
    tmp_path: Path, files: Mapping[str, str], sources: list[str], why: str
) -> None:
    fact = facts_of("time_sync", made(tmp_path, **files))["sources"]
    assert ([s["source"] for s in items(fact)], cause(fact)) == (sources, why)


@given(text=st.lists(st.sampled_from(["ExecStart=", "/bin/x", " -f ", "/y", "\n", "\r", "\t", "\\", "Condition", "X=", "OPTIONS=", '"', "$", "\xff"]), max_size=30).map("".join))  # fmt: skip
def test_what_starts_a_daemon_keeps_its_lines(text: str) -> None:
    for name in ("daemon", "rsyslog", "sshd_started"):
        assert MASKS[name](text.encode("latin-1")).count(b"\n") == text.count("\n")


def test_a_drop_in_alone_does_not_tell_what_the_main_file_sets(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/rsyslog.d/a.conf": "*.* @@logs.example\n*.* @other.example\n"})
    told = {t[0]: t[1] for t in targets(tmp_path)}
    assert cause(told["logs.example"]) == "not_observable"
    assert told["other.example"] is False


INCLUDING = {
    "log_forwarding": ("etc/rsyslog.d", "etc/rsyslog.conf", RSYSLOG + "*.* @logs.example\n", "targets"),
    "ssh_logins": ("etc/ssh/sshd_config.d", "etc/ssh/sshd_config", "Include sshd_config.d/*.conf\nPermitRootLogin yes\n", "root_logins"),
    "time_sync": ("etc/chrony/conf.d", "etc/chrony/chrony.conf", "confdir /etc/chrony/conf.d\nserver time.example\n", "sources"),
}  # fmt: skip


@pytest.mark.parametrize("name", INCLUDING)
def test_a_folder_that_is_there_and_empty_is_whole(tmp_path: Path, name: str) -> None:
    folder, main, text, fact = INCLUDING[name]
    made(tmp_path, **STARTS, **{main: text, "etc/passwd": "root:x:0:0:::/bin/sh\n"})
    assert "what is included" in str(facts_of(name, tmp_path)[fact])
    (tmp_path / folder).mkdir(parents=True)
    assert items(facts_of(name, tmp_path)[fact])
    assert "what is included" not in str(facts_of(name, tmp_path))


PATTERNS = ("D/.z.conf", "D/[^a]*.conf", "D/[[:alpha:]].conf", "D/\\z.conf", "P/*/*.conf", "P/other/z.conf")


@pytest.mark.parametrize("name", INCLUDING)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_that_stands_for_files_that_were_not_asked_for_is_no_answer(
    tmp_path: Path, name: str, pattern: str
) -> None:
    folder, main, text, fact = INCLUDING[name]
    parent = folder.rpartition("/")[0]
    line = pattern.replace("D", f"/{folder}").replace("P", f"/{parent}")
    begin = {"log_forwarding": "$IncludeConfig", "ssh_logins": "Include", "time_sync": "include"}[name]
    beside = dict.fromkeys(
        (f"{folder}/.z.conf", f"{folder}/z.conf", f"{folder}/a.conf", f"{parent}/other/z.conf"), "# x\n"
    )
    made(tmp_path, **STARTS, **{main: f"{begin} {line}\n{text}", "etc/passwd": "root:x:0:0:::/bin/sh\n", **beside})
    assert f"Unknown(cause='not_asked', detail='what is included: {line[:9]}" in str(facts_of(name, tmp_path)[fact])


def test_what_no_include_names_is_not_read(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{"etc/rsyslog.conf": RSYSLOG, "etc/rsyslog.d/a.conf": "", "etc/rsyslog.d/b.disabled": "*.* @x.example\n"},
    )
    assert targets(tmp_path) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("$IncludeConfig /opt/x/*.conf", "not_asked"),
        ('include(file="/etc/rsyslog.other/a.conf")', "not_asked"),
        ("include(text=`echo $X`)", "not_asked"),
        ("$IncludeConfig ../../../etc/shadow", "not_asked"),
        ("$IncludeConfig /run/rsyslog/*.conf", "not_observable"),
        ("$IncludeConfig /etc/rsyslog.d/", "not_observable"),
        ("$IncludeConfig /etc/rsyslog.d/\n$IncludeConfig /etc/x", "not_asked"),
    ],
)
def test_an_include_that_leads_elsewhere_is_no_answer(tmp_path: Path, line: str, why: str) -> None:
    made(tmp_path, **{"etc/rsyslog.conf": line + "\n", "etc/shadow": "root:canary:1::::::\n"})
    assert cause(facts_of("log_forwarding", tmp_path)["targets"]) == why
    assert "canary" not in str(answers_of("log_forwarding", tmp_path))


def test_what_is_included_stands_where_it_is(tmp_path: Path) -> None:
    main = "$DefaultNetstreamDriver gtls\n$IncludeConfig /etc/rsyslog.d/*.conf\n$ActionSendStreamDriverMode 1\n*.* @@safe.example\n"
    beside = {
        "etc/rsyslog.d/a.conf": '*.* @@clear.example\n$Template x, "open\n',
        "etc/rsyslog.d/b.conf": "*.* @@other.example\n",
    }
    made(tmp_path, **STARTS, **{"etc/rsyslog.conf": main, **beside})
    assert [(t[0], t[1], *t[3]) for t in targets(tmp_path)] == [
        ("clear.example", False, "/etc/rsyslog.d/a.conf:1"),
        ("other.example", False, "/etc/rsyslog.d/b.conf:1"),
        ("safe.example", True, "/etc/rsyslog.conf:4"),
    ]


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/rsyslog.conf": RSYSLOG + "*.* @logs.example\n", "etc/rsyslog.d/a.conf": RSYSLOG})
    assert len(targets(tmp_path)) == 1


def test_a_whole_system_that_sends_nothing_sends_nothing(tmp_path: Path) -> None:
    made(
        tmp_path, **{"etc/rsyslog.conf": "*.* /var/log/syslog\n", "usr/lib/systemd/system/systemd-journald.service": ""}
    )
    assert facts_of("log_forwarding", tmp_path)["targets"] == []


def test_one_unit_of_a_role_makes_no_whole_system(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/rsyslog.conf": "*.* /var/log/syslog\n", "usr/lib/systemd/system/app.service": ""})
    assert cause(facts_of("log_forwarding", tmp_path)["targets"]) == "not_observable"


@pytest.mark.parametrize(
    ("unit", "target", "runs"),
    [
        ("multi-user.target.requires/rsyslog.service", "/lib/systemd/system/rsyslog.service", True),
        ("rsyslog.service", "../../../dev/null", False),
        ("rsyslog.service", "../dev/null", True),
    ],
)
def test_the_links_that_systemd_follows(tmp_path: Path, unit: str, target: str, runs: bool) -> None:
    made(tmp_path, **(STARTS if "requires" not in unit else {}), **{"etc/rsyslog.conf": "*.* @logs.example\n"})
    link = tmp_path / "etc/systemd/system" / unit
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    assert [t[2] for t in targets(tmp_path)] == [runs]


SYSLOG_NG = """@version: 3.38
@include "scl.conf"
source s_src { system(); internal(); };
@include "/etc/syslog-ng/conf.d/*.conf"
"""
SENDS = 'destination d {\n  network("logs.example" port(6514) transport("tls") tls(key-file("canary") peer-verify(required-trusted)));\n};\nlog { source(s_src); destination(d); };\n'
AGENTS = {
    "syslog-ng": {"etc/syslog-ng/syslog-ng.conf": SYSLOG_NG, "etc/syslog-ng/conf.d/out.conf": SENDS},
    "journal-upload": {
        "etc/systemd/journal-upload.conf": "[Upload]\nURL=http://elsewhere.example\n",
        "etc/systemd/journal-upload.conf.d/a.conf": "[Upload]\nURL=https://u:canary@logs.example:19532/x?canary\n",
    },
    "fluent-bit": {
        "etc/fluent-bit/fluent-bit.conf": "[INPUT]\n  Name systemd\n[OUTPUT]\n  Name forward\n  Match *\n  Host logs.example\n  Shared_Key canary\n  tls on\n"
    },
    "vector": {
        "etc/vector/vector.toml": '[sinks.out]\ntype = "vector"\ninputs = ["a"]\naddress = "logs.example:6000"\nauth.password = "canary"\n'
    },
    "filebeat": {
        "etc/filebeat/filebeat.yml": "output.logstash:\n  hosts: ['logs.example:5044']\n  password: canary\n  ssl.enabled: true\n"
    },
    "wazuh": {
        "var/ossec/etc/ossec.conf": "<ossec_config><client><server>\n<address>logs.example</address></server>\n<enrollment><authorization_pass>canary</authorization_pass></enrollment></client></ossec_config>\n"
    },
}  # fmt: skip


@pytest.mark.parametrize("agent", AGENTS)
def test_each_agent_is_read_and_its_secrets_are_not(tmp_path: Path, agent: str) -> None:
    made(tmp_path, **AGENTS[agent])
    found = items(facts_of("log_forwarding", tmp_path)["targets"])
    assert [(t["to"], t["agent"]) for t in found] == [("logs.example", agent)]
    (place,) = found[0][WHERE]
    path, _, number = place.rpartition(":")
    assert "logs.example" in (tmp_path / path.lstrip("/")).read_text().splitlines()[int(number) - 1]
    assert "canary" not in str(answers_of("log_forwarding", tmp_path))


def test_an_agent_that_is_started_and_has_no_file_is_not_forgotten(tmp_path: Path) -> None:
    made(tmp_path, **{f"{WANTS}/filebeat.service": "->/lib/systemd/system/filebeat.service"})
    (found,) = items(facts_of("log_forwarding", tmp_path)["targets"])
    assert (found["agent"], cause(found["to"])) == ("filebeat", "not_observable")


# ---------------------------------------------------------------- journald, logrotate


@pytest.mark.parametrize(
    ("files", "storage", "where"),
    [
        ({"etc/systemd/journald.conf": "[Journal]\n#Storage=auto\n"}, "not_observable", ()),
        ({"etc/systemd/journald.conf": "[Journal]\nStorage=none\n"}, "none", ("/etc/systemd/journald.conf:2",)),
        ({"etc/systemd/journald.conf": "[Other]\nStorage=none\n"}, "not_observable", ("/etc/systemd/journald.conf:2",)),
        ({"etc/systemd/journald.conf": "[Journal]\nStorage=Persistent\n"}, "not_observable", ("/etc/systemd/journald.conf:2",)),
        (
            {
                "etc/systemd/journald.conf": "[Journal]\nStorage=none\n",
                "usr/lib/systemd/journald.conf.d/50.conf": "[Journal]\nStorage=persistent\n",
            },
            "persistent",
            ("/etc/systemd/journald.conf:2", "/usr/lib/systemd/journald.conf.d/50.conf:2"),
        ),
        (
            {
                "usr/lib/systemd/journald.conf.d/50.conf": "[Journal]\nStorage=volatile\n",
                "etc/systemd/journald.conf.d/50.conf": "->/dev/null",
                "usr/lib/systemd/journald.conf": "[Journal]\nStorage=persistent\n",
            },
            "persistent",
            ("/usr/lib/systemd/journald.conf:2",),
        ),
    ],
)  # fmt: skip
def test_the_storage_of_journald(tmp_path: Path, files: dict[str, str], storage: str, where: tuple[str, ...]) -> None:
    facts = facts_of("journal", made(tmp_path, **files))
    told = facts["storage"]
    assert (cause(told) or told, facts[WHERE]["storage"]) == (storage, where)
    assert facts["journal_persistent"] is False or cause(facts["journal_persistent"]) == "not_observable"
    assert cause(facts["persistent"]) == cause(facts["local_days"]) == "not_observable"


@pytest.mark.parametrize(
    ("text", "storage"),
    [
        ("[Journal]\nForwardToWall=a \\\nStorage=persistent\n", ""),
        ("[Journal]\nForwardToWall=a \\\n[Journal]\nStorage=persistent\n", "persistent"),
        ("[Journal]\nStorage=persistent\n#x\rStorage=volatile\n", "unreadable"),
        ("[Journal]\r\nStorage=volatile\r\n# a \\\r\nStorage=persistent\r\n", "persistent"),
        ("[Journal]\n# a \\\nStorage=persistent\n", "persistent"),
        ("[Journal]\nStorage=\\\n# a\n  persistent\n", "persistent"),
        ("[Journal]\nStorage=persistent \\\nx\n", ""),
        ("[Journal]\nStorage=volatile\n#\u2028Storage=persistent\n", "unreadable"),
        ("[Journal]\nStorage=volatile\u2028Storage=persistent\n", "unreadable"),
        ("[journal]\nStorage=volatile\n", ""),
    ],
)
def test_lines_of_journald_as_systemd_has_them(tmp_path: Path, text: str, storage: str) -> None:
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/systemd/journald.conf").write_bytes(text.encode())
    told = facts_of("journal", tmp_path)["storage"]
    assert (cause(told) or told) == (storage or "not_observable")


def test_what_goes_on_behind_a_secret_goes_too() -> None:
    masked = MASKS["systemd"](
        b"[Upload]\nServerKeyFile=a\\\ncanary\nURL=https://u:canary@\\\ncanary.example/canary\n# Storage=canary\n"
    )
    assert b"canary" not in masked


def test_systemd_itself_has_the_files_in_that_order(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{
            "etc/systemd/journald.conf": "[Journal]\nStorage=none\n",
            "usr/lib/systemd/journald.conf": "[Journal]\nStorage=auto\n",
            "usr/lib/systemd/journald.conf.d/20.conf": "[Journal]\nStorage=persistent\n",
            "etc/systemd/journald.conf.d/10.conf": "[Journal]\nStorage=auto\n",
            "usr/lib/systemd/journald.conf.d/90.conf": "[Journal]\nStorage=none\n",
            "etc/systemd/journald.conf.d/90.conf": "->/dev/null",
            "run/systemd/journald.conf.d/20.conf": "[Journal]\nStorage=volatile\n",
        },
    )
    words = ["systemd-analyze", f"--root={tmp_path}", "cat-config", "systemd/journald.conf"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    theirs = systemd_conf.assignments([said], "Journal", "Storage")
    assert theirs
    assert facts_of("journal", tmp_path)["storage"] == theirs[-1] == "volatile"


@pytest.mark.parametrize(("path", "why"), [("/etc/logrotate.x", "not_asked"), ("/run/x", "not_observable")])
def test_what_logrotate_includes_from_elsewhere(tmp_path: Path, path: str, why: str) -> None:
    block = "/var/log/syslog {\n rotate 52\n weekly\n}\n"
    made(tmp_path, **{"etc/logrotate.conf": f"include {path}\ninclude /etc/logrotate.d\n", "etc/logrotate.d/a": block})
    assert cause(facts_of("journal", tmp_path)["syslog_kept_days"]) == why


def test_how_long_logrotate_keeps_syslog(tmp_path: Path) -> None:
    block = "/var/log/syslog\n{\n  postrotate\n    curl -u canary\n  endscript\n  rotate 9\n}\n"
    made(tmp_path, **{"etc/logrotate.d/rsyslog": block})
    assert cause(facts_of("journal", tmp_path)["syslog_kept_days"]) == "not_observable"
    made(tmp_path, **{"etc/logrotate.conf": "weekly\nrotate 4\ninclude /etc/logrotate.d\n"})
    facts = facts_of("journal", tmp_path)
    assert (facts["syslog_kept_days"], facts[WHERE]["syslog_kept_days"]) == (63.0, ("/etc/logrotate.d/rsyslog:1",))
    assert "canary" not in str(answers_of("journal", tmp_path))


# ---------------------------------------------------------------- time


def sources(folder: Path) -> list[tuple[str, str, tuple[str, ...]]]:
    found = facts_of("time_sync", folder)["sources"]
    assert isinstance(found, Partial)
    return [(s["source"], s["kind"], s[WHERE]) for s in items(found)]


CHRONY = "confdir /etc/chrony/conf.d\nsourcedir /run/chrony-dhcp /etc/chrony/sources.d\npool A.Example iburst key 7\nkeyfile /etc/chrony/canary\n"


def test_chrony_and_what_it_includes(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{
            "etc/chrony/chrony.conf": CHRONY,
            "etc/chrony/conf.d/a.conf": "server b.example\n",
            "etc/chrony/conf.d/a.txt": "server no.example\n",
            "etc/chrony/sources.d/a.sources": "\nserver c.example\nrefclock PHC /dev/ptp0\n",
            "etc/chrony/sources.d/a.conf": "server no.example\n",
        },
    )
    assert sources(tmp_path) == [
        ("a.example", "pool", ("/etc/chrony/chrony.conf:3",)),
        ("b.example", "server", ("/etc/chrony/conf.d/a.conf:1",)),
        ("c.example", "server", ("/etc/chrony/sources.d/a.sources:2",)),
        ("PHC:/dev/ptp0", "clock", ("/etc/chrony/sources.d/a.sources:3",)),
    ]
    assert "canary" not in str(answers_of("time_sync", tmp_path))


def test_timesyncd_and_its_drop_ins(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{
            "etc/systemd/timesyncd.conf": "[Time]\nNTP=a.example\n",
            "etc/systemd/timesyncd.conf.d/b.conf": "[Time]\nNTP=\nNTP=b.example \\\n  c.example\n",
        },
    )
    assert [s for s, _, _ in sources(tmp_path)] == ["b.example", "c.example"]


@pytest.mark.parametrize(
    ("line", "why"), [("include /etc/x", "not_asked"), ("sourcedir /run/chrony-dhcp", "not_observable")]
)
def test_what_chrony_includes_from_elsewhere(tmp_path: Path, line: str, why: str) -> None:
    made(tmp_path, **{"etc/chrony/chrony.conf": f"confdir /etc/chrony/conf.d\nserver ntp.example\n{line}\n"})
    assert cause(facts_of("time_sync", tmp_path)["sources"]) == why


def test_the_secret_of_ntp_conf_stays(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/ntp.conf": "crypto pw canary\nserver -4 t.example key 1\n"})
    assert sources(tmp_path) == [("t.example", "server", ("/etc/ntp.conf:2",))]
    assert "canary" not in str(answers_of("time_sync", tmp_path))


def test_of_two_daemons_the_one_that_is_started(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/chrony.conf": "server a.example\n", "etc/ntp.conf": "server b.example\n"})
    assert sources(tmp_path) == []
    made(tmp_path, **{f"{WANTS}/chronyd.service": "->/usr/lib/systemd/system/chronyd.service"})
    assert [s for s, _, _ in sources(tmp_path)] == ["a.example"]


def test_a_masked_daemon_asks_nobody(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/systemd/timesyncd.conf": "[Time]\nNTP=a.example\n"})
    made(tmp_path, **{"etc/systemd/system/systemd-timesyncd.service": "->/dev/null"})
    assert sources(tmp_path) == []


def test_that_a_clock_is_right_only_the_host_tells(tmp_path: Path) -> None:
    facts = facts_of("time_sync", made(tmp_path, **{"etc/chrony.conf": "server a.example\n"}))
    assert {cause(f) for f in facts.values()} == {"not_observable"}


# ---------------------------------------------------------------- accounts

PASSWD = "root:x:0:0::/root:/bin/bash\nbin:*:2:2::/bin:/usr/sbin/nologin\nbob:x:1000:1000:Canary Bob:/home/bob:/bin/sh\neve::1001:1001::/home/eve:/bin/sh\nold:$6$canary:1002:1002::/home/old:/bin/sh\n"
GROUP = "root:x:0:\nsudo:x:27:bob\n"
SHADOW = "root:!:20000:0:99999:7:::\nbob:$y$canary:20000:0:99999:7:::\n"


def test_accounts_and_their_passwords(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{"etc/passwd": PASSWD, "etc/group": GROUP, "etc/shadow": SHADOW, "etc/nsswitch.conf": "passwd: files\n"},
    )
    made(tmp_path, **{"etc/sudoers": "%sudo ALL=(ALL:ALL) ALL\n"})
    facts = facts_of("accounts", tmp_path)
    told = {
        a["account"]: (a["password"], a["usable"], a["administrator"], a[WHERE][0]) for a in items(facts["accounts"])
    }
    assert isinstance(told["root"][1], Unknown)
    assert told.pop("root")[0] == "locked"
    assert told == {
        "bob": ("set", True, True, "/etc/shadow:2"),
        "eve": ("empty", True, False, "/etc/passwd:4"),
        "old": ("set", True, False, "/etc/passwd:5"),
    }
    assert (facts["without_shell"], cause(facts["accounts"])) == (1, "")
    assert "canary" not in str(answers_of("accounts", tmp_path)).lower()


def test_without_shadow_nobody_knows_the_passwords_that_are_there(tmp_path: Path) -> None:
    facts = facts_of("accounts", made(tmp_path, **{"etc/passwd": PASSWD, "etc/group": GROUP}))
    assert [a["account"] for a in items(facts["accounts"])] == ["eve", "old"]
    assert cause(facts["accounts"]) == cause(facts["usable"]) == "not_observable"


def test_an_expiry_depends_on_the_day(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/passwd": PASSWD, "etc/group": GROUP, "etc/shadow": SHADOW.replace(":7:::", ":7::19000:")})
    by_name = {a["account"]: a["expired"] for a in items(facts_of("accounts", tmp_path)["accounts"])}
    assert cause(by_name["bob"]) == "not_observable"


def test_accounts_that_are_kept_elsewhere_are_missed(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/passwd": PASSWD, "etc/group": GROUP, "etc/shadow": SHADOW, "etc/userdb/x.user": "{}"})
    assert cause(facts_of("accounts", tmp_path)["accounts"]) == "not_told"


# ---------------------------------------------------------------- audit rules

GOOD_RULES = "-D\n-b 8192\n\n-w /etc/ -p wa -k etc\n-a exit,always -F arch=b64 -S execve -F euid=root -k r\n-a always,exit -F arch=b32 -S execve -F euid=0 -k r\n-e 2\n"
OF_RULES = ("account_changes", "sudo_changes", "root_commands", "logins_kept")


def ruled(folder: Path) -> list[Any]:
    facts = facts_of("audit_trail", folder)
    return [cause(facts[name]) or facts[name] for name in OF_RULES]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"rules.d/a.rules": GOOD_RULES}, [True, True, "all", True]),
        ({"audit.rules": GOOD_RULES}, [True, True, "all", True]),
        ({"rules.d/a.rules": "-b 8192\n"}, [False, False, "none", True]),
        ({"rules.d/a.rules": GOOD_RULES, "rules.d/b.rules": "-D\n"}, [True, True, "all", True]),
        ({"audit.rules": GOOD_RULES + "-D\n"}, [False, False, "none", True]),
        ({"audit.rules": GOOD_RULES + "-D -k x\n"}, ["unreadable"] * 4),
        ({"rules.d/10.rules": GOOD_RULES, "rules.d/9.rules": "-a never,task\n"}, [False, False, "none", True]),
        ({"rules.d/a.rules": "-a always,exclude -F msgtype=USER_LOGIN\n" + GOOD_RULES}, [True, True, "all", False]),
        ({"rules.d/a.rules": "-w /etc/ -p wa\n-a always,exit -F arch=b64 -S execve -F euid=0\n"}, [True, True, "not_observable", True]),
        ({"rules.d/a.rules": "-A exit,always -S all\n"}, ["unreadable"] * 4),
        ({"rules.d/a.rules": "-a always,exit -S 59\n"}, ["unreadable"] * 4),
        ({"rules.d/a.rules": GOOD_RULES, "audit.rules": "-b 1\n"}, ["not_observable"] * 4),
        ({"rules.d/a.rules": GOOD_RULES, "audit.rules": GOOD_RULES}, [True, True, "all", True]),
        ({"auditd.conf": ""}, ["not_observable"] * 4),
        ({"rules.d/a.rules": "-a always,exit -F arch=b64 -S opne\n" + GOOD_RULES}, ["unreadable"] * 4),
        ({"rules.d/a.rules": "-a always,exit -F arch=b64 -S chown32\n" + GOOD_RULES}, ["unreadable"] * 4),
        ({"rules.d/a.rules": "-a always,exit -F arch=b65 -S open\n" + GOOD_RULES}, ["unreadable"] * 4),
        ({"rules.d/a.rules": "-a always,exit -F foo=1 -S open\n" + GOOD_RULES}, ["unreadable"] * 4),
        ({"rules.d/a.rules": "-w /etc -p wz\n" + GOOD_RULES}, ["unreadable"] * 4),
        ({"rules.d/a.rules": "-w /x -p wa\n-w /x -p wa\n" + GOOD_RULES}, ["unreadable"] * 4),
        ({"rules.d/a.rules": "-c\n-w /x -p wa\n-w /x -p wa\n" + GOOD_RULES}, [True, True, "all", True]),
        ({"audit.rules": "-e 2\n" + GOOD_RULES}, ["unreadable"] * 4),
        ({"rules.d/a.rules": "-e 2\n" + GOOD_RULES}, [True, True, "all", True]),
        ({"rules.d/a.rules": GOOD_RULES, "rules.d/a-1.rules": "-a never,task\n"}, [False, False, "none", True]),
        ({"rules.d/a.rules": "# mine", "rules.d/b.rules": "-w /etc/ -p wa\n"}, [False, False, "none", True]),
    ],
)  # fmt: skip
def test_the_rules_that_would_be_loaded(tmp_path: Path, files: dict[str, str], told: list[Any]) -> None:
    assert ruled(made(tmp_path, **{f"etc/audit/{name}": text for name, text in files.items()})) == told


NAMES = [
    "a",
    "a-1",
    "a_b",
    "a b",
    "a1",
    "a01",
    "a10",
    "a.b",
    "a~",
    "A",
    "aa",
    "10",
    "9-a",
    "9",
    "10-base",
    "010",
    "a.b-c",
    "z..",
    "é",
]


def test_the_order_of_rules_is_that_of_ls(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.rules").touch()
    done = subprocess.run(["ls", "-1v"], cwd=tmp_path, capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert sorted(os.listdir(tmp_path), key=auditing._natural) == done.stdout.decode().splitlines()


def test_rules_in_a_file_are_not_rules_in_the_kernel(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{
            "etc/audit/rules.d/a.rules": GOOD_RULES,
            "etc/audit/auditd.conf": "max_log_file = 8\nnum_logs = 5\nmax_log_file_action = ROTATE\n",
        },
    )
    facts = facts_of("audit_trail", tmp_path)
    assert {cause(facts[n]) for n in ("enabled", "immutable", "kept_by", "lost", "oldest_record_days")} == {
        "not_observable"
    }
    assert (facts["log_megabytes"], cause(facts["goes_to"])) == (40, "not_observable")


def test_rules_that_end_in_switching_off(tmp_path: Path) -> None:
    facts = facts_of("audit_trail", made(tmp_path, **{"etc/audit/rules.d/a.rules": "-w /etc -p wa\n-e 0\n"}))
    assert (facts["enabled"], facts[WHERE]["enabled"]) == (False, ("/etc/audit/rules.d/a.rules:2",))


# ---------------------------------------------------------------- directories

SSSD = "[sssd]\ndomains = town.example\n[domain/town.example]\nid_provider = ldap\nldap_default_authtok = canary\ncache_credentials = true\n"


def test_a_directory_that_sssd_is_set_up_for(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/nsswitch.conf": "passwd: files sss\n", "etc/sssd/sssd.conf": SSSD})
    facts = facts_of("directory", tmp_path)
    (found,) = items(facts["directories"])
    assert (facts["joined"], found["caches_logins"], found["cached_login_hours"]) == (True, True, None)
    assert (found["identities"], cause(found["online"]), cause(found["active"])) == (
        True,
        "not_observable",
        "not_observable",
    )
    assert "/etc/sssd/sssd.conf:3" in found[WHERE]
    assert "canary" not in str(answers_of("directory", tmp_path))


def test_a_drop_in_of_sssd_counts_and_its_mode_does_not(tmp_path: Path) -> None:
    more = "[pam]\noffline_credentials_expiration = 2\n"
    made(
        tmp_path,
        **{"etc/nsswitch.conf": "passwd: files sss\n", "etc/sssd/sssd.conf": SSSD, "etc/sssd/conf.d/a.conf": more},
    )
    (found,) = items(facts_of("directory", tmp_path)["directories"])
    assert found["cached_login_hours"] == 48.0


@pytest.mark.parametrize("files", [{}, {"etc/nsswitch.conf": "passwd: files\n"}, {"etc/sssd/sssd.conf": SSSD}])
def test_half_of_it_tells_no_absence(tmp_path: Path, files: dict[str, str]) -> None:
    facts = facts_of("directory", made(tmp_path, **files))
    assert cause(facts["directories"]) == "not_observable"
    assert facts["joined"] is not False


# ---------------------------------------------------------------- tools of remote access


def test_tools_that_are_installed_or_started(tmp_path: Path) -> None:
    made(
        tmp_path,
        **{
            f"{WANTS}/anydesk.service": "->/lib/systemd/system/anydesk.service",
            "usr/bin/ngrok": "\x7fELF",
            "opt/teamviewer/tv_bin": "",
            "usr/bin/less": "",
        },
    )
    fact = facts_of("remote_tools", tmp_path)["tools"]
    told = {t["tool"]: cause(t["running"]) or t["running"] for t in items(fact)}
    assert told == {"AnyDesk": True, "ngrok": "not_observable", "TeamViewer": "not_observable"}
    assert cause(fact) == "not_observable"
    assert all(t[WHERE] for t in items(fact))


# ---------------------------------------------------------------- hostile trees

ROOTS = ("etc/rsyslog.conf", "etc/rsyslog.d", "etc/passwd", "etc/shadow", "etc/chrony.conf", "etc/sssd/sssd.conf",
         "etc/audit/rules.d", "etc/systemd/journald.conf", "etc/systemd/journald.conf.d", "etc/logrotate.conf", "etc/nsswitch.conf",
         "etc/systemd/system", "etc/systemd/timesyncd.conf.d", "etc/audit/auditd.conf", "etc/userdb", "opt/teamviewer")  # fmt: skip
# Which probe has to notice what is wrong with each.
NOTICES = {
    "etc/rsyslog.conf": "log_forwarding", "etc/rsyslog.d": "log_forwarding", "etc/passwd": "accounts", "etc/shadow": "accounts",
    "etc/chrony.conf": "time_sync", "etc/sssd/sssd.conf": "directory", "etc/audit/rules.d": "audit_trail",
    "etc/systemd/journald.conf": "journal", "etc/systemd/journald.conf.d": "journal", "etc/logrotate.conf": "journal",
    "etc/nsswitch.conf": "directory", "etc/systemd/system": "log_forwarding", "etc/systemd/timesyncd.conf.d": "time_sync",
    "etc/audit/auditd.conf": "audit_trail", "etc/userdb": "accounts", "opt/teamviewer": "remote_tools",
}  # fmt: skip
BASE = {"etc/passwd": PASSWD, "etc/group": GROUP, "etc/shadow": SHADOW}


def causes(fact: Any) -> set[str]:
    if isinstance(fact, Unknown):
        return {fact.cause}
    if isinstance(fact, Partial):
        return {fact.missing.cause} | {c for i in fact.items for c in causes(i)}
    if isinstance(fact, Mapping):
        return {c for v in fact.values() for c in causes(v)}
    return {c for v in fact for c in causes(v)} if isinstance(fact, list) else set()


@pytest.mark.parametrize("odd", ["link out", "link up", "loop", "fifo", "device", "wrong case"])
@pytest.mark.parametrize("path", ROOTS)
def test_what_is_odd_is_said_and_never_followed(tmp_path: Path, path: str, odd: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.conf").write_text("*.* @canary.example\n")
    root = made(tmp_path / "root", **{n: t for n, t in BASE.items() if n != path})
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if odd == "fifo":
        os.mkfifo(place)
    elif odd == "device":
        os.mknod(place, 0o20666, os.makedev(1, 5))  # /dev/zero: it has no end
    elif odd == "wrong case":
        place.with_name(place.name.upper()).mkdir()
    else:
        place.symlink_to({"link out": str(outside), "link up": "../../../outside", "loop": place.name}[odd])
    for name in PROBES:
        assert "canary" not in str(answers_of(name, root))
        try:
            facts = facts_of(name, root)
        except Unreadable:
            continue
        if name == NOTICES[path]:
            assert causes(facts) & {"unreadable", "no_privilege"}, facts


def test_a_link_to_the_root_of_the_tree_is_one(tmp_path: Path) -> None:
    made(tmp_path, **{"etc/rsyslog.conf": "->/srv/rsyslog.conf", "srv/rsyslog.conf": "*.* @logs.example\n"})
    assert [t[0] for t in targets(tmp_path)] == ["logs.example"]


def test_a_file_without_end_is_no_answer(tmp_path: Path) -> None:
    made(tmp_path, **BASE)
    for path in (
        "etc/rsyslog.conf",
        "etc/ntp.conf",
        "etc/logrotate.conf",
        "etc/sssd/sssd.conf",
        "etc/audit/audit.rules",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        with (tmp_path / path).open("wb") as file:
            file.truncate(1 << 40)
    for name in ("log_forwarding", "time_sync", "journal", "directory", "audit_trail"):
        assert "truncated" in causes(facts_of(name, tmp_path)), name


@pytest.mark.parametrize("name", PROBES)
def test_a_tree_with_nothing_of_it_says_nothing(tmp_path: Path, name: str) -> None:
    facts = facts_of(name, made(tmp_path))
    assert set(probe(name).facts["properties"]) <= set(facts)
    for key in probe(name).facts["properties"]:
        assert cause(facts[key]) == "not_observable", (key, facts[key])
        assert not isinstance(facts[key], Partial) or not facts[key].items


PIECES = [
    *'abA=:,()!\\"# \n\t@*%/.-_x1{}[]<>|', "\n", "\n", "\xff", "\x00", "*.* @@h:1", 'action(type="omfwd" target="h")', 'ruleset(name="x"){', "}",
    "$IncludeConfig /etc/rsyslog.d/*", 'include(file="', 'network("', "log {", "destination d {", "[Journal]", "Storage=", "[Time]", "NTP=", "URL=",
    "server ", "pool ", "confdir /etc", "sourcedir ", "include /etc/chrony.conf", "-a always,exit ", "-w /etc", "-S execve", "-F ", "-D", "-e 0",
    "[sssd]", "domains = a", "[domain/a]", "id_provider", "passwd:", " sss", "[NOTFOUND=return]", "root:x:0:0::/:/bin/sh", "::::::::", "99999999999999999999",
    "/var/log/syslog {", "rotate ", "weekly", "OnAccessPrevention yes", "OnAccessIncludePath /", "ExcludePath /", "Checks ", "Example", '{"antivirusEngine": {', '"enforcementLevel": "passive"', "}}",
    "0 3 * * * root restic backup /", "* * ", "[Timer]", "OnCalendar=", "daily", "OnBootSec=", "[Service]", "ExecStart=", "restic backup ", "repositories:", "RESTIC_REPOSITORY=",
    "word", "server ", "plugin x/y-auth-pam.so login", "verify-client-cert none", "conn a", " rightauth=", "connections {", "remote-1 {", "auth = eap", "<key>",
    "<client>", "<address>h<", "</server>", "output.logstash:", "hosts: [", "- ", "[sinks.a]", 'address = "h"',
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def _answer(command: Command, texts: list[str]) -> Answer:
    if command.mask == LINKS:
        paths = [glob.replace("*", "x") for glob in command.text.split()[:6]]
        bodies = [b"/dev/null", b"../x.service", b""]
        parts = [(p.encode(), bodies[n % 3]) for n, p in enumerate(paths)]
    else:
        paths = [glob.replace("*", "x") for glob in command.text.split()]
        parts = [
            (p.encode(), MASKS[command.mask](texts[n % len(texts)].encode("latin-1"))) for n, p in enumerate(paths)
        ]
    return Output(0, b"".join(b"F %d %d %b\n%b\n" % (len(t), len(p), p, t) for p, t in parts), b"", 0.0)


@pytest.mark.parametrize("name", PROBES)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(HOSTILE, min_size=1, max_size=3))
def test_nothing_raises_but_unreadable(name: str, texts: list[str]) -> None:
    dialect = probe(name).trees["linux"]
    try:
        facts = dialect.parse({n: _answer(c, texts) for n, c in dialect.commands({}).items()}, {})
    except Unreadable:
        return
    assert set(probe(name).facts["properties"]) <= set(facts)


@pytest.mark.parametrize("mask", sorted(MASKS))
@settings(deadline=None)
@given(text=st.one_of(st.binary(max_size=400), HOSTILE.map(lambda t: t.encode("latin-1"))))
def test_no_mask_raises(mask: str, text: bytes) -> None:
    assert isinstance(MASKS[mask](text), bytes)


@pytest.mark.parametrize("mask", sorted(MASKS))
def test_every_mask_comes_to_an_end(mask: str) -> None:
    """Within the time that a test has: a file may be made to take long."""
    for piece in (b'"', b"a=1 ", b"- ", b"/* ", b'x="', b"key=(", b"[", b"<address>"):
        assert isinstance(MASKS[mask]((piece * 131072)[:131072]), bytes)


# ---------------------------------------------------------------- a real one


def test_this_machines_own_files(tmp_path: Path) -> None:
    """Whatever is installed here: every fact is told or has a cause, and no failure is a defect."""
    subprocess.run(["cp", "-a", "/etc", str(tmp_path / "etc")], check=True)
    for name in PROBES:
        facts = facts_of(name, tmp_path)
        assert set(probe(name).facts["properties"]) <= set(facts), name
        assert not causes(facts) & {"internal", "type_mismatch", "framing"}, name
    everybody = {a["account"]: a for a in items(facts_of("accounts", tmp_path)["accounts"])}
    assert everybody["root"]["uid"] == 0


def test_silence_is_a_failure_of_the_answer(tmp_path: Path) -> None:
    for name in PROBES:
        dialect = probe(name).trees["linux"]
        facts = dialect.parse({n: Failure("unreadable") for n in dialect.commands({})}, {})
        for key in probe(name).facts["properties"]:
            assert cause(facts[key]) in ("unreadable", "not_observable")


@pytest.mark.parametrize(
    "key", ["RootImage", "BindPaths", "ExtensionImages", "ExtensionDirectories", "PassEnvironment"]
)
def test_a_daemon_that_sees_other_files_is_odd(key: str) -> None:
    """Its own may then be no file of the tree; an empty value takes back, and says nothing of the kind."""
    assert MASKS["daemon"](f"[Service]\n{key}=X".encode()).split(b"\n") == [b"", b"odd"]
    assert MASKS["daemon"](f"[Service]\n{key}=".encode()).split(b"\n") == [b"", b""]
