"""What a Windows host records of logons, accounts and commands: audit policy, registry and event logs in, facts out. Pure.

The policy is the one in effect, whatever group policies say. Rules of a user's own may leave its events out; they do not
count for administrators. Sources: auditpol, MS-GPAC, the policies' registry values. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.probes.windows import journal
from auditor.readers import auditpol, ps_json
from auditor.readers.rsyslog import age_s

POLICY = Command(
    r"""$l = @(auditpol.exe /get /category:* /r | ForEach-Object { [string]$_ })
ConvertTo-Json -InputObject ([ordered]@{ code = $LASTEXITCODE; lines = $l }) -Depth 2 -Compress""",
    elevated=True,
    cap_bytes=32768,
)
# Who has audit rules of their own: of the answer, how many lines name a user, not whom.
USERS = Command(
    r"""$l = @(auditpol.exe /list /user /v | ForEach-Object { if ([string]$_ -match 'S-1-[0-9]') { 'S-1-0' } else { '' } })
ConvertTo-Json -InputObject ([ordered]@{ code = $LASTEXITCODE; lines = $l }) -Depth 2 -Compress""",
    elevated=True,
    cap_bytes=8192,
)
# A value that is not set is null; so is one whose key is not there.
SETTINGS = Command(
    r"""$t = [ordered]@{ shell = $PSVersionTable.PSVersion.Major }
$k = Get-Item -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa' -ErrorAction Stop
$t['force'] = $k.GetValue('SCENoApplyLegacyAuditPolicy')
$t['objects'] = $k.GetValue('AuditBaseObjects')
$t['directories'] = $k.GetValue('AuditBaseDirectories')
$t['line'] = $null
$t['scripts'] = $null
try {
    $k = Get-Item -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System\Audit' -ErrorAction Stop
    $t['line'] = $k.GetValue('ProcessCreationIncludeCmdLine_Enabled')
} catch [System.Management.Automation.ItemNotFoundException] { $k = $null }
try {
    $k = Get-Item -LiteralPath 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\PowerShell\ScriptBlockLogging' -ErrorAction Stop
    $t['scripts'] = $k.GetValue('EnableScriptBlockLogging')
} catch [System.Management.Automation.ItemNotFoundException] { $k = $null }
ConvertTo-Json -InputObject $t -Depth 2 -Compress""",
    cap_bytes=4096,
)
RECORDS_SCRIPTS = 5  # the release of PowerShell
POWERSHELL = "Microsoft-Windows-PowerShell/Operational"
ACCOUNTS = ("User Account Management", "Security Group Management")
WHEN_FULL = {"Circular": "rotate", "AutoBackup": "keep_logs", "Retain": "suspend"}
LINUX_ONLY = Unknown("not_told", "Windows has no such thing as Linux's audit rules")

_Audited = Mapping[str, auditpol.Setting | Unknown] | Unknown


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "policy": POLICY,
        "users": USERS,
        "settings": SETTINGS,
        "security": Command(journal.LOG, arguments=("Security",), elevated=True, cap_bytes=4096),
        "powershell": Command(journal.LOG, arguments=(POWERSHELL,), elevated=True, cap_bytes=4096),
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    audited, settings = _audited(answers["policy"]), _object(answers["settings"])
    security = _object(answers["security"])
    log_on = _writes(security)
    return {
        **dict.fromkeys(("installed", "immutable", "rules", "sudo_changes", "kernel_modules", "lost"), LINUX_ONLY),
        "enabled": _all(log_on, _any_recorded(audited)),
        "kept_by": _kept_by(log_on),
        "account_changes": _all(*(_set(audited, kind, 0) for kind in ACCOUNTS)),
        "root_commands": _commands(audited),
        "logins_kept": _logins(audited, answers["users"]),
        "goes_to": _goes_to(log_on),
        "log_megabytes": _megabytes(security),
        "when_full": _when_full(security),
        "oldest_record_days": _oldest(answers["security"], security),
        "audited": _listed(audited),
        "command_lines": _all(_set(audited, "Process Creation", 0), _switch(settings, "line")),
        "script_blocks": _all(_scripts(settings), _writes(_object(answers["powershell"]))),
        "categories_ignored": _value(settings, "force"),
        "base_objects": _switch(settings, "objects"),
        "base_directories": _switch(settings, "directories"),
    }


# ---------------------------------------------------------------- answers


def _object(answer: Answer) -> Mapping[str, Any] | Unknown:
    try:
        told = ps_json.read(answer)
        return told if isinstance(told, Unknown) else ps_json.table(told)
    except Unreadable as why:
        return Unknown("unreadable", str(why))


def _lines(answer: Answer, what: str) -> tuple[str, ...] | Unknown:
    """What auditpol printed. It refuses with an exit code, and in words of the host's language."""
    told = _object(answer)
    if isinstance(told, Unknown):
        return told
    if told.get("code") != 0 or isinstance(told["code"], bool):
        if told.get("code") == 1314 or "0x00000522" in str(told.get("lines"))[:1000]:  # ERROR_PRIVILEGE_NOT_HELD
            return Unknown("no_privilege", f"auditpol does not tell {what} to this account")
        return Unknown("not_told", f"auditpol ended with {str(told.get('code'))[:20]}")
    try:
        return ps_json.texts(told.get("lines"))
    except Unreadable as why:
        return Unknown("unreadable", str(why))


