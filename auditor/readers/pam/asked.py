"""PAM stacks of the services that let people in; whether these ask a module, out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from auditor.model import Unknown
from auditor.readers import pam
from auditor.readers.files import Files

# The services that let people in; what their stacks ask is what a password is checked against.
DOORS = ("sshd", "login", "su", "sudo", "cockpit", "gdm-password", "lightdm", "sddm", "xrdp-sesman")
OTHER = "other"  # asked for a service that has no file, or no line of its own
WHO_ASKS_OTHER = Unknown(
    "not_told", "whether a service that has no PAM file lets people in: it would ask as other does"
)

Wanted = Callable[[pam.Entry], bool]


def asks(module: str, stacks: Files) -> bool | Unknown:
    """Whether a service that lets people in asks this module."""
    return _any(lambda entry: entry.module == module, stacks)


def has_option(module: str, option: str, stacks: Files) -> bool | Unknown:
    """Whether a service that lets people in asks this module with this option."""
    return _any(lambda e: e.module == module and option in {o.partition("=")[0] for o in e.options}, stacks)


def _any(wanted: Wanted, stacks: Files) -> bool | Unknown:
    """True on one true, else unknown on one unknown."""
    seen = list(_told(wanted, stacks))
    return True if True in seen else next((one for one in seen if isinstance(one, Unknown)), False)


def _told(wanted: Wanted, stacks: Files) -> Iterator[bool | Unknown]:
    """Of each door; and of `other` only that it may be asked: which services without a file there are, nobody told."""
    there = [door for door in DOORS if pam.service_text(stacks.texts, door) is not None]
    for door in there:
        told = pam.stack(stacks.texts, door)
        yield _has(wanted, pam.stack(stacks.texts, OTHER) if told == () else told)
    if len(there) < len(DOORS) and pam.service_text(stacks.texts, OTHER) is not None:
        other = _has(wanted, pam.stack(stacks.texts, OTHER))
        yield WHO_ASKS_OTHER if other is True else other
    if stacks.gap:
        yield stacks.gap


def _has(wanted: Wanted, told: tuple[pam.Entry, ...] | Unknown) -> bool | Unknown:
    return any(wanted(entry) for entry in told) if isinstance(told, tuple) else told
