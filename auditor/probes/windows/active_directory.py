"""What a domain controller tells of its domain: who administrates it, which accounts are used, how its keys age. Pure.

It is asked on domain controllers alone, those that the estate says to ask. A last logon is written up to two weeks late, so what
is told of it has two ends. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from auditor.model import Answer, Command, Fact, Facts, Output, Partial, Unknown
from auditor.readers import parts, windows_domain
from auditor.readers.windows_domain import Account, Domain, Group

DAY_S = 86400.0
GUARDS = "525"  # the RID of Protected Users: who is in it is guarded, not privileged
FOREIGN = "foreignsecurityprincipal"  # the class of what stands for an account of a trusted domain
T = TypeVar("T")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "domain": windows_domain.DOMAIN,
        "groups": windows_domain.GROUPS,
        "accounts": windows_domain.ACCOUNTS,
    }


@dataclass(frozen=True, slots=True)
class _Seen:
    """`now` by the controller's clock; `guarded` the SIDs in Protected Users."""

    netbios: str
    sync_s: float | Unknown
    now: float | Unknown
    guarded: frozenset[str] | Unknown


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    domain = parts.told(windows_domain.domain, answers["domain"])
    groups = parts.told(windows_domain.groups, answers["groups"])
    accounts = parts.told(windows_domain.accounts, answers["accounts"])
    seen = _seen(domain, groups, answers)
    if not isinstance(accounts, Unknown) and not any(isinstance(a.logon, float) for a in accounts[0]):
        # Whoever asks has logged on: that nobody did means that we are not shown it.
        seen = replace(seen, sync_s=Unknown("no_privilege", "no last logon is shown to us"))
    return {
        "domain": _of(domain, lambda d: d.name),
        "privileged": groups if isinstance(groups, Unknown) else _privileged(groups, seen),
        "accounts": accounts if isinstance(accounts, Unknown) else _listed(seen, *accounts),
        "krbtgt_password_days": _of(domain, lambda d: _days(seen, d.krbtgt, "the password of krbtgt")),
        "local_passwords_managed": _of(domain, lambda d: bool(d.laps)),
        "computers": _of(domain, lambda d: d.computers),
        "computers_managed": _of(domain, _managed),
    }


def _of(told: T | Unknown, value: Callable[[T], Fact]) -> Fact:
    return told if isinstance(told, Unknown) else value(told)


def _managed(domain: Domain) -> int | Unknown:
    """No date at all may be hidden from us rather than not there; where the schema has no place for one, there is none."""
    hidden = domain.managed == 0 and domain.laps
    return Unknown("no_privilege", "no date of LAPS is shown to us") if hidden else domain.managed


def _seen(domain: Domain | Unknown, groups: list[Group] | Unknown, answers: Mapping[str, Answer]) -> _Seen:
    guarded = groups if isinstance(groups, Unknown) else _guarded(groups)
    return _Seen("" if isinstance(domain, Unknown) else domain.netbios, _late(domain), _now(answers), guarded)


def _guarded(groups: list[Group]) -> frozenset[str] | Unknown:
    found = [g for g in groups if g.sid.endswith(f"-{GUARDS}")]
    gap = next((g.missing for g in found if g.missing), None)
    return gap or frozenset(member.sid for group in found for member in group.members)


def _late(domain: Domain | Unknown) -> float | Unknown:
    if isinstance(domain, Unknown):
        return domain
    if isinstance(domain.sync_days, Unknown) or domain.sync_days == 0:
        return domain.sync_days or Unknown("not_told", "the domain does not write when its accounts were last used")
    return domain.sync_days * DAY_S


def _now(answers: Mapping[str, Answer]) -> float | Unknown:
    clock = next((a for a in answers.values() if isinstance(a, Output)), None)
    if clock is None or clock.host_at is None:
        return Unknown("not_told", "the host's clock")
    return Unknown("clock_skew") if abs(clock.host_at - clock.at) > DAY_S else clock.host_at


