"""Who is in the group of administrators of a Windows host (S-1-5-32-544): its members in, administrators out. Pure.

Names of built-in accounts and groups depend on the language and may be changed: what they are is told by their SIDs. A
group of a domain is one line: who is in it, the domain tells. Not met on a real Windows yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import ps_json

# Get-LocalGroupMember is not there before 5.1 and fails on SIDs that no longer have a name. The flags of an account of the
# domain would be asked of a domain controller, for which a network logon has no credential.
MEMBERS = Command(
    r"""$a = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList 'S-1-5-32-544'
$n = $a.Translate([System.Security.Principal.NTAccount]).Value.Split('\')[-1]
$g = [ADSI]"WinNT://$env:COMPUTERNAME/$n,group"
$i = @($g.psbase.Invoke('Members') | ForEach-Object {
    $m = [ADSI]$_
    $p = [string]$m.psbase.Path
    $c = ''
    try { $c = [string]$m.psbase.SchemaClassName } catch { $c = '' }
    $l = $p.Split('/')[-2] -eq $env:COMPUTERNAME
    $s = ''
    try {
        $o = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList @([byte[]]$m.psbase.InvokeGet('objectSid'), 0)
        $s = $o.Value
    } catch { $s = '' }
    $f = $null
    if ($l -and ($c -eq 'User')) {
        try { $f = [int]$m.psbase.InvokeGet('UserFlags') } catch { $f = $null }
    }
    [ordered]@{ path = $p; class = $c; sid = $s; local = $l; flags = $f }
})
ConvertTo-Json -InputObject ([ordered]@{ members = $i }) -Depth 3 -Compress""",
    timeout_s=30,
)
DISABLED = 0x2  # of UserFlags
_BUILT_IN = re.compile(r"S-1-5-21-[\d-]{1,60}-500", re.ASCII)
_SID = re.compile(r"S-1-[\d-]{1,80}", re.ASCII)
# Whoever logs in, everybody, the local accounts, guests, all users; and of a domain its users, guests and computers.
ANYBODY = re.compile(r"S-1-(1-0|5-(2|4|11|15|113)|5-32-54[56]|5-21-[\d-]{1,60}-51[345])", re.ASCII)
EVERY_ACCOUNT = frozenset(
    {"S-1-1-0", "S-1-5-2", "S-1-5-4", "S-1-5-11", "S-1-5-113", "S-1-5-32-545"}
)  # of the host itself
NO_UID = Unknown("not_told", "Windows has no uid")


@dataclass(frozen=True, slots=True)
class Member:
    """`enabled` is Unknown for whoever is not an account of the host itself."""

    account: str
    sid: str
    local: bool
    enabled: bool | Unknown

    @property
    def built_in(self) -> bool:
        return bool(_BUILT_IN.fullmatch(self.sid))

    @property
    def anybody(self) -> bool:
        """Whether it is a group of no chosen persons, or may be one."""
        return bool(ANYBODY.fullmatch(self.sid)) or (not self.sid and self.account.startswith("%"))


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"members": MEMBERS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    found = members(answers["members"])
    if isinstance(found, Unknown):
        return {"accounts": found, "uid_zero": NO_UID, "built_in_enabled": found}
    items: list[Fact] = [_shown(m) for m in found]
    anybody = next((m for m in found if m.anybody), None)
    gap = Unknown("not_told", f"who is in {anybody.account}, which may be anybody") if anybody else None
    accounts: Fact = Partial(tuple(items), gap) if gap else items
    return {"accounts": accounts, "uid_zero": NO_UID, "built_in_enabled": _built_in(found)}


def members(answer: Answer) -> list[Member] | Unknown:
    """Who is in the group. Raises Unreadable."""
    told = ps_json.read(answer)
    found = told if isinstance(told, Unknown) else [_member(row) for row in ps_json.rows(told, "members")]
    # The built-in administrator cannot be taken out of the group.
    return found or Unknown("not_told", "a group of administrators without members")


def _member(row: Mapping[str, Any]) -> Member:
    path, kind, sid = ps_json.texts([row.get("path"), row.get("class"), row.get("sid")])
    local = row.get("local") is True
    parts = [p for p in path.removeprefix("WinNT:").split("/") if p]
    if not parts or (sid and not _SID.fullmatch(sid)):
        raise Unreadable(f"a member of another shape: {path[:60]}")
    name = parts[-1] if local or len(parts) == 1 else "\\".join(parts[-2:])
    group = kind.lower() == "group"
    return Member(f"%{name}" if group else name, sid, local, _enabled(row.get("flags")))


def _enabled(flags: Any) -> bool | Unknown:
    told = ps_json.number(flags, "UserFlags")
    if isinstance(told, Unknown) or told < 0:
        return Unknown("not_told", "whether the account is enabled")
    return not int(told) & DISABLED


def _shown(member: Member) -> Fact:
    because = ["member of S-1-5-32-544"]
    if member.built_in:
        because.append("the built-in administrator of " + ("the host" if member.local else "a domain"))
    if member.enabled is False:
        because.append("disabled")
    return {
        "account": member.account,
        "login": re.sub(r"^(%?).*\\", r"\1", member.account),
        "because": ", ".join(because),
    }


def _built_in(members: list[Member]) -> bool | Unknown:
    own = [m.enabled for m in members if m.local and m.built_in]
    return own[0] if len(own) == 1 else Unknown("not_told", "which account is the built-in administrator")
