"""The local accounts of a Windows host: what the account manager says of each in, which can log in and when they last did out. Pure.

Names of built-in accounts depend on the language and may be changed: what they are is told by their RIDs. Whether a password is
empty nobody is told; that one may be, its flag says. Not met on a real Windows yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Partial, Unknown
from auditor.probes.windows import admins
from auditor.readers import ps_json
from auditor.readers.rsyslog import age_s

# A domain controller has no accounts of its own, and would list the domain's. Without the filter a member would, too.
LISTED = Command(
    r"""$p = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\ProductOptions' -Name ProductType -ErrorAction Stop
$c = $p.ProductType -eq 'LanmanNT'
$i = @()
if (-not $c) {
    $i = @(Get-CimInstance -ClassName Win32_UserAccount -Filter 'LocalAccount=True' -ErrorAction Stop | ForEach-Object {
        [ordered]@{ name = [string]$_.Name; sid = [string]$_.SID; disabled = $_.Disabled; required = $_.PasswordRequired }
    })
}
ConvertTo-Json -InputObject ([ordered]@{ controller = $c; accounts = $i }) -Depth 3 -Compress""",
    timeout_s=30,
    cap_bytes=262144,
)
# Of the module of Windows PowerShell 5.1: older hosts lack it.
DATES = Command(
    r"""$p = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\ProductOptions' -Name ProductType -ErrorAction Stop
