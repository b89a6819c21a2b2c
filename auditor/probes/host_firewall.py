"""Whether a Windows host's firewall is on and refuses what nothing allows: profiles, services and others' products in, facts out. Pure.

The effective store is asked, which holds what policies say. Where it is not told, the registry is, policy before the
host's own. Sources: learn.microsoft.com on Get-NetFirewallProfile; the registry's names as benchmarks check them. Not met
on a real Windows yet.
"""

from __future__ import annotations

from auditor.kinds import Dialect, Dialects, Probe


def _on_windows() -> Dialect:
    from auditor.probes.windows import host_firewall as windows

    return Dialect(windows.commands, windows.parse)


PROBE = Probe(
    title={"en": "Firewall of the host", "fr": "Pare-feu de l'hôte"},
    facts={
        "type": "object",
        "properties": {
            "running": {"type": "boolean", "description": "Whether the services of the system's own firewall run."},
            "profiles": {
                "type": "array",
                "description": "The system's own firewall, for each kind of network.",
                "items": {
                    "type": "object",
                    "x-name": "profile",
                    "properties": {
                        "profile": {"type": "string", "description": "Domain, Private or Public."},
                        "on": {"type": "boolean", "description": "Whether it is on there."},
                        "inbound_refused": {
                            "type": "boolean",
                            "description": "Whether it is on and refuses, on every interface, incoming connections that no rule"
                            " allows, and no rule allows them all.",
                        },
                    },
                },
            },
            "other_firewalls": {
                "type": "array",
                "description": "Firewalls of other makers that registered with the system (workstations).",
                "items": {
                    "type": "object",
                    "x-name": "product",
                    "properties": {
                        "product": {"type": "string", "description": "The name that it gives itself."},
                        "on": {"type": "boolean", "description": "Whether it says that it is on, and runs."},
                    },
                },
            },
        },
    },
    dialects=Dialects(windows=_on_windows),
    privilege={
        "en": "Settings in the registry: an ordinary account. Whether the services run, and what is in force: an administrator.",
        "fr": "Réglages du registre : un compte ordinaire. Marche des services et réglages en vigueur : un administrateur.",
    },
)