def _audited(answer: Answer) -> _Audited:
    lines = _lines(answer, "the audit policy")
    if isinstance(lines, Unknown):
        return lines
    return auditpol.read(lines) or Unknown("unreadable", "no kind of event in what auditpol tells")


# ---------------------------------------------------------------- what is recorded


def _set(audited: _Audited, kind: str, which: int) -> bool | Unknown:
    """Whether success (0) or failure (1) of a kind of event is recorded."""
    if isinstance(audited, Unknown):
        return audited
    setting = audited.get(kind, Unknown("not_told", f"whether {kind} is recorded"))
    return setting if isinstance(setting, Unknown) else setting[which]


def _any_recorded(audited: _Audited) -> bool | Unknown:
    if isinstance(audited, Unknown):
        return audited
    if any(not isinstance(s, Unknown) and any(s) for s in audited.values()):
        return True
    return next((s for s in audited.values() if isinstance(s, Unknown)), False)


def _commands(audited: _Audited) -> str | Unknown:
    """Every program that starts is recorded, whoever starts it; or at least that a session has an administrator's rights."""
    started, special = _set(audited, "Process Creation", 0), _set(audited, "Special Logon", 0)
    if isinstance(started, Unknown):
        return started
    if started:
        return "all"
    return special if isinstance(special, Unknown) else "becoming" if special else "none"


def _logins(audited: _Audited, users: Answer) -> bool | Unknown:
    told = _all(_set(audited, "Logon", 0), _set(audited, "Logon", 1))
    if told is not True:
        return told
    lines = _lines(users, "whose events are left out")
    if isinstance(lines, Unknown):
        return lines
    if not lines:  # it has a heading where nobody is listed
        return Unknown("not_told", "auditpol says nothing of users' own audit rules")
    why = Unknown("not_told", "users have audit rules of their own, which are not read")
    return why if auditpol.own_rules(lines) else True


def _listed(audited: _Audited) -> Fact:
    if isinstance(audited, Unknown):
        return Partial((), audited)
    return [
        {"kind": kind, "success": _set(audited, kind, 0), "failure": _set(audited, kind, 1)}
        for kind in sorted(audited)
        if kind in auditpol.KINDS.values()
    ]


# ---------------------------------------------------------------- where it is kept


def _writes(log: Mapping[str, Any] | Unknown) -> bool | Unknown:
    if isinstance(log, Unknown):
        return log
    return journal.writes(ps_json.truth(log.get("enabled"), "IsEnabled"), log)


def _kept_by(log_on: bool | Unknown) -> str | Unknown | None:
    return log_on if isinstance(log_on, Unknown) else "eventlog" if log_on else None


def _goes_to(log_on: bool | Unknown) -> Fact:
    if isinstance(log_on, Unknown):
        return Partial((), log_on)
    return [{"way": "event log", "to": "Security"}] if log_on else []


def _megabytes(log: Mapping[str, Any] | Unknown) -> float | Unknown | None:
    """None where it archives itself and removes nothing."""
    if isinstance(log, Unknown):
        return log
    if ps_json.member(log.get("mode"), journal.MODES) == "AutoBackup":
        return None
    size = ps_json.number(log.get("size"), "MaximumSizeInBytes")
    return size if isinstance(size, Unknown) else round(size / 1048576, 1)


def _when_full(log: Mapping[str, Any] | Unknown) -> str | Unknown:
    if isinstance(log, Unknown):
        return log
    mode = ps_json.member(log.get("mode"), journal.MODES)
    return mode if isinstance(mode, Unknown) else WHEN_FULL[mode]


def _oldest(answer: Answer, log: Mapping[str, Any] | Unknown) -> float | Unknown | None:
    if isinstance(answer, Failure):
        return answer.unknown()
    if isinstance(log, Unknown):
        return log
    at = ps_json.moment(log.get("oldest"), "the oldest record")
    if at is None:
        return None if log.get("records") == 0 else Unknown("no_privilege", "the records of the log are not told")
    age = at if isinstance(at, Unknown) else age_s(answer, at)
    return age if isinstance(age, Unknown) else round(age / journal.DAY, 1)


# ---------------------------------------------------------------- registry


def _switch(settings: Mapping[str, Any] | Unknown, name: str) -> bool | Unknown:
    """What is not set is off."""
    value = _value(settings, name)
    return False if value is None else value


def _scripts(settings: Mapping[str, Any] | Unknown) -> bool | Unknown:
    """The switch alone does nothing: PowerShell records scripts since 5.0, and 4.0 where it was updated to."""
    switched = _switch(settings, "scripts")
    if switched is not True or isinstance(settings, Unknown):
        return switched
    release = ps_json.number(settings.get("shell"), "the release of PowerShell")
    if isinstance(release, Unknown) or release >= RECORDS_SCRIPTS:
        return release if isinstance(release, Unknown) else True
    return Unknown("not_told", f"whether PowerShell {int(release)} records scripts")


def _value(settings: Mapping[str, Any] | Unknown, name: str) -> bool | Unknown | None:
    if isinstance(settings, Unknown):
        return settings
    if name not in settings:
        return Unknown("unreadable", f"the setting {name}")
    if settings[name] is None:
        return None
    number = ps_json.number(settings[name], name)
    return number if isinstance(number, Unknown) else number == 1


def _all(*told: bool | Unknown) -> bool | Unknown:
    return False if False in told else next((one for one in told if isinstance(one, Unknown)), True)
