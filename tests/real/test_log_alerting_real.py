"""A real CrowdSec on a collector: running with its rules, without any, with rules that came later, and stopped.

It runs in private mount, network and process namespaces, its central service left out: nothing leaves the machine.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import lacking
from namespaces import Told, ask, in_each_shell, judged, need

from auditor.model import Outcome, Unknown
from auditor.probes.log_alerting import PROBE

pytestmark = [pytest.mark.root, pytest.mark.timeout(115)]

CROWDSEC = Path("/opt/auditor-tests/crowdsec")
CONTROL = "collector-looks-for-anomalies"

# /etc is a copy; the hub of rules lies where the package left it, the rest of what CrowdSec writes under /mnt.
SETUP = f"""
mount --make-rprivate /
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
rm -rf /etc/crowdsec /etc/suricata /etc/graylog
cp -a {CROWDSEC}/etc/crowdsec /etc/crowdsec
H={CROWDSEC}/usr/share/crowdsec
mkdir -p /mnt/hub /mnt/data /etc/crowdsec/scenarios /etc/crowdsec/parsers/s00-raw /etc/crowdsec/parsers/s01-parse
for i in collections parsers postoverflows scenarios .index.json; do ln -s $H/hub/$i /mnt/hub/; done
cp $H/data/* /mnt/data/
sed -i -e 's,/var/lib/crowdsec/,/mnt/,; s,/var/log,/mnt,; /online_client/,+1d; s/daemonize: true/daemonize: false/' /etc/crowdsec/config.yaml
ln -s /mnt/hub/parsers/s00-raw/crowdsecurity/syslog-logs.yaml /etc/crowdsec/parsers/s00-raw/
ln -s /mnt/hub/parsers/s01-parse/crowdsecurity/sshd-logs.yaml /etc/crowdsec/parsers/s01-parse/
: > /mnt/remote.log
printf 'filenames: [/mnt/remote.log]\\nlabels: {{type: syslog}}\\n' > /etc/crowdsec/acquis.yaml
touch /etc/crowdsec/local_api_credentials.yaml
chmod 600 /etc/crowdsec/local_api_credentials.yaml
{CROWDSEC}/usr/bin/cscli --error machines add --force collector --password CANARY-9CANARY-9CANARY-9 >&2
chmod 600 /etc/crowdsec/config.yaml
ip link set lo up
"""
RULES = "ln -s /mnt/hub/scenarios/crowdsecurity/ssh-bf.yaml /etc/crowdsec/scenarios/\n"
LATER = "sleep 3.1\n" + RULES
START = f"""
sleep 1.1
{CROWDSEC}/usr/bin/crowdsec -c /etc/crowdsec/config.yaml %s >/mnt/out 2>&1 &
for i in $(seq 100); do
  if grep -qs 'API listening' /mnt/crowdsec.log; then break; fi
  if ! kill -0 $!; then cat /mnt/out /mnt/crowdsec.log; exit 1; fi
  sleep 0.1
done
"""


def told(setup: str, become: bool = True, shell: str | None = None) -> Told:
    need("busybox")
    if not CROWDSEC.is_dir():
        lacking(f"this needs {CROWDSEC} (tests/servers.sh unpacks it)")
    return ask(PROBE, "log_alerting", SETUP + setup, alone=True, become=become, shell=shell)


def the_only(got: Told) -> tuple[object, object]:
    (product,) = got.facts["products"]
    assert (product["product"], product["watches"]) == ("CrowdSec", "logs")
    return product["running"], product["rule_files"]


@in_each_shell()
def test_crowdsec_runs_with_its_rules(shell: str) -> None:
    got = told(RULES + START % "", shell=shell)
    assert the_only(got) == (True, 1)
    assert judged(PROBE, "logging", CONTROL, got.facts) is Outcome.PASS
    assert "CANARY-9" not in got.raw


def test_crowdsec_that_was_stopped_looks_for_nothing() -> None:
    got = told(RULES + START % "" + "kill $!; wait $! || :")
    assert the_only(got) == (False, Unknown("not_told", "CrowdSec does not run"))
    assert judged(PROBE, "logging", CONTROL, got.facts) is Outcome.FAIL


def test_crowdsec_without_a_rule_looks_for_nothing() -> None:
    got = told(START % "")
    assert the_only(got) == (True, 0)
    assert judged(PROBE, "logging", CONTROL, got.facts) is Outcome.FAIL


def test_rules_that_came_after_the_start_may_not_have_been_read() -> None:
    got = told(START % "" + LATER)
    assert the_only(got) == (True, Unknown("not_told", "the rules of CrowdSec changed after it started"))
    assert judged(PROBE, "logging", CONTROL, got.facts) is Outcome.UNKNOWN


def test_crowdsec_that_only_answers_others_is_not_taken_to_look_at_logs() -> None:
    got = told(RULES + START % "-no-cs")
    assert judged(PROBE, "logging", CONTROL, got.facts) is Outcome.UNKNOWN


def test_a_collector_with_nothing_of_the_kind() -> None:
    got = told("rm -rf /etc/crowdsec")
    assert got.facts["products"] == []
    assert judged(PROBE, "logging", CONTROL, got.facts) is Outcome.FAIL


# Of these no package can be had here: files as their manuals and their own packages lay them, and a program by their name.
OTHERS = """
mount --make-rprivate /
mount -t tmpfs none /mnt
mkdir /mnt/u /mnt/w /mnt/u2 /mnt/w2 /mnt/u3 /mnt/w3
mount -t overlay overlay -o lowerdir=/var,upperdir=/mnt/u,workdir=/mnt/w /var
mount -t overlay overlay -o lowerdir=/usr,upperdir=/mnt/u2,workdir=/mnt/w2 /usr
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/u3,workdir=/mnt/w3 /etc
rm -rf /etc/crowdsec /etc/suricata
run() { cp /usr/bin/sleep "$1"; sleep 2.1; "$1" 300 >/dev/null 2>&1 & sleep 0.3; }
"""
WAZUH = """
mkdir -p /var/ossec/bin /var/ossec/etc/rules /var/ossec/ruleset/rules "/var/ossec/etc/my rules"
printf '<ossec_config><ruleset>\\n<rule_dir>etc/rules</rule_dir>\\n<!-- <rule_dir>ruleset/rules</rule_dir> -->\\n<rule_dir pattern="x">etc/my rules</rule_dir>\\n</ruleset>\\n<cluster><key>CANARY-9</key></cluster></ossec_config>\\n' > /var/ossec/etc/ossec.conf
printf '<group name="a">\\n  <rule id="1" level="5">\\n</rule></group>\\n' > /var/ossec/etc/rules/local_rules.xml
printf '<group name="a">\\n<!-- <rule id="1" level="5"> -->\\n<!--\\n<rule id="2" level="5">\\n--></group>\\n' > /var/ossec/etc/rules/off_rules.xml
printf '<rule id="3" level="0"></rule>\\n' > /var/ossec/etc/rules/quiet_rules.xml
printf '<rule id="4" level="12"></rule>\\n' > "/var/ossec/etc/my rules/more rules.xml"
printf '<rule id="5" level="12"></rule>\\n' > /var/ossec/ruleset/rules/unused.xml
chmod 750 /var/ossec
run /var/ossec/bin/wazuh-analysisd
"""
SURICATA = """
mkdir -p /etc/suricata /var/lib/suricata/rules
printf '%%YAML 1.1\\n---\\ndefault-rule-path: /var/lib/suricata/rules # here\\n\\nrule-files:\\n  - suricata.rules\\n# - off.rules\\n  - empty.rules\\nclassification-file: /x\\n' > /etc/suricata/suricata.yaml
printf 'alert tcp any any -> any any (sid:1;)\\n' > /var/lib/suricata/rules/suricata.rules
cp /var/lib/suricata/rules/suricata.rules /var/lib/suricata/rules/off.rules
printf '# alert tcp any any -> any any (sid:1;)\\n' > /var/lib/suricata/rules/empty.rules
run /usr/bin/Suricata-Main
"""
ELASTALERT = """
mkdir -p /etc/elastalert/rules/team
printf 'rules_folder: "/etc/elastalert/rules/"\\nes_password: CANARY-9\\n' > /etc/elastalert/config.yaml
printf 'name: a\\ntype: frequency\\n' > /etc/elastalert/rules/a.yaml
printf 'name: b\\ntype: any\\n' > /etc/elastalert/rules/team/b.yml
printf 'is_enabled: false\\ntype: any\\n' > /etc/elastalert/rules/team/c.yml
printf 'type: any\\nis_enabled: False\\n' > /etc/elastalert/rules/team/d.yml
run /usr/bin/elastalert
"""


@in_each_shell()
@pytest.mark.parametrize(
    ("setup", "product", "files", "outcome"),
    [
        (WAZUH, "Wazuh", 2, Outcome.PASS),
        (SURICATA, "Suricata", 1, Outcome.WARN),
        (ELASTALERT, "ElastAlert", 2, Outcome.PASS),
    ],
    ids=["wazuh", "suricata", "elastalert"],
)
def test_products_of_which_the_files_alone_are_real(
    setup: str, product: str, files: int, outcome: Outcome, shell: str
) -> None:
    need("busybox")
    got = ask(PROBE, "log_alerting", OTHERS + setup, alone=True, shell=shell)
    assert [(p["product"], p["running"], p["rule_files"]) for p in got.facts["products"]] == [(product, True, files)]
    assert judged(PROBE, "logging", CONTROL, got.facts) is outcome
    assert "CANARY-9" not in got.raw


@in_each_shell()
@pytest.mark.parametrize(
    ("alerts", "files", "outcome"),
    [
        ("<log_alert_level>7</log_alert_level>", 1, Outcome.PASS),
        ("<log_alert_level>13</log_alert_level>", 0, Outcome.FAIL),
        ("<log_alert_level>99</log_alert_level>", 0, Outcome.FAIL),
        ("<!-- <log_alert_level>13</log_alert_level> -->", 2, Outcome.PASS),
        ("<alerts_log>no</alerts_log><jsonout_output>no</jsonout_output>", 2, Outcome.UNKNOWN),
        ("<alerts_log>no</alerts_log>", 2, Outcome.PASS),
    ],
)
def test_rules_of_wazuh_that_raise_no_alert(alerts: str, files: int, outcome: Outcome, shell: str) -> None:
    need("busybox")
    got = ask(PROBE, "log_alerting", OTHERS + WAZUH.replace("<cluster>", f"{alerts}<cluster>"), alone=True, shell=shell)
    assert [(p["product"], p["rule_files"]) for p in got.facts["products"]] == [("Wazuh", files)]
    assert judged(PROBE, "logging", CONTROL, got.facts) is outcome


def test_what_is_closed_to_others_leaves_it_unknown() -> None:
    nobody = """
cp /usr/bin/busybox /usr/bin/setpriv /mnt/
printf '#!/mnt/busybox sh\\n[ "$(/mnt/busybox id -u)" != 0 ] || exec /mnt/setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/busybox sh "$@"\\nexec /mnt/busybox sh "$@"\\n' > /mnt/nobody
chmod 755 /mnt /mnt/nobody
mount --bind /mnt/nobody /usr/bin/dash
"""
    need("busybox", "setpriv")
    got = ask(PROBE, "log_alerting", OTHERS + WAZUH + nobody, alone=True, become=False)
    assert judged(PROBE, "logging", CONTROL, got.facts) is Outcome.UNKNOWN
