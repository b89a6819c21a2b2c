"""How old the workstations are that the register of those provided names, and whether it leaves inventoried ones out. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from auditor.kinds import RECORDS, Dialect, Probe
from auditor.model import Answer, Command, Facts, Partial, Unknown
from auditor.readers.attested import Place
from auditor.readers.declared import DATED, HOSTS, REGISTERS, age_days, listed
from auditor.readers.kept import Kept, reviewed_days
from auditor.records import Dated

ROLE = "workstation"
REGISTER = "workstations"
YEAR_DAYS = 365.25
SHOWN = 5  # hosts that a cause names
# In our own words; sentences.DETAILS translates them.
NOT_SAID = "{entry} does not say {what}"
NOT_LISTED = "{hosts}: not in the register {name}"
NO_ROLE = "{hosts}: no role says whether it is a workstation"
EMPTY = "the register {name} has no entry of this perimeter"

FACTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "reviewed_days": {
            "type": "integer",
            "description": "Days from the register's last review to the day that records are judged on.",
        },
        "workstations": {
            "type": "array",
            "description": "Those of the register; incomplete where it lacks hosts with the role workstation or none, or has no entry.",
            "items": {
                "type": "object",
                "x-name": "workstation",
                "properties": {
                    "workstation": {"type": "string", "description": "The entry: the host's id, or its label."},
                    "years": {"type": "number", "description": "Years since its purchase."},
                },
            },
        },
    },
}


def commands(arguments: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"registers": REGISTERS, "dated": DATED, "hosts": HOSTS}


def parse(answers: Mapping[str, Answer], arguments: Mapping[str, Any]) -> Facts:
    as_of = str(arguments.get("as_of", ""))
    kept, entries = listed(answers["registers"], Kept), listed(answers["dated"], Dated)
    hosts = listed(answers["hosts"], Place)
    if isinstance(kept, Unknown):
        return dict.fromkeys(FACTS["properties"], kept)
    reviewed = reviewed_days([one for one in kept if one.id == REGISTER], REGISTER, as_of)
    if isinstance(entries, Unknown):
        return {"reviewed_days": reviewed, "workstations": entries}
    named = [one for one in entries if one.register == REGISTER]
    rows = [{"workstation": one.id, "years": _years(one, as_of)} for one in named]
    gap = _gap({one.id for one in named if not one.elsewhere}, hosts)
    return {"reviewed_days": reviewed, "workstations": Partial(tuple(rows), gap) if gap else rows}


def _years(one: Dated, as_of: str) -> float | Unknown:
    """Rounded up, so that no day too many is lost. What is still to be bought that day has no age."""
    bought = one.days.get("purchased_on")
    if not bought or age_days(bought, as_of) < 0:
        return Unknown("not_told", NOT_SAID.format(entry=one.id, what="purchased_on"))
    return math.ceil(age_days(bought, as_of) / YEAR_DAYS * 100) / 100


def _gap(named: set[str], hosts: tuple[Place, ...] | Unknown) -> Unknown | None:
    """What the register leaves out, or that it names nothing: an empty one proves nothing."""
    if isinstance(hosts, Unknown):
        return hosts
    others = [host for host in hosts if host.id not in named]
    if left_out := [host.id for host in others if ROLE in host.roles]:
        return Unknown("not_told", NOT_LISTED.format(hosts=_shown(left_out), name=REGISTER))
    if not named:
        return Unknown("no_record", EMPTY.format(name=REGISTER))
    unsaid = [host.id for host in others if not host.roles]
    return Unknown("not_told", NO_ROLE.format(hosts=_shown(unsaid))) if unsaid else None


def _shown(ids: list[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (f", … ({len(ids)})" if len(ids) > SHOWN else "")


PROBE = Probe(
    title={"en": "How old the workstations are that were provided", "fr": "L'âge des postes mis à disposition"},
    facts=FACTS,
    dialects={RECORDS: Dialect(commands, parse)},
    arguments={
        "type": "object",
        "required": ["register"],
        "properties": {"register": {"type": "string", "enum": [REGISTER], "description": "The register."}},
        "additionalProperties": False,
    },
    privilege={"en": "none: no host is asked", "fr": "aucun : aucune machine n'est interrogée"},
    roles=(ROLE,),
)
