"""Windows hosts that look well and are not: a recorded host, one answer of it changed, what the shipped controls make of it.

Each change is a shape that a host may send. None of them may come to a pass, save those that say so: they show that the host
as recorded passes, and that the change alone is what takes it away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml
from make import hello, make_estate, make_host, make_plan
from test_probes import FOLDER, NOON, answer
from test_windows_probes import shipped

from auditor.evaluate import evaluate
from auditor.framing.sh import HELLO
from auditor.model import Answer, Finding, Question, Register
from auditor.probes.windows import host_firewall, web_filtering
from auditor.shelves import probes

REGISTERS = (
    Register("admins", ("Administrator", "%MAIRIE\\Admins du domaine", "maint")),
    Register("everyday_accounts", ("mairie\\leroy", "leroy")),
    Register("leavers", ("petit",), left_at={"petit": NOON - 9e6}),
    Register("local_accounts", ("maint",)),
    Register("remote_tools", ("TeamViewer", "VNC", "AnyDesk", "Cloudflare Tunnel")),
    Register("time_sources", ("town.example",)),
)
HOST = make_host(
    "wec01.town.example",
    platform="windows",
    zone="dmz",
    roles=("ad-dc", "log-collector"),
    aliases=("logs.town.example",),
    commissioned_at="2020-01-01",
)
OFF_SITE = make_host("bkp-offsite", connection="none", roles=("web-filter", "backup-offsite"))


def judged(control: str, case: str, changed: Mapping[str, Any]) -> Finding:
    """What a control comes to on a host that answers as recorded, but for what is `changed`."""
    loaded = shipped()
    chosen = [c for c in loaded.controls if c.id == control]
    town = make_estate(HOST, OFF_SITE, registers=REGISTERS)
    plan = make_plan(town, chosen, dict(probes()), measures=loaded.measures)
    (check,) = plan.checks_of(0)
    recorded = yaml.safe_load((FOLDER / check.control.probe / f"windows-{case}.yaml").read_text())
    specs = {**recorded["answers"], **{name: spec(told) for name, told in changed.items()}}
    assert set(changed) <= set(recorded["answers"])
    arguments = {**check.arguments, **recorded["arguments"]}
    commands = plan.probes[check.control.probe].of(HOST)["windows"].commands(arguments)
    question = Question(check.control.probe, arguments, commands)
    answers: dict[Any, Answer] = {HELLO: hello("Windows", "WEC01")}
    answers |= {command: answer(specs[name]) for name, command in commands.items()}
    told = evaluate(HOST, [replace(check, arguments=arguments)], [question], answers, plan.probes)
    assert told.failure is None
    return told.findings[0]


def spec(told: Any) -> dict[str, Any]:
    """A recorded answer as it stands, or values as ConvertTo-Json prints them."""
    if isinstance(told, dict) and set(told) & {"failure", "exit_code", "stdout"}:
        return dict(told)
    return {"stdout": told if isinstance(told, str) else json.dumps(told)}


DENIED = {"exit_code": 1, "stderr": "HRESULT 0x80041003,GetCimInstanceCommand 80131500 Accès refusé"}
CUT = {"failure": "truncated", "message": "more than 262144 bytes"}
NO_NAMESPACE = {"exit_code": 1, "stderr": "HRESULT 0x8004100e,GetCimInstanceCommand 80131500 Espace de noms non valide"}
NO_COMMAND = {"exit_code": 1, "stderr": "CommandNotFoundException 80131501 Le terme n'est pas reconnu"}


def services(**states: str) -> dict[str, Any]:
    always = {"EventLog": "Running", "RpcSs": "Running"}
    return {"services": [{"name": n, "state": s, "maker": ""} for n, s in {**always, **states}.items()]}


def registered(*names: str) -> dict[str, Any]:
    return {"names": ["EventLog", "RpcSs", *names]}


def member(account: str, sid: str, kind: str = "Group") -> dict[str, Any]:
    return {"path": f"WinNT://{account}", "class": kind, "sid": sid, "local": False, "flags": None}


BUILT_IN = {
    "path": "WinNT://WORKGROUP/SRV1/Administrateur",
    "class": "User",
    "sid": "S-1-5-21-1004336348-1177238915-682003330-500",
    "local": True,
    "flags": 66051,
}


def members(*others: dict[str, Any]) -> dict[str, Any]:
    return {"members": [BUILT_IN, *others]}


def local(name: str, rid: int, disabled: Any = True, required: Any = True) -> dict[str, Any]:
    sid = f"S-1-5-21-1004336348-1177238915-682003330-{rid}"
    return {"name": name, "sid": sid, "disabled": disabled, "required": required}


def listed(*others: dict[str, Any]) -> dict[str, Any]:
    own = [local("Administrateur", 500), local("Invité", 501, required=False)]
    return {"controller": False, "accounts": [*own, *others]}


def profiles(**changed: Any) -> dict[str, Any]:
    whole = {"enabled": "True", "inbound": "Block", "off": ["NotConfigured"], **changed}
    return {"profiles": [{"name": n, **whole} for n in ("Domain", "Private", "Public")]}


OFF = profiles(enabled="False")
DEFENDER = {
    "AMRunningMode": "Normal",
    "AMServiceEnabled": True,
    "AntivirusEnabled": True,
    "RealTimeProtectionEnabled": True,
    "OnAccessProtectionEnabled": True,
    "AntivirusSignatureAge": 1,
    "AntivirusSignatureLastUpdated": "2026-11-17T06:00:00Z",
}


def registry(**values: Any) -> dict[str, Any]:
    return {"key": {"state": "there", "values": values}}


WHOLE = "".join(f'<Select Path="{log}">*</Select>' for log in ("Security", "System", "Application"))
WEC = "http://wec01.town.example:5985/wsman/SubscriptionManager/WEC"
ELSEWHERE = "http://logs.town.example:5985/wsman/SubscriptionManager/WEC"
SUBSCRIBED = {"id": 100, "about": "All", "query": f"<QueryList>{WHOLE}</QueryList>"}


def events(*ids: int, about: str = WEC) -> dict[str, Any]:
    return {"records": 9, "events": [*({"id": i, "about": about, "query": ""} for i in ids), SUBSCRIBED]}


def winlogbeat(*lines: str) -> dict[str, Any]:
    path = "C:\\ProgramData\\Elastic\\Beats\\winlogbeat\\winlogbeat.yml"
    return {"started": "", "denied": [], "files": [{"path": path, "lines": list(lines)}]}


def log(**changed: Any) -> dict[str, Any]:
    whole = {"enabled": True, "mode": 0, "full": False, "records": 45210, "size": 1073741824}
    return {**whole, "oldest": "2025-10-24T11:06:40Z", "newest": "2026-11-18T10:52:16Z", **changed}


def rollup(days: float) -> dict[str, Any]:
    """A cumulative update that was installed so many days ago."""
    ticks = int((NOON - days * 86400 + 11644473600) * 10_000_000)
    high, low = ticks >> 32, ticks & 0xFFFFFFFF
    name = "Package_for_RollupFix~31bf3856ad364e35~amd64~~20348.587.1.8"
    return {"packages": [{"name": name, "high": high, "low": low - 2**32 if low >= 2**31 else low}]}


def days_ago(days: float) -> str:
    return str(int(NOON - days * 86400))


def summary(path: str, **changed: Any) -> dict[str, Any]:
    at = "2026-11-18T01:06:40Z"
    return {"path": path, "versions": 3, "LastSuccessfulBackupTime": at, "LastBackupTime": at, **changed}


def proxies(**changed: Any) -> dict[str, Any]:
    none = {"per_user": None, "enabled": None, "server": "", "script": "", "around": False}
    machine = {**none, "enabled": 1, "server": "proxy.town.example:8080", **changed}
    return {"policy": {**none, "per_user": 0}, "machine": machine, "winhttp": ""}


def w32tm(**changed: str) -> dict[str, Any]:
    lines = {
        "leap": "0(aucun avertissement)",
        "stratum": "3 (référence secondaire)",
        "precision": "-23 (119.209ns par battement)",
        "delay": "0,0270002s",
        "dispersion": "0,0308601s",
        "reference": "0xC0A80A05 (IP de la source)",
        "last": "18/11/2026 10:41:07",
        "source": "ntp1.town.example,0x9",
        "poll": "10 (1024s)",
        "offset": "0,0000345s",
        "rate": "0,0156250s",
        "state": "2 (Synchronisation)",
        "flags": "0 (Aucun)",
        "role": "64 (Service de temps)",
        "error": "0 (Terminé)",
        "age": "339,9333552s",
        **changed,
    }
    return {"code": 0, "lines": [f"{name} : {value}" for name, value in lines.items()]}


SUCCESS = "Opération réussie"
GUIDS = ("15", "35", "37", "2B")


def certificate(**changed: Any) -> dict[str, Any]:
    one = {
        "thumbprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "subject": "CN=web01.town.example",
        "issuer": "CN=Town CA",
        "private": True,
        "from": "2026-01-18T11:06:40Z",
        "until": "2028-01-18T11:06:40Z",
        "signature": "1.2.840.113549.1.1.11",
        "key": "1.2.840.113549.1.1.1",
        "bits": 2048,
        "curve": "05-00",
    }
    return {"certificates": {**one, **changed}}


def collected(**changed: Any) -> dict[str, Any]:
    newest, oldest = ({"sender": "SRV01", "at": at} for at in ("2026-11-18T10:52:16Z", "2025-11-08T11:06:40Z"))
    return {"mode": 0, "records": 4000, "read": 5000, "newest": [newest], "oldest": [oldest], **changed}


def auditpol(*settings: str, code: Any = 0) -> dict[str, Any]:
    """Of logons, changes of accounts and of groups, and programs that start; of what is not audited one row."""
    rows = [
        f"SRV1,Système,x,{{0CCE92{d}-69AE-11D9-BED3-505054503030}},{s}," for d, s in zip(GUIDS, settings, strict=True)
    ]
    last = "SRV1,Système,x,{0CCE9216-69AE-11D9-BED3-505054503030},Pas d'audit,"
    return {"code": code, "lines": ["Nom de l'ordinateur,Cible", *rows, last]}


RECORDED, COMMANDS = "windows-logons-and-account-changes-recorded", "windows-commands-and-scripts-recorded"
AV, FRESH = "antivirus-or-edr-running", "antivirus-or-edr-fresh"
WALL, WEB, DISKS = "windows-firewall-refuses-by-default", "windows-web-filtered", "windows-workstation-disks-encrypted"
EVERYDAY, LEAVERS = "everyday-accounts-administrate-nothing", "leavers-administrate-nothing"
BY_NAME, EMPTY, USED = "administrators-log-in-by-name", "windows-passwords-required", "usable-accounts-in-use"
DISABLED, DIRECTORY = "windows-built-in-administrator-disabled", "identities-from-a-directory-that-answers"
MONTH, WAITS, SMB1 = "windows-updated-within-a-month", "windows-no-security-update-waits", "windows-smb1-off"
RESTART, RELEASE = "windows-restarted-for-its-updates", "windows-release-supported"
FORWARD, LOCAL, CLOCK = (
    "windows-event-logs-reach-a-declared-collector",
    "local-logs-survive-a-collector-outage",
    "clock-synchronised",
)
BACKUP, OFF = "windows-backup-within-a-day", "windows-backup-off-site"
DOORS, TOOLS, RDP, WINRM = (
    "remote-doors-two-factors",
    "remote-tools-all-declared",
    "remote-desktop-asks-first",
    "winrm-takes-nothing-in-clear",
)
KEY, CARDS, ZONE = "domain-key-renewed", "domain-administrators-with-smart-card", "host-address-in-its-declared-zone"

LAPS, PROVED, DORMANT = "laps-manages-local-passwords", "domain-accounts-prove-themselves", "domain-accounts-in-use"
KEPT, CERTIFICATES = "collected-logs-reach-back-about-twelve-months", "windows-certificates-in-order"
ACCOUNT = "512|134368816000000000|134392144000000000|9223372036854775807|2024-06-01T11:06:40Z|jdupont"

NAMES = '{"host": "SRV01", "domain": "town.example"}'
ESET = {"products": [{"name": "ESET Firewall", "state": 266240}]}
FALCON = {"products": [{"name": "CrowdStrike Falcon Sensor", "guid": "{1}", "state": 266240}]}
CARD = "expected-card-and-no-winrm"
MAINT = local("maint", 1001, disabled=False)
RIDS = {"sid": "S-1-5-21-1004336348-1177238915-682003330-1001"}


@pytest.mark.parametrize(
    ("about", "control", "case", "changed", "wanted"),
    [
        # who administrates
        ("itself", EVERYDAY, "expected-french", {}, "pass"),
        ("everybody", EVERYDAY, "expected-french", {"members": members(member("Tout le monde", "S-1-1-0"))}, "unknown"),
        ("all users of the domain", EVERYDAY, "expected-french",
         {"members": members(member("MAIRIE/Utilisateurs du domaine", "S-1-5-21-9-8-7-513"))}, "unknown"),
        ("whoever logs in", LEAVERS, "expected-french",
         {"members": members(member("AUTORITE NT/Utilisateurs authentifiés", "S-1-5-11"))}, "unknown"),
        ("a group without SID", LEAVERS, "expected-french", {"members": members(member("MAIRIE/Équipe", ""))}, "unknown"),
        ("the one of another domain, in capitals", EVERYDAY, "expected-french",
         {"members": members(member("MAIRIE/LEROY", "S-1-5-21-9-8-7-1300", "User"))}, "fail"),
        ("one member, not in a list", EVERYDAY, "expected-french",
         {"members": {"members": member("MAIRIE/leroy", "S-1-5-21-9-8-7-1300", "User")}}, "fail"),
        ("nobody", EVERYDAY, "expected-french", {"members": {"members": []}}, "unknown"),
        ("null", EVERYDAY, "expected-french", {"members": {"members": None}}, "unknown"),
        ("at the depth limit", EVERYDAY, "expected-french",
         {"members": {"members": "System.Collections.Specialized.OrderedDictionary"}}, "unknown"),
        ("a list shorter than it says", EVERYDAY, "expected-french",
         {"members": {"members": {"value": [BUILT_IN], "Count": 2}}}, "unknown"),
        ("two built-in ones", DISABLED, "expected", {"members": members(BUILT_IN)}, "unknown"),
        ("the one of the domain alone", DISABLED, "expected",
         {"members": {"members": member("MAIRIE/Administrateur", "S-1-5-21-9-8-7-500", "User")}}, "unknown"),
        # accounts
        ("itself", BY_NAME, "expected", {"listed": listed(MAINT)}, "pass"),
        ("every user administrates", BY_NAME, "expected",
         {"listed": listed(local("test", 1001, disabled=False)), "members": members(member("INTERACTIF", "S-1-5-4"))}, "fail"),
        ("the guest, in French, is one of all that administrate", BY_NAME, "expected",
         {"listed": {"controller": False, "accounts": [local("Administrateur", 500), local("Invité", 501, disabled=False)]},
          "members": members(member("Tout le monde", "S-1-1-0")), "dates": {"dates": [
              {"sid": "S-1-5-21-1004336348-1177238915-682003330-501", "LastLogon": None, "PasswordLastSet": None,
               "AccountExpires": None}]}}, "fail"),
        ("a list without its guest", EMPTY, "expected",
         {"listed": {"controller": False, "accounts": [local("Administrateur", 500), MAINT]}}, "unknown"),
        ("no word on passwords", EMPTY, "expected", {"listed": listed(local("maint", 1001, False, None))}, "unknown"),
        ("a domain controller has none", EMPTY, "expected", {"listed": {"controller": True, "accounts": []}}, "unknown"),
        ("cut", EMPTY, "expected", {"listed": CUT}, "unknown"),
        ("last used in a language's own words", USED, "expected",
         {"dates": {"dates": [{**RIDS, "LastLogon": {"value": "/Date(1000)/", "DateTime": "jeudi 1 janvier 1970"},
                               "PasswordLastSet": "01/06/2026", "AccountExpires": None}]}}, "unknown"),
        ("last used 400 days ago", USED, "expected",
         {"dates": {"dates": [{**RIDS, "LastLogon": "/Date(1760440000000)/", "PasswordLastSet": None,
                               "AccountExpires": None}]}}, "fail"),
        ("never used", USED, "expected",
         {"dates": {"dates": [{**RIDS, "LastLogon": None, "PasswordLastSet": None, "AccountExpires": None}]}}, "unknown"),
        # firewall
        ("itself", WALL, "expected-server", {"profiles": profiles()}, "pass"),
        ("off on one interface", WALL, "expected-server", {"profiles": profiles(off=["Ethernet"])}, "fail"),
        ("off on an interface that stands alone", WALL, "expected-server", {"profiles": profiles(off="Ethernet")}, "fail"),
        ("no word on interfaces", WALL, "expected-server",
         {"profiles": {"profiles": [{"name": n, "enabled": "True", "inbound": "Block"} for n in
                                    ("Domain", "Private", "Public")]}}, "unknown"),
        ("left to policy, of which nothing is told", WALL, "expected-server",
         {"profiles": profiles(enabled="NotConfigured")}, "unknown"),
        ("one profile for all", WALL, "expected-server",
         {"profiles": {"profiles": {"name": "Domain", "enabled": "True", "inbound": "Block", "off": []}}}, "unknown"),
        ("a rule for everything", WALL, "expected-server",
         {"rules": {"rules": 412, "open": {"own": True, "profiles": []}}}, "fail"),
        ("a rule for everything in public", WALL, "expected-server",
         {"rules": {"rules": 412, "open": [{"own": True, "profiles": "Public"}]}}, "fail"),
        ("a rule for everything that no policy lets count", WALL, "expected-server",
         {"rules": {"rules": 412, "open": [{"own": True, "profiles": []}]}, "profiles": profiles(merges="False")}, "pass"),
        ("a policy's rule for everything", WALL, "expected-server",
         {"rules": {"rules": 412, "open": [{"own": False, "profiles": []}]}, "profiles": profiles(merges="False")}, "fail"),
        ("no rule at all", WALL, "expected-server", {"rules": {"rules": 0, "open": []}}, "unknown"),
        ("rules that may not be read", WALL, "expected-server", {"rules": DENIED}, "unknown"),
        ("another firewall runs", WALL, "expected-other-firewall", {}, "pass"),
        ("another firewall was removed and is still registered", WALL, "expected-other-firewall",
         {"registered": registered("BFE", "mpssvc"), "services": services(BFE="Running", mpssvc="Running")}, "unknown"),
        ("another firewall is registered and stopped", WALL, "expected-other-firewall",
         {"services": services(BFE="Running", mpssvc="Running", ekrn="Stopped")}, "fail"),
        ("another firewall of no known maker", WALL, "expected-other-firewall",
         {"others": {"products": {"name": "Pare-feu Martin", "state": 266240}}}, "unknown"),
        ("what filters is stopped", WALL, "expected-server", {"services": services(mpssvc="Running", BFE="Stopped")}, "fail"),
        # antivirus
        ("itself", AV, "expected", {}, "pass"),
        ("status says yes, the service is stopped", AV, "expected",
         {"services": services(WinDefend="Stopped", Sense="Stopped")}, "fail"),
        ("a mode with a name to come", AV, "expected", {"defender": {**DEFENDER, "AMRunningMode": "Veille"}}, "unknown"),
        ("switches in a language's own words", AV, "expected",
         {"defender": {**DEFENDER, "RealTimeProtectionEnabled": "Vrai"}}, "unknown"),
        ("null switches", AV, "expected",
         {"defender": dict.fromkeys(DEFENDER), "center": {"products": []}}, "unknown"),
        ("the feature was removed and the agent alone is left", AV, "expected",
         {"defender": NO_COMMAND, "center": NO_NAMESPACE, "registered": registered("Sense"),
          "services": services(Sense="Stopped")}, "fail"),
        ("registered, and no service", AV, "expected",
         {"defender": NO_COMMAND, "center": FALCON, "registered": registered(), "services": services()}, "unknown"),
        ("the service manager tells half", AV, "expected",
         {"defender": NO_COMMAND, "center": DENIED, "registered": registered("WinDefend"),
          "services": {"services": []}}, "unknown"),
        ("signatures of 1601", FRESH, "expected",
         {"defender": {**DEFENDER, "AntivirusSignatureLastUpdated": "1601-01-01T00:00:00Z"}}, "unknown"),
        ("new to the day, and 40 days old by date", FRESH, "expected",
         {"defender": {**DEFENDER, "AntivirusSignatureAge": 0, "AntivirusSignatureLastUpdated": "/Date(1791544000000)/"}},
         "fail"),
        ("dated in French", FRESH, "expected",
         {"defender": {**DEFENDER, "AntivirusSignatureLastUpdated": "18/11/2026 06:00:00"}}, "unknown"),
        # updates
        ("itself", MONTH, "expected", {"packages": rollup(9), "installed": days_ago(900)}, "pass"),
        ("came with its installation, last week", MONTH, "expected",
         {"packages": rollup(7), "installed": days_ago(7)}, "unknown"),
        ("came with its installation, a year ago", MONTH, "expected",
         {"packages": rollup(365), "installed": days_ago(365)}, "fail"),
        ("no word on its installation", MONTH, "expected", {"packages": rollup(9), "installed": DENIED}, "unknown"),
        ("nothing installed, nothing dated", MONTH, "expected", {"packages": {"packages": []}, "fixes": {"fixes": []}}, "unknown"),
        ("day first", MONTH, "expected",
         {"packages": {"packages": []}, "fixes": {"fixes": [{"id": "KB5031364", "on": "18/11/2026"}]}}, "unknown"),
        ("a search that was cut short", WAITS, "expected", {"waiting": {"result": 3, "updates": []}}, "unknown"),
        ("no search ever succeeded", WAITS, "expected", {"agent": {"searched": "1899-12-30T00:00:00Z"}}, "unknown"),
        ("the agent is switched off", WAITS, "expected",
         {"waiting": {"exit_code": 1, "stderr": "COMException 80070422 Le service ne peut pas être démarré"}}, "unknown"),
        ("null updates", WAITS, "expected", {"waiting": {"result": 2, "updates": None}}, "unknown"),
        ("marks that may not be read, of a host that started eight days ago", RESTART, "expected",
         {"marks": {n: {"state": "denied", "values": {}} for n in ("servicing", "servicing_pending", "servicing_restarting",
                                                                   "agent", "agent_required")}}, "warn"),
        ("an edition for a trial", RELEASE, "expected",
         {"version": {"version": {"state": "there", "values": {
             "CurrentBuild": "19045", "UBR": 1, "EditionID": "EnterpriseEval", "InstallationType": "Client"}}}}, "unknown"),
        # SMB 1, disks
        ("removed", SMB1, "absent", {}, "pass"),
        ("removed, and served until the restart", SMB1, "absent",
         {"settings": {"server": {"state": "there", "values": {"SMB1": None}},
                       "workstation": {"state": "there", "values": {"Start": 2}},
                       "driver": {"state": "there", "values": {"Start": 4}}}}, "fail"),
        ("no volume", DISKS, "expected", {"volumes": {"volumes": []}}, "unknown"),
        ("a key on the disk beside a protected system", DISKS, "expected",
         {"volumes": {"volumes": [
             {"letter": "C:", "system": True, "type": 0, "protection": 1, "conversion": 1},
             {"letter": "D:", "system": False, "type": 1, "protection": 2, "conversion": 1}]}}, "unknown"),
        # logs
        ("itself", FORWARD, "expected", {}, "pass"),
        ("its collector has stopped answering", FORWARD, "expected", {"events": events(105, 104)}, "warn"),
        ("nothing says whether its collector answers", FORWARD, "expected", {"events": events()}, "warn"),
        ("another collector answers", FORWARD, "expected", {"events": events(104, about=ELSEWHERE)}, "warn"),
        ("unsubscribed since", FORWARD, "expected",
         {"events": {"records": 9, "events": [{"id": 104, "about": WEC, "query": ""},
                                              {"id": 103, "about": "All", "query": ""}, SUBSCRIBED]}}, "unknown"),
        ("no word of its subscriptions", FORWARD, "expected", {"events": {"records": None, "events": []}}, "unknown"),
        ("what sends is stopped", FORWARD, "expected", {"services": services(WinRM="Stopped")}, "fail"),
        ("a setting in two places", FORWARD, "expected",
         {"managers": {"managers": []}, "winlogbeat": winlogbeat("output.elasticsearch: ", "  hosts: ?"),
          "registered": registered("winlogbeat"), "services": services(winlogbeat="Running")}, "unknown"),
        ("a log that is full and keeps all", LOCAL, "expected", {"security": log(mode=2, full=True)}, "fail"),
        ("a log that is not written", LOCAL, "expected", {"security": log(enabled=False)}, "fail"),
        ("a log that tells no records", LOCAL, "expected", {"security": log(records=None, oldest=None, newest=None)}, "unknown"),
        ("a log of tomorrow", LOCAL, "expected", {"security": log(oldest="2027-11-18T11:06:40Z")}, "unknown"),
        ("itself, in French", RECORDED, "expected",
         {"policy": auditpol(*[f"{SUCCESS} et échec"] * 2, SUCCESS, SUCCESS)}, "pass"),
        ("failures are not recorded", RECORDED, "expected",
         {"policy": auditpol(SUCCESS, f"{SUCCESS} et échec", SUCCESS, SUCCESS)}, "fail"),
        ("one setting for all, in French", RECORDED, "expected", {"policy": auditpol(*[f"{SUCCESS} et échec"] * 4)}, "unknown"),
        ("ended with an error", RECORDED, "expected", {"policy": auditpol(*[SUCCESS] * 4, code=None)}, "unknown"),
        ("no word on users' own rules", RECORDED, "expected", {"users": {"code": 0, "lines": []}}, "unknown"),
        ("PowerShell 4 does not record what it is told to", COMMANDS, "expected",
         {"settings": {"shell": 4, "force": 1, "objects": 0, "directories": 0, "line": 1, "scripts": 1}}, "unknown"),
        ("switches as text", COMMANDS, "expected",
         {"settings": {"shell": 5, "force": 1, "objects": 0, "directories": 0, "line": "1", "scripts": "1"}}, "unknown"),
        # time
        ("itself, in French", CLOCK, "expected-french", {"status": w32tm()}, "pass"),
        ("its own clock", CLOCK, "expected-french",
         {"status": w32tm(reference="0x4C4F434C (nom de la source : LOCL)", stratum="1 (référence principale)")}, "fail"),
        ("no answer for five days", CLOCK, "expected-french", {"status": w32tm(age="432000,5s")}, "fail"),
        ("a minute off", CLOCK, "expected-french", {"status": w32tm(offset="-60,0000345s")}, "fail"),
        ("a line short", CLOCK, "expected-french",
         {"status": {"code": 0, "lines": [line for line in w32tm()["lines"] if not line.startswith("age")]}}, "unknown"),
        ("refused, and ended well", CLOCK, "expected-french",
         {"status": {"code": 0, "lines": ["L'erreur suivante s'est produite : Accès refusé. (0x80070005)"]}}, "unknown"),
        # backups
        ("itself", OFF, "expected-by-address", {}, "pass"),
        ("to itself, by its own address", OFF, "expected-by-address", {"interfaces": {"interfaces": [
            {"name": "Ethernet", "id": "{A}", "type": 6, "addresses": ["10.99.0.5"], "gateways": []}]}}, "fail"),
        ("to itself, by its own name", OFF, "expected-by-address",
         {"summary": summary("\\\\bkp-offsite\\images"), "names": NAMES.replace("SRV01", "BKP-OFFSITE")}, "fail"),
        ("no word on its own name", OFF, "expected-by-address", {"names": DENIED}, "unknown"),
        ("to a drive of its own", OFF, "expected-by-address", {"summary": summary("\\\\?\\Volume{b1a2}\\")}, "unknown"),
        ("to its loopback", OFF, "expected-by-address", {"summary": summary("\\\\localhost\\d$")}, "fail"),
        ("never succeeded", BACKUP, "expected-by-address",
         {"summary": summary("", LastSuccessfulBackupTime="0001-01-01T00:00:00Z")}, "fail"),
        ("dated in French", BACKUP, "expected-by-address", {"summary": summary("", LastSuccessfulBackupTime="18/11/2026 02:06")}, "unknown"),
        ("installed and never set", BACKUP, "expected-by-address",
         {"summary": summary("", LastSuccessfulBackupTime=None, LastBackupTime=None)}, "unknown"),
        ("an empty summary", BACKUP, "expected-by-address", {"summary": ""}, "unknown"),
        # web
        ("itself", WEB, "expected-proxy", {"protection": {"network": 0, "server": None, "older": None},
                                           "proxies": proxies()}, "pass"),
        ("every site goes around the proxy", WEB, "expected-proxy",
         {"protection": {"network": 0, "server": None, "older": None}, "proxies": proxies(around=True)}, "fail"),
        ("no word on what goes around", WEB, "expected-proxy",
         {"protection": {"network": 0, "server": None, "older": None}, "proxies": proxies(around=None)}, "unknown"),
        ("network protection that only records", WEB, "expected-proxy",
         {"protection": {"network": 2, "server": None, "older": None}, "proxies": proxies(enabled=0)}, "fail"),
        # doors
        ("itself", DOORS, CARD, {}, "pass"),
        ("restricted admin mode, which asks for no card", DOORS, CARD,
         {"lsa": registry(DisableRestrictedAdmin=0)}, "unknown"),
        ("no word on restricted admin mode", DOORS, CARD, {"lsa": DENIED}, "unknown"),
        ("another server of SSH", DOORS, CARD, {"ports": {"ports": [22, 135, 445]}}, "unknown"),
        ("Telnet", DOORS, CARD,
         {"registered": registered("TlntSvr", "WinRM", "TermService"),
          "services": services(TlntSvr="Running", WinRM="Stopped", TermService="Running")}, "unknown"),
        ("ports without the one that all have", DOORS, CARD,
         {"ports": {"ports": []}, "rdp": registry(fDenyTSConnections=1)}, "unknown"),
        ("a policy that may not be read", DOORS, CARD,
         {"system_policy": {"key": {"state": "denied", "values": {}}}}, "unknown"),
        ("a policy that switches the question off", RDP, "expected",
         {"rdp_policy": registry(fDenyTSConnections=None, UserAuthentication=0, SecurityLayer=None)}, "fail"),
        ("settings that are not set", RDP, "expected",
         {"rdp_tcp": registry(UserAuthentication=None, SecurityLayer=None, PortNumber=3389, fEnableWinStation=1)}, "unknown"),
        ("WinRM's settings in another language", WINRM, "expected",
         {"winrm": {"running": True, "service": {"AllowUnencrypted": "faux", "Auth\\Basic": "faux"}, "listeners": []}},
         "unknown"),
        ("WinRM is asked by whom it does not answer", WINRM, "expected", {"winrm": DENIED}, "unknown"),
        ("the processes of others are not shown", TOOLS, "expected",
         {"running": {"processes": ["explorer.exe", "powershell.exe"]}}, "unknown"),
        ("nothing is installed at all", TOOLS, "expected", {"software": {"installed": []}}, "unknown"),
        # the domain
        ("itself", DIRECTORY, "expected", {}, "pass"),
        ("its last group policy failed", DIRECTORY, "expected",
         {"policy": registry(startTimeHi=31291200, startTimeLo=1347404800, Status=1355)}, "unknown"),
        ("its last group policy came in 1601", DIRECTORY, "expected",
         {"policy": registry(startTimeHi=0, startTimeLo=0, Status=0)}, "unknown"),
        ("logins are not checked", DIRECTORY, "expected",
         {"services": services(Netlogon="Stopped")}, "fail"),
        ("no domain", DIRECTORY, "expected", {"joined": {"member": None, "domain": "", "role": 2, "entra": 0}}, "unknown"),
        ("a domain controller that shows nobody", CARDS, "expected", {"groups": {"dn": "DC=town,DC=example", "groups": []}},
         "unknown"),
        ("a domain key of no date", KEY, "expected",
         {"domain": {"dn": "DC=town,DC=example", "netbios": "MAIRIE", "sync": None, "krbtgt": "0", "laps": [],
                     "computers": 3, "managed": 0}}, "unknown"),
        ("LAPS shows no date of any computer", LAPS, "expected",
         {"domain": {"dn": "DC=town,DC=example", "netbios": "TOWN", "sync": None, "krbtgt": "134291056000000000",
                     "laps": "msLAPS-PasswordExpirationTime", "computers": 42, "managed": 0}}, "unknown"),
        ("a list of accounts that was cut", PROVED, "expected", {"accounts": {"cut": True, "accounts": ACCOUNT}}, "unknown"),
        ("no word on whether it was cut", PROVED, "expected", {"accounts": {"accounts": [ACCOUNT]}}, "unknown"),
        ("an account whose flags are hidden", PROVED, "expected",
         {"accounts": {"cut": False, "accounts": [ACCOUNT, "|||||nouveau"]}}, "unknown"),
        ("nobody's last logon is shown", DORMANT, "expected",
         {"accounts": {"cut": False, "accounts": ["512|||9223372036854775807||jdupont"]}}, "unknown"),
        # certificates, what is collected, addresses
        ("itself", CERTIFICATES, "expected", {"store": certificate()}, "pass"),
        ("an end in French", CERTIFICATES, "expected", {"store": certificate(until="18/01/2028 11:06:40")}, "unknown"),
        ("a key of no length", CERTIFICATES, "expected", {"store": certificate(bits=None)}, "unknown"),
        ("a signature that is not known", CERTIFICATES, "expected", {"store": certificate(signature="1.2.3")}, "unknown"),
        ("ended, by a day that ConvertTo-Json wrapped", CERTIFICATES, "expected",
         {"store": certificate(until={"value": "/Date(1790000000000)/", "DateTime": "lundi 21 septembre 2026"})}, "fail"),
        ("itself, reaching back a year", KEPT, "expected", {}, "warn"),
        ("a log that archives itself", KEPT, "expected", {"records": collected(mode=1)}, "unknown"),
        ("a log that tells no records", KEPT, "expected", {"records": collected(records=None)}, "unknown"),
        ("nothing came for ten days", KEPT, "expected",
         {"records": collected(newest=[{"sender": "SRV01", "at": "2026-11-08T10:52:16Z"}])}, "fail"),
        ("a second network", ZONE, "expected",
         {"interfaces": {"interfaces": [
             {"name": "Ethernet", "id": "{E1}", "type": 6, "addresses": ["10.62.10.21"], "gateways": ["10.62.10.1"]},
             {"name": "Ethernet 2", "id": "{E2}", "type": 6, "addresses": ["192.168.7.2"], "gateways": ["192.168.7.1"]}]}},
         "fail"),
        ("addresses run together at the depth limit", ZONE, "expected",
         {"interfaces": {"interfaces": [{"name": "Ethernet", "id": "{A}", "type": 6, "addresses": "10.62.60.4 10.9.9.9",
                                         "gateways": ""}]}}, "unknown"),
    ],
)  # fmt: skip
def test_a_host_that_looks_well(about: str, control: str, case: str, changed: dict[str, Any], wanted: str) -> None:
    found = judged(control, case, changed)
    assert found.outcome == wanted, (about, found.reasons)


BOM, UTF_16 = "\ufeff", "utf-16"


@pytest.mark.parametrize(
    ("control", "case", "name"),
    [(AV, "expected", "defender"), (WALL, "expected-server", "profiles"), (DISKS, "expected", "volumes"),
     (CLOCK, "expected-french", "status"), (DIRECTORY, "expected", "joined")],
)  # fmt: skip
def test_text_that_was_saved_and_sent_again(control: str, case: str, name: str) -> None:
    """A byte order mark and other line ends change nothing; what lost its end, or its encoding, is no answer."""
    probe = next(c.probe for c in shipped().controls if c.id == control)
    text = yaml.safe_load((FOLDER / probe / f"windows-{case}.yaml").read_text())["answers"][name]["stdout"]
    assert judged(control, case, {name: f"{BOM}\r\n{text}\r\n"}).outcome == "pass"
    for damaged in (text[: len(text) // 2], text.encode(UTF_16).decode("latin-1"), text + text, f"WARNING: x\n{text}"):
        assert judged(control, case, {name: damaged}).outcome != "pass"


# PowerShell cannot be run here: what its patterns let through is seen with the same patterns in Python.
def patterns(text: str, operator: str) -> list[re.Pattern[str]]:
    return [re.compile(p, re.IGNORECASE) for p in re.findall(rf"-{operator} '([^']*)'", text)]


def lets_everything_in(rule: str) -> bool:
    wanted, unwanted = patterns(host_firewall.RULES.text, "match")[:3], patterns(host_firewall.RULES.text, "notmatch")
    return all(p.search(rule) for p in wanted) and not any(p.search(rule) for p in unwanted)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ("Action=Allow|Active=TRUE|Dir=In|Name=Tout ouvrir|", True),
        (
            "Action=Allow|Active=TRUE|Dir=In|Profile=Public|Profile=Private|Name=a=b|Desc=x: y|EmbedCtxt=z|Edge=TRUE|",
            True,
        ),
        ("Action=Allow|Active=TRUE|Dir=In|Protocol=256|Name=x|", True),
        ("Action=Allow|Active=TRUE|Dir=In|Protocol=6|Name=x|", False),
        ("Action=Allow|Active=TRUE|Dir=In|Protocol=2|Name=x|", False),
        ("Action=Allow|Active=TRUE|Dir=In|RA4=LocalSubnet|Name=x|", False),
        ("Action=Allow|Active=TRUE|Dir=In|LPort2_10=5000-5020|Name=x|", False),
        ("Action=Allow|Active=TRUE|Dir=In|App=%SystemRoot%\\x.exe|Name=x|", False),
        ("Action=Allow|Active=FALSE|Dir=In|Name=x|", False),
        ("Action=Allow|Active=TRUE|Dir=Out|Name=x|", False),
        ("Action=Block|Active=TRUE|Dir=In|Name=x|", False),
    ],
)
def test_a_rule_that_lets_everything_in(fields: str, wanted: bool) -> None:
    assert lets_everything_in(f"v2.31|{fields}") == wanted


@pytest.mark.parametrize(
    ("override", "around"),
    [("*", True), ("<local>;*", True), ("*.*", True), ("https://*; x", True), ("*:*", True),
     ("", False), ("<local>", False), ("*.town.example;10.*", False), ("192.168.*;*.fr", False)],
)  # fmt: skip
def test_what_every_site_goes_around(override: str, around: bool) -> None:
    (pattern,) = [p for p in patterns(web_filtering.PROXIES.text, "match") if "https" in p.pattern]
    assert bool(pattern.search(override)) == around
