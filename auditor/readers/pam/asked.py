"""PAM stacks of the services that let people in; whether these ask a module, out. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model import Unknown
from auditor.readers import pam
from auditor.readers.files import Files

# The services that let people in; what their stacks ask is what a password is checked against.
DOORS = ("sshd", "login", "su", "sudo", "cockpit", "gdm-password", "lightdm", "sddm", "xrdp-sesman")


def asks(module: str, stacks: Files) -> bool | Unknown:
    """Whether a service that lets people in asks this module."""
    return _any(
        any(entry.module == module for entry in stack) if isinstance(stack, tuple) else stack
        for stack in _stacks(stacks)
    )


def has_option(module: str, option: str, stacks: Files) -> bool | Unknown:
    """Whether a service that lets people in asks this module with this option."""
    return _any(
        any(e.module == module and option in {o.partition("=")[0] for o in e.options} for e in stack)
        if isinstance(stack, tuple)
        else stack
        for stack in _stacks(stacks)
    )


def _stacks(stacks: Files) -> Iterable[tuple[pam.Entry, ...] | Unknown]:
    yield from (pam.stack(stacks.texts, d) for d in DOORS if pam.service_text(stacks.texts, d) is not None)
    if stacks.gap:
        yield stacks.gap


def _any(told: Iterable[bool | Unknown]) -> bool | Unknown:
    """True on one true, else unknown on one unknown."""
    seen = list(told)
    return True if True in seen else next((one for one in seen if isinstance(one, Unknown)), False)
