"""Which directory a Windows host belongs to: its own word, services, its cache and its last group policy in, directories out. Pure.

No other host is asked: that the domain answers is told by the group policy that came from it. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import ps_json, windows_registry, windows_services
from auditor.readers.rsyslog import age_s

# Its own word; the join to Entra by the number of its keys, whose names are thumbprints of certificates.
JOINED = Command(
    r"""$c = Get-CimInstance -ClassName Win32_ComputerSystem -ErrorAction Stop
$k = $null
try { $k = Get-Item -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo' -ErrorAction Stop } catch [System.Management.Automation.ItemNotFoundException] { $k = $null }
$n = 0
if ($null -ne $k) { $n = @($k.GetSubKeyNames()).Count }
ConvertTo-Json -InputObject ([ordered]@{ member = $c.PartOfDomain; domain = [string]$c.Domain; role = [int]$c.DomainRole; entra = $n }) -Depth 2 -Compress""",
    cap_bytes=4096,
)
CACHE = windows_registry.one(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon", "CachedLogonsCount")
# When the machine last went through its group policies, as two halves of a file time, and how that ended: 0, or an error.
POLICY = windows_registry.one(
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Group Policy\State\Machine\Extension-List\{00000000-0000-0000-0000-000000000000}",
    "startTimeHi",
    "startTimeLo",
    "Status",
)
CONTROLLERS = (4, 5)  # of DomainRole
RECENT_S = 86400  # a member goes through them every two hours at most, unless somebody set it otherwise
FILETIME_EPOCH = 11644473600
NOT_HERE = Unknown("not_told", "Windows has no nsswitch.conf and no keytab")
RIGHTS = Unknown("not_told", "who may log on is in the host's user rights")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "joined": JOINED,
        "cache": CACHE,
        "policy": POLICY,
        "registered": windows_services.REGISTERED,
        "services": windows_services.STATES,
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    told = ps_json.read(answers["joined"])
    member = told if isinstance(told, Unknown) else ps_json.truth(ps_json.table(told).get("member"), "PartOfDomain")
    sources = dict.fromkeys(("passwd_sources", "group_sources", "sudoers_sources", "keytab"), NOT_HERE)
    if isinstance(member, Unknown):
        return {"joined": member, "directories": member, **sources}
    row = ps_json.table(told)
    entra = ps_json.number(row.get("entra"), "JoinInfo")
    found = [_domain(row, answers)] if member else []
    if isinstance(entra, Unknown) and not found:
        return {"joined": entra, "directories": entra, **sources}
    if not isinstance(entra, Unknown) and entra > 0:
        found.append(_entra())
    shown: Fact = Partial(tuple(found), entra) if isinstance(entra, Unknown) else found
    return {"joined": bool(found), "directories": shown, **sources}


def _domain(row: Mapping[str, Any], answers: Mapping[str, Answer]) -> Fact:
    (name,) = ps_json.texts([row.get("domain")])
    role = ps_json.number(row.get("role"), "DomainRole")
    if not name or isinstance(role, Unknown):
        raise Unreadable("a domain without a name or a role")
    services = windows_services.read(answers["registered"], answers["services"])
    controller = int(role) in CONTROLLERS
    caches = Unknown("not_told", "a domain controller asks itself") if controller else _caches(answers["cache"])
    return {
        "directory": name.lower(),
        "client": "domain controller" if controller else "domain member",
        "provider": "ad",
        "identities": True,
        "logins": True,
        "active": services.runs(frozenset({"netlogon"})),
        "online": _online(answers["policy"]),
        "access": RIGHTS,
        "allowed": RIGHTS,
        "caches_logins": caches,
        # What it keeps has no end of its own.
        "cached_login_hours": None if caches is True else Unknown("not_told", "it keeps none"),
    }


def _entra() -> Fact:
    untold = Unknown("not_told", "what Entra's client does")
    told = ("identities", "logins", "active", "online", "access", "allowed", "caches_logins", "cached_login_hours")
    return {"directory": "Entra ID", "client": "entra", "provider": "entra", **dict.fromkeys(told, untold)}


def _caches(answer: Answer) -> bool | Unknown:
    """A text of digits; where there is none, Windows keeps ten."""
    key = windows_registry.read_one(answer)
    told = key if isinstance(key, Unknown) else key.get("CachedLogonsCount")
    if isinstance(told, Unknown):
        return told
    count = "10" if told is None else str(told).strip()
    if not (count.isascii() and count.isdigit() and len(count) < 4):
        return Unknown("unreadable", "CachedLogonsCount")
    return int(count) > 0


def _online(answer: Answer) -> bool | Unknown:
    """True, or not told: that no policy came of late may have other causes than a directory that is silent."""
    key = windows_registry.read_one(answer)
    high, low = (windows_registry.number(key, name) for name in ("startTimeHi", "startTimeLo"))
    if isinstance(high, Unknown) or isinstance(low, Unknown) or isinstance(answer, Failure):
        return next((v for v in (high, low) if isinstance(v, Unknown)), Unknown("not_told"))
    if high is None or low is None:
        return Unknown("not_told", "when a group policy last came")
    ended = windows_registry.number(key, "Status")
    if ended not in (0, None):
        return ended if isinstance(ended, Unknown) else Unknown("not_told", f"how the last group policy ended: {ended}")
    at = ((high & 0xFFFFFFFF) * 2**32 + (low & 0xFFFFFFFF)) / 1e7 - FILETIME_EPOCH
    age = age_s(answer, at)
    if isinstance(age, Unknown):
        return age
    return True if age < RECENT_S else Unknown("not_told", f"the last group policy came {int(age // 3600)} hours ago")
