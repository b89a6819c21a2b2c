"""When Windows was last updated and which security updates it waits for: packages, fixes and the update agent in, facts out. Pure.

The agent's own history is not asked: it is full of antivirus definitions and drivers, under translated titles. What is
installed of Windows itself the servicing stack tells, to anybody. Sources: learn.microsoft.com on IUpdateSearcher and
Win32_QuickFixEngineering; CurrentState and InstallTime of packages as seen in public. Not met on a real Windows yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Unknown
from auditor.readers import ps_json, windows_installed, windows_registry
from auditor.readers.rsyslog import age_s

DAY = 86400.0
LONG_DAYS = 92.0  # whoever had no update for so long is late, whatever its image held
# The cumulative update of a month since Windows 10, and single fixes. `state` 112: installed; 80: replaced by a newer one.
PACKAGES = Command(
    r"""$p = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages'
$k = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($p)
$i = @($k.GetSubKeyNames() | ForEach-Object {
    if ($_ -match '^Package_for_(RollupFix|KB[0-9]+)~') {
        $r = $k.OpenSubKey($_)
        if ($r.GetValue('CurrentState') -eq 112) {
            [ordered]@{ name = $_; high = $r.GetValue('InstallTimeHigh'); low = $r.GetValue('InstallTimeLow') }
        }
    }
})
ConvertTo-Json -InputObject ([ordered]@{ packages = $i }) -Depth 3 -Compress""",
    cap_bytes=262144,
)
# The raw text of the date: a script of PowerShell stands before the property of that name, and may fail.
FIXES = Command(
    r"""$i = @(Get-CimInstance -ClassName Win32_QuickFixEngineering -ErrorAction Stop | ForEach-Object {
    [ordered]@{ id = [string]$_.HotFixID; on = [string]$_.CimInstanceProperties['InstalledOn'].Value }
})
ConvertTo-Json -InputObject ([ordered]@{ fixes = $i }) -Depth 3 -Compress""",
    elevated=True,
    cap_bytes=65536,
)
SOURCE = windows_registry.question(
    {
        "policy": (r"SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate", ("WUServer",)),
        "automatic": (r"SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU", ("UseWUServer", "NoAutoUpdate")),
    },
    cap_bytes=4096,
)
AGENT = Command(
    r"""$a = New-Object -ComObject Microsoft.Update.AutoUpdate
