"""How Remote Desktop and WinRM of a Windows host are set, and what stands at its logon screen besides Windows' own. Pure.

Which accounts get through with what proofs, the probe doors tells, from the same answers. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import windows_logon, windows_registry, windows_remote
from auditor.readers.undated import undated
from auditor.readers.windows_remote import Listener, Remote

# Of a network policy server: what stands between a VPN or RD Gateway and the directory.
NPS = windows_registry.one(
    r"SYSTEM\CurrentControlSet\Services\AuthSrv\Parameters", "AuthorizationDLLs", "ExtensionDLLs"
)
ENTRA_EXTENSION = "mfanpsauthzext.dll"


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {**windows_logon.COMMANDS, **windows_remote.COMMANDS, "nps": NPS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    remote, logon = windows_remote.read(answers), windows_logon.read(answers)
    return {
        "rdp": remote.rdp,
        "rdp_nla": remote.nla,
        "rdp_tls": remote.tls,
        "rdp_port": remote.rdp_port,
        "winrm": remote.winrm,
        "winrm_basic": remote.basic,
        "winrm_unencrypted": remote.unencrypted,
        "winrm_credssp": remote.credssp,
        "winrm_listeners": _listeners(remote),
        "rd_gateway": windows_remote.running(remote.services, "tsgateway"),
        "radius_server": windows_remote.running(remote.services, "ias"),
        "radius_second_factor": _extension(answers["nps"]),
        "smart_card_required": logon.card_required,
        "logon_providers": logon.others if isinstance(logon.others, Unknown) else [_provider(p) for p in logon.others],
    }


def _listeners(remote: Remote) -> Fact:
    if isinstance(remote.listeners, Unknown):
        return Partial((), remote.listeners)
    if remote.winrm is True and not remote.listeners:  # it would not answer
        return Partial((), Unknown("not_told", "WinRM runs and lists no listener"))
    return [_listener(listener) for listener in remote.listeners]


def _listener(listener: Listener) -> Fact:
    return {
        "listener": f"{listener.transport} {listener.address}",
        "encrypted": listener.transport.upper() == "HTTPS",
        "port": listener.port,
        "enabled": listener.enabled,
    }


def _extension(answer: Answer) -> bool | Unknown:
    """Of the extension for Entra; those of other makers are not known here."""
    key = windows_registry.read_one(answer)
    told = key if isinstance(key, Unknown) else key.get("AuthorizationDLLs")
    if isinstance(told, Unknown):
        return told
    named = "" if told is None else str(told).lower()
    if ENTRA_EXTENSION in named:
        return True
    return Unknown("not_told", "an extension of another maker") if named not in ("", "none", "[]") else False


def _provider(provider: windows_logon.Provider) -> Fact:
    return {"provider": provider.name or provider.id, "id": provider.id, "filter": provider.filter}


def _fact(kind: str, description: str) -> Mapping[str, Any]:
    return {"type": kind, "description": description}


PROBE = Probe(
    title={"en": "Remote administration of Windows", "fr": "Administration à distance de Windows"},
    facts={
        "type": "object",
        "properties": {
            "rdp": _fact("boolean", "Remote Desktop is served: allowed, or its port is listened on."),
            "rdp_nla": _fact("boolean", "It asks who comes before it opens a session (network level authentication)."),
            "rdp_tls": _fact("boolean", "It takes TLS alone."),
            "rdp_port": _fact("integer", "Its port."),
            "winrm": _fact("boolean", "WinRM is served."),
            "winrm_basic": _fact("boolean", "WinRM takes passwords as they are (Basic)."),
            "winrm_unencrypted": _fact("boolean", "WinRM takes messages that are not sealed, over HTTP."),
            "winrm_credssp": _fact("boolean", "WinRM lets the caller hand over the password (CredSSP)."),
            "winrm_listeners": {
                **_fact("array", "Where WinRM listens."),
                "items": {
                    "type": "object",
                    "x-name": "listener",
                    "properties": {
                        "listener": _fact("string", "Its transport and address."),
                        "encrypted": _fact("boolean", "It is HTTPS."),
                        "port": _fact("integer", "Its port."),
                        "enabled": _fact("boolean", "It is on."),
                    },
                },
            },
            "rd_gateway": _fact("boolean", "A Remote Desktop gateway runs on the host."),
            "radius_server": _fact("boolean", "A network policy server (RADIUS) runs on the host."),
            "radius_second_factor": _fact("boolean", "The extension of Entra that asks a second factor is set in it."),
            "smart_card_required": _fact(
                "boolean", "At its screen the machine takes nothing but a smart card or Windows Hello for Business."
            ),
            "logon_providers": {
                **_fact("array", "What other makers put at the logon screen."),
                "items": {
                    "type": "object",
                    "x-name": "provider",
                    "x-also": ["id"],
                    "properties": {
                        "provider": _fact("string", "Its name."),
                        "id": _fact("string", "Its class identifier."),
                        "filter": _fact("boolean", "It takes other ways to log in off the screen."),
                    },
                },
            },
        },
    },
    dialects={"windows": Dialect(commands, undated(parse))},
    privilege={
        "en": "an administrator, to read WinRM's own settings and whether services run; anybody is told the rest",
        "fr": "un administrateur, pour lire les réglages de WinRM et l'état des services ; le reste est dit à tous",
    },
)
