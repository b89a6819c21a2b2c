"""An `expect` and facts in; true, false or unknown (None) out, with reasons as data. Pure.

Three-valued: `every` is false on one false, else unknown on one unknown or an incomplete list; `any`, `none`, `count`,
`all_of` and `any_of` likewise. A fact that a probe did not give is Unknown, never null.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from auditor.alike import CameTo, Shared, identical
from auditor.model import Bound, BoundSeen, Check, Control, Facts, Finding, Outcome, Partial, Reason, Register, Unknown
from auditor.operators import LIST_OPERATORS, OPERATORS, count

Truth = bool | None  # None: unknown
Verdict = tuple[Truth, tuple[Reason, ...]]
Expect = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expectation is read with: the values of its `$names`, and the schema of the facts it stands on.

    `empty_tells` false: what is empty or absent is false of nothing, it leaves the answer unknown.
    `at`: the moment that the facts are of; dated entries of registers count by it.
    """

    values: Mapping[str, Any]
    schema: Mapping[str, Any]
    empty_tells: bool = True
    at: float = math.inf

    def of(self, schema: Mapping[str, Any], *, empty_tells: bool | None = None) -> Scope:
        """The same, for a part of the facts."""
        return Scope(self.values, schema, self.empty_tells if empty_tells is None else empty_tells, self.at)


def outcome(expect: Expect, tolerate: Expect, facts: Facts, scope: Scope) -> tuple[Outcome, tuple[Reason, ...]]:
    """Pass, warn (only `tolerate` holds), fail (neither does) or unknown; a path that `tolerate` omits keeps its `expect`."""
    return _outcome(expect, tolerate, facts, scope)[:2]


def _outcome(
    expect: Expect, tolerate: Expect, facts: Facts, scope: Scope
) -> tuple[Outcome, tuple[Reason, ...], tuple[Reason, ...]]:
    """Also what could not be told beside what misses the target."""
    truth, reasons = judge(expect, facts, scope)
    if truth is True:
        return Outcome.PASS, (), ()
    missed = Outcome.FAIL
    if tolerate:
        within, _ = judge({**expect, **tolerate}, facts, scope)
        if within is True:
            missed = Outcome.WARN
        elif within is None:
            truth = None
    causes = tuple(r for r in reasons if r.cause is not None)
    if truth is False or missed is Outcome.WARN:
        return missed, _plainly(reasons), causes
    return Outcome.UNKNOWN, causes or reasons, ()


