"""What a domain controller tells of its domain: who administrates it, which accounts are used, how its keys age. Pure.

It is asked on domain controllers alone, those that the estate says to ask. A last logon is written up to two weeks late, so what
is told of it has two ends. Not met on a real Windows yet.
"""

from __future__ import annotations

from typing import Any

from auditor.kinds import Dialect, Dialects, Probe

# ---------------------------------------------------------------- the probe


def _fact(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


_PERSON = {"x-person": True}
_USE = {
    "last_used_days": _fact(
        "integer", "Days since the newest sign of use: a logon as the domain writes it, a new password."
    ),
    "unused_days": _fact("integer", "For at least so many days it was surely not used."),
    "unused_days_exact": _fact(
        "boolean", "It was used just so many days ago; never false: unknown where the domain may write it later."
    ),
}
HOLDER: dict[str, Any] = {
    "type": "object",
    "x-name": "account",
    "x-also": ["groups"],
    "properties": {
        "account": _fact("string", "DOMAIN\\name; of another domain, as this one names it.", **_PERSON),
        "groups": _fact("string", "The privileged groups that it is in, through other groups too."),
        "enabled": _fact("boolean", "It is not disabled."),
        "smart_card_required": _fact("boolean", "It can log on at a screen with a smart card alone."),
        "guarded": _fact("boolean", "It is in Protected Users."),
        "delegable": _fact("boolean", "A service may act in its name (not marked as sensitive)."),
        "password_expires": _fact("boolean", "Its password is not exempt from expiring."),
        "password_days": _fact("integer", "Days since its password was set."),
        **_USE,
    },
}
ACCOUNT: dict[str, Any] = {
    "type": "object",
    "x-name": "account",
    "properties": {
        "account": _fact("string", "Its name (sAMAccountName).", **_PERSON),
        "qualified": _fact("string", "DOMAIN\\name.", **_PERSON),
        "expired": _fact("boolean", "It has expired."),
        "usable": _fact("boolean", "It can log on: not disabled, not expired."),
        "password_required": _fact("boolean", "It may not have an empty password."),
        "preauthentication": _fact("boolean", "Kerberos asks it to prove who it is before it gives anything away."),
        **_USE,
    },
}


def _on_windows() -> Dialect:
    from auditor.probes.windows import active_directory as windows

    return Dialect(windows.commands, windows.parse)


PROBE = Probe(
    title={"en": "Active Directory domain", "fr": "Domaine Active Directory"},
    facts={
        "type": "object",
        "properties": {
            "domain": _fact("string", "The domain's name."),
            "privileged": {
                **_fact(
                    "array",
                    "Who is in its privileged groups: administrators of domain, schema and enterprise, of keys, operators.",
                ),
                "items": HOLDER,
            },
            "accounts": {
                **_fact("array", "Its accounts of people and services that are not disabled."),
                "items": ACCOUNT,
            },
            "krbtgt_password_days": _fact(
                "integer", "Days since the password of krbtgt, the domain's own key, was set."
            ),
            "local_passwords_managed": _fact("boolean", "The schema knows LAPS, the new or the old one."),
            "computers": _fact("integer", "How many of its computers are not disabled, controllers aside."),
            "computers_managed": _fact(
                "integer", "For how many of these a password of LAPS with its date is shown to us."
            ),
        },
    },
    dialects=Dialects(windows=_on_windows),
    privilege={
        "en": "an ordinary account of the domain on its controller; the dates of LAPS are shown to those who are allowed to see them",
        "fr": "un compte ordinaire du domaine sur son contrôleur ; les dates de LAPS sont montrées à qui a le droit de les voir",
    },
)
