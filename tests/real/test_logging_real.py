"""Real rsyslogd, journals, log trees and clamd, asked through the real command texts in three shells, and judged.

Everything happens in private mount and network namespaces: the machine is not changed and nothing leaves it.
"""

from __future__ import annotations

import importlib
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import namespaces
import pytest
from namespaces import Told, ask, control, in_each_shell, need, parameters

from auditor import expectations
from auditor.expectations import Scope
from auditor.model import Facts, Outcome, Partial, Unknown

pytestmark = [pytest.mark.root, pytest.mark.timeout(115)]

COLLECTOR = ("192.0.2.10", "collector.example.org")
# A machine of its own: /etc is a copy, /var/log (on disk, as a journal must be to last), /srv, /run/systemd and /mnt are empty.
MACHINE = """
mount --make-rprivate /
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mkdir -p "$disk/log" /mnt/srv /mnt/systemd/journal /mnt/clamav
mount --bind /mnt/etc /etc
mount --bind "$disk/log" /var/log
mount --bind /mnt/srv /srv
mkdir -p /run/systemd
mount --bind /mnt/systemd /run/systemd
id=$(cat /etc/machine-id)
"""

# The processes of this test and no other: tests that run beside it start daemons too.
OWN_PROCESSES = """
mkdir /mnt/shown
mount --bind /proc /mnt/shown
for p in 1 $(cat /mnt/*.pid 2>/dev/null); do
  mkdir -p /mnt/proc/$p
  for f in comm status stat cmdline; do cat /proc/$p/$f > /mnt/proc/$p/$f; done
  ln -s / /mnt/proc/$p/root
  ln -s "$(readlink /proc/$p/exe)" /mnt/proc/$p/exe || :
done
mkdir -p /mnt/proc/self
cat /proc/self/stat > /mnt/proc/self/stat
mount --bind /mnt/proc /proc
"""
# Whoever asks has just started, in each shell.
SELF = "[ ! -d /mnt/shown ] || cat /mnt/shown/self/stat > /mnt/proc/self/stat\n"
SHELLS = {name: SELF + line for name, line in namespaces.SHELLS.items()}
OWN_PROCESSES_AND_SOCKETS = "mkdir -p /mnt/proc/net\ncat /proc/net/tcp > /mnt/proc/net/tcp\n" + OWN_PROCESSES
# From here on every `sh` that root starts is one of nobody's.
AS_NOBODY = """
cp /usr/bin/busybox /mnt/busybox
cp /usr/bin/setpriv /mnt/setpriv
cat > /mnt/nobody <<'END'
#!/mnt/busybox sh
[ "$(/mnt/busybox id -u)" != 0 ] || exec /mnt/setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/busybox sh "$@"
exec /mnt/busybox sh "$@"
END
chmod 755 /mnt/nobody
mount --bind /mnt/nobody /usr/bin/dash
"""


def told(name: str, setup: str, shell: str | None = None, **how: Any) -> Told:
    """In a process namespace of its own: another test's rsyslogd is none of this host's."""
    probe = importlib.import_module(f"auditor.probes.{name}").PROBE
    return ask(probe, name, MACHINE + setup, alone=True, shell=shell, **how)


def judged(name: str, policy: str, id: str, facts: Facts) -> Outcome:
    one = control(policy, id)
    values = parameters(one) | {"hosts.log-collector.addresses": list(COLLECTOR)}
    scope = Scope(values, importlib.import_module(f"auditor.probes.{name}").PROBE.facts)
    return expectations.outcome(one["expect"], one.get("tolerate", {}), facts, scope)[0]


# ---------------------------------------------------------------- log_forwarding

RSYSLOG = """
rm -f /etc/rsyslog.d/*
printf '$WorkDirectory /mnt\\nmodule(load="imuxsock" SysSock.Use="off")\\n' > /etc/rsyslog.conf
printf 'input(type="imuxsock" Socket="/mnt/log")\\n$IncludeConfig /etc/rsyslog.d/*.conf\\n*.* /mnt/all\\n' >> /etc/rsyslog.conf
cat > /etc/rsyslog.d/90.conf <<'END'
%s
END
rsyslogd -N1
"""
START = """
rsyslogd -n -i /mnt/rsyslogd.pid >/dev/null 2>&1 &
for i in 1 2 3 4 5 6 7 8 9; do [ -s /mnt/rsyslogd.pid ] && break; sleep 0.2; done
"""
STOP = "kill $(cat /mnt/rsyslogd.pid)"

SECRETS = r"""module(load="omprog")
# *.* @@192.0.2.66
template(name="t" type="string" string="CANARY-1 \" CANARY-1
  CANARY-1")
*.* action(type="omprog" binary="/bin/true --password CANARY-1"
  template="t")
set $.token = "CANARY-1";
if $msg contains 'CANARY-1' then { action(type="omfwd"
  target="192.0.2.10" port="6514"   # over
  protocol="tcp") }
/* don't
 action(type="omfwd" target="192.0.2.77") */
ruleset(name="unused") { action(type="omfwd" target="192.0.2.88") }
*.* @192.0.2.11:5140;RSYSLOG_SyslogProtocol23Format
"""


@in_each_shell(SHELLS)
def test_a_running_rsyslogd_sends_to_the_collector_and_no_secret_leaves(shell: str) -> None:
    need("rsyslogd", "busybox")
    got = told("log_forwarding", RSYSLOG % SECRETS + START, shell, after=STOP)
    untold = Unknown("not_told", "this output module is not read")
    assert [(t["to"], t["port"], t["protocol"], t["tls"], t["active"]) for t in got.facts["targets"]] == [
        (untold, untold, "omprog", untold, True),
        ("192.0.2.10", 6514, "tcp", False, True),
        ("192.0.2.11", 5140, "udp", False, True),
    ]
    assert [isinstance(t["partial"], Unknown) for t in got.facts["targets"]] == [False, True, False]
    assert "CANARY-1" not in got.raw
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is Outcome.UNKNOWN
    assert judged("log_forwarding", "logging", "logs-sent-over-tls", got.facts) is Outcome.FAIL


def test_a_stopped_rsyslogd_sends_nothing() -> None:
    need("rsyslogd")
    got = told("log_forwarding", RSYSLOG % "*.* @@192.0.2.10:6514" + OWN_PROCESSES)
    assert [t["active"] for t in got.facts["targets"]] == [False]
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is Outcome.FAIL
    assert judged("log_forwarding", "logging", "logs-sent-over-tls", got.facts) is Outcome.FAIL


