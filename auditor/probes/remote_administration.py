"""How Remote Desktop and WinRM of a Windows host are set, and what stands at its logon screen besides Windows' own. Pure.

Which accounts get through with what proofs, the probe doors tells, from the same answers. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.readers.undated import undated


def _fact(kind: str, description: str) -> Mapping[str, Any]:
    return {"type": kind, "description": description}


def _on_windows() -> Dialect:
    from auditor.probes.windows import remote_administration as windows

    return Dialect(windows.commands, undated(windows.parse))


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
    dialects=Dialects(windows=_on_windows),
    privilege={
        "en": "an administrator, to read WinRM's own settings and whether services run; anybody is told the rest",
        "fr": "un administrateur, pour lire les réglages de WinRM et l'état des services ; le reste est dit à tous",
    },
)
