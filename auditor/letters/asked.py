"""The findings of a run and what is in force in; what an entity is to be asked about its own perimeters, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from auditor.decisions import Held, InForce
from auditor.decisions.context import lateness
from auditor.decisions.who import adviser
from auditor.model import SEVERITIES, Control, Estate, Finding, Measure, Outcome, Perimeter
from auditor.records import Action, Recommendation

OPEN = (Outcome.FAIL, Outcome.WARN)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to decide: a control on hosts of a perimeter (none: the perimeter as a whole), and who recommends it.

    `acceptable` is false where the texts let no risk be accepted. `recommendation` is empty until it has an id;
    `recommended_at` where it was communicated before. `supersedes` is the decision that a new one would renew.
    """

    number: int
    perimeter: str
    control: str
    revision: int
    severity: str
    hosts: tuple[str, ...]
    acceptable: bool
    adviser: str
    limit_kept: bool = False  # only the target is missed
    recommendation: str = ""
    recommended_at: str = ""
    supersedes: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be decided, gravest first; and how many findings of the same perimeters are not asked about, and why.

    `seen` counts all checks of them; `unseen` those that could not be told: nobody can accept what was not seen.
    """

    items: tuple[Item, ...]
    seen: int = 0
    unseen: int = 0
    decided: int = 0
    mending: int = 0


@dataclass(slots=True)
class _Group:
    severity: str
    hosts: dict[str, None] = field(default_factory=dict)
    failed: bool = False


@dataclass(slots=True)
class _Counts:
    seen: int = 0
    unseen: int = 0
    decided: int = 0
    mending: int = 0


Key = tuple[str, str, str]  # perimeter, control, the decision that a new one would renew


def asked(
    findings: Iterable[Finding],
    entity: str,
    estate: Estate,
    decided: InForce,
    controls: Mapping[str, Control],
    measures: Mapping[str, Measure],
    renew_until: str = "",
) -> Asked:
    """`controls` are those of the run. Decisions that end by `renew_until` are asked about again, before they do."""
    own = {p.id: p for p in estate.perimeters.values() if p.kind == "exclusive" and p.owner == entity}
    groups: dict[Key, _Group] = {}
    counts = _Counts()
    for finding in findings:
        if finding.subject.perimeter in own and finding.outcome is not None:
            counts.seen += 1
            _take(finding, decided, renew_until, groups, counts)
    items = [_item(key, group, own[key[0]], estate, controls[key[1]], measures) for key, group in groups.items()]
    items.sort(key=lambda one: (-SEVERITIES.index(one.severity), one.perimeter, one.control, one.supersedes))
    numbered = tuple(replace(one, number=number) for number, one in enumerate(items, 1))
    return Asked(numbered, counts.seen, counts.unseen, counts.decided, counts.mending)


def _take(finding: Finding, decided: InForce, renew_until: str, groups: dict[Key, _Group], counts: _Counts) -> None:
    if finding.outcome is Outcome.UNKNOWN:
        counts.unseen += 1
    if finding.outcome not in OPEN:
        return
    about = decided.on(finding.subject.key).get(finding.control)
    covering = _covering(about.decisions if about else (), finding)
    renews = covering is not None and _expires(covering) <= renew_until
    if covering is not None and not renews:
        counts.decided += 1
        return
    if any(_mending(one, decided) for one in (about.actions if about else ())):
        counts.mending += 1
        return
    supersedes = covering.record.id if covering is not None else ""
    group = groups.setdefault((finding.subject.perimeter, finding.control, supersedes), _Group(finding.severity))
    group.failed |= finding.outcome is Outcome.FAIL
    if finding.subject.kind == "host":
        group.hosts[finding.subject.id] = None


def _covering(held: tuple[Held, ...], finding: Finding) -> Held | None:
    """The one decision that covers the finding today, and that the run did not see suspended."""
    perimeter = finding.subject.perimeter
    standing = [one for one in held if one.record.perimeter == perimeter]
    suspended = {one.id for one in finding.suspended}
    return standing[0] if len(standing) == 1 and standing[0].record.id not in suspended else None


def _expires(held: Held) -> str:
    return "" if isinstance(held.record, Action) else held.record.expires


def _mending(held: Held, decided: InForce) -> bool:
    action = held.record
    if not isinstance(action, Action) or action.status != "open":
        return False
    return lateness(action.due, decided.as_of, decided.rules.grace_days) is not Outcome.FAIL


def _item(
    key: Key, group: _Group, perimeter: Perimeter, estate: Estate, control: Control, measures: Mapping[str, Measure]
) -> Item:
    measure = measures.get(control.measure)
    regime = measure.regime if measure else {}
    return Item(
        number=0,
        perimeter=perimeter.id,
        control=control.id,
        revision=control.revision,
        severity=group.severity,
        hosts=tuple(group.hosts),
        acceptable=not regime or regime.get("exclusive") == "acceptance",
        adviser=adviser(perimeter, estate.auditing_entity),
        limit_kept=not group.failed,
        supersedes=key[2],
    )


def recommended(item: Item, known: Iterable[Recommendation], day: str) -> Item:
    """The item with the recommendation that was communicated by `day` about all that it is about, where there is one."""
    for one in known:
        about = one.perimeter == item.perimeter and item.control in one.controls and one.issued_by == item.adviser
        whole = one.hosts is None or (bool(item.hosts) and set(item.hosts) <= set(one.hosts))
        if about and whole and one.communicated_at and one.communicated_at <= day:
            return replace(item, recommendation=one.id, recommended_at=one.communicated_at)
    return item