def test_rsyslog_under_tls_as_rsyslogd_accepts_it() -> None:
    need("rsyslogd")
    text = """global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="/etc/ssl/certs/ca-certificates.crt")
action(type="omfwd" target="Collector.example.org" port="6514" protocol="tcp"
  StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="collector.example.org")"""
    got = told("log_forwarding", RSYSLOG % text + START, after=STOP)
    assert [(t["to"], t["tls"]) for t in got.facts["targets"]] == [("collector.example.org", True)]
    assert judged("log_forwarding", "logging", "logs-sent-over-tls", got.facts) is Outcome.PASS
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is Outcome.WARN


@in_each_shell(SHELLS)
@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "192.0.2.77"])
def test_a_collector_that_the_hosts_file_turns_into_the_host_itself(address: str, shell: str) -> None:
    need("rsyslogd", "busybox")
    setup = f"ip link set lo up; ip addr add 192.0.2.77/32 dev lo; echo '{address} collector.example.org # moved' >> /etc/hosts\n"
    got = told(
        "log_forwarding",
        setup + RSYSLOG % "*.* @@collector.example.org:6514" + START + OWN_PROCESSES,
        shell,
        after=STOP,
    )
    assert [t["to_itself"] for t in got.facts["targets"]] == [True]
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is Outcome.FAIL


@in_each_shell(SHELLS)
@pytest.mark.parametrize(
    ("line", "partial", "outcome"),
    [
        ('module(load="imuxsock"  # of programs\n  SysSock.Use="off")', True, Outcome.FAIL),
        ('# module(load="imuxsock")\nmodule(load="imudp")\ninput(type="imudp" port="514")', True, Outcome.FAIL),
        ('module(load="imfile")\ninput(type="imfile" File="/mnt/x" Tag="x")', None, Outcome.UNKNOWN),
        (
            'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="/mnt/other")',
            False,
            Outcome.UNKNOWN,
        ),
    ],
)
def test_an_rsyslogd_that_nothing_gives_what_the_host_says(
    line: str, partial: bool | None, outcome: Outcome, shell: str
) -> None:
    need("rsyslogd", "busybox")
    setup = (RSYSLOG % f"{line}\n*.* @@192.0.2.10:6514").replace("rsyslogd -N1", "sed -i /imuxsock/d /etc/rsyslog.conf")
    got = told("log_forwarding", setup + START + OWN_PROCESSES, shell, after=STOP)
    told_of = [t["partial"] for t in got.facts["targets"]]
    assert told_of == [partial] if partial is not None else isinstance(told_of[0], Unknown)
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is outcome


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("journald", "inputs", "partial"),
    [
        ("ForwardToSyslog=no", 'module(load="imuxsock")', True),
        ("ForwardToSyslog=yes\\nMaxLevelSyslog = err", 'module(load="imuxsock")', True),
        ("ForwardToSyslog=no\\nForwardToSyslog=yes", 'module(load="imuxsock")', False),
        ("MaxLevelSyslog=info\\n[Other]\\nForwardToSyslog=no", 'module(load="imuxsock")', False),
        ("ForwardToSyslog=no", 'module(load="imuxsock")\nmodule(load="imjournal" StateFile="x")', False),
    ],
)
def test_an_rsyslogd_to_which_journald_hands_nothing(journald: str, inputs: str, partial: bool, shell: str) -> None:
    need("busybox", "systemd-analyze")
    setup = f""": > /run/systemd/journal/socket
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\\n{journald}\\n' > /etc/systemd/journald.conf.d/x.conf
cat > /etc/rsyslog.conf <<'END'
{inputs}
*.* @@192.0.2.10:6514
END
"""
    got = told("log_forwarding", setup, shell)
    assert [t["partial"] for t in got.facts["targets"]] == [partial]


@pytest.mark.parametrize(
    "queue",
    [
        'main_queue(queue.type="LinkedList" queue.discardMark="1" queue.discardSeverity="0")',
        "$MainMsgQueueDiscardSeverity 0",
        "$ActionQueueDiscardSeverity 4",
    ],
)
def test_a_queue_that_drops_messages_leaves_open_how_many_come(queue: str) -> None:
    need("rsyslogd")
    got = told("log_forwarding", RSYSLOG % f"{queue}\n*.* @@192.0.2.10:6514")
    assert [isinstance(t["partial"], Unknown) for t in got.facts["targets"]] == [True]
    got = told("log_forwarding", RSYSLOG % "$ActionQueueDiscardSeverity 8\n*.* @@192.0.2.10:6514")
    assert [t["partial"] for t in got.facts["targets"]] == [False]


@in_each_shell(SHELLS)
def test_a_condition_of_several_lines_leaves_messages_out(shell: str) -> None:
    need("rsyslogd", "busybox")
    text = """if $programname == "sshd" or
  $programname == "sudo" then
  @@192.0.2.10:6514"""
    got = told("log_forwarding", RSYSLOG % text + START + OWN_PROCESSES, shell, after=STOP)
    assert [isinstance(t["partial"], Unknown) for t in got.facts["targets"]] == [True]
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is Outcome.UNKNOWN


def test_rsyslogd_stops_a_message_for_good_in_a_called_ruleset() -> None:
    """What rsyslogd does itself: a message that a called ruleset stops comes to no later line."""
    need("rsyslogd", "logger")
    text = """ruleset(name="drop") { if $msg contains "lost" then stop }
call drop
*.* /mnt/kept
*.* @@192.0.2.10:6514"""
    say = "logger -u /mnt/log lost; logger -u /mnt/log kept; sleep 2\n"
    got = told("log_forwarding", RSYSLOG % text + START + say, after=STOP + "; cat /mnt/kept")
    assert " kept" in got.after and " lost" not in got.after
    assert [isinstance(t["partial"], Unknown) for t in got.facts["targets"]] == [True]


def test_rsyslogd_itself_expands_the_configuration_as_we_read_it() -> None:
    """What `rsyslogd -N1 -o` prints, with every include in its place, names the same targets."""
    need("rsyslogd")
    dump = "rsyslogd -N1 -o /mnt/expanded >/dev/null 2>&1; cat /mnt/expanded"
    got = told("log_forwarding", RSYSLOG % SECRETS, after=dump)
    assert "192.0.2.11:5140" in got.after
    from auditor.readers import rsyslog

    assert [t.to for t in rsyslog.targets([got.after])] == [t["to"] for t in got.facts["targets"]]


def test_rsyslogd_that_reads_another_file_is_not_judged_by_the_usual_one() -> None:
    need("rsyslogd")
    start = "cp /etc/rsyslog.conf /mnt/other.conf\n" + START.replace("-n -i", "-n -f/mnt/other.conf -i")
    got = told("log_forwarding", RSYSLOG % "*.* @@Collector.example.org:6514" + start, after=STOP)
    assert isinstance(got.facts["targets"], Partial)
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is Outcome.UNKNOWN


