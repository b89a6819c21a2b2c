"""One module of a stack and an account in; out, what it may return, the proof that this takes, and what decides. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.readers.pam.modules import (
    CONDITIONS,
    HARMLESS,
    NEUTRAL,
    NO_TOKEN,
    OPTIONAL_TOKEN,
    PASSWORD,
    TOKEN,
    TOLD_ELSEWHERE,
)
from auditor.readers.pam.stacks import Entry

_SAID_ELSEWHERE = {"success", "new_authtok_reqd", "ignore", "default", "auth_err", "user_unknown"}


@dataclass(frozen=True, slots=True)
class Who:
    """The account that a stack is walked for."""

    name: str
    uid: int | None
    local: bool
    groups: frozenset[str] = frozenset()
    empty_password_allowed: bool = False
    no_password: bool = False  # surely none that pam_unix could take: the account is locked
    called_by_root: bool = True  # as sshd and login are; who calls su or sudo is not
    has: frozenset[str] = frozenset()  # token modules that it is surely enrolled in
    lacks: frozenset[str] = frozenset()  # token modules that it is surely not enrolled in


Result = tuple[str, str, str]  # what the module returns, the proof that this took, the condition that decided


def results(entry: Entry, who: Who) -> tuple[Result, ...]:
    name = entry.module
    absent: tuple[Result, ...] = (("ignore", "", ""),) if entry.may_be_missing else ()
    if name == "pam_deny":
        return (("auth_err", "", ""),)
    if name == "pam_permit":
        return (("success", "", ""),)
    if name in TOKEN:
        return absent + _token(entry, who) + _let_past(entry)
    if name in PASSWORD or name == "pam_sss":
        return absent + _password(entry, who) + _let_past(entry)
    if name in NEUTRAL:
        return _neutral(entry)
    if name in CONDITIONS:
        return _condition(entry, who)
    return (*absent, ("success", TOLD_ELSEWHERE + name, ""), ("auth_err", "", ""))


def _token(entry: Entry, who: Who) -> tuple[Result, ...]:
    asked: tuple[Result, ...] = (("success", "token", ""), ("auth_err", "", ""))
    names = [option.partition("=")[0] for option in entry.options]
    if any(name in NO_TOKEN for name in names):
        return (*asked, ("success", "", ""))
    if entry.module in who.has:
        names = [name for name in names if name not in OPTIONAL_TOKEN]
    else:  # what the modules return for whom they do not know; nothing but a control in brackets lets that pass
        asked += _unenrolled(entry, who, names)
    unknown = [name for name in names if name not in HARMLESS[entry.module] and name not in OPTIONAL_TOKEN]
    if unknown:  # it may pass, or step aside, without asking
        untold = f"{TOLD_ELSEWHERE}{entry.module} {unknown[0][:40]}"
        return (*asked, ("success", untold, ""), ("ignore", untold, ""))
    return asked


def _let_past(entry: Entry) -> tuple[Result, ...]:
    """What a control in brackets names and does not refuse: a server that does not answer, a module that is not installed."""
    named = sorted(entry.actions.keys() - _SAID_ELSEWHERE)
    return tuple(
        (name, "", f"whether {entry.module} says {name}") for name in named if entry.actions[name] not in ("bad", "die")
    )


def _unenrolled(entry: Entry, who: Who, names: list[str]) -> tuple[Result, ...]:
    """What the module may say to somebody who is not enrolled, as whoever is not surely enrolled may be."""
    gate = "" if entry.module in who.lacks else f"whether {who.name} is enrolled for {entry.module}"
    unknown: tuple[Result, ...] = (("user_unknown", "", gate), ("authinfo_unavail", "", gate))
    if any(name in OPTIONAL_TOKEN for name in names):
        return (*unknown, ("success", "", gate), ("ignore", "", gate))
    return unknown


def _password(entry: Entry, who: Who) -> tuple[Result, ...]:
    refused: Result = ("auth_err", "", "")
    if entry.module == "pam_unix" and not who.local:
        return (("user_unknown", "", ""),)
    if entry.module == "pam_sss":
        # IPA may ask for a password and a code in one prompt, and the host cannot tell
        return (("user_unknown", "", ""),) if who.local else (("success", TOLD_ELSEWHERE + "pam_sss", ""), refused)
    if entry.module == "pam_unix" and who.no_password:
        return (refused,)
    taken: tuple[Result, ...] = (("success", "password", ""), refused)
    if who.empty_password_allowed and "nullok" in entry.options:
        return (*taken, ("success", "", ""))
    return taken


def _neutral(entry: Entry) -> tuple[Result, ...]:
    if entry.module == "pam_faillock" and "authfail" in entry.options:
        return (("auth_err", "", ""),)
    return (("success", "", ""), ("ignore", "", ""), ("auth_err", "", ""))


def _condition(entry: Entry, who: Who) -> tuple[Result, ...]:
    holds = _holds(entry, who)
    if holds is None:
        gate = " ".join((entry.module, *entry.options))[:80]
        return (("success", "", gate), ("auth_err", "", gate), ("ignore", "", gate))
    return (("success", "", ""),) if holds else (("auth_err", "", ""),)


def _holds(entry: Entry, who: Who) -> bool | None:
    """None: not for us to tell."""
    words = [o for o in entry.options if o not in ("quiet", "quiet_success", "quiet_fail", "use_uid", "debug")]
    if entry.module == "pam_localuser":
        return who.local if not words else None
    if entry.module == "pam_rootok":
        return who.called_by_root  # it looks at the process
    if entry.module == "pam_succeed_if" and len(words) == 3 and who.local:
        return _compared(words, who)
    return None


def _compared(words: list[str], who: Who) -> bool | None:
    what, how, value = words
    if what == "user" and how in ("ingroup", "notingroup"):
        return any(g in who.groups for g in value.split(":")) == (how == "ingroup")
    if what == "user" and how in ("=", "!="):
        return (who.name == value) == (how == "=")
    if what == "uid" and who.uid is not None and value.isascii() and value.isdigit() and len(value) < 11:
        limit = int(value)
        known = {">=": who.uid >= limit, "<": who.uid < limit, "eq": who.uid == limit, "ne": who.uid != limit}
        return known.get(how)
    return None
