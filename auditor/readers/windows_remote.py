"""Remote Desktop and WinRM as a Windows host has them set: registry, the service's own settings and ports in, settings out. Pure.

What a group policy says comes before what the machine says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json, windows_listeners, windows_registry, windows_services
from auditor.readers.windows_listeners import Ports
from auditor.readers.windows_registry import Key, first, number
from auditor.readers.windows_services import Services

_TS = r"SYSTEM\CurrentControlSet\Control\Terminal Server"
RDP_POLICY = windows_registry.one(
    r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services",
    "fDenyTSConnections",
    "UserAuthentication",
    "SecurityLayer",
)
RDP = windows_registry.one(_TS, "fDenyTSConnections")
RDP_TCP = windows_registry.one(
    _TS + r"\WinStations\RDP-Tcp", "UserAuthentication", "SecurityLayer", "PortNumber", "fEnableWinStation"
)
WINRM_POLICY = windows_registry.one(
    r"SOFTWARE\Policies\Microsoft\Windows\WinRM\Service",
    "AllowBasic",
    "AllowUnencryptedTraffic",
    "AllowCredSSP",
)
# What is in force, policies among it; its values are "true" and "false" in every language. Administrators alone are told. Of a
# service that does not run nothing is asked: whoever looks at its settings is offered to start it.
WINRM = Command(
    r"""$w = @(Get-CimInstance -ClassName Win32_Service -Filter "Name='WinRM'" -ErrorAction Stop)
$on = ($w.Count -eq 1) -and ($w[0].State -eq 'Running')
$t = [ordered]@{}
$i = @()
if ($on) {
    foreach ($n in @('AllowUnencrypted', 'Auth\Basic', 'Auth\CredSSP')) {
        $t[$n] = [string](Get-Item -LiteralPath ('WSMan:\localhost\Service\' + $n) -ErrorAction Stop).Value
    }
    $i = @(Get-ChildItem -LiteralPath 'WSMan:\localhost\Listener' -ErrorAction Stop | ForEach-Object {
        $l = [ordered]@{}
        foreach ($c in @(Get-ChildItem -LiteralPath $_.PSPath -ErrorAction Stop)) {
            $n = [string]$c.Name
            if (@('Transport', 'Port', 'Enabled', 'Address') -contains $n) { $l[$n] = [string]$c.Value }
        }
        $l
    })
}
ConvertTo-Json -InputObject ([ordered]@{ running = $on; service = $t; listeners = $i }) -Depth 4 -Compress""",
    elevated=True,
    timeout_s=30,
    cap_bytes=16384,
)
COMMANDS: Mapping[str, Command] = {
    "rdp_policy": RDP_POLICY,
    "rdp": RDP,
    "rdp_tcp": RDP_TCP,
    "winrm_policy": WINRM_POLICY,
    "winrm": WINRM,
    "ports": windows_listeners.PORTS,
    "registered": windows_services.REGISTERED,
    "services": windows_services.STATES,
}
RDP_PORT = 3389
WINRM_PORTS = (5985, 5986)
TLS = 2  # of SecurityLayer: neither RDP's own, 0, nor what the client asks for, 1


@dataclass(frozen=True, slots=True)
class Listener:
    transport: str
    port: int | Unknown
    address: str
    enabled: bool | Unknown


@dataclass(frozen=True, slots=True)
class Remote:
    """`rdp`, `winrm`: whether they are served. The rest is what their settings say, served or not."""

    rdp: bool | Unknown
    nla: bool | Unknown
    tls: bool | Unknown
    rdp_port: int | Unknown
    winrm: bool | Unknown
    basic: bool | Unknown
    unencrypted: bool | Unknown
    credssp: bool | Unknown
    listeners: tuple[Listener, ...] | Unknown
    ports: Ports
    services: Services


def running(services: Services, name: str) -> bool | Unknown:
    """Whether a service runs; one that the whole list of names lacks does not."""
    unnamed = services.missing if services.missing is not services.untold else None
    if name in services.names or not services.names:
        return services.runs(frozenset({name}))
    return unnamed or False


def read(answers: Mapping[str, Answer]) -> Remote:
    policy, machine, tcp, winrm_policy = (
        windows_registry.read_one(answers[name]) for name in ("rdp_policy", "rdp", "rdp_tcp", "winrm_policy")
    )
    ports = windows_listeners.read(answers["ports"])
    services = windows_services.read(answers["registered"], answers["services"])
    settings, listeners = _winrm(answers["winrm"])
    port = number(tcp, "PortNumber")
    port = Unknown("not_told", "the port of Remote Desktop") if port is None else port
    return Remote(
        rdp=_rdp(first("fDenyTSConnections", policy, machine), port, ports),
        nla=_is("UserAuthentication", 1, policy, tcp),
        tls=_is("SecurityLayer", TLS, policy, tcp),
        rdp_port=port,
        winrm=_served(ports, services),
        basic=_switch("AllowBasic", winrm_policy, settings, "Auth\\Basic"),
        unencrypted=_switch("AllowUnencryptedTraffic", winrm_policy, settings, "AllowUnencrypted"),
        credssp=_switch("AllowCredSSP", winrm_policy, settings, "Auth\\CredSSP"),
        listeners=listeners,
        ports=ports,
        services=services,
    )


def _rdp(denied: int | Unknown | None, port: int | Unknown, ports: Ports) -> bool | Unknown:
    """A port that is listened on says more than a setting that forbids it."""
    if ports.any(RDP_PORT if isinstance(port, Unknown) else port) is True:
        return True
    if denied is None or isinstance(denied, Unknown):
        return denied or Unknown("not_told", "whether Remote Desktop is allowed")
    if denied == 0:
        return True
    return ports.missing or False


def _is(name: str, wanted: int, *keys: Key | Unknown) -> bool | Unknown:
    told = first(name, *keys)
    if told is None:
        return Unknown("not_told", f"{name} is not set")
    return told if isinstance(told, Unknown) else told == wanted


def _served(ports: Ports, services: Services) -> bool | Unknown:
    """Whoever asks may have come in by another way: a script may be run by hand."""
    if ports.any(*WINRM_PORTS) is True:
        return True
    return services.runs(frozenset({"winrm"}))


def _switch(
    policy_name: str, policy: Key | Unknown, settings: Mapping[str, str] | Unknown, name: str
) -> bool | Unknown:
    said = number(policy, policy_name)
    if said is not None and not isinstance(said, Unknown):
        return said != 0
    if isinstance(settings, Unknown):
        return settings
    word = settings.get(name, "").lower()
    return word == "true" if word in ("true", "false") else Unknown("not_told", f"WinRM's setting {name}")


def _winrm(answer: Answer) -> tuple[Mapping[str, str] | Unknown, tuple[Listener, ...] | Unknown]:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told, told
        if ps_json.table(told).get("running") is not True:
            why = Unknown("not_told", "the settings of WinRM, where it does not run or is not shown to")
            return why, why
        service = ps_json.table(ps_json.table(told).get("service"))
        rows = ps_json.rows(told, "listeners")
        return {k: v for k, v in service.items() if isinstance(v, str)}, tuple(_listener(row) for row in rows)
    except Unreadable as error:
        why = Unknown("unreadable", str(error))
        return why, why


def _listener(row: Mapping[str, Any]) -> Listener:
    transport, port, address, enabled = ps_json.texts([row.get(n) for n in ("Transport", "Port", "Address", "Enabled")])
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else Unknown("unreadable", "a port")
    word = enabled.lower()
    on = word == "true" if word in ("true", "false") else Unknown("unreadable", "Enabled")
    return Listener(transport[:20], number, address[:60], on)
