"""Two runs in; what is new, worse, resolved, no longer measured or lapsed between them out, in one merge. Pure.

Findings are the same from run to run by their fingerprint: control and subject. Both runs give theirs in the order of
fingerprints, and only those that may differ are read whole, so that memory does not follow the fleet.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.document import finding_from_plain
from auditor.kinds import TREE
from auditor.model import (
    SEVERITIES,
    Alike,
    Became,
    Caveat,
    Comparison,
    Control,
    Finding,
    Header,
    Moved,
    Outcome,
    Reason,
    Run,
    Sketch,
)
from auditor.operators import N_
from auditor.summary import named

# In the order in which reports tell them.
KIND_WORDS: Mapping[Became, str] = {
    "new": N_("new"),
    "worsened": N_("worsened"),
    "lapsed": N_("decision lapsed"),
    "unmeasured": N_("no longer measured"),
    "changed": N_("judged otherwise: the policy changed"),
    "resolved": N_("resolved"),
    "measured": N_("measured again, and well"),
    "gone": N_("no longer asked"),
}
NOT_CHANGED = N_("nothing changed")
GATING: tuple[Became, ...] = ("new", "worsened", "lapsed")  # in a run that is judged against another

_RANK = {None: 0, Outcome.PASS: 0, Outcome.WARN: 1, Outcome.FAIL: 2}
_AT = re.compile(r', ?"at": ?[-0-9.e]+')
_BESIDE = re.compile(r"(?: \((?:[^()]|\([^()]*\))*\))+\Z")  # what reports show beside a name, in brackets


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one finding. `elements` are the offending ones that were not there before, by name, of what has none its path;
    where less was told, what was not, and why.

    `new`: open now, and the reference does not show that it was: it passed, was not measured, or was not asked.
    `worsened`: open in both, with a worse outcome or a new offending element. `lapsed`: a decision stood beside it and does
    not any more. `changed`: another revision or expectation came to something else, which is no better or worse host.
    `unmeasured`: it was told and is unknown now; or open in both, and of what is open less could be told than before.
    `gone`: open in the reference, and nobody asks any more; that is not resolved.
    """

    kind: Became
    before: Finding | None
    after: Finding | None
    elements: tuple[str, ...] = ()

    @property
    def finding(self) -> Finding:
        """What it is about, as it is now; as it was, where it is not asked any more."""
        found = self.after or self.before
        assert found is not None
        return found


def changes(before: Run, after: Run) -> Iterator[Change]:
    """Every finding that is not as it was, in the order of fingerprints; the others are only counted by `both`."""
    changed = set(changed_controls(before.controls, after.controls))
    left_out = _left_out(after.header)
    for old, new in _side_by_side(before.sketches(), after.sketches()):
        if old and new and _same(old, new):
            continue
        change = _change(old, new, changed)
        if change and not (change.kind == "gone" and left_out):
            yield change


def _left_out(header: Header) -> bool:
    """A narrowed or interrupted run says nothing of what it did not ask."""
    return bool(header.limit or header.policies) or header.state != "complete"


def _side_by_side(old: Iterator[Sketch], new: Iterator[Sketch]) -> Iterator[tuple[Sketch | None, Sketch | None]]:
    left, right = next(old, None), next(new, None)
    while left or right:
        if right is None or (left is not None and left.fingerprint < right.fingerprint):
            yield left, None
            left = next(old, None)
        elif left is None or right.fingerprint < left.fingerprint:
            yield None, right
            right = next(new, None)
        else:
            yield left, right
            left, right = next(old, None), next(new, None)


def _same(old: Sketch, new: Sketch) -> bool:
    """Whether nothing but the date differs."""
    if old.outcome != new.outcome:
        return False
    return old.outcome in (None, "pass") or _AT.sub("", old.doc, count=1) == _AT.sub("", new.doc, count=1)


def _read(sketch: Sketch | None) -> Finding | None:
    return None if sketch is None else finding_from_plain(sketch.seq, json.loads(sketch.doc))


