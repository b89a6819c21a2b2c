"""Every inventoried host, and the senders that collectors name, in; when each host's newest record came to which out. Pure.

A host answers nothing of this itself: the collectors are its witnesses, and one that nobody can connect to, a printer or a
switch, is seen all the same. Records carry a host's short name, its full name or its address, in any case: they are its own
where one of its names fits (id, address, aliases, what it calls itself) and no other host's does.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from auditor.kinds import DerivedProbe
from auditor.model import Fact, Facts, Host, Partial, Unknown
from auditor.readers.log_stores.store import DIRECTORIES

STALE_HOURS = 31 * 24.0  # what nothing was added to for so long hides nobody's recent records
SHOWN = 5  # hosts named beside a name that several have
EVERYWHERE = ("localhost", "localhost.localdomain", "localhost4", "localhost6")
# Names of a first folder or file that say what is in it and not whose it is.
MINGLED = frozenset(
    {"all", "auth", "authpriv", "cron", "daemon", "debug", "everything", "kern", "local0", "local1", "local2", "local3",
     "local4", "local5", "local6", "local7", "logs", "mail", "maillog", "messages", "remote", "rsyslog", "secure",
     "syslog", "tcp", "udp", "user"}
)  # fmt: skip


def normal(name: str) -> str:
    """A name as it is compared: lower case, no full stop at its end, an address in one form; "" when it names no one host."""
    name = name.strip().lower().rstrip(".")
    address = _address(name)
    if address is None:
        return "" if name in EVERYWHERE else name
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return "" if address.is_loopback or address.is_unspecified else str(address)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _label(name: str) -> str:
    """The short form of a name; an address has none."""
    return "" if _address(name) else name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class _Names:
    """Whose names are whose, by place in the inventory: `whole` as they are, `short` by their first part, and `bare` the
    short names of hosts that have no full one that begins so: any domain may be theirs."""

    whole: dict[str, tuple[int, ...]] = field(default_factory=dict)
    short: dict[str, tuple[int, ...]] = field(default_factory=dict)
    bare: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def add(self, place: int, given: Iterable[str]) -> None:
        names = {n for n in map(normal, given) if n}
        full = {_label(n) for n in names if "." in n}
        for name in names:
            _append(self.whole, name, place)
        for label in {_label(n) for n in names} - {""}:
            _append(self.short, label, place)
            if label not in full:
                _append(self.bare, label, place)

    def owners(self, sender: str) -> tuple[tuple[int, ...], bool]:
        """The hosts that may have sent under this name; whether one alone is surely it: not where only the domain differs."""
        if not sender or _address(sender):
            return self.whole.get(sender, ()), True
        if "." in sender:
            own = self.whole.get(sender) or self.bare.get(_label(sender))
            return own or self.short.get(_label(sender), ()), own is not None
        return self.short.get(sender, ()), True


def _append(index: dict[str, tuple[int, ...]], name: str, place: int) -> None:
    if place not in index.get(name, ()):
        index[name] = (*index.get(name, ()), place)


@dataclass(slots=True)
class _Witness:
    """What one collector says, by host: its newest record in hours (`own`), and one that may be its own and be newer (`doubts`,
    0 hours where that is not told). `gap`: why there may be more than was told."""

    collector: str
    own: dict[int, float] = field(default_factory=dict)
    doubts: dict[int, tuple[float, Unknown]] = field(default_factory=dict)
    gap: Unknown | None = None

    def of(self, place: int) -> list[Fact]:
        """What is known and what is not, apart; only None where it was told whole, and holds nothing of this host."""
        own, doubt = self.own.get(place), self.doubts.get(place)
        known: list[Fact] = [] if own is None else [round(own, 1)]
        if doubt is not None and (own is None or doubt[0] < own):
            known.append(doubt[1])
        return known + ([self.gap] if self.gap else []) or [None]

    def hear(self, owners: tuple[int, ...], age: float | Unknown, doubt: Unknown | None) -> None:
        """Takes in a sender's newest record; `doubt` where it may be of one of these hosts and may not."""
        if doubt is None and owners and isinstance(age, float):
            self.own[owners[0]] = min(age, self.own.get(owners[0], age))
            return
        hours, why = (0.0, age) if isinstance(age, Unknown) else (age, doubt or Unknown("not_told"))
        for place in owners:
            if place not in self.doubts or hours < self.doubts[place][0]:
                self.doubts[place] = hours, why


