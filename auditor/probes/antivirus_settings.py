"""Whether the settings of antivirus products in a tree have them watch and learn, and what these leave out. Pure.

Of a host that runs, the probe endpoint_protection tells what is so.
"""

from __future__ import annotations

from auditor.kinds import Dialect, Dialects, Probe
from auditor.readers.undated import undated


def _on_linux() -> Dialect:
    from auditor.probes.trees import antivirus_settings as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Settings of antivirus products, in files", "fr": "Réglages des antivirus, dans des fichiers"},
    facts={
        "type": "object",
        "properties": {
            "products": {
                "type": "array",
                "description": "The products of which the tree has settings: ClamAV, Microsoft Defender.",
                "items": {
                    "type": "object",
                    "x-name": "product",
                    "properties": {
                        "product": {"type": "string", "description": "The product."},
                        "real_time": {
                            "type": "boolean",
                            "description": "Its settings have it watch what is opened, and block; a link has it started.",
                        },
                        "updates": {
                            "type": "boolean",
                            "description": "Its settings have it fetch signatures every day; a link has that started.",
                        },
                    },
                },
            },
            "exclusions": {
                "type": "array",
                "description": "What the settings have it leave out; /proc and /sys, which hold no files, aside.",
                "items": {
                    "type": "object",
                    "x-name": "exclusion",
                    "x-also": ["product"],
                    "properties": {
                        "exclusion": {"type": "string", "description": "A path, a pattern, or whose doings."},
                        "product": {"type": "string", "description": "The product."},
                    },
                },
            },
        },
    },
    dialects={},
    trees=Dialects(linux=_on_linux),
    privilege={"en": "none: files are read", "fr": "aucun : des fichiers sont lus"},
)