def _change(old: Sketch | None, new: Sketch | None, changed: set[str]) -> Change | None:
    before, after = _read(old), _read(new)
    if after is None:
        assert before is not None
        return Change("gone", before, None) if _rank(before) else None
    if before is not None and before.decision and not after.decision and _rank(after):
        return Change("lapsed", before, after, _new_elements(before, after))
    if before is not None and after.control in changed:
        otherwise = before.outcome is not after.outcome or (_rank(after) and _new_elements(before, after))
        return Change("changed", before, after) if otherwise else None
    return _compared(before, after)


def _of_other_media(before: Finding | None, after: Finding) -> bool:
    """What files cannot tell is no news of a host, nor that a host tells it well; what fails is news anywhere."""
    if before is None or before.medium == after.medium or _rank(after):
        return False
    return any(_unseen_in_files(r) for f in (before, after) for r in f.reasons)


def _unseen_in_files(reason: Reason) -> bool:
    return reason.cause is not None and reason.cause.cause == "not_observable"


def _compared(before: Finding | None, after: Finding) -> Change | None:
    if _of_other_media(before, after):
        return None
    if after.outcome is Outcome.UNKNOWN:
        told = before is not None and before.outcome is not Outcome.UNKNOWN
        return Change("unmeasured", before, after) if told else None
    if before is None or before.outcome is Outcome.UNKNOWN:
        if _rank(after):
            return Change("new", before, after, _new_elements(None, after))
        return Change("measured", before, after) if before else None
    elements = _new_elements(before, after)
    if not _rank(before):
        return Change("new", before, after, elements) if _rank(after) else None
    if not _rank(after):
        return Change("resolved", before, after)
    missed = before.adapted is not None and _RANK.get(after.adapted, 0) > _RANK.get(before.adapted, 2)
    worse = missed or _rank(after) > _rank(before)
    if worse or elements:
        return Change("worsened", before, after, elements)
    less = _less_told(before, after)
    return Change("unmeasured", before, after, less) if less else None


def _rank(finding: Finding) -> int:
    return _RANK.get(finding.outcome, 0)


def _less_told(before: Finding, after: Finding) -> tuple[str, ...]:
    """What could not be told beside what is open, and was before, by path and cause; what only a host tells, of like media."""
    left = Counter(_untold(r, after.medium) for r in before.untold)
    found: dict[str, None] = {}
    for reason in after.untold:
        key = _untold(reason, after.medium)
        left[key] -= 1
        if left[key] < 0 and (before.medium == after.medium or not _unseen_in_files(reason)):
            assert reason.cause is not None
            found[f"{reason.path}: {reason.cause.detail or reason.cause.cause}"] = None
    return tuple(found)


def _untold(reason: Reason, medium: str) -> tuple[str, ...]:
    """Details of what runs may differ each time; those of files do not."""
    assert reason.cause is not None
    return (*_key(reason, medium), reason.cause.cause, reason.cause.detail if medium == TREE else "")


def _new_elements(before: Finding | None, after: Finding) -> tuple[str, ...]:
    """The offending elements that were not there, not as often or not as far off, under their names; of a fact, its path."""
    medium = after.medium if before is None or before.medium == after.medium else ""
    left: dict[tuple[str, ...], list[float]] = {}
    for reason in before.reasons if before else ():
        left.setdefault(_key(reason, medium), []).append(_beyond(reason, medium))
    found: dict[str, None] = {}
    for reason in after.reasons:
        known = sorted(left.get(_key(reason, medium), ()))
        place = bisect_left(known, _beyond(reason, medium))
        if place < len(known):
            left[_key(reason, medium)] = known[:place] + known[place + 1 :]
        elif reason.element or (before and _rank(before)):
            found[_BESIDE.sub("", reason.element) or reason.path] = None
    return tuple(found)


def _key(reason: Reason, medium: str) -> tuple[str, ...]:
    """An element is known by its name: what a host shows beside it, in brackets, may change. Files tell the same each time."""
    path = reason.path.partition("[]")[0]
    if medium != TREE:
        return path, _BESIDE.sub("", reason.element)
    return path, reason.element, reason.operator, "" if _number(reason) else repr(reason.observed)


