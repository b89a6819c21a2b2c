"""What a Windows host keeps of its event logs: their state and their oldest and newest records in, how far they reach out. Pure.

Each log holds what the others do not, so the one that reaches back least counts. Sources: EventLogConfiguration, the
registry's InstallDate. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Facts, Failure, Unknown
from auditor.readers import ps_json, windows_installed
from auditor.readers.rsyslog import age_s

DAY = 86400.0
LOGS = ("Security", "System", "Application")
MODES = ("Circular", "AutoBackup", "Retain")

# Of the records only the times leave the host. Security is told to administrators and to Event Log Readers.
LOG = r"""$l = Get-WinEvent -ListLog $A[0] -ErrorAction Stop
$t = [ordered]@{ enabled = [bool]$l.IsEnabled; mode = [int]$l.LogMode; full = $l.IsLogFull; records = $l.RecordCount; size = $l.MaximumSizeInBytes; oldest = $null; newest = $null }
if ($l.RecordCount -gt 0) {
    $o = Get-WinEvent -LogName $A[0] -Oldest -MaxEvents 1 -ErrorAction Stop
    $n = Get-WinEvent -LogName $A[0] -MaxEvents 1 -ErrorAction Stop
    $t['oldest'] = $o.TimeCreated.ToUniversalTime().ToString('s') + 'Z'
    $t['newest'] = $n.TimeCreated.ToUniversalTime().ToString('s') + 'Z'
}
ConvertTo-Json -InputObject $t -Depth 2 -Compress"""

NO_JOURNALD = Unknown("not_told", "Windows has no journald")
NO_SYSLOG = Unknown("not_told", "Windows has no syslog files")


@dataclass(frozen=True, slots=True)
class _Log:
    """`writes`: whether it still takes records; ages in seconds, None when it holds no record."""

    enabled: bool | Unknown
    writes: bool | Unknown
    oldest: float | Unknown | None
    newest: float | Unknown | None


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    logs = {name.lower(): Command(LOG, arguments=(name,), elevated=True, cap_bytes=4096) for name in LOGS}
    return {**logs, "installed": windows_installed.INSTALLED}


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    logs = {name: _log(answers[name.lower()]) for name in LOGS}
    security = logs["Security"]
    local = _least([_reach(log) for log in logs.values()])
    installed = windows_installed.days(answers["installed"])
    return {
        "storage": NO_JOURNALD,
        "journal_persistent": NO_JOURNALD,
        "persistent": _all([log.enabled for log in logs.values()]),
        "oldest_entry_days": _in(security.oldest, DAY),
        "newest_entry_hours": _in(security.newest, 3600.0),
        "oldest_syslog_days": NO_SYSLOG,
        "syslog_kept_days": NO_SYSLOG,
        "local_days": local,
        "installed_days": installed,
        "since_installation": _since(local, installed),
    }


def _log(answer: Answer) -> _Log:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown) or isinstance(answer, Failure):
            why = told if isinstance(told, Unknown) else Unknown("not_told")
            return _Log(why, why, why, why)
        row = ps_json.table(told)
    except Unreadable as error:
        why = Unknown("unreadable", str(error))
        return _Log(why, why, why, why)
    enabled = ps_json.truth(row.get("enabled"), "IsEnabled")
    return _Log(enabled, writes(enabled, row), _age(answer, row, "oldest"), _age(answer, row, "newest"))


def writes(enabled: bool | Unknown, row: Mapping[str, Any]) -> bool | Unknown:
    """A log that keeps everything takes nothing more once it is full."""
    mode = ps_json.member(row.get("mode"), MODES)
    if enabled is not True or isinstance(mode, Unknown):
        return mode if enabled is True and isinstance(mode, Unknown) else enabled
    if mode != "Retain":
        return True
    full = ps_json.truth(row.get("full"), "IsLogFull")
    return full if isinstance(full, Unknown) else not full


def _age(answer: Answer, row: Mapping[str, Any], which: str) -> float | Unknown | None:
    """None only where the log says that it holds no record; it tells nothing to whom it is closed."""
    records = row.get("records")
    if records is None or isinstance(answer, Failure):
        return Unknown("no_privilege", "the records of the log are not told")
    if records == 0 and records is not False:
        return None
    at = ps_json.moment(row.get(which), which)
    if at is None or isinstance(at, Unknown):
        return at or Unknown("unreadable", f"the {which} record of the log")
    return age_s(answer, at)


def _reach(log: _Log) -> float | Unknown:
    """How far back the log reaches in seconds; 0 when nothing more is written to it, or it is empty."""
    if log.writes is False or log.oldest is None:
        return 0.0
    return log.writes if isinstance(log.writes, Unknown) else log.oldest


def _least(reaches: list[float | Unknown]) -> float | Unknown:
    known = [r for r in reaches if not isinstance(r, Unknown)]
    unknown = next((r for r in reaches if isinstance(r, Unknown)), None)
    if unknown and 0.0 not in known:
        return unknown
    return round(min(known) / DAY, 1)


def _all(told: list[bool | Unknown]) -> bool | Unknown:
    if False in told:
        return False
    return next((t for t in told if isinstance(t, Unknown)), True)


def _in(age: float | Unknown | None, unit: float) -> float | Unknown | None:
    return round(age / unit, 1) if isinstance(age, float) else age


def _since(local: float | Unknown, installed: float | Unknown) -> bool | Unknown:
    if isinstance(local, Unknown):
        return local
    return installed if isinstance(installed, Unknown) else local >= installed - 1