REACH = ("log_forwarding", "logging", "logs-reach-a-declared-collector")
LISTENING = """
ip link set lo up
ip addr add 192.0.2.10/24 dev lo
printf 'module(load="imtcp")\\ninput(type="imtcp" port="6514")\\n*.* /mnt/collected\\n' > /mnt/collector.conf
rsyslogd -n -f /mnt/collector.conf -i /mnt/collector >/dev/null 2>&1 &
for i in $(seq 50); do grep -q ':1972 00000000:0000 0A' /proc/net/tcp && break; sleep 0.1; done
"""
SENDING = (
    """
cat > /etc/rsyslog.conf <<'END'
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="/mnt/log")
$IncludeConfig /etc/rsyslog.d/*.conf
END
rm -f /etc/rsyslog.d/*
echo '*.* action(type="omfwd" target="192.0.2.10" port="6514" protocol="tcp")' > /etc/rsyslog.d/90.conf
"""
    + START
    + "logger -u /mnt/log hello\n"
    + "for i in $(seq 30); do grep -q '00C0:1972 01 ' /proc/net/tcp && break; sleep 0.1; done\n"
)
# Both ends are on this host here: the connection is shown as a host shows one to elsewhere, whose address is none of its own.
FROM_HERE = "ip addr del 192.0.2.10/24 dev lo || :\n" + OWN_PROCESSES_AND_SOCKETS.replace(
    "> /mnt/proc/net/tcp", "| grep -v ' 0A ' > /mnt/proc/net/tcp"
)
SENT = "kill $(cat /mnt/rsyslogd.pid) $(cat /mnt/collector) || :"


def sender(setup: str, shell: str | None = None) -> tuple[Facts, Outcome]:
    need("rsyslogd", "logger", "busybox")
    got = told("log_forwarding", setup + FROM_HERE, shell, after=SENT)
    return got.facts, judged(*REACH, got.facts)


@in_each_shell(SHELLS)
def test_a_collector_to_which_a_connection_is_open(shell: str) -> None:
    facts, outcome = sender(LISTENING + SENDING, shell)
    assert [(t["connected"], t["link"]) for t in facts["targets"]] == [(True, True)]
    assert outcome is Outcome.PASS


def test_a_collector_that_takes_no_connection() -> None:
    facts, outcome = sender("ip link set lo up\n" + SENDING)
    assert [(t["connected"], t["link"]) for t in facts["targets"]] == [(False, False)]
    assert outcome is Outcome.WARN


@in_each_shell(SHELLS)
@pytest.mark.parametrize(
    "edit",
    [
        "echo '# other' >> /etc/rsyslog.d/90.conf",
        "touch /etc/rsyslog.conf",
        "echo '*.* @@192.0.2.10:6514' > /etc/rsyslog.d/80.conf",
        "touch /etc/rsyslog.d/x; rm /etc/rsyslog.d/x",
        "echo '# other' >> /mnt/linked",
        "cp -p /etc/rsyslog.d/90.conf /etc/x; touch -d '9 days ago' /etc/x; mv /etc/x /etc/rsyslog.d/90.conf",
    ],
    ids=["edited", "main", "added", "removed", "behind-a-link", "old-stamp"],
)
def test_settings_edited_and_not_loaded_are_not_those_that_run(edit: str, shell: str) -> None:
    linked = SENDING.replace("90.conf\n", "90.conf\n: > /mnt/linked; ln -s /mnt/linked /etc/rsyslog.d/70.conf\n", 1)
    facts, outcome = sender(LISTENING + linked + f"sleep 3.1\n{edit}\n", shell)
    assert isinstance(facts["targets"], Partial)
    assert "changed after rsyslog started" in facts["targets"].missing.detail
    assert outcome is Outcome.UNKNOWN


@in_each_shell(SHELLS)
@pytest.mark.parametrize("edit", ["", "sleep 3.1; echo '# x' > /etc/systemd/journal-upload.conf.d/x.conf\n"])
def test_journal_upload_is_told_from_journald_and_dated(edit: str, shell: str) -> None:
    """What runs here is another program, at its path: without a collector it would end at once."""
    need("busybox")
    start = """mkdir -p /etc/systemd/journal-upload.conf.d
printf '[Upload]\\nURL=https://192.0.2.10\\n' > /etc/systemd/journal-upload.conf
cp /usr/bin/sleep /mnt/sleep
mount --bind /mnt/sleep /lib/systemd/systemd-journal-upload
/lib/systemd/systemd-journal-upload 100 >/dev/null 2>&1 &
sleep 0.3
"""
    got = told("log_forwarding", start + edit, shell)
    assert ("\nO journal-upload /etc/systemd/journal-upload.conf.d" in got.raw) is bool(edit)
    assert "\nO journal-upload ?" not in got.raw


def test_a_restart_loads_them() -> None:
    again = "sleep 3.1\necho '# other' >> /etc/rsyslog.d/90.conf\nkill $(cat /mnt/rsyslogd.pid)\nsleep 0.5\n" + START
    _, outcome = sender(LISTENING + SENDING + again + "logger -u /mnt/log hello\nsleep 0.5\n")
    assert outcome is Outcome.PASS


def test_a_copy_of_another_program_is_no_rsyslogd() -> None:
    need("rsyslogd", "setpriv")
    start = """chmod 755 /mnt
cp /usr/bin/sleep /mnt/rsyslogd
setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/rsyslogd 100 >/dev/null 2>&1 &
echo $! > /mnt/rsyslogd.pid
sleep 0.5
"""
    got = told("log_forwarding", RSYSLOG % "*.* @@Collector.example.org:6514" + start + OWN_PROCESSES, after=STOP)
    assert [t["active"] for t in got.facts["targets"]] == [False]
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is Outcome.FAIL