def _beyond(reason: Reason, medium: str) -> float:
    """How far a number of files is on the wrong side; that of a host may be an age, which grows each day."""
    if medium != TREE or not _number(reason):
        return 0.0
    beyond: float = reason.observed if reason.operator == "at_most" else -reason.observed
    return beyond


def _number(reason: Reason) -> bool:
    return reason.operator in ("at_least", "at_most") and type(reason.observed) in (int, float)


# ---------------------------------------------------------------- what the runs do not share


def changed_controls(before: Mapping[str, Control], after: Mapping[str, Control]) -> tuple[str, ...]:
    """The controls of both runs that judge otherwise: another revision, or another basis where both say theirs."""
    return tuple(name for name, control in after.items() if name in before and _judges_otherwise(before[name], control))


def _judges_otherwise(before: Control, after: Control) -> bool:
    said = bool(before.basis and after.basis)
    return before.revision != after.revision or (said and before.basis != after.basis)


def moved(before: Run, after: Run) -> Moved:
    """Names only: memory grows with the hosts' names, not with what they told."""
    old, new = (
        dict.fromkeys(h.was or h.host for h in before.hosts()),
        dict.fromkeys(h.was or h.host for h in after.hosts()),
    )
    unlisted = after.header.limit or after.header.state == "open"  # killed: it holds those alone that it came to
    return Moved(
        hosts_added=tuple(h for h in new if h not in old),
        hosts_gone=() if unlisted else tuple(h for h in old if h not in new),
        controls_added=tuple(c for c in after.controls if c not in before.controls),
        controls_gone=() if after.header.policies else tuple(c for c in before.controls if c not in after.controls),
        controls_changed=changed_controls(before.controls, after.controls),
    )


def caveats(before: Header, after: Header) -> Iterator[Caveat]:
    """Why the two are not quite of the same kind, in words."""
    if before.state != "complete" or before.limit or before.policies:
        yield Caveat(N_("the reference is not whole: what it did not ask counts as new"))
    if after.state != "complete" or after.limit or after.policies:
        yield Caveat(N_("this audit is not whole: what it did not ask is compared with nothing"))
    if before.started_at > after.started_at:
        yield Caveat(
            N_("the reference is dated after this audit: a clock went back, or the two are the wrong way round")
        )
    if before.estate != after.estate:
        names = {"before": before.estate or "-", "after": after.estate or "-"}
        yield Caveat(
            N_("the inventories have other names: {before}, now {after}; hosts are compared by their names"), names
        )


# ---------------------------------------------------------------- the comparison as reports read it


def compared(before: Run, after: Run) -> Comparison:
    """All changes folded; memory grows with what changed."""
    counts: dict[Became, int] = dict.fromkeys(KIND_WORDS, 0)
    groups: dict[tuple[Became, str], list[Change]] = {}
    kinds: dict[str, Became] = {}
    for change in changes(before, after):
        counts[change.kind] += 1
        kinds[change.finding.fingerprint] = change.kind
        groups.setdefault((change.kind, change.finding.control), []).append(change)
    order = list(KIND_WORDS)
    alike = sorted(
        (_alike(members) for members in groups.values()),
        key=lambda a: (order.index(a.kind), -SEVERITIES.index(a.severity), -len(a.subjects), a.control),
    )
    told = tuple(caveats(before.header, after.header))
    return Comparison(before.header, after.header, counts, tuple(alike), moved(before, after), told, kinds)


def gating(seen: Comparison) -> frozenset[str]:
    """The fingerprints of the findings that are new, worse, or lost their decision."""
    return frozenset(fingerprint for fingerprint, kind in seen.kinds.items() if kind in GATING)


def _alike(members: list[Change]) -> Alike:
    first = members[0]
    elements = dict.fromkeys(e for change in members for e in change.elements)
    persons = any(r.person for change in members for r in change.finding.reasons)
    subjects = sorted(named(change.finding.subject) for change in members)
    return Alike(first.kind, first.finding.control, first.finding.severity, tuple(subjects), tuple(elements), persons)
