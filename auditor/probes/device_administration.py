"""By which doors a network device is administered, from where, and with what proofs, by its configuration. Pure."""

from __future__ import annotations

from auditor.kinds import Dialect, Dialects, Probe

# ---------------------------------------------------------------- the probe

_DOOR = {
    "type": "object",
    "x-name": "service",
    "x-also": ["on"],
    "properties": {
        "service": {"type": "string", "description": "telnet, http, snmp v1/v2c, vty, web, admin."},
        "on": {"type": "string", "description": "The line, interface, or which community or account."},
    },
}


def _ios() -> Dialect:
    from auditor.probes.trees import device_administration as trees

    return Dialect(trees.ios_commands, trees.parse_ios)


def _fortios() -> Dialect:
    from auditor.probes.trees import device_administration as trees

    return Dialect(trees.fortios_commands, trees.parse_fortios)


PROBE = Probe(
    title={"en": "How a network device is administered", "fr": "Administration d'un équipement réseau"},
    facts={
        "type": "object",
        "properties": {
            "cleartext": {"type": "array", "items": _DOOR, "description": "Doors that show what is said in clear."},
            "from_anywhere": {
                "type": "array",
                "items": _DOOR,
                "description": "Doors that no list of sources is set before.",
            },
            "administrators": {
                "type": "array",
                "description": "Its own accounts (FortiOS).",
                "items": {
                    "type": "object",
                    "x-name": "account",
                    "properties": {
                        "account": {"type": "string", "x-person": True, "description": "The login."},
                        "two_factors": {"type": "boolean", "description": "A second factor is asked."},
                        "bound": {"type": "boolean", "description": "It is bound to trusted hosts."},
                    },
                },
            },
            "by_name": {"type": "boolean", "description": "Whoever logs in gives a name: no password of a line alone."},
        },
    },
    dialects={},
    trees=Dialects(cisco_ios=_ios, fortios=_fortios),
    privilege={
        "en": "none: the device's configuration is read from a file",
        "fr": "aucun : la configuration de l'équipement est lue dans un fichier",
    },
)