def heard(named: Iterable[tuple[Host, str]], seen: Iterable[tuple[str, Any]]) -> Callable[[str], Facts]:
    """What the collectors say of a host, by its id."""
    names = _Names()
    hosts: dict[str, tuple[int, bool, float]] = {}
    for place, (host, own) in enumerate(named):
        hosts[host.id] = place, host.logs == "required", _absence_hours(host)
        names.add(place, (host.id, host.address, own, *host.aliases))
    ids = list(hosts)
    witnesses = [_witness(collector, facts, names, ids) for collector, facts in seen]

    def told(host: str) -> Facts:
        place, required, absence = hosts[host]
        rows = [_row(w.collector, newest, absence) for w in witnesses for newest in w.of(place)]
        return {"required": required, "collectors": rows}

    return told


def _absence_hours(host: Host) -> float:
    """How long a host may be away, and then send nothing."""
    return 0.0 if host.availability == "always" else host.evidence_max_age_s / 3600


def _row(collector: str, newest: Fact, absence: float) -> dict[str, Fact]:
    within = newest if isinstance(newest, Unknown) else newest is not None and newest <= absence
    return {"collector": collector, "newest_record_hours": newest, "within_absence": within}


def _witness(collector: str, facts: Any, names: _Names, ids: list[str]) -> _Witness:
    told = facts.get("named_senders", Unknown("not_told")) if isinstance(facts, Mapping) else facts
    if isinstance(told, Unknown):
        return _Witness(collector, gap=told)
    said = _Witness(collector, gap=told.missing if isinstance(told, Partial) else None)
    named: dict[str, bool] = {}  # of each store that is not stale: whether it names an inventoried host
    for sender, store, age in _senders(told.items if isinstance(told, Partial) else told or ()):
        owners, sure = names.owners(sender)
        if isinstance(age, Unknown) or age <= STALE_HOURS:
            named[store] = named.get(store, False) or bool(owners)
            if sender in MINGLED and not owners:
                said.gap = said.gap or Unknown("not_told", f"{store}/{sender} does not say whose records it holds")
        said.hear(owners, age, None if sure and len(owners) < 2 else _doubt(sender, [ids[place] for place in owners]))
    strange = next((store for store, known in named.items() if not known), None)
    if strange is not None:
        said.gap = said.gap or Unknown("not_told", f"nothing in {strange} bears the name of an inventoried host")
    return said


def _doubt(sender: str, hosts: list[str]) -> Unknown:
    more = " ..." if len(hosts) > SHOWN else ""
    return Unknown(
        "not_told", f"whether {sender} is {' or '.join(hosts[:SHOWN])}{more}; say it under aliases in estate.yaml"
    )


def _senders(rows: Iterable[Any]) -> Iterator[tuple[str, str, float | Unknown]]:
    """Each sender's name, its store and the hours since its newest record."""
    for row in rows:
        if isinstance(row, Mapping) and isinstance(row.get("sender"), str):
            age = row.get("newest_record_hours")
            if not isinstance(age, Unknown):
                known = isinstance(age, int | float) and not isinstance(age, bool)
                age = float(age) if known and age is not None else Unknown("not_told")
            yield normal(row["sender"]), str(row.get("store")), age


PROBE = DerivedProbe(
    title={"en": "Records of a host on the collectors", "fr": "Enregistrements d'un hôte sur les collecteurs"},
    over="log_archive",
    roles=("log-collector",),
    heard=heard,
    arguments={"type": "object", "properties": {"directories": DIRECTORIES}, "additionalProperties": False},
    facts={
        "type": "object",
        "properties": {
            "required": {
                "type": "boolean",
                "description": "Whether its logs must reach a collector, as the estate says (logs).",
            },
            "collectors": {
                "type": "array",
                "description": "Each host with the role log-collector, as a witness.",
                "items": {
                    "type": "object",
                    "x-name": "collector",
                    "properties": {
                        "collector": {"type": "string", "description": "Its id."},
                        "newest_record_hours": {
                            "type": "number",
                            "description": "Time since it got its newest record of the host; null when it holds none.",
                        },
                        "within_absence": {
                            "type": "boolean",
                            "description": "Whether the host, not always on, may have been away since (evidence_max_age).",
                        },
                    },
                },
            },
        },
    },
)
