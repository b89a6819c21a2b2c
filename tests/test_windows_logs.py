"""Windows hosts as senders, and Windows event collectors as witnesses; what of an agent's file would leave the host.

PowerShell cannot be run here. The masking is done anew in Python with the very patterns of the question's text: it shows what
they let through, not that PowerShell does as it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from documents import written
from hypothesis import given, settings
from hypothesis import strategies as st
from make import make_estate, make_host, make_plan
from test_probes import FOLDER, answer, wrong
from test_windows_probes import shipped

from auditor.errors import Unreadable
from auditor.expectations import finding
from auditor.kinds import Probe
from auditor.probes.log_coverage import heard
from auditor.probes.windows import log_forwarding
from auditor.readers import auditpol
from auditor.readers.forwarders import flatten, windows
from auditor.shelves import probes


def facts(probe: str, case: str) -> Any:
    recorded = written((FOLDER / probe / f"windows-{case}.yaml").read_text())
    found = probes()[probe]
    assert isinstance(found, Probe)
    given_answers = {n: answer(spec) for n, spec in recorded["answers"].items()}
    return found.dialects["windows"].parse(given_answers, recorded["arguments"])


# ---------------------------------------------------------------- recorded answers, damaged

CASES = [
    p
    for name in ("audit_trail", "log_archive", "log_forwarding", "time_sync")
    for p in FOLDER.glob(f"{name}/windows-*")
]
PIECES = st.sampled_from(["", "null", "-1", '"', "9" * 40, "{", "]", "true", "0x", "1e999", "\\u0000", "S-1-5"])


@settings(deadline=None)  # a case is read from its file each time
@given(case=st.sampled_from(CASES), data=st.data())
def test_damaged_answers_break_nothing(case: Path, data: st.DataObject) -> None:
    recorded = written(case.read_text())
    found = probes()[case.parent.name]
    assert isinstance(found, Probe)
    damaged = {}
    for name, spec in recorded["answers"].items():
        text = spec.get("stdout", "")
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        damaged[name] = answer({**spec, "stdout": text[:at] + data.draw(PIECES) + text[at + cut :]})
    try:
        told = found.dialects["windows"].parse(damaged, recorded["arguments"])
    except Unreadable:
        return
    assert set(told) == set(found.facts["properties"])
    assert list(wrong(told, found.facts, "facts")) == []


# ---------------------------------------------------------------- controls

FORWARD = "windows-event-logs-reach-a-declared-collector"


@pytest.mark.parametrize(
    ("control", "case", "wanted"),
    [
        (FORWARD, "expected", "pass"),
        (FORWARD, "expected-https-part", "unknown"),
        (FORWARD, "expected-winlogbeat-part", "fail"),
        (FORWARD, "expected-azure", "unknown"),
        (FORWARD, "absent", "fail"),
        (FORWARD, "unprivileged", "unknown"),
        ("logs-sent-over-tls", "expected-winlogbeat", "pass"),
        ("logs-sent-over-tls", "expected-nxlog", "warn"),
        ("logs-sent-over-tls", "expected-winlogbeat-filtered", "fail"),
        ("logs-sent-over-tls", "expected", "unknown"),
        ("logs-sent-over-tls", "absent", "fail"),
        ("windows-logons-and-account-changes-recorded", "expected", "pass"),
        ("windows-logons-and-account-changes-recorded", "expected-french", "pass"),
        ("windows-logons-and-account-changes-recorded", "expected-defaults", "fail"),
        ("windows-logons-and-account-changes-recorded", "absent", "fail"),
        ("windows-logons-and-account-changes-recorded", "partial-other-language", "unknown"),
        ("windows-logons-and-account-changes-recorded", "unprivileged", "unknown"),
        ("windows-commands-and-scripts-recorded", "expected", "pass"),
        ("windows-commands-and-scripts-recorded", "expected-defaults", "fail"),
        ("windows-commands-and-scripts-recorded", "expected-no-script-log", "fail"),
        ("windows-commands-and-scripts-recorded", "unprivileged-registry", "unknown"),
        ("clock-synchronised", "expected", "pass"),
        ("clock-synchronised", "expected-french", "pass"),
        ("clock-synchronised", "unsynchronised", "fail"),
        ("clock-synchronised", "unsynchronised-own-clock", "fail"),
        ("clock-synchronised", "absent", "fail"),
        ("clock-synchronised", "unprivileged", "unknown"),
        ("clock-set-by-one-daemon", "expected", "pass"),
        ("clock-set-by-one-daemon", "expected-another-daemon", "fail"),
        ("clock-set-by-one-daemon", "unprivileged", "unknown"),
        ("collected-logs-reach-back-about-twelve-months", "expected", "warn"),
        ("collected-logs-reach-back-about-twelve-months", "partial-big-log", "unknown"),
        ("collected-logs-reach-back-about-twelve-months", "absent", "fail"),
        ("collected-records-carry-year-zone-and-fraction", "expected", "pass"),
        ("collected-records-carry-year-zone-and-fraction", "unprivileged", "unknown"),
    ],
)
def test_a_shipped_control(control: str, case: str, wanted: str) -> None:
    loaded = shipped()
    collector = make_host(
        "wec01.town.example",
        platform="windows",
        zone="dmz",
        roles=("log-collector",),
        aliases=("10.62.30.9", "logs.town.example"),
    )
    (chosen,) = (c for c in loaded.controls if c.id == control)
    plan = make_plan(make_estate(collector), [chosen], dict(probes()), measures=loaded.measures)
    (check,) = plan.checks_of(0)
    probe = probes()[chosen.probe]
    assert finding(check, facts(chosen.probe, case), probe.facts, 1.8e9).outcome == wanted


# ---------------------------------------------------------------- a collector as a witness

SENDER = make_host("srv01", address="srv01.town.example", platform="windows")
SILENT = make_host("pc-09", address="pc-09.town.example", platform="windows")


@pytest.mark.parametrize(
    ("case", "sender", "silent"),
    [
        ("expected", [0.2], [None]),
        ("partial-big-log", [0.2, "not_asked"], ["not_asked"]),
        ("partial-other-log", [0.2, "not_told"], ["not_told"]),
        ("partial-other-software", ["not_told"], ["not_told"]),
        ("unprivileged", ["no_privilege"], ["no_privilege"]),
    ],
)
def test_a_windows_collector_is_a_witness(case: str, sender: list[Any], silent: list[Any]) -> None:
    """Who is in none of a big log's newest records is unknown, and not silent."""
    told = heard(((h, "") for h in (SENDER, SILENT)), [("wec01", facts("log_archive", case))])
    for host, wanted in ((SENDER, sender), (SILENT, silent)):
        newest = [row["newest_record_hours"] for row in told(host.id)["collectors"]]
        assert [getattr(n, "cause", n) for n in newest] == wanted


