"""Two runs in; what is new, worse, resolved, no longer measured or lapsed between them out, in one merge. Pure.

Findings are the same from run to run by their fingerprint: control and subject. Both runs give theirs in the order of
fingerprints, and only those that may differ are read whole, so that memory does not follow the fleet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.document import finding_from_plain
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


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one finding. `elements` are the offending ones that were not there before, by name.

    `new`: open now, and the reference does not show that it was: it passed, was not measured, or was not asked.
    `worsened`: open in both, with a worse outcome or a new offending element. `lapsed`: a decision stood beside it and does
    not any more. `changed`: another revision or expectation came to another outcome, which is no better or worse host.
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
        return Change("changed", before, after) if before.outcome is not after.outcome else None
    return _compared(before, after)


def _of_other_media(before: Finding | None, after: Finding) -> bool:
    """What files cannot tell is no news of a host, nor what a host tells of files."""
    if before is None or before.medium == after.medium:
        return False
    return any(r.cause is not None and r.cause.cause == "not_observable" for f in (before, after) for r in f.reasons)


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
    return Change("worsened", before, after, elements) if worse or elements else None


def _rank(finding: Finding) -> int:
    return _RANK.get(finding.outcome, 0)


def _new_elements(before: Finding | None, after: Finding) -> tuple[str, ...]:
    known = {_key(r.path, r.element) for r in before.reasons} if before else set()
    found = (_key(r.path, r.element) for r in after.reasons if r.element)
    return tuple(dict.fromkeys(name for path, name in found if (path, name) not in known))


def _key(path: str, element: str) -> tuple[str, str]:
    """An element is known by its name; what reports show beside it, in brackets, may change."""
    return path.partition("[]")[0], element.partition(" (")[0]


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