AGENTS = """
mkdir -p /etc/fluent-bit /etc/filebeat/modules.d /etc/systemd/journal-upload.conf.d /etc/fluent /etc/vector /etc/promtail
mkdir -p /etc/alloy /etc/nxlog
printf '[Upload]\\nURL=https://u:CANARY/-6@192.0.2.10\\n' > /etc/systemd/journal-upload.conf.d/w.conf
printf '[Upload]\\nURL=https://u:CANARY-6@192.0.2.10/CANARY-6\\n' > /etc/systemd/journal-upload.conf.d/x.conf
cat > /etc/fluent-bit/fluent-bit.conf <<'END'
[SERVICE]
    HTTP_Passwd CANARY-6
[OUTPUT]
    Name  stdout
[OUTPUT]
    Name  es
    Match *
    Host  192.0.2.11
    Port  9200
    HTTP_Passwd CANARY-6
    tls   On
    tls.verify_hostname On
END
cat > /etc/filebeat/filebeat.yml <<'END'
filebeat.inputs:
  - type: filestream
    hosts: ["CANARY-6"]
output.elasticsearch:
  hosts:
    - "https://u:CANARY-6@192.0.2.12:9200/CANARY-6"
    - "192.0.2.13:9200"
    - "http://u:CANARY/6@192.0.2.99:CANARY-6"
  password: "CANARY-6"
  api_key: |
    hosts: CANARY-6
  headers: {"X": "CANARY-6"}
#output.logstash:
#  hosts: ["192.0.2.66:5044"]
logging.level: info
END
printf -- '- module: redis\\n  log:\\n    enabled: true\\n  slowlog:\\n    hosts: ["CANARY-6"]\\n' > /etc/filebeat/modules.d/redis.yml
chmod 600 /etc/filebeat/filebeat.yml
cat > /etc/fluent/fluentd.conf <<'END'
<match **>
  @type forward
  transport tls
  <server>
    host 192.0.2.15
    shared_key CANARY-6
  </server>
  <security>
    self_hostname CANARY-6
  </security>
</match>
END
cat > /etc/vector/vector.toml <<'END'
[sinks.out]
type = "loki"
inputs = ["x"]
endpoint = "https://u:CANARY-6@192.0.2.16:3100/CANARY-6?t=CANARY-6"
auth.password = "CANARY-6"
headers = { key = "CANARY-6" }
[transforms.x]
source = \'\'\'
endpoint = "CANARY-6"
\'\'\'
END
cat > /etc/promtail/config.yml <<'END'
clients:
- url: https://192.0.2.17/loki/api/v1/push
  basic_auth:
    password: CANARY-6
END
cat > /etc/alloy/config.alloy <<'END'
loki.write "c" {
  endpoint {
    url = "https://192.0.2.18/CANARY-6"
    basic_auth {
      password = "CANARY-6"
    }
  }
}
END
cat > /etc/nxlog/nxlog.conf <<'END'
<Output out>
  Module om_ssl
  Host 192.0.2.19:6514
  CertKeyPass CANARY-6
</Output>
<Route r>
  Path in => out
</Route>
END
mkdir -p /mnt/opt/splunkforwarder/etc/system/local /mnt/opt/Elastic/Agent
cat > /mnt/opt/splunkforwarder/etc/system/local/outputs.conf <<'END'
[tcpout:g]
server = 192.0.2.20:9997
useSSL = true
sslPassword = CANARY-6
[httpout]
httpEventCollectorToken = CANARY-6
uri = https://192.0.2.21:8088
END
cat > /mnt/opt/Elastic/Agent/elastic-agent.yml <<'END'
outputs:
  default:
    type: elasticsearch
    hosts: ["https://192.0.2.22:9200"]
    api_key: "CANARY-6"
END
mount --bind /mnt/opt /opt
mkdir -p /mnt/var/ossec/etc /mnt/var/ossec/var/run
cat > /mnt/var/ossec/etc/ossec.conf <<'END'
<ossec_config>
  <client>
    <!-- <server><address>192.0.2.66</address></server> -->
    <!--
    <server><address>192.0.2.77</address></server>
    -->
    <server>
      <address>192.0.2.14</address>
      <port>1514</port><protocol>tcp</protocol>
    </server>
    <enrollment><key>CANARY-6</key></enrollment>
  </client>
  <localfile>
    <location>journald</location>
    <log_format>journald</log_format>
  </localfile>
  <localfile>
    <log_format>command</log_format>
    <command>login --password CANARY-6</command>
  </localfile>
</ossec_config>
END
printf "status='connected'\\nlast_ack='CANARY-6'\\n" > /mnt/var/ossec/var/run/wazuh-agentd.state
mount --bind /mnt/var /var
"""


@in_each_shell(SHELLS)
def test_the_other_agents_where_they_send_and_not_their_passwords(shell: str) -> None:
    need("busybox")
    got = told("log_forwarding", RSYSLOG % "" + AGENTS + OWN_PROCESSES, shell)
    assert "CANARY" not in got.raw
    cipher = Unknown("not_told", "Wazuh has an encryption of its own")
    known = [t for t in got.facts["targets"] if not isinstance(t["to"], Unknown)]
    assert [(t["agent"], t["to"], t["port"], t["tls"], t["verifies"]) for t in known] == [
        ("journal-upload", "192.0.2.10", 19532, True, "name"),
        ("fluent-bit", "192.0.2.11", 9200, True, "name"),
        ("fluentd", "192.0.2.15", 24224, True, "name"),
        ("vector", "192.0.2.16", 3100, True, "name"),
        ("wazuh", "192.0.2.14", 1514, cipher, cipher),
        ("filebeat", "192.0.2.12", 9200, True, "name"),
        ("filebeat", "192.0.2.13", 9200, False, "nothing"),
        ("elastic-agent", "192.0.2.22", 9200, True, "name"),
        ("promtail", "192.0.2.17", 443, True, "name"),
        ("alloy", "192.0.2.18", 443, True, "name"),
        ("nxlog", "192.0.2.19", 6514, True, "authority"),
        ("splunk", "192.0.2.20", 9997, True, "nothing"),
    ]
    wazuh = next(t for t in known if t["agent"] == "wazuh")
    assert (wazuh["connected"], wazuh["partial"]) == (True, False)
    untold = [t["agent"] for t in got.facts["targets"] if isinstance(t["to"], Unknown)]
    assert untold == ["vector", "filebeat", "filebeat", "splunk"]  # what could not be read for sure


def test_what_only_root_may_read_is_unknown_to_others() -> None:
    """Asked as a plain user, with no way to become root: the list is incomplete, not empty."""
    need("rsyslogd", "setpriv", "busybox")
    got = told(
        "log_forwarding", RSYSLOG % "*.* @@192.0.2.10:6514" + "chmod 700 /etc/rsyslog.d\n" + AS_NOBODY, become=False
    )
    targets = got.facts["targets"]
    assert isinstance(targets, Partial)
    assert (targets.items, targets.missing.cause) == ((), "no_privilege")
    assert judged("log_forwarding", "logging", "logs-reach-a-declared-collector", got.facts) is Outcome.UNKNOWN


# ---------------------------------------------------------------- rsyslog to a second rsyslog, under TLS

