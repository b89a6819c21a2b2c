"""R-STATUS, R-EXPIRY: from when until when a decision is in force, and what of it is overdue. Pure."""

from __future__ import annotations

from auditor.decisions.context import Context, Found, later
from auditor.decisions.risk import is_high
from auditor.records import Decision


def status(one: Decision, at: Context) -> Found:
    """Active, and in effect: judged on an earlier day, nobody knows of it."""
    begin = max(one.signature.effective_from, one.signature.signed_at)
    if one.status != "active":
        yield "R-STATUS", one.status
    elif begin > at.as_of:
        yield "R-STATUS", begin


def expiry(one: Decision, at: Context) -> Found:
    """The last day is inclusive; nothing is decided for longer than the estate's rules let it."""
    if one.expires < at.as_of:
        yield "R-EXPIRY", one.expires
    rules = at.estate.rules
    longest = min(rules.longest_months, rules.longest_high_months) if is_high(one, at) else rules.longest_months
    latest = later(one.signature.signed_at, longest)
    if one.expires > latest:
        yield "R-EXPIRY", f"{one.expires} > {latest}"


def review(one: Decision, at: Context) -> Found:
    if one.review_by and one.review_by < at.as_of:
        yield "R-EXPIRY", one.review_by