# ---------------------------------------------------------------- what leaves the host


def listed(name: str) -> tuple[str, ...]:
    (inside,) = re.findall(rf"\${name} = @\((.*?)\)\n", log_forwarding.CONFIG, re.DOTALL)
    return tuple(re.findall(r"'([^']*)'", inside))


def patterns() -> list[str]:
    """Of -match, -notmatch and -replace, in order, as Python reads them."""
    body = log_forwarding.CONFIG.partition("foreach ($o in $g)")[2]
    found = re.findall(r"-(?:not)?(?:match|replace) '((?:[^']|'')*)'", body)
    return [p.replace("''", "'") for p in found]


SHOWN, MARKED = listed("shown"), listed("marked")
(
    _COMMENT, _CLOSES, _OPENS, _EMPTY, _MERGE, _QUERY, _ELEMENT, _PLAIN, _END, _TAG, _SECTION, _SETTING, _LAST, _ITEM, _REMARK,
    _CREDENTIALS, _AT, _PATH, _SAFE,
) = (re.compile(p, re.IGNORECASE) for p in patterns())  # fmt: skip


def masked(text: str) -> Iterator[str]:
    inside, last = False, ""
    for line in text.splitlines():
        line = _COMMENT.sub("", line)
        if inside or _OPENS.search(line):
            inside = not _CLOSES.search(line) if inside else True
        elif _EMPTY.search(line):
            continue
        elif _MERGE.search(line):
            yield "?"
        elif m := _ELEMENT.search(line):
            if _QUERY.search(line):
                yield "<query>set"
            yield f"<{m[1]}>{m[2] if _PLAIN.search(m[2]) else '?'}"
        elif _QUERY.search(line):
            yield "<query>set"
        elif _END.search(line):
            yield "end"
        elif _TAG.search(line) or _SECTION.search(line):
            yield line
        elif (m := _SETTING.search(line)) or (i := _ITEM.search(line)):
            head, value = (m[1] + m[2] + m[3] + " ", m[4]) if m else (i[1], i[2])
            last, value = _LAST.sub("", m[2].lower()) if m else last, _REMARK.sub("", value)
            if last in MARKED:
                yield head + ("set" if value else "")
            elif last in SHOWN and value:
                yield head + safe(value)
            elif not value:
                yield head


