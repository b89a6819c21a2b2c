"""What a domain controller tells of its domain: the domain, its privileged groups and its accounts in, records out. Pure.

It is asked over LDAP on the controller itself, in pages, and no more than so many rows. Flags are bits of userAccountControl,
groups are told by their SIDs. The times are file times: 0 and the greatest stand for never.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json

ROWS, MEMBERS = 20000, 1000  # no more accounts, and no more members of a group, than these are shown

DOMAIN = Command(
    r"""$r = [ADSI]'LDAP://localhost/RootDSE'
$d = [string]$r.psbase.InvokeGet('defaultNamingContext')
$b = [ADSI]('LDAP://localhost/' + $d)
$c = [ADSI]('LDAP://localhost/CN=Partitions,' + [string]$r.psbase.InvokeGet('configurationNamingContext'))
$m = [ADSI]('LDAP://localhost/' + [string]$r.psbase.InvokeGet('schemaNamingContext'))
$t = [ordered]@{ dn = $d; netbios = ''; sync = $null; krbtgt = $null; laps = @(); computers = 0; managed = 0 }
$s = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($c, "(&(objectClass=crossRef)(nCName=$d))", [string[]]@('nETBIOSName')) -Property @{ ReferralChasing = 'None' }
foreach ($e in $s.FindAll()) { foreach ($v in $e.Properties['netbiosname']) { $t['netbios'] = [string]$v } }
$s = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($b, '(objectClass=domainDNS)', [string[]]@('msDS-LogonTimeSyncInterval')) -Property @{ ReferralChasing = 'None'; SearchScope = 'Base' }
foreach ($e in $s.FindAll()) { foreach ($v in $e.Properties['msds-logontimesyncinterval']) { $t['sync'] = [int]$v } }
$s = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($b, '(sAMAccountName=krbtgt)', [string[]]@('pwdLastSet')) -Property @{ ReferralChasing = 'None' }
foreach ($e in $s.FindAll()) { foreach ($v in $e.Properties['pwdlastset']) { $t['krbtgt'] = [string]$v } }
$f = '(|(lDAPDisplayName=ms-Mcs-AdmPwdExpirationTime)(lDAPDisplayName=msLAPS-PasswordExpirationTime))'
$s = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($m, $f, [string[]]@('lDAPDisplayName')) -Property @{ ReferralChasing = 'None' }
$t['laps'] = @(foreach ($e in $s.FindAll()) { foreach ($v in $e.Properties['ldapdisplayname']) { [string]$v } })
$f = '(&(objectCategory=computer)(!(userAccountControl:1.2.840.113556.1.4.803:=2))(!(primaryGroupID=516))(!(primaryGroupID=521)))'
$a = [string[]]@('ms-Mcs-AdmPwdExpirationTime', 'msLAPS-PasswordExpirationTime')
$s = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($b, $f, $a) -Property @{ ReferralChasing = 'None'; PageSize = 500 }
foreach ($e in $s.FindAll()) {
    $t['computers'] = $t['computers'] + 1
    if (($e.Properties['ms-mcs-admpwdexpirationtime'].Count + $e.Properties['mslaps-passwordexpirationtime'].Count) -gt 0) { $t['managed'] = $t['managed'] + 1 }
}
ConvertTo-Json -InputObject $t -Depth 3 -Compress""",
    timeout_s=60,
    cap_bytes=16384,
)
# Of each group: those in it, through other groups too, or by their primary group. Who is of another domain of the forest is
# named where a group names them; the groups of other domains are not looked into.
GROUPS = Command(
    r"""$r = [ADSI]'LDAP://localhost/RootDSE'
