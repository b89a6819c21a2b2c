"""Who keeps the clock of a Windows host: the Windows Time service's own word, its settings and the services in, facts out. Pure.

A member of a domain asks the domain (NT5DS) and has no server of its own: its source is the domain, by name. Sources: the
service's registry entries and policies, w32tm. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import ps_json, windows_services
from auditor.readers.clocks import w32time
from auditor.readers.clocks.clock import Clock, untold
from auditor.readers.windows_services import Services

STATUS = Command(
    r"""$l = @(w32tm.exe /query /status /verbose | ForEach-Object { [string]$_ })
ConvertTo-Json -InputObject ([ordered]@{ code = $LASTEXITCODE; lines = $l }) -Depth 2 -Compress""",
    cap_bytes=8192,
)
# What a policy says wins over the service's own settings. Of the domain, its name alone.
SETTINGS = Command(
    r"""$t = [ordered]@{ type = ''; servers = ''; enabled = $null; policy_type = ''; policy_servers = ''; policy_enabled = $null; domain = '' }
$k = Get-Item -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\W32Time\Parameters' -ErrorAction Stop
$t['type'] = [string]$k.GetValue('Type')
$t['servers'] = [string]$k.GetValue('NtpServer')
$k = Get-Item -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\W32Time\TimeProviders\NtpClient' -ErrorAction Stop
$t['enabled'] = $k.GetValue('Enabled')
try {
    $k = Get-Item -LiteralPath 'HKLM:\SOFTWARE\Policies\Microsoft\W32Time\Parameters' -ErrorAction Stop
    $t['policy_type'] = [string]$k.GetValue('Type')
    $t['policy_servers'] = [string]$k.GetValue('NtpServer')
} catch [System.Management.Automation.ItemNotFoundException] { $k = $null }
try {
    $k = Get-Item -LiteralPath 'HKLM:\SOFTWARE\Policies\Microsoft\W32Time\TimeProviders\NtpClient' -ErrorAction Stop
    $t['policy_enabled'] = $k.GetValue('Enabled')
} catch [System.Management.Automation.ItemNotFoundException] { $k = $null }
$k = Get-Item -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters' -ErrorAction Stop
$t['domain'] = [string]$k.GetValue('Domain')
ConvertTo-Json -InputObject $t -Depth 2 -Compress""",
    cap_bytes=8192,
)
OWN = "w32time"
# Services of other makers that keep a clock, by what they are called in the reports.
OTHERS = {
    "ntpd": ("NTP",),
    "chrony": ("chronyd",),
    "nettime": ("NetTime*",),
    "domain-time": ("DTServer*", "Domain Time*"),
}
TYPES = ("nt5ds", "ntp", "allsync", "nosync")
SYMMETRIC = 0x4  # of the flags after a server's name
NO_FLAG = Unknown("not_told", "Windows has no such flag")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "status": STATUS,
        "settings": SETTINGS,
        "registered": windows_services.REGISTERED,
        "services": windows_services.STATES,
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    services = windows_services.read(answers["registered"], answers["services"])
    own, found = _status(answers["status"], services)
    others = {name: services.found(patterns) for name, patterns in OTHERS.items()}
    states = {name: services.runs(named) for name, named in others.items() if named}
    running = ([OWN] if own is True else []) + [name for name, state in states.items() if state is True]
    doubt = next((s for s in (own, *states.values()) if isinstance(s, Unknown)), None) or services.missing
    clock = _kept(own, found, [name for name, state in states.items() if state is not False], services)
    return {
        "daemons": Partial(tuple(running), doubt) if doubt else running,
        "synchronised": clock.synchronised,
        "offset_s": clock.offset_s,
        "stratum": clock.stratum,
        "leap": clock.leap,
        "reference": clock.reference,
        "sources": _sources(answers["settings"], others),
        "kernel_synchronised": NO_FLAG,
        "hypervisor": _hypervisor(services),
    }


def _status(answer: Answer, services: Services) -> tuple[bool | Unknown, Clock]:
    """Whether the Windows Time service runs, and what it says. It answers only while it runs."""
    runs = services.states.get(OWN, services.untold or Unknown("not_told", "whether the Windows Time service runs"))
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return runs, untold(told.cause, told.detail)
        row = ps_json.table(told)
        lines = ps_json.texts(row.get("lines"))
    except Unreadable as why:
        return runs, untold("unreadable", str(why))
    if w32time.stopped(lines):
        return False, untold("not_told", "the Windows Time service does not run")
    clock = w32time.clock(row.get("code"), lines, services.runs(services.found(("vmictimesync",))))
    return True if isinstance(clock.stratum, int) else runs, clock


def _kept(own: bool | Unknown, found: Clock, others: Sequence[str], services: Services) -> Clock:
    """What all that keep the clock say; where the service does not run, another's word is missing, or nobody keeps it."""
    if others:
        return untold("not_told", f"{others[0]} does not tell how the clock is")
    if own is not False:
        return found
    missing = services.missing or _set_from_outside(services)
    unmeasured = Unknown("not_told", "no service measures the clock")
    if missing:
        return Clock(missing, unmeasured, unmeasured, unmeasured, missing)
    return Clock(False, unmeasured, unmeasured, unmeasured, None)


