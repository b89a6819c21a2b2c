r"""Where a Windows host sends its event logs: policy, events, services and masked settings of agents in, targets out. Pure.

A file of an agent may hold passwords: of each, only the lines with settings that are asked for leave the host, addresses
without credentials, paths and queries. Sources: Configure target Subscription Manager (group policy), the agents' manuals.
Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.probes.windows import addresses
from auditor.readers import ps_json, windows_services
from auditor.readers.forwarders import wazuh
from auditor.readers.forwarders import windows as forwarders
from auditor.readers.forwarders.target import Target, untold
from auditor.readers.forwarders.windows import AGENTS, OTHERS, Agent, Event
from auditor.readers.own_names import Own, plain
from auditor.readers.repositories import canonical
from auditor.readers.windows_services import Services

MANAGERS = Command(
    r"""$i = @()
try {
    $k = Get-Item -LiteralPath 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\EventLog\EventForwarding\SubscriptionManager' -ErrorAction Stop
    $i = @($k.GetValueNames() | ForEach-Object {
        $v = [string]$k.GetValue($_)
        if ($v -match '(?:^|,)\s*Server=([^,\s]*)') { $Matches[1] -replace '//[^/]*@', '//' } else { '?' }
    })
} catch [System.Management.Automation.ItemNotFoundException] { $i = @() }
ConvertTo-Json -InputObject ([ordered]@{ managers = $i }) -Depth 2 -Compress""",
    cap_bytes=16384,
)
# The newest of each kind about each manager or subscription, among the newest 500.
EVENTS = Command(
    r"""$l = Get-WinEvent -ListLog 'Microsoft-Windows-Forwarding/Operational' -ErrorAction Stop
$i = @()
if ($l.RecordCount -gt 0) {
    $s = @{}
    $i = @(Get-WinEvent -LogName 'Microsoft-Windows-Forwarding/Operational' -MaxEvents 500 -ErrorAction Stop | ForEach-Object {
        $a = ''
        $q = ''
        if ($_.Properties.Count -gt 0) { $a = [string]$_.Properties[0].Value -replace '//[^/]*@', '//' }
        if (($_.Id -ge 100) -and ($_.Id -le 102) -and ($_.Properties.Count -gt 1)) { $q = [string]$_.Properties[1].Value }
        if ($q.Length -gt 6000) { $q = '?' }
        $n = [string]$_.Id + ' ' + $a
        if (-not $s.Contains($n)) {
            $s[$n] = 1
            [ordered]@{ id = [int]$_.Id; about = $a; query = $q }
        }
    })
}
ConvertTo-Json -InputObject ([ordered]@{ records = $l.RecordCount; events = $i }) -Depth 3 -Compress""",
    elevated=True,
    timeout_s=30,
    cap_bytes=262144,
)
NAMES = Command(
    r"""$k = Get-Item -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters' -ErrorAction Stop
ConvertTo-Json -InputObject ([ordered]@{ host = [string]$k.GetValue('Hostname'); domain = [string]$k.GetValue('Domain') }) -Depth 2 -Compress""",
    cap_bytes=4096,
)
# $A: the service, then the files, unless it is started with another. Of the service, nothing but that file's name.
CONFIG = r"""$shown = @('address', 'host', 'hosts', 'server', 'servers', 'url', 'endpoint', 'port', 'protocol', 'name', 'type', 'module', 'mode',
    'enabled', 'disabled', 'tls', 'tls.verify', 'tls.verify_hostname', 'verification_mode', 'usessl', 'sslverifyservercert',
    'sslverifyservername', 'allowuntrusted', 'match', 'path', 'defaultgroup', 'status')
$marked = @('event_id', 'level', 'provider', 'xml_query', 'drop_event', 'certificate_authorities', 'certificate', 'ca_trusted_fingerprint',
    'id', 'clientcert', 'sslcommonnametocheck', 'sslaltnametocheck', 'processors', 'upstream', 'include', '@include')