# An authority; the collector's certificate, and that of another machine, both of that authority. The collector runs beside
# the machine, at 192.0.2.10 on the loopback interface, and is none of its processes.
COLLECTED = (
    """
ip link set lo up
ip addr add 192.0.2.10/32 dev lo
mkdir -p /mnt/pki /mnt/spool
cd /mnt/pki
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem 2>/dev/null
for n in collector.example.org other.example.org; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=$n -keyout $n.key -out $n.csr 2>/dev/null
  printf 'subjectAltName=DNS:%%s' $n > $n.ext
  openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $n.ext -out $n.pem 2>/dev/null
done
cd /
cat > /mnt/collector.conf <<'END'
global(DefaultNetstreamDriver="%(driver)s" DefaultNetstreamDriverCAFile="/mnt/pki/ca.pem"
  DefaultNetstreamDriverCertFile="/mnt/pki/%(peer)s.pem" DefaultNetstreamDriverKeyFile="/mnt/pki/%(peer)s.key" WorkDirectory="/mnt/spool")
module(load="imtcp" StreamDriver.Name="%(driver)s" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" port="6514")
*.* /mnt/collected
END
rsyslogd -n -f /mnt/collector.conf -i /mnt/collector > /mnt/collector.log 2>&1 &
for i in $(seq 100); do grep -q ':1972 00000000:0000 0A' /proc/net/tcp && break; sleep 0.1; done
rm -f /etc/rsyslog.d/*
cat > /etc/rsyslog.conf <<'END'
global(DefaultNetstreamDriverCAFile="/mnt/pki/ca.pem" WorkDirectory="/mnt")
module(load="imuxsock" Socket="/mnt/log" SysSock.Use="off")
input(type="imuxsock" Socket="/mnt/log")
*.* action(type="omfwd" target="192.0.2.10" port="6514" protocol="tcp" StreamDriver="%(driver)s" StreamDriverMode="1" %(auth)s)
END
"""
    + START
    + """
logger -u /mnt/log arrived
for i in $(seq 60); do grep -q arrived /mnt/collected && grep -q '00C0:1972 01 ' /proc/net/tcp && break; sleep 0.1; done
"""
)
COLLECTED_END = "kill $(cat /mnt/rsyslogd.pid) $(cat /mnt/collector)\nsleep 0.5\ngrep -c arrived /mnt/collected || :"
NAMED = 'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="collector.example.org"'
CERTIFIED = 'StreamDriverAuthMode="x509/certvalid"'
RIGHT, WRONG = "collector.example.org", "other.example.org"


@pytest.mark.parametrize("driver", ["ossl", "gtls"])
@pytest.mark.parametrize(
    ("auth", "peer", "verifies", "arrives", "outcome"),
    [
        (NAMED, RIGHT, "name", True, Outcome.PASS),
        (NAMED, WRONG, "name", False, Outcome.PASS),
        (CERTIFIED, WRONG, "authority", True, Outcome.WARN),
        ('StreamDriverAuthMode="anon"', WRONG, "nothing", True, Outcome.FAIL),
        ("", RIGHT, "name", False, Outcome.PASS),  # without a mode: the name must be the target's, here an address
    ],
)
def test_what_rsyslog_verifies_of_a_real_collector(
    driver: str, auth: str, peer: str, verifies: str, arrives: bool, outcome: Outcome
) -> None:
    """The messages arrive, or do not, as what is read of the configuration says."""
    need("rsyslogd", "openssl", "logger")
    setup = COLLECTED % {"driver": driver, "auth": auth, "peer": peer}
    got = told("log_forwarding", setup + OWN_PROCESSES_AND_SOCKETS, after=COLLECTED_END)
    [target] = got.facts["targets"]
    assert (target["to"], target["tls"], target["verifies"], target["active"]) == ("192.0.2.10", True, verifies, True)
    assert (got.after.strip() not in ("", "0")) is arrives
    assert target["connected"] is True or not arrives
    assert judged("log_forwarding", "logging", "logs-sent-over-tls", got.facts) is outcome


def test_mode_zero_is_plain() -> None:
    need("rsyslogd")
    text = COLLECTED % {"driver": "ossl", "auth": NAMED, "peer": RIGHT}
    plain = text.replace('StreamDriverMode="1"', 'StreamDriverMode="0"')
    got = told("log_forwarding", plain + OWN_PROCESSES_AND_SOCKETS, after=COLLECTED_END)
    assert [(t["tls"], t["verifies"]) for t in got.facts["targets"]] == [(False, "nothing")]
    assert judged("log_forwarding", "logging", "logs-sent-over-tls", got.facts) is Outcome.FAIL


# ---------------------------------------------------------------- journal

# A journal as journald writes it, holding two entries, DAYS old and now.
JOURNAL = """
: > /run/systemd/journal/socket
mkdir -p /var/log/journal/$id
touch -d '%(machine)s days ago' /etc/machine-id /etc/ssh/ssh_host_*_key.pub
for d in %(days)s 0; do
  echo "__REALTIME_TIMESTAMP=$(( $(date +%%s) - d * 86400 ))000000"
  printf '_HOSTNAME=here\\nMESSAGE=CANARY-2\\n\\n'
done | /lib/systemd/systemd-journal-remote -o /var/log/journal/$id/system.journal -
"""
REMOTE = "/lib/systemd/systemd-journal-remote"
BUFFER = ("journal", "logging", "local-logs-survive-a-collector-outage")


@in_each_shell(SHELLS)
def test_a_persistent_journal_of_ten_days(shell: str) -> None:
    need(REMOTE, "journalctl", "systemd-analyze")
    got = told("journal", JOURNAL % {"days": 10, "machine": 400}, shell)
    assert got.facts["persistent"] is True
    assert got.facts["local_days"] == got.facts["oldest_entry_days"] == pytest.approx(10, abs=0.2)
    assert "CANARY-2" not in got.raw
    assert judged(*BUFFER, got.facts) is Outcome.PASS


def test_a_journal_that_was_evicted() -> None:
    need(REMOTE)
    got = told("journal", JOURNAL % {"days": 3, "machine": 400})
    assert judged(*BUFFER, got.facts) is Outcome.FAIL


@pytest.mark.parametrize("shell", SHELLS)
def test_the_journal_of_somebody_who_seldom_comes_is_not_the_systems(shell: str) -> None:
    need(REMOTE, "journalctl")
    rare = (JOURNAL % {"days": 300, "machine": 400}).replace("system.journal", "user-1000.journal")
    got = told("journal", JOURNAL % {"days": 2, "machine": 400} + rare, shell)
    assert got.facts["local_days"] == pytest.approx(2, abs=0.2)
    assert judged(*BUFFER, got.facts) is Outcome.FAIL


def test_a_young_machine() -> None:
    need(REMOTE)
    got = told("journal", JOURNAL % {"days": 3, "machine": 3})
    assert got.facts["since_installation"] is True
    assert judged(*BUFFER, got.facts) is Outcome.WARN


def test_a_drop_in_makes_the_journal_volatile() -> None:
    need(REMOTE, "systemd-analyze")
    drop_in = "mkdir -p /etc/systemd/journald.conf.d\nprintf '[Journal]\\nStorage=volatile\\n' > /etc/systemd/journald.conf.d/x.conf\n"
    got = told("journal", JOURNAL % {"days": 10, "machine": 400} + drop_in)
    assert (got.facts["storage"], got.facts["persistent"]) == ("volatile", False)
    assert judged(*BUFFER, got.facts) is Outcome.FAIL


