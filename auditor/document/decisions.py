"""What people have to see to, to plain values and back: decisions that are idle, actions, and what is to be decided. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from auditor.document.plain import Plain, given
from auditor.model import ActionSeen, IdleDecision, Outcome, ToDo


def idle_to_plain(idle: IdleDecision) -> Plain:
    return given(asdict(idle), "perimeter")


def action_to_plain(action: ActionSeen) -> Plain:
    return given({**asdict(action), "controls": list(action.controls), "late": action.late.value}, "awaits")


def action_from_plain(plain: Mapping[str, Any]) -> ActionSeen:
    return ActionSeen(**{**plain, "controls": tuple(plain["controls"]), "late": Outcome(plain["late"])})


def to_do_to_plain(one: ToDo) -> Plain:
    lists = {"subjects": list(one.subjects), "signatories": list(one.signatories)}
    return given({**asdict(one), **lists}, "communicated_at", "signatories")


def to_do_from_plain(plain: Mapping[str, Any]) -> ToDo:
    lists = {"subjects": tuple(plain["subjects"]), "signatories": tuple(plain.get("signatories", ()))}
    return ToDo(**{**plain, **lists})
