"""The newest backup of a Windows host that succeeded, as its own tool tells it: summaries and event numbers in, facts out. Pure.

Backups that a server pulls are told by that server. Sources: Get-WBSummary as recorded of two hosts; the event numbers of
Windows Server Backup and of Veeam's agent as monitoring templates read them. Not met on a real Windows yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Partial, Unknown
from auditor.probes.windows import addresses, log_forwarding
from auditor.readers import offsite, own_names, ps_json, repositories, windows_events, windows_services
from auditor.readers.own_names import Own
from auditor.readers.rsyslog import age_s

HOUR = 3600.0
WSB, VEEAM = "Windows Server Backup", "Veeam Agent"
SUMMARY = Command(
    r"""$s = Get-WBSummary -ErrorAction Stop
$t = [ordered]@{ path = [string]$s.LastSuccessfulBackupTargetPath; versions = $s.NumberOfVersions }
foreach ($n in @('LastSuccessfulBackupTime', 'LastBackupTime')) {
    $v = $s.PSObject.Properties[$n].Value
    if ($v -is [datetime]) { $v = $v.ToUniversalTime().ToString('s') + 'Z' }
    $t[$n] = $v
}
ConvertTo-Json -InputObject $t -Depth 2 -Compress""",
    elevated=True,
    timeout_s=60,
    cap_bytes=4096,
)
SUCCEEDED = windows_events.question("Microsoft-Windows-Backup", 4)
FINISHED = windows_events.question(VEEAM, 190)
VEEAM_SERVICES = ("VeeamEndpointBackupSvc",)
# Tools whose restore points their own consoles tell; and servers of backups, which tell of other hosts.
OTHERS = {
    "Acronis": ("AcronisAgent", "AcrSch2Svc", "MMS"),
    "Arcserve": ("CASAD2DWebSvc",),
    "Azure Backup (MARS)": ("obengine", "OBRecoveryServicesManagementAgent"),
    "Bacula": ("bacula-fd",),
    "Bareos": ("bareos-fd",),
    "Backup Exec": ("BackupExecAgentAccelerator",),
    "Cohesity": ("CohesityAgent",),
    "Commvault": ("GxCVD(*",),
    "Cove": ("Backup Service Controller",),
    "Druva": ("DruvaInSync*", "PhoenixCPHwAgent"),
    "NetBackup": ("NetBackup Client Service",),
    "Rubrik": ("Rubrik Backup Service",),
    "Synology Active Backup": ("Synology Active Backup for Business Service",),
    "UrBackup": ("UrBackupClientBackend",),
    "Veeam Backup & Replication": ("VeeamBackupSvc",),
}
_UNC = re.compile(r"\\\\(?:\?\\UNC\\)?([^\\?/]{1,255})\\.*", re.IGNORECASE | re.DOTALL)
_NO_COMMAND = "CommandNotFoundException"  # the feature is not installed: its commands come with it


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "registered": windows_services.REGISTERED,
        "names": log_forwarding.NAMES,
        "interfaces": addresses.INTERFACES,
        "summary": SUMMARY,
        "succeeded": SUCCEEDED,
        "veeam": FINISHED,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    near = _Near(offsite.declared(args), log_forwarding.own_of(answers["names"], answers["interfaces"]))
    named, nameless = windows_services.registered(answers["registered"])
    there = frozenset(n for n, patterns in OTHERS.items() if windows_services.named(named, patterns))
    agent = bool(windows_services.named(named, VEEAM_SERVICES))
    own = _summary(answers["summary"], answers["succeeded"], near)
    theirs = _veeam(answers["veeam"], agent)
    tools = [WSB] * isinstance(own, list) * (not _lacks(answers["summary"])) + [VEEAM] * agent + sorted(there)
    found = [one for ones in (own, theirs) if isinstance(ones, list) for one in ones]
    missing = nameless or next((o for o in (own, theirs) if isinstance(o, Unknown)), None)
    if there:
        missing = missing or Unknown("not_told", "not asked by this release: " + ", ".join(sorted(there)))
    if not found:
        missing = missing or Unknown("not_told", "no backup of a tool on this host; ask the backup server")
        return {"tools": _told(tools, nameless or _cause(own)), "repositories": missing}
    return {"tools": _told(tools, nameless or _cause(own)), "repositories": _told(found, missing)}


def _told(items: list[Any], missing: Unknown | None) -> Fact:
    return Partial(tuple(items), missing) if missing else items


def _cause(told: list[Fact] | Unknown) -> Unknown | None:
    return told if isinstance(told, Unknown) else None


def _lacks(answer: Answer) -> bool:
    return (
        not isinstance(answer, Failure) and answer.exit_code != 0 and answer.error_text.lstrip().startswith(_NO_COMMAND)
    )


# ---------------------------------------------------------------- Windows Server Backup


def _summary(answer: Answer, events: Answer, near: _Near) -> list[Fact] | Unknown:
    """One repository: where the newest backup that succeeded went. None where it never was set to work."""
    if _lacks(answer):
        return []
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown) or isinstance(answer, Failure):
            return _by_events(events, told if isinstance(told, Unknown) else Unknown("not_told"))
        row = ps_json.table(told)
        (path,) = ps_json.texts([row.get("path") or ""])
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if not {"LastSuccessfulBackupTime", "LastBackupTime"} <= set(row):
        return Unknown("unreadable", "the summary of Windows Server Backup")
    newest, tried = (ps_json.moment(row[n], n) for n in ("LastSuccessfulBackupTime", "LastBackupTime"))
    if newest is None and tried is None:
        return []
    return [_element(path.strip()[:200], WSB, _hours(answer, newest), near)]


def _by_events(answer: Answer, why: Unknown) -> list[Fact] | Unknown:
    """When it last succeeded, where the log alone tells it: then not where to. No record proves nothing, logs wrap."""
    try:
        records = windows_events.read(answer)
    except Unreadable:
        return why
    if isinstance(records, Unknown) or not records or isinstance(answer, Failure):
        return why
    return [_element("", WSB, _hours(answer, max(r.at for r in records)), UNSEEN)]


def _hours(answer: Output, at: float | Unknown | None) -> Fact:
    if at is None or isinstance(at, Unknown):
        return at
    age = age_s(answer, at)
    return age if isinstance(age, Unknown) else round(age / HOUR, 1)


# ---------------------------------------------------------------- Veeam's agent


def _veeam(answer: Answer, agent: bool) -> list[Fact] | Unknown:
    """The newest job that ended without trouble; one that ended later with a warning may or may not have made one."""
    if not agent:
        return []
    try:
        records = windows_events.read(answer)
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if isinstance(records, Unknown) or isinstance(answer, Failure):
        return records if isinstance(records, Unknown) else Unknown("not_told")
    if not records:
        return Unknown("not_told", f"the log of {VEEAM} holds no job that ended")
    good = max((r.at for r in records if r.level in windows_events.INFORMATION), default=None)
    warned = max((r.at for r in records if r.level == windows_events.WARNING), default=None)
    newest: Fact = (
        Unknown("not_told", "no job among the last ones ended well") if good is None else _hours(answer, good)
    )
    if warned is not None and (good is None or warned > good):
        newest = Unknown("not_told", "the last job ended with a warning")
    return [_element("", VEEAM, newest, UNSEEN)]


# ---------------------------------------------------------------- where


@dataclass(frozen=True, slots=True)
class _Near:
    """Which hosts are off site, and which is this one."""

    declared: offsite.Declared | None
    own: Own | Unknown


UNSEEN = _Near(None, Unknown("not_asked"))


def _element(path: str, tool: str, newest: Fact, near: _Near) -> Fact:
    found = _UNC.fullmatch(path)
    if not found:
        unseen = Unknown("not_told", f"where {tool} stores: {path}" if path else f"where {tool} stores")
        return {
            "repository": path or tool,
            "tool": tool,
            "newest_hours": newest,
            "on_this_host": unseen,
            "host": unseen,
            "addresses": unseen,
            "on_declared_offsite_host": unseen,
        }
    host = own_names.plain(found[1].partition("@")[0])  # after it, how WebDAV reaches the host
    addresses = tuple(repositories.canonical(host))
    return {
        "repository": path,
        "tool": tool,
        "newest_hours": newest,
        "on_this_host": own_names.is_loopback(host) or own_names.is_own(host, near.own),
        "host": host,
        "addresses": list(addresses) or Unknown("not_told", f"the addresses of {host}"),
        "on_declared_offsite_host": offsite.holds(host, addresses, near.declared),
    }
