"""Restore points that a host can list in its restic and borg repositories, and where these really are. Pure."""

from __future__ import annotations

from typing import Any

from auditor.kinds import Dialect, Dialects, Probe

_FACTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tools": {
            "type": "array",
            "description": "Backup tools in the folders where programs usually are; on Windows, by their services.",
            "items": {"type": "string"},
        },
        "repositories": {
            "type": "array",
            "description": "Restic and borg repositories that root's configurations on this host name; on Windows, where "
            "a tool of the host itself stored its newest backup that succeeded.",
            "items": {
                "type": "object",
                "x-name": "repository",
                "x-also": ["tool"],
                "properties": {
                    "repository": {"type": "string", "description": "Its address, without user and password."},
                    "tool": {"type": "string", "description": "The tool that fills it, restic for instance."},
                    "newest_hours": {
                        "type": "number",
                        "description": "Hours since this host's newest restore point in it; null when it holds none at all.",
                    },
                    "on_this_host": {"type": "boolean", "description": "Whether it is stored on this host itself."},
                    "host": {
                        "type": "string",
                        "description": "Name of the host that stores it; null when this host does.",
                    },
                    "addresses": {
                        "type": "array",
                        "description": "Addresses of the host that stores it, as this host resolves its name.",
                        "items": {"type": "string"},
                    },
                    "on_declared_offsite_host": {
                        "type": "boolean",
                        "description": "Whether an off-site host given as argument stores it: by address where both have one.",
                    },
                },
            },
        },
    },
}


def _on_linux() -> Dialect:
    from auditor.probes.linux import backups as linux

    return Dialect(linux.commands, linux.parse)


def _on_windows() -> Dialect:
    from auditor.probes.windows import backups as windows

    return Dialect(windows.commands, windows.parse)


PROBE = Probe(
    title={"en": "Restore points and where they are", "fr": "Points de restauration et leur emplacement"},
    facts=_FACTS,
    dialects=Dialects(linux=_on_linux, windows=_on_windows),
    arguments={
        "type": "object",
        "properties": {
            "offsite_ids": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The names that the inventory gives to the off-site hosts.",
            },
            "offsite_hosts": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Of each off-site host, its name in the inventory and after it its addresses.",
            },
        },
        "additionalProperties": False,
    },
    privilege={
        "en": "Root: opens each repository read-only with the password that root's own configuration names, which never "
        "leaves the host. Backups pulled by a server (Veeam, Proxmox Backup ...) are told by that server, not by the host. "
        "On Windows an administrator.",
        "fr": "Root : ouvre chaque dépôt en lecture seule avec le mot de passe que nomme la configuration de root, qui ne "
        "quitte jamais l'hôte. Les sauvegardes tirées par un serveur (Veeam, Proxmox Backup ...) sont dites par ce serveur. "
        "Sous Windows, un administrateur.",
    },
)