def safe(value: str) -> str:
    value = _CREDENTIALS.sub("://", value)
    value = "?" if _AT.search(value) else value
    value = _PATH.sub(r"\1", value)
    return value if _SAFE.search(value) else "?"


WINLOGBEAT = """
winlogbeat.event_logs:
  - name: Application
    ignore_older: 72h
  - name: System
  - name: Security  # all of it
#  - name: Setup
output.elasticsearch:
  hosts: ["https://beat:CANARY@es.town.example:9200/CANARY?key=CANARY"]
  username: "CANARY"
  password: "CANARY"
  api_key: id:CANARY
  headers:
    X-Token: CANARY
  ssl:
    verification_mode: full
    key_passphrase: CANARY
    key: |
      -----BEGIN PRIVATE KEY-----
      CANARY
      CANARY more
      -----END PRIVATE KEY-----
"""
LISTED = """
output.logstash:
  hosts:
  - https://beat:CANARY@a.town.example:5044
  - "b.town.example:5044"
  bulk_max_size: 50
winlogbeat.event_logs:
- name: Security
- name: System
  processors:
  - drop_event:
      when.equals.winlog.event_id: 5156
- name: Application
"""
OSSEC = """
<ossec_config>
  <client>
    <!-- <server><address>old.town.example</address></server> -->
    <!--
    <server>
      <address>older.town.example</address>
    </server>
    -->
    <server>
      <address>wazuh.town.example</address>
      <port>1514</port>
      <protocol>tcp</protocol>
    </server>
    <enrollment>
      <authorization_pass_path>CANARY</authorization_pass_path>
      <agent_key>CANARY</agent_key>
    </enrollment>
  </client>
  <localfile>
    <location>Security</location>
    <log_format>eventchannel</log_format>
    <query>Event/System[EventID != 5145]</query>
  </localfile>
</ossec_config>
"""
NXLOG = """
define PASSWORD CANARY
<Extension json>
    Module xm_json
</Extension>
<Output out>
    Module  om_http
    URL     https://nx:CANARY@nx.town.example:6514/CANARY
    Exec    $secret = "CANARY";
</Output>
<Route r>
    Path    in => out
</Route>
"""
SPLUNK = """
[tcpout]
defaultGroup=g
[tcpout:g]
server = a.town.example:9997, 10.62.30.9:9997
clientCert = C:\\CANARY.pem
sslPassword = CANARY
"""


@pytest.mark.parametrize("text", [WINLOGBEAT, LISTED, OSSEC, NXLOG, SPLUNK])
def test_no_secret_of_a_file_leaves_the_host(text: str) -> None:
    shown = "\n".join(masked(text))
    assert "CANARY" not in shown
    assert "town.example" in shown


@pytest.mark.parametrize(
    "value",
    [
        "beat:CANARY@es:9200",
        "https://a:CAN/ARY@es",
        "https://es?key=CANARY",
        "C:\\CANARY",
        "https://a@CANARY/@b",
        "x`CANARY",
    ],
)
def test_a_value_that_cannot_be_made_safe(value: str) -> None:
    assert safe(value) == "?"


