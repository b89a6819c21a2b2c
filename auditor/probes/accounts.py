"""The local accounts of a host: which can log in, by what, whether they administrate it, when they were last used. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Output, Partial, Unknown
from auditor.readers import logins, parts, passwd, sudoers
from auditor.readers.logins import DAY_S, Last, State, States
from auditor.readers.trees.nameless import nameless
from auditor.readers.undated import reduced, undated

FIRST_PERSON, NOBODY = 1000, 65534  # login.defs(5), UID_MIN
SKEW_S = DAY_S
NO_STATE = Unknown("not_told", "what shadow says of it")
NOT_EXACT = Unknown("not_told", "logins that leave no record")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "accounts": passwd.PEOPLE,
        "sudoers": sudoers.SUDOERS,
        "states": logins.STATES,
        "last": logins.LAST,
    }


@dataclass(frozen=True, slots=True)
class _Host:
    """What the answers told; `now` by the host's clock, `day` the last that both clocks agree has begun."""

    states: States | Unknown
    last: Last | Unknown
    admins: frozenset[str]
    more_admins: Unknown | None
    now: float | Unknown
    day: int | Unknown


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    people = passwd.people(answers["accounts"])
    if isinstance(people, Unknown):
        return {"accounts": people, "usable": people, "without_shell": people}
    admins, more = admins_of(people, parts.told(sudoers.rules, answers["sudoers"]))
    now, day = _clock(answers)
    host = _Host(
        parts.told(logins.states, answers["states"]), parts.told(logins.last, answers["last"]), admins, more, now, day
    )
    shells = [a for a in people.accounts.values() if a.can_log_in]
    items: list[Fact] = [_shown(host, a) for a in shells]
    beside = host.states.beside if isinstance(host.states, States) else ()
    gap = Unknown("not_told", f"local accounts may be kept beside: {beside[0]}") if beside else None
    return {
        "accounts": Partial(tuple(items), gap) if gap else items,
        "usable": usable_of(items, gap),
        "without_shell": len(people.accounts) - len(shells),
    }


def usable_of(items: list[Fact], gap: Unknown | None) -> Fact:
    """Those that can log in; where of one that is not told, the list may lack it."""
    gap = gap or next((i["usable"] for i in items if isinstance(i["usable"], Unknown)), None)
    found = [i for i in items if i["usable"] is True]
    return Partial(tuple(found), gap) if gap else found


