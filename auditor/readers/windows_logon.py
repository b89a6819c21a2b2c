"""What a Windows host asks of whoever logs in at its screen or over Remote Desktop: registry and logon providers in, proofs out. Pure.

A provider is one tile of the logon screen; a filter takes other providers off it, so that its maker decides what is asked. Without
a filter of another maker the password alone is taken, unless a policy says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json, windows_registry
from auditor.readers.windows_registry import Key

PROVIDERS = Command(
    r"""$i = @(foreach ($w in @('Credential Providers', 'Credential Provider Filters')) {
    $p = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication\' + $w
    $k = $null
    try { $k = Get-Item -LiteralPath $p -ErrorAction Stop } catch [System.Management.Automation.ItemNotFoundException] { $k = $null }
    if ($null -ne $k) {
        foreach ($n in $k.GetSubKeyNames()) {
            $r = Get-Item -LiteralPath ($p + '\' + $n) -ErrorAction Stop
            [ordered]@{ filter = ($w -eq 'Credential Provider Filters'); id = $n; name = [string]$r.GetValue(''); disabled = [string]$r.GetValue('Disabled') }
        }
    }
})
ConvertTo-Json -InputObject ([ordered]@{ providers = $i }) -Depth 3 -Compress""",
    cap_bytes=32768,
)
SYSTEM_POLICY = windows_registry.one(
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System",
    "scforceoption",
    "ExcludedCredentialProviders",
    "LocalAccountTokenFilterPolicy",
)
# Restricted admin mode, for Remote Desktop: a network logon, of which no tile of the screen asks anything. 0 lets it be used.
LSA = windows_registry.one(r"SYSTEM\CurrentControlSet\Control\Lsa", "DisableRestrictedAdmin")
PASSWORD = "60b78e88-ead8-445c-9cfd-0b87f74ea6cd"  # the id of a provider
# Those that Windows itself brings, as Microsoft's own documentation and tools list them.
PROVIDERS_OF_WINDOWS = frozenset({
    "01a30791-40ae-4653-ab2e-fd210019ae88", "1b283861-754f-4022-ad47-a5eaaa618894", "1ee7337f-85ac-45e2-a23c-37c753209769",
    "2135f72a-90b5-4ed3-a7f1-8bb705ac276a", "25cbb996-92ed-457e-b28c-4774084bd562", "27fbdb57-b613-4af2-9d7e-4fa7a66c21ad",
    "2d8b3101-e025-480d-917c-835522c7f628", "3dd6bec0-8193-4ffe-ae25-e08e39ea4063", "48b4e58d-2791-456c-9091-d524c6c706f2",
    "600e7adb-da3e-41a4-9225-3c0399e88c0c", "60b78e88-ead8-445c-9cfd-0b87f74ea6cd", "8af662bf-65a0-4d0a-a540-a338a999d36f",
    "8fd7e19c-3bf7-489b-a72c-846ab3678c96", "94596c7e-3744-41ce-893e-bbf09122f76a", "a910d941-9da9-4656-8933-aa1eae01f76e",
    "bec09223-b018-416d-a0ac-523971b639f5", "c5d7540a-cd51-453b-b22b-05305ba03f07", "c885aa15-1764-4293-b82a-0586add46b35",
    "cb82ea12-9f71-446d-89e1-8d0924e1256e", "d6886603-9d2f-4eb2-b667-1971041fa96b", "e74e57b0-6c6d-44d5-9cda-fb2df5ed7435",
    "f64945df-4fa9-4068-a2fb-61af319edd33", "f8a0b131-5f68-486c-8040-7e8fc3c85bb6", "f8a1793b-7873-4046-b2a7-1f318747f427",
})  # fmt: skip
FILTERS_OF_WINDOWS = frozenset({"ddc0eed2-adbe-40b6-a217-ede16a79a0de", "edd749de-2ef1-4a80-98d1-81f20e6df58e"})
_GUID = re.compile(r"\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}")
COMMANDS: Mapping[str, Command] = {"providers": PROVIDERS, "system_policy": SYSTEM_POLICY, "lsa": LSA}


@dataclass(frozen=True, slots=True)
class Provider:
    """Of another maker than Windows. `filter`: it takes others off the logon screen."""

    id: str
    name: str
    filter: bool


@dataclass(frozen=True, slots=True)
class Logon:
    """`card_required`: by the machine's policy; `password_offered`: its tile is there; `others`: of other makers.

    `past_screen`: administrators may come in over Remote Desktop as over the network.
    """

    card_required: bool | Unknown
    password_offered: bool | Unknown
    others: tuple[Provider, ...] | Unknown
    policy: Key | Unknown
    past_screen: bool | Unknown

    @property
    def over_rdp(self) -> tuple[bool | Unknown, str]:
        """The same over Remote Desktop."""
        two, asked = self.two_factors
        if two is not True or self.past_screen is False:
            return two, asked
        if isinstance(self.past_screen, Unknown):
            return self.past_screen, ""
        return Unknown("not_told", "whom restricted admin mode lets in without"), ""

    @property
    def two_factors(self) -> tuple[bool | Unknown, str]:
        """Whether whoever has nothing but a password stays outside, and what is asked."""
        if self.card_required is True:
            return True, "smart card or Windows Hello for Business"
        if isinstance(self.others, Unknown):
            return self.others, ""
        filters = [p.name or p.id for p in self.others if p.filter]
        if filters:
            return Unknown("not_told", f"{filters[0][:60]} decides whom it asks for what"), ""
        for told, why in ((self.card_required, ""), (self.password_offered, "what is taken where no password is")):
            if isinstance(told, Unknown):
                return told, ""
            if told is False and why:
                return Unknown("not_told", why), ""
        return False, "password"


def read(answers: Mapping[str, Answer]) -> Logon:
    policy = windows_registry.read_one(answers["system_policy"])
    forced = windows_registry.number(policy, "scforceoption")
    denied = windows_registry.number(windows_registry.read_one(answers["lsa"]), "DisableRestrictedAdmin")
    past_screen = denied if isinstance(denied, Unknown) else denied == 0
    rows = _rows(answers["providers"])
    if isinstance(rows, Unknown):
        return Logon(_is_one(forced), rows, rows, policy, past_screen)
    others = tuple(p for p, _ in rows if p.id not in (FILTERS_OF_WINDOWS if p.filter else PROVIDERS_OF_WINDOWS))
    return Logon(_is_one(forced), _offered(rows, policy), others, policy, past_screen)


def _is_one(value: int | Unknown | None) -> bool | Unknown:
    return value if isinstance(value, Unknown) else value == 1


def _offered(rows: list[tuple[Provider, bool]], policy: Key | Unknown) -> bool | Unknown:
    excluded = policy if isinstance(policy, Unknown) else policy.get("ExcludedCredentialProviders")
    if not (excluded is None or isinstance(excluded, str)):
        return excluded if isinstance(excluded, Unknown) else Unknown("unreadable", "ExcludedCredentialProviders")
    tiles = [disabled for provider, disabled in rows if provider.id == PASSWORD and not provider.filter]
    return PASSWORD not in (excluded or "").lower() and tiles == [False]


def _rows(answer: Answer) -> list[tuple[Provider, bool]] | Unknown:
    """Each with whether it is switched off; Unknown where not one of Windows' own is there."""
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        found = [_row(row) for row in ps_json.rows(told, "providers")]
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if not any(p.id in PROVIDERS_OF_WINDOWS for p, _ in found):
        return Unknown("not_told", "none of Windows' own ways to log in is listed")
    return found


def _row(row: Mapping[str, Any]) -> tuple[Provider, bool]:
    identity, name, disabled = ps_json.texts([row.get("id"), row.get("name"), row.get("disabled", "")])
    is_filter = ps_json.truth(row.get("filter"), "filter")
    if isinstance(is_filter, Unknown):
        raise Unreadable("a provider that does not say what it is")
    guid = _GUID.fullmatch(identity.lower())
    return Provider(guid[1] if guid else identity.lower()[:60], name[:80], is_filter), disabled not in ("", "0")
