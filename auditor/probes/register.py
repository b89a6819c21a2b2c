"""Whether a register is kept: when it was last reviewed, and how much stands in it. Pure.

The estate's register and the perimeter's own count together, as they do where hosts are compared with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Answer, Command, Facts, Unknown
from auditor.readers.declared import REGISTERS, listed
from auditor.readers.kept import NO_REGISTER, Kept, reviewed_days

FACTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "reviewed_days": {
            "type": "integer",
            "description": "Days from its last review to the day that records are judged on; of several, the longest.",
        },
        "entries": {"type": "integer", "description": "How many entries it has; none is a register too."},
    },
}


def commands(arguments: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"registers": REGISTERS}


def parse(answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Facts:
    told = listed(answers["registers"], Kept)
    if isinstance(told, Unknown):
        return dict.fromkeys(FACTS["properties"], told)
    name = str(arguments["register"])
    found = [one for one in told if one.id == name]
    if not found:
        return dict.fromkeys(FACTS["properties"], Unknown("no_record", NO_REGISTER.format(name=name)))
    return {
        "reviewed_days": reviewed_days(found, name, str(arguments["as_of"])),
        "entries": sum(one.entries for one in found),
    }


PROBE = Probe(
    title={"en": "Whether a register is kept", "fr": "Si un registre est tenu"},
    facts=FACTS,
    dialects={RECORDS: Dialect(commands, parse)},
    arguments={
        "type": "object",
        "required": ["register"],
        "properties": {"register": {"type": "string", "description": "The register's name."}},
        "additionalProperties": False,
    },
    privilege={"en": "none: no host is asked", "fr": "aucun : aucune machine n'est interrogée"},
)