def _clock(answers: Mapping[str, Answer]) -> tuple[float | Unknown, int | Unknown]:
    """Ages are told by the host's clock, unless it is wrong; that an account has expired, only where ours agrees."""
    told = next((a for a in (answers["states"], answers["last"]) if isinstance(a, Output)), None)
    if told is None or told.host_at is None:
        why = Unknown("not_told", "the host's clock")
        return why, why
    wrong = abs(told.host_at - told.at) > SKEW_S
    return Unknown("clock_skew") if wrong else told.host_at, int(min(told.host_at, told.at) // DAY_S)


def admins_of(people: passwd.People, rules: sudoers.Rules | Unknown) -> tuple[frozenset[str], Unknown | None]:
    """Those who administrate the host, and why there may be more of them."""
    told = sudoers.Rules((), passwd.People({}, {}), gap=rules) if isinstance(rules, Unknown) else rules
    everybody = passwd.People(people.accounts, {**told.groups.groups, **people.groups}, people.directory)
    found = passwd.privileged(everybody, told.granting)
    if "ALL" in found.collective:
        return frozenset(people.accounts), None
    unlisted = [name for name in found.collective if name != "ALL"]
    more = told.gap or (Unknown("not_told", f"who is in {' '.join(unlisted)[:120]}") if unlisted else None)
    return frozenset(found.because), more


# ---------------------------------------------------------------- one account


def _shown(host: _Host, account: passwd.Account) -> Fact:
    states, name = host.states, account.name
    state = states.of.get(name, NO_STATE) if isinstance(states, States) else states
    password = _password(state, states)
    keys = _keys(states, name)
    expired = state if isinstance(state, Unknown) else _expired(state, host.day)
    last_used, unused, exact = _use(host, account, state)
    return {
        "account": name,
        "uid": account.uid,
        "kind": kind_of(account.uid),
        "password": password,
        "keys": keys,
        "expired": expired,
        "usable": usable_now(password, keys, expired),
        "ways": ", ".join(ways_of(password, keys)) or "none seen",
        "administrator": True if name in host.admins else host.more_admins or False,
        "last_used_days": last_used,
        "unused_days": unused,
        "unused_days_exact": exact,
    }


def kind_of(uid: int) -> str:
    if uid == 0:
        return "root"
    return "system" if uid < FIRST_PERSON or uid == NOBODY else "person"


def _password(state: State | Unknown, states: States | Unknown) -> str | Unknown:
    if isinstance(state, Unknown):
        return state
    if state.password != "none":
        return state.password
    return "locked" if isinstance(states, States) and states.shadow else Unknown("not_told", "no /etc/shadow")


def _keys(states: States | Unknown, name: str) -> bool | Unknown:
    if isinstance(states, Unknown):
        return states
    if name in states.keyed:
        return True
    if name in states.hidden:
        return Unknown("no_privilege", "its home")
    return Unknown("not_told", f"keys: {states.elsewhere[0][:80]}") if states.elsewhere else False


def _expired(state: State, day: int | Unknown) -> bool | Unknown:
    return day if isinstance(day, Unknown) else state.expired(day)


def usable_now(password: str | Unknown, keys: bool | Unknown, expired: bool | Unknown) -> bool | Unknown:
    """Any way to log in: a locked password stops no key (sshd with UsePAM)."""
    if expired is True:
        return False
    if password in ("set", "empty") or keys is True:
        return expired if isinstance(expired, Unknown) else True
    return next((v for v in (password, keys) if isinstance(v, Unknown)), False)


def ways_of(password: str | Unknown, keys: bool | Unknown) -> list[str]:
    words = {"set": "password", "empty": "empty password"}
    return [
        *([words[password]] if isinstance(password, str) and password in words else []),
        *(["key"] if keys is True else []),
    ]


# ---------------------------------------------------------------- when it was last used

_Use = tuple[int | Unknown, int | Unknown, bool | Unknown]


def _use(host: _Host, account: passwd.Account, state: State | Unknown) -> _Use:
    """At most and at least how many days ago it was last used, and whether that is exact.

    A process that runs, and a new password, are signs of use. That it was not used is told only for the time since when
    every login leaves a record.
    """
    if isinstance(host.now, Unknown):
        return host.now, host.now, host.now
    now, last = host.now, host.last
    if isinstance(last, Last) and account.uid in last.uids:
        return 0, 0, True
    signs = [t for t in _signs(host, account.name, state) if t <= now + SKEW_S]
    newest = min(max(signs), now) if signs else None
    complete = _complete_since(host)
    if newest is not None and complete is not None and newest >= complete:
        return _days(now - newest), _days(now - newest), True
    at_least = _days(now - complete) if complete is not None and complete < now else 0
    at_most = _days(now - newest) if newest is not None else Unknown("not_told", "no login of it is recorded")
    return at_most, at_least, NOT_EXACT


def _signs(host: _Host, name: str, state: State | Unknown) -> list[float]:
    found: list[float | None] = []
    if isinstance(host.last, Last):
        found.append(host.last.logins.get(name))
    if isinstance(host.states, States):
        found.append(host.states.sessions.get(name))
    if isinstance(state, State) and state.changed:
        found.append(float(state.changed * DAY_S))
    return [t for t in found if t is not None]


def _complete_since(host: _Host) -> float | None:
    """The earliest moment since when every login leaves a record, in the journal or through PAM."""
    states, last = host.states, host.last
    if not isinstance(states, States) or not isinstance(last, Last) or not states.uses_pam:
        return None
    noted = states.sessions_since if last.sessions else None
    return min((t for t in (noted, last.complete_since) if t is not None), default=None)


def _days(seconds: float) -> int:
    return int(max(0.0, seconds) // DAY_S)


# ---------------------------------------------------------------- the probe


def _fact(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


ACCOUNT: dict[str, Any] = {
    "type": "object",
    "x-name": "account",
    "x-also": ["ways"],
    "properties": {
        "account": _fact("string", "The login.", **{"x-person": True}),
        "uid": _fact("integer", "Its uid."),
        "kind": _fact(
            "string",
            "root (uid 0; on Windows RID 500, the built-in administrator), system (uid or RID below 1000) or person.",
        ),
        "password": _fact("string", "empty, locked or set."),
        "password_required": _fact(
            "boolean", "It may not have an empty password; Windows alone says so of an account."
        ),
        "keys": _fact("boolean", "A key for SSH lies where sshd looks for its keys."),
        "expired": _fact("boolean", "It has expired, or, on Linux, its password did too long ago."),
        "usable": _fact("boolean", "It can log in with a password or a key; a locked password stops no key."),
        "ways": _fact("string", "What it can log in with, as far as seen."),
        "administrator": _fact("boolean", "It is root, or can become it (as the probe admins tells)."),
        "last_used_days": _fact(
            "integer",
            "Days since the newest sign of use: a login, a session, a process, a new password.",
        ),
        "unused_days": _fact("integer", "For at least so many days it was surely not used."),
        "unused_days_exact": _fact(
            "boolean",
            "It was used just so many days ago; never false: unknown where it may have been since, unrecorded.",
        ),
    },
}


def _on_windows() -> Dialect:
    from auditor.probes.windows import accounts as windows

    return Dialect(windows.commands, windows.parse)


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import accounts as trees

    return Dialect(trees.commands, nameless(undated(trees.parse)))


PROBE = Probe(
    title={"en": "Local accounts", "fr": "Comptes locaux"},
    facts={
        "type": "object",
        "properties": {
            "without_shell": _fact(
                "integer", "How many local accounts have no shell to log in to; they are not listed."
            ),
            "accounts": {
                "type": "array",
                "description": "The accounts of the host itself that have a shell; on Windows, all of them.",
                "items": ACCOUNT,
            },
            "usable": {
                "type": "array",
                "description": "Those of them that can log in, with a password or a key.",
                "items": ACCOUNT,
            },
        },
    },
    dialects=Dialects(
        linux=Dialect(commands, reduced(parse, sudoers=sudoers.nameless)),
        windows=_on_windows,
    ),
    trees=Dialects(linux=_in_a_tree),
    privilege={
        "en": "root, to see which accounts have a password or keys, and their sessions in the journal; without it, only names and last logins",
        "fr": "root, pour voir quels comptes ont un mot de passe ou des clés, et leurs sessions au journal ; sans cela, seulement les noms et les dernières connexions",
    },
)