def test_what_is_left_is_enough() -> None:
    (es,) = windows.AGENTS["winlogbeat"].read({"x": windows.yaml(masked(WINLOGBEAT))})
    assert (es.to, es.port, es.tls, es.verifies, es.partial) == ("es.town.example", 9200, True, "name", False)
    first, second = windows.AGENTS["winlogbeat"].read({"x": windows.yaml(masked(LISTED))})
    assert (first.to, second.to, first.port) == ("a.town.example", "b.town.example", 5044)
    assert getattr(first.partial, "cause", "") == "not_told"  # something is dropped
    (wazuh,) = windows.AGENTS["wazuh"].read({"ossec.conf": "\n".join(masked(OSSEC))})
    assert (wazuh.to, wazuh.port, wazuh.protocol) == ("wazuh.town.example", 1514, "tcp")
    (nxlog,) = windows.AGENTS["nxlog"].read({"x": windows.AGENTS["nxlog"].flat(masked(NXLOG))})
    assert getattr(nxlog.to, "cause", "") == "not_told"  # om_http is not read
    splunk = windows.AGENTS["splunk"].read({"x": windows.AGENTS["splunk"].flat(masked(SPLUNK))})
    assert [(t.to, t.port, t.tls, t.verifies) for t in splunk] == [
        ("a.town.example", 9997, True, "nothing"),
        ("10.62.30.9", 9997, True, "nothing"),
    ]


TO = "output.logstash:\n  hosts: ['a.town.example:5044']\n"


@pytest.mark.parametrize(
    ("more", "partial"),
    [
        ("", False),
        ("    processors: [{drop_event: {when: {equals: {a: b}}}}]\n", "not_told"),
        ("    processors:\n      - script:\n          lang: javascript\n", "not_told"),
        ("    processors:\n      - add_tags:\n", False),
        ("    event_id: 4624, 4625\n", "not_told"),
        ("    <<: *defaults\n", "not_told"),
        ("processors: [drop_event: {}]\n", "not_told"),
    ],
)
def test_what_may_leave_messages_out(more: str, partial: Any) -> None:
    text = "winlogbeat.event_logs:\n  - name: Application\n  - name: System\n  - name: Security\n" + more + TO
    first, *_ = windows.AGENTS["winlogbeat"].read({"x": windows.yaml(masked(text))})
    assert getattr(first.partial, "cause", first.partial) == partial


@given(st.lists(st.text(alphabet=" -:[]{}=<>abhosts.\"'|#&*\t", max_size=30), max_size=12))
def test_any_lines_of_a_file(lines: list[str]) -> None:
    for agent in windows.AGENTS.values():
        flat = agent.flat(lines)
        flatten.read(flat)
        list(agent.read({"C:\\x.conf": flat}))


# ---------------------------------------------------------------- settings in any language


def rows(*settings: str) -> list[str]:
    kinds = list(auditpol.KINDS)
    return [f"H,S,x,{{{kinds[i]}-69AE-11D9-BED3-505054503030}},{s}," for i, s in enumerate(settings)]


def told(*settings: str) -> list[Any]:
    return [getattr(s, "cause", s) for s in auditpol.read(rows(*settings)).values()]


NEITHER, SUCCESS, FAILURE, BOTH = (False, False), (True, False), (False, True), (True, True)


def test_settings_by_their_form() -> None:
    french = [
        "Aucun audit",
        "Succ\N{LATIN SMALL LETTER E WITH GRAVE}s",
        "Succ\N{LATIN SMALL LETTER E WITH GRAVE}s et \N{LATIN SMALL LETTER E WITH ACUTE}chec",
    ]
    assert told(*french) == [NEITHER, SUCCESS, BOTH]
    assert told(*french, "\N{LATIN CAPITAL LETTER E WITH ACUTE}chec") == [NEITHER, SUCCESS, BOTH, FAILURE]
    assert told("Keine \N{LATIN CAPITAL LETTER U WITH DIAERESIS}berwachung", "Erfolg", "Erfolg und Fehler") == [
        NEITHER,
        SUCCESS,
        BOTH,
    ]


@pytest.mark.parametrize(
    "settings",
    [
        ("Aucun audit", "Aucun audit"),
        ("Oui", "Non"),
        ("a", "a b", "a b c"),  # two that begin with another
        ("a", "a b", "b", "c", "d"),
        ("a", "a b", "", "c"),
        ("a", "a a"),
        ("Operazioni riuscite", "Operazioni riuscite e non riuscite", "Operazioni non riuscite"),
    ],
)
def test_a_form_that_does_not_tell(settings: tuple[str, ...]) -> None:
    assert set(told(*settings)) == {"not_told"}


def test_english_needs_no_form() -> None:
    assert told("No Auditing", "Failure") == [NEITHER, FAILURE]
    assert told("Success", "Success") == [SUCCESS, SUCCESS]
