"""Whether a Windows host's firewall is on and refuses what nothing allows: profiles, services and others' products in, facts out. Pure.

The effective store is asked, which holds what policies say. Where it is not told, the registry is, policy before the
host's own. Sources: learn.microsoft.com on Get-NetFirewallProfile; the registry's names as benchmarks check them. Not met
on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes.windows.endpoint_protection import CENTER, runs, switched_on
from auditor.readers import ps_json, windows_registry, windows_services
from auditor.readers.windows_registry import Keys
from auditor.readers.windows_services import Services

PROFILES = Command(
    r"""$i = @(Get-NetFirewallProfile -PolicyStore ActiveStore -ErrorAction Stop | ForEach-Object {
    $o = @($_.DisabledInterfaceAliases | ForEach-Object { if ($_) { [string]$_ } })
    [ordered]@{ name = [string]$_.Name; enabled = [string]$_.Enabled; inbound = [string]$_.DefaultInboundAction; off = $o; merges = [string]$_.AllowLocalFirewallRules }
})
ConvertTo-Json -InputObject ([ordered]@{ profiles = $i }) -Depth 4 -Compress""",
    elevated=True,
    timeout_s=30,
    cap_bytes=8192,
)
_LOCAL = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
_POLICY = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"
_VALUES = ("EnableFirewall", "DefaultInboundAction")
# The private profile is called standard, here and there.
SETTINGS = windows_registry.question(
    {
        "mdm": (_LOCAL + r"\Mdm", ()),
        **{f"local_{n}": (rf"{_LOCAL}\{n}Profile", _VALUES) for n in ("Domain", "Standard", "Public")},
        **{f"policy_{n}": (rf"{_POLICY}\{n}Profile", _VALUES) for n in ("Domain", "Standard", "Private", "Public")},
    }
)
OTHERS = Command(
    r"""$i = @(Get-CimInstance -Namespace root/SecurityCenter2 -ClassName FirewallProduct -ErrorAction Stop | ForEach-Object {
    [ordered]@{ name = [string]$_.displayName; state = [long]$_.productState }
})
ConvertTo-Json -InputObject ([ordered]@{ products = $i }) -Depth 3 -Compress""",
    cap_bytes=16384,
)
# Rules that let in whatever comes: in force, and with none of the fields that limit a rule. Windows itself brings hundreds of others.
RULES = Command(
    r"""$c = 0
