"""Which antivirus or EDR a host has, and what state it is in. Pure."""

from __future__ import annotations

from auditor.kinds import Dialect, Dialects, Probe
from auditor.readers.undated import reduced


def _on_linux() -> Dialect:
    from auditor.probes.linux import endpoint_protection as linux

    return Dialect(linux.commands, reduced(linux.parse, processes=linux.OURS, processes_root=linux.OURS))


def _on_windows() -> Dialect:
    from auditor.probes.windows import endpoint_protection as windows

    return Dialect(windows.commands, windows.parse)


PROBE = Probe(
    title={"en": "Antivirus or EDR", "fr": "Antivirus ou EDR"},
    privilege={
        "en": "Root runs the vendors' own status commands; the rest needs no privilege. On Windows, an administrator.",
        "fr": "root lance les commandes d'état des éditeurs ; le reste ne demande aucun privilège. Sous Windows, un administrateur.",
    },
    facts={
        "type": "object",
        "properties": {
            "products": {
                "type": "array",
                "description": "Each antivirus or EDR product that is on the host.",
                "items": {
                    "type": "object",
                    "x-name": "product",
                    "properties": {
                        "product": {"type": "string", "description": "The product."},
                        "running": {"type": "boolean", "description": "Whether its daemon runs."},
                        "real_time": {
                            "type": "boolean",
                            "description": "Whether it watches in real time, by its own account or its daemon's.",
                        },
                        "signatures_age_days": {
                            "type": "number",
                            "description": "Age of its signatures; null when it has none.",
                        },
                    },
                },
            }
        },
    },
    dialects=Dialects(
        linux=_on_linux,
        windows=_on_windows,
    ),
)