def _set_from_outside(services: Services) -> Unknown | None:
    tools = services.found(("VMTools", "VBoxService"))
    return (
        Unknown("not_told", "the hypervisor may set this clock")
        if tools and services.runs(tools) is not False
        else None
    )


def _hypervisor(services: Services) -> Fact:
    """What may set the clock from outside; whether VMware's tools are set to is not told."""
    found = [
        name
        for name, service in (("hyper-v", "vmictimesync"), ("virtualbox", "VBoxService"))
        if (named := services.found((service,))) and services.runs(named) is True
    ]
    tools = services.found(("VMTools",))
    untold_ = (
        Unknown("not_told", "whether vmware sets the clock") if tools and services.runs(tools) is not False else None
    )
    missing = services.missing or untold_
    return Partial(tuple(found), missing) if missing else found


# ---------------------------------------------------------------- sources


def _sources(answer: Answer, others: Mapping[str, frozenset[str]]) -> Fact:
    beside = next((name for name, named in others.items() if named), None)
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return Partial((), told)
        found, gap = _set(ps_json.table(told))
    except Unreadable as why:
        return Partial((), Unknown("unreadable", str(why)))
    gap = gap or (Unknown("not_told", f"the sources of {beside}") if beside else None)
    return Partial(tuple(found), gap) if gap else found


def _set(row: Mapping[str, Any]) -> tuple[list[dict[str, Fact]], Unknown | None]:
    names = ("type", "servers", "policy_type", "policy_servers", "domain")
    kind, servers, policy_kind, policy_servers, domain = ps_json.texts([row.get(name) for name in names])
    enabled = row.get("policy_enabled") if row.get("policy_enabled") is not None else row.get("enabled")
    kind = (policy_kind or kind).strip().lower()
    if kind not in TYPES or enabled not in (0, 1) or isinstance(enabled, bool):
        return [], Unknown("not_told", f"how the Windows Time service is set: {kind[:40]}")
    if kind == "nosync" or enabled == 0:
        return [], None
    found = [_server(word) for word in (policy_servers or servers).split()] if kind in ("ntp", "allsync") else []
    if kind in ("nt5ds", "allsync"):
        if not domain.strip():  # out of a domain it asks nobody that way
            return found, Unknown("not_told", "which domain it takes the time from")
        found.append({"source": domain.strip().lower().rstrip("."), "kind": "domain"})
    return found, None


def _server(word: str) -> dict[str, Fact]:
    name, _, flags = word.partition(",")
    digits = flags.strip().lower().removeprefix("0x")
    number = int(digits, 16) if 0 < len(digits) < 9 and set(digits) <= set("0123456789abcdef") else 0
    return {"source": name.lower().rstrip("."), "kind": "peer" if number & SYMMETRIC else "server"}
