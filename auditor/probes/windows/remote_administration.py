"""How Remote Desktop and WinRM of a Windows host are set, and what stands at its logon screen besides Windows' own. Pure.

Which accounts get through with what proofs, the probe doors tells, from the same answers. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import windows_logon, windows_registry, windows_remote
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
