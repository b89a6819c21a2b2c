"""Where a network device sends its logs, whom it asks for the time, and which VLANs its ports are in. Pure."""

from __future__ import annotations

from auditor.kinds import Dialect, Dialects, Probe

# ---------------------------------------------------------------- the probe

_TARGET = {
    "type": "object",
    "x-name": "address",
    "properties": {
        "address": {"type": "string", "description": "Its address or name."},
        "encrypted": {"type": "boolean", "description": "TLS for logs; a key for the time."},
    },
}


def _ios() -> Dialect:
    from auditor.probes.trees import device_services as trees

    return Dialect(trees.ios_commands, trees.parse_ios)


def _fortios() -> Dialect:
    from auditor.probes.trees import device_services as trees

    return Dialect(trees.fortios_commands, trees.parse_fortios)


PROBE = Probe(
    title={"en": "Logs, time and VLANs of a network device", "fr": "Journaux, heure et VLAN d'un équipement réseau"},
    facts={
        "type": "object",
        "properties": {
            "log_targets": {"type": "array", "items": _TARGET, "description": "Where it sends its logs."},
            "time_sources": {"type": "array", "items": _TARGET, "description": "Whom it asks for the time."},
            "ports": {
                "type": "array",
                "description": "Ports that are not shut down and switch frames.",
                "items": {
                    "type": "object",
                    "x-name": "port",
                    "x-also": ["untagged"],
                    "properties": {
                        "port": {"type": "string", "description": "Its name."},
                        "mode": {"type": "string", "description": "access, trunk or dynamic."},
                        "untagged": {"type": "integer", "description": "The VLAN of untagged frames."},
                        "carries_all": {"type": "boolean", "description": "A trunk that no list of VLANs narrows."},
                    },
                },
            },
        },
    },
    dialects={},
    trees=Dialects(cisco_ios=_ios, fortios=_fortios),
    privilege={
        "en": "none: the device's configuration is read from a file",
        "fr": "aucun : la configuration de l'équipement est lue dans un fichier",
    },
)
