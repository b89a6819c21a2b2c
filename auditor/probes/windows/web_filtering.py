"""What on a Windows host may filter the web: the resolvers it asks, the proxies it is told and Defender's network protection. Pure.

A gateway that filters leaves no trace on hosts. Sources: learn.microsoft.com on the policies of the internet settings and on
Get-MpPreference; the layout of WinHttpSettings as programs in public read it. Not met on a real Windows yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Unknown
from auditor.probes.windows.endpoint_protection import DEFENDER_STATUS, defender
from auditor.readers import ps_json, windows_release
from auditor.readers.windows_release import Release

RESOLVERS = Command(
    r"""$i = @([System.Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces() | ForEach-Object {
    $d = @()
    if ([string]$_.OperationalStatus -eq 'Up') { $d = @($_.GetIPProperties().DnsAddresses | ForEach-Object { $_.ToString() }) }
    [ordered]@{ type = [int]$_.NetworkInterfaceType; resolvers = $d }
})
ConvertTo-Json -InputObject ([ordered]@{ interfaces = $i }) -Depth 4 -Compress""",
    cap_bytes=32768,
)
# Only the names and ports of servers: what stands before an @, and what follows in a script's address, stays there.
PROXIES = Command(
    r"""$t = [ordered]@{}
foreach ($r in @('SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings', 'SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings')) {
    $k = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($r)
    $v = [ordered]@{ per_user = $null; enabled = $null; server = ''; script = ''; around = $false }
    if ($null -ne $k) {
        $v['per_user'] = $k.GetValue('ProxySettingsPerUser')
        $v['enabled'] = $k.GetValue('ProxyEnable')
        $v['server'] = ([string]$k.GetValue('ProxyServer')).Split('@')[-1]
        $v['around'] = ([string]$k.GetValue('ProxyOverride')) -match '(^|[;\s])(https?://)?\*(\.\*|:\*)?($|[;\s])'
        try { $v['script'] = ([uri][string]$k.GetValue('AutoConfigURL')).Host } catch { $v['script'] = '?' }
    }
    if ($r -match 'Policies') { $t['policy'] = $v } else { $t['machine'] = $v }
}
$c = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections')
$b = ''
if ($null -ne $c) {
    $w = $c.GetValue('WinHttpSettings')
    if ($null -ne $w) { $b = [System.BitConverter]::ToString([byte[]]$w) }
}
$t['winhttp'] = $b
ConvertTo-Json -InputObject $t -Depth 3 -Compress""",
    cap_bytes=16384,
)
# Older releases lack the last two.
PROTECTION = Command(
    r"""$p = Get-MpPreference -ErrorAction Stop
$t = [ordered]@{ network = [int]$p.EnableNetworkProtection; server = $null; older = $null }
$s = $p.PSObject.Properties['AllowNetworkProtectionOnWinServer']
if ($null -ne $s) { $t['server'] = $s.Value }
$o = $p.PSObject.Properties['AllowNetworkProtectionDownLevel']
if ($null -ne $o) { $t['older'] = $o.Value }
ConvertTo-Json -InputObject $t -Depth 2 -Compress""",
    elevated=True,
    timeout_s=30,
    cap_bytes=1024,
)
OLDER = 17763  # servers before this build need a second leave
BLOCKS = 1  # of EnableNetworkProtection; 2 only records
LOOPBACK_TYPE = 24
# What Windows shows for an interface that was given no resolver over IPv6; nothing is asked there.
NOT_SET = frozenset(ip_address(f"fec0:0:0:ffff::{n}") for n in (1, 2, 3))
_BY_PROXY = 2  # a bit of WinHttpSettings
_SERVER = re.compile(
    r"(?:[a-z]{2,8}=)?(?:https?://)?(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?/?", re.ASCII | re.IGNORECASE
)


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "resolvers": RESOLVERS,
        "proxies": PROXIES,
        "protection": PROTECTION,
        "defender": DEFENDER_STATUS,
        "version": windows_release.VERSION,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    declared = frozenset(_plain(str(f)) for f in args["filters"]) if "filters" in args else None
    return {
        "resolvers": _resolvers(answers["resolvers"], declared),
        "proxies": _proxies(answers["proxies"], declared),
        "network_protection": _protected(answers),
    }


Declared = frozenset[str] | None


def _is_declared(name: str, declared: Declared) -> bool | Unknown:
    return Unknown("not_asked", "no filter was given") if declared is None else _plain(name) in declared


def _plain(name: str) -> str:
    """One spelling of a name or an address."""
    address = _address(name.strip("[]"))
    return str(address) if address else name.lower().rstrip(".")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


# ---------------------------------------------------------------- who is asked for names


def _resolvers(answer: Answer, declared: Declared) -> list[Fact] | Unknown:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        rows = ps_json.rows(told, "interfaces")
        texts = [t for row in rows if row.get("type") != LOOPBACK_TYPE for t in ps_json.texts(row.get("resolvers"))]
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    addresses = [_address(text) for text in texts]
    if not rows or None in addresses:
        return Unknown("unreadable", "the resolvers")
    found = dict.fromkeys(a for a in addresses if a is not None and a not in NOT_SET)
    return [_resolver(a, declared) for a in found]


def _resolver(address: IPv4Address | IPv6Address, declared: Declared) -> Fact:
    """A host that asks itself passes the question on, and does not say to whom."""
    ours = Unknown("not_told", "the host asks itself") if address.is_loopback else _is_declared(str(address), declared)
    return {"resolver": str(address), "declared": ours}


# ---------------------------------------------------------------- which proxies it is told


def _proxies(answer: Answer, declared: Declared) -> list[Fact] | Unknown:
    """Those for the whole host; what each user sets is not asked."""
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        row = ps_json.table(told)
        policy, machine = ps_json.table(row.get("policy")), ps_json.table(row.get("machine"))
        (blob,) = ps_json.texts([row.get("winhttp")])
        for_all = policy.get("per_user") == 0
        named = [("settings", n) for n in (_set(machine) if for_all else [])] + [("winhttp", n) for n in _winhttp(blob)]
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    found = dict.fromkeys(named)
    return [{"proxy": name, "set_by": by, "declared": _is_declared(name, declared)} for by, name in found]


def _set(row: Mapping[str, Any]) -> list[str]:
    """Those for all web sites: one that every site is told to go around serves none."""
    server, script = ps_json.texts([row.get("server") or "", row.get("script") or ""])
    around = row.get("around")
    if not isinstance(around, bool):
        raise Unreadable("which web sites go around the proxy")
    servers = _servers(server) if row.get("enabled") == 1 and not around else []
    return servers + ([script[:253]] if script else [])


def _servers(text: str) -> list[str]:
    """`proxy:8080`, or one for each protocol: `http=proxy:8080;https=proxy:8080`."""
    words = [w for w in re.split(r"[;\s]+", text[:2000]) if w]
    matches = [_SERVER.fullmatch(w) for w in words]
    if None in matches:
        raise Unreadable("the servers of a proxy")
    return [m[1] for m in matches if m]


def _winhttp(blob: str) -> list[str]:
    """Three numbers, the third of which says whether there is a proxy, then a length and the text."""
    if not blob:
        return []
    try:
        raw = bytes.fromhex(blob.replace("-", ""))
    except ValueError:
        raise Unreadable("WinHttpSettings") from None
    if len(raw) < 12:
        raise Unreadable("WinHttpSettings")
    if not raw[8] & _BY_PROXY:
        return []
    size = int.from_bytes(raw[12:16], "little")
    text = raw[16 : 16 + size]
    if not size or len(text) != size or not text.isascii():
        raise Unreadable("WinHttpSettings")
    return _servers(text.decode("ascii"))


def _protected(answers: Mapping[str, Answer]) -> bool | Unknown:
    """Network protection blocks only while Defender itself watches; on servers, where it was given leave to."""
    try:
        told = ps_json.read(answers["protection"])
        if isinstance(told, Unknown):
            return told
        row = ps_json.table(told)
        number = ps_json.number(row.get("network"), "EnableNetworkProtection")
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if isinstance(number, Unknown):
        return number
    needed = [_leave(row, windows_release.read(answers["version"])), defender(answers["defender"]).real_time]
    if number != BLOCKS or False in needed:
        return False
    return next((n for n in needed if isinstance(n, Unknown)), True)


def _leave(row: Mapping[str, Any], release: Release | Unknown) -> bool | Unknown:
    """Whether the setting applies to a release at all: on servers only where two others say so."""
    if isinstance(release, Unknown):
        return release
    if release.workstation:
        return True
    leaves = [ps_json.truth(row.get("server"), "AllowNetworkProtectionOnWinServer")]
    if release.build < OLDER:
        leaves.append(ps_json.truth(row.get("older"), "AllowNetworkProtectionDownLevel"))
    return False if False in leaves else next((n for n in leaves if isinstance(n, Unknown)), True)
