"""Which tools of remote access and tunnels a Windows host has: services, programs that run, what is installed; tools out. Pure.

Names are those of the products' own installers; what its owner renamed is not found. Remote Desktop is the system's own door,
not a tool. What one account installed for itself alone is seen while it runs. Not met on a real Windows yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import ps_json, windows_listeners, windows_processes, windows_services

# Both views of the registry; a key without a name is a part of something else. A path would end at a slash in a key's name.
INSTALLED = Command(
    r"""$i = @(foreach ($p in @('HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall', 'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall')) {
    $k = $null
    try { $k = Get-Item -LiteralPath $p -ErrorAction Stop } catch [System.Management.Automation.ItemNotFoundException] { $k = $null }
    if ($null -ne $k) {
        foreach ($n in $k.GetSubKeyNames()) {
            $r = $k.OpenSubKey($n)
            if ($null -ne $r) { [string]$r.GetValue('DisplayName') }
        }
    }
})
ConvertTo-Json -InputObject ([ordered]@{ installed = $i }) -Depth 2 -Compress""",
    cap_bytes=262144,
)


@dataclass(frozen=True, slots=True)
class Tool:
    """`services` and `programs` as they are called there, `*` for anything; `words` begin the name that it is installed under.

    `ports` are listened on by nothing else.
    """

    name: str
    services: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


TOOLS = (
    Tool(
        "VNC",
        ("tvnserver", "uvnc_service", "vncserver", "WinVNC*", "TigerVNC*"),
        ("tvnserver", "winvnc", "winvnc4", "vncserver"),
        ("TightVNC", "UltraVNC", "RealVNC", "VNC Server", "TigerVNC"),
        tuple(range(5900, 5910)),
    ),
    Tool(
        "TeamViewer",
        ("TeamViewer*",),
        ("TeamViewer", "TeamViewer_Service", "TeamViewer_Desktop"),
        ("TeamViewer",),
        (5938,),
    ),
    Tool("AnyDesk", ("AnyDesk*",), ("AnyDesk*",), ("AnyDesk",)),
    Tool("RustDesk", ("RustDesk*",), ("rustdesk", "hbbs", "hbbr"), ("RustDesk",)),
    Tool("Chrome Remote Desktop", ("chromoting",), ("remoting_host",), ("Chrome Remote Desktop",)),
    Tool("NoMachine", ("nxservice*",), ("nxserver", "nxnode", "nxd"), ("NoMachine",)),
    Tool("Splashtop", ("SplashtopRemoteService", "SSUService"), ("SRService", "SRServer", "SRManager"), ("Splashtop",)),
    Tool("ScreenConnect", ("ScreenConnect Client*",), ("ScreenConnect.*",), ("ScreenConnect",)),
    Tool(
        "LogMeIn",
        ("LogMeIn", "LMIGuardianSvc", "LMI_Rescue*"),
        ("LogMeIn", "LMIGuardianSvc"),
        ("LogMeIn Client", "LogMeIn Rescue"),
    ),
    Tool(
        "GoTo",
        ("GoToAssist*", "GoToMyPC*", "GoTo Resolve*"),
        ("g2comm", "g2svc"),
        ("GoToAssist", "GoToMyPC", "GoTo Resolve"),
    ),
    Tool("Supremo", ("SupremoService",), ("Supremo", "SupremoService"), ("Supremo",)),
    Tool("Ammyy Admin", ("AmmyyAdmin*",), ("AA_v3*",), ("Ammyy",)),
    Tool("Radmin", ("RServer3",), ("rserver3",), ("Radmin Server",), (4899,)),
    Tool("DameWare", ("dwmrcs", "DWRCS*"), ("dwrcs",), ("DameWare", "SolarWinds Dameware")),
    Tool("NetSupport", ("Client32",), ("client32",), ("NetSupport",)),
    Tool("ISL Online", ("ISL*AlwaysOn*",), ("ISLLight*",), ("ISL Light", "ISL AlwaysOn")),
    Tool("Zoho Assist", ("ZohoAssist*", "Zoho Assist*"), ("ZA_Connect", "ZohoURS*"), ("Zoho Assist",)),
    Tool("Quick Assist", (), ("quickassist",)),
    Tool("MeshCentral", ("Mesh Agent",), ("MeshAgent",), ("Mesh Agent",)),
    Tool("DWService", ("DWAgent",), ("dwagsvc", "dwagent"), ("DWAgent",)),
    Tool("RemotePC", ("RPCService", "RemotePC*"), ("RemotePCService", "RPCSuite"), ("RemotePC",)),
    Tool("BeyondTrust", ("bomgar-*",), ("bomgar-scc",), ("Bomgar", "BeyondTrust Remote")),
    Tool("Tactical RMM", ("tacticalrmm",), ("tacticalrmm",), ("Tactical RMM",)),
    Tool("NinjaOne", ("NinjaRMMAgent",), ("NinjaRMMAgent",), ("NinjaRMM", "NinjaOne")),
    Tool("Atera", ("AteraAgent",), ("AteraAgent",), ("AteraAgent", "Atera ")),
    Tool("Action1", ("A1Agent",), ("action1_agent",), ("Action1",)),
    Tool("HopToDesk", ("HopToDesk",), ("HopToDesk",), ("HopToDesk",)),
    Tool("VS Code tunnel", (), ("code-tunnel", "devtunnel")),
    Tool("ngrok", ("ngrok",), ("ngrok",), ("ngrok",)),
    Tool("Cloudflare Tunnel", ("cloudflared",), ("cloudflared",), ("cloudflared",)),
    Tool("frp", ("frpc", "frps"), ("frpc", "frps")),
    Tool("bore", (), ("bore",)),
    Tool("Tailscale", ("Tailscale",), ("tailscaled",), ("Tailscale",)),
    Tool("ZeroTier", ("ZeroTierOneService",), ("zerotier-one*",), ("ZeroTier",)),
    Tool("NetBird", ("Netbird",), ("netbird",), ("NetBird",)),
    Tool("Twingate", ("Twingate.Service",), ("Twingate.Service",), ("Twingate",)),
    Tool("Hamachi", ("Hamachi2Svc",), ("hamachi-2",), ("LogMeIn Hamachi",)),
    Tool("SoftEther", ("SEVPN*",), ("vpnserver*", "vpnbridge*"), ("SoftEther",)),
    Tool("Teleport", ("Teleport*",), ("teleport",)),
    Tool("chisel", ("chisel",), ("chisel",)),
    Tool("wstunnel", ("wstunnel",), ("wstunnel",)),
    Tool("reverse SSH tunnel", (), ("plink", "autossh")),
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """`missing`: why there may be more of them."""

    services: windows_services.Services
    running: windows_processes.Processes
    installed: tuple[str, ...]
    ports: frozenset[int]
    missing: Unknown | None


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "registered": windows_services.REGISTERED,
        "services": windows_services.STATES,
        "running": windows_processes.RUNNING,
        "software": INSTALLED,
        "ports": windows_listeners.PORTS,
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    seen = _seen(answers)
    found = [told for tool in TOOLS if (told := _told(tool, seen))]
    return {"tools": Partial(tuple(found), seen.missing) if seen.missing else found}


def _seen(answers: Mapping[str, Answer]) -> _Seen:
    services = windows_services.read(answers["registered"], answers["services"])
    running = windows_processes.read(answers["running"])
    ports = windows_listeners.read(answers["ports"])
    installed = _installed(answers["software"])
    untold = installed if isinstance(installed, Unknown) else None
    listed = () if isinstance(installed, Unknown) else installed
    # The states alone may stay untold: the registry names every service.
    unnamed = services.missing if services.missing is not services.untold or not services.names else None
    return _Seen(services, running, listed, ports.ports, unnamed or running.missing or untold or ports.missing)


def _installed(answer: Answer) -> tuple[str, ...] | Unknown:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        names = tuple(name for name in ps_json.texts(ps_json.table(told).get("installed")) if name)
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    return names or Unknown("not_told", "nothing at all is listed as installed")


def _told(tool: Tool, seen: _Seen) -> Fact:
    """None: nothing of it was seen."""
    named = seen.services.found(tool.services) if tool.services else frozenset()
    live = [f"process {p}" for p in sorted(_programs(tool, seen.running.names))]
    live += [f"port {port}" for port in tool.ports if port in seen.ports]
    lying = [*(f"service {n}" for n in sorted(named)), *(f"installed {n}" for n in _words(tool, seen.installed))]
    if not live and not lying:
        return None
    running = True if live else seen.services.runs(named) if named else False
    if running is False and seen.running.missing:
        running = seen.running.missing
    return {"tool": tool.name, "running": running, "seen": ", ".join((*live, *lying))[:200]}


def _programs(tool: Tool, names: frozenset[str]) -> frozenset[str]:
    return frozenset(n for n in names if any(fnmatchcase(n, p.lower()) for p in tool.programs))


def _words(tool: Tool, installed: tuple[str, ...]) -> Iterator[str]:
    for name in dict.fromkeys(installed):
        if any(re.match(re.escape(word), name, re.IGNORECASE) for word in tool.words):
            yield name[:60]