def test_without_privilege_the_journal_is_unknown() -> None:
    need(REMOTE)
    got = told("journal", JOURNAL % {"days": 10, "machine": 400}, become=False)
    assert isinstance(got.facts["local_days"], Unknown)
    assert judged(*BUFFER, got.facts) is Outcome.UNKNOWN


@in_each_shell(SHELLS)
def test_syslog_files_rotated_and_compressed_without_a_year(shell: str) -> None:
    setup = """
touch -d '400 days ago' /etc/machine-id /etc/ssh/ssh_host_*_key.pub
cd /var/log
echo "$(date '+%b %e %T') here cron: CANARY-3" > syslog
: > syslog.1
echo "$(date -d '20 days ago' '+%b %e %T') here cron: CANARY-3" | gzip > syslog.2.gz
touch -d '14 days ago' syslog.2.gz
cd /
"""
    need("gzip")
    got = told("journal", setup, shell)
    assert (got.facts["persistent"], got.facts["journal_persistent"]) == (True, False)
    assert got.facts["local_days"] == pytest.approx(20, abs=0.2)
    assert "CANARY-3" not in got.raw
    assert judged(*BUFFER, got.facts) is Outcome.PASS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_syslog_file_that_was_put_aside_does_not_reach_back(shell: str) -> None:
    setup = """
touch -d '400 days ago' /etc/machine-id /etc/ssh/ssh_host_*_key.pub
echo "$(date '+%b %e %T') here cron: CANARY-3" > /var/log/syslog
echo "$(date -d '300 days ago' '+%b %e %T') here cron: CANARY-3" > /var/log/syslog-before-we-moved
touch -d '290 days ago' /var/log/syslog-before-we-moved
"""
    got = told("journal", setup, shell)
    assert got.facts["local_days"] == pytest.approx(0, abs=0.2)
    assert judged(*BUFFER, got.facts) is Outcome.FAIL


# ---------------------------------------------------------------- log_archive

RETENTION = ("log_archive", "logging", "collected-logs-reach-back-about-twelve-months")
LONGEST = ("log_archive", "logging", "collected-logs-go-after-about-twelve-months")
SETTINGS = ("log_archive", "logging", "collector-set-and-sized-for-about-twelve-months")
STAMPS = ("log_archive", "logging", "collected-records-carry-year-zone-and-fraction")
# Three senders that still send, one that stopped; files by address, by name and by date.
TREE = """
w() { mkdir -p "${1%%/*}"; echo "$(date -d "$2 days ago" +%%Y-%%m-%%dT%%H:%%M:%%S+00:00) x CANARY-4" > "$1"; touch -d "$3 days ago" "$1"; }
w /var/log/remote/10.0.0.5/auth.log $((%(days)s - 9)) 0
w /var/log/remote/10.0.0.5/auth.log-20260101 %(days)s %(days)s
w /var/log/remote/10.0.0.6.log 0 0
w /var/log/remote/10.0.0.6.log.1 %(others)s 19
w /var/log/remote/2026/01/web01.log %(others)s 0
w /var/log/remote/gone/auth.log %(gone)s %(gone)s
gzip /var/log/remote/10.0.0.5/auth.log-20260101
"""


@pytest.mark.parametrize(
    ("days", "others", "gone", "outcome", "longest"),
    [
        (350, 355, 360, Outcome.PASS, Outcome.PASS),
        (310, 355, 360, Outcome.WARN, Outcome.PASS),
        (100, 355, 360, Outcome.WARN, Outcome.PASS),  # one machine came later, or its records were cut
        (350, 100, 360, Outcome.FAIL, Outcome.PASS),
        (420, 355, 360, Outcome.PASS, Outcome.WARN),
        (350, 355, 420, Outcome.PASS, Outcome.WARN),  # what a machine left behind
        (350, 355, 1200, Outcome.PASS, Outcome.FAIL),
    ],
)
def test_a_tree_of_collected_files(days: int, others: int, gone: int, outcome: Outcome, longest: Outcome) -> None:
    need("gzip")
    got = told("log_archive", TREE % {"days": days, "others": others, "gone": gone})
    assert got.facts["oldest_record_days"] == pytest.approx(max(days, others, gone), abs=0.3)
    assert got.facts["shortest_reach_days"] == pytest.approx(min(days, others), abs=0.3)
    assert got.facts["typical_reach_days"] == pytest.approx(others, abs=0.3)
    assert got.facts["senders"] == 4
    named = {s["sender"]: s["newest_record_hours"] for s in got.facts["named_senders"]}
    assert (sorted(named), named["gone"]) == (
        ["10.0.0.5", "10.0.0.6", "gone", "web01"],
        pytest.approx(24 * gone, abs=1),
    )
    assert "CANARY-4" not in got.raw
    assert judged(*RETENTION, got.facts) is outcome
    assert judged(*LONGEST, got.facts) is longest


PUT_ASIDE = """
w() { mkdir -p "${1%/*}"; echo "$(date -d "$2 days ago" +%Y-%m-%dT%H:%M:%S+00:00) x" > "$1"; touch -d "$3 days ago" "$1"; }
for h in a b c; do
w /var/log/remote/$h/syslog 1 0
w /var/log/remote/$h/syslog.1 7 1
w /var/log/remote/$h/before-we-moved 370 360
done
"""
YEARLY = PUT_ASIDE.replace("syslog 1 0", "syslog 330 0").replace("syslog.1 7 1", "syslog.1 365 330")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("files", "days", "outcome"), [(PUT_ASIDE, 7, Outcome.FAIL), (YEARLY, 370, Outcome.PASS)], ids=["aside", "yearly"]
)
def test_a_file_that_was_put_aside_is_no_year_of_records(files: str, days: int, outcome: Outcome, shell: str) -> None:
    got = told("log_archive", files, shell)
    assert got.facts["shortest_reach_days"] == got.facts["typical_reach_days"] == pytest.approx(days, abs=0.3)
    assert judged(*RETENTION, got.facts) is outcome


@in_each_shell(SHELLS)
def test_a_journal_of_remote_hosts_and_a_tree_that_the_policy_names(shell: str) -> None:
    need(REMOTE)
    setup = """
mkdir -p /var/log/journal/remote
while read -r d h; do
  printf "__REALTIME_TIMESTAMP=$(( $(date +%s) - d * 86400 ))000000\\n_HOSTNAME=$h\\nMESSAGE=CANARY-5\\n\\n"
done <<'END' | /lib/systemd/systemd-journal-remote -o /var/log/journal/remote/remote.journal -
370 gone; *
360 web01
350 -web02 $(x)
0 web01
0 -web02 $(x)
END
mkdir -p '/srv/our logs'
date -d '352 days ago' +%Y-%m-%dT%H:%M:%S+00:00 > '/srv/our logs/web01.log'
"""
    got = told("log_archive", setup, shell, args={"directories": ["/srv/our logs"]})
    assert [(s["path"], s["senders"]) for s in got.facts["stores"]] == [
        ("/var/log/journal/remote", 3),
        ("/srv/our logs", 1),
    ]
    assert got.facts["oldest_record_days"] == pytest.approx(370, abs=0.3)
    assert got.facts["shortest_reach_days"] == pytest.approx(350, abs=0.3)
    assert [(s["sender"], s["store"], s["newest_record_hours"] < 1) for s in got.facts["named_senders"]] == [
        ("-web02 $(x)", "/var/log/journal/remote", True),
        ("gone; *", "/var/log/journal/remote", False),
        ("web01", "/var/log/journal/remote", True),
        ("web01", "/srv/our logs", True),
    ]
    assert "CANARY-5" not in got.raw
    assert judged(*RETENTION, got.facts) is Outcome.PASS