$i = @()
if ($p.ProductType -ne 'LanmanNT') {
    $i = @(Get-LocalUser -ErrorAction Stop | ForEach-Object {
        $t = [ordered]@{ sid = $_.SID.Value }
        foreach ($n in @('LastLogon', 'PasswordLastSet', 'AccountExpires')) {
            $v = $_.PSObject.Properties[$n].Value
            if ($v -is [datetime]) { $v = $v.ToUniversalTime().ToString('s') + 'Z' }
            $t[$n] = $v
        }
        $t
    })
}
ConvertTo-Json -InputObject ([ordered]@{ dates = $i }) -Depth 3 -Compress""",
    timeout_s=30,
    cap_bytes=262144,
)
DAY_S = 86400
BUILT_IN, FIRST_PERSON = 500, 1000  # RIDs
# Every Windows has them, disabled or not: a list without one of them is no whole list.
ALWAYS = (500, 501)
_SID = re.compile(r"S-1-5-21-\d{1,10}-\d{1,10}-\d{1,10}-(\d{1,10})", re.ASCII)
NO_UID = Unknown("not_told", "Windows has no uid")
NO_SHELL = Unknown("not_told", "Windows has no login shells")
NO_KEYS = Unknown("not_told", "keys for an SSH server on Windows are not looked for")
MAYBE_EMPTY = Unknown("not_told", "Windows does not tell whether a password is empty")
DATED = ("LastLogon", "PasswordLastSet", "AccountExpires")


@dataclass(frozen=True, slots=True)
class _Dates:
    """Ages in seconds; None where it never was, or never will be. An expiry to come is negative."""

    logon: float | Unknown | None
    password: float | Unknown | None
    expires: float | Unknown | None


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    sid: str
    rid: int
    enabled: bool | Unknown
    required: bool | Unknown
    dates: _Dates


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"listed": LISTED, "dates": DATES, **admins.commands(args)}


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    told = _listed(answers["listed"])
    if isinstance(told, Unknown):
        return {"accounts": told, "usable": told, "without_shell": NO_SHELL}
    dates = _dates(answers["dates"])
    administrators = _administrators(answers["members"])
    found = [_account(row, dates) for row in told]
    items: list[Fact] = [_shown(account, administrators) for account in found]
    lacking = [rid for rid in ALWAYS if rid not in {account.rid for account in found}]
    gap = Unknown("no_privilege", f"the account with RID {lacking[0]} is not listed") if lacking else None
    return {
        "accounts": Partial(tuple(items), gap) if gap else items,
        "usable": _usable_of(items, gap),
        "without_shell": NO_SHELL,
    }


def _usable_of(items: list[Fact], gap: Unknown | None) -> Fact:
    gap = gap or next((i["usable"] for i in items if isinstance(i["usable"], Unknown)), None)
    found = [i for i in items if i["usable"] is True]
    return Partial(tuple(found), gap) if gap else found


def _listed(answer: Answer) -> list[Mapping[str, Any]] | Unknown:
    told = ps_json.read(answer)
    if isinstance(told, Unknown):
        return told
    rows = ps_json.rows(told, "accounts")
    if ps_json.table(told).get("controller") is True:
        return Unknown("not_told", "a domain controller: its accounts are those of the domain")
    return rows or Unknown("not_told", "no local account is listed")


# ---------------------------------------------------------------- what the answers hold


def _account(row: Mapping[str, Any], dates: Mapping[str, _Dates] | Unknown) -> _Account:
    name, sid = ps_json.texts([row.get("name"), row.get("sid")])
    rid = _SID.fullmatch(sid)
    if not name or not rid:
        raise Unreadable(f"an account of another shape: {name[:60]}")
    disabled = ps_json.truth(row.get("disabled"), "Disabled")
    untold = dates if isinstance(dates, Unknown) else Unknown("not_told", "the dates of this account")
    of_it = dates.get(sid) if not isinstance(dates, Unknown) else None
    return _Account(
        name,
        sid,
        int(rid[1]),
        disabled if isinstance(disabled, Unknown) else not disabled,
        ps_json.truth(row.get("required"), "PasswordRequired"),
        of_it or _Dates(untold, untold, untold),
    )


def _dates(answer: Answer) -> Mapping[str, _Dates] | Unknown:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown) or isinstance(answer, Failure):
            return told if isinstance(told, Unknown) else Unknown("not_told")
        found = {}
        for row in ps_json.rows(told, "dates"):
            (sid,) = ps_json.texts([row.get("sid")])
            found[sid] = _Dates(*(_age(answer, row, name) for name in DATED))
        return found
    except Unreadable as why:
        return Unknown("unreadable", str(why))


def _age(answer: Output, row: Mapping[str, Any], name: str) -> float | Unknown | None:
    if name not in row:
        return Unknown("not_told", name)
    at = ps_json.moment(row[name], name)
    if at is None or isinstance(at, Unknown):
        return at
    if name == "AccountExpires":
        now = _now(answer)
        return now if isinstance(now, Unknown) else now - at
    return age_s(answer, at)


def _now(answer: Output) -> float | Unknown:
    if answer.host_at is None:
        return Unknown("not_told", "the host's clock")
    return Unknown("clock_skew") if abs(answer.host_at - answer.at) > DAY_S else answer.host_at


def _administrators(answer: Answer) -> frozenset[str] | Unknown:
    """The SIDs in the group of administrators; Unknown where one of them has none, or the group was not told."""
    try:
        told = ps_json.read(answer)
        rows = [] if isinstance(told, Unknown) else ps_json.rows(told, "members")
        sids = ps_json.texts([row.get("sid") for row in rows])
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if isinstance(told, Unknown):
        return told
    if not sids or not all(sids):
        return Unknown("not_told", "a member of the administrators without its SID")
    return frozenset(sids)


# ---------------------------------------------------------------- one account


def _shown(account: _Account, administrators: frozenset[str] | Unknown) -> Fact:
    expired = _expired(account.dates.expires)
    last_used, unused, exact = _use(account.dates)
    required = account.required
    return {
        "account": account.name,
        "uid": NO_UID,
        "kind": _kind(account.rid),
        "password": "locked" if account.enabled is False else MAYBE_EMPTY,
        "password_required": required,
        "keys": NO_KEYS,
        "expired": expired,
        "usable": _usable(account.enabled, expired),
        "ways": "none seen" if account.enabled is False else "no password needed" if required is False else "password",
        "administrator": _is_one(account.sid, administrators),
        "last_used_days": last_used,
        "unused_days": unused,
        "unused_days_exact": exact,
    }


def _is_one(sid: str, administrators: frozenset[str] | Unknown) -> bool | Unknown:
    """By itself, or because every account of the host is in a group that administrates."""
    if isinstance(administrators, Unknown):
        return administrators
    return sid in administrators or bool(administrators & admins.EVERY_ACCOUNT)


def _kind(rid: int) -> str:
    if rid == BUILT_IN:
        return "root"
    return "system" if rid < FIRST_PERSON else "person"


def _expired(age: float | Unknown | None) -> bool | Unknown:
    if age is None or isinstance(age, Unknown):
        return False if age is None else age
    return age >= 0


def _usable(enabled: bool | Unknown, expired: bool | Unknown) -> bool | Unknown:
    """That it is locked after wrong passwords ends by itself."""
    if enabled is False or expired is True:
        return False
    return next((v for v in (enabled, expired) if isinstance(v, Unknown)), True)


def _use(dates: _Dates) -> tuple[int | Unknown, int | Unknown, bool | Unknown]:
    """By the newest of its last logon and its password; where one is not told, the other is a sign all the same."""
    ages = (dates.logon, dates.password)
    known = [age for age in ages if isinstance(age, float)]
    untold = next((age for age in ages if isinstance(age, Unknown)), None)
    if untold or not known:
        why = untold or Unknown("not_told", "no login of it is recorded")
        return _days(min(known)) if known else why, 0, why
    return _days(min(known)), _days(min(known)), True


def _days(seconds: float) -> int:
    return int(max(0.0, seconds) // DAY_S)
