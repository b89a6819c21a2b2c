"""The findings of a run and what is in force in; what an entity is to be asked about its own perimeters, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from auditor.decisions import About, InForce
from auditor.decisions.places import Places, places
from auditor.decisions.who import adviser
from auditor.letters.shared import shared
from auditor.model import SEVERITIES, Control, Estate, Finding, Measure, Outcome, Perimeter
from auditor.records import Acceptance, Recommendation

OPEN = (Outcome.FAIL, Outcome.WARN)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to decide: a control on hosts of a perimeter (none: the perimeter as a whole), and who recommends it.

    `acceptable` is false where the texts let no risk be accepted. `recommendation` is empty until it has an id;
    `recommended_at` where it was communicated before. `supersedes` is the acceptance that a new one takes the place of:
    one that ends, or (`reopened`) that does not stand any more. `common` are roles, groups and zones (kind, name) whose
    hosts of the perimeter are all among `hosts`: one that comes later is new, and known to be.
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
    reopened: bool = False
    common: tuple[tuple[str, str], ...] = ()
    in_common: tuple[str, ...] = ()  # the hosts that those stand for


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
class _Taken:
    """What one pass gathers; `decided` are the findings that a decision covers, by its id."""

    groups: dict[Key, _Group] = field(default_factory=dict)
    decided: dict[str, list[Finding]] = field(default_factory=dict)
    reopened: set[str] = field(default_factory=set)
    seen: int = 0
    unseen: int = 0
    mending: int = 0

    def ask(self, finding: Finding, supersedes: str = "") -> None:
        key = (finding.subject.perimeter, finding.control, supersedes)
        group = self.groups.setdefault(key, _Group(finding.severity))
        group.failed |= finding.outcome is Outcome.FAIL
        if finding.subject.kind == "host":
            group.hosts[finding.subject.id] = None


Key = tuple[str, str, str]  # perimeter, control, the acceptance that a new one would take the place of


def asked(
    findings: Iterable[Finding],
    entity: str,
    estate: Estate,
    decided: InForce,
    controls: Mapping[str, Control],
    measures: Mapping[str, Measure],
    renew_until: str = "",
) -> Asked:
    """`controls` are those of the run. Decisions that end by `renew_until` are asked about again, before they do.

    So is all that an acceptance covers which does not stand any more for some of it: a new one takes the place of the whole.
    """
    own = {p.id: p for p in estate.perimeters.values() if p.kind == "exclusive" and p.owner == entity}
    taken = _Taken()
    for finding in findings:
        if finding.subject.perimeter in own and finding.outcome is not None:
            taken.seen += 1
            _take(finding, decided, renew_until, taken)
    for reopened in taken.reopened:
        for finding in taken.decided.pop(reopened, ()):
            taken.ask(finding, reopened)
    known = places(estate)
    items = [
        replace(
            _item(key, group, own[key[0]], estate, known, controls[key[1]], measures), reopened=key[2] in taken.reopened
        )
        for key, group in taken.groups.items()
    ]
    items.sort(key=lambda one: (-SEVERITIES.index(one.severity), one.perimeter, one.control, one.supersedes))
    numbered = tuple(replace(one, number=number) for number, one in enumerate(items, 1))
    return Asked(numbered, taken.seen, taken.unseen, sum(map(len, taken.decided.values())), taken.mending)


def _take(finding: Finding, decided: InForce, renew_until: str, taken: _Taken) -> None:
    if finding.outcome is Outcome.UNKNOWN:
        taken.unseen += 1
    if finding.outcome not in OPEN:
        return
    about = decided.on(finding.subject.key).get(finding.control, About())
    held = [one.record for one in about.decisions if one.record.perimeter == finding.subject.perimeter]
    only = held[0] if len(held) == 1 else None
    stands = only is not None and only.id not in {one.id for one in finding.suspended}
    ends = isinstance(only, Acceptance) and only.expires <= renew_until
    if only is not None and stands and not ends:
        taken.decided.setdefault(only.id, []).append(finding)
    elif any(decided.mended_by(one) for one in about.actions):
        taken.mending += 1
    else:
        replaced = only.id if isinstance(only, Acceptance) else ""
        taken.reopened.update([replaced] if replaced and not stands else [])
        taken.ask(finding, replaced)


def _item(
    key: Key,
    group: _Group,
    perimeter: Perimeter,
    estate: Estate,
    known: Places,
    control: Control,
    measures: Mapping[str, Measure],
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
        **shared(group.hosts, perimeter, known, control),
    )


def recommended(item: Item, known: Iterable[Recommendation], day: str) -> Item:
    """The item with the recommendation that was communicated by `day` about all that it is about, where there is one."""
    for one in known:
        about = one.perimeter == item.perimeter and item.control in one.controls and one.issued_by == item.adviser
        whole = one.hosts is None or (bool(item.hosts) and set(item.hosts) <= set(one.hosts))
        if about and whole and one.communicated_at and one.communicated_at <= day:
            return replace(item, recommendation=one.id, recommended_at=one.communicated_at)
    return item