@in_each_shell(SHELLS)
def test_journals_of_one_host_each_name_their_sender(shell: str) -> None:
    """Live and archived files, in one look; the newest of them counts."""
    need(REMOTE)
    setup = """
mkdir -p /var/log/journal/remote
w() { printf "__REALTIME_TIMESTAMP=$(( $(date +%s) - $1 * 86400 ))000000\n_HOSTNAME=short\nMESSAGE=CANARY-8\n\n" |
  /lib/systemd/systemd-journal-remote -o "/var/log/journal/remote/$2" -; }
w 0 remote-192.0.2.7.journal
w 9 remote-web01.example.org@0123456789abcdef0123456789abcdef-0000000000000001-0006494528f54e40.journal
w 2 remote-web01.example.org.journal
"""
    got = told("log_archive", setup, shell)
    named = {s["sender"]: s["newest_record_hours"] for s in got.facts["named_senders"]}
    assert named == {
        "192.0.2.7": pytest.approx(0, abs=0.2),
        "short": pytest.approx(0, abs=0.2),
        "web01.example.org": pytest.approx(48, abs=0.2),
    }
    assert "CANARY-8" not in got.raw
    assert judged(*STAMPS, got.facts) is Outcome.PASS


# A collector of 20 days, and what is set to delete.
YOUNG = """
mkdir -p /var/log/remote/web01
rm -f /etc/logrotate.d/*
date -d '20 days ago' +%%Y-%%m-%%dT%%H:%%M:%%S.123456+00:00 > /var/log/remote/web01/syslog.log
%s
"""
CRON = "echo '5 4 * * * root find /var/log/remote -type f -mtime +%d -delete # CANARY-9' > /etc/cron.d/logs"
LOGROTATE = "printf '/var/log/remote/*/*.log {\\n daily\\n rotate %d\\n}\\n' > /etc/logrotate.d/remote"
TMPFILES = "mkdir -p /etc/tmpfiles.d\necho 'e /var/log/remote - - - %dd' > /etc/tmpfiles.d/logs.conf"
SCRIPT = "printf '#!/bin/sh\\npassword=CANARY-9\\nfind /var/log -mtime +%d -exec rm {} +\\n' > /etc/cron.daily/logs"


@in_each_shell(SHELLS)
@pytest.mark.parametrize("setting", [CRON, LOGROTATE, TMPFILES, SCRIPT])
def test_what_deletes_by_age(setting: str, shell: str) -> None:
    need("busybox")
    got = told("log_archive", YOUNG % (setting % 365), shell)
    assert got.facts["configured_days"] == 365
    assert got.facts["room_days"] > 365
    assert "CANARY-9" not in got.raw
    assert judged(*SETTINGS, got.facts) is Outcome.PASS
    assert judged(*STAMPS, got.facts) is Outcome.PASS


@pytest.mark.parametrize(
    ("setting", "outcome"), [(CRON % 30, Outcome.FAIL), (TMPFILES % 310, Outcome.WARN), ("", Outcome.UNKNOWN)]
)
def test_a_setting_that_takes_the_year_away_or_none(setting: str, outcome: Outcome) -> None:
    need()
    assert judged(*SETTINGS, told("log_archive", YOUNG % setting).facts) is outcome


def test_journals_whose_limit_holds_no_year() -> None:
    """A vacuum of a year keeps nothing that MaxUse= has taken before."""
    need(REMOTE)
    setup = """
mkdir -p /var/log/journal/remote /etc/systemd/journal-remote.conf.d
for d in 20 0; do
  printf "__REALTIME_TIMESTAMP=$(( $(date +%%s) - d * 86400 ))000000\n_HOSTNAME=web01\nMESSAGE=x\n\n"
done | /lib/systemd/systemd-journal-remote -o /var/log/journal/remote/remote-web01.journal -
printf '[Service]\nExecStart=journalctl -D /var/log/journal/remote --vacuum-time=1year\n' > /etc/systemd/system/vacuum.service
printf '[Remote]\nMaxUse=%s\nKeepFree=1K\n' > /etc/systemd/journal-remote.conf.d/x.conf
"""
    small, large = (told("log_archive", setup % size).facts for size in ("10M", "100G"))
    assert small["configured_days"] == pytest.approx(365, abs=0.5)
    assert 20 < small["room_days"] < 60
    assert judged(*SETTINGS, small) is Outcome.FAIL
    assert large["room_days"] > small["room_days"]


@pytest.mark.parametrize(
    ("commissioned", "setting", "outcome"),
    [
        (20, CRON % 365, Outcome.WARN),  # not yet provable
        (20, CRON % 30, Outcome.FAIL),
        (20, "", Outcome.UNKNOWN),
        (400, CRON % 365, Outcome.FAIL),  # what came before was cut
        (None, CRON % 365, Outcome.FAIL),
    ],
)
def test_a_young_collector(commissioned: int | None, setting: str, outcome: Outcome) -> None:
    need()
    day = None if commissioned is None else (datetime.now(UTC) - timedelta(days=commissioned)).date().isoformat()
    got = told("log_archive", YOUNG % setting, args={"commissioned_at": day} if day else {})
    assert got.facts["since_commissioning"] is (None if day is None else commissioned == 20)
    assert judged(*RETENTION, got.facts) is outcome


@pytest.mark.parametrize(
    ("stamp", "outcome"),
    [
        ("+%b %e %T", Outcome.FAIL),
        ("+%Y-%m-%dT%H:%M:%S", Outcome.FAIL),
        ("+%Y-%m-%dT%H:%M:%SZ", Outcome.WARN),
        ("+<134>1 %Y-%m-%dT%H:%M:%S.%NZ", Outcome.PASS),
        ('+{"message": "%b %e", "@timestamp": "%Y-%m-%dT%H:%M:%S.%3NZ"}', Outcome.PASS),
        ("+no stamp", Outcome.UNKNOWN),
    ],
)
@in_each_shell(SHELLS)
def test_how_records_are_stamped(stamp: str, outcome: Outcome, shell: str) -> None:
    need("busybox")
    setup = f"""
mkdir -p /var/log/remote/web01 /var/log/remote/web02
date '{stamp}' > /var/log/remote/web01/syslog.log
date -Ins | tr , . > /var/log/remote/web02/syslog.log
"""
    got = told("log_archive", setup, shell)
    assert sum(row["samples"] for row in got.facts["time_stamps"]) == 2
    assert judged(*STAMPS, got.facts) is outcome


