"""What on a Windows host may filter the web: the resolvers it asks, the proxies it is told and Defender's network protection. Pure.

A gateway that filters leaves no trace on hosts. Sources: learn.microsoft.com on the policies of the internet settings and on
Get-MpPreference; the layout of WinHttpSettings as programs in public read it. Not met on a real Windows yet.
"""

from __future__ import annotations

from auditor.kinds import Dialect, Dialects, Probe


def _on_windows() -> Dialect:
    from auditor.probes.windows import web_filtering as windows

    return Dialect(windows.commands, windows.parse)


PROBE = Probe(
    title={"en": "Web filtering, as a host sees it", "fr": "Filtrage web, vu d'un hôte"},
    facts={
        "type": "object",
        "properties": {
            "resolvers": {
                "type": "array",
                "description": "Whom the host asks for names, on any interface that is up.",
                "items": {
                    "type": "object",
                    "x-name": "resolver",
                    "properties": {
                        "resolver": {"type": "string", "description": "Its address."},
                        "declared": {
                            "type": "boolean",
                            "description": "Whether it is one of the filters given as argument.",
                        },
                    },
                },
            },
            "proxies": {
                "type": "array",
                "description": "Proxies set for the whole host: by settings that users cannot change, or for WinHTTP.",
                "items": {
                    "type": "object",
                    "x-name": "proxy",
                    "x-also": ["set_by"],
                    "properties": {
                        "proxy": {
                            "type": "string",
                            "description": "The proxy, or the host of the script that chooses one.",
                        },
                        "set_by": {
                            "type": "string",
                            "description": "settings (all programs that follow them) or winhttp (services).",
                        },
                        "declared": {
                            "type": "boolean",
                            "description": "Whether it is one of the filters given as argument.",
                        },
                    },
                },
            },
            "network_protection": {
                "type": "boolean",
                "description": "Whether Defender watches and its network protection blocks.",
            },
        },
    },
    dialects=Dialects(windows=_on_windows),
    arguments={
        "type": "object",
        "properties": {
            "filters": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Names and addresses of the resolvers and proxies that filter.",
            }
        },
        "additionalProperties": False,
    },
    privilege={
        "en": "Resolvers and proxies: an ordinary account. Network protection: an administrator.",
        "fr": "Résolveurs et mandataires : un compte ordinaire. Protection réseau : un administrateur.",
    },
)
