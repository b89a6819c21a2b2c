"""What `auditpol /get /category:* /r` prints in; which kinds of events are recorded, success and failure, out. Pure.

Kinds are told by their GUIDs. How each is set is told in the host's language only: in English it is read; in another
language by its form: of the texts that occur, the one that begins with a second ("success") and may end with a third
("failure") is both together, and what remains is neither. Where the form does not show it, it is Unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from auditor.model import Unknown

# By the first eight digits; the others are the same for all.
KINDS = {
    "0cce9210": "Security State Change",
    "0cce9211": "Security System Extension",
    "0cce9212": "System Integrity",
    "0cce9215": "Logon",
    "0cce9216": "Logoff",
    "0cce9217": "Account Lockout",
    "0cce921b": "Special Logon",
    "0cce921c": "Other Logon/Logoff Events",
    "0cce9228": "Sensitive Privilege Use",
    "0cce922b": "Process Creation",
    "0cce922f": "Audit Policy Change",
    "0cce9230": "Authentication Policy Change",
    "0cce9231": "Authorization Policy Change",
    "0cce9235": "User Account Management",
    "0cce9236": "Computer Account Management",
    "0cce9237": "Security Group Management",
    "0cce923c": "Directory Service Changes",
    "0cce923f": "Credential Validation",
    "0cce9240": "Kerberos Service Ticket Operations",
    "0cce9242": "Kerberos Authentication Service",
}
_ROW = re.compile(r"\{(0cce92[0-9a-f]{2})-69ae-11d9-bed3-505054503030\}\s*,([^,]*)", re.IGNORECASE)
_SID = re.compile(r"\bS-1-\d", re.IGNORECASE)

Setting = tuple[bool, bool]  # success, failure
_ENGLISH: Mapping[str, Setting] = {
    "no auditing": (False, False),
    "success": (True, False),
    "failure": (False, True),
    "success and failure": (True, True),
}


def read(lines: Sequence[str]) -> dict[str, Setting | Unknown]:
    """By name, how each kind of event that has one is set; by its digits, one that has none."""
    rows = [(m[1].lower(), _plain(m[2])) for line in lines if (m := _ROW.search(line[:1000]))]
    meanings = _meanings({setting for _, setting in rows})
    untold = Unknown("not_told", "auditpol tells the settings in a language that cannot be told from their form")
    return {KINDS.get(digits, digits): meanings.get(setting, untold) for digits, setting in rows}


def own_rules(lines: Iterable[str]) -> bool:
    """Whether a user has audit rules of its own, in the answer to `auditpol /list /user /v`."""
    return any(_SID.search(line[:1000]) for line in lines)


def _plain(text: str) -> str:
    """In lower case, with a mark for what the host's code page may have garbled."""
    return re.sub(r"[^\x00-\x7f]+", "?", text.strip().lower())


def _meanings(texts: set[str]) -> Mapping[str, Setting]:
    if texts <= _ENGLISH.keys():
        return _ENGLISH
    both = [t for t in texts if any(_begins(t, other) for other in texts)]
    if len(both) != 1 or "" in texts or len(texts) > len(_ENGLISH):
        return {}
    (whole,) = both
    success = [t for t in texts if _begins(whole, t)]
    failure = [t for t in texts if whole.endswith(f" {t}")]
    neither = texts - {whole, *success, *failure}
    shared = {word for text in neither for word in text.split()} & set(whole.split())  # "failure" in other words
    if len(success) != 1 or len(failure) > 1 or success == failure or len(neither) > 1 or shared:
        return {}
    found: dict[str, Setting] = {whole: (True, True), success[0]: (True, False)}
    return found | dict.fromkeys(failure, (False, True)) | dict.fromkeys(neither, (False, False))


def _begins(text: str, other: str) -> bool:
    return text.startswith(f"{other} ")