def test_nothing_is_collected_here() -> None:
    need()
    got = told("log_archive", "")
    assert (got.facts["oldest_record_days"], got.facts["stores"]) == (None, [])
    assert judged(*RETENTION, got.facts) is Outcome.FAIL
    unseen = told("log_archive", "", become=False)
    assert judged(*RETENTION, unseen.facts) is Outcome.UNKNOWN


# ---------------------------------------------------------------- endpoint_protection

# A real clamd with a database of one signature; the header of daily.cld is what freshclam would have fetched.
CLAMAV = """
mkdir -p /mnt/db /mnt/bin
printf '44d88612fea8a8f36de82e1278abb02f:68:Test\\n' > /mnt/db/t.hdb
printf 'DatabaseDirectory /mnt/db\\nLocalSocket /mnt/clamd.sock\\nUser root\\nForeground yes\\nPidFile /mnt/clamd.pid\\n' > /mnt/clamd.conf
printf 'DatabaseDirectory /mnt/clamav\\n' > /etc/clamav/clamd.conf
rm -f /etc/clamav/freshclam.conf
printf '%%-512s' "ClamAV-VDB:$(date -d '%(days)s days ago' '+%%d %%b %%Y %%H-%%M %%z'):27820:2077000:90:X:X:raynman:1795000000" > /mnt/clamav/daily.cld
"""
CLAMD = """
clamd -c /mnt/clamd.conf >/dev/null 2>&1 &
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do [ -S /mnt/clamd.sock ] && break; sleep 0.3; done
[ -S /mnt/clamd.sock ]
"""
# clamonacc needs fanotify, which a container may refuse: a process of that name stands in for it.
WATCH = """
cp /usr/bin/sleep /mnt/bin/clamonacc
mount --bind /mnt/bin/clamonacc "$(command -v clamonacc)"
clamonacc 100 >/dev/null 2>&1 &
echo $! > /mnt/watch.pid
"""
# What nobody may run: a copy of another program, and a link to one, with the names of daemons.
IMPOSTORS = """
chmod 755 /mnt /mnt/bin
cp /usr/bin/sleep /mnt/bin/clamd
ln -s /usr/bin/sleep /mnt/bin/clamonacc
setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/bin/clamd 100 >/dev/null 2>&1 &
echo $! > /mnt/clamd.pid
setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/bin/clamonacc 100 >/dev/null 2>&1 &
echo $! > /mnt/watch.pid
sleep 0.5
"""
END = "kill $(cat /mnt/clamd.pid); kill $(cat /mnt/watch.pid 2>/dev/null) 2>/dev/null || :"
PRESENT = ("endpoint_protection", "protection", "antivirus-or-edr-running")
FRESH = ("endpoint_protection", "protection", "antivirus-or-edr-fresh")


def clam(got: Told) -> Any:
    return next(p for p in got.facts["products"] if p["product"] == "ClamAV")


@in_each_shell(SHELLS)
def test_clamd_and_its_on_access_scanner(shell: str) -> None:
    need("clamd", "busybox")
    got = told("endpoint_protection", CLAMAV % {"days": 1} + CLAMD + WATCH, shell, after=END)
    assert (clam(got)["running"], clam(got)["real_time"]) == (True, True)
    assert judged(*PRESENT, got.facts) is Outcome.PASS
    assert judged(*FRESH, got.facts) is Outcome.PASS


@in_each_shell(SHELLS)
def test_a_name_is_no_antivirus(shell: str) -> None:
    need("clamd", "setpriv", "busybox")
    got = told("endpoint_protection", CLAMAV % {"days": 1} + IMPOSTORS + OWN_PROCESSES, shell, after=END)
    assert "\t/mnt/bin/clamd\tclamd" in got.raw
    assert (clam(got)["running"], clam(got)["real_time"]) == (False, False)
    assert judged(*PRESENT, got.facts) is Outcome.FAIL
    assert judged(*FRESH, got.facts) is Outcome.FAIL


def test_what_runs_as_clamd_is_not_told_without_root() -> None:
    need("clamd", "setpriv", "busybox")
    soon_gone = CLAMD.replace("clamd -c", "timeout 30 clamd -c")  # nobody cannot end it
    got = told("endpoint_protection", CLAMAV % {"days": 1} + soon_gone + AS_NOBODY, become=False)
    assert isinstance(clam(got)["running"], Unknown)


@pytest.mark.parametrize(("days", "outcome"), [(5, Outcome.WARN), (9, Outcome.FAIL)])
def test_clamd_and_its_scanner_with_old_definitions(days: int, outcome: Outcome) -> None:
    need("clamd")
    got = told("endpoint_protection", CLAMAV % {"days": days} + CLAMD + WATCH, after=END)
    assert judged(*FRESH, got.facts) is outcome


@pytest.mark.parametrize(("days", "outcome"), [(1, Outcome.FAIL), (9, Outcome.FAIL)])
def test_clamd_that_nothing_asks_with_old_definitions(days: int, outcome: Outcome) -> None:
    need("clamd")
    got = told("endpoint_protection", CLAMAV % {"days": days} + CLAMD + OWN_PROCESSES, after=END)
    assert (clam(got)["running"], clam(got)["real_time"]) == (True, False)
    assert judged(*PRESENT, got.facts) is Outcome.FAIL
    assert judged(*FRESH, got.facts) is outcome


def test_the_header_of_a_database_as_sigtool_reads_it() -> None:
    need("sigtool")
    got = told(
        "endpoint_protection",
        CLAMAV % {"days": 2},
        after="sigtool --info /mnt/clamav/daily.cld | grep 'Build time'; date -d '2 days ago' '+%d %b %Y'",
    )
    built, day = got.after.splitlines()
    assert day in built
    assert clam(got)["signatures_age_days"] == pytest.approx(2, abs=0.1)


def test_no_shipped_text_of_these_probes_writes() -> None:
    """A redirection in the texts goes to /dev/null or to another descriptor, nowhere else."""
    for name in ("journal", "log_archive", "log_forwarding", "endpoint_protection"):
        for command in importlib.import_module(f"auditor.probes.{name}").PROBE.dialects["linux"].commands({}).values():
            if command.kind == "run":
                ran = subprocess.run(["dash", "-n", "-c", command.text], capture_output=True, text=True)
                assert (ran.returncode, ran.stderr) == (0, "")
