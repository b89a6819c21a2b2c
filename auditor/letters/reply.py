"""A form, the reply to it and who signed it, in; the records that it makes, as plain data, out. Pure.

What the reply does not say is never taken for harmless: without a rating the record has none and lasts the shorter time,
and data are taken for personal until the reply says that they are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from auditor.decisions.context import later
from auditor.document import Plain
from auditor.letters.form import following
from auditor.records import MATRICES, DecisionRules

Decided = Literal["accept", "adopt", "arbitrate", ""]
OURS = next(iter(MATRICES))
NO_REASON = (
    "La réponse signée décline la recommandation {recommendation} et accepte le risque résiduel ; "
    "aucun motif n'y est transcrit."
)
ARBITRATION = "Arbitrage demandé (convention, art. 4) : {text}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is decided about one item; empty: it stays open. `personal_data` None: nobody said."""

    decision: Decided = ""
    by: str = ""
    gravite: str = ""
    vraisemblance: str = ""
    personal_data: bool | None = None
    because: str = ""
    responsible: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed which document, when; the document is named as seen from the records."""

    on: str
    by: str
    document: str
    sha256: str
    delegation: str = ""
    signatory: str = ""
    dpo_on: str = ""
    deliberation: str = ""
    expires: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the estate says of the numbers: its rules, and the matrix to rate risks with."""

    rules: DecisionRules
    matrices: Mapping[str, Sequence[Sequence[str]]]

    @property
    def matrix(self) -> str:
        """The estate's own, where it has exactly one."""
        own = [name for name in self.matrices if name not in MATRICES]
        return own[0] if len(own) == 1 else OURS


def records(
    form: Mapping[str, Any], replies: Mapping[int, Reply], signed: Signed, ruled: Ruled, taken: Sequence[str]
) -> list[Plain]:
    """An acceptance for each item that is accepted, an action for each that is adopted or goes to arbitration, in order."""
    acceptances, actions = (iter(following(prefix, signed.on, taken)) for prefix in ("ACC", "ACT"))
    found = []
    for item in form["items"]:
        reply = replies.get(item["number"], Reply())
        if reply.decision == "accept":
            found.append(acceptance(form, item, reply, signed, ruled, next(acceptances)))
        elif reply.decision == "adopt":
            found.append(action(item, reply, signed, next(actions)))
        elif reply.decision == "arbitrate":
            found.append(arbitration(item, reply, signed, ruled.rules, next(actions)))
    return found


def acceptance(
    form: Mapping[str, Any], item: Mapping[str, Any], reply: Reply, signed: Signed, ruled: Ruled, id: str
) -> Plain:
    """The record as it is signed, without its digest."""
    risk = _risk(reply, ruled)
    level = risk.get("residual", {}).get("niveau", "")
    letter = form["letter"]
    plain: Plain = {
        "kind": "acceptance",
        "id": id,
        "perimeter": item["perimeter"],
        "owner_entity": letter["entity"],
        "recommendation": item["recommendation"],
        "controls": [item["control"]],
        "revisions": {item["control"]: item["revision"]},
        "scope": dict(item["scope"]),
        "justification": reply.because or NO_REASON.format(recommendation=item["recommendation"]),
        "drafted_by": letter.get("drafted_by", ""),
        "risk": risk,
        "decision": dict(_signature(signed)),
        "expires": signed.expires or _last_day(signed.on, level, ruled.rules),
        "opinions": {"dpo": {"date": signed.dpo_on}} if signed.dpo_on else {},
        "evidence": {"document": signed.document, "sha256": signed.sha256},
        "supersedes": item.get("supersedes", ""),
    }
    if signed.deliberation:
        plain["evidence"]["deliberation"] = signed.deliberation
    return {key: value for key, value in plain.items() if value not in ("", {})}


def _signature(signed: Signed) -> Iterator[tuple[str, str]]:
    if signed.signatory:
        yield "signatory", signed.signatory
    yield "role", signed.by
    if signed.delegation:
        yield "delegation_ref", signed.delegation
    yield "signed_at", signed.on


def _risk(reply: Reply, ruled: Ruled) -> Plain:
    """What was rated, and no more. Data of which nobody said are personal."""
    risk: Plain = {"personal_data": reply.personal_data is not False}
    residual = {"gravite": reply.gravite, "vraisemblance": reply.vraisemblance}
    if reply.gravite and reply.vraisemblance:
        rows = ruled.matrices[ruled.matrix]
        residual["niveau"] = rows[int(reply.gravite[1]) - 1][int(reply.vraisemblance[1]) - 1]
        risk["matrix"] = ruled.matrix
    given = {key: value for key, value in residual.items() if value}
    return {**risk, "residual": given} if given else risk


def _last_day(on: str, level: str, rules: DecisionRules) -> str:
    """As long as the rules let it, less a day; the shorter time where the risk is high, or nobody rated it."""
    months = (
        rules.longest_months if level in ("faible", "moyen") else min(rules.longest_months, rules.longest_high_months)
    )
    return (date.fromisoformat(later(on, months)) - timedelta(days=1)).isoformat()


def action(item: Mapping[str, Any], reply: Reply, signed: Signed, id: str) -> Plain:
    """For the hosts that the letter names: nobody promised anything of later ones."""
    return {
        "kind": "action",
        "id": id,
        "perimeter": item["perimeter"],
        "controls": [item["control"]],
        "scope": {key: value for key, value in item["scope"].items() if key in ("hosts", "perimeter")},
        "text": item["text"],
        "responsible": reply.responsible or signed.by,
        "due": reply.by,
        "raised_by": item["recommendation"],
    }


def arbitration(item: Mapping[str, Any], reply: Reply, signed: Signed, rules: DecisionRules, id: str) -> Plain:
    """That the directors are to find a compromise (convention, article 4): nobody mends until then."""
    due = reply.by or (date.fromisoformat(signed.on) + timedelta(days=rules.grace_days)).isoformat()
    asked = action(item, replace(reply, by=due), signed, id)
    return {**asked, "text": ARBITRATION.format(text=item["text"]), "awaits": "arbitration"}