def _plainly(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Those that hold no cause, where some do not."""
    return tuple(r for r in reasons if r.cause is None) or reasons


def concerns(expect: Expect, facts: Facts, scope: Scope) -> Verdict:
    """Whether a control concerns a subject. An empty or absent fact never shows that it does not: then it is unknown."""
    truth, reasons = judge(expect, facts, scope.of(scope.schema, empty_tells=False))
    return truth, _plainly(reasons) if truth is False else reasons


def judge(expect: Expect, facts: Facts, scope: Scope, prefix: str = "") -> Verdict:
    """All the paths of an `expect` together."""
    return _all(_entry(path, spec, facts, scope, prefix) for path, spec in expect.items())


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    truth: Truth = True
    reasons: list[Reason] = []
    for one, why in verdicts:
        if one is not True:
            reasons.extend(why)
        if one is False:
            truth = False
        elif one is None and truth is True:
            truth = None
    return truth, tuple(reasons)


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    truth: Truth = False
    reasons: list[Reason] = []
    for one, why in verdicts:
        if one is True:
            return True, ()
        if one is None:
            truth = None
        reasons.extend(why)
    return truth, tuple(reasons)


def _entry(path: str, spec: Any, facts: Facts, scope: Scope, prefix: str) -> Verdict:
    if path == "any_of":
        return _any(judge(one, facts, scope, prefix) for one in spec)
    if path == "all_of":
        return _all(judge(one, facts, scope, prefix) for one in spec)
    observed, schema = _at(path, facts, scope.schema)
    return _specified(prefix + path, spec, observed, scope.of(schema))


def _empty(observed: Any) -> bool:
    observed = observed.items if isinstance(observed, Partial) else observed
    return observed is None or (isinstance(observed, str | list | tuple | Mapping) and not observed)


def _at(path: str, facts: Any, schema: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    for name in path.split("."):
        schema = schema.get("properties", {}).get(name, {})
        if isinstance(facts, Unknown):
            continue
        if facts is None:
            facts = Unknown("not_told", path)
        elif isinstance(facts, Mapping):
            facts = facts.get(name, Unknown("not_told", path))
        else:
            facts = Unknown("type_mismatch", path)
    return facts, schema


def _specified(path: str, spec: Mapping[str, Any], observed: Any, scope: Scope) -> Verdict:
    truth, reasons = _all(_one(path, name, wanted, observed, scope) for name, wanted in spec.items())
    if truth is False and not scope.empty_tells and _empty(observed):
        return None, tuple(replace(r, cause=r.cause or Unknown("not_told", path)) for r in reasons)
    return truth, reasons


def _one(path: str, name: str, wanted: Any, observed: Any, scope: Scope) -> Verdict:
    person = bool(scope.schema.get("x-person"))
    if isinstance(observed, Unknown):
        return None, (Reason(path, name, shown(wanted, scope), cause=observed, person=person),)
    if name in LIST_OPERATORS:
        return _over(path, name, wanted, observed, scope)
    value = resolved(wanted, scope)
    if isinstance(value, Unknown):
        return None, (Reason(path, name, shown(wanted, scope), cause=value, person=person),)
    answer = OPERATORS[name].test(observed, value)
    if answer is True:
        return True, ()
    cause = answer if isinstance(answer, Unknown) else None
    return (None if cause else False), (
        Reason(path, name, shown(wanted, scope), observed=_plain(observed), cause=cause, person=person),
    )


def _over(path: str, name: str, wanted: Any, observed: Any, scope: Scope) -> Verdict:
    if not isinstance(observed, list | tuple | Partial):
        if observed is None:  # looked, not there: no list to speak of
            return False, (Reason(path, name, shown(wanted, scope)),)
        return None, (Reason(path, name, shown(wanted, scope), cause=Unknown("type_mismatch", path)),)
    if name == "count":
        return _counted(path, wanted, observed, scope)
    items: Sequence[Any] = observed.items if isinstance(observed, Partial) else observed
    missing = observed.missing if isinstance(observed, Partial) else None
    schema = scope.schema.get("items", {})
    inner = scope.of(schema, empty_tells=scope.empty_tells or name == "none")
    verdicts = [_element(path, wanted, item, inner) for item in items]
    unseen: Verdict = (None, (Reason(path, name, shown(wanted, scope), cause=missing),)) if missing else (True, ())
    if name == "every":
        return _all([*verdicts, unseen])
    if name == "any":
        if missing:
            return _any([*verdicts, unseen])
        return _any(verdicts) if items else (False, (Reason(path, name, shown(wanted, scope), observed=()),))
    return _none(path, wanted, items, verdicts, unseen, inner)


def _none(
    path: str, wanted: Any, items: Sequence[Any], verdicts: list[Verdict], unseen: Verdict, scope: Scope
) -> Verdict:
    matching = []
    for item, (truth, _) in zip(items, verdicts, strict=True):
        if truth is True:
            element, person = named(item, scope.schema)
            observed = None if isinstance(item, Mapping) else item
            matching.append(Reason(path, "none", shown(wanted, scope), observed, element=element, person=person))
    truth, untold = _all([*((None, why) for truth, why in verdicts if truth is None), unseen])
    return (False, (*matching, *untold)) if matching else (truth, untold)


def _counted(path: str, bounds: Mapping[str, Any], observed: Any, scope: Scope) -> Verdict:
    values = {k: resolved(v, scope) for k, v in bounds.items()}
    shown_bounds = {k: shown(v, scope) for k, v in bounds.items()}
    answer = next((v for v in values.values() if isinstance(v, Unknown)), None) or count(observed, values)
    if answer is True:
        return True, ()
    seen = len(observed.items) if isinstance(observed, Partial) else len(observed)
    cause = answer if isinstance(answer, Unknown) else None
    return (None if cause else False), (Reason(path, "count", shown_bounds, observed=seen or (), cause=cause),)


def _element(path: str, wanted: Mapping[str, Any], item: Any, scope: Scope) -> Verdict:
    if isinstance(item, Mapping):
        truth, reasons = judge(wanted, item, scope, prefix=path + "[].")
    elif "properties" in scope.schema or not all(w in OPERATORS or w in LIST_OPERATORS for w in wanted):  # no object
        cause = item if isinstance(item, Unknown) else Unknown("type_mismatch", path)
        truth, reasons = None, tuple(Reason(f"{path}[].{field}", "", cause=cause) for field in wanted)
    else:
        truth, reasons = _specified(path + "[]", wanted, item, scope)
    if truth is True:
        return truth, reasons
    name, person = named(item, scope.schema)
    return truth, tuple(replace(r, element=r.element or name, person=r.person or person) for r in reasons)


def named(item: Any, schema: Mapping[str, Any]) -> tuple[str, bool]:
    """The name of a list's element, and whether it is a person's: as `x-name` and `x-person` of the schema say."""
    field = schema.get("x-name")
    if isinstance(item, Mapping) and field:
        value = item.get(field)
        fields = schema.get("properties", {})
        extra = [str(item[f]) for f in schema.get("x-also", ()) if isinstance(item.get(f), str | int)]
        text = "?" if isinstance(value, Unknown) or value is None else str(value)
        return " ".join([text, *(f"({e})" for e in extra)]), bool(fields.get(field, {}).get("x-person"))
    if isinstance(item, str | int | float):
        return str(item), bool(schema.get("x-person"))
    return "", False


def resolved(wanted: Any, scope: Scope) -> Any:
    """The value that a wanted thing stands for: `$name` is looked up; a register gives its entries."""
    if isinstance(wanted, str) and wanted.startswith("$"):
        value = scope.values.get(wanted[1:], Unknown("nothing_asked", wanted))
        return value.counting(scope.at) if isinstance(value, Register) else value
    return wanted


def shown(wanted: Any, scope: Scope) -> Any:
    """The same, as it may be printed: the entries of a register are never printed as expected."""
    if isinstance(wanted, str) and wanted.startswith("$"):
        value = scope.values.get(wanted[1:], wanted)
        return wanted if isinstance(value, Register | Unknown) else value
    if isinstance(wanted, Mapping):
        return {k: shown(v, scope) for k, v in wanted.items()}
    if isinstance(wanted, list | tuple):
        return [shown(v, scope) for v in wanted]
    return wanted


def _plain(observed: Any) -> Any:
    """An observed fact as a reason may keep it (JSON); what is unknown inside a list is left out."""
    if isinstance(observed, Partial):
        observed = observed.items
    if isinstance(observed, list | tuple):
        return [o for o in observed if isinstance(o, str | int | float | bool)]
    return observed


def finding(check: Check, facts: Facts | Unknown, schema: Mapping[str, Any], at: float) -> Finding:
    """One check against the facts, or against the Unknown that stands for all of them."""
    control = check.control
    came_to: Outcome | None
    reasons: tuple[Reason, ...]
    untold: tuple[Reason, ...] = ()
    bounds: tuple[BoundSeen, ...] = ()
    unknown = check.unasked or (facts if isinstance(facts, Unknown) else None)
    if unknown is not None:
        came_to, reasons = Outcome.UNKNOWN, _untold(unknown)
    else:
        assert not isinstance(facts, Unknown)
        scope = Scope(check.values, schema, at=at)
        once = _alike(check, facts, scope) if isinstance(facts, Shared) else _against(check, facts, scope)
        came_to, reasons, untold = once
        if came_to in (Outcome.FAIL, Outcome.WARN):  # nothing stands beside anything else
            bounds = tuple(_bounded(bound, control, facts, scope) for bound in check.bounds)
    return Finding(
        seq=check.seq,
        subject=check.subject,
        control=control.id,
        outcome=came_to,
        severity=control.severity,
        fingerprint=fingerprint(control.id, check.subject.lasting),
        reasons=reasons,
        at=at,
        gates=check.gates,
        bounds=bounds,
        untold=untold,
    )


@lru_cache(maxsize=256)
def _untold(unknown: Unknown) -> tuple[Reason, ...]:
    """The same tuple for hosts of which the same cannot be told."""
    return (Reason("", "", cause=unknown),)


def _alike(check: Check, facts: Shared, scope: Scope) -> CameTo:
    """What the last host with these facts came to, where the control is held against the same; dated entries count anew."""
    before, came_to = facts.came_to.get(check.control.id, (None, None))
    if came_to and before and before.control is check.control and _same(before.values, check.values):
        return came_to
    came_to = _against(check, facts, scope)
    if not any(isinstance(value, Register) for value in check.values.values()):
        facts.came_to[check.control.id] = (check, came_to)
    return came_to


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Mostly one object, which the hosts that a control is put to in the same words share."""
    return one is other or identical(one, other)


def _bounded(bound: Bound, control: Control, facts: Facts, scope: Scope) -> BoundSeen:
    """Whether what was accepted is still that, and the outcome against the adapted target."""
    holds, why = judge(bound.as_long_as, facts, scope) if bound.as_long_as else (True, ())
    why = _plainly(why) if holds is False else why
    if holds is not True or not bound.adapts:
        return BoundSeen(bound.decision, holds, None, why)
    adapted = Scope({**scope.values, **bound.values}, scope.schema)
    expect, tolerate = {**control.expect, **bound.expect}, {**control.tolerate, **bound.tolerate}
    came_to, reasons = outcome(expect, tolerate, facts, adapted)
    return BoundSeen(bound.decision, True, came_to, reasons)


def _against(check: Check, facts: Facts, scope: Scope) -> CameTo:
    control = check.control
    if control.concerns:
        truth, reasons = concerns(control.concerns, facts, scope)
        if truth is not True:
            return (None if truth is False else Outcome.UNKNOWN), reasons, ()
    return _outcome(control.expect, control.tolerate, facts, scope)


def fingerprint(control: str, subject: str) -> str:
    """The identity of a finding from run to run: control and subject, nothing that changes."""
    return hashlib.sha256(f"{control}\0{subject}".encode()).hexdigest()[:32]