$i = @(foreach ($p in @('SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules', 'SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules')) {
    $k = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($p)
    if ($null -ne $k) {
        foreach ($n in $k.GetValueNames()) {
            $c = $c + 1
            $v = [string]$k.GetValue($n)
            if (($v -match '\|Action=Allow\|') -and ($v -match '\|Active=TRUE\|') -and ($v -match '\|Dir=In\|') -and ($v -notmatch '\|(?!Action=|Active=|Dir=|Profile=|Name=|Desc=|EmbedCtxt=|Edge=|Defer=|Protocol=256\|)[A-Za-z0-9_]+=')) {
                $f = @($v.Split('|') | ForEach-Object { if ($_ -match '^Profile=([A-Za-z]+)$') { $Matches[1] } })
                [ordered]@{ own = ($p -match '^SYSTEM'); profiles = $f }
            }
        }
    }
})
ConvertTo-Json -InputObject ([ordered]@{ rules = $c; open = $i }) -Depth 4 -Compress""",
    cap_bytes=16384,
)
NAMES = {"Domain": ("Domain",), "Private": ("Private", "Standard"), "Public": ("Public",)}
SERVICES = ("mpssvc", "bfe")  # the firewall, and what filters for it


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "profiles": PROFILES,
        "rules": RULES,
        "settings": SETTINGS,
        "registered": windows_services.REGISTERED,
        "services": windows_services.STATES,
        "others": OTHERS,
        "center": CENTER,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    effective = _effective(answers["profiles"], _open(answers["rules"]))
    keys = windows_registry.read(answers["settings"])
    profiles = effective if isinstance(effective, list) else [_by_registry(n, keys, effective) for n in NAMES]
    untold = next((p["on"] for p in profiles if isinstance(p["on"], Unknown)), None)
    services = windows_services.read(answers["registered"], answers["services"])
    silent = untold and all(isinstance(v, Unknown) for p in profiles for n, v in p.items() if n != "profile")
    return {
        "running": _running(services),
        "profiles": Partial((), untold) if silent and untold else profiles,
        "other_firewalls": _others(answers["others"], answers["center"], services),
    }


@dataclass(frozen=True, slots=True)
class _Rule:
    """One that lets in whatever comes. `own`: of the host itself, not of a policy; `profiles`: where it counts, if not everywhere."""

    own: bool
    profiles: tuple[str, ...]


_Open = tuple[_Rule, ...] | Unknown


def _open(answer: Answer) -> _Open:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        count = ps_json.number(ps_json.table(told).get("rules"), "the rules of the firewall")
        found = [
            _Rule(row.get("own") is True, ps_json.texts(row.get("profiles"))) for row in ps_json.rows(told, "open")
        ]
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if isinstance(count, Unknown) or count <= 0:
        return Unknown("not_told", "the rules of the firewall")
    return tuple(found)


def _effective(answer: Answer, rules: _Open) -> list[dict[str, Fact]] | Unknown:
    """The three profiles as they are in force; Unknown where one of them lacks."""
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        found = {str(row.get("name")): row for row in ps_json.rows(told, "profiles")}
        if set(found) != set(NAMES):
            raise Unreadable("the profiles of the firewall")
        return [_profile(n, _word(found[n], "enabled", _ENABLED), _refuses(n, found[n], rules)) for n in NAMES]
    except Unreadable as why:
        return Unknown("unreadable", str(why))


# Members of GpoBoolean and of Action, by name and by number.
_ENABLED = {"True": True, "1": True, "False": False, "0": False}
_INBOUND = {"Block": True, "4": True, "Allow": False, "2": False}


def _word(row: Mapping[str, Any], name: str, known: Mapping[str, bool]) -> bool | Unknown:
    word = str(row.get(name))[:40]
    return known.get(word, Unknown("not_told", f"{name}: {word}"))


def _refuses(profile: str, row: Mapping[str, Any], rules: _Open) -> bool | Unknown:
    """Nothing is refused on an interface for which the profile is switched off, nor where a rule lets everything in."""
    if "off" not in row:
        return Unknown("unreadable", "DisabledInterfaceAliases")
    if [name for name in ps_json.texts(row["off"]) if name not in ("", "NotConfigured")]:
        return False
    refuses = _word(row, "inbound", _INBOUND)
    if refuses is False:
        return False
    if isinstance(rules, Unknown):
        return rules
    policies_alone = row.get("merges") in ("False", "0")
    if any(profile in (r.profiles or NAMES) and not (r.own and policies_alone) for r in rules):
        return False
    return refuses


def _profile(name: str, on: bool | Unknown, refuses: bool | Unknown) -> dict[str, Fact]:
    return {"profile": name, "on": on, "inbound_refused": False if on is False else refuses}


def _by_registry(name: str, keys: Keys, why: Unknown) -> dict[str, Fact]:
    """Not whether it refuses: on which interfaces it is switched off is not asked of the registry."""
    on, refuses = (_setting(name, value, keys, why) for value in _VALUES)
    return _profile(name, on, why if refuses is True else refuses)


def _setting(name: str, value: str, keys: Keys, why: Unknown) -> bool | Unknown:
    """What policy says, else what the host says; nothing where a management of mobile devices has its say too."""
    mdm = keys.key("mdm")
    if isinstance(mdm, Unknown) or mdm.there:
        return why
    policies = [windows_registry.number(keys.key(f"policy_{n}"), value) for n in NAMES[name]]
    said: list[int | Unknown | None] = [p for p in policies if p is not None]
    said = said or [windows_registry.number(keys.key(f"local_{NAMES[name][-1]}"), value)]
    if any(s not in (0, 1) for s in said) or len(set(said)) > 1:
        return why
    return said[0] == 1


def _running(services: Services) -> bool | Unknown:
    """Whether both services run."""
    states = [services.runs(frozenset({name})) for name in SERVICES]
    if False in states:
        return False
    return next((s for s in states if isinstance(s, Unknown)), True)


def _others(answer: Answer, center: Answer, services: Services) -> list[Fact] | Partial:
    """Servers have no Security Center: nobody can have registered with it. Where it is, an antivirus always has."""
    if ps_json.absent(answer):
        return []
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return Partial((), told)
        found = [_other(row, services) for row in ps_json.rows(told, "products")]
        beside = ps_json.read(center)
        if not found and (isinstance(beside, Unknown) or not ps_json.rows(beside, "products")):
            return Partial((), Unknown("not_told", "the Security Center names no product at all"))
    except Unreadable as why:
        return Partial((), Unknown("unreadable", str(why)))
    return found


def _other(row: Mapping[str, Any], services: Services) -> Fact:
    """What registered itself stays in the list when it is gone: it is on only where it runs, too."""
    (name,) = ps_json.texts([row.get("name")])
    on = switched_on(row.get("state"))
    return {"product": name[:80] or "?", "on": runs(name, services) if on is True else on}
