"""A form, the reply to it and who signed it, in; why no record can be made of them, out: what no rule of a record can say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor.decisions.context import later, within
from auditor.letters.reply import Reply, Signed
from auditor.model import Estate
from auditor.records import Action, DecisionRules, Record


def refusals(
    form: Mapping[str, Any], replies: Mapping[int, Reply], signed: Signed, town: Estate, known: Sequence[Record]
) -> Iterator[str]:
    """The reply is of the letter and of its addressee, and answers it as it may; `known` are the records so far."""
    items, letter = form["items"], form["letter"]
    yield from _unanswerable(items, replies, signed, town.rules)
    yield from _asked_before(items, replies, known)
    accepts = any(one.decision == "accept" for one in replies.values())  # of those the records' own rules judge
    if not accepts and not _answers_for(letter["entity"], signed, town):
        yield f"R-OWNER: the role {signed.by} did not answer for {letter['entity']} on {signed.on}"
    if signed.sha256 == letter["sha256"]:
        yield "R-HASH: --document is the letter as it was drafted, which nobody signed: give the signed one"
    if signed.on < letter["day"]:
        yield f"--on {signed.on}: the letter is of {letter['day']}, nobody signed its reply before"
    unsaid = [n for n, one in replies.items() if one.decision == "accept" and one.personal_data is None]
    if unsaid and not signed.dpo_on:
        yield (
            f"R-DPO: nobody said whether personal data are concerned (items {', '.join(map(str, unsaid))}): "
            "--personal-data none, or which items, and --dpo-on with the day of the data protection officer's opinion"
        )


def _answers_for(entity: str, signed: Signed, town: Estate) -> bool:
    """Whoever signs is of the entity that was asked; what it may sign is for the rules of each record."""
    given = [
        (d.entity, d.since, d.until) for d in town.delegations if (d.ref, d.role) == (signed.delegation, signed.by)
    ]
    mandates = [(s.entity, s.since, s.until) for s in town.signatories if s.role == signed.by]
    held = any(one == entity and within(signed.on, since, until) for one, since, until in (*given, *mandates))
    return held or (signed.by in town.roles and town.roles[signed.by].entity == entity)


def _unanswerable(
    items: Sequence[Mapping[str, Any]], replies: Mapping[int, Reply], signed: Signed, rules: DecisionRules
) -> Iterator[str]:
    unrated = later(signed.on, min(rules.longest_months, rules.longest_high_months))
    for item in items:
        reply, name = replies[item["number"]], f"item {item['number']} ({item['control']})"
        if reply.decision == "accept" and not item["acceptable"]:
            yield f"{name}: R-REGIME: the texts let no risk be accepted there; --adopt or --arbitrate it"
        if reply.decision == "adopt" and not reply.by:
            yield f"{name}: it is adopted, say by when: --adopt {item['number']}=2027-03-01"
        if reply.decision in ("adopt", "arbitrate") and reply.by and reply.by < signed.on:
            yield f"{name}: {reply.by} is before the signature"
        if reply.decision == "accept" and not (reply.gravite and reply.vraisemblance) and signed.expires > unrated:
            yield f"{name}: R-EXPIRY: {signed.expires} > {unrated}: nobody rated it, which the letter lets stand no longer"


def _asked_before(
    items: Sequence[Mapping[str, Any]], replies: Mapping[int, Reply], known: Iterable[Record]
) -> Iterator[str]:
    """What was adopted, or brought to arbitration, before: by an action that is still open."""
    planned = {
        (one.raised_by, control, one.awaits): one.id
        for one in known
        if isinstance(one, Action) and one.status == "open"
        for control in one.controls
    }
    for item in items:
        decision, name = replies[item["number"]].decision, f"item {item['number']} ({item['control']})"
        before = planned.get(
            (item["recommendation"], item["control"], "arbitration" if decision == "arbitrate" else "")
        )
        if before and decision == "adopt":
            yield f"{name}: it is adopted already: {before}"
        if before and decision == "arbitrate":
            yield f"{name}: arbitration is asked for already: {before}"