def _days(seen: _Seen, moment: float | Unknown | None, what: str) -> int | Unknown:
    if moment is None or isinstance(moment, Unknown):
        return moment or Unknown("not_told", what)
    if isinstance(seen.now, Unknown):
        return seen.now
    age = seen.now - moment
    return int(max(0.0, age) // DAY_S) if age > -DAY_S else Unknown("clock_skew", "dated in the future")


# ---------------------------------------------------------------- privileged accounts


def _privileged(groups: list[Group], seen: _Seen) -> Fact:
    """One element for each account, with the groups that it is in; incomplete where a group's members are."""
    found: dict[str, tuple[Account, list[str]]] = {}
    outside: dict[str, list[str]] = {}
    asked = [g for g in groups if not g.sid.endswith(f"-{GUARDS}")]
    for group in asked:
        for member in group.members:
            found.setdefault(member.sid or member.name, (member, []))[1].append(group.name)
        for name in group.outside:
            outside.setdefault(name, []).append(group.name)
    items: list[Fact] = [
        _stranger(account.name, names) if account.kind.lower() == FOREIGN else _holder(account, names, seen)
        for account, names in found.values()
    ]
    items += [_stranger(name, names) for name, names in outside.items()]
    gap = next((g.missing for g in asked if g.missing), None)
    if not items:  # the built-in administrator cannot be taken out of its group
        gap = gap or Unknown("not_told", "nobody is shown in any privileged group")
    return Partial(tuple(items), gap) if gap else items


def _holder(account: Account, names: list[str], seen: _Seen) -> Fact:
    disabled = account.has(windows_domain.DISABLED)
    last_used, unused, exact = _use(account, seen)
    return {
        "account": _named(account, seen),
        "groups": ", ".join(dict.fromkeys(names)),
        "enabled": _not(disabled),
        "smart_card_required": account.has(windows_domain.CARD),
        "guarded": seen.guarded if isinstance(seen.guarded, Unknown) else account.sid in seen.guarded,
        "delegable": _not(account.has(windows_domain.NOT_DELEGATED)),
        "password_expires": _not(account.has(windows_domain.NEVER_EXPIRES)),
        "password_days": _days(seen, account.password, "when its password was set"),
        "last_used_days": last_used,
        "unused_days": unused,
        "unused_days_exact": exact,
    }


def _stranger(name: str, names: list[str]) -> Fact:
    why = Unknown("not_told", "an account or a group of another domain")
    untold = ("enabled", "smart_card_required", "guarded", "delegable", "password_expires", "password_days")
    use = ("last_used_days", "unused_days", "unused_days_exact")
    return {"account": name[:200], "groups": ", ".join(dict.fromkeys(names)), **dict.fromkeys((*untold, *use), why)}


def _named(account: Account, seen: _Seen) -> str | Unknown:
    return f"{seen.netbios}\\{account.name}" if seen.netbios else Unknown("not_told", "the domain's short name")


def _not(told: bool | Unknown) -> bool | Unknown:
    return told if isinstance(told, Unknown) else not told


# ---------------------------------------------------------------- all accounts


def _listed(seen: _Seen, accounts: Iterable[Account], missing: Unknown | None) -> Fact:
    items: list[Fact] = [_shown(account, seen) for account in accounts]
    return Partial(tuple(items), missing) if missing else items


def _shown(account: Account, seen: _Seen) -> Fact:
    expired = _expired(account, seen)
    last_used, unused, exact = _use(account, seen)
    return {
        "account": account.name,
        "qualified": _named(account, seen),
        "expired": expired,
        "usable": _usable(account.has(windows_domain.DISABLED), expired),
        "password_required": _not(account.has(windows_domain.NO_PASSWORD)),
        "preauthentication": _not(account.has(windows_domain.NO_PREAUTH)),
        "last_used_days": last_used,
        "unused_days": unused,
        "unused_days_exact": exact,
    }


def _usable(disabled: bool | Unknown, expired: bool | Unknown) -> bool | Unknown:
    if disabled is True or expired is True:
        return False
    return next((v for v in (disabled, expired) if isinstance(v, Unknown)), True)


def _expired(account: Account, seen: _Seen) -> bool | Unknown:
    if account.expires is None or isinstance(account.expires, Unknown):
        return False if account.expires is None else account.expires
    return seen.now if isinstance(seen.now, Unknown) else account.expires <= seen.now


def _use(account: Account, seen: _Seen) -> tuple[int | Unknown, int | Unknown, bool | Unknown]:
    """At most and at least how many days ago it was last used, and whether that is exact.

    A logon is written down only when the last one that was is older than the domain's interval: it may have been used later,
    by that much. A new password, and being made, are signs of use.
    """
    signs = (account.logon, account.password, account.created)
    untold = next((s for s in signs if isinstance(s, Unknown)), None)
    known = [s for s in signs if isinstance(s, float)]
    if not known:
        why = untold or Unknown("not_told", "no sign of use")
        return why, 0, why
    at_most = _days(seen, max(known), "its last use")
    late = seen.sync_s  # where logons are not written down, that none is says nothing
    if untold or isinstance(late, Unknown) or isinstance(at_most, Unknown):
        return at_most, 0, untold or next(w for w in (late, at_most) if isinstance(w, Unknown))
    possible = max(*known, account.logon + late) if isinstance(account.logon, float) else max(known)
    exact: bool | Unknown = possible == max(known) or Unknown("not_told", "a later logon may not be written down yet")
    return at_most, at_most if exact is True else max(0, at_most - int((possible - max(known)) / DAY_S) - 1), exact