$d = [string]$r.psbase.InvokeGet('defaultNamingContext')
$b = [ADSI]('LDAP://localhost/' + $d)
$o = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList @([byte[]]$b.psbase.InvokeGet('objectSid'), 0)
$i = @(foreach ($w in @('-512', '-518', '-519', '-525', '-526', '-527', 'S-1-5-32-544', 'S-1-5-32-548', 'S-1-5-32-549', 'S-1-5-32-550', 'S-1-5-32-551')) {
    $sid = $w
    if ($w.Contains('S-') -eq $false) { $sid = $o.Value + $w }
    $t = [ordered]@{ sid = $sid; there = $false; name = ''; cut = $false; direct = @(); nested = @(); members = @() }
    $s = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($b, "(objectSid=$sid)", [string[]]@('distinguishedName', 'sAMAccountName', 'member', 'objectSid')) -Property @{ ReferralChasing = 'None' }
    foreach ($g in $s.FindAll()) {
        $t['there'] = $true
        foreach ($v in $g.Properties['samaccountname']) { $t['name'] = [string]$v }
        $x = ''
        foreach ($v in $g.Properties['distinguishedname']) { $x = ([string]$v).Replace('\', '\5c').Replace('(', '\28').Replace(')', '\29').Replace('*', '\2a') }
        $in = "(memberOf:1.2.840.113556.1.4.1941:=$x)"
        $n = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($b, "(&(objectCategory=group)$in)", [string[]]@('distinguishedName', 'member', 'objectSid')) -Property @{ ReferralChasing = 'None'; PageSize = 500 }
        $p = ''
        $j = @()
        $t['direct'] = @(foreach ($e in @($g) + @($n.FindAll())) {
            foreach ($k in $e.Properties.PropertyNames) { if ($k -like 'member;range*') { $t['cut'] = $true } }
            foreach ($v in $e.Properties['objectsid']) {
                $q = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList @([byte[]]$v, 0)
                $p = $p + '(primaryGroupID=' + $q.Value.Split('-')[-1] + ')'
            }
            foreach ($v in $e.Properties['distinguishedname']) { $j = $j + @([string]$v) }
            foreach ($v in $e.Properties['member']) { [string]$v }
        })
        $t['nested'] = $j
        $f = "(&(objectSid=*)(!(objectCategory=group))(|$in$p))"
        $a = [string[]]@('sAMAccountName', 'objectSid', 'userAccountControl', 'pwdLastSet', 'lastLogonTimestamp', 'accountExpires', 'whenCreated', 'objectClass', 'distinguishedName')
        $m = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($b, $f, $a) -Property @{ ReferralChasing = 'None'; PageSize = 500 }
        $c = 0
        $t['members'] = @(foreach ($e in $m.FindAll()) {
            $c = $c + 1
            if ($c -gt 1000) { $t['cut'] = $true; break }
            $h = [ordered]@{ class = ''; sid = ''; created = '' }
            foreach ($k in @('distinguishedname', 'samaccountname', 'useraccountcontrol', 'pwdlastset', 'lastlogontimestamp', 'accountexpires')) {
                $h[$k] = ''
                foreach ($v in $e.Properties[$k]) { $h[$k] = [string]$v }
            }
            foreach ($v in $e.Properties['objectclass']) { $h['class'] = [string]$v }
            foreach ($v in $e.Properties['whencreated']) { $h['created'] = $v.ToString('s') + 'Z' }
            foreach ($v in $e.Properties['objectsid']) {
                $q = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList @([byte[]]$v, 0)
                $h['sid'] = $q.Value
            }
            $h
        })
    }
    $t
})
ConvertTo-Json -InputObject ([ordered]@{ dn = $d; groups = $i }) -Depth 5 -Compress""",
    timeout_s=90,
    cap_bytes=4194304,
)
# Of each account that is not disabled one line; no name of an account holds a bar. A filter would leave out those whose flags
# are hidden from us.
ACCOUNTS = Command(
    r"""$r = [ADSI]'LDAP://localhost/RootDSE'
$b = [ADSI]('LDAP://localhost/' + [string]$r.psbase.InvokeGet('defaultNamingContext'))
$f = '(sAMAccountType=805306368)'
$a = @('userAccountControl', 'pwdLastSet', 'lastLogonTimestamp', 'accountExpires')
$s = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @($b, $f, [string[]]($a + @('whenCreated', 'sAMAccountName'))) -Property @{ ReferralChasing = 'None'; PageSize = 1000 }
$c = 0
$cut = $false
$i = @(foreach ($e in $s.FindAll()) {
    $off = $false
    foreach ($v in $e.Properties['useraccountcontrol']) { $off = ([int]$v -band 2) -eq 2 }
    if ($off) { continue }
    $c = $c + 1
    if ($c -gt 20000) { $cut = $true; break }
    $l = ''
    foreach ($k in $a) {
        foreach ($v in $e.Properties[$k]) { $l = $l + [string]$v }
        $l = $l + '|'
    }
    foreach ($v in $e.Properties['whencreated']) { $l = $l + $v.ToString('s') + 'Z' }
    $l = $l + '|'
    foreach ($v in $e.Properties['samaccountname']) { $l = $l + [string]$v }
    $l
})
ConvertTo-Json -InputObject ([ordered]@{ cut = $cut; accounts = $i }) -Depth 2 -Compress""",
    timeout_s=120,
    cap_bytes=4194304,
)
DISABLED, NO_PASSWORD, NEVER_EXPIRES, CARD, NOT_DELEGATED, NO_PREAUTH = 0x2, 0x20, 0x10000, 0x40000, 0x100000, 0x400000
ALWAYS = ("-512", "-544")  # the ends of the SIDs of groups that every domain has
PROTECTED_USERS = re.compile(r"S-1-5-21-[\d-]{1,60}-525", re.ASCII)
SYNC_DAYS = 14  # where the domain says nothing else
_EPOCH = 11644473600
_NEVER = 9223372036854775807


@dataclass(frozen=True, slots=True)
class Account:
    """Seconds since 1970; None for never. `flags` is Unknown for who is no account of this domain."""

    name: str
    sid: str
    kind: str
    flags: int | Unknown
    password: float | Unknown | None
    logon: float | Unknown | None
    expires: float | Unknown | None
    created: float | Unknown | None

    def has(self, bit: int) -> bool | Unknown:
        return self.flags if isinstance(self.flags, Unknown) else bool(self.flags & bit)


@dataclass(frozen=True, slots=True)
class Group:
    """`outside`: the names of those of other domains. `missing`: why there may be more in it."""

    sid: str
    name: str
    members: tuple[Account, ...]
    outside: tuple[str, ...]
    missing: Unknown | None


@dataclass(frozen=True, slots=True)
class Domain:
    """`sync_days`: by how much the last logon may be later than is written; `managed`: computers with a password of LAPS."""

    name: str
    netbios: str
    sync_days: int | Unknown
    krbtgt: float | Unknown | None
    laps: tuple[str, ...]
    computers: int | Unknown
    managed: int | Unknown


def domain(answer: Answer) -> Domain | Unknown:
    told = ps_json.read(answer)
    if isinstance(told, Unknown):
        return told
    row = ps_json.table(told)
    dn, netbios = ps_json.texts([row.get("dn"), row.get("netbios")])
    if not dn or not netbios:
        raise Unreadable("a domain without a name")
    sync = row.get("sync")
    return Domain(
        ".".join(part.partition("=")[2] for part in dn.split(",")).lower(),
        netbios,
        SYNC_DAYS if sync is None else _count(sync, "msDS-LogonTimeSyncInterval"),
        _time(row.get("krbtgt"), "pwdLastSet of krbtgt"),
        ps_json.texts(row.get("laps")),
        _count(row.get("computers"), "computers"),
        _count(row.get("managed"), "managed"),
    )


def groups(answer: Answer) -> list[Group] | Unknown:
    told = ps_json.read(answer)
    if isinstance(told, Unknown):
        return told
    (of,) = ps_json.texts([ps_json.table(told).get("dn")])
    found = [_group(row, of) for row in ps_json.rows(told, "groups") if row.get("there") is not False]
    lacking = [sid for sid in ALWAYS if not any(group.sid.endswith(sid) for group in found)]
    if lacking:
        return Unknown("not_told", f"the group {lacking[0]} of the domain's administrators")
    return found


def accounts(answer: Answer) -> tuple[list[Account], Unknown | None] | Unknown:
    """The accounts that are not disabled, and why there may be more."""
    told = ps_json.read(answer)
    if isinstance(told, Unknown):
        return told
    row = ps_json.table(told)
    found = [_line(line) for line in ps_json.texts(row.get("accounts"))]
    cut = ps_json.truth(row.get("cut"), "cut")
    if not found:  # whoever asks has an account there
        return Unknown("not_told", "no account of the domain is shown")
    more = Unknown("truncated", f"only {ROWS} accounts are shown") if cut is True else None
    return found, cut if isinstance(cut, Unknown) else more


def _group(row: Mapping[str, Any], of: str) -> Group:
    sid, name = ps_json.texts([row.get("sid"), row.get("name")])
    cut = ps_json.truth(row.get("cut"), "cut")
    more = Unknown("truncated", f"only {MEMBERS} members are shown") if cut is True else None
    rows = ps_json.rows(row, "members")
    shown = ps_json.texts([m.get("distinguishedname") for m in rows]) + ps_json.texts(row.get("nested"))
    outside, hidden = _unseen(ps_json.texts(row.get("direct")), shown, of.casefold())
    gap = Unknown("no_privilege", f"{hidden} members are not shown to us") if hidden and not more else more
    return Group(sid, name or sid, tuple(_member(m) for m in rows), outside, cut if isinstance(cut, Unknown) else gap)


def _unseen(direct: tuple[str, ...], shown: tuple[str, ...], of: str) -> tuple[tuple[str, ...], int]:
    """The members that a group names and that were not shown: those of other domains, and how many of this one."""
    known = {name.casefold() for name in shown}
    lacking = {name.casefold(): name for name in direct if name.casefold() not in known}
    outside = tuple(name for folded, name in lacking.items() if folded[folded.find(",dc=") + 1 :] != of)
    return outside, len(lacking) - len(outside)


_FIELDS = ("samaccountname", "sid", "class", "useraccountcontrol", "pwdlastset", "lastlogontimestamp", "accountexpires")


def _member(row: Mapping[str, Any]) -> Account:
    name, sid, kind, flags, password, logon, expires = ps_json.texts([row.get(f) for f in _FIELDS])
    created = ps_json.moment(row.get("created") or None, "whenCreated")
    if not sid and not name:
        raise Unreadable("a member without a name")
    return _account(name or sid, sid, kind, (flags, password, logon, expires), created)


def _line(line: str) -> Account:
    parts = line.split("|")
    if len(parts) != 6 or not parts[5]:
        raise Unreadable(f"an account of another shape: {line[:60]}")
    return _account(parts[5], "", "user", tuple(parts[:4]), ps_json.moment(parts[4] or None, "whenCreated"))


def _account(name: str, sid: str, kind: str, told: tuple[str, ...], created: float | Unknown | None) -> Account:
    flags, password, logon, expires = told
    number = int(flags) if flags.isascii() and flags.isdigit() and len(flags) < 12 else None
    return Account(
        name,
        sid,
        kind,
        Unknown("not_told", "the flags of this account") if number is None else number,
        _time(password, "pwdLastSet"),
        _time(logon or None, "lastLogonTimestamp"),
        _time(expires or None, "accountExpires"),
        created,
    )


def _time(value: Any, what: str) -> float | Unknown | None:
    """Of a file time in digits; an attribute that is not set is None."""
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,19}", value, re.ASCII):
        return Unknown("not_told", what)
    ticks = int(value)
    return None if ticks in (0, _NEVER) else ticks / 1e7 - _EPOCH


def _count(value: Any, what: str) -> int | Unknown:
    told = ps_json.number(value, what)
    return told if isinstance(told, Unknown) else int(told) if told >= 0 else Unknown("unreadable", what)