$d = $a.Results.LastSearchSuccessDate
$t = [ordered]@{ searched = $null }
if ($d -is [datetime]) { $t['searched'] = $d.ToString('s') + 'Z' }
ConvertTo-Json -InputObject $t -Depth 2 -Compress""",
    elevated=True,
    timeout_s=25,
    cap_bytes=1024,
)
# Offline: of what the host's last search found; no server is asked. Dates are UTC already. What somebody hid waits all the same.
WAITING = Command(
    r"""$s = (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher()
$s.Online = $false
$r = $s.Search("IsInstalled=0 and Type='Software'")
$i = @($r.Updates | ForEach-Object {
    $p = $null
    if ($_.LastDeploymentChangeTime -is [datetime]) { $p = $_.LastDeploymentChangeTime.ToString('s') + 'Z' }
    $c = @($_.Categories | ForEach-Object { [string]$_.CategoryID })
    $b = @($_.KBArticleIDs | ForEach-Object { [string]$_ })
    [ordered]@{ id = [string]$_.Identity.UpdateID; kbs = $b; categories = $c; severity = [string]$_.MsrcSeverity; published = $p }
})
ConvertTo-Json -InputObject ([ordered]@{ result = [int]$r.ResultCode; updates = $i }) -Depth 4 -Compress""",
    elevated=True,
    timeout_s=120,
    cap_bytes=131072,
)
_CUMULATIVE = "Package_for_RollupFix~"
SECURITY_UPDATES = "0fa1201d-4330-4fa8-8ae9-b877473b6441"
SUCCEEDED = 2  # of OperationResultCode
_EPOCH_S = 11644473600  # of 1970 in the count of file times, which begins in 1601
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_HEX_TIME = re.compile(r"[0-9A-Fa-f]{15,16}", re.ASCII)
_SERVER = re.compile(
    r"(?:https?://)?(?:[^/@\s]*@)?([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?(?:/\S*)?", re.ASCII
)


def _commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "packages": PACKAGES,
        "fixes": FIXES,
        "installed": windows_installed.INSTALLED,
        "source": SOURCE,
        "agent": AGENT,
        "waiting": WAITING,
    }


def _parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    server = _server(answers["source"])
    return {
        "last_update_days": _since_installed(_last(answers["packages"], answers["fixes"]), answers["installed"]),
        "server": server,
        "searched_days": _searched(answers["agent"]),
        "security_waiting": _waiting(answers["waiting"]),
    }


# ---------------------------------------------------------------- what is installed


def _last(packages: Answer, fixes: Answer) -> float | Unknown:
    """Days since the newest cumulative update; single fixes count only where releases have no cumulative ones.

    Among single fixes are those of .NET and of the boot loader, which go on where the system's own updates fail.
    """
    rows, cumulative = _rows(packages, "packages"), _rows(packages, "packages", _CUMULATIVE)
    if isinstance(rows, Unknown) or isinstance(cumulative, Unknown):
        return rows if isinstance(rows, Unknown) else Unknown("not_told")
    told = [_ages(packages, cumulative)] if cumulative else [_ages(packages, rows), _ages(fixes, _rows(fixes, "fixes"))]
    known = [age for ages in told if not isinstance(ages, Unknown) for age in ages]
    if known:
        return round(min(known) / DAY, 1)
    unknown = next((ages for ages in told if isinstance(ages, Unknown)), None)
    return unknown or Unknown("not_told", "no update that is installed has a date")


def _since_installed(newest: float | Unknown, answer: Answer) -> float | Unknown:
    """What came with the installation itself is as old as its image, which may be years; of a host that was installed long
    ago the days since then are told: its updates are no newer."""
    if isinstance(newest, Unknown) or newest >= LONG_DAYS:
        return newest
    installed = windows_installed.days(answer)
    if isinstance(installed, Unknown):
        return installed
    return newest if newest < installed - 1 else Unknown("not_told", "its newest update came with its installation")


def _rows(answer: Answer, what: str, begins: str = "") -> list[Mapping[str, Any]] | Unknown:
    """The installations that an answer lists, those with such a name alone."""
    try:
        told = ps_json.read(answer)
        rows = [] if isinstance(told, Unknown) else ps_json.rows(told, what)
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    return told if isinstance(told, Unknown) else [r for r in rows if str(r.get("name", "")).startswith(begins)]


def _ages(answer: Answer, rows: list[Mapping[str, Any]] | Unknown) -> list[float] | Unknown:
    if isinstance(rows, Unknown) or isinstance(answer, Failure):
        return rows if isinstance(rows, Unknown) else Unknown("not_told")
    try:
        dates = [_installed(row) for row in rows]
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    ages = [age_s(answer, at) for at in dates if at is not None]
    known = [age for age in ages if not isinstance(age, Unknown)]
    unknown = next((age for age in ages if isinstance(age, Unknown)), None)
    return known if known or unknown is None else unknown


def _installed(row: Mapping[str, Any]) -> float | None:
    """Seconds since 1970; None where an installation has no date that can be read, as is usual of some."""
    if "on" in row:
        (text,) = ps_json.texts([row["on"]])
        return _fix_date(text.strip())
    high, low = (ps_json.number(row.get(n), n) for n in ("high", "low"))
    if isinstance(high, Unknown) or isinstance(low, Unknown):
        return None
    return _file_time((int(high) & 0xFFFFFFFF) << 32 | int(low) & 0xFFFFFFFF)


def _file_time(ticks: int) -> float | None:
    at = ticks / 10_000_000 - _EPOCH_S
    return at if at > 0 else None


def _fix_date(text: str) -> float | None:
    """`11/18/2026`, month first in every language; or, on some hosts, a file time in hexadecimal."""
    if _HEX_TIME.fullmatch(text):
        return _file_time(int(text, 16))
    found = _US_DATE.fullmatch(text)
    if not found:
        return None
    try:
        return datetime(int(found[3]), int(found[1]), int(found[2]), tzinfo=UTC).timestamp()
    except ValueError:
        return None


# ---------------------------------------------------------------- where from, and what is waited for


def _server(answer: Answer) -> str | Unknown | None:
    """The name of the WSUS that policy says; None when it says none."""
    keys = windows_registry.read(answer)
    policy, automatic = keys.key("policy"), keys.key("automatic")
    if isinstance(policy, Unknown):
        return policy
    if isinstance(automatic, Unknown):
        return automatic
    use = automatic.number("UseWUServer")
    if isinstance(use, Unknown) or not use:
        return use if isinstance(use, Unknown) else None
    found = _SERVER.fullmatch(policy.text("WUServer"))
    return found[1] if found else Unknown("unreadable", "WUServer")


def _searched(answer: Answer) -> float | Unknown | None:
    try:
        told = ps_json.read(answer)
        at = told if isinstance(told, Unknown) else ps_json.moment(ps_json.table(told)["searched"], "searched")
    except KeyError:
        return Unknown("unreadable", "the update agent")
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    return (
        _days(answer, at) if at is not None else Unknown("not_told", "the update agent tells no search that succeeded")
    )


def _days(answer: Answer, at: float | Unknown) -> float | Unknown:
    if isinstance(at, Unknown):
        return at
    if isinstance(answer, Failure):
        return answer.unknown()
    age = age_s(answer, at)
    return age if isinstance(age, Unknown) else round(age / DAY, 1)


def _waiting(answer: Answer) -> list[Fact] | Unknown:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        if ps_json.table(told).get("result") != SUCCEEDED:
            return Unknown("not_told", "the update agent's search did not succeed")
        return [_update(row, answer) for row in ps_json.rows(told, "updates") if _is_security(row)]
    except Unreadable as why:
        return Unknown("unreadable", str(why))


def _is_security(row: Mapping[str, Any]) -> bool:
    categories = {c.lower() for c in ps_json.texts(row.get("categories"))}
    (severity,) = ps_json.texts([row.get("severity") or ""])
    return SECURITY_UPDATES in categories or bool(severity.strip())


def _update(row: Mapping[str, Any], answer: Answer) -> Fact:
    kbs, (id_,) = ps_json.texts(row.get("kbs")), ps_json.texts([row.get("id") or ""])
    name = f"KB{kbs[0][:12].removeprefix('KB')}" if kbs else id_[:40]
    at = ps_json.moment(row.get("published"), "published")
    return {
        "update": name or "?",
        "published_days": _days(answer, Unknown("not_told", "published") if at is None else at),
    }


PROBE = Probe(
    title={"en": "Updates", "fr": "Mises à jour"},
    facts={
        "type": "object",
        "properties": {
            "last_update_days": {
                "type": "number",
                "description": "Days since an update of the system itself was last installed; definitions and drivers aside.",
            },
            "server": {
                "type": "string",
                "description": "The name of the update server (WSUS) that policy says; null when it says none.",
            },
            "searched_days": {
                "type": "number",
                "description": "Days since the update agent last searched with success, with its source.",
            },
            "security_waiting": {
                "type": "array",
                "description": "Security updates that the last search found and that are not installed.",
                "items": {
                    "type": "object",
                    "x-name": "update",
                    "properties": {
                        "update": {"type": "string", "description": "Its KB number, else its identifier."},
                        "published_days": {
                            "type": "number",
                            "description": "Days since whoever offers it, its maker or a WSUS, last published it.",
                        },
                    },
                },
            },
        },
    },
    dialects={"windows": Dialect(_commands, _parse)},
    privilege={
        "en": "Installed packages and the update server: an ordinary account. Fixes, searches and what is waited for: an administrator.",
        "fr": "Paquets installés et serveur de mises à jour : un compte ordinaire. Correctifs, recherches et mises à jour en attente : un administrateur.",
    },
)