$started = ''
try {
    $k = Get-Item -LiteralPath ('HKLM:\SYSTEM\CurrentControlSet\Services\' + $A[0]) -ErrorAction Stop
    $v = [string]$k.GetValue('ImagePath')
    if ($v -match '\s--?c(?:onfig)?[ =]+(?:"([^"]+)"|(\S+))') { $started = [string]$Matches[1] + [string]$Matches[2] }
} catch [System.Management.Automation.ItemNotFoundException] { $started = '' }
$denied = @()
$files = @()
$paths = @($A | Select-Object -Skip 1)
if ($started -ne '') { $paths = @($started) }
foreach ($p in $paths) {
    $g = $null
    try { $g = @(Get-Content -LiteralPath $p -TotalCount 5000 -ErrorAction Stop) }
    catch [System.Management.Automation.ItemNotFoundException] { $g = $null }
    catch { $denied = @($denied) + $p }
    if ($null -eq $g) { continue }
    $c = $false
    $last = ''
    $kept = @(foreach ($o in $g) {
        $s = [string]$o
        $s = $s -replace '<!--.*?-->', ''
        if ($c) { if ($s -match '-->') { $c = $false }; continue }
        if ($s -match '<!--') { $c = $true; continue }
        if ($s -match '^\s*([#;].*)?$') { continue }
        if ($s -match '^\s*<<') { '?'; continue }
        if ($s -match '<query') { '<query>set' }
        if ($s -match '^\s*<(address|port|protocol|server-ip|server-hostname|location|log_format)>([^<]*)<') {
            $n = $Matches[1]
            $v = [string]$Matches[2]
            if ($v -notmatch '^[A-Za-z0-9_.:/ -]*$') { $v = '?' }
            '<' + $n + '>' + $v
            continue
        }
        if ($s -match '^\s*</(server|localfile)>') { 'end'; continue }
        if ($s -match '^\s*</?[A-Za-z][A-Za-z0-9_]*(\s+[A-Za-z0-9_.-]+)?\s*>\s*$') { $s; continue }
        if ($s -match '^\s*\[[A-Za-z0-9_.:/ -]+\]\s*$') { $s; continue }
        $head = ''
        $v = ''
        if ($s -match '^(\s*(?:-\s+)*)([A-Za-z@][A-Za-z0-9_.@-]*)(\s*[:=]|\s)(?:\s+|$|(?<=[=\s]))(.*)$') {
            $head = $Matches[1] + $Matches[2] + $Matches[3] + ' '
            $n = $Matches[2].ToLowerInvariant()
            $last = $n -replace '^.*\.(?!verify)', ''
            $v = [string]$Matches[4]
        } elseif ($s -match '^(\s*-\s+)(\S.*)$') {
            $head = $Matches[1]
            $v = $Matches[2]
        } else { continue }
        $v = $v -replace '(^|\s+)#.*$', ''
        if ($marked -contains $last) {
            if ($v -ne '') { $v = 'set' }
            $head + $v
        } elseif (($shown -contains $last) -and ($v -ne '')) {
            $v = $v -replace '://[^/\s"'',\]]*@', '://'
            if ($v -match '@') { $v = '?' }
            $v = $v -replace '(://[^/\s"'',\]]*)/[^\s"'',\]]*', '$1'
            if ($v -notmatch '^[A-Za-z0-9_.:,/*+"''\[\]()>= -]{0,300}$') { $v = '?' }
            $head + $v
        } elseif ($v -eq '') { $head }
    })
    $files = @($files) + @([ordered]@{ path = $p; lines = @($kept) })
}
ConvertTo-Json -InputObject ([ordered]@{ started = $started; denied = @($denied); files = @($files) }) -Depth 4 -Compress"""
ITSELF = Unknown("not_told", "open connections are not asked of Windows")
NO_QUEUE = Unknown("not_told", "what waits to be sent is not asked of Windows")


@dataclass(frozen=True, slots=True)
class Sending:
    """By which agent, where to, whether it runs, and whether it is connected."""

    agent: str
    target: Target
    active: bool | Unknown
    connected: bool | Unknown


@dataclass(frozen=True, slots=True)
class Told:
    sending: tuple[Sending, ...]
    own: Own | Unknown
    missing: Unknown | None


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    agents = {
        name: Command(CONFIG, arguments=(agent.services[0], *agent.paths), elevated=True, cap_bytes=131072)
        for name, agent in AGENTS.items()
    }
    return {
        "managers": MANAGERS,
        "events": EVENTS,
        "names": NAMES,
        "interfaces": addresses.INTERFACES,
        "registered": windows_services.REGISTERED,
        "services": windows_services.STATES,
        **agents,
    }


def read(answers: Mapping[str, Answer]) -> Told:
    services = windows_services.read(answers["registered"], answers["services"])
    managers = _managers(answers["managers"])
    gaps: list[Unknown] = [managers] if isinstance(managers, Unknown) else []
    found = list(_forwarded([] if isinstance(managers, Unknown) else managers, _events(answers["events"]), services))
    for name, agent in AGENTS.items():
        files, gap = _files(answers[name], agent)
        found += _sent(name, agent, files, services)
        gaps += [gap] if gap else []
    found += _others(services)
    missing = services.missing or next(iter(gaps), None)
    return Told(tuple(found), own_of(answers["names"], answers["interfaces"]), missing)


# ---------------------------------------------------------------- Windows Event Forwarding


def _managers(answer: Answer) -> list[str] | Unknown:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        return [place for place in ps_json.texts(_field(told, "managers")) if place]
    except Unreadable as why:
        return Unknown("unreadable", str(why))


def _field(told: Any, name: str) -> Any:
    row = ps_json.table(told)
    if name not in row:
        raise Unreadable(f"{name} is not told")
    return row[name]


def _events(answer: Answer) -> list[Event] | Unknown:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        if ps_json.table(told).get("records") is None:
            return Unknown("no_privilege", "the events of forwarding are not told")
        return [_event(row) for row in ps_json.rows(told, "events")]
    except Unreadable as why:
        return Unknown("unreadable", str(why))


def _event(row: Mapping[str, Any]) -> Event:
    number = ps_json.number(row.get("id"), "the id of an event")
    about, query = ps_json.texts([row.get("about"), row.get("query")])
    return Event(0 if isinstance(number, Unknown) else int(number), about, query)


def _forwarded(places: Iterable[str], events: list[Event] | Unknown, services: Services) -> Iterator[Sending]:
    """The events are sent by the service of remote management."""
    active = services.runs(frozenset({"winrm"}))
    for target, reached in forwarders.forwarding(places, events):
        yield Sending("wef", target, active, reached)


# ---------------------------------------------------------------- agents


def _files(answer: Answer, agent: Agent) -> tuple[Mapping[str, str] | Unknown, Unknown | None]:
    """Its files, by path, or why they are not told; and why there may be more."""
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told, told
        denied = ps_json.texts(_field(told, "denied"))
        (started,) = ps_json.texts([ps_json.table(told).get("started")])
        printed = [(row.get("path"), ps_json.texts(row.get("lines"))) for row in ps_json.rows(told, "files")]
    except Unreadable as why:
        unread = Unknown("unreadable", str(why))
        return unread, unread
    gap = Unknown("no_privilege", denied[0][:200]) if denied else None
    chosen = {p: agent.flat(lines) for p, lines in printed if isinstance(p, str)}
    if started and not chosen:
        return Unknown("not_told", f"the file that it is started with is not read: {started[:100]}"), gap
    return chosen, gap


def _sent(name: str, agent: Agent, files: Mapping[str, str] | Unknown, services: Services) -> Iterator[Sending]:
    named = services.found(agent.services)
    active = services.runs(named) if named else services.missing or False
    if isinstance(files, Unknown) or not files:
        if named:
            yield Sending(name, untold(name), active, files if isinstance(files, Unknown) else ITSELF)
        return
    connected = _state(files) if name == "wazuh" else ITSELF
    found = list(agent.read(files))
    if named and not found:  # what a file of another folder, or a server, tells it
        found = [untold(name)]
    for target in found:
        yield Sending(name, target, active, connected)


def _state(files: Mapping[str, str]) -> bool | Unknown:
    said = next((text for path, text in files.items() if path.endswith(".state")), "")
    quoted = next((line for line in said.splitlines() if line.replace(" ", "").startswith("status=")), "")
    told = wazuh.connected({wazuh.STATE: quoted.replace(" ", "").replace("'", "")})
    return Unknown("not_told", "the agent does not tell its state") if told is None else told


def _others(services: Services) -> Iterator[Sending]:
    for name, patterns in OTHERS.items():
        named = services.found(patterns)
        if named and services.runs(named) is not False:
            yield Sending(name, untold(name), services.runs(named), ITSELF)


# ---------------------------------------------------------------- the host itself


def own_of(names: Answer, interfaces: Answer) -> Own | Unknown:
    try:
        told, seen = ps_json.read(names), addresses.seen({"interfaces": interfaces, "adapters": interfaces})
        if isinstance(told, Unknown):
            return told
        host, domain = (plain(t.strip()) for t in ps_json.texts([_field(told, "host"), _field(told, "domain")]))
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if isinstance(seen, Unknown) or not host:
        return seen if isinstance(seen, Unknown) else Unknown("not_told", "the host's own name")
    found = frozenset(a for i in seen.interfaces for text in i.addresses for a in canonical(text))
    return Own(frozenset({host, f"{host}.{domain}"} if domain else {host}), found)
