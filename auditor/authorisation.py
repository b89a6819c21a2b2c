"""An estate and a day in; the same with the hosts barred that nobody authorised us to connect to, out. Pure.

Auditing another's perimeter takes its owner's dated, documented authorisation; without one no connection is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from auditor.model import Estate, Perimeter

# Details in our own words; sentences.DETAILS translates them.
NONE = "perimeter {perimeter}: {owner} gave no authorisation"
NOT_YET = "perimeter {perimeter}: the authorisation begins on {day}"
ENDED = "perimeter {perimeter}: the authorisation ended on {day}"
NOT_ENTITLED = "perimeter {perimeter}: the role {role} could not give it for {owner} on {day}"
ALTERED = "perimeter {perimeter}: its document {document} is missing, or is not the one that was signed"


def authorised(estate: Estate, today: str) -> Estate:
    """`today` is the real day, an ISO date in France: judging on another one opens no door."""
    why = {p.id: reason for p in estate.perimeters.values() if (reason := barred(estate, p, today))}
    if not why:
        return estate
    return replace(estate, hosts=tuple(replace(h, barred=why.get(h.perimeter, "")) for h in estate.hosts))


def barred(estate: Estate, perimeter: Perimeter, today: str) -> str:
    """Why no connection may be opened to a perimeter; empty when it may."""
    if perimeter.owner in ("", estate.auditing_entity) or not estate.auditing_entity:
        return ""
    given = perimeter.authorisation
    named: Mapping[str, str] = {"perimeter": perimeter.id, "owner": perimeter.owner}
    if given is None:
        return NONE.format(**named)
    if today < given.since:
        return NOT_YET.format(day=given.since, **named)
    if today > given.until:
        return ENDED.format(day=given.until, **named)
    if not any(
        s.role == given.by
        and s.entity == perimeter.owner
        and set(s.may) != {"attestation"}  # a word about what was done opens no door
        and s.since <= given.since
        and given.since <= (s.until or "9")
        for s in estate.signatories
    ):
        return NOT_ENTITLED.format(role=given.by, day=given.since, **named)
    return "" if given.proof.holds else ALTERED.format(document=given.proof.document, **named)
